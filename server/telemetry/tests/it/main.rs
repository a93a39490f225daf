//! Telemetry as a collector receives it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod acceptance;
mod bounds;
mod collector;
mod dashboard;
mod desk;
mod documents;
mod metrics;
mod privacy;
mod received;
mod spans;
