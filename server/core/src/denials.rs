//! Denial counters, caps and the fallback to asking: pure reducers.
//!
//! The table of section 8 of the specification is [`Counters::reduce`]; nothing
//! else changes a counter.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::AskReason;

/// The denial counters of a session.
///
/// A sub-agent has consecutive counters of its own and shares the totals of
/// its root session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Blocks since the last classifier allow, unavailable or reset.
    pub consecutive_block: u32,
    /// Unavailables since the last classifier verdict or reset.
    pub consecutive_unavailable: u32,
    /// Blocks since the last reset of the totals.
    pub total_block: u32,
    /// Unavailables since the last reset of the totals.
    pub total_unavailable: u32,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "consecutiveBlock={}, consecutiveUnavailable={}, totalBlock={}, totalUnavailable={}",
            self.consecutive_block,
            self.consecutive_unavailable,
            self.total_block,
            self.total_unavailable
        )
    }
}

/// How many denials make the next call ask; each at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DenialLimits {
    /// Consecutive blocks.
    pub consecutive_block: u32,
    /// Consecutive unavailables.
    pub consecutive_unavailable: u32,
    /// Blocks and unavailables in the session, any mix.
    pub total: u32,
}

impl Default for DenialLimits {
    fn default() -> Self {
        Self {
            consecutive_block: 3,
            consecutive_unavailable: 2,
            total: 20,
        }
    }
}

/// What can change the counters. Everything that is not listed here changes
/// nothing, and so has no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenialEvent {
    /// The classifier allowed a call.
    ClassifierAllow,
    /// The classifier blocked a call; in auto also a static block.
    Block,
    /// The classifier gave no answer.
    Unavailable,
    /// A person, a hook or the agent's own prompt approved an ask that a cap
    /// had forced.
    CapApproved,
    /// A person changed the mode to another one, or reset the counters.
    PersonReset,
}

impl Counters {
    /// Blocks and unavailables together.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total_block.saturating_add(self.total_unavailable)
    }

    /// The counters after an event.
    #[must_use]
    pub const fn reduce(self, event: DenialEvent, limits: DenialLimits) -> Self {
        match event {
            DenialEvent::ClassifierAllow => Self {
                consecutive_block: 0,
                consecutive_unavailable: 0,
                ..self
            },
            DenialEvent::Block => Self {
                consecutive_block: self.consecutive_block.saturating_add(1),
                consecutive_unavailable: 0,
                total_block: self.total_block.saturating_add(1),
                ..self
            },
            DenialEvent::Unavailable => Self {
                consecutive_block: 0,
                consecutive_unavailable: self.consecutive_unavailable.saturating_add(1),
                total_unavailable: self.total_unavailable.saturating_add(1),
                ..self
            },
            // Whether the totals go too is seen at the answer, not at the ask.
            DenialEvent::CapApproved if self.total() >= limits.total => Self::ZERO,
            DenialEvent::CapApproved => Self {
                consecutive_block: 0,
                consecutive_unavailable: 0,
                ..self
            },
            DenialEvent::PersonReset => Self::ZERO,
        }
    }

    /// The cap that forces the next classifier-bound call to a person, in
    /// order of precedence.
    #[must_use]
    pub const fn armed(&self, limits: DenialLimits) -> Option<AskReason> {
        if self.total() >= limits.total {
            Some(AskReason::TotalDenial)
        } else if self.consecutive_block >= limits.consecutive_block {
            Some(AskReason::ConsecutiveBlock)
        } else if self.consecutive_unavailable >= limits.consecutive_unavailable {
            Some(AskReason::ConsecutiveUnavailable)
        } else {
            None
        }
    }

    const ZERO: Self = Self {
        consecutive_block: 0,
        consecutive_unavailable: 0,
        total_block: 0,
        total_unavailable: 0,
    };
}

/// The warn-level log lines of section 8: one formatter for every path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenialLog<'a> {
    /// A call was blocked in auto mode.
    Blocked {
        /// Why.
        reason: &'a str,
        /// The canonical tool.
        tool: &'a str,
        /// The counters after the block.
        counters: Counters,
    },
    /// A call goes to a person.
    Fallback {
        /// Why.
        reason: AskReason,
        /// The counters, which a fallback does not change.
        counters: Counters,
    },
    /// An approval cleared counters.
    Reset {
        /// Before the approval.
        before: Counters,
        /// After it.
        after: Counters,
    },
}

impl fmt::Display for DenialLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked {
                reason,
                tool,
                counters,
            } => write!(f, "Auto mode blocked ({reason}): tool={tool}, {counters}"),
            Self::Fallback { reason, counters } => {
                write!(f, "Auto mode fallback to manual approval ({reason}): {counters}")
            }
            Self::Reset { before, after } => write!(
                f,
                "Auto mode denial counters reset after fallback approval: {before} -> {after}"
            ),
        }
    }
}
