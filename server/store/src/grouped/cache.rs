//! What the server knows of the database without asking it, and whether that
//! still holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::call::SessionKey;
use countersign_core::state::{CallState, SessionState, SetAside, StateError, Transaction as _};

use super::batch::{Batch, SessionWrites};
use super::ledger::KnownLedger;
use super::noting::Changed;
use crate::row::Row;
use crate::store::Store;
use crate::transaction::Version;

/// How many sessions are kept in memory. Sessions with something that is not
/// committed are kept besides.
const MOST_SESSIONS: usize = 1024;

/// How many open calls of all sessions are kept in memory.
const MOST_CALLS: usize = 16 * 1024;

/// How many transitions are collected before they are written early.
pub(super) const GROUP: usize = 256;

/// How many transitions may wait; the next one waits for them to be written.
const MOST_WAITING: usize = 1024;

/// How many bytes of rows may wait.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How long after it was acknowledged a transition must be committed. Whoever
/// finds one that waited so long commits it before anything else is
/// acknowledged.
pub(super) const WITHIN: Duration = Duration::from_millis(50);

/// A session as it is after every acknowledged transition.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) session: Option<Arc<SessionState>>,
    /// Newest first.
    pub(super) calls: Arc<Vec<Arc<CallState>>>,
    /// Another one after each change.
    pub(super) stamp: u64,
    used: u64,
}

/// Which rules are set aside.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) entries: Arc<Vec<SetAside>>,
    pub(super) stamp: u64,
}

/// Why nothing can be written.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) error: StateError,
    pub(super) since: Instant,
    /// How many transitions were refused because of it.
    pub(super) refused: u64,
}

/// What was looked up.
pub(super) enum Looked<T> {
    Found(T),
    /// What is in memory does not hold any more.
    Stale,
}

/// Everything that the threads share.
#[derive(Debug)]
pub(super) struct Cache {
    /// For finding out what others did. Nothing is ever written through it.
    pub(super) reader: Store,
    /// The reader's version that the entries are of.
    version: Option<Version>,
    /// Somebody wrote: the entries must go, once what waits is committed.
    stale: bool,
    /// How often somebody wrote.
    changes: u64,
    entries: HashMap<SessionKey, Entry>,
    calls: usize,
    rules: Option<Rules>,
    pub(super) ledger: KnownLedger,
    clock: u64,
    pub(super) waiting: Batch,
    /// What is being written now.
    pub(super) leaving: Option<Arc<Batch>>,
    pub(super) problem: Option<Problem>,
    /// How many transitions were committed at once since the log was folded in.
    pub(super) unfolded: u32,
    pub(super) stopping: bool,
}

impl Cache {
    pub(super) fn new(reader: Store) -> Self {
        Self {
            version: reader.version().ok(),
            reader,
            stale: false,
            changes: 0,
            entries: HashMap::new(),
            calls: 0,
            rules: None,
            ledger: KnownLedger::default(),
            clock: 0,
            waiting: Batch::default(),
            leaving: None,
            problem: None,
            unfolded: 0,
            stopping: false,
        }
    }

    /// Refuses a transition while nothing can be written.
    pub(super) fn refuse_if_unwritable(&mut self) -> Result<(), StateError> {
        if let Some(problem) = &mut self.problem {
            problem.refused += 1;
        }
        self.unwritable()
    }

    /// Why nothing can be written.
    pub(super) fn unwritable(&self) -> Result<(), StateError> {
        match &self.problem {
            None => Ok(()),
            Some(problem) => Err(problem.error.clone()),
        }
    }

    /// Remembers why nothing can be written.
    pub(super) fn degrade(&mut self, error: StateError) {
        self.problem.get_or_insert(Problem {
            error,
            since: Instant::now(),
            refused: 0,
        });
    }

    /// Counts up: for stamps, and for what was used last.
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Looks whether others wrote, and says whether the entries hold.
    pub(super) fn holds(&mut self) -> Result<bool, StateError> {
        let version = self.reader.version()?;
        Ok(self.note(version))
    }

    pub(super) fn note(&mut self, version: Version) -> bool {
        if self.version != Some(version) {
            self.changes += 1;
            self.version = Some(version);
            self.stale = true;
        }
        !self.stale
    }

    /// Whether the reader sees what it saw when the entries were read.
    pub(super) fn is_current(&self) -> bool {
        self.version.is_some() && self.reader.version().ok() == self.version
    }

    /// The entries are of this version: what changed since the one before is
    /// known to be ours.
    pub(super) fn advance(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// Whether the entries must be read again before anything is decided.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether something acknowledged is not committed.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() || self.leaving.is_some()
    }

    /// Forgets everything: it can be read again. Only while nothing waits.
    pub(super) fn forget_all(&mut self) {
        self.entries.clear();
        self.calls = 0;
        self.rules = None;
        self.stale = false;
        let stamp = self.tick();
        self.ledger.forget(stamp);
    }

    /// Others may have changed what is in memory; see [`Cache::is_stale`].
    pub(super) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Follows a transition that was committed. Only while nothing waits.
    pub(super) fn follow(&mut self, changed: Changed) {
        if changed.everything {
            self.entries.clear();
            self.calls = 0;
        }
        if changed.rules {
            self.rules = None;
        }
        if changed.ledger {
            let stamp = self.tick();
            self.ledger.follow(changed.baselines, stamp);
        }
        for change in changed.sessions {
            let stamp = self.tick();
            let Some(entry) = self.entries.get_mut(&change.key) else {
                continue;
            };
            self.calls -= entry.calls.len();
            if change.calls {
                // Which others had to go for them is best read again.
                self.entries.remove(&change.key);
                continue;
            }
            if let Some(session) = change.session {
                entry.session = Some(Arc::new(session));
            }
            if !change.finished.is_empty() {
                Arc::make_mut(&mut entry.calls).retain(|call| !change.finished.contains(&call.id));
            }
            self.calls += entry.calls.len();
            entry.stamp = stamp;
        }
    }

    /// The session and its open calls.
    pub(super) fn look(&mut self, key: &SessionKey) -> Result<Looked<Entry>, StateError> {
        if self.stale {
            return Ok(Looked::Stale);
        }
        let used = self.tick();
        if let Some(entry) = self.entries.get_mut(key) {
            entry.used = used;
            return Ok(Looked::Found(entry.clone()));
        }
        let (version, session, calls) = self
            .reader
            .view(&mut |sql| Ok((sql.version()?, sql.session(key)?, sql.open_calls(key)?)))?;
        if !self.note(version) {
            return Ok(Looked::Stale);
        }
        let entry = Entry {
            session: session.map(Arc::new),
            calls: Arc::new(calls.into_iter().map(Arc::new).collect()),
            stamp: used,
            used,
        };
        self.make_room();
        self.calls += entry.calls.len();
        self.entries.insert(key.clone(), entry.clone());
        Ok(Looked::Found(entry))
    }

    /// The rules that are set aside.
    pub(super) fn look_at_rules(&mut self) -> Result<Looked<Rules>, StateError> {
        if self.stale {
            return Ok(Looked::Stale);
        }
        if let Some(rules) = &self.rules {
            return Ok(Looked::Found(rules.clone()));
        }
        let (version, entries) = self
            .reader
            .view(&mut |sql| Ok((sql.version()?, sql.set_aside()?)))?;
        if !self.note(version) {
            return Ok(Looked::Stale);
        }
        let rules = Rules {
            entries: Arc::new(entries),
            stamp: self.tick(),
        };
        self.rules = Some(rules.clone());
        Ok(Looked::Found(rules))
    }

    /// Whether the session is as it was when it got this stamp.
    pub(super) fn is_unchanged(&self, key: &SessionKey, stamp: u64) -> bool {
        self.entries
            .get(key)
            .is_some_and(|entry| entry.stamp == stamp)
    }

    pub(super) fn are_rules_unchanged(&self, stamp: u64) -> bool {
        self.rules
            .as_ref()
            .is_some_and(|rules| rules.stamp == stamp)
    }

    /// Whether one more transition may wait.
    pub(super) fn has_room(&self) -> bool {
        let batches = [Some(&self.waiting), self.leaving.as_deref()];
        let sum = |count: fn(&Batch) -> usize| {
            batches
                .iter()
                .flatten()
                .map(|batch| count(batch))
                .sum::<usize>()
        };
        let in_time = batches
            .iter()
            .flatten()
            .filter_map(|batch| batch.since())
            .all(|since| since.elapsed() < WITHIN);
        in_time && sum(Batch::transitions) < MOST_WAITING && sum(Batch::bytes) < MOST_BYTES
    }

    /// Keeps a session as an acknowledged transition left it.
    pub(super) fn change(
        &mut self,
        key: &SessionKey,
        session: Option<Arc<SessionState>>,
        calls: Arc<Vec<Arc<CallState>>>,
    ) {
        let stamp = self.tick();
        if let Some(entry) = self.entries.get_mut(key) {
            self.calls = self.calls + calls.len() - entry.calls.len();
            entry.session = session;
            entry.calls = calls;
            entry.stamp = stamp;
        }
    }

    /// Lets an acknowledged transition wait.
    pub(super) fn push(
        &mut self,
        writes: impl IntoIterator<Item = (SessionKey, SessionWrites)>,
        rows: Vec<Row>,
    ) {
        self.waiting.push(writes, rows);
    }

    /// What waits, to be written. Also what was on its way before and did not
    /// arrive.
    pub(super) fn take(&mut self) -> Arc<Batch> {
        self.restore();
        let batch = Arc::new(std::mem::take(&mut self.waiting));
        if !batch.is_empty() {
            self.leaving = Some(Arc::clone(&batch));
        }
        batch
    }

    /// What was on its way waits again, before all that came later.
    pub(super) fn restore(&mut self) {
        if let Some(batch) = self.leaving.take() {
            let mut earlier = Arc::unwrap_or_clone(batch);
            earlier.absorb(std::mem::take(&mut self.waiting));
            self.waiting = earlier;
        }
    }

    /// Forgets what was not used for longest. What is not committed stays: read
    /// from the database it would be older than what was acknowledged.
    fn make_room(&mut self) {
        if self.entries.len() < MOST_SESSIONS && self.calls < MOST_CALLS {
            return;
        }
        let mut uses: Vec<u64> = self.entries.values().map(|entry| entry.used).collect();
        let eighth = uses.len() / 8;
        let (_, oldest, _) = uses.select_nth_unstable(eighth);
        let oldest = *oldest;
        let (waiting, leaving) = (&self.waiting, self.leaving.as_deref());
        self.entries.retain(|key, entry| {
            entry.used > oldest
                || waiting.concerns(key)
                || leaving.is_some_and(|batch| batch.concerns(key))
        });
        self.calls = self.entries.values().map(|entry| entry.calls.len()).sum();
    }
}
