//! Stands for a state that cannot be used, so that whoever needs it learns why.

use countersign_core::state::{Millis, StateError, StateStore, Transaction};
use countersign_settings::JournalLimits;
use countersign_store::{Filter, JournalRow};

use crate::service::Journal;

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

impl Journal for Broken {
    fn rows(&self, _: &Filter) -> Result<Vec<JournalRow>, StateError> {
        Err(self.0.clone())
    }

    fn trouble(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn changes(&self) -> Result<u64, StateError> {
        Err(self.0.clone())
    }

    fn retain(&self, _: JournalLimits, _: Millis) -> Result<(), StateError> {
        Err(self.0.clone())
    }
}
