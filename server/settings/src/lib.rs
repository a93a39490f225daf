//! Settings: read in layers, merged so that a workspace can only tighten,
//! with imports of other agents' permission lists, trust and consent.
//!
//! Every setting is one [`Descriptor`]; the merge, the JSON schema and
//! `docs/settings.md` come from that table. Nothing here reads the
//! environment: an agent may set it.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod assemble;
mod classifier;
mod consent;
mod descriptor;
mod document;
mod edit;
mod effective;
mod extract;
mod file;
mod generate;
mod hooks;
mod import;
mod last_good;
mod layer;
mod loader;
mod merge;
mod places;
mod private;
mod problem;
mod table;
mod telemetry;
mod text;
mod trust;
mod user;

pub use consent::WorkspaceEntry;
pub use descriptor::{Descriptor, Direction, Fixed, Kind, Merge};
pub use edit::{EditError, RuleFile, acknowledge_auto, add_rule, set_user_values};
pub use effective::{Effective, Hints, ImportFrom, JournalLimits, RunEditedCode, Source};
pub use generate::{document, schema};
pub use hooks::{
    DEFAULT_TIMEOUT, HookAction, HookEvent, HookSurroundings, LONGEST_TIMEOUT, MOST_HOOKS, Matcher,
    UserHook, WORKSPACE_VARIABLE, bound_files, offered, paths_inside,
};
pub use loader::{EditorLayers, Loader, load};
pub use places::{Places, PlacesError};
pub use private::{StateFileError, kept_secret, private_directory};
pub use problem::{Position, SettingsProblem, Severity};
pub use table::DESCRIPTORS;
pub use telemetry::{ExportProtocol, TelemetrySettings};
pub use text::TextRule;
pub use trust::{TrustStore, TrustedFolder};
