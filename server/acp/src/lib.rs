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

mod asking;
mod calls;
mod child;
mod from_agent;
mod from_client;
mod lines;
mod message;
mod modes;
mod names;
mod options;
mod outlet;
mod proxy;
mod replies;
mod route;
mod serve;
mod sessions;
mod told;

pub use child::{AgentProcess, exit_code};
pub use names::agent_named;
pub use route::{Asked, FindAgent, Question, Servers};
pub use serve::{Over, Setup, serve};
