//! The language server: the guard's state as an editor sees it, and the only
//! crate that knows the Language Server Protocol.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod client;
pub mod protocol;
mod snapshot;
mod transport;

pub use transport::{Requests, ServeEnd, serve, watch_parent};
