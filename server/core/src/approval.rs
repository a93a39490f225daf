//! Answers to an ask, and what each of them means.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::{AskReason, BlockReason, Decision, Via};
use crate::denials::DenialEvent;

/// How an ask ended. Everything that is not an explicit yes is a no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Yes, this time.
    ProceedOnce,
    /// Yes, and a rule is remembered.
    ProceedAlways,
    /// Yes, and the session goes on in default mode.
    ProceedOnceAndSwitchToDefault,
    /// No.
    Cancel {
        /// What the person wants the agent to know.
        message: Option<String>,
    },
    /// The prompt was closed without an answer.
    Dismissed,
    /// Nobody answered before the deadline.
    Timeout,
    /// The call went away before an answer: the agent ended, the turn ended.
    Aborted,
    /// There is nobody to ask.
    NoSurface,
    /// Nobody was asked, to spare a person who was asked too often.
    NotAsked {
        /// Why not.
        because: NotAsked,
    },
}

/// Why a person was not asked although one must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAsked {
    /// The same was rejected a moment ago.
    RejectedBefore,
    /// Three rejections or timeouts in a row: a person must act first.
    Paused,
    /// Too many approvals are pending already.
    TooMany,
}

impl NotAsked {
    /// Why, and what to do about it, in plain words.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::RejectedBefore => {
                "the same was rejected a moment ago and is not asked again before the user's next \
                 message, or for 10 minutes"
            }
            Self::Paused => {
                "three approvals in a row were rejected or not answered, so asking is paused until \
                 the user acts"
            }
            Self::TooMany => "too many approvals are waiting for the user already",
        }
    }
}

impl Answer {
    /// Whether the tool may run: the one place that knows.
    #[must_use]
    pub const fn proceeds(&self) -> bool {
        match self {
            Self::ProceedOnce | Self::ProceedAlways | Self::ProceedOnceAndSwitchToDefault => true,
            Self::Cancel { .. }
            | Self::Dismissed
            | Self::Timeout
            | Self::Aborted
            | Self::NoSurface
            | Self::NotAsked { .. } => false,
        }
    }

    /// The name in the journal and in telemetry.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ProceedOnce => "proceed_once",
            Self::ProceedAlways => "proceed_always",
            Self::ProceedOnceAndSwitchToDefault => "proceed_once_and_switch_to_default",
            Self::Cancel { .. } => "cancel",
            Self::Dismissed => "dismissed",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
            Self::NoSurface => "no_surface",
            Self::NotAsked { .. } => "not_asked",
        }
    }

    /// What becomes of the call.
    #[must_use]
    pub fn decision(&self) -> Decision {
        let block = |reason, detail: String| Decision::Block { reason, detail };
        match self {
            Self::ProceedOnce | Self::ProceedAlways | Self::ProceedOnceAndSwitchToDefault => {
                Decision::Allow {
                    via: Via::Approval,
                    detail: "approved by a person".to_owned(),
                }
            }
            Self::Cancel { message } => block(
                BlockReason::Person,
                message
                    .clone()
                    .unwrap_or_else(|| "a person said no".to_owned()),
            ),
            Self::Dismissed => block(
                BlockReason::Person,
                "the prompt was closed without an answer".to_owned(),
            ),
            Self::Timeout => block(
                BlockReason::Timeout,
                "nobody answered before the deadline".to_owned(),
            ),
            Self::Aborted => block(
                BlockReason::Person,
                "the call ended before an answer".to_owned(),
            ),
            Self::NoSurface => block(
                BlockReason::NoSurface,
                "a person must be asked and there is nowhere to ask".to_owned(),
            ),
            Self::NotAsked { because } => {
                block(BlockReason::Person, because.explanation().to_owned())
            }
        }
    }

    /// What becomes of the call, in the words for who answered.
    #[must_use]
    pub fn decision_by(&self, source: AnswerSource) -> Decision {
        match (self.decision(), source) {
            (Decision::Allow { via, .. }, AnswerSource::Hook) => Decision::Allow {
                via,
                detail: "approved by a user hook".to_owned(),
            },
            (decision, _) => decision,
        }
    }

    /// What the answer does to the counters, given why the ask was made: only
    /// a yes to an ask that a cap forced clears anything, and a person's
    /// change of mode.
    #[must_use]
    pub const fn denial_event(&self, asked: AskReason) -> Option<DenialEvent> {
        match self {
            Self::ProceedOnce | Self::ProceedAlways => match asked.cap_kind() {
                Some(_) => Some(DenialEvent::CapApproved),
                None => None,
            },
            Self::ProceedOnceAndSwitchToDefault => Some(DenialEvent::PersonReset),
            Self::Cancel { .. }
            | Self::Dismissed
            | Self::Timeout
            | Self::Aborted
            | Self::NoSurface
            | Self::NotAsked { .. } => None,
        }
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerSource {
    /// The agent's own prompt, seen by the result of that exact call.
    Agent,
    /// The terminal of `countersign demo`, over a state of its own.
    DemoTerminal,
    /// Visual Studio Code or an editor made from it, through our extension.
    Vscode,
    /// Neovim, through our plugin.
    Neovim,
    /// Another editor that shows approvals itself.
    OtherEditor,
    /// An editor's standard prompt (`window/showMessageRequest`).
    StandardPrompt,
    /// A hook of the user or of the machine (`PermissionRequest`); a no also
    /// of a workspace.
    Hook,
    /// The client of the Agent Client Protocol, through our proxy.
    Acp,
    /// Nobody: the guard itself ended it.
    None,
}

impl AnswerSource {
    /// The name in the journal and in telemetry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::DemoTerminal => "demo_terminal",
            Self::Vscode => "vscode",
            Self::Neovim => "neovim",
            Self::OtherEditor => "other_editor",
            Self::StandardPrompt => "standard_prompt",
            Self::Hook => "hook",
            Self::Acp => "acp",
            Self::None => "none",
        }
    }
}

impl fmt::Display for AnswerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
