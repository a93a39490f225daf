//! What user hooks promise, at the boundary of the crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod answers;
mod bounds;
mod desk;
mod documented;
mod http;
mod listing;
mod surroundings;
