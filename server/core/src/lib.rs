//! Decisions of the guard as pure, total functions: same input, same decision.
//!
//! Nothing here reads a file, the environment or a clock. What the outside
//! world knows comes in as facts ([`paths::PathFact`], [`command::CommandView`]);
//! what should happen comes out as a [`decision::Decision`].

#![warn(clippy::indexing_slicing, clippy::string_slice)]

pub mod agent;
pub mod approval;
pub mod call;
pub mod classify;
pub mod command;
pub mod decide;
pub mod decision;
pub mod denials;
pub mod effect;
pub mod facts;
pub mod guard;
pub mod ledger;
pub mod message;
pub mod mode;
pub mod model;
pub mod own;
pub mod paths;
pub mod policy;
pub mod programs;
pub mod projection;
pub mod prompt;
pub mod redact;
pub mod rules;
pub mod search_path;
pub mod state;
pub mod tool;
pub mod trace;
pub mod transcript;
