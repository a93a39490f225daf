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
/// process, its server, who is above it, whether it ended and what it holds aside are as they
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
            chosen,
            server,
            server_process,
            nested,
        } = before;
        key == &after.key
            && counters == &after.counters
            && process == &after.process
            && workspace == &after.workspace
            && started == &after.started
            && ended == &after.ended
            && holds_rules == &after.holds_rules
            && chosen == &after.chosen
            && server == &after.server
            && server_process == &after.server_process
            && nested == &after.nested
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

#[cfg(test)]
mod tests {
    use countersign_core::agent::Agent;
    use countersign_core::call::{Digest, SessionKey};
    use countersign_core::decision::{AskReason, BlockReason};
    use countersign_core::denials::Counters;
    use countersign_core::state::{Nested, ProcessId};
    use countersign_core::tool::Tool;

    use super::*;

    fn key() -> SessionKey {
        SessionKey {
            agent: Agent::Qwen,
            session: "s".to_owned(),
            subagent: None,
        }
    }

    fn session() -> SessionState {
        SessionState {
            key: key(),
            counters: Counters::default(),
            process: None,
            workspace: None,
            started: 1,
            seen: 1,
            ended: false,
            holds_rules: false,
            chosen: None,
            server: None,
            server_process: None,
            nested: None,
        }
    }

    fn allowed(via: Via) -> CallState {
        CallState {
            id: "1".to_owned(),
            key: key(),
            agent_call: None,
            digest: Digest([0; 32]),
            approval: None,
            tool: Tool::Edit,
            decision: Decision::Allow {
                via,
                detail: String::new(),
            },
            events: Vec::new(),
            status: CallStatus::Decided,
            delegated_to: None,
            asked: None,
            decided: 1,
            writes: countersign_core::state::CallWrites::None,
        }
    }

    fn row(kind: RecordKind) -> Record {
        Record {
            key: Some(key()),
            ..Record::of(kind, 1)
        }
    }

    #[test]
    fn a_session_waits_only_if_it_was_just_seen_again() {
        let before = session();
        let mut seen = session();
        seen.seen = 9;
        assert!(session_may_wait(Some(&before), &seen));
        assert!(!session_may_wait(None, &seen));
        let process = ProcessId {
            pid: 1,
            start: 1,
            boot: String::new(),
        };
        let changes: [fn(&mut SessionState, ProcessId); 9] = [
            |session, _| session.counters.consecutive_block = 1,
            |session, _| session.counters.total_unavailable = 1,
            |session, process| session.process = Some(process),
            |session, _| session.workspace = Some("/".into()),
            |session, _| session.ended = true,
            |session, _| session.holds_rules = true,
            |session, _| session.server = Some(String::new()),
            |session, process| session.server_process = Some(process),
            |session, _| session.nested = Some(Nested { outer: None }),
        ];
        for change in changes {
            let mut changed = seen.clone();
            change(&mut changed, process.clone());
            assert!(!session_may_wait(Some(&before), &changed), "{changed:?}");
            assert!(!session_may_wait(Some(&changed), &before), "{changed:?}");
        }
    }

    #[test]
    fn a_call_waits_only_if_no_person_had_or_has_a_part_in_it() {
        let plain = allowed(Via::Rule);
        let mut finished = plain.clone();
        finished.status = CallStatus::Finished;
        assert!(call_may_wait(None, &plain));
        assert!(call_may_wait(Some(&plain), &finished));
        let mut asked = plain.clone();
        asked.decision = Decision::Ask {
            reason: AskReason::AskRule,
            detail: String::new(),
        };
        let mut blocked = finished.clone();
        blocked.decision = Decision::Block {
            reason: BlockReason::NoSurface,
            detail: String::new(),
        };
        let mut pending = plain.clone();
        pending.status = CallStatus::Pending;
        let mut delegated = plain.clone();
        delegated.status = CallStatus::Delegated;
        let mut bound = plain.clone();
        bound.approval = Some(Digest([1; 32]));
        let by_person = [Via::Approval, Via::Grant].map(allowed);
        for call in [asked, blocked, pending, delegated, bound]
            .iter()
            .chain(&by_person)
        {
            assert!(!call_may_wait(None, call), "{call:?}");
            assert!(!call_may_wait(Some(&plain), call), "{call:?}");
            assert!(!call_may_wait(Some(call), &finished), "{call:?}");
            assert!(!call_may_go(call), "{call:?}");
        }
        // Allowed by something else than before.
        assert!(!call_may_wait(Some(&plain), &allowed(Via::Yolo)));
    }

    #[test]
    fn a_row_waits_only_if_it_tells_of_an_allow_or_a_result() {
        for kind in RecordKind::ALL {
            let waits = row_may_wait(&row(kind));
            assert_eq!(waits, kind == RecordKind::Result, "{kind:?}");
        }
        let mut allow = row(RecordKind::Decision);
        allow.decision = Some("allow".to_owned());
        allow.reason = Some(Via::SafeTool.as_str().to_owned());
        assert!(row_may_wait(&allow));
        for decision in ["block", "ask"] {
            let mut other = allow.clone();
            other.decision = Some(decision.to_owned());
            assert!(!row_may_wait(&other));
        }
        for via in [Via::Approval, Via::Grant] {
            let mut other = allow.clone();
            other.reason = Some(via.as_str().to_owned());
            assert!(!row_may_wait(&other));
        }
        let mut counts = allow;
        counts.before = Some(Counters::default());
        assert!(!row_may_wait(&counts));
    }
}
