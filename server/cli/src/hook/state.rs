//! The state as a hook finds it: one that cannot even be created is one that
//! cannot be written, and not one that cannot be read.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::state::{StateError, StateStore, Transaction};
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
