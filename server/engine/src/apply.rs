//! The one function that applies an outcome: counters, set-aside rules, the
//! call's state and the journal, inside the caller's transaction.

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{Call, Digest};
use countersign_core::classify::denial_event;
use countersign_core::decision::{AskReason, BlockReason, Decision};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{
    CallState, CallStatus, CallWrites, Millis, ModelRecord, Record, RecordKind, StateError,
    Transaction,
};
use countersign_core::tool::Tool;

use crate::ledger;
use crate::record;
use crate::request::{Asking, Layer, Outcome, Request};
use crate::resolve;
use crate::session::Sessions;
use crate::set_aside;

/// Problems of settings that are written down when a session begins.
const MOST_PROBLEMS: usize = 32;

/// A decision on its way to becoming an outcome.
pub(crate) struct Applying<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) id: &'a str,
    pub(crate) digest: Digest,
    pub(crate) mode: ApprovalMode,
    pub(crate) decision: Decision,
    pub(crate) model: Option<ModelRecord>,
    /// When the order of decisions was gone through, where that was now.
    pub(crate) rules: Option<Layer>,
    pub(crate) now: Millis,
}

/// Applies a decision. The caller saves the sessions.
pub(crate) fn apply(
    transaction: &mut dyn Transaction,
    sessions: &mut Sessions,
    applying: &Applying<'_>,
) -> Result<Outcome, StateError> {
    let request = applying.request;
    let policy = request.policy;
    let before = sessions.counters();
    if let Some(event) = denial_event(&applying.decision, applying.mode) {
        sessions.reduce(event, policy.limits);
    }
    let after = sessions.counters();
    let held = set_aside::held_in(policy, request.mode);
    let set_aside = hold_rules(transaction, sessions, &held, applying.now)?;
    if sessions.begins {
        for problem in policy.problems.iter().take(MOST_PROBLEMS) {
            transaction.append(&Record {
                detail: Some(problem.clone()),
                ..record::bare(
                    RecordKind::Problem,
                    Some(&sessions.root().key),
                    applying.now,
                )
            })?;
        }
    }

    let asked = asked(&applying.decision);
    let mut state = CallState {
        id: applying.id.to_owned(),
        key: request.call.key.clone(),
        agent_call: request.call.id.clone(),
        digest: applying.digest,
        approval: is_bound(&applying.decision)
            .then(|| crate::prepare::approval_digest(request.call, request.facts)),
        tool: tool(request.call),
        decision: applying.decision.clone(),
        events: vec![request.event],
        status: match (&applying.decision, request.asking) {
            (Decision::Allow { .. }, _) => CallStatus::Decided,
            // Nothing follows a block: a tool that runs all the same has no
            // decision, and a retry is a new call.
            (Decision::Denied { .. } | Decision::Block { .. }, _) => CallStatus::Finished,
            // Nobody is asked by an event that the agent itself did not send:
            // what the agent then does is no answer to it.
            (Decision::Ask { .. }, Asking::Delegate) if sessions.opened_by(request.process) => {
                CallStatus::Delegated
            }
            (Decision::Ask { .. }, Asking::Surface | Asking::Nobody | Asking::Delegate) => {
                CallStatus::Pending
            }
        },
        delegated_to: None,
        asked: None,
        decided: applying.now,
        writes: CallWrites::None,
    };
    if state.status == CallStatus::Delegated {
        state.delegated_to = request.process.cloned();
    }
    plan_writes(transaction, &mut state, request, applying.now)?;
    let record = Record {
        before: Some(before),
        after: Some(after),
        model: applying.model.clone(),
        micros: Some(request.spent_micros),
        mode: Some(applying.mode),
        ..record::of_decision(applying, policy.workspaces.first().cloned())
    };
    transaction.append(&record)?;

    let mut decision = applying.decision.clone();
    let mut after = after;
    if asked.is_some() && request.asking == Asking::Nobody {
        let resolution = resolve::settle(
            transaction,
            sessions,
            &mut state,
            &Answer::NoSurface,
            AnswerSource::None,
            policy.limits,
            applying.now,
        )?;
        decision = nowhere_to_ask(&applying.decision);
        after = resolution.after;
    } else {
        transaction.put_call(&state)?;
    }
    Ok(Outcome {
        call: state.id,
        key: state.key,
        tool: state.tool,
        mode: applying.mode,
        decision,
        asked,
        before,
        after,
        joined: false,
        set_aside,
        digest: state.digest,
        approval: state.approval,
        model: applying.model.clone(),
        recorded: true,
        subject: record.subject.unwrap_or_default(),
        started: request.background.started,
        layers: request.layers(applying.rules),
        trace: request.background.trace,
    })
}

/// Puts on record what the call may write, or keeps it for the answer.
fn plan_writes(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    request: &Request<'_>,
    now: Millis,
) -> Result<(), StateError> {
    match (&state.decision, request.asking) {
        (Decision::Denied { .. } | Decision::Block { .. }, _)
        | (Decision::Ask { .. }, Asking::Nobody) => Ok(()),
        (Decision::Allow { .. }, _) => {
            let planned = ledger::planned(request);
            ledger::record(transaction, state, &planned, request.process, now)
        }
        (Decision::Ask { .. }, Asking::Surface) => {
            let planned = ledger::planned(request);
            if !planned.footprint.is_nothing() {
                state.writes = CallWrites::Asked(planned);
            }
            Ok(())
        }
        (Decision::Ask { .. }, Asking::Delegate) => {
            let planned = ledger::planned(request);
            if state.status == CallStatus::Delegated {
                return ledger::hand_over(transaction, state, planned, request.process, now);
            }
            // The agent's prompt may open all the same, and what comes of it
            // is not believed: as if it ran.
            ledger::record(transaction, state, &planned, request.process, now)
        }
    }
}

/// Takes the session's hold on over-broad rules as the session's own mode
/// says; the agent's plan mode is an overlay and changes none of it.
pub(crate) fn hold_rules(
    transaction: &mut dyn Transaction,
    sessions: &mut Sessions,
    wanted: &[String],
    now: Millis,
) -> Result<Vec<String>, StateError> {
    let root = sessions.root_mut();
    let changed = set_aside::hold(transaction, root, wanted)?;
    for text in set_aside::told(&changed) {
        transaction.append(&Record {
            detail: Some(text),
            ..record::bare(RecordKind::Rules, Some(&root.key), now)
        })?;
    }
    Ok(changed.aside)
}

/// What becomes of an ask that nobody can be asked: says also why it would
/// have been asked, so that the person can do something about it.
pub(crate) fn nowhere_to_ask(ask: &Decision) -> Decision {
    Decision::Block {
        reason: BlockReason::NoSurface,
        detail: format!("{}; there is nowhere to ask the user", ask.detail()),
    }
}

/// Whether a decision is about the files of the call as they are now.
const fn is_bound(decision: &Decision) -> bool {
    match decision {
        Decision::Ask { .. } => true,
        Decision::Allow { via, .. } => crate::join::is_of_this_call(*via),
        Decision::Denied { .. } | Decision::Block { .. } => false,
    }
}

/// Why a person is asked, if one is.
pub(crate) const fn asked(decision: &Decision) -> Option<AskReason> {
    match decision {
        Decision::Ask { reason, .. } => Some(*reason),
        Decision::Allow { .. } | Decision::Denied { .. } | Decision::Block { .. } => None,
    }
}

/// The tool that a call is shown under.
pub(crate) fn tool(call: &Call) -> Tool {
    call.operations.first().map_or_else(
        || Tool::Other(call.raw_tool.clone()),
        |operation| operation.tool.clone(),
    )
}
