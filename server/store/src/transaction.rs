//! The state inside one transaction, in SQL.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::state::{
    CallState, CallStatus, MOST_RECENT_SESSIONS, Millis, ProcessId, Record, SessionState, SetAside,
    StateError, Transaction,
};
use rusqlite::{Connection, OptionalExtension as _, Params, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chain::{self, Head};
use crate::error::{damaged, state_error};
use crate::row::Row;

/// How many sessions of a process are found.
pub(crate) const SESSIONS_OF: usize = 16;

/// How many open calls of a session are kept.
pub(crate) const OPEN_CALLS: usize = 64;

/// How long an open call is kept after it was decided, in milliseconds: agents
/// that never report a result would leave theirs for ever.
pub(crate) const OPEN_FOR: Millis = 24 * 60 * 60 * 1000;

/// Stays the same on one connection for as long as no other connection commits
/// anything. It may change without that, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    link: u64,
    data: i64,
}

impl Version {
    /// The version that the connection of this number sees.
    pub(crate) fn of(connection: &Connection, link: u64) -> rusqlite::Result<Self> {
        let data = connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        Ok(Self { link, data })
    }
}

/// One transaction of a connection.
pub(crate) struct SqlTransaction<'a> {
    connection: &'a Connection,
    link: u64,
    path: &'a Utf8Path,
    writable: bool,
    /// Whether calls of other sessions than those written were removed.
    forgot: bool,
    /// The journal's newest row, once it is known; written back at the end.
    head: Option<Head>,
    appended: bool,
    /// The first failure. A transaction that had one is not committed, even
    /// if the work in it went on.
    failed: Option<Failure>,
}

/// Why a transaction may not be committed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// Something that must not be was found or tried.
    Refused(StateError),
}

impl<'a> SqlTransaction<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        link: u64,
        path: &'a Utf8Path,
        writable: bool,
    ) -> Self {
        Self {
            connection,
            link,
            path,
            writable,
            forgot: false,
            head: None,
            appended: false,
            failed: None,
        }
    }

    pub(crate) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(crate) fn path(&self) -> &'a Utf8Path {
        self.path
    }

    /// The version of what the transaction sees.
    pub(crate) fn version(&mut self) -> Result<Version, StateError> {
        Version::of(self.connection, self.link).map_err(|error| self.fail(error))
    }

    /// Whether something failed, so that the transaction is not committed
    /// whatever the work in it returns.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Whether old calls of all sessions were removed.
    pub(crate) fn forgot(&self) -> bool {
        self.forgot
    }

    /// Writes what is written once, if the work `succeeded`, and says whether
    /// anything failed.
    pub(crate) fn finish(self, succeeded: bool) -> Result<(), Failure> {
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        if succeeded
            && self.appended
            && let Some((seq, hash)) = self.head
        {
            self.connection
                .prepare_cached("UPDATE journal_head SET seq = ?1, hash = ?2 WHERE id = 1")
                .and_then(|mut statement| statement.execute(params![seq, hash.0]))
                .map_err(Failure::Sqlite)?;
        }
        Ok(())
    }

    /// The error as the guard sees it; remembered.
    pub(crate) fn fail(&mut self, error: rusqlite::Error) -> StateError {
        let seen = state_error(self.path, &error);
        self.failed.get_or_insert(Failure::Sqlite(error));
        seen
    }

    /// Remembers an error that is not SQLite's.
    pub(crate) fn refuse(&mut self, error: StateError) -> StateError {
        self.failed.get_or_insert(Failure::Refused(error.clone()));
        error
    }

    pub(crate) fn execute(&mut self, sql: &str, params: impl Params) -> Result<usize, StateError> {
        if !self.writable {
            return Err(self.refuse(StateError::Unwritable(format!(
                "{} was opened to be read here; this is a mistake in countersign",
                self.path
            ))));
        }
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(|error| self.fail(error))
    }

    /// The texts in the first column.
    pub(crate) fn texts(
        &mut self,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<String>, StateError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, |row| row.get(0))?.collect())
            .map_err(|error| self.fail(error))
    }

    pub(crate) fn decode<T: DeserializeOwned>(&mut self, body: &str) -> Result<T, StateError> {
        serde_json::from_str(body).map_err(|error| {
            let error = damaged(self.path, &error.to_string());
            self.refuse(error)
        })
    }

    pub(crate) fn encode(&mut self, value: &impl Serialize) -> Result<String, StateError> {
        serde_json::to_string(value).map_err(|error| self.unencodable(&error))
    }

    fn unencodable(&mut self, error: &serde_json::Error) -> StateError {
        self.refuse(StateError::Unwritable(format!(
            "cannot encode a row of {} ({error}); this is a mistake in countersign",
            self.path
        )))
    }

    fn key(&mut self, key: &SessionKey) -> Result<String, StateError> {
        self.encode(&key_fields(key))
    }

    fn process(&mut self, agent: Agent, process: &ProcessId) -> Result<String, StateError> {
        self.encode(&(agent, &process.boot, process.pid, process.start))
    }

    /// The journal's newest row.
    pub(crate) fn head(&mut self) -> Result<Head, StateError> {
        if let Some(head) = self.head {
            return Ok(head);
        }
        let head = self
            .connection
            .prepare_cached("SELECT seq, hash FROM journal_head WHERE id = 1")
            .and_then(|mut statement| {
                statement.query_row([], |row| Ok((row.get(0)?, Digest(row.get(1)?))))
            })
            .map_err(|error| self.fail(error))?;
        self.head = Some(head);
        Ok(head)
    }

    /// The open call of this id.
    pub(crate) fn open_call(
        &mut self,
        key: &SessionKey,
        id: &str,
    ) -> Result<Option<CallState>, StateError> {
        let key = self.key(key)?;
        let found = self.texts(
            "SELECT body FROM calls WHERE session = ?1 AND id = ?2",
            params![key, id],
        )?;
        found.first().map(|body| self.decode(body)).transpose()
    }

    /// Writes an open call, and removes none for it.
    pub(crate) fn write_call(&mut self, state: &CallState) -> Result<(), StateError> {
        let key = self.key(&state.key)?;
        let body = self.encode(state)?;
        let updated = self.execute(
            "UPDATE calls SET decided = ?3, body = ?4 WHERE session = ?1 AND id = ?2",
            params![key, state.id, state.decided, body],
        )?;
        if updated == 0 {
            self.execute(
                "INSERT INTO calls (session, id, decided, body) VALUES (?1, ?2, ?3, ?4)",
                params![key, state.id, state.decided, body],
            )?;
        }
        Ok(())
    }

    /// Removes a call that is no longer open.
    pub(crate) fn remove_call(&mut self, key: &SessionKey, id: &str) -> Result<(), StateError> {
        let key = self.key(key)?;
        self.execute(
            "DELETE FROM calls WHERE session = ?1 AND id = ?2",
            params![key, id],
        )?;
        Ok(())
    }

    /// Appends a row that is already as it is kept.
    pub(crate) fn append_row(&mut self, row: &Row) -> Result<(), StateError> {
        let (last, previous) = self.head()?;
        let Row { columns, body } = row;
        let seq = last + 1;
        let hash = chain::hash(&previous, seq, columns, body);
        let [
            kind,
            agent,
            session,
            subagent,
            call,
            agent_call,
            tool,
            decision,
            reason,
        ] = &columns.texts;
        self.execute(
            "INSERT INTO journal (seq, time, kind, agent, session, subagent, call, agent_call, tool,
                decision, reason, body, prev_hash, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                seq, columns.time, kind, agent, session, subagent, call, agent_call, tool, decision,
                reason, body, previous.0, hash.0
            ],
        )?;
        self.head = Some((seq, hash));
        self.appended = true;
        Ok(())
    }
}

/// What a session's key is made of in the tables.
pub(crate) fn key_fields(key: &SessionKey) -> impl Serialize {
    (key.agent, &key.session, &key.subagent)
}

impl Transaction for SqlTransaction<'_> {
    fn session(&mut self, key: &SessionKey) -> Result<Option<SessionState>, StateError> {
        let key = self.key(key)?;
        let found = self.texts("SELECT body FROM sessions WHERE key = ?1", [key])?;
        found.first().map(|body| self.decode(body)).transpose()
    }

    fn sessions_of(
        &mut self,
        agent: Agent,
        process: &ProcessId,
    ) -> Result<Vec<SessionState>, StateError> {
        let process = self.process(agent, process)?;
        let found = self.texts(
            "SELECT body FROM sessions WHERE process = ?1 ORDER BY seen DESC, key DESC LIMIT ?2",
            params![process, SESSIONS_OF as i64],
        )?;
        found.iter().map(|body| self.decode(body)).collect()
    }

    fn recent_sessions(&mut self, limit: usize) -> Result<Vec<SessionState>, StateError> {
        // A sub-agent's key ends in its name in quotes.
        let found = self.texts(
            "SELECT body FROM sessions WHERE substr(key, -6) = ',null]'
                ORDER BY seen DESC, key DESC LIMIT ?1",
            params![limit.min(MOST_RECENT_SESSIONS) as i64],
        )?;
        found.iter().map(|body| self.decode(body)).collect()
    }

    fn put_session(&mut self, state: &SessionState) -> Result<(), StateError> {
        let key = self.key(&state.key)?;
        // Sub-agents share the process of their root and are not looked for.
        let process = match (&state.process, &state.key.subagent) {
            (Some(process), None) => Some(self.process(state.key.agent, process)?),
            _ => None,
        };
        let body = self.encode(state)?;
        // First without the column that has an index, which would be written
        // although it hardly ever changes.
        let updated = self.execute(
            "UPDATE sessions SET seen = ?3, body = ?4 WHERE key = ?1 AND process IS ?2",
            params![key, process, state.seen, body],
        )?;
        if updated == 0 {
            self.execute(
                "INSERT OR REPLACE INTO sessions (key, process, seen, body) VALUES (?1, ?2, ?3, ?4)",
                params![key, process, state.seen, body],
            )?;
            // A new session is a good time to forget the calls of dead ones.
            self.forgot = true;
            self.execute(
                "DELETE FROM calls WHERE decided < ?1",
                [state.seen.saturating_sub(OPEN_FOR)],
            )?;
        }
        Ok(())
    }

    fn open_calls(&mut self, key: &SessionKey) -> Result<Vec<CallState>, StateError> {
        let key = self.key(key)?;
        let bodies = self.texts(
            "SELECT body FROM calls WHERE session = ?1 ORDER BY decided DESC, id DESC",
            [key],
        )?;
        bodies.iter().map(|body| self.decode(body)).collect()
    }

    fn put_call(&mut self, state: &CallState) -> Result<(), StateError> {
        if state.status == CallStatus::Finished {
            return self.remove_call(&state.key, &state.id);
        }
        self.write_call(state)?;
        let key = self.key(&state.key)?;
        self.execute(
            "DELETE FROM calls WHERE session = ?1 AND (decided < ?2 OR id IN
                (SELECT id FROM calls WHERE session = ?1 ORDER BY decided DESC, id DESC LIMIT -1 OFFSET ?3))",
            params![
                key,
                state.decided.saturating_sub(OPEN_FOR),
                OPEN_CALLS as i64
            ],
        )?;
        Ok(())
    }

    fn set_aside(&mut self) -> Result<Vec<SetAside>, StateError> {
        let found: Vec<(String, String)> = self
            .connection
            .prepare_cached("SELECT rule, holders FROM set_aside ORDER BY rule")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .map_err(|error| self.fail(error))?;
        found
            .into_iter()
            .map(|(rule, holders)| {
                Ok(SetAside {
                    rule,
                    holders: self.decode(&holders)?,
                })
            })
            .collect()
    }

    fn put_set_aside(&mut self, entry: &SetAside) -> Result<(), StateError> {
        if entry.holders.is_empty() {
            self.execute("DELETE FROM set_aside WHERE rule = ?1", [&entry.rule])?;
        } else {
            let holders = self.encode(&entry.holders)?;
            self.execute(
                "INSERT OR REPLACE INTO set_aside (rule, holders) VALUES (?1, ?2)",
                params![entry.rule, holders],
            )?;
        }
        Ok(())
    }

    fn append(&mut self, record: &Record) -> Result<(), StateError> {
        let row = Row::of(record).map_err(|error| self.unencodable(&error))?;
        self.append_row(&row)
    }
}

/// The body under the key, for what has exactly one row.
pub(crate) fn one<T>(
    transaction: &mut SqlTransaction<'_>,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StateError> {
    transaction
        .connection()
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(params, read).optional())
        .map_err(|error| transaction.fail(error))
}
