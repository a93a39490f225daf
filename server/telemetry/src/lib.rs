//! What the guard decided, as OpenTelemetry traces, metrics and logs.
//!
//! Off unless the user or the machine asks for it. An observer of the engine
//! copies what may leave into a bounded queue; a thread of its own makes spans
//! and log records of it and sends them. No decision waits, nothing is said in
//! the words of an agent, a rule or a model unless the user opts in, and what
//! a dead collector does not take is dropped and counted.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

pub mod config;
mod counts;
mod document;
mod export;
mod label;
mod logs;
mod metrics;
pub mod names;
mod open;
mod pseudonym;
mod resource;
mod spans;
mod telemetry;
mod told;
mod trust;
mod value;
mod worker;

pub use counts::{Failing, Health};
pub use document::document;
pub use pseudonym::Pseudonyms;
pub use telemetry::{Flushed, Telemetry};
