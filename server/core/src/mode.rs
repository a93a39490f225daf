//! Approval modes and how an agent's own mode overlays them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much a session may do without asking, strictest first.
///
/// The order of the variants is the order of every menu and the order of
/// strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalMode {
    /// Reads only; everything that changes something is blocked.
    Plan,
    /// Rules, safe tools and read-only commands; the rest asks.
    Default,
    /// As default, and edits of workspace files are allowed.
    AutoEdit,
    /// Static analysis and the classifier decide; people are asked at the caps.
    Auto,
    /// Everything that no deny rule and not the guard's own protection stops.
    Yolo,
}

impl ApprovalMode {
    /// Every mode, in menu order.
    pub const ALL: [Self; 5] = [
        Self::Plan,
        Self::Default,
        Self::AutoEdit,
        Self::Auto,
        Self::Yolo,
    ];

    /// The name in settings, on the command line and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Default => "default",
            Self::AutoEdit => "auto-edit",
            Self::Auto => "auto",
            Self::Yolo => "yolo",
        }
    }

    /// The stricter of the two.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        self.min(other)
    }

    /// The stricter of two modes that only tighten, where there are any.
    #[must_use]
    pub fn strictest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.stricter(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether the mode may be used in a workspace that nobody trusts.
    #[must_use]
    pub const fn allowed_untrusted(self) -> bool {
        match self {
            Self::Plan | Self::Default => true,
            Self::AutoEdit | Self::Auto | Self::Yolo => false,
        }
    }
}

impl fmt::Display for ApprovalMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no mode's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown approval mode `{0}`; use plan, default, auto-edit, auto or yolo")]
pub struct UnknownMode(pub String);

impl FromStr for ApprovalMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == name)
            .ok_or_else(|| UnknownMode(name.to_owned()))
    }
}

/// The agent's own permission mode, as far as it matters here: only plan mode
/// tightens. Countersign replaces the prompts of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentMode {
    /// The agent is planning: the effective mode is plan.
    Plan,
    /// Any other mode of the agent, or none reported.
    #[default]
    Other,
}

impl AgentMode {
    /// The mode that holds for a call. This is an overlay: the session's own
    /// mode, and with it the counters, stay as they are.
    #[must_use]
    pub fn overlay(self, session: ApprovalMode) -> ApprovalMode {
        match self {
            Self::Plan => session.stricter(ApprovalMode::Plan),
            Self::Other => session,
        }
    }
}
