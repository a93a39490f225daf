//! The order of decisions (section 2 of the specification), as one pure
//! function.
//!
//! Each step is a function that returns what it decides or nothing; a mode is
//! a list of steps. An operation for which no step decides goes to the
//! classifier, and only then the denial caps are looked at.

mod steps;

use crate::call::{Call, Operation};
use crate::decision::{AskReason, BlockReason, Decision, Via};
use crate::denials::Counters;
use crate::facts::{Facts, OperationFacts};
use crate::mode::ApprovalMode;
use crate::policy::Policy;
use crate::tool::ToolFamily;

/// A call in its situation.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The call.
    pub call: &'a Call,
    /// What the outside world says about it.
    pub facts: &'a Facts,
    /// What holds for it.
    pub policy: &'a Policy,
    /// The session's mode; the agent's own mode is overlaid here.
    pub mode: ApprovalMode,
    /// The counters that hold for the call: a sub-agent's own consecutive
    /// ones with the totals of its root.
    pub counters: Counters,
    /// Whether a person granted exactly this call once.
    pub granted: bool,
    /// Whether there is a classifier to ask.
    pub classifier: bool,
}

/// What is to be done with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The agent's own dialog with the person: the guard has no opinion.
    NoOpinion,
    /// Decided.
    Done(Decision),
    /// Only the classifier can say.
    Classify,
}

/// What one operation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    Decided(Decision),
    Classify,
}

impl Finding {
    /// How strict it is among the operations of one call.
    ///
    /// An ask of a rule stands above the classifier: the person wrote it. What
    /// a block says stands above everything.
    const fn strictness(&self) -> u8 {
        match self {
            Self::Decided(Decision::Allow { .. }) => 0,
            Self::Classify => 1,
            Self::Decided(Decision::Ask { .. }) => 2,
            Self::Decided(Decision::Denied { .. }) => 3,
            Self::Decided(Decision::Block { .. }) => 4,
        }
    }
}

/// The mode that holds for a call: the session's, overlaid by the agent's own.
#[must_use]
pub fn effective_mode(call: &Call, session: ApprovalMode) -> ApprovalMode {
    call.agent_mode.overlay(session)
}

/// Decides a call as far as that is possible without a model.
#[must_use]
pub fn decide(situation: &Situation<'_>) -> Step {
    let Situation {
        call,
        facts,
        policy,
        mode,
        ..
    } = *situation;
    let mode = effective_mode(call, mode);
    if call
        .operations
        .iter()
        .all(|operation| operation.tool.family() == ToolFamily::Interaction)
        && !call.operations.is_empty()
    {
        return Step::NoOpinion;
    }
    let empty = OperationFacts::default();
    let mut strictest: Option<Finding> = None;
    for (index, operation) in call.operations.iter().enumerate() {
        let facts = facts.operations.get(index).unwrap_or(&empty);
        let finding = judge(call, operation, facts, policy, mode);
        if strictest
            .as_ref()
            .is_none_or(|so_far| finding.strictness() > so_far.strictness())
        {
            strictest = Some(finding);
        }
    }
    match strictest {
        None => Step::Done(Decision::Block {
            reason: BlockReason::InvalidCall,
            detail: "the call names nothing that it would do".to_owned(),
        }),
        Some(Finding::Decided(decision)) => Step::Done(decision),
        Some(Finding::Classify) => before_the_classifier(situation),
    }
}

/// Steps 8, 9 and 11.
fn before_the_classifier(situation: &Situation<'_>) -> Step {
    if situation.granted {
        return Step::Done(Decision::Allow {
            via: Via::Grant,
            detail: "a person granted exactly this call once".to_owned(),
        });
    }
    if let Some(reason) = situation.counters.armed(situation.policy.limits) {
        return Step::Done(Decision::Ask {
            reason,
            detail: cap_detail(reason, situation.counters),
        });
    }
    if situation.classifier {
        return Step::Classify;
    }
    Step::Done(Decision::Ask {
        reason: AskReason::NoClassifier,
        detail: "nothing proves the call harmless, and no classifier is configured".to_owned(),
    })
}

fn cap_detail(reason: AskReason, counters: Counters) -> String {
    match reason {
        AskReason::TotalDenial => format!("{} denials in this session", counters.total()),
        AskReason::ConsecutiveBlock => {
            format!("{} calls in a row were blocked", counters.consecutive_block)
        }
        AskReason::ConsecutiveUnavailable => format!(
            "the classifier gave no answer {} times in a row",
            counters.consecutive_unavailable
        ),
        AskReason::AskRule
        | AskReason::RuleMalformed
        | AskReason::NoClassifier
        | AskReason::ClassifierUnavailable
        | AskReason::Unprojected
        | AskReason::ApprovalMode => reason.to_string(),
    }
}

/// One operation in one mode: the steps that the mode has, first match wins.
fn judge(
    call: &Call,
    operation: &Operation,
    facts: &OperationFacts,
    policy: &Policy,
    mode: ApprovalMode,
) -> Finding {
    let at = steps::At {
        call,
        operation,
        facts,
        policy,
        mode,
    };
    let decided = match mode {
        ApprovalMode::Plan => return Finding::Decided(steps::plan(&at)),
        ApprovalMode::Default | ApprovalMode::AutoEdit => steps::deny_rule(&at)
            .or_else(|| steps::static_block(&at))
            .or_else(|| steps::ask_rule(&at))
            .or_else(|| steps::allow_rules(&at))
            .or_else(|| match mode {
                ApprovalMode::AutoEdit => steps::accept_edits(&at),
                ApprovalMode::Plan
                | ApprovalMode::Default
                | ApprovalMode::Auto
                | ApprovalMode::Yolo => None,
            })
            .or_else(|| steps::safe_tool(&at))
            .or_else(|| steps::contained(&at, true))
            .or_else(|| Some(steps::mode_asks(&at))),
        ApprovalMode::Auto => steps::deny_rule(&at)
            .or_else(|| steps::static_block(&at))
            .or_else(|| steps::ask_rule(&at))
            .or_else(|| {
                if policy.classify_all_shell && operation.tool.is_shell() {
                    return None;
                }
                steps::allow_rules(&at)
                    .or_else(|| steps::accept_edits(&at))
                    .or_else(|| steps::safe_tool(&at))
                    .or_else(|| steps::contained(&at, false))
            }),
        ApprovalMode::Yolo => steps::deny_rule(&at)
            .or_else(|| steps::guard_attack(&at))
            .or_else(|| steps::deny_in_doubt(&at))
            .or_else(|| {
                Some(Decision::Allow {
                    via: Via::Yolo,
                    detail: "yolo mode".to_owned(),
                })
            }),
    };
    decided.map_or(Finding::Classify, Finding::Decided)
}
