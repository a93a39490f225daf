//! The coding agents whose calls are guarded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An agent, by the name that `countersign hook <agent>` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// Claude Code.
    ClaudeCode,
    /// Qwen Code.
    Qwen,
    /// OpenAI Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// opencode.
    Opencode,
    /// Cursor.
    Cursor,
    /// The agent of VS Code and GitHub Copilot.
    Vscode,
    /// Any other agent, through the documented generic schema.
    Generic,
}

impl Agent {
    /// Every agent, in the order of documents and menus.
    pub const ALL: [Self; 8] = [
        Self::ClaudeCode,
        Self::Qwen,
        Self::Codex,
        Self::Gemini,
        Self::Opencode,
        Self::Cursor,
        Self::Vscode,
        Self::Generic,
    ];

    /// The name on the command line, in the journal and in telemetry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Qwen => "qwen",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Opencode => "opencode",
            Self::Cursor => "cursor",
            Self::Vscode => "vscode",
            Self::Generic => "generic",
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no agent's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown agent `{0}`; known agents: claude-code, qwen, codex, gemini, opencode, cursor, vscode, generic"
)]
pub struct UnknownAgent(pub String);

impl FromStr for Agent {
    type Err = UnknownAgent;

    fn from_str(name: &str) -> Result<Self, UnknownAgent> {
        Self::ALL
            .into_iter()
            .find(|agent| agent.as_str() == name)
            .ok_or_else(|| UnknownAgent(name.to_owned()))
    }
}
