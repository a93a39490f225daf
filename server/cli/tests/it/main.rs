//! The program as its users see it: agents that call the hook, and people at
//! the command line. Every test has a home and a workspace of its own.
//!
//! The test process stands for the agent: a session belongs to the nearest
//! process above the hook that does more than start another. It may itself
//! run under a real agent or not, and nothing here depends on that.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod check;
mod concurrency;
mod deadline;
mod delegated;
mod demo;
mod doctor;
mod environment;
mod eval;
mod forgery;
mod handing_over;
mod inputs;
mod install;
mod journal;
mod journal_tools;
mod person;
mod settings;
mod small;
mod sources_of_users;
mod state;
mod support;
mod surroundings;
mod trust;
mod usage;
mod user_hooks;
mod with_model;
