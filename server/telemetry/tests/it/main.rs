//! Telemetry as a collector receives it.

#![allow(missing_docs)]

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
