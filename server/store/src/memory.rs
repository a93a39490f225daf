//! The state without a file: for scenarios, benches and `check`, which must
//! leave nothing behind.

mod ledger;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::state::{
    CallState, CallStatus, MOST_RECENT_SESSIONS, ProcessId, Record, SessionState, SetAside,
    StateError, StateStore, Transaction,
};

use self::ledger::{Ledger, UndoLedger};
use crate::chain::{self, Columns, GENESIS, Head};
use crate::journal::{Filter, JournalRow, Needle};
use crate::row;
use crate::transaction::{OPEN_CALLS, OPEN_FOR, SESSIONS_OF, key_fields};

/// The state in memory. Behaves as [`crate::Store`] does, rows, bounds and
/// hashes included.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<SessionKey, SessionState>,
    calls: BTreeMap<SessionKey, BTreeMap<String, CallState>>,
    set_aside: BTreeMap<String, Vec<SessionKey>>,
    journal: Vec<JournalRow>,
    ledger: Ledger,
}

impl MemoryStore {
    /// A store in which nothing happened.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows that the filter lets through, oldest first.
    #[must_use]
    pub fn journal(&self, filter: &Filter) -> Vec<JournalRow> {
        let state = self.lock();
        let matching = state.journal.iter().filter(|row| matches(filter, row));
        if filter.after_seq.is_some() {
            return matching.take(filter.limit).cloned().collect();
        }
        let mut newest: Vec<JournalRow> = matching.rev().take(filter.limit).cloned().collect();
        newest.reverse();
        newest
    }

    /// The number (0 for none) and the hash of the newest row.
    #[must_use]
    pub fn head(&self) -> Head {
        self.lock().head()
    }

    /// A transaction that panicked was undone while unwinding.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn transition(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let mut state = self.lock();
        let mut transaction = MemoryTransaction::new(&mut state, true);
        work(&mut transaction)?;
        transaction.commit()
    }

    fn read(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let mut state = self.lock();
        let mut transaction = MemoryTransaction::new(&mut state, false);
        work(&mut transaction)?;
        transaction.commit()
    }
}

impl State {
    fn head(&self) -> Head {
        self.journal
            .last()
            .map_or((0, GENESIS), |row| (row.seq, row.hash))
    }
}

fn matches(filter: &Filter, row: &JournalRow) -> bool {
    let record = &row.record;
    let key = record.key.as_ref();
    let same = |wanted: &Option<String>, text: Option<&String>| {
        wanted.is_none() || wanted.as_ref() == text
    };
    same(&filter.session, key.map(|key| &key.session))
        && filter
            .agent
            .is_none_or(|agent| key.map(|key| key.agent) == Some(agent))
        && same(&filter.decision, record.decision.as_ref())
        && same(&filter.reason, record.reason.as_ref())
        && filter.stage.is_none_or(|stage| {
            let counted = record
                .model
                .as_ref()
                .and_then(|model| model.stage.as_deref());
            counted == Some(stage.as_str())
        })
        && same(&filter.tool, record.tool.as_ref())
        && filter.kind.is_none_or(|kind| record.kind == kind)
        && (same(&filter.call, record.call.as_ref())
            || same(&filter.call, record.agent_call.as_ref()))
        && filter.since.is_none_or(|since| record.time >= since)
        && filter.until.is_none_or(|until| record.time <= until)
        && filter.after_seq.is_none_or(|after| row.seq > after)
        && filter
            .text
            .as_ref()
            .is_none_or(|text| Needle::new(text).is_in(record))
}

/// How to bring back what was there.
enum Undo {
    Session(SessionKey, Option<SessionState>),
    Call(SessionKey, String, Option<CallState>),
    SetAside(String, Option<Vec<SessionKey>>),
    Append,
    Ledger(Box<UndoLedger>),
}

/// Changes the state in place and undoes it when it is dropped uncommitted.
struct MemoryTransaction<'a> {
    state: &'a mut State,
    writable: bool,
    undo: Vec<Undo>,
    /// As in SQL: a transaction that tried what it may not is not committed.
    refused: Option<StateError>,
}

impl<'a> MemoryTransaction<'a> {
    fn new(state: &'a mut State, writable: bool) -> Self {
        Self {
            state,
            writable,
            undo: Vec::new(),
            refused: None,
        }
    }

    fn commit(mut self) -> Result<(), StateError> {
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        self.undo.clear();
        Ok(())
    }

    fn writes(&mut self) -> Result<(), StateError> {
        if self.writable {
            return Ok(());
        }
        let refused = StateError::Unwritable(
            "the state was opened to be read here; this is a mistake in countersign".to_owned(),
        );
        Err(self.refused.get_or_insert(refused).clone())
    }

    /// Removes calls and remembers them.
    fn remove_calls(&mut self, key: &SessionKey, remove: impl Fn(&CallState) -> bool) {
        let Some(calls) = self.state.calls.get_mut(key) else {
            return;
        };
        let ids: Vec<String> = calls
            .values()
            .filter(|call| remove(call))
            .map(|call| call.id.clone())
            .collect();
        for id in ids {
            let removed = calls.remove(&id);
            self.undo.push(Undo::Call(key.clone(), id, removed));
        }
    }
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Session(key, Some(state)) => {
                    self.state.sessions.insert(key, state);
                }
                Undo::Session(key, None) => {
                    self.state.sessions.remove(&key);
                }
                Undo::Call(key, id, Some(call)) => {
                    self.state.calls.entry(key).or_default().insert(id, call);
                }
                Undo::Call(key, id, None) => {
                    self.state.calls.entry(key).or_default().remove(&id);
                }
                Undo::SetAside(rule, Some(holders)) => {
                    self.state.set_aside.insert(rule, holders);
                }
                Undo::SetAside(rule, None) => {
                    self.state.set_aside.remove(&rule);
                }
                Undo::Append => {
                    self.state.journal.pop();
                }
                Undo::Ledger(undo) => self.state.ledger.undo(*undo),
            }
        }
    }
}

/// The process by which the session is found.
fn found_by(state: &SessionState) -> Option<&ProcessId> {
    state
        .process
        .as_ref()
        .filter(|_| state.key.subagent.is_none())
}

/// Newest first; as SQL orders them.
fn newest_first(calls: &mut [CallState]) {
    calls.sort_by(|one, other| (other.decided, &other.id).cmp(&(one.decided, &one.id)));
}

/// Among equals in the order in which SQL finds them.
fn last_seen_first(sessions: &mut [SessionState]) {
    sessions.sort_by_cached_key(|session| {
        Reverse((
            session.seen,
            serde_json::to_string(&key_fields(&session.key)).ok(),
        ))
    });
}

impl Transaction for MemoryTransaction<'_> {
    fn session(&mut self, key: &SessionKey) -> Result<Option<SessionState>, StateError> {
        Ok(self.state.sessions.get(key).cloned())
    }

    fn sessions_of(
        &mut self,
        agent: Agent,
        process: &ProcessId,
    ) -> Result<Vec<SessionState>, StateError> {
        let mut found: Vec<SessionState> = self
            .state
            .sessions
            .values()
            .filter(|session| {
                session.key.agent == agent
                    && session.key.subagent.is_none()
                    && session.process.as_ref() == Some(process)
            })
            .cloned()
            .collect();
        last_seen_first(&mut found);
        found.truncate(SESSIONS_OF);
        Ok(found)
    }

    fn recent_sessions(&mut self, limit: usize) -> Result<Vec<SessionState>, StateError> {
        let sessions = self.state.sessions.values();
        let mut found: Vec<SessionState> = sessions
            .filter(|session| session.key.subagent.is_none())
            .cloned()
            .collect();
        last_seen_first(&mut found);
        found.truncate(limit.min(MOST_RECENT_SESSIONS));
        Ok(found)
    }

    fn put_session(&mut self, state: &SessionState) -> Result<(), StateError> {
        self.writes()?;
        let before = self.state.sessions.insert(state.key.clone(), state.clone());
        if before.as_ref().map(found_by) != Some(found_by(state)) {
            let oldest = state.seen.saturating_sub(OPEN_FOR);
            let keys: Vec<SessionKey> = self.state.calls.keys().cloned().collect();
            for key in keys {
                self.remove_calls(&key, |call| call.decided < oldest);
            }
        }
        self.undo.push(Undo::Session(state.key.clone(), before));
        Ok(())
    }

    fn open_calls(&mut self, key: &SessionKey) -> Result<Vec<CallState>, StateError> {
        let mut calls: Vec<CallState> = self
            .state
            .calls
            .get(key)
            .map(|calls| calls.values().cloned().collect())
            .unwrap_or_default();
        newest_first(&mut calls);
        Ok(calls)
    }

    fn put_call(&mut self, state: &CallState) -> Result<(), StateError> {
        self.writes()?;
        if state.status == CallStatus::Finished {
            self.remove_calls(&state.key, |call| call.id == state.id);
            return Ok(());
        }
        let calls = self.state.calls.entry(state.key.clone()).or_default();
        let before = calls.insert(state.id.clone(), state.clone());
        let many = calls.len() > OPEN_CALLS;
        self.undo
            .push(Undo::Call(state.key.clone(), state.id.clone(), before));
        let oldest = state.decided.saturating_sub(OPEN_FOR);
        if many {
            let kept: Vec<String> = self
                .open_calls(&state.key)?
                .into_iter()
                .take(OPEN_CALLS)
                .map(|call| call.id)
                .collect();
            self.remove_calls(&state.key, |call| !kept.contains(&call.id));
        }
        self.remove_calls(&state.key, |call| call.decided < oldest);
        Ok(())
    }

    fn set_aside(&mut self) -> Result<Vec<SetAside>, StateError> {
        let entries = self.state.set_aside.iter();
        Ok(entries
            .map(|(rule, holders)| SetAside {
                rule: rule.clone(),
                holders: holders.clone(),
            })
            .collect())
    }

    fn put_set_aside(&mut self, entry: &SetAside) -> Result<(), StateError> {
        self.writes()?;
        let before = if entry.holders.is_empty() {
            self.state.set_aside.remove(&entry.rule)
        } else {
            self.state
                .set_aside
                .insert(entry.rule.clone(), entry.holders.clone())
        };
        self.undo.push(Undo::SetAside(entry.rule.clone(), before));
        Ok(())
    }

    fn append(&mut self, record: &Record) -> Result<(), StateError> {
        self.writes()?;
        let (last, previous) = self.state.head();
        let record = row::kept(record);
        let body = serde_json::to_string(&record).map_err(|error| {
            StateError::Unwritable(format!(
                "cannot encode a row ({error}); this is a mistake in countersign"
            ))
        })?;
        let seq = last + 1;
        let hash = chain::hash(&previous, seq, &Columns::of(&record), &body);
        self.state.journal.push(JournalRow { seq, record, hash });
        self.undo.push(Undo::Append);
        Ok(())
    }
}
