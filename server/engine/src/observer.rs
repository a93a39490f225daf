//! Who is told about what was applied: logs now; hooks, telemetry and editors
//! plug in here.

use std::time::{Duration, SystemTime};

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::decision::Decision;
use countersign_core::denials::{Counters, DenialLog};
use countersign_core::mode::ApprovalMode;

use crate::events::Noted;
use crate::request::Outcome;

/// Is told of every transition after it was committed. Never decides.
pub trait Observer: Send + Sync {
    /// A decision was applied.
    fn decided(&self, outcome: &Outcome);

    /// An ask was answered.
    fn resolved(&self, resolution: &Resolution);

    /// An ask is void: what would run is no longer what was shown. Who is
    /// asked again is asked about another call.
    fn voided(&self, _call: &str) {}

    /// A user hook ran, or should have run.
    fn hook_ran(&self, _run: &HookRun) {}

    /// An event of an agent was noted that needed no decision. What it
    /// resolved was told before.
    fn noted(&self, _noted: &Noted) {}
}

/// A user hook that ran. Nothing in it is the hook's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRun {
    /// The guard's id of the call; none for a hook on something else.
    pub call: Option<String>,
    /// The event's name, such as `PermissionRequest`.
    pub event: &'static str,
    /// How it was run: `command` or `http`.
    pub kind: &'static str,
    /// Whose settings name it: `system`, `user` or `workspace`.
    pub scope: &'static str,
    /// What came of it.
    pub result: HookResult,
    /// Its exit status or HTTP status, where it had one.
    pub status: Option<i32>,
    /// When it was started.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
}

/// What came of a user hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookResult {
    /// It ended well and had nothing to say.
    Silent,
    /// It said that the call may run.
    Allow,
    /// It said that the call must not run.
    Deny,
    /// It ended with a warning.
    Warning,
    /// It did not end in its time.
    Timeout,
    /// It could not be started, or gave an answer that is none.
    Failed,
}

impl HookResult {
    /// Every result.
    pub const ALL: [Self; 6] = [
        Self::Silent,
        Self::Allow,
        Self::Deny,
        Self::Warning,
        Self::Timeout,
        Self::Failed,
    ];

    /// The name in telemetry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Warning => "warning",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
        }
    }
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
    denial_log_naming(outcome, &outcome.tool.to_string())
}

/// The same line with another name for the tool: for those who must not hear
/// what it is called.
#[must_use]
pub fn denial_log_naming(outcome: &Outcome, tool: &str) -> Option<String> {
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
                tool,
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
