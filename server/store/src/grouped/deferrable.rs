//! What may be acknowledged before it is committed: allows that change no
//! counter, and nothing else.
//!
//! Each function says for one write whether it may wait. A transition waits
//! only if all its writes may, and it may not touch set-aside rules at all.
//! The rule of thumb: losing the write, or having another process's change win
//! over it, must neither loosen anything nor lose a person's act.

use countersign_core::decision::{Decision, Via};
use countersign_core::state::{CallState, CallStatus, Record, RecordKind, SessionState};

/// A session that was there before and was only seen again. Its counters, its
/// process, its server, whether it ended and what it holds aside are as they
/// were; a new session is committed at once.
pub(super) fn session_may_wait(before: Option<&SessionState>, after: &SessionState) -> bool {
    before.is_some_and(|before| {
        // Every field is named, so that a new one is thought about.
        let SessionState {
            key,
            counters,
            process,
            workspace,
            started,
            seen: _,
            ended,
            holds_rules,
            server,
            server_process,
        } = before;
        key == &after.key
            && counters == &after.counters
            && process == &after.process
            && workspace == &after.workspace
            && started == &after.started
            && ended == &after.ended
            && holds_rules == &after.holds_rules
            && server == &after.server
            && server_process == &after.server_process
    })
}

/// A call that was allowed without a person and is not waiting for one: new,
/// seen again, or finished. Neither before nor after may it be an ask, or be
/// allowed by somebody's answer.
pub(super) fn call_may_wait(before: Option<&CallState>, after: &CallState) -> bool {
    before.is_none_or(|before| is_plain(before) && before.decision == after.decision)
        && is_plain(after)
}

/// A call that may be forgotten, because it is old or one of too many.
pub(super) fn call_may_go(call: &CallState) -> bool {
    is_plain(call)
}

fn is_plain(call: &CallState) -> bool {
    let is_allow = match &call.decision {
        Decision::Allow { via, .. } => allowed_by_itself(*via),
        Decision::Denied { .. } | Decision::Block { .. } | Decision::Ask { .. } => false,
    };
    let is_quiet = match call.status {
        CallStatus::Decided | CallStatus::Finished => true,
        CallStatus::Pending | CallStatus::Delegated => false,
    };
    is_allow && is_quiet && call.approval.is_none()
}

/// Whether the guard allowed it, and not a person.
const fn allowed_by_itself(via: Via) -> bool {
    match via {
        Via::Rule
        | Via::AcceptEdits
        | Via::SafeTool
        | Via::Static
        | Via::Plan
        | Via::Yolo
        | Via::Classifier => true,
        Via::Grant | Via::Approval => false,
    }
}

/// The row of an allow without a person, or of a tool that ran.
pub(super) fn row_may_wait(record: &Record) -> bool {
    let kind = match record.kind {
        RecordKind::Decision => {
            let by_person = [Via::Grant, Via::Approval].map(Via::as_str);
            record.decision.as_deref() == Some("allow")
                && record
                    .reason
                    .as_deref()
                    .is_some_and(|via| !by_person.contains(&via))
        }
        RecordKind::Result => record.decision.is_none(),
        RecordKind::Answer
        | RecordKind::Unguarded
        | RecordKind::UserMessage
        | RecordKind::SessionStart
        | RecordKind::SessionEnd
        | RecordKind::Reset
        | RecordKind::Rules
        | RecordKind::Trust
        | RecordKind::Ignored
        | RecordKind::Problem
        | RecordKind::Anchor => false,
    };
    kind && record.before == record.after && record.key.is_some()
}
