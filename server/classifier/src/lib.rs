//! Asks a model about the calls that nothing else decides: two stages, three
//! interfaces, and no answer is never an allow.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod models;
mod probe;

pub use models::{Environment, Models};
pub use probe::{Probe, Problem, StageProbe, StyleProbe};
