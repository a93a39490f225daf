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

impl DenialLimits {
    /// The lower of each limit.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        Self {
            consecutive_block: self.consecutive_block.min(other.consecutive_block),
            consecutive_unavailable: self
                .consecutive_unavailable
                .min(other.consecutive_unavailable),
            total: self.total.min(other.total),
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

    /// The higher of each counter.
    #[must_use]
    pub fn higher(self, other: Self) -> Self {
        Self {
            consecutive_block: self.consecutive_block.max(other.consecutive_block),
            consecutive_unavailable: self
                .consecutive_unavailable
                .max(other.consecutive_unavailable),
            total_block: self.total_block.max(other.total_block),
            total_unavailable: self.total_unavailable.max(other.total_unavailable),
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
                write!(
                    f,
                    "Auto mode fallback to manual approval ({reason}): {counters}"
                )
            }
            Self::Reset { before, after } => write!(
                f,
                "Auto mode denial counters reset after fallback approval: {before} -> {after}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event() -> impl Strategy<Value = DenialEvent> {
        prop_oneof![
            Just(DenialEvent::ClassifierAllow),
            Just(DenialEvent::Block),
            Just(DenialEvent::Unavailable),
            Just(DenialEvent::CapApproved),
            Just(DenialEvent::PersonReset),
        ]
    }

    fn limits() -> impl Strategy<Value = DenialLimits> {
        (1_u32..5, 1_u32..5, 1_u32..25).prop_map(
            |(consecutive_block, consecutive_unavailable, total)| DenialLimits {
                consecutive_block,
                consecutive_unavailable,
                total,
            },
        )
    }

    fn counters() -> impl Strategy<Value = Counters> {
        (0_u32..30, 0_u32..30, 0_u32..30, 0_u32..30).prop_map(|(a, b, c, d)| Counters {
            consecutive_block: a,
            consecutive_unavailable: b,
            total_block: c,
            total_unavailable: d,
        })
    }

    proptest! {
        /// The table of section 8, row by row.
        #[test]
        fn each_event_does_what_the_table_says(before in counters(), limits in limits(), event in event()) {
            let after = before.reduce(event, limits);
            let totals = (before.total_block, before.total_unavailable);
            match event {
                DenialEvent::ClassifierAllow => {
                    prop_assert_eq!((after.consecutive_block, after.consecutive_unavailable), (0, 0));
                    prop_assert_eq!((after.total_block, after.total_unavailable), totals);
                }
                DenialEvent::Block => {
                    prop_assert_eq!(after.consecutive_block, before.consecutive_block + 1);
                    prop_assert_eq!(after.consecutive_unavailable, 0);
                    prop_assert_eq!((after.total_block, after.total_unavailable), (totals.0 + 1, totals.1));
                }
                DenialEvent::Unavailable => {
                    prop_assert_eq!(after.consecutive_block, 0);
                    prop_assert_eq!(after.consecutive_unavailable, before.consecutive_unavailable + 1);
                    prop_assert_eq!((after.total_block, after.total_unavailable), (totals.0, totals.1 + 1));
                }
                DenialEvent::CapApproved => {
                    prop_assert_eq!((after.consecutive_block, after.consecutive_unavailable), (0, 0));
                    let expected = if before.total() >= limits.total { (0, 0) } else { totals };
                    prop_assert_eq!((after.total_block, after.total_unavailable), expected);
                }
                DenialEvent::PersonReset => prop_assert_eq!(after, Counters::default()),
            }
        }

        /// Over any history: totals shrink only by an approval at the total cap
        /// or by a person, and equal the denials since.
        #[test]
        fn totals_count_every_denial_since_the_last_reset(
            limits in limits(),
            events in proptest::collection::vec(event(), 0..60),
        ) {
            let mut counters = Counters::default();
            let (mut blocks, mut unavailables) = (0, 0);
            for event in events {
                let resets = match event {
                    DenialEvent::PersonReset => true,
                    DenialEvent::CapApproved => counters.total() >= limits.total,
                    DenialEvent::Block => { blocks += 1; false }
                    DenialEvent::Unavailable => { unavailables += 1; false }
                    DenialEvent::ClassifierAllow => false,
                };
                if resets {
                    (blocks, unavailables) = (0, 0);
                }
                counters = counters.reduce(event, limits);
                prop_assert_eq!((counters.total_block, counters.total_unavailable), (blocks, unavailables));
                prop_assert!(counters.consecutive_block <= counters.total_block);
                prop_assert!(counters.consecutive_unavailable <= counters.total_unavailable);
                prop_assert!(counters.consecutive_block == 0 || counters.consecutive_unavailable == 0);
            }
        }

        /// Total before blocks before unavailables, and armed exactly when a
        /// counter has reached its cap.
        #[test]
        fn precedence_of_caps(counters in counters(), limits in limits()) {
            let total = counters.total() >= limits.total;
            let block = counters.consecutive_block >= limits.consecutive_block;
            let unavailable = counters.consecutive_unavailable >= limits.consecutive_unavailable;
            let expected = match (total, block, unavailable) {
                (true, _, _) => Some(AskReason::TotalDenial),
                (false, true, _) => Some(AskReason::ConsecutiveBlock),
                (false, false, true) => Some(AskReason::ConsecutiveUnavailable),
                (false, false, false) => None,
            };
            prop_assert_eq!(counters.armed(limits), expected);
        }
    }

    #[test]
    fn counters_saturate() {
        let full = Counters {
            consecutive_block: u32::MAX,
            consecutive_unavailable: u32::MAX,
            total_block: u32::MAX,
            total_unavailable: u32::MAX,
        };
        let after = full.reduce(DenialEvent::Block, DenialLimits::default());
        assert_eq!(after.total_block, u32::MAX);
        assert_eq!(after.total(), u32::MAX);
    }

    #[test]
    fn log_lines() {
        let counters = Counters {
            consecutive_block: 3,
            total_block: 4,
            total_unavailable: 1,
            ..Counters::default()
        };
        assert_eq!(
            DenialLog::Blocked {
                reason: "classifier_blocked",
                tool: "run_shell_command",
                counters
            }
            .to_string(),
            "Auto mode blocked (classifier_blocked): tool=run_shell_command, consecutiveBlock=3, \
             consecutiveUnavailable=0, totalBlock=4, totalUnavailable=1"
        );
        assert_eq!(
            DenialLog::Fallback {
                reason: AskReason::ConsecutiveBlock,
                counters
            }
            .to_string(),
            "Auto mode fallback to manual approval (consecutive_block): consecutiveBlock=3, \
             consecutiveUnavailable=0, totalBlock=4, totalUnavailable=1"
        );
        assert_eq!(
            DenialLog::Reset {
                before: counters,
                after: Counters::default()
            }
            .to_string(),
            "Auto mode denial counters reset after fallback approval: consecutiveBlock=3, \
             consecutiveUnavailable=0, totalBlock=4, totalUnavailable=1 -> consecutiveBlock=0, \
             consecutiveUnavailable=0, totalBlock=0, totalUnavailable=0"
        );
    }
}
