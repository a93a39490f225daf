//! What holds for a decision: the merged settings of one workspace, compiled.

use serde::{Deserialize, Serialize};

/// How far static analysis may allow, strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
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
