//! The thread that writes what waits, so that nobody has to wait for it.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::Shared;
use super::batch::Batch;
use super::cache::{Cache, GROUP, WITHIN};
use super::commit::Purpose;
use crate::error::PATIENCE;
use crate::store::{LOG_BYTES, Uncommitted, Waiting};

/// How long transitions are collected. Leaves the other half of what is
/// promised to writing them.
const LINGER: Duration = Duration::from_millis(WITHIN.as_millis() as u64 / 2);

/// How long to wait for the next try while another process is in the way.
const BUSY: Duration = Duration::from_millis(5);

/// How long to wait for the next try while nothing can be written.
const UNWRITABLE: Duration = Duration::from_millis(200);

/// How long the log gets before it is folded in. Longer than where a process
/// lives for one call: while this one is there, nobody reads the log to open
/// the state, and folding it in waits for the disk.
const SERVER_LOG_BYTES: u64 = 16 * LOG_BYTES;

impl Shared {
    /// Writes until the store goes away, and then once more.
    pub(super) fn keep_flushing(&self) {
        let mut not_before: Option<Instant> = None;
        loop {
            let mut cache = self.cache();
            let probes = loop {
                let Some(due) = due(&cache) else {
                    cache = self
                        .wake
                        .wait(cache)
                        .unwrap_or_else(PoisonError::into_inner);
                    continue;
                };
                let due = not_before.map_or(due, |not_before| due.max(not_before));
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() || cache.stopping {
                    break cache.problem.is_some();
                }
                let waited = self.wake.wait_timeout(cache, left);
                cache = waited.unwrap_or_else(PoisonError::into_inner).0;
            };
            cache.unfolded = 0;
            let stopping = cache.stopping;
            if probes {
                cache.reader.release();
            }
            drop(cache);
            if probes {
                self.store.release();
            }
            let waiting = if stopping {
                Waiting::Patient
            } else {
                Waiting::Never
            };
            let purpose = if probes {
                Purpose::Probe
            } else {
                Purpose::Flush
            };
            let committed = self.commit(waiting, purpose);
            if stopping {
                self.store.fold(LOG_BYTES);
                return;
            }
            let pause = match committed {
                Ok(()) => {
                    self.fold();
                    Duration::ZERO
                }
                Err(Uncommitted::Busy(error)) if !probes => {
                    let mut cache = self.cache();
                    let since = cache.waiting.since();
                    if since.is_some_and(|since| since.elapsed() > PATIENCE) {
                        cache.degrade(error);
                    }
                    BUSY
                }
                Err(_) => UNWRITABLE,
            };
            not_before = Some(Instant::now() + pause);
        }
    }
}

impl Shared {
    /// Folds the log in once it is long. Emptying it looks to every reader as
    /// if somebody had written: where it is certain that nobody else did, what
    /// is in memory still holds.
    fn fold(&self) {
        if self.store.log_bytes() <= SERVER_LOG_BYTES {
            return;
        }
        // Nothing of ours is committed meanwhile.
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.copy_log();
        let mut cache = self.cache();
        let nobody_wrote = || matches!((*writer, self.store.version_if_idle()), (Some(known), Some(now)) if known == now);
        let was_current = nobody_wrote() && cache.is_current();
        // A long look at the journal through it must not hold up decisions: then
        // the log is emptied the next time.
        self.store.empty_log_if_idle();
        if was_current
            && let Ok(reader) = cache.reader.version()
            && nobody_wrote()
        {
            // Nobody committed until after the reader looked.
            cache.advance(reader);
        }
    }
}

/// When there is something to do; none if there is nothing.
fn due(cache: &Cache) -> Option<Instant> {
    let now = Instant::now();
    if cache.stopping || cache.problem.is_some() || cache.unfolded >= super::commit::LOOK_AT_LOG {
        return Some(now);
    }
    // What was on its way may have been left there by a panic.
    let leaving = cache.leaving.as_deref().and_then(Batch::since);
    let since = leaving.or_else(|| cache.waiting.since())?;
    if cache.waiting.transitions() >= GROUP {
        return Some(now);
    }
    Some(since + LINGER)
}
