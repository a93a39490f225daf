//! Stands for a state that cannot be used, so that whoever needs it learns why.

use countersign_core::state::{StateError, StateStore, Transaction};

/// A state that cannot be used.
#[derive(Debug, Clone)]
pub struct Broken(pub StateError);

type Work<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>;

impl StateStore for Broken {
    fn transition(&self, _: Work<'_>) -> Result<(), StateError> {
        Err(self.0.clone())
    }

    fn read(&self, _: Work<'_>) -> Result<(), StateError> {
        Err(self.0.clone())
    }
}
