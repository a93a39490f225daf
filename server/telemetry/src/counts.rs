//! What is held, what was sent and what was dropped, and how the export does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How the export does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// What waits in the queue, unmade.
    pub queued: u64,
    /// Spans and log records that are held until they are sent.
    pub held: u64,
    /// Spans and log records that a collector took.
    pub exported: u64,
    /// Spans and log records, and calls that never became any, that were
    /// dropped.
    pub dropped: u64,
    /// Since when and why the last attempt failed; none if it did not.
    pub failing: Option<Failing>,
}

/// An export that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: SystemTime,
    /// Why, for people: without keys.
    pub why: String,
}

/// The same while it changes.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) held: AtomicU64,
    pub(crate) exported: AtomicU64,
    dropped_traces: AtomicU64,
    dropped_logs: AtomicU64,
    /// By signal: that one goes through says nothing of another.
    failing: Mutex<[Option<Failing>; 3]>,
}

/// What is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Logs,
    Metrics,
}

impl Signal {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

impl Counts {
    pub(crate) fn lost(&self, signal: Signal, items: usize) {
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        match signal {
            Signal::Traces => self.dropped_traces.fetch_add(items, Ordering::Relaxed),
            Signal::Logs => self.dropped_logs.fetch_add(items, Ordering::Relaxed),
            // The next export has what this one had.
            Signal::Metrics => 0,
        };
    }

    pub(crate) fn dropped_of(&self, signal: Signal) -> u64 {
        match signal {
            Signal::Traces => self.dropped_traces.load(Ordering::Relaxed),
            Signal::Logs => self.dropped_logs.load(Ordering::Relaxed),
            Signal::Metrics => 0,
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped_of(Signal::Traces) + self.dropped_of(Signal::Logs)
    }

    /// An attempt failed.
    pub(crate) fn fails(&self, signal: Signal, why: String) {
        let [traces, logs, metrics] = &mut *self.lock();
        let failing = match signal {
            Signal::Traces => traces,
            Signal::Logs => logs,
            Signal::Metrics => metrics,
        };
        let since = failing
            .as_ref()
            .map_or_else(SystemTime::now, |failing| failing.since);
        *failing = Some(Failing { since, why });
    }

    /// An attempt succeeded.
    pub(crate) fn works(&self, signal: Signal) {
        let [traces, logs, metrics] = &mut *self.lock();
        match signal {
            Signal::Traces => *traces = None,
            Signal::Logs => *logs = None,
            Signal::Metrics => *metrics = None,
        }
    }

    pub(crate) fn health(&self, queued: usize) -> Health {
        Health {
            queued: u64::try_from(queued).unwrap_or(u64::MAX),
            held: self.held.load(Ordering::Relaxed),
            exported: self.exported.load(Ordering::Relaxed),
            dropped: self.dropped(),
            failing: self.lock().iter().flatten().next().cloned(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, [Option<Failing>; 3]> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
