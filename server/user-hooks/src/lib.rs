//! Runs what people hooked to events: programs and addresses, each within its
//! time and size, in surroundings that no agent can set.
//!
//! Nothing here decides. What hooks said to a request comes out as one
//! [`Said`]; the caller takes it to the one function that resolves approvals.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod answer;
mod command;
mod environment;
mod firing;
mod http;
mod listing;
mod payload;
mod run;
mod runner;
mod tls;

pub use environment::Person;
pub use firing::{Firing, Place, names_of};
pub use listing::{ExitMeaning, Field, ListedEvent, ListedHook, Listing, list};
pub use payload::{About, CallInput, Payload};
pub use run::{Done, Report, Said, run};
pub use runner::{Runner, Running, Tools, Variables};
