//! One hook event from its JSON to its answer.

use std::io::Read as _;
use std::time::Instant;

use countersign_agents::{
    Answer, CallStage, EventKind, HookEvent, HookOutput, MAX_PAYLOAD_BYTES, Stage, decode, encode,
    event_of_broken,
};
use countersign_core::agent::Agent;
use countersign_core::call::Call;
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::message;
use countersign_core::state::{ProcessId, StateError};
use countersign_engine::events::AgentEvent;
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Reply, Request};

use super::arguments::Arguments;
use super::{blocked, log_file, state};
use countersign_service::guard::{self, Guard};

/// Decides one event. Total: every failure is a block.
pub(super) fn run(arguments: &Arguments) -> HookOutput {
    let started = Instant::now();
    if let Some(problem) = &arguments.problem {
        return blocked(arguments, &format!("Countersign: {problem}"));
    }
    let agent: Agent = match arguments.agent.parse() {
        Ok(agent) => agent,
        Err(error) => return blocked(arguments, &format!("Countersign: {error}")),
    };
    let event = match read().and_then(|bytes| {
        decode(agent, &arguments.event, &bytes).map_err(|error| error.to_string())
    }) {
        Ok(event) => event,
        Err(problem) => {
            record_refusal(arguments, agent, &problem);
            let decision = Decision::Block {
                reason: BlockReason::InvalidCall,
                detail: problem,
            };
            return blocked(arguments, &message::for_agent(&decision));
        }
    };
    match handle(arguments, &event, started) {
        Ok(output) => output,
        Err(problem) => {
            let decision = Decision::Block {
                reason: BlockReason::Internal,
                detail: problem,
            };
            blocked(arguments, &message::for_agent(&decision))
        }
    }
}

/// Puts a call that nobody can read on record. It is blocked all the same
/// where that fails.
fn record_refusal(arguments: &Arguments, agent: Agent, problem: &str) {
    match event_of_broken(agent, &arguments.event).stage {
        Stage::PreTool | Stage::PermissionRequest | Stage::Unknown => {}
        Stage::NoDecision => return,
    }
    let Ok(places) = guard::places(arguments.home.as_deref()) else {
        return;
    };
    log_file::install(&places.state_dir);
    let from = format!("{agent} {}", arguments.event);
    let recorded = state::open(&places.state_dir).and_then(|store| {
        guard::engine(store, Vec::new())
            .refused(&from, problem)
            .map_err(|error| error.to_string())
    });
    if let Err(error) = recorded {
        tracing::error!("{from}: blocked: {problem}; not recorded: {error}");
    }
}

fn read() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        // One more than `decode` takes, so that it sees that there is more.
        .take(MAX_PAYLOAD_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    Ok(bytes)
}

fn handle(
    arguments: &Arguments,
    event: &HookEvent,
    started: Instant,
) -> Result<HookOutput, String> {
    let places = guard::places(arguments.home.as_deref()).map_err(|error| error.to_string())?;
    log_file::install(&places.state_dir);
    let store = state::open(&places.state_dir)?;
    let began_in = match store.snapshot(&event.key.root()) {
        Ok(session) => session.and_then(|session| session.workspace),
        // Nothing is kept: every call is the first.
        Err(StateError::Unwritable(_)) => None,
        Err(error @ StateError::Unreadable(_)) => return Err(error.to_string()),
    };
    let engine = guard::engine(store, Vec::new());
    let process = countersign_ipc::caller();
    let guard = Guard::in_session(places, began_in, &event.cwd, arguments.approval_mode);
    for problem in &guard.policy.problems {
        tracing::warn!("settings: {problem}");
    }
    let noted = match &event.kind {
        EventKind::Call { stage, call } => {
            return decide(
                &engine,
                &guard,
                event,
                *stage,
                call,
                process.as_ref(),
                started,
            );
        }
        EventKind::Result { call, failed } => Some(AgentEvent::Result {
            call,
            failed: *failed,
        }),
        EventKind::AgentDenied { call, .. } => Some(AgentEvent::AgentDenied { call }),
        EventKind::UserMessage { .. } => Some(AgentEvent::UserMessage),
        EventKind::TurnEnd => Some(AgentEvent::TurnEnd),
        EventKind::SessionStart { .. } => Some(AgentEvent::SessionStart),
        EventKind::SessionEnd { .. } => Some(AgentEvent::SessionEnd),
        EventKind::Other => None,
    };
    if let Some(noted) = noted
        && let Err(error) = engine.note(&event.key, noted, process.as_ref(), guard.policy.limits)
    {
        // Nothing is to be decided here, and the tool has run or the turn has
        // ended: what could not be noted has no authority, which is the safe
        // side of every one of these events.
        tracing::error!("event {} not noted: {error}", arguments.event);
    }
    if matches!(
        event.kind,
        EventKind::SessionStart { .. } | EventKind::SessionEnd { .. }
    ) {
        state::retain(&guard.places.state_dir, guard.effective.journal);
    }
    Ok(encode(event.event_ref(), &Answer::NoOpinion))
}

fn decide(
    engine: &countersign_engine::Engine,
    guard: &Guard,
    event: &HookEvent,
    stage: CallStage,
    call: &Call,
    process: Option<&ProcessId>,
    started: Instant,
) -> Result<HookOutput, String> {
    let facts = prepare::facts(call, &guard.host, &guard.policy);
    let request = Request {
        call,
        facts: &facts,
        policy: &guard.policy,
        mode: guard.policy.mode,
        event: stage.into(),
        process,
        asking: match event.event_ref().capabilities() {
            Some(stage) if stage.can_ask => Asking::Delegate,
            Some(_) | None => Asking::Nobody,
        },
        granted: false,
        classifier: false,
        server: None,
        spent_micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    };
    let reply = engine
        .decide(&request)
        .map_err(|error: StateError| error.to_string())?;
    let answer = match reply {
        Reply::NoOpinion => Answer::NoOpinion,
        Reply::Classify => return Err("a classifier was asked and there is none".to_owned()),
        Reply::Done(outcome) => {
            let text = message::for_agent(&outcome.decision);
            match outcome.decision {
                Decision::Allow { .. } => Answer::Allow { note: text },
                Decision::Ask { .. } => Answer::Ask { message: text },
                Decision::Denied { .. } | Decision::Block { .. } => Answer::Block { message: text },
            }
        }
    };
    Ok(encode(event.event_ref(), &answer))
}
