//! The state for the one process that decides thousands of calls a second:
//! the same file, the same promises, fewer transactions.
//!
//! [`GroupedStore`] knows sessions and open calls by heart for as long as no
//! other process writes, and commits allows that change no counter in groups.
//! Everything else is one immediate transaction, as with [`Store`].

mod batch;
mod cache;
mod commit;
mod deferrable;
mod flusher;
mod ledger;
mod noting;
mod overlay;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use camino::Utf8Path;
use countersign_core::state::{Millis, StateError, StateStore, Transaction};

use self::cache::Cache;
use self::commit::Purpose;
use self::overlay::{Outcome, Overlay};
use crate::journal::{Filter, JournalRow};
use crate::store::{Store, Waiting};
use crate::transaction::Version;

/// How often a transition is begun anew because others were in the way, before
/// it runs in the database, where nobody can be.
const ATTEMPTS: usize = 16;

/// How many rows [`GroupedStore::rows_after`] returns at most.
pub const MOST_ROWS: usize = 1000;

type Work<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>;

/// The state of a process that lives for long, in the file that every process
/// of the user shares.
///
/// A transition that only allows without a person, changes no counter, adds
/// nothing to the ledger and begins no session is acknowledged at once and committed within 50 ms,
/// together with others; `kill -9` may lose what was allowed in these 50 ms.
/// Everything else is committed before it is acknowledged, and what waited is
/// committed with it.
///
/// Where nothing can be written, every transition is refused with
/// [`StateError::Unwritable`] until a write succeeds. What was acknowledged
/// before stays in memory, bounded, and is written then, with a row that says
/// how much was refused meanwhile.
#[derive(Debug)]
pub struct GroupedStore {
    shared: Arc<Shared>,
    flusher: Option<JoinHandle<()>>,
}

/// What the caller's threads and the one that writes share. Locks are taken in
/// this order: the writer's, the store's own, the cache's, the reader's. Who has
/// the cache's only tries the store's own.
#[derive(Debug)]
struct Shared {
    /// Everything is written through it.
    store: Store,
    /// Who has it writes. The version of the last transaction; another one at
    /// the next means that somebody else wrote.
    writer: Mutex<Option<Version>>,
    cache: Mutex<Cache>,
    /// For the thread that writes.
    wake: Condvar,
}

impl GroupedStore {
    /// Opens the state in the folder, as [`Store::open`] does.
    ///
    /// # Errors
    /// As [`Store::open`]; also [`StateError::Unwritable`] if no thread can be
    /// started.
    pub fn open(dir: &Utf8Path) -> Result<Self, StateError> {
        let store = Store::open(dir)?;
        let reader = Store::open(dir)?;
        let mut cache = Cache::new(reader);
        if let Some(refusal) = store.refusal() {
            cache.degrade(refusal);
        }
        let shared = Arc::new(Shared {
            writer: Mutex::new(store.version_if_idle()),
            store,
            cache: Mutex::new(cache),
            wake: Condvar::new(),
        });
        let flushing = Arc::clone(&shared);
        let flusher = thread::Builder::new()
            .name("countersign-store".to_owned())
            .spawn(move || flushing.keep_flushing())
            .map_err(|error| {
                StateError::Unwritable(format!(
                    "cannot start a thread that writes {} ({error}); end other processes of this user",
                    shared.store.path()
                ))
            })?;
        Ok(Self {
            shared,
            flusher: Some(flusher),
        })
    }

    /// The canonical path of the database.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        self.shared.store.path()
    }

    /// Why nothing can be written, while nothing can be.
    #[must_use]
    pub fn degraded(&self) -> Option<String> {
        let cache = self.shared.cache();
        cache
            .problem
            .as_ref()
            .map(|problem| problem.error.to_string())
    }

    /// For how long nothing could be written, while nothing can be.
    #[must_use]
    pub fn degraded_for(&self) -> Option<Duration> {
        let cache = self.shared.cache();
        cache
            .problem
            .as_ref()
            .map(|problem| problem.since.elapsed())
    }

    /// Commits everything that was acknowledged.
    ///
    /// # Errors
    /// Why it could not be written, or why nothing could be before and nothing
    /// was since. It stays in memory.
    pub fn flush(&self) -> Result<(), StateError> {
        self.shared.flush()
    }

    /// A number that is another one after another process wrote. Costs a few
    /// microseconds. It may change without that; then nothing new is found.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn changes_by_others(&self) -> Result<u64, StateError> {
        let mut cache = self.shared.cache();
        cache.holds()?;
        Ok(cache.changes())
    }

    /// The committed rows behind `seq`, oldest first; at most `limit` and never
    /// more than [`MOST_ROWS`]. Rows of this process are among them, once they
    /// are committed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn rows_after(&self, seq: i64, limit: usize) -> Result<Vec<JournalRow>, StateError> {
        self.shared.store.journal(&Filter {
            after_seq: Some(seq),
            limit: limit.min(MOST_ROWS),
            ..Filter::default()
        })
    }

    /// As [`Store::journal`], with everything that was acknowledged; while
    /// nothing can be written, with everything that was committed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn journal(&self, filter: &Filter) -> Result<Vec<JournalRow>, StateError> {
        self.shared.flush_if_possible()?;
        self.shared.store.journal(filter)
    }

    /// As [`Store::head`], of what is committed.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn head(&self) -> Result<(i64, countersign_core::call::Digest), StateError> {
        self.shared.store.head()
    }

    /// As [`Store::retain`].
    ///
    /// # Errors
    /// As [`Store::retain`].
    pub fn retain(&self, max_age: Millis, max_bytes: u64, now: Millis) -> Result<u64, StateError> {
        self.shared.flush()?;
        self.shared.store.retain(max_age, max_bytes, now)
    }
}

impl StateStore for GroupedStore {
    fn transition(&self, work: Work<'_>) -> Result<(), StateError> {
        self.shared.transition(work)
    }

    fn read(&self, work: Work<'_>) -> Result<(), StateError> {
        self.shared.read(work)
    }
}

/// Commits everything that was acknowledged. Who wants to know whether that
/// worked calls [`GroupedStore::flush`] before.
impl Drop for GroupedStore {
    fn drop(&mut self) {
        self.shared.cache().stopping = true;
        self.shared.wake.notify_one();
        if let Some(flusher) = self.flusher.take() {
            // It does not panic; if it did, there is nobody to tell.
            let _ = flusher.join();
        }
    }
}

impl Shared {
    /// What is in it is whole whenever the lock is released, also by a panic.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transition(&self, work: Work<'_>) -> Result<(), StateError> {
        for _ in 0..ATTEMPTS {
            self.cache().refuse_if_unwritable()?;
            self.refresh(|| Purpose::Room)?;
            let mut overlay = Overlay::new(self, true);
            let result = work(&mut overlay);
            match overlay.finish(result)? {
                Outcome::Over(result) => return result,
                Outcome::Again => {}
                Outcome::Full => self.commit(Waiting::Patient, Purpose::Room)?,
                Outcome::Direct => break,
            }
        }
        Ok(self.commit(Waiting::Patient, Purpose::Transition(work))?)
    }

    fn read(&self, work: Work<'_>) -> Result<(), StateError> {
        for _ in 0..ATTEMPTS {
            match self.refresh(|| Purpose::Flush) {
                Ok(()) => {}
                // What was not committed is not seen; it is allows only.
                Err(StateError::Unwritable(_)) => break,
                Err(error) => return Err(error),
            }
            let mut overlay = Overlay::new(self, false);
            let result = work(&mut overlay);
            match overlay.finish(result)? {
                Outcome::Over(result) => return result,
                Outcome::Again | Outcome::Full => {}
                Outcome::Direct => break,
            }
        }
        self.flush_if_possible()?;
        self.store.view(&mut |sql| work(sql))
    }

    /// Forgets what does not hold any more. What waits is written first: it is
    /// known only here.
    fn refresh(&self, purpose: fn() -> Purpose<'static>) -> Result<(), StateError> {
        while self.cache().is_stale() {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            // Before anything is read again: what is acknowledged from then on
            // is acknowledged knowing all that the writer knows of.
            let known = self.store.version_if_idle();
            let mut cache = self.cache();
            if cache.is_waiting() {
                drop((cache, writer));
                self.commit(Waiting::Patient, purpose())?;
                continue;
            }
            cache.forget_all();
            *writer = known.or(*writer);
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StateError> {
        Ok(self.commit(Waiting::Patient, Purpose::Flush)?)
    }

    fn flush_if_possible(&self) -> Result<(), StateError> {
        match self.flush() {
            Ok(()) | Err(StateError::Unwritable(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
