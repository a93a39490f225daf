//! The proxy between an agent and a client that are both this test: what passes,
//! what is decided, and what nobody can get past it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod approvals;
mod attacks;
mod ends;
mod golden;
mod passing;
mod sessions;
mod support;
