//! What other processes decide in the workspaces that are open here: hooks
//! that decided alone, other servers, and what was there before this server
//! began. It is only shown.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_core::mode::ApprovalMode;
use countersign_core::redact;
use countersign_core::state::{Millis, Record, RecordKind, SessionState};
use countersign_store::{Filter, JournalRow};

use crate::explain::decision_of;
use crate::service::Service;
use crate::sessions::CallStory;

/// How often is looked whether another process wrote.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Rows that are read at a time.
const ROWS: usize = 500;

/// Sessions that are taken up from before this server began.
const SESSIONS: usize = 64;

/// What a story keeps of what a call asked for, in bytes.
const SUBJECT_BYTES: usize = 2 * 1024;

/// Follows what others write, for as long as this runs.
pub async fn follow(service: Arc<Service>) {
    let mut seen = Seen::default();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let looked = service
            .blocking(move |service| {
                service.look(&mut seen);
                seen
            })
            .await;
        match looked {
            Ok(now) => seen = now,
            Err(problem) => {
                tracing::error!("what other processes decide is not followed: {problem}");
                return;
            }
        }
    }
}

/// How far the journal was read.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    changes: Option<u64>,
    row: Option<i64>,
    took_up: bool,
}

impl Service {
    fn look(&self, seen: &mut Seen) {
        if self.workspaces().is_empty() {
            return;
        }
        if !seen.took_up {
            seen.took_up = true;
            self.take_up();
        }
        // A state that cannot be read is in the status already.
        let Ok(changes) = self.journal().changes() else {
            return;
        };
        if seen.changes == Some(changes) {
            return;
        }
        seen.changes = Some(changes);
        let filter = match seen.row {
            Some(row) => Filter {
                after_seq: Some(row),
                limit: ROWS,
                ..Filter::default()
            },
            // From now on: what was before is the journal's to tell.
            None => Filter {
                limit: 1,
                ..Filter::default()
            },
        };
        let Ok(rows) = self.journal().rows(&filter) else {
            return;
        };
        if let Some(last) = rows.last() {
            if rows.len() == ROWS {
                // There is more.
                seen.changes = None;
            }
            if seen.row.replace(last.seq).is_some() {
                let open = self.workspaces();
                rows.iter().for_each(|row| self.show_row(row, &open));
            }
        } else if seen.row.is_none() {
            seen.row = Some(0);
        }
    }

    /// The sessions that go on in the workspaces that are open: their counters
    /// are what they were before this server began.
    fn take_up(&self) {
        let mut sessions = Vec::new();
        let read = self.store.read(&mut |transaction| {
            sessions = transaction.recent_sessions(SESSIONS)?;
            Ok(())
        });
        if read.is_err() {
            return;
        }
        let open = self.workspaces();
        for state in sessions.iter().rev() {
            let goes_on =
                !state.ended && state.process.as_ref().is_some_and(countersign_ipc::alive);
            let is_here = state
                .workspace
                .as_ref()
                .is_some_and(|workspace| open.contains(workspace));
            if goes_on && is_here {
                self.take_up_session(state);
            }
        }
    }

    fn take_up_session(&self, state: &SessionState) {
        if self.sessions.contains_key(&state.key) {
            return;
        }
        let Some(workspace) = &state.workspace else {
            return;
        };
        let guard = self.guards.of_workspace(workspace);
        let mode = self.mode_by(&guard, None);
        let mode = state.chosen.map_or(mode, |chosen| mode.stricter(chosen));
        self.with_session(&state.key, mode, |session| {
            let view = &mut session.view;
            view.counters = state.counters;
            view.limits = guard.policy.limits;
            view.workspace = Some(workspace.clone());
            view.started = state.started;
            view.seen = state.seen;
            view.elsewhere = true;
        });
        self.mark(Some(&state.key));
    }

    /// Shows a row of another process in one of the workspaces that are open.
    fn show_row(&self, row: &JournalRow, open: &[Utf8PathBuf]) {
        let record = &row.record;
        let Some(key) = &record.key else { return };
        let in_a_workspace = |workspace: &Utf8Path| open.iter().any(|open| open == workspace);
        match record.kind {
            RecordKind::Decision => {
                let here = record.workspace.as_deref().is_some_and(in_a_workspace);
                let Some(id) = record.call.as_ref().filter(|_| here) else {
                    return;
                };
                // Most rows are our own.
                if self.told(key, id, record.time) {
                    return;
                }
                let mode = record.mode.unwrap_or(ApprovalMode::Default);
                let story = Arc::new(story(id, key, record, mode));
                self.with_session(key, mode, |session| {
                    let is_ours = !session.story.is_empty() && !session.view.elsewhere;
                    if is_ours {
                        // A row changes nothing of what is decided here.
                        session.tell(story);
                        return;
                    }
                    let view = &mut session.view;
                    view.seen = record.time;
                    view.elsewhere = true;
                    view.mode = mode;
                    if let (Some(after), None) = (record.after, &key.subagent) {
                        view.counters = after;
                    }
                    if view.workspace.is_none() {
                        view.workspace.clone_from(&record.workspace);
                    }
                    session.tell(story);
                });
                self.mark(Some(key));
            }
            RecordKind::Unguarded if self.is_elsewhere(key) => self.alarm(key),
            _ => {}
        }
    }
}

impl Service {
    /// Whether a call is in the story of its session, or was before newer ones
    /// took its place.
    fn told(&self, key: &SessionKey, id: &str, time: Millis) -> bool {
        let session = self.sessions.get(&key.root());
        session.is_some_and(|session| {
            session.story.iter().any(|call| call.id == id)
                || session
                    .story
                    .front()
                    .is_some_and(|oldest| time < oldest.time)
        })
    }

    fn is_elsewhere(&self, key: &SessionKey) -> bool {
        let session = self.sessions.get(&key.root());
        session.is_some_and(|session| session.view.elsewhere)
    }
}

/// A row as a call in a story.
fn story(id: &str, key: &SessionKey, record: &Record, mode: ApprovalMode) -> CallStory {
    let decision = decision_of(record);
    let asked = match &decision {
        Decision::Ask { reason, .. } => Some(*reason),
        Decision::Allow { .. } | Decision::Denied { .. } | Decision::Block { .. } => None,
    };
    let subject = record.subject.as_deref().unwrap_or_default();
    CallStory {
        id: id.to_owned(),
        key: key.clone(),
        time: record.time,
        tool: record.tool.clone().unwrap_or_default(),
        subject: redact::bounded(subject, SUBJECT_BYTES).into_owned(),
        mode,
        decision,
        asked,
        answer: None,
        counters: record.after.unwrap_or_default(),
        model: record.model.clone(),
        call: None,
        elsewhere: true,
    }
}
