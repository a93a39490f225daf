//! Foreign JSON to calls, and decisions back into what each agent honours.
//! Nothing outside this crate knows the shape of an agent's payload.
//!
//! Everything here is pure and total: what cannot be understood is a
//! [`DecodeError`] that names the field, and there is always an output that
//! blocks ([`raw_block`], [`static_block`]).

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]
#![warn(clippy::indexing_slicing, clippy::string_slice)]

pub mod acp;
mod adapter;
mod block;
mod capabilities;
mod claude;
mod codex;
mod cursor;
mod decode;
pub mod documents;
mod editor;
mod encode;
pub mod endpoints;
mod error;
mod event;
mod fields;
mod fingerprint;
mod gemini;
pub mod generic;
mod heredoc;
mod json;
pub mod opencode;
mod patch;
mod pattern;
mod qwen;
mod tools;
pub mod transcript;
mod typed;
mod urls;
mod vscode;

pub use adapter::known_events;
pub use block::{StaticBlock, raw_block, static_block};
pub use capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit, capabilities,
};
pub use decode::{MAX_PAYLOAD_BYTES, decode};
pub use editor::{EditorCall, editor_call, editor_folder, editor_session};
pub use encode::{Answer, HookOutput, encode};
pub use error::DecodeError;
pub use event::{CallStage, EventKind, EventRef, HookEvent, Stage, Surroundings, event_of_broken};
pub use tools::tool_names;
pub use typed::own_words;
