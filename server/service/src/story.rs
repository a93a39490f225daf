//! Keeping what people see of sessions: decisions, answers and events, each
//! told after it was committed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use countersign_agents::{EventKind, HookEvent};
use countersign_core::approval::Answer;
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_core::mode::ApprovalMode;
use countersign_core::redact;
use countersign_core::state::{CallState, Millis};
use countersign_engine::events::Noted;
use countersign_engine::request::{Memory, Outcome};

use crate::incoming::Prepared;
use crate::pending::PendingApproval;
use crate::service::Service;
use crate::sessions::{CallStory, SessionView};
use crate::surface::Notice;

/// What a story keeps of what a call asked for, in bytes.
const SUBJECT_BYTES: usize = 2 * 1024;

impl Memory for Service {
    fn believes(&self, call: &CallState) -> bool {
        self.verdicts.agree(call)
    }
}

impl Service {
    /// A call was decided.
    pub(crate) fn tell_decided(&self, prepared: &Prepared, outcome: &Outcome) {
        if outcome.joined {
            return;
        }
        self.verdicts.decided(outcome);
        self.remember_call(prepared, outcome);
        let now = self.clock.now();
        let blocked = matches!(
            outcome.decision,
            Decision::Denied { .. } | Decision::Block { .. }
        );
        let kept = blocked || matches!(outcome.decision, Decision::Ask { .. });
        let whole = countersign_engine::subject(&prepared.call);
        let subject = redact::mask(&whole);
        let story = Arc::new(CallStory {
            id: outcome.call.clone(),
            key: outcome.key.clone(),
            time: now,
            tool: outcome.tool.to_string(),
            subject: redact::bounded(&subject, SUBJECT_BYTES).into_owned(),
            mode: outcome.mode,
            decision: outcome.decision.clone(),
            asked: outcome.asked,
            answer: None,
            counters: outcome.after,
            model: outcome.model.clone(),
            call: kept.then(|| (Arc::clone(&prepared.call), Arc::clone(&prepared.facts))),
            elsewhere: false,
        });
        self.with_session(&outcome.key, prepared.mode, |session| {
            let view = &mut session.view;
            view.mode = prepared.mode;
            view.seen = now;
            view.ended = false;
            view.elsewhere = false;
            view.limits = prepared.guard.policy.limits;
            if outcome.key.subagent.is_none() {
                view.counters = outcome.after;
            } else {
                view.counters.total_block = outcome.after.total_block;
                view.counters.total_unavailable = outcome.after.total_unavailable;
            }
            if view.workspace.is_none() {
                view.workspace.clone_from(&prepared.guard.workspace);
            }
            view.set_aside = if prepared.mode == ApprovalMode::Auto {
                let rules = prepared.guard.policy.rules.over_broad();
                rules.map(ToString::to_string).collect()
            } else {
                Vec::new()
            };
            session.tell(story);
        });
        if !outcome.set_aside.is_empty() {
            self.tell(Notice::Tell(format!(
                "Countersign: auto mode sets these allow rules aside, because they could allow \
                 nearly anything: {}. They hold again when the mode changes.",
                outcome.set_aside.join(", ")
            )));
        }
        self.mark(Some(&outcome.key));
    }

    /// An approval ended.
    pub(crate) fn tell_answered(
        &self,
        approval: &PendingApproval,
        answer: Option<&Answer>,
        decision: &Decision,
    ) {
        self.verdicts.answered(&approval.id, decision);
        let proceeds = matches!(decision, Decision::Allow { .. });
        self.histories
            .settled(&approval.key, &approval.id, proceeds);
        self.with_session(&approval.key, approval.mode, |session| {
            let known = session.story.iter().find(|call| call.id == approval.id);
            if let Some(known) = known {
                let story = Arc::new(CallStory {
                    decision: decision.clone(),
                    answer: answer.map(Answer::as_str),
                    ..CallStory::clone(known)
                });
                session.tell(story);
            }
        });
    }

    /// A tool of the session ran that nobody decided about: said once a minute
    /// for all sessions together, because whoever can report results could
    /// bury everything else in it. The journal and the story have each.
    pub(crate) fn alarm(&self, key: &SessionKey) {
        const EVERY: Millis = 60 * 1_000;
        let now = self.clock.now();
        let before = self.alarmed.swap(now, Ordering::Relaxed);
        // A clock that went back silences nothing.
        if (0..EVERY).contains(&now.saturating_sub(before)) {
            self.alarmed.store(before, Ordering::Relaxed);
            return;
        }
        let message = format!(
            "Countersign: UNGUARDED: {} ran a tool that was never decided; its hook may be \
             disabled, shadowed or too slow. `countersign log` has every such call.",
            redact::visible(&key.to_string())
        );
        self.tell_hooks_unguarded(key, &message);
        self.tell(Notice::Tell(message));
    }

    /// An event that needs no decision was noted.
    pub(crate) fn tell_noted(&self, event: &HookEvent, noted: &Noted) {
        if noted.unguarded {
            self.alarm(&event.key);
        }
        if noted.ignored {
            return;
        }
        let known = self.sessions.get_mut(&event.key.root());
        let Some(mut session) = known else {
            return;
        };
        match &event.kind {
            EventKind::UserMessage { .. } => {
                session.fatigue.user_message();
                session.view.paused = false;
                session.attention_over();
            }
            EventKind::SessionEnd { .. } => {
                session.view.ended = true;
                session.attention_over();
            }
            EventKind::SessionStart { .. } => session.view.ended = false,
            EventKind::Call { .. }
            | EventKind::AgentDenied { .. }
            | EventKind::Result { .. }
            | EventKind::TurnEnd
            | EventKind::Other => {}
        }
        session.view.seen = self.clock.now();
        if let Some(resolution) = noted.resolved.last() {
            session.view.counters = resolution.after;
        }
        drop(session);
        self.mark(Some(&event.key));
    }

    /// Every session that is known, the one seen last first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        let mut views: Vec<_> = self
            .sessions
            .iter()
            .map(|session| session.view.clone())
            .collect();
        views.sort_by(|a, b| (b.seen, &b.key).cmp(&(a.seen, &a.key)));
        views
    }

    /// The story of a session, the oldest call first.
    #[must_use]
    pub fn story(&self, key: &SessionKey) -> Vec<Arc<CallStory>> {
        self.sessions
            .get(&key.root())
            .map(|session| session.story.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Calls that were blocked and that a person may want to look at: until the
    /// next message of the user, and for ten minutes.
    #[must_use]
    pub fn attention(&self) -> Vec<Arc<CallStory>> {
        const FOR: countersign_core::state::Millis = 10 * 60 * 1_000;
        let now = self.clock.now();
        let mut calls: Vec<Arc<CallStory>> = self
            .sessions
            .iter()
            .flat_map(|session| {
                let since = session.attention_since.max(now.saturating_sub(FOR));
                let blocked = session
                    .story
                    .iter()
                    .filter(|call| {
                        call.time >= since
                            && matches!(
                                call.decision,
                                Decision::Denied { .. } | Decision::Block { .. }
                            )
                    })
                    .cloned();
                blocked.collect::<Vec<_>>()
            })
            .collect();
        calls.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        calls
    }

    /// The call of this id in any session's story.
    #[must_use]
    pub fn call(&self, id: &str) -> Option<Arc<CallStory>> {
        self.sessions
            .iter()
            .find_map(|session| session.story.iter().find(|call| call.id == id).cloned())
    }
}
