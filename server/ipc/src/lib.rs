//! Who called, and who answers: the chain of processes above one of the guard's
//! processes, and the local socket between a hook and a server.
//!
//! A hook finds the servers ([`discovery`]), connects to one and asks
//! ([`client`]) in the words of [`wire`]; both sides look at who is at the
//! other end ([`peer`]). The asynchronous half of the server is not here: a
//! hook is started for every tool call and pays for all that it links.
//!
//! The chain of processes answers two questions. Which process opened an agent's session, so that
//! only its tree is believed about that session; and whether a person's
//! command (`countersign trust`) really runs outside of every agent.
//!
//! What a chain cannot prove: whoever may run code as the user can start a
//! program whose ancestors are not the agent's (a terminal multiplexer that
//! was there before). Such a call has to be stopped before it runs; this crate
//! only refuses what it can see, and says where it cannot see.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]
#![warn(clippy::indexing_slicing, clippy::string_slice)]

mod above;
mod acceptable;
mod ancestry;
mod below;
pub mod client;
mod detached;
pub mod discovery;
#[cfg(all(test, target_os = "linux"))]
mod fake;
mod frame;
pub mod instance;
mod json;
mod known;
pub mod peer;
mod process;
#[cfg(target_os = "linux")]
mod procfs;
#[cfg(not(target_os = "linux"))]
#[path = "procfs_unsupported.rs"]
mod procfs;
mod runtime;
#[cfg(target_os = "linux")]
mod socket;
#[cfg(not(target_os = "linux"))]
#[path = "socket_unsupported.rs"]
mod socket;
#[cfg(target_os = "linux")]
mod stat;
pub mod wire;

pub use above::{AgentAbove, AgentsAbove, agents_above};
pub use ancestry::{Ancestry, alive, ancestors, boot_id, caller, is_ancestor, under_agent};
pub use below::{agent_below, spoken_for};
pub use known::{KnownAgent, agent_of};
pub use process::{Chain, ChainEnd, Process, Unavailable};
