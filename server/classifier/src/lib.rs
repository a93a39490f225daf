//! Asks a model about the calls that nothing else decides: two stages, three
//! interfaces, and no answer is never an allow.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod address;
mod answer;
mod client;
mod codec;
mod dialect;
mod endpoint;
mod failure;
mod key;
mod models;
mod probe;
mod probing;
mod schedule;
#[cfg(test)]
mod testing;
mod trust;

pub use models::{Environment, Models};
pub use probe::{Probe, Problem, StageProbe, StyleProbe};
