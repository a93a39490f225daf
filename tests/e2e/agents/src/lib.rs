//! The real coding agents against the real guard: agents of pinned versions, a
//! model that says what a test scripts, the installed hooks, a language server
//! with a person before it. What ran is seen in files, and what the agent was
//! told in what its model was sent.
//!
//! See the README beside this for what must be there.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test does not get fails it"
)]

pub mod acp;
pub mod agent;
pub mod agents;
pub mod cases;
pub mod desk;
pub mod detached;
pub mod installed;
pub mod model;
pub mod person;
pub mod surroundings;
mod switches;
pub mod terminal;
pub mod wait;
pub mod world;
