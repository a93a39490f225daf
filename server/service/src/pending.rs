//! An approval that waits for a person, as every surface sees it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use camino::Utf8PathBuf;
use countersign_core::call::{Call, Digest, SessionKey};
use countersign_core::decision::AskReason;
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::facts::Facts;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{Millis, ModelRecord};
use countersign_core::tool::Tool;
use countersign_guard::Guard;

use crate::parts::Part;

/// What an answer must carry besides the id, so that only who was shown the
/// approval can approve it. Exists in the memory of the server and of its
/// surfaces only; printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// A new one of 128 random bits; none where the system gives no randomness.
    #[must_use]
    pub(crate) fn new() -> Option<Self> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// The text, for the surface that shows the approval, and nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a surface sent exactly this one.
    #[must_use]
    pub fn is(&self, sent: &str) -> bool {
        self.0 == sent
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

/// An approval that waits for a person.
#[derive(Debug, Clone)]
pub struct PendingApproval {
    /// The guard's id of the call.
    pub id: String,
    /// What an answer must carry.
    pub nonce: Nonce,
    /// What an approval is bound to.
    pub digest: Digest,
    /// The session, and the sub-agent in it.
    pub key: SessionKey,
    /// The call.
    pub call: Arc<Call>,
    /// What is known of it.
    pub facts: Arc<Facts>,
    /// The canonical tool of its first operation.
    pub tool: Tool,
    /// The mode in force.
    pub mode: ApprovalMode,
    /// Why a person is asked.
    pub reason: AskReason,
    /// The same in plain words.
    pub detail: String,
    /// The counters that hold for the call.
    pub counters: Counters,
    /// Against these caps.
    pub limits: DenialLimits,
    /// Its parts, and which of them were already fine.
    pub parts: Vec<Part>,
    /// What it would do, in plain words, as far as that is known.
    pub effects: Vec<String>,
    /// Rules that would have allowed it; empty where nothing may be remembered.
    pub suggestions: Vec<String>,
    /// What a model said of it, if one was asked before the person.
    pub model: Option<ModelRecord>,
    /// How often the same was asked before in this session.
    pub asked_before: u32,
    /// When it was asked.
    pub asked_at: Millis,
    /// When nobody can answer it any more.
    pub deadline: Millis,
    /// The same, as this process counts.
    pub(crate) expires: Instant,
    /// The workspace of the session.
    pub workspace: Option<Utf8PathBuf>,
    /// What holds for it.
    pub(crate) guard: Arc<Guard>,
}

/// Where a remembered rule goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remember {
    /// The memory of the server, for this session.
    Session,
    /// The workspace's settings file.
    Project,
    /// The user's settings file.
    User,
}

/// What a person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// No; perhaps with a message for the agent.
    Deny {
        /// What the agent is told.
        message: Option<String>,
    },
    /// Yes, this time.
    Approve,
    /// Yes, and these of the suggested rules are remembered.
    Remember {
        /// The rules, each one confirmed.
        rules: Vec<String>,
        /// Where they go.
        scope: Remember,
    },
    /// Yes, and the session goes on in default mode.
    ApproveAndSwitchToDefault,
    /// The prompt was closed without a choice.
    Dismiss,
}

impl Choice {
    /// Whether it lets the call run.
    #[must_use]
    pub const fn approves(&self) -> bool {
        match self {
            Self::Approve | Self::Remember { .. } | Self::ApproveAndSwitchToDefault => true,
            Self::Deny { .. } | Self::Dismiss => false,
        }
    }
}
