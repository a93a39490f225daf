//! Where the guard's state is kept. The only crate that knows SQL, so that the
//! promise "acknowledged is committed" is kept in one place.
//!
//! [`Store`] is the truth, shared by every process of one user through one
//! SQLite file; [`GroupedStore`] is the same for the one process that decides
//! many calls a second; [`MemoryStore`] is the same without a file, for scenarios,
//! benches and `check`.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod chain;
mod error;
mod facets;
mod grouped;
mod journal;
mod ledger;
mod memory;
mod place;
mod prune;
mod row;
mod schema;
mod statistics;
mod store;
mod transaction;
mod verify;

pub use facets::Facet;
pub use grouped::{GroupedStore, MOST_ROWS};
pub use journal::{Filter, JournalRow};
pub use memory::MemoryStore;
pub use place::FILE_NAME;
pub use statistics::{Layer, OTHERS, Statistics, Tally, Times};
pub use store::Store;
pub use verify::{ChainError, ChainFault, Verified, VerifyError};
