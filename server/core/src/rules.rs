//! Permission rules: parsing, matching, and which allow rules are over-broad.
//!
//! Deny and ask rules match generously, allow rules narrowly: in doubt, a
//! person is asked. See `docs/rules.md` for the language.

mod below;
mod broad;
mod command;
mod domain;
mod error;
mod index;
mod meet;
mod parameters;
mod path;
mod rule;
mod set;
mod shell_paths;
mod tools;
mod vouch;
mod wildcard;
mod words;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

pub use broad::OverBroad;
pub(crate) use command::glob_prefix;
pub use error::RuleError;
pub use rule::Rule;
pub use set::RuleSet;
pub use tools::aliases;
pub use vouch::{Part, Vouch};

use crate::call::Operation;
use crate::facts::OperationFacts;

/// The list that a rule stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleList {
    /// Blocks what it matches.
    Deny,
    /// Makes what it matches ask.
    Ask,
    /// Allows what it covers.
    Allow,
}

impl RuleList {
    /// Every list, strongest first.
    pub const ALL: [Self; 3] = [Self::Deny, Self::Ask, Self::Allow];

    /// The key in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Allow => "allow",
        }
    }

    /// Whether rules of this list make calls stricter.
    pub(crate) const fn restricts(self) -> bool {
        match self {
            Self::Deny | Self::Ask => true,
            Self::Allow => false,
        }
    }
}

impl fmt::Display for RuleList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a rule stands, and how its text is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOrigin {
    /// The layer.
    pub scope: Scope,
    /// The file, if it is one.
    pub file: Option<Utf8PathBuf>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// The canonical folder that patterns of the form `/x` are relative to.
    pub root: Utf8PathBuf,
    /// How the text is to be read.
    pub reading: Reading,
}

/// The layers of settings, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The administrator's file.
    System,
    /// The user's file.
    User,
    /// The user's settings in the editor.
    EditorUser,
    /// The workspace's file.
    Workspace,
    /// The workspace's settings in the editor.
    EditorWorkspace,
    /// Remembered for one session.
    Session,
}

impl Scope {
    /// The name in the journal and for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::EditorUser => "editor_user",
            Self::Workspace => "workspace",
            Self::EditorWorkspace => "editor_workspace",
            Self::Session => "session",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose reading of rules the author of a rule had in mind. Where they differ,
/// deny and ask take the wider one, allow the narrower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Our own.
    #[default]
    Countersign,
    /// Claude Code's.
    Claude,
    /// Qwen Code's: a command without wildcard is "exactly this, or this and
    /// more".
    Qwen,
}

/// What rules are matched against: one operation of a call.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// What the outside world says about it.
    pub facts: &'a OperationFacts,
    /// The canonical folder of the call.
    pub cwd: &'a Utf8Path,
    /// The user's canonical home folder.
    pub home: &'a Utf8Path,
}

/// A deny or ask rule that speaks of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Whether it matches for certain; otherwise it cannot be ruled out.
    pub certain: bool,
    /// What it matches, in plain words.
    pub what: String,
}

/// How certainly a rule speaks of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    /// It cannot be ruled out.
    Possible,
    /// It does.
    Certain,
}

impl Certainty {
    fn weaker(self, other: Self) -> Self {
        self.min(other)
    }
}
