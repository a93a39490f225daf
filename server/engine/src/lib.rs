//! The pipeline, and the only code that changes state.
//!
//! [`Engine::decide`] decides a call, [`Engine::conclude`] takes a classifier's
//! answer, [`Engine::resolve`] a person's. Every surface and every agent goes
//! through these three; outcomes are applied in one function and approvals
//! resolved in one.

mod apply;
pub mod clock;
mod engine;
pub mod events;
mod hooks;
pub mod host;
mod join;
pub mod ledger;
pub mod nesting;
pub mod observer;
pub mod policy;
pub mod prepare;
mod record;
pub mod request;
pub mod resolve;
mod session;
mod set_aside;
mod shadow;
mod stakes;
mod world;

pub use engine::{Engine, Ids, Processes};
pub use record::subject;
