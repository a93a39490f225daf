//! States to test with.

use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::denials::Counters;
use countersign_core::state::{
    CallStatus, Millis, Record, RecordKind, SessionState, StateError, StateStore,
};
use countersign_store::JournalRow;
use tempfile::TempDir;

use crate::port;

/// A folder that goes away with the test; in memory where that can be.
pub(crate) struct Folder {
    pub(crate) root: TempDir,
    pub(crate) dir: Utf8PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self::under(std::env::temp_dir())
    }

    /// For tests that only care for what is in the tables.
    pub(crate) fn quick() -> Self {
        let memory = std::path::PathBuf::from("/dev/shm");
        if memory.is_dir() {
            Self::under(memory)
        } else {
            Self::new()
        }
    }

    fn under(parent: std::path::PathBuf) -> Self {
        let root = TempDir::new_in(parent).unwrap();
        let dir = Utf8Path::from_path(root.path()).unwrap().join("state");
        Self { root, dir }
    }

    pub(crate) fn file(&self) -> Utf8PathBuf {
        self.dir.join(countersign_store::FILE_NAME)
    }

    /// A plain connection to the database, for doing what an attacker would.
    pub(crate) fn attack(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.file()).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

pub(crate) fn key(session: &str) -> SessionKey {
    SessionKey {
        agent: Agent::Qwen,
        session: session.to_owned(),
        subagent: None,
    }
}

pub(crate) fn record(call: &str) -> Record {
    Record {
        key: Some(key("s")),
        call: Some(call.to_owned()),
        ..Record::of(RecordKind::Decision, 1)
    }
}

/// One transition as the engine does them: read, reduce, write, append.
pub(crate) fn count(store: &dyn StateStore, call: &str) -> Result<(), StateError> {
    store.transition(&mut |transaction| {
        let mut state = transaction.session(&key("s"))?.unwrap_or(SessionState {
            key: key("s"),
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
        });
        state.counters.total_block += 1;
        transaction.put_session(&state)?;
        transaction.append(&record(call))
    })
}

pub(crate) fn counted(store: &dyn StateStore) -> u32 {
    let state = store.snapshot(&key("s")).unwrap();
    state.map_or(0, |state| state.counters.total_block)
}

#[track_caller]
pub(crate) fn unreadable<T: std::fmt::Debug>(result: Result<T, StateError>, words: &[&str]) {
    match result {
        Err(StateError::Unreadable(text)) => {
            for word in words {
                assert!(text.contains(word), "`{word}` is not in `{text}`");
            }
        }
        other => panic!("not unreadable: {other:?}"),
    }
}

/// An allow as the engine writes it, which may wait: the session is seen
/// again, the call is open, its row is there.
pub(crate) fn allow(store: &dyn StateStore, session: &str, id: &str) -> Result<(), StateError> {
    allow_at(store, session, id, 1)
}

pub(crate) fn allow_at(
    store: &dyn StateStore,
    session: &str,
    id: &str,
    now: Millis,
) -> Result<(), StateError> {
    let key = key(session);
    store.transition(&mut |transaction| {
        let mut state = transaction
            .session(&key)?
            .unwrap_or_else(|| port::session(&key, None, now, 0));
        state.seen = now;
        transaction.open_calls(&key)?;
        transaction.put_call(&port::call(&key, id, now, CallStatus::Decided))?;
        transaction.append(&Record {
            key: Some(key.clone()),
            call: Some(id.to_owned()),
            decision: Some("allow".to_owned()),
            reason: Some("rule".to_owned()),
            before: Some(state.counters),
            after: Some(state.counters),
            ..Record::of(RecordKind::Decision, now)
        })?;
        transaction.put_session(&state)
    })
}

/// Waits for what must come soon.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(60), "not yet: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The calls in the journal's rows, in order.
pub(crate) fn calls_in(rows: Vec<JournalRow>) -> Vec<String> {
    rows.into_iter().filter_map(|row| row.record.call).collect()
}
