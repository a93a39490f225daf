//! Who is told about what was applied: logs now; hooks, telemetry and editors
//! plug in here.

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::decision::Decision;
use countersign_core::denials::{Counters, DenialLog};
use countersign_core::mode::ApprovalMode;

use crate::request::Outcome;

/// Is told of every transition after it was committed. Never decides.
pub trait Observer: Send + Sync {
    /// A decision was applied.
    fn decided(&self, outcome: &Outcome);

    /// An ask was answered.
    fn resolved(&self, resolution: &Resolution);
}

/// An answered ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// The guard's id of the call.
    pub call: String,
    /// The answer.
    pub answer: Answer,
    /// Where it came from.
    pub source: AnswerSource,
    /// What becomes of the call.
    pub decision: Decision,
    /// The counters before.
    pub before: Counters,
    /// The counters after.
    pub after: Counters,
}

/// Writes the warn-level lines of section 8.
#[derive(Debug, Clone, Copy, Default)]
pub struct DenialLogger;

impl Observer for DenialLogger {
    fn decided(&self, outcome: &Outcome) {
        if let Some(line) = denial_log(outcome) {
            tracing::warn!("{line}");
        }
    }

    fn resolved(&self, resolution: &Resolution) {
        if let Some(line) = reset_log(resolution) {
            tracing::warn!("{line}");
        }
    }
}

/// The line for a decision, if it has one: a block that counts, or a fallback.
#[must_use]
pub fn denial_log(outcome: &Outcome) -> Option<String> {
    if outcome.joined || outcome.mode != ApprovalMode::Auto {
        return None;
    }
    if let Some(reason) = outcome.asked {
        return Some(
            DenialLog::Fallback {
                reason,
                counters: outcome.after,
            }
            .to_string(),
        );
    }
    match &outcome.decision {
        Decision::Denied { .. } | Decision::Block { .. } => Some(
            DenialLog::Blocked {
                reason: outcome.decision.reason(),
                tool: &outcome.tool.to_string(),
                counters: outcome.after,
            }
            .to_string(),
        ),
        Decision::Allow { .. } | Decision::Ask { .. } => None,
    }
}

/// The line for an answer, if it cleared something.
#[must_use]
pub fn reset_log(resolution: &Resolution) -> Option<String> {
    (resolution.before != resolution.after).then(|| {
        DenialLog::Reset {
            before: resolution.before,
            after: resolution.after,
        }
        .to_string()
    })
}
