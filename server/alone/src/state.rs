//! The state as a hook finds it: one that cannot even be created is one that
//! cannot be written, and not one that cannot be read. And how it is kept small.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::state::{StateError, StateStore};
use countersign_engine::clock::{Clock as _, SystemClock};
use countersign_guard::Broken;
use countersign_settings::JournalLimits;
use countersign_store::Store;

/// The state, and its journal where that can be read.
pub struct State {
    /// The state.
    pub store: Arc<dyn StateStore>,
    /// The same, to look at rows.
    pub journal: Option<Arc<Store>>,
}

/// Opens the state.
///
/// # Errors
/// When it is there and cannot be read: nothing may be decided.
pub fn open(state_dir: &Utf8Path) -> Result<State, String> {
    match Store::open(state_dir) {
        Ok(store) => {
            let store = Arc::new(store);
            Ok(State {
                store: Arc::clone(&store) as _,
                journal: Some(store),
            })
        }
        Err(error @ StateError::Unwritable(_)) => Ok(State {
            store: Arc::new(Broken(error)),
            journal: None,
        }),
        Err(error @ StateError::Unreadable(_)) => Err(error.to_string()),
    }
}

/// Keeps the journal within the limits of the settings. Nobody waits for it:
/// called when a session begins or ends.
pub(crate) fn retain(state_dir: &Utf8Path, limits: JournalLimits) {
    let (max_age, max_bytes) = limits.retention();
    let retained = Store::open(state_dir)
        .and_then(|store| store.retain(max_age, max_bytes, SystemClock.now()));
    if let Err(error) = retained {
        tracing::error!("the journal is not kept within its limits: {error}");
    }
}
