//! Threads of the hooks' own, and how many run at a time: looking up a name
//! blocks a thread for as long as the resolver likes, and whoever fires events
//! must not fill the machine.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_settings::HookEvent;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::firing::Firing;
use crate::http::Clients;
use crate::run::{Done, run};

/// Reads an environment variable that the user's settings name.
pub type Variables = fn(&str) -> Option<String>;

/// Hooks that run at a time: those that somebody waits for, and those that
/// only tell. One kind takes no place of the other.
const ASKED: usize = 16;
const TOLD: usize = 8;

/// Most hooks that wait for a place, of each kind.
const MOST_WAITING: usize = 64;

/// Threads that look up names or read files at a time.
const BLOCKING: usize = 4;

/// What hooks of a process share.
#[derive(Clone)]
pub struct Tools {
    pub(crate) clients: Arc<Clients>,
    pub(crate) variables: Variables,
    asked: Arc<Places>,
    told: Arc<Places>,
}

struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Places {
    fn new(all: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(all)),
            waiting: AtomicUsize::new(0),
        })
    }
}

impl Tools {
    /// For hooks that take variables from here.
    #[must_use]
    pub fn new(variables: Variables) -> Self {
        Self {
            clients: Arc::default(),
            variables,
            asked: Places::new(ASKED),
            told: Places::new(TOLD),
        }
    }

    /// Waits for a place.
    pub(crate) async fn place(&self, firing: &Firing) -> Result<OwnedSemaphorePermit, String> {
        let places = match firing.event {
            HookEvent::PermissionRequest => &self.asked,
            HookEvent::PermissionDenied
            | HookEvent::Notification
            | HookEvent::SessionStart
            | HookEvent::SessionEnd => &self.told,
        };
        let waiting = Waiting::of(&places.waiting)?;
        let place = Arc::clone(&places.free).acquire_owned().await;
        drop(waiting);
        place.map_err(|error| error.to_string())
    }
}

/// One that waits, for as long as this is there.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn of(all: &'w AtomicUsize) -> Result<Self, String> {
        let before = all.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(all);
        if before >= MOST_WAITING {
            return Err("it is not run: too many hooks run already".to_owned());
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs hooks on threads of its own, which are there from the first one on.
pub struct Runner {
    tools: Tools,
    threads: Mutex<Option<Runtime>>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl Runner {
    /// Without any thread yet.
    #[must_use]
    pub fn new(variables: Variables) -> Self {
        Self {
            tools: Tools::new(variables),
            threads: Mutex::default(),
        }
    }

    /// Begins the hooks of an event; `then` hears what came of them, on one of
    /// the hooks' threads. Dropping what is returned ends nothing;
    /// [`Running::end`] does.
    pub fn begin(&self, firing: Firing, then: impl FnOnce(Done) + Send + 'static) -> Running {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.is_none() {
            *threads = Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(BLOCKING)
                .thread_name("user-hooks")
                .enable_all()
                .build()
                .inspect_err(|error| tracing::error!("user hooks cannot be run: {error}"))
                .ok();
        }
        let tools = self.tools.clone();
        Running(threads.as_ref().map(|threads| {
            threads.spawn(async move {
                let done = run(firing, tools).await;
                // It may wait for the state.
                let _ = tokio::task::spawn_blocking(move || then(done)).await;
            })
        }))
    }

    /// Ends all hooks that run, and waits for that at most so long. Not from
    /// a task.
    pub fn end(&self, within: Duration) {
        let threads = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(threads) = threads {
            threads.shutdown_timeout(within);
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let threads = self
            .threads
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(threads) = threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Hooks that run.
#[derive(Debug)]
pub struct Running(Option<JoinHandle<()>>);

impl Running {
    /// Ends them: nobody hears what would have come of them.
    pub fn end(&self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
