//! What the engine promises at its boundaries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod catastrophes;
mod command_writes;
mod had_back;
mod host;
mod ledger;
mod ledger_attacks;
mod ledger_desk;
mod project;
mod rules;
mod trust;
