//! Puts Countersign's hook into the settings of coding agents, takes it out
//! again, and reads from the agents' own settings whether it really guards.
//!
//! Planning and reading are pure: texts of files and a few facts in, edits and
//! findings out. Only [`disk`], [`program`] and [`record`] touch files.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod command_line;
pub mod disk;
mod document;
mod entries;
mod layers;
mod look;
mod plan;
mod plugin;
mod profile;
pub mod program;
pub mod record;
mod refused;
mod trust;
mod version;

pub use command_line::{HookCall, HookCommand, Words};
pub use layers::{
    Bases, Content, Layer, LayerKind, Scope, codex_config, layers, own_folder, target,
};
pub use look::{Binary, Facts, Finding, FoundHook, Level, Report, Standing, look};
pub use plan::{
    Edit, Plan, Wish, diff, distrust_hooks, install, needs_trust, trust_hooks, uninstall,
};
pub use profile::{Event, Profile, Shape, profile};
pub use refused::Refused;
pub use trust::hook_hash;
pub use version::Version;
