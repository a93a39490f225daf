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

/// How long two events of one call may lie apart that come from hooks side by
/// side: whatever came of the first, the other is on its way already.
const TWIN_MILLIS: Millis = 10 * 1_000;

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
        && (may_run(&state.decision) || are_twins(state, event, now))
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
        // Hooks side by side: what was blocked for one is for the other.
        (Decision::Denied { .. } | Decision::Block { .. }, _) => true,
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
        (Decision::Allow { .. }, Step::NoOpinion) => false,
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

/// Whether an event comes from a hook beside the one that reported the call.
/// A retry is none: it comes through the same hooks, from the first on.
fn are_twins(state: &CallState, event: CallEvent, now: Millis) -> bool {
    let is_beside = |event: &CallEvent| *event == CallEvent::Borrowed;
    (is_beside(&event) || state.events.iter().any(is_beside))
        && now.saturating_sub(state.decided).abs() <= TWIN_MILLIS
}

/// A further event of a call is of another kind than those before.
fn follows(state: &CallState, event: CallEvent) -> bool {
    let comes_before_the_call = |event: CallEvent| match event {
        CallEvent::PreTool
        | CallEvent::PermissionRequest
        | CallEvent::Announced
        | CallEvent::Borrowed => true,
        CallEvent::AgentDenied | CallEvent::Result => false,
    };
    !comes_before_the_call(event)
        || state
            .events
            .iter()
            .any(|seen| *seen != event && comes_before_the_call(*seen))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use countersign_core::agent::Agent;
    use countersign_core::call::{Operation, SessionKey, Subject};
    use countersign_core::decision::BlockReason;
    use countersign_core::mode::AgentMode;
    use countersign_core::state::{CallStatus, CallWrites};
    use countersign_core::tool::Tool;

    use super::*;

    use CallEvent::{Announced, Borrowed, PermissionRequest, PreTool};

    fn call() -> Call {
        Call {
            key: SessionKey {
                agent: Agent::Cursor,
                session: "s".to_owned(),
                subagent: None,
            },
            id: None,
            raw_tool: "Shell".to_owned(),
            raw_input: serde_json::json!({ "command": "ls" }),
            cwd: "/work".into(),
            agent_mode: AgentMode::Other,
            search_path: Vec::new(),
            operations: vec![Operation {
                tool: Tool::RunShellCommand,
                subject: Subject::Other,
                parameters: BTreeMap::new(),
            }],
        }
    }

    fn decided(decision: Decision, events: &[CallEvent]) -> CallState {
        let call = call();
        CallState {
            id: "c".to_owned(),
            key: call.key.clone(),
            agent_call: None,
            digest: call.digest(),
            approval: None,
            tool: Tool::RunShellCommand,
            decision,
            asked: None,
            events: events.to_vec(),
            status: CallStatus::Decided,
            delegated_to: None,
            decided: 1_000,
            writes: CallWrites::None,
        }
    }

    fn allowed() -> Decision {
        Decision::Allow {
            via: Via::Static,
            detail: String::new(),
        }
    }

    fn blocked() -> Decision {
        Decision::Block {
            reason: BlockReason::StaticBlocked,
            detail: String::new(),
        }
    }

    fn joined(state: &CallState, event: CallEvent, now: Millis) -> bool {
        let call = call();
        joins(state, &call, call.digest(), event, now)
    }

    #[test]
    fn each_kind_of_event_is_of_a_call_once_in_any_order() {
        let kinds = [PreTool, PermissionRequest, Announced, Borrowed];
        for first in kinds {
            for second in kinds {
                let state = decided(allowed(), &[first]);
                assert_eq!(
                    joined(&state, second, 2_000),
                    first != second,
                    "{first:?} {second:?}"
                );
            }
        }
        let three = decided(allowed(), &[Announced, Borrowed, PreTool]);
        assert!(!joined(&three, PreTool, 2_000));
        assert!(!joined(&three, Borrowed, 2_000));
    }

    #[test]
    fn what_is_blocked_for_one_hook_is_blocked_for_the_one_beside_it_and_counts_once() {
        for (seen, event) in [
            (PreTool, Borrowed),
            (Borrowed, PreTool),
            (Announced, Borrowed),
        ] {
            let state = decided(blocked(), &[seen]);
            assert!(joined(&state, event, 2_000), "{seen:?} {event:?}");
            let step = Step::Done(allowed());
            assert!(still_holds(&state, &step, || state.digest));
            // Later it is another call.
            assert!(!joined(&state, event, 60_000), "{seen:?} {event:?}");
        }
    }

    #[test]
    fn a_retry_of_a_blocked_call_is_a_new_call() {
        for (seen, event) in [
            (PreTool, PreTool),
            (PreTool, PermissionRequest),
            (Announced, PreTool),
            (Announced, Announced),
            (Borrowed, Borrowed),
        ] {
            let state = decided(blocked(), &[seen]);
            assert!(!joined(&state, event, 2_000), "{seen:?} {event:?}");
        }
    }
}
