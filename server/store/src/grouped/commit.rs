//! Writing what waits, alone or together with a transition that may not wait.

use std::sync::{MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::state::{Millis, Record, RecordKind, StateError, Transaction as _};

use super::batch::Batch;
use super::cache::{Cache, Problem};
use super::noting::{Changed, Noting};
use super::{Shared, Work};
use crate::store::{Uncommitted, Waiting};

/// After how many transitions that did not wait the log is looked at.
pub(super) const LOOK_AT_LOG: u32 = 64;

/// Why a transaction is made.
pub(super) enum Purpose<'a> {
    /// A transition that may not wait.
    Transition(Work<'a>),
    /// Something waits that must be written before a transition can be done.
    Room,
    /// Something waits.
    Flush,
    /// To find out whether writing works again; also if nothing waits.
    Probe,
}

impl Shared {
    /// Writes what waits and does the transition, in one transaction.
    ///
    /// The writer's lock is held first and for the whole time; the cache's only
    /// where what others see changes. While a transition of its own runs, that
    /// is the whole transition: nothing may be acknowledged on top of a state
    /// that is about to be another one.
    pub(super) fn commit(
        &self,
        waiting: Waiting,
        mut purpose: Purpose<'_>,
    ) -> Result<(), Uncommitted> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = {
            let mut cache = self.cache();
            // Somebody else may have found out while this one waited for him;
            // not everybody is to be as patient as the first.
            let refused = match purpose {
                Purpose::Transition(_) | Purpose::Room => cache.refuse_if_unwritable(),
                Purpose::Flush => cache.unwritable(),
                Purpose::Probe => Ok(()),
            };
            refused.map_err(Uncommitted::Failed)?;
            if matches!(purpose, Purpose::Room | Purpose::Flush) && !cache.is_waiting() {
                return Ok(());
            }
            cache.take()
        };
        let known = *writer;
        let mut seen = None;
        let mut others = false;
        let mut held: Option<MutexGuard<'_, Cache>> = None;
        let mut changed = Changed::default();
        let mut is_own_error = false;
        let mut is_current = false;
        let result = self.store.commit(waiting, &mut |sql| {
            held = None;
            changed = Changed::default();
            is_own_error = false;
            let version = sql.version()?;
            seen = Some(version);
            others = known != Some(version);
            batch.write(sql, others)?;
            let cache = held.insert(self.cache());
            if let Some(problem) = &cache.problem {
                sql.append(&recovered(problem))?;
            }
            // Nobody else can commit from here on, until this is committed.
            is_current = cache.is_current();
            if let Purpose::Transition(work) = &mut purpose {
                cache.waiting.write(sql, others)?;
                let worked = work(&mut Noting {
                    sql: &mut *sql,
                    changed: &mut changed,
                });
                is_own_error = worked.is_err() && !sql.has_failed();
                worked?;
            }
            Ok(())
        });
        drop(batch);
        let mut cache = held.unwrap_or_else(|| self.cache());
        match &result {
            Ok(()) => {
                cache.leaving = None;
                if let Purpose::Transition(_) = purpose {
                    cache.waiting = Batch::default();
                    cache.unfolded += 1;
                    cache.follow(changed);
                }
                if others {
                    // What is written is theirs and ours; in memory is ours.
                    cache.doubt();
                }
                // What was acknowledged while this was written does not know yet
                // what others wrote: at the next time, too, theirs wins.
                *writer = seen.filter(|_| !others || cache.waiting.is_empty());
                cache.problem = None;
                if is_current
                    && let Ok(reader) = cache.reader.version()
                    && self.store.version_if_idle() == seen
                {
                    // Nobody else committed until after the reader looked.
                    cache.advance(reader);
                }
            }
            Err(Uncommitted::Busy(_)) if waiting == Waiting::Never => cache.restore(),
            Err(Uncommitted::Busy(error) | Uncommitted::Failed(error)) => {
                cache.restore();
                if matches!(error, StateError::Unwritable(_)) && !is_own_error {
                    cache.degrade(error.clone());
                    if matches!(purpose, Purpose::Transition(_) | Purpose::Room) {
                        // It is the first that is refused.
                        let _ = cache.refuse_if_unwritable();
                    }
                    self.wake.notify_one();
                }
            }
        }
        if cache.unfolded >= LOOK_AT_LOG {
            self.wake.notify_one();
        }
        result
    }
}

/// The row that says what is missing.
fn recovered(problem: &Problem) -> Record {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
        });
    Record {
        detail: Some(format!(
            "nothing could be written for {} s; what was decided then was decided as in default mode and \
             is not in the journal ({} events): {}",
            problem.since.elapsed().as_secs(),
            problem.refused,
            problem.error
        )),
        ..Record::of(RecordKind::Problem, now)
    }
}
