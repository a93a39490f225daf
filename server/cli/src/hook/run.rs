//! One hook event from its JSON to its answer.

use std::io::Read as _;
use std::time::{Duration, Instant};

use countersign_agents::{
    EventKind, HookEvent, HookOutput, MAX_PAYLOAD_BYTES, Surroundings, decode, event_of_broken,
};
use countersign_core::agent::Agent;
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::message;
use countersign_core::trace::TraceContext;
use countersign_service::guard;

use super::alone::{self, Alone};
use super::arguments::Arguments;
use super::servers::{self, Asked, Question};
use super::{blocked, log_file, state};

/// Where an agent says which trace its calls belong to.
const TRACEPARENT: &str = "TRACEPARENT";

/// How long a server is waited for that is only to take note: it may hang, and
/// the agent waits with it.
const NOTE_WITHIN: Duration = Duration::from_secs(10);

/// What the agent's environment says.
struct Said<'a> {
    trace: Option<TraceContext>,
    surroundings: &'a Surroundings,
}

/// Decides one event until `deadline`. Total: every failure is a block.
///
/// `environment` is asked for the agent's trace, by which nothing is decided,
/// and for PATH and SHELL, which only make answers stricter.
pub(super) fn run(
    arguments: &Arguments,
    deadline: Instant,
    environment: impl Fn(&str) -> Option<String>,
) -> HookOutput {
    let started = Instant::now();
    if let Some(problem) = &arguments.problem {
        return blocked(arguments, &format!("Countersign: {problem}"));
    }
    let agent: Agent = match arguments.agent.parse() {
        Ok(agent) => agent,
        Err(error) => return blocked(arguments, &format!("Countersign: {error}")),
    };
    let read = read().and_then(|payload| {
        let event = decode(agent, &arguments.event, &payload).map_err(|error| error.to_string())?;
        Ok((payload, event))
    });
    let (payload, mut event) = match read {
        Ok(read) => read,
        Err(problem) => {
            record_refusal(arguments, agent, &problem);
            return refused(arguments, BlockReason::InvalidCall, problem);
        }
    };
    #[cfg(debug_assertions)]
    if let Some(how) = &arguments.provoke {
        super::provoked::end(how);
    }
    let surroundings = super::surroundings(&environment);
    event.set_surroundings(&surroundings);
    let said = Said {
        trace: environment(TRACEPARENT).and_then(|text| text.parse().ok()),
        surroundings: &surroundings,
    };
    handle(arguments, &payload, &event, said, started, deadline)
        .unwrap_or_else(|problem| refused(arguments, BlockReason::Internal, problem))
}

/// The block of a call that nobody decided about.
fn refused(arguments: &Arguments, reason: BlockReason, detail: String) -> HookOutput {
    blocked(
        arguments,
        &message::for_agent(&Decision::Block { reason, detail }),
    )
}

/// Puts a call that nobody can read on record. It is blocked all the same
/// where that fails.
fn record_refusal(arguments: &Arguments, agent: Agent, problem: &str) {
    if !event_of_broken(agent, &arguments.event).stage.decides() {
        return;
    }
    let Ok(places) = guard::places(arguments.home.as_deref()) else {
        return;
    };
    log_file::install(&places.state_dir);
    let from = format!("{agent} {}", arguments.event);
    let recorded = state::open(&places.state_dir).and_then(|state| {
        guard::engine(state.store, Vec::new())
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

/// Has the event decided by a server, or decides it.
fn handle(
    arguments: &Arguments,
    payload: &[u8],
    event: &HookEvent,
    said: Said<'_>,
    started: Instant,
    deadline: Instant,
) -> Result<HookOutput, String> {
    let places = guard::places(arguments.home.as_deref()).map_err(|error| error.to_string())?;
    log_file::install(&places.state_dir);
    let process = countersign_ipc::caller();
    let waits_until = match event.kind {
        EventKind::Call { .. } => deadline,
        _ => deadline.min(started + NOTE_WITHIN),
    };
    let asked = servers::ask(&Question {
        runtime_dir: &places.runtime_dir,
        agent: &arguments.agent,
        event: &arguments.event,
        cwd: &event.cwd,
        payload,
        caller: process.as_ref(),
        tighten: arguments.approval_mode,
        trace: said.trace,
        speaks_for: None,
        surroundings: said.surroundings,
        given_up: None,
        deadline: waits_until,
    });
    match asked {
        Asked::Answered(output) => Ok(output),
        Asked::Lost(problem) => {
            // The server may have decided and counted: nobody decides again.
            // Of an event that needs no decision, the block is silence.
            tracing::error!("{} {}: {problem}", arguments.agent, arguments.event);
            Ok(blocked(arguments, &format!("Countersign: {problem}")))
        }
        Asked::Nobody { tighten } => alone::handle(
            &Alone {
                event,
                process: process.as_ref(),
                tighten,
                started,
                deadline,
            },
            places,
        ),
    }
}
