//! What holds for a decision: the merged settings of one workspace, compiled.

use std::sync::LazyLock;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::denials::DenialLimits;
use crate::mode::ApprovalMode;
use crate::paths::ProtectedPaths;
use crate::rules::RuleSet;

/// Everything that a decision depends on besides the call and the session.
#[derive(Debug)]
pub struct Policy {
    /// The mode in which a session starts, already tightened by what must
    /// tighten it (an untrusted workspace, degraded settings).
    pub mode: ApprovalMode,
    /// The permission rules of all layers.
    pub rules: RuleSet,
    /// What is protected; compiled when the first path is checked, because it
    /// is half of a hook's work and most calls change nothing.
    pub protected: LazyProtected,
    /// The canonical workspace folders; none means that nothing is inside.
    pub workspaces: Vec<Utf8PathBuf>,
    /// The user's home folder.
    pub home: Utf8PathBuf,
    /// The caps.
    pub limits: DenialLimits,
    /// Whether reads of credential stores are reviewed.
    pub review_credential_reads: bool,
    /// Whether every shell command goes to the classifier.
    pub classify_all_shell: bool,
    /// How far static analysis may allow.
    pub static_analysis: StaticAnalysis,
    /// Whether a task of the project runs without review when agents edited
    /// its code.
    pub run_edited_code: bool,
    /// What happens when the classifier gives no answer.
    pub on_unavailable: OnUnavailable,
    /// What is wrong with settings, rules and patterns, with its place; told
    /// once in a session's journal.
    pub problems: Vec<String>,
}

/// What is protected, compiled at first use.
pub type LazyProtected =
    LazyLock<ProtectedPaths, Box<dyn FnOnce() -> ProtectedPaths + Send + Sync>>;

/// How far static analysis may allow, strictest last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum StaticAnalysis {
    /// Commands whose every effect is contained.
    #[default]
    Contained,
    /// Commands that only read.
    ReadOnly,
    /// None.
    Off,
}

/// What happens when the classifier gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnavailable {
    /// The call is denied.
    #[default]
    Block,
    /// A person is asked.
    Ask,
}
