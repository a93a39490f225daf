//! Who called: the chain of processes above one of the guard's processes.
//!
//! It answers two questions. Which process opened an agent's session, so that
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

mod ancestry;
mod known;
mod process;
#[cfg(target_os = "linux")]
mod procfs;
#[cfg(not(target_os = "linux"))]
#[path = "procfs_unsupported.rs"]
mod procfs;
#[cfg(target_os = "linux")]
mod stat;

pub use ancestry::{Ancestry, alive, ancestors, boot_id, caller, is_ancestor, under_agent};
pub use known::{KnownAgent, agent_of};
pub use process::{Chain, ChainEnd, Process, Unavailable};
