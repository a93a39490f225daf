//! The journal of a state that cannot be used.

use countersign_core::state::{Millis, StateError};
use countersign_guard::Broken;
use countersign_settings::JournalLimits;
use countersign_store::{Filter, JournalRow};

use crate::service::Journal;

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
