//! Two events of one call are one decision, one count, one row.
//!
//! Agents report a call before the tool runs and again before they would
//! prompt, one of the two without an id, and in either order. An event joins
//! the newest open call of the same session with the same digest that has not
//! had this event yet and was not blocked: a retry of a blocked call is a new
//! call.

use countersign_core::call::{Call, Digest};
use countersign_core::decide::Step;
use countersign_core::decision::{AskReason, Decision, Via};
use countersign_core::state::{CallEvent, CallState, Millis};

/// How long two events of one call may lie apart: an agent's prompt may stay
/// open for a while between them.
const JOIN_MILLIS: Millis = 10 * 60 * 1_000;

/// Whether an event belongs to this open call.
pub(crate) fn joins(
    state: &CallState,
    call: &Call,
    digest: Digest,
    event: CallEvent,
    now: Millis,
) -> bool {
    state.digest == digest
        && !state.events.contains(&event)
        && same_id(state, call)
        && may_run(&state.decision)
        && now.saturating_sub(state.decided).abs() <= JOIN_MILLIS
        && follows(state, event)
}

/// The open call whose tool ran, for a result event: the one with its id, else
/// the oldest with its digest and no id (results come in order).
pub(crate) fn result_of(open: Vec<CallState>, call: &Call, digest: Digest) -> Option<CallState> {
    let named = |state: &CallState| call.id.is_some() && state.agent_call == call.id;
    let by_digest = |state: &CallState| state.digest == digest && same_id(state, call);
    let (mut same_name, mut rest): (Vec<_>, Vec<_>) = open.into_iter().rev().partition(named);
    same_name.retain(|state| state.digest == digest);
    rest.retain(by_digest);
    same_name.into_iter().chain(rest).next()
}

/// Whether what was decided at a call's earlier event can stand at its later
/// one. `step` is what the call comes to now; `shown` is the digest of what an
/// approval of it would be bound to now.
///
/// Between the two events the files that the call names may be others, and a
/// person may have changed rules or the mode.
pub(crate) fn still_holds(earlier: &CallState, step: &Step, shown: impl Fn() -> Digest) -> bool {
    // A verdict on this one call was about the files as they were then.
    let is_verdict = matches!(
        &earlier.decision,
        Decision::Allow { via, .. } if is_of_this_call(*via)
    );
    if is_verdict && earlier.approval != Some(shown()) {
        return false;
    }
    match (&earlier.decision, step) {
        (_, Step::Done(Decision::Block { .. } | Decision::Denied { .. })) => false,
        (Decision::Ask { .. }, _) => earlier.approval == Some(shown()),
        (Decision::Allow { .. }, Step::Done(Decision::Allow { .. })) => true,
        (Decision::Allow { via, .. }, Step::Classify) => is_of_this_call(*via),
        // Exactly this was asked, and a person said yes.
        (
            Decision::Allow {
                via: Via::Approval, ..
            },
            Step::Done(asked @ Decision::Ask { .. }),
        ) if earlier.asked.as_ref() == Some(asked) => true,
        (Decision::Allow { via, .. }, Step::Done(Decision::Ask { reason, .. })) => {
            is_of_this_call(*via) && only_lacks_a_verdict(*reason)
        }
        (Decision::Allow { .. }, Step::NoOpinion)
        | (Decision::Denied { .. } | Decision::Block { .. }, _) => false,
    }
}

/// Whether an allow was a verdict on this one call, which deciding anew would
/// not find again.
pub(crate) const fn is_of_this_call(via: Via) -> bool {
    match via {
        Via::Classifier | Via::Grant | Via::Approval => true,
        Via::Rule | Via::AcceptEdits | Via::SafeTool | Via::Static | Via::Plan | Via::Yolo => false,
    }
}

/// Whether an ask says no more than that nobody vouched for the call.
const fn only_lacks_a_verdict(reason: AskReason) -> bool {
    match reason {
        AskReason::ConsecutiveBlock
        | AskReason::ConsecutiveUnavailable
        | AskReason::TotalDenial
        | AskReason::NoClassifier
        | AskReason::ClassifierUnavailable => true,
        AskReason::AskRule
        | AskReason::RuleMalformed
        | AskReason::Unprojected
        | AskReason::ApprovalMode => false,
    }
}

/// Ids differ only if both events name one.
fn same_id(state: &CallState, call: &Call) -> bool {
    match (&state.agent_call, &call.id) {
        (Some(known), Some(named)) => known == named,
        (None, _) | (_, None) => true,
    }
}

/// A block ends a call; only one that may still run has a further event.
fn may_run(decision: &Decision) -> bool {
    match decision {
        Decision::Allow { .. } | Decision::Ask { .. } => true,
        Decision::Denied { .. } | Decision::Block { .. } => false,
    }
}

/// A second event of a call is of the other kind than the first.
fn follows(state: &CallState, event: CallEvent) -> bool {
    match event {
        CallEvent::PreTool => state.events.contains(&CallEvent::PermissionRequest),
        CallEvent::PermissionRequest => state.events.contains(&CallEvent::PreTool),
        CallEvent::AgentDenied | CallEvent::Result => true,
    }
}
