//! A transition in the database that remembers what it changed, so that what
//! is in memory can follow.

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::ledger::WorkspaceBaseline;
use countersign_core::state::{
    CallState, CallStatus, ProcessId, Record, SessionState, SetAside, StateError, Transaction,
};

use crate::transaction::SqlTransaction;

/// What a transition changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) sessions: Vec<ChangedSession>,
    pub(super) rules: bool,
    /// Whether baselines, the ledger or calls in flight were written.
    pub(super) ledger: bool,
    /// The baselines as they are now.
    pub(super) baselines: Vec<WorkspaceBaseline>,
    /// Old calls of every session may be gone.
    pub(super) everything: bool,
}

/// What it changed of one session.
#[derive(Debug)]
pub(super) struct ChangedSession {
    pub(super) key: SessionKey,
    /// As it is now, if it was written.
    pub(super) session: Option<SessionState>,
    /// The calls that are no longer open.
    pub(super) finished: Vec<String>,
    /// Whether other calls were written.
    pub(super) calls: bool,
}

/// A transition in the database.
pub(super) struct Noting<'a, 'b> {
    pub(super) sql: &'a mut SqlTransaction<'b>,
    pub(super) changed: &'a mut Changed,
}

impl Noting<'_, '_> {
    fn note(&mut self, key: &SessionKey, change: impl FnOnce(&mut ChangedSession)) {
        let sessions = &mut self.changed.sessions;
        if let Some(known) = sessions.iter_mut().find(|known| &known.key == key) {
            return change(known);
        }
        let mut new = ChangedSession {
            key: key.clone(),
            session: None,
            finished: Vec::new(),
            calls: false,
        };
        change(&mut new);
        sessions.push(new);
    }
}

impl Transaction for Noting<'_, '_> {
    fn session(&mut self, key: &SessionKey) -> Result<Option<SessionState>, StateError> {
        self.sql.session(key)
    }

    fn sessions_of(
        &mut self,
        agent: Agent,
        process: &ProcessId,
    ) -> Result<Vec<SessionState>, StateError> {
        self.sql.sessions_of(agent, process)
    }

    fn recent_sessions(&mut self, limit: usize) -> Result<Vec<SessionState>, StateError> {
        self.sql.recent_sessions(limit)
    }

    fn put_session(&mut self, state: &SessionState) -> Result<(), StateError> {
        self.note(&state.key, |known| known.session = Some(state.clone()));
        self.sql.put_session(state)?;
        self.changed.everything |= self.sql.forgot();
        Ok(())
    }

    fn open_calls(&mut self, key: &SessionKey) -> Result<Vec<CallState>, StateError> {
        self.sql.open_calls(key)
    }

    fn put_call(&mut self, state: &CallState) -> Result<(), StateError> {
        self.note(&state.key, |known| {
            if state.status == CallStatus::Finished {
                known.finished.push(state.id.clone());
            } else {
                known.calls = true;
            }
        });
        self.sql.put_call(state)
    }

    fn set_aside(&mut self) -> Result<Vec<SetAside>, StateError> {
        self.sql.set_aside()
    }

    fn put_set_aside(&mut self, entry: &SetAside) -> Result<(), StateError> {
        self.changed.rules = true;
        self.sql.put_set_aside(entry)
    }

    fn append(&mut self, record: &Record) -> Result<(), StateError> {
        self.sql.append(record)
    }
}
