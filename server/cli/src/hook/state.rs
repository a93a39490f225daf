//! The state as a hook finds it: one that cannot even be created is one that
//! cannot be written, and not one that cannot be read. And how it is kept small.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::state::{Millis, StateError, StateStore, Transaction};
use countersign_engine::clock::{Clock as _, SystemClock};
use countersign_settings::JournalLimits;
use countersign_store::Store;

/// Opens the state.
///
/// # Errors
/// When it is there and cannot be read: nothing may be decided.
pub(super) fn open(state_dir: &Utf8Path) -> Result<Arc<dyn StateStore>, String> {
    match Store::open(state_dir) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error @ StateError::Unwritable(_)) => Ok(Arc::new(Unwritable(error))),
        Err(error @ StateError::Unreadable(_)) => Err(error.to_string()),
    }
}

/// Keeps the journal within the limits of the settings. Nobody waits for it:
/// called when a session begins or ends.
pub(super) fn retain(state_dir: &Utf8Path, limits: JournalLimits) {
    const DAY: Millis = 24 * 60 * 60 * 1_000;
    const MEGABYTE: u64 = 1_000_000;
    let max_age = Millis::try_from(limits.retention_days)
        .unwrap_or(Millis::MAX)
        .saturating_mul(DAY);
    let max_bytes = limits.max_megabytes.saturating_mul(MEGABYTE);
    let retained = Store::open(state_dir)
        .and_then(|store| store.retain(max_age, max_bytes, SystemClock.now()));
    if let Err(error) = retained {
        tracing::error!("the journal is not kept within its limits: {error}");
    }
}

/// Stands for a state that does not exist and cannot be created.
struct Unwritable(StateError);

type Work<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>;

impl StateStore for Unwritable {
    fn transition(&self, _: Work<'_>) -> Result<(), StateError> {
        Err(self.0.clone())
    }

    fn read(&self, _: Work<'_>) -> Result<(), StateError> {
        Err(self.0.clone())
    }
}
