//! Ports of the engine that a scenario brings: a clock, processes, ids, and
//! an observer that remembers the log lines.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::state::{Millis, ProcessId};
use countersign_engine::clock::Clock;
use countersign_engine::nesting::{Above, AgentAbove};
use countersign_engine::observer::{Observer, Resolution, denial_log, reset_log};
use countersign_engine::request::Outcome;
use countersign_engine::{Ids, Processes};

/// A clock that stands still until the script moves it.
#[derive(Debug)]
pub(crate) struct StoppedClock(AtomicI64);

impl StoppedClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_700_000_000_000))
    }

    pub(crate) fn advance(&self, millis: Millis) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Millis {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Processes by name: alive until the script says that one exits.
#[derive(Debug, Default)]
pub(crate) struct NamedProcesses {
    gone: Mutex<BTreeSet<String>>,
}

impl NamedProcesses {
    pub(crate) fn id(name: &str) -> ProcessId {
        ProcessId {
            pid: 1,
            start: 0,
            boot: name.to_owned(),
        }
    }

    pub(crate) fn exits(&self, name: &str) {
        self.gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned());
    }
}

impl Processes for NamedProcesses {
    fn alive(&self, process: &ProcessId) -> bool {
        !self
            .gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&process.boot)
    }

    /// `p1` is above `p1.1`, which is above `p1.1.1`.
    fn above(&self, process: &ProcessId) -> Above {
        let mut name = process.boot.as_str();
        let mut agents = Vec::new();
        while let Some((outer, _)) = name.rsplit_once('.') {
            agents.push(AgentAbove {
                process: Self::id(outer),
                may_be_launcher: false,
            });
            name = outer;
        }
        Above {
            agents,
            is_whole: true,
        }
    }
}

/// Ids that count.
#[derive(Debug, Default)]
pub(crate) struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next(&self) -> String {
        format!("call-{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Remembers the warn-level lines.
#[derive(Debug, Default, Clone)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// The lines since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, line: Option<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(line);
    }
}

impl Observer for Lines {
    fn decided(&self, outcome: &Outcome) {
        self.push(denial_log(outcome));
    }

    fn resolved(&self, resolution: &Resolution) {
        self.push(reset_log(resolution));
    }
}
