//! The store itself: opening, transactions, and trying again while others are
//! in the way.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;
use countersign_core::state::{StateError, StateStore, Transaction};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};

use crate::error::{PATIENCE, busy, is_about_writing, is_busy, state_error};
use crate::place::Place;
use crate::schema;
use crate::transaction::{Failure, SqlTransaction, Version};

/// How long the write-ahead log gets before it is folded into the file, in
/// bytes. A process that finds nobody else there reads the log first, so its
/// length is part of what opening costs; folding it in costs waiting for the
/// disk.
pub(crate) const LOG_BYTES: u64 = 1024 * 1024;

/// Numbers the connections of this process.
static LINKS: AtomicU64 = AtomicU64::new(0);

/// The state in a SQLite file that every process of the user shares.
///
/// What a transition committed survives the end of every process, however it
/// ends; see `docs/adr/0003-sqlite-state.md` for what it does not survive.
#[derive(Debug)]
pub struct Store {
    place: Place,
    /// None after a connection was given up and before there is another.
    link: Mutex<Option<Link>>,
}

/// Whether to wait for a process that is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For [`PATIENCE`].
    Patient,
    /// Not at all.
    Never,
}

/// Why a transaction was not committed.
#[derive(Debug)]
pub(crate) enum Uncommitted {
    /// Others were in the way, for as long as was waited for them.
    Busy(StateError),
    /// It failed, or the work in it did.
    Failed(StateError),
}

impl From<Uncommitted> for StateError {
    fn from(why: Uncommitted) -> Self {
        match why {
            Uncommitted::Busy(error) | Uncommitted::Failed(error) => error,
        }
    }
}

/// A connection, and why it cannot write, if it cannot.
#[derive(Debug)]
struct Link {
    /// No two connections of this process have the same.
    number: u64,
    connection: Connection,
    /// Whether to wait while others are in the way.
    patient: Arc<AtomicBool>,
    refused: Option<StateError>,
}

impl Store {
    /// Opens the state in the folder, and creates both if they do not exist:
    /// the folder with mode 0700 and `countersign.db` in it with 0600.
    ///
    /// A state that can be read and not written opens too; then
    /// [`StateStore::read`] works and [`StateStore::transition`] says why not.
    ///
    /// # Errors
    /// [`StateError::Unreadable`] if folder or file are not private to this
    /// user, the file is damaged, foreign or newer; [`StateError::Unwritable`]
    /// if they do not exist and cannot be created.
    pub fn open(dir: &Utf8Path) -> Result<Self, StateError> {
        let place = Place::prepare(dir)?;
        let link = connect(&place.path)?;
        // Between looking at the file and opening it, it stayed the same.
        place.check()?;
        Ok(Self {
            place,
            link: Mutex::new(Some(link)),
        })
    }

    /// The same state through another connection, for reading beside this one.
    pub(crate) fn beside(&self) -> Result<Self, StateError> {
        let link = connect(&self.place.path)?;
        self.place.check()?;
        Ok(Self {
            place: self.place.clone(),
            link: Mutex::new(Some(link)),
        })
    }

    /// The canonical path of the database.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.place.path
    }

    /// Why nothing can be written, where the state could only be opened for
    /// reading.
    #[must_use]
    pub fn refusal(&self) -> Option<StateError> {
        self.lock().as_ref()?.refused.clone()
    }

    /// A transaction that panicked was rolled back while unwinding, so the
    /// connection behind a poisoned lock is whole.
    fn lock(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in one immediate transaction, and keeps the log short.
    pub(crate) fn write<T>(
        &self,
        work: &mut dyn FnMut(&mut SqlTransaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let value = self.commit(Waiting::Patient, work)?;
        self.fold(LOG_BYTES);
        Ok(value)
    }

    /// Runs `work` in one immediate transaction.
    pub(crate) fn commit<T>(
        &self,
        waiting: Waiting,
        work: &mut dyn FnMut(&mut SqlTransaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, Uncommitted> {
        self.place.check().map_err(Uncommitted::Failed)?;
        let mut link = self.lock();
        // It may have become writable since. First the old connection goes:
        // two of one process share what they can do with the log's index.
        link.take_if(|link| link.refused.is_some());
        let link = connected(&mut link, &self.place.path).map_err(Uncommitted::Failed)?;
        if let Some(refused) = &link.refused {
            return Err(Uncommitted::Failed(refused.clone()));
        }
        let path = &self.place.path;
        let deadline = match waiting {
            Waiting::Patient => Instant::now() + PATIENCE,
            Waiting::Never => Instant::now(),
        };
        loop {
            link.patient
                .store(waiting == Waiting::Patient, Ordering::Relaxed);
            let attempted = attempt(link, path, TransactionBehavior::Immediate, work);
            link.patient.store(true, Ordering::Relaxed);
            match attempted {
                Attempt::Done(value) => return Ok(value),
                Attempt::Failed(error) => return Err(Uncommitted::Failed(error)),
                Attempt::Busy if Instant::now() < deadline => thread::sleep(pause(4)),
                Attempt::Busy => {
                    return Err(Uncommitted::Busy(StateError::Unwritable(busy(path))));
                }
            }
        }
    }

    /// Folds the log into the file if it is longer than `bytes`.
    ///
    /// SQLite would do it by itself, but without emptying the log, which then
    /// only a process empties that knows that everything in it was folded in.
    /// Processes that live for one call never do, and the log would grow
    /// without end.
    ///
    /// What was committed is committed; if this fails or others are in the
    /// way, the next process does it.
    pub(crate) fn fold(&self, bytes: u64) {
        if self.log_bytes() > bytes {
            checkpoint(&self.lock(), "TRUNCATE");
        }
    }

    /// How long the log is, in bytes.
    pub(crate) fn log_bytes(&self) -> u64 {
        std::fs::metadata(format!("{}-wal", self.place.path)).map_or(0, |log| log.len())
    }

    /// Copies what is in the log into the file, and leaves the log as it is:
    /// all of the work of [`Store::fold`] that takes its time, and nothing that
    /// others notice.
    pub(crate) fn copy_log(&self) {
        checkpoint(&self.lock(), "PASSIVE");
    }

    /// Empties the log, if nobody uses the connection just now; quick where it
    /// was copied just before.
    pub(crate) fn empty_log_if_idle(&self) {
        if let Ok(link) = self.link.try_lock() {
            checkpoint(&link, "TRUNCATE");
        }
    }

    /// The version of what is committed now.
    pub(crate) fn version(&self) -> Result<Version, StateError> {
        self.place.check()?;
        let path = &self.place.path;
        let mut link = self.lock();
        let link = connected(&mut link, path)?;
        Version::of(&link.connection, link.number).map_err(|error| state_error(path, &error))
    }

    /// The same, if nobody uses the connection just now.
    pub(crate) fn version_if_idle(&self) -> Option<Version> {
        let link = self.link.try_lock().ok()?;
        let link = link.as_ref()?;
        Version::of(&link.connection, link.number).ok()
    }

    /// Gives the connection up. All connections of a process share what they
    /// can do with the log's index: if that can be read only, all must go
    /// before one may find that it can be written.
    pub(crate) fn release(&self) {
        self.lock().take();
    }

    /// Runs `work` on one consistent view.
    pub(crate) fn view<T>(
        &self,
        work: &mut dyn FnMut(&mut SqlTransaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.place.check()?;
        let path = &self.place.path;
        let mut link = self.lock();
        let link = connected(&mut link, path)?;
        match attempt(link, path, TransactionBehavior::Deferred, work) {
            Attempt::Done(value) => Ok(value),
            Attempt::Failed(error) => Err(error),
            Attempt::Busy => Err(StateError::Unreadable(busy(path))),
        }
    }
}

impl StateStore for Store {
    fn transition(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        self.write(&mut |transaction| work(transaction))
    }

    fn read(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        self.view(&mut |transaction| work(transaction))
    }
}

/// Folds the log in, as far as nobody is in the way.
fn checkpoint(link: &Option<Link>, how: &str) {
    if let Some(link) = link {
        link.patient.store(false, Ordering::Relaxed);
        let _ = link
            .connection
            .query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()));
        link.patient.store(true, Ordering::Relaxed);
    }
}

enum Attempt<T> {
    Done(T),
    Failed(StateError),
    /// Another process was in the way; nothing was kept.
    Busy,
}

fn attempt<T>(
    link: &mut Link,
    path: &Utf8Path,
    behavior: TransactionBehavior,
    work: &mut dyn FnMut(&mut SqlTransaction<'_>) -> Result<T, StateError>,
) -> Attempt<T> {
    let failed = |error: rusqlite::Error| {
        if is_busy(&error) {
            Attempt::Busy
        } else {
            Attempt::Failed(state_error(path, &error))
        }
    };
    let number = link.number;
    let begun = match link.connection.transaction_with_behavior(behavior) {
        Ok(begun) => begun,
        Err(error) => return failed(error),
    };
    let writable = matches!(behavior, TransactionBehavior::Immediate);
    let mut transaction = SqlTransaction::new(&begun, number, path, writable);
    // Dropping a transaction that was not committed rolls it back.
    let worked = work(&mut transaction);
    if let Err(error) = transaction.finish(worked.is_ok()) {
        return match error {
            Failure::Sqlite(error) => failed(error),
            Failure::Refused(error) => Attempt::Failed(error),
        };
    }
    match worked {
        Err(error) => Attempt::Failed(error),
        Ok(value) => match begun.commit() {
            Ok(()) => Attempt::Done(value),
            Err(error) => failed(error),
        },
    }
}

/// The connection that there is, or a new one.
fn connected<'a>(link: &'a mut Option<Link>, path: &Utf8Path) -> Result<&'a mut Link, StateError> {
    let known = match link.take() {
        Some(known) => known,
        None => connect(path)?,
    };
    Ok(link.insert(known))
}

/// Opens the file, for reading only where it cannot be written.
fn connect(path: &Utf8Path) -> Result<Link, StateError> {
    let write = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let refused = match open(path.as_str(), write) {
        Ok((mut connection, patient)) => {
            schema::check(&mut connection, path)?;
            let read_only = connection
                .is_readonly(MAIN_DB)
                .map_err(|error| state_error(path, &error))?;
            if !read_only {
                return Ok(Link {
                    number: LINKS.fetch_add(1, Ordering::Relaxed),
                    connection,
                    patient,
                    refused: None,
                });
            }
            unwritable(path, "it or its file system is read-only")
        }
        Err(error) if may_be_read(&error) => unwritable(path, &error.to_string()),
        Err(error) => return Err(state_error(path, &error)),
    };
    // Without writing even the log's index; or, if the log is gone, without
    // looking for one: then the file is everything.
    let mut ways = vec!["mode=ro&readonly_shm=1"];
    if std::fs::symlink_metadata(format!("{path}-wal")).map_or(true, |log| log.len() == 0) {
        ways.push("mode=ro&immutable=1");
    }
    let read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let mut last = None;
    for way in ways {
        match open(&format!("{}?{way}", uri(path)), read) {
            Ok((mut connection, patient)) => {
                schema::check(&mut connection, path)?;
                return Ok(Link {
                    number: LINKS.fetch_add(1, Ordering::Relaxed),
                    connection,
                    patient,
                    refused: Some(refused),
                });
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or(refused, |error| {
        StateError::Unreadable(format!(
            "cannot read {path} ({error}); make it and its folder readable and writable for this user, \
             and free space on its disk"
        ))
    }))
}

/// Whether a file that cannot be opened for writing may still be read.
fn may_be_read(error: &rusqlite::Error) -> bool {
    is_about_writing(error) || error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
}

fn unwritable(path: &Utf8Path, why: &str) -> StateError {
    StateError::Unwritable(format!(
        "cannot write {path} ({why}); make it, its folder and its file system writable for this user, \
         and free space on its disk"
    ))
}

fn open(name: &str, flags: OpenFlags) -> rusqlite::Result<(Connection, Arc<AtomicBool>)> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(name, flags)?;
    let patient = Arc::new(AtomicBool::new(true));
    let patience = Arc::clone(&patient);
    let mut since = Instant::now();
    connection.busy_handler(Some(move |count: i32| {
        if count == 0 {
            since = Instant::now();
        }
        let waits = patience.load(Ordering::Relaxed) && since.elapsed() < PATIENCE;
        if waits {
            thread::sleep(pause(count));
        }
        waits
    }))?;
    // A process is one call long. If each of them folded the log in when it
    // ends, each would wait for the disk.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // There are none in our schema; others' are none of ours.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        // The log's file is as long as what is in it, which is how its length
        // is known.
        connection.execute_batch(
            "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 0; PRAGMA synchronous = NORMAL",
        )?;
    }
    // More than we have statements, so that none is prepared again.
    connection.set_prepared_statement_cache_capacity(64);
    // Opening is lazy: this reads, and finds out whether reading works.
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok((connection, patient))
}

/// How long to wait before the next try: growing to 3 ms, and different in
/// different processes, so that they do not stay in step.
fn pause(count: i32) -> Duration {
    let growing = 100_u64 << count.clamp(0, 5);
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    Duration::from_micros(growing + u64::from(clock.rotate_left(13) ^ std::process::id()) % growing)
}

/// The path as a URI, for options that SQLite takes only there.
fn uri(path: &Utf8Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
