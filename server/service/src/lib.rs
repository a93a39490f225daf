//! The guard over many calls: what one call at a time does not know. Sessions
//! and what a person chose for them, approvals, one-time grants, and the local
//! socket over which hooks ask.
//!
//! Nothing here knows how a surface draws; a surface hears [`Notice`]s, reads
//! views and reports a person's acts.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod announce;
mod answers;
mod approvals;
mod broken;
mod classifier;
mod decide;
mod degraded;
mod effects;
pub mod explain;
mod fatigue;
mod grants;
mod guards;
mod health;
mod history;
mod hook_payloads;
mod hooks;
mod in_flight;
mod incoming;
mod judge;
mod material;
mod parts;
mod pending;
mod person;
mod proxied;
mod questions;
mod remember;
mod reuse;
mod service;
mod sessions;
mod socket;
mod story;
mod suggest;
mod surface;
mod tail;
mod telemetry;
mod turns;
mod verdicts;

pub use announce::{HooksError, answer_hooks};
pub use answers::Answered;
pub use approvals::{AnswerError, TOO_SOON};
pub use classifier::{Classifier, Question};
pub use decide::Begun;
pub use degraded::{Component, DegradedPart};
pub use effects::{command_effects, effects};
pub use grants::GrantError;
pub use health::{ClassifierHealth, ClassifierState};
pub use hook_payloads::{denied_payload, request_payload, session_payload, waiting_payload};
pub use incoming::{Gone, Handled, Incoming, Origin, Proxy};
pub use judge::no_time;
pub use material::{material, past};
pub use parts::{Part, parts, static_decision};
pub use pending::{Choice, Nonce, PendingApproval, Remember};
pub use person::{AUTO_NOTICE, Notice as AutoNotice, PersonError, Said};
pub use remember::RememberError;
pub use service::{Changed, Journal, Parts, Service};
pub use sessions::{CallStory, SessionView};
pub use surface::{Notice, SurfaceKind};
pub use tail::follow;
pub use turns::{TurnsError, turns};
