//! The language server: the guard's state as an editor sees it, and the only
//! crate that knows the Language Server Protocol.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod actor;
mod agent_calls;
mod client;
mod commands;
mod convert;
mod documents;
mod draw;
mod outbox;
mod prompt;
mod prompts;
pub mod protocol;
mod publish;
mod requests_of_a_person;
mod run;
mod server;
mod shared;
mod snapshot;
mod transport;

pub use run::run;
pub use transport::{Requests, ServeEnd, serve, watch_parent};
