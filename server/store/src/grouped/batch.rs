//! What was acknowledged and is not committed yet, and how it is written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use countersign_core::call::SessionKey;
use countersign_core::state::{CallState, SessionState, StateError, Transaction as _};

use crate::row::Row;
use crate::transaction::SqlTransaction;

/// What becomes of a call.
#[derive(Debug, Clone)]
pub(super) struct CallWrite {
    /// Whether it was not there before.
    pub(super) created: bool,
    /// None: it is no longer open.
    pub(super) state: Option<Arc<CallState>>,
}

/// What transitions changed of one session.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionWrites {
    /// As it was seen last; differs from what is committed only in that.
    pub(super) session: Option<Arc<SessionState>>,
    pub(super) calls: HashMap<String, CallWrite>,
}

impl SessionWrites {
    /// Takes up what came later.
    pub(super) fn absorb(&mut self, later: Self) {
        if later.session.is_some() {
            self.session = later.session;
        }
        for (id, write) in later.calls {
            let created = self
                .calls
                .get(&id)
                .map_or(write.created, |earlier| earlier.created);
            if created && write.state.is_none() {
                // It came and went; the database need not hear of it.
                self.calls.remove(&id);
            } else {
                self.calls.insert(
                    id,
                    CallWrite {
                        created,
                        state: write.state,
                    },
                );
            }
        }
    }
}

/// Transitions that wait to be committed, together, in the order of their rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    sessions: HashMap<SessionKey, SessionWrites>,
    rows: Vec<Row>,
    bytes: usize,
    transitions: usize,
    /// When the first of them was acknowledged.
    since: Option<Instant>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.transitions == 0
    }

    pub(super) fn transitions(&self) -> usize {
        self.transitions
    }

    /// How many bytes its rows take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    pub(super) fn concerns(&self, key: &SessionKey) -> bool {
        self.sessions.contains_key(key)
    }

    /// Adds a transition.
    pub(super) fn push(
        &mut self,
        writes: impl IntoIterator<Item = (SessionKey, SessionWrites)>,
        rows: Vec<Row>,
    ) {
        self.since.get_or_insert_with(Instant::now);
        self.transitions += 1;
        for (key, later) in writes {
            self.sessions.entry(key).or_default().absorb(later);
        }
        self.bytes += rows.iter().map(|row| row.body.len()).sum::<usize>();
        self.rows.extend(rows);
    }

    /// Adds the transitions that came later.
    pub(super) fn absorb(&mut self, later: Self) {
        for (key, writes) in later.sessions {
            self.sessions.entry(key).or_default().absorb(writes);
        }
        self.rows.extend(later.rows);
        self.bytes += later.bytes;
        self.transitions += later.transitions;
        self.since = self.since.or(later.since);
    }

    /// Writes everything. Where `others` wrote since it was acknowledged (or
    /// nobody knows whether they did), theirs wins: of a session only when it was seen is
    /// written, and of a call only what they do not know.
    pub(super) fn write(
        &self,
        sql: &mut SqlTransaction<'_>,
        others: bool,
    ) -> Result<(), StateError> {
        for (key, writes) in &self.sessions {
            if let Some(session) = &writes.session {
                if others {
                    see(sql, key, session)?;
                } else {
                    sql.put_session(session)?;
                }
            }
            for (id, write) in &writes.calls {
                match &write.state {
                    None => sql.remove_call(key, id)?,
                    Some(state) if write.created && others => sql.put_call(state)?,
                    Some(state) if others => join(sql, state)?,
                    Some(state) => sql.write_call(state)?,
                }
            }
        }
        self.rows.iter().try_for_each(|row| sql.append_row(row))
    }
}

/// Writes that the session was seen.
fn see(
    sql: &mut SqlTransaction<'_>,
    key: &SessionKey,
    seen: &SessionState,
) -> Result<(), StateError> {
    // Sessions are never removed; if this one was, it is not brought back with
    // counters that somebody wanted to be rid of.
    let Some(mut theirs) = sql.session(key)? else {
        return Ok(());
    };
    if theirs.seen < seen.seen {
        theirs.seen = seen.seen;
        sql.put_session(&theirs)?;
    }
    Ok(())
}

/// Writes which events of a call were seen.
fn join(sql: &mut SqlTransaction<'_>, ours: &CallState) -> Result<(), StateError> {
    let Some(mut theirs) = sql.open_call(&ours.key, &ours.id)? else {
        return Ok(());
    };
    for event in &ours.events {
        if !theirs.events.contains(event) {
            theirs.events.push(*event);
        }
    }
    if theirs.agent_call.is_none() {
        theirs.agent_call.clone_from(&ours.agent_call);
    }
    sql.write_call(&theirs)
}
