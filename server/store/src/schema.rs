//! The tables, their versions, and how a database comes into being: whole or
//! not at all.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::state::StateError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rustix::fs::{CWD, RenameFlags};

use crate::error::state_error;

/// Marks the file as ours: "CSGN".
const APPLICATION_ID: i64 = 0x4353_474e;

/// The steps from nothing to the tables of today. A step is never changed, only
/// followed by another; a file's `user_version` is how many it has behind it.
///
/// Few indexes, because a transition writes every page that it touches: what
/// is looked up per call has one. What only `log`, `explain` and `stats` look
/// for stands in `journal_facets`, in the order of the rows: appending to it
/// touches one page, and scanning it costs a tenth of scanning the rows.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        process TEXT,
        seen INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sessions_process ON sessions (process) WHERE process IS NOT NULL;

    CREATE TABLE calls (
        session TEXT NOT NULL,
        id TEXT NOT NULL,
        decided INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (session, id)
    ) WITHOUT ROWID;

    CREATE TABLE set_aside (
        rule TEXT PRIMARY KEY,
        holders TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        kind TEXT NOT NULL,
        agent TEXT,
        session TEXT,
        subagent TEXT,
        call TEXT,
        agent_call TEXT,
        tool TEXT,
        decision TEXT,
        reason TEXT,
        body TEXT NOT NULL,
        prev_hash BLOB NOT NULL,
        hash BLOB NOT NULL
    );
    CREATE INDEX journal_session ON journal (session) WHERE session IS NOT NULL;
    CREATE INDEX journal_call ON journal (call) WHERE call IS NOT NULL;

    CREATE TABLE journal_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seq INTEGER NOT NULL,
        hash BLOB NOT NULL
    );
    INSERT INTO journal_head VALUES (1, 0, zeroblob(32));
",
    "
    CREATE TABLE workspaces (
        workspace TEXT PRIMARY KEY,
        repository TEXT,
        since INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE ledger (
        path TEXT PRIMARY KEY,
        workspace TEXT NOT NULL,
        call TEXT NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX ledger_call ON ledger (call);

    CREATE TABLE ledger_sizes (
        workspace TEXT PRIMARY KEY,
        entries INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE in_flight (
        call TEXT PRIMARY KEY,
        since INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
",
    // A body that is no JSON was changed by somebody else; then the rest of its
    // row can still be looked for. The two expressions are `facets::STAGE` and
    // `facets::MICROS`, to the letter.
    "
    DROP INDEX journal_call;
    CREATE INDEX journal_facets ON journal (
        seq, time, kind, agent, tool, decision, reason,
        CASE WHEN json_valid(body) THEN json_extract(body, '$.model.stage') END,
        CASE WHEN json_valid(body) THEN json_extract(body, '$.micros') END,
        call, agent_call
    );
",
];

/// Checks that the file is ours and of a version that we know, and brings an
/// older one up to date.
pub(crate) fn check(connection: &mut Connection, path: &Utf8Path) -> Result<(), StateError> {
    let read = |error: rusqlite::Error| state_error(path, &error);
    let application: i64 = pragma(connection, "application_id").map_err(read)?;
    let version: i64 = pragma(connection, "user_version").map_err(read)?;
    if application != APPLICATION_ID || version < 1 {
        return Err(StateError::Unreadable(format!(
            "{path} is not a database of countersign's; move it away"
        )));
    }
    let known = MIGRATIONS.len() as i64;
    if version > known {
        return Err(StateError::Unreadable(format!(
            "{path} was written by a newer countersign (its schema has version {version}, this one \
             knows {known}); update countersign"
        )));
    }
    if version < known {
        migrate(connection, MIGRATIONS).map_err(read)?;
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// Takes the steps that the file has not behind it, all or none.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let version = pragma(&transaction, "user_version")?;
    let behind = usize::try_from(version).unwrap_or(0);
    for step in migrations.iter().skip(behind) {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", migrations.len()))?;
    transaction.commit()
}

/// Creates the database, unless another process does it first. It is made
/// under another name and moved into place when it is complete, so that a file
/// of the right name that is empty or half made is damage and no beginning.
pub(crate) fn create(path: &Utf8Path) -> Result<(), StateError> {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let draft = Utf8PathBuf::from(format!("{path}.{}-{nanos}.new", std::process::id()));
    let made = draft_at(&draft).and_then(|()| {
        rustix::fs::renameat_with(
            CWD,
            draft.as_str(),
            CWD,
            path.as_str(),
            RenameFlags::NOREPLACE,
        )
        .map_err(io::Error::from)
    });
    let made = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    };
    // After the move there is nothing to remove.
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(format!("{draft}{suffix}")) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(uncreated(path, &error)),
        }
    }
    made.map_err(|error| uncreated(path, &error))
}

fn uncreated(path: &Utf8Path, error: &io::Error) -> StateError {
    StateError::Unwritable(format!(
        "cannot create {path} ({error}); make its folder writable for this user and free space on its disk"
    ))
}

fn draft_at(draft: &Utf8Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    // Whatever the umask took away. SQLite gives its other files the mode of
    // this one.
    rustix::fs::fchmod(&file, 0o600.into())?;
    drop(file);
    fill(draft).map_err(io::Error::other)
}

fn fill(draft: &Utf8Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(draft, flags)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = 4096; PRAGMA application_id = {APPLICATION_ID}"
    ))?;
    migrate(&mut connection, MIGRATIONS)?;
    // Kept in the file; closing the last connection empties the log again.
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    connection.close().map_err(|(_, error)| error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_takes_only_the_steps_it_lacks() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)"]).unwrap();
        migrate(
            &mut connection,
            &["CREATE TABLE a (x)", "CREATE TABLE b (x)"],
        )
        .unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), 2);
        connection
            .execute_batch("SELECT x FROM a; SELECT x FROM b")
            .unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)", "nonsense"]).unwrap_err();
        assert_eq!(pragma(&connection, "user_version").unwrap(), 0);
        connection.execute_batch("SELECT x FROM a").unwrap_err();
    }
}
