//! What the script says and what has happened, between the server's thread and
//! the tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::reply::Reply;
use super::request::Received;

/// How long a test waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(60);

/// What has happened at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Connections that were accepted.
    pub connections: usize,
    /// Those of them that are open.
    pub open: usize,
    /// Requests that were read whole.
    pub requests: usize,
    /// Those of them that are not at their end.
    pub under_way: usize,
    /// The most that were under way at a time.
    pub most_under_way: usize,
    /// Those whose client went away before the answer was written.
    pub abandoned: usize,
    /// Those whose reply, whatever it was, was written to its end.
    pub answered: usize,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: VecDeque<Reply>,
    pub(super) always: Option<Reply>,
    pub(super) models: Option<Reply>,
    pub(super) keep: usize,
    pub(super) requests: Vec<Received>,
    pub(super) seen: Seen,
    pub(super) times: BTreeMap<u64, Duration>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            always: None,
            models: None,
            keep: usize::MAX,
            requests: Vec::new(),
            seen: Seen::default(),
            times: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    pub(super) fn wait_until(&self, mut holds: impl FnMut(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if holds(&state.seen) {
                return state.seen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "what is waited for at the model server does not happen: {:?}",
                state.seen
            );
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
