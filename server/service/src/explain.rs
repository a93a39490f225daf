//! Why a call was decided as it was: what each layer said of it, and what a
//! person can change. Said once, for the editor and for the command line.

use countersign_core::decision::{AskReason, BlockReason, Decision, DeniedReason, Via};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::Record;

/// A step in the order of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// The deny rules.
    DenyRules,
    /// Catastrophes, and attacks on the guard.
    Catastrophe,
    /// The ask rules.
    AskRules,
    /// The allow rules.
    AllowRules,
    /// Edits inside the workspace.
    AcceptEdits,
    /// Tools that only read or keep books.
    SafeTools,
    /// The static analysis of commands.
    StaticAnalysis,
    /// One-time grants.
    Grants,
    /// The denial caps.
    Caps,
    /// The classifier.
    Classifier,
    /// What the mode says of everything else.
    Mode,
}

/// What a layer said of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It did not decide; why not, in plain words.
    Passed(&'static str),
    /// It decided.
    Decided,
}

impl Layer {
    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DenyRules => "deny_rules",
            Self::Catastrophe => "catastrophe",
            Self::AskRules => "ask_rules",
            Self::AllowRules => "allow_rules",
            Self::AcceptEdits => "accept_edits",
            Self::SafeTools => "safe_tools",
            Self::StaticAnalysis => "static_analysis",
            Self::Grants => "grants",
            Self::Caps => "caps",
            Self::Classifier => "classifier",
            Self::Mode => "mode",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::DenyRules => "deny rules",
            Self::Catastrophe => "catastrophes",
            Self::AskRules => "ask rules",
            Self::AllowRules => "allow rules",
            Self::AcceptEdits => "accepted edits",
            Self::SafeTools => "safe tools",
            Self::StaticAnalysis => "static analysis",
            Self::Grants => "one-time grants",
            Self::Caps => "denial caps",
            Self::Classifier => "classifier",
            Self::Mode => "approval mode",
        }
    }

    /// Why it did not decide, where it did not.
    const fn passed(self) -> &'static str {
        match self {
            Self::DenyRules => "none matches",
            Self::Catastrophe => "neither a catastrophe nor an attack on the guard",
            Self::AskRules => "none matches, and none is malformed",
            Self::AllowRules => "they do not vouch for all of it",
            Self::AcceptEdits => "not an edit that is accepted in the workspace",
            Self::SafeTools => "not a tool that is always safe",
            Self::StaticAnalysis => "not proven contained",
            Self::Grants => "nobody granted exactly this call",
            Self::Caps => "none is reached",
            Self::Classifier => "not asked",
            Self::Mode => "not asked",
        }
    }

    /// The layers that a mode has, in their order (section 2 of the
    /// specification; `countersign_core::decide` is what holds).
    const fn of(mode: ApprovalMode) -> &'static [Self] {
        use Layer::{
            AcceptEdits, AllowRules, AskRules, Caps, Catastrophe, Classifier, DenyRules, Grants,
            Mode, SafeTools, StaticAnalysis,
        };
        match mode {
            ApprovalMode::Auto => &[
                DenyRules,
                Catastrophe,
                AskRules,
                AllowRules,
                AcceptEdits,
                SafeTools,
                StaticAnalysis,
                Grants,
                Caps,
                Classifier,
            ],
            ApprovalMode::Default => &[
                DenyRules,
                Catastrophe,
                AskRules,
                AllowRules,
                SafeTools,
                StaticAnalysis,
                Mode,
            ],
            ApprovalMode::AutoEdit => &[
                DenyRules,
                Catastrophe,
                AskRules,
                AllowRules,
                AcceptEdits,
                SafeTools,
                StaticAnalysis,
                Mode,
            ],
            ApprovalMode::Plan => &[DenyRules, Catastrophe, Mode],
            ApprovalMode::Yolo => &[DenyRules, Catastrophe, AskRules, Mode],
        }
    }

    /// The layer that made a decision. None where it was none of them: the call
    /// could not be understood, or what is told is how an asking ended.
    const fn that_made(decision: &Decision, mode: ApprovalMode) -> Option<Self> {
        Some(match decision {
            Decision::Allow { via, .. } => match via {
                // Plan mode says what it allows by itself.
                _ if matches!(mode, ApprovalMode::Plan) => Self::Mode,
                Via::Rule => Self::AllowRules,
                Via::AcceptEdits => Self::AcceptEdits,
                Via::SafeTool => Self::SafeTools,
                Via::Static => Self::StaticAnalysis,
                Via::Grant => Self::Grants,
                Via::Classifier => Self::Classifier,
                Via::Yolo | Via::Plan => Self::Mode,
                Via::Approval => return None,
            },
            Decision::Denied { reason, .. } => match reason {
                DeniedReason::ClassifierBlocked | DeniedReason::ClassifierUnavailable => {
                    Self::Classifier
                }
            },
            Decision::Block { reason, .. } => match reason {
                BlockReason::RuleDenied => Self::DenyRules,
                BlockReason::StaticBlocked => Self::Catastrophe,
                BlockReason::PlanMode => Self::Mode,
                BlockReason::Person
                | BlockReason::Timeout
                | BlockReason::NoSurface
                | BlockReason::InvalidCall
                | BlockReason::Internal => return None,
            },
            Decision::Ask { reason, .. } => match reason {
                _ if matches!(mode, ApprovalMode::Plan) => Self::Mode,
                AskReason::AskRule | AskReason::RuleMalformed => Self::AskRules,
                AskReason::ConsecutiveBlock
                | AskReason::ConsecutiveUnavailable
                | AskReason::TotalDenial => Self::Caps,
                AskReason::NoClassifier
                | AskReason::ClassifierUnavailable
                | AskReason::Unprojected => Self::Classifier,
                AskReason::ApprovalMode => Self::Mode,
            },
        })
    }
}

/// What the layers of a mode said, in their order, up to the one that decided.
/// Of a call with several operations it is told of the one that was decided
/// most strictly. Empty where no layer decided.
#[must_use]
pub fn layers(mode: ApprovalMode, decision: &Decision) -> Vec<(Layer, Said)> {
    let order = Layer::of(mode);
    let made = Layer::that_made(decision, mode).filter(|made| order.contains(made));
    let Some(made) = made else {
        return Vec::new();
    };
    let before = order.iter().take_while(|layer| **layer != made);
    before
        .map(|layer| (*layer, Said::Passed(layer.passed())))
        .chain([(made, Said::Decided)])
        .collect()
}

/// The decision that a row tells of. The names of its reason are those of the
/// closed sets; one that is not known is shown as the guard's own failure.
#[must_use]
pub fn decision_of(record: &Record) -> Decision {
    let detail = record.detail.clone().unwrap_or_default();
    let reason = record.reason.as_deref().unwrap_or_default();
    let decision = match record.decision.as_deref() {
        Some("allow") => Via::ALL
            .iter()
            .find(|via| via.as_str() == reason)
            .map(|via| Decision::Allow {
                via: *via,
                detail: detail.clone(),
            }),
        Some("ask") => AskReason::ALL
            .iter()
            .find(|ask| ask.as_str() == reason)
            .map(|reason| Decision::Ask {
                reason: *reason,
                detail: detail.clone(),
            }),
        Some(_) => DeniedReason::ALL
            .iter()
            .find(|denied| denied.as_str() == reason)
            .map(|reason| Decision::Denied {
                reason: *reason,
                detail: detail.clone(),
            })
            .or_else(|| {
                let block = BlockReason::ALL
                    .iter()
                    .find(|block| block.as_str() == reason)?;
                Some(Decision::Block {
                    reason: *block,
                    detail: detail.clone(),
                })
            }),
        None => None,
    };
    decision.unwrap_or(Decision::Block {
        reason: BlockReason::Internal,
        detail,
    })
}

/// What a person can do to have such a call decided otherwise.
#[must_use]
pub const fn how_to_change(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow { via, .. } => match via {
            Via::Rule => "change the allow rule, or write a deny or ask rule for it",
            Via::AcceptEdits => "write a deny or ask rule for the path, or choose default mode",
            Via::SafeTool => "write a deny or ask rule for it",
            Via::Static => "write a deny or ask rule for it, or turn static analysis off",
            Via::Grant => "nothing: it was granted once, and this was the time",
            Via::Classifier => "write a deny or ask rule for it, or choose default mode",
            Via::Approval => "nothing, unless it was remembered: then remove the rule",
            Via::Yolo => "choose another mode",
            Via::Plan => "write a deny or ask rule for it",
        },
        Decision::Denied { reason, .. } => match reason {
            DeniedReason::ClassifierBlocked => {
                "allow this exact call once, or write an allow rule for calls like it"
            }
            DeniedReason::ClassifierUnavailable => {
                "allow this exact call once, let the agent try again, or write an allow rule"
            }
        },
        Decision::Block { reason, .. } => match reason {
            BlockReason::RuleDenied => "change the deny rule; nothing else lifts it",
            BlockReason::StaticBlocked => {
                "run it yourself; where it is no attack on the guard, a literal allow rule in \
                 the user's settings lifts it"
            }
            BlockReason::PlanMode => "leave plan mode",
            BlockReason::Person => "tell the agent to try again, and approve it",
            BlockReason::Timeout => "tell the agent to try again, and answer in time",
            BlockReason::NoSurface => {
                "write an allow rule, or work with an editor in which it can be asked"
            }
            BlockReason::InvalidCall => "nothing: the agent must make a call that can be read",
            BlockReason::Internal => "see what the journal says of the failure",
        },
        Decision::Ask { reason, .. } => how_to_change_ask(*reason),
    }
}

/// The same of an ask.
#[must_use]
pub const fn how_to_change_ask(reason: AskReason) -> &'static str {
    match reason {
        AskReason::AskRule => "change the rule that asks, or that cannot be ruled out",
        AskReason::RuleMalformed => "mend the rule that cannot be read",
        AskReason::ConsecutiveBlock
        | AskReason::ConsecutiveUnavailable
        | AskReason::TotalDenial => "answer it, or reset the session's counters",
        AskReason::NoClassifier => "write an allow rule, or configure a classifier",
        AskReason::ClassifierUnavailable => "write an allow rule, or see why the model is silent",
        AskReason::Unprojected => "nothing: such a change is always asked about",
        AskReason::ApprovalMode => "write an allow rule, or choose a mode that asks less",
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::state::RecordKind;

    use super::*;

    fn allow(via: Via) -> Decision {
        let detail = "d".to_owned();
        Decision::Allow { via, detail }
    }

    fn ask(reason: AskReason) -> Decision {
        let detail = "d".to_owned();
        Decision::Ask { reason, detail }
    }

    #[test]
    fn the_layers_before_the_one_that_decided_are_told_in_their_order() {
        let told = layers(ApprovalMode::Auto, &allow(Via::SafeTool));
        let names: Vec<_> = told.iter().map(|(layer, _)| layer.as_str()).collect();
        assert_eq!(
            names,
            [
                "deny_rules",
                "catastrophe",
                "ask_rules",
                "allow_rules",
                "accept_edits",
                "safe_tools"
            ]
        );
        assert_eq!(told.last().unwrap().1, Said::Decided);
        assert!(
            told.iter()
                .rev()
                .skip(1)
                .all(|(_, said)| *said != Said::Decided)
        );
    }

    #[test]
    fn every_decision_of_a_layer_has_it_in_the_modes_that_make_it() {
        use ApprovalMode::{Auto, AutoEdit, Default, Plan, Yolo};
        for via in Via::ALL {
            let modes: &[ApprovalMode] = match via {
                Via::Rule | Via::SafeTool | Via::Static => &[Default, AutoEdit, Auto, Plan],
                Via::AcceptEdits => &[AutoEdit, Auto],
                Via::Grant | Via::Classifier => &[Auto],
                Via::Yolo => &[Yolo],
                Via::Plan => &[Plan],
                Via::Approval => &[],
            };
            for mode in modes {
                assert!(!layers(*mode, &allow(*via)).is_empty(), "{mode} {via}");
            }
        }
        for reason in AskReason::ALL {
            let mode = if *reason == AskReason::ApprovalMode {
                Default
            } else {
                Auto
            };
            assert!(!layers(mode, &ask(*reason)).is_empty(), "{reason}");
        }
    }

    #[test]
    fn a_row_is_the_decision_that_it_was_made_of() {
        let all = Via::ALL.iter().map(|via| allow(*via));
        let all = all.chain(AskReason::ALL.iter().map(|reason| ask(*reason)));
        let all = all.chain(DeniedReason::ALL.iter().map(|reason| Decision::Denied {
            reason: *reason,
            detail: "d".to_owned(),
        }));
        let all = all.chain(BlockReason::ALL.iter().map(|reason| Decision::Block {
            reason: *reason,
            detail: "d".to_owned(),
        }));
        for decision in all {
            let record = Record {
                decision: Some(decision.verb().to_owned()),
                reason: Some(decision.reason().to_owned()),
                detail: Some("d".to_owned()),
                ..Record::of(RecordKind::Decision, 1)
            };
            assert_eq!(decision_of(&record), decision);
        }
        let unknown = decision_of(&Record {
            decision: Some("allow".to_owned()),
            reason: Some("nonsense".to_owned()),
            ..Record::of(RecordKind::Decision, 1)
        });
        assert_eq!(unknown.reason(), "internal");
    }
}
