//! What the settings promise, at the boundary of the crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod classifier;
mod consent;
mod documents;
mod edit;
mod files;
mod hooks;
mod hostile;
mod imports;
mod layers;
mod sandbox;
mod telemetry;
mod trust;
