//! Stands between a client of the Agent Client Protocol (an editor) and its
//! agent: every permission that the agent asks for, and everything that it has
//! the client read, write or run, is decided by the guard.
//!
//! Everything else passes byte for byte. What could be read as another message
//! than the proxy reads it passes nowhere.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]
#![warn(clippy::indexing_slicing, clippy::string_slice)]

mod calls;
mod lines;
mod message;
mod outlet;
mod replies;
