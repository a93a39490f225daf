//! What the agent is told about a decision: one table, every text sanitised,
//! each with how to get the call permitted.

use crate::decision::{AskReason, BlockReason, Decision, DeniedReason};
use crate::redact;

/// Longest message, in bytes; agents cut at different places, this is below
/// all of them.
const MESSAGE_BYTES: usize = 2_000;

/// Longest detail in a message, in bytes.
const DETAIL_BYTES: usize = 800;

/// What follows every denial by the classifier and every static block.
pub const GUIDANCE: &str = "Do not complete this action another way: not with another tool, \
shell indirection, a generated script, an alias, a symlink, a change of configuration, a hook, \
a command file, an MCP configuration, an encoded payload, or anything that comes to the same. \
Unrelated safe work, and a safer way to the user's goal, are fine. \
If this exact action is needed, stop and ask the user for it.";

/// The text for the agent.
#[must_use]
pub fn for_agent(decision: &Decision) -> String {
    // Bounded before the guidance, which must not be what is cut off.
    let detail = redact::bounded(decision.detail(), DETAIL_BYTES);
    let detail = redact::visible(&detail);
    let text = match decision {
        Decision::Allow { via, .. } => format!("Countersign: allowed via {via}: {detail}"),
        Decision::Denied { reason, .. } => match reason {
            DeniedReason::ClassifierBlocked => {
                format!("Blocked by auto mode policy: {detail}\n{GUIDANCE}")
            }
            DeniedReason::ClassifierUnavailable => {
                format!("Auto mode classifier unavailable; action blocked for safety\n{GUIDANCE}")
            }
        },
        Decision::Block { reason, .. } => match reason {
            BlockReason::RuleDenied => format!(
                "Countersign: a permission rule forbids this: {detail}. \
                 Only the user can change the rule; do not try another spelling."
            ),
            BlockReason::StaticBlocked => format!("Countersign: blocked: {detail}\n{GUIDANCE}"),
            BlockReason::PlanMode => format!(
                "Countersign: {detail}. Finish the plan and let the user leave plan mode first."
            ),
            BlockReason::Person => format!(
                "Countersign: the user did not approve this: {detail}. Ask them how to go on."
            ),
            BlockReason::Timeout => {
                format!("Countersign: {detail}. Ask the user to answer the prompt, then try again.")
            }
            BlockReason::NoSurface => format!(
                "Countersign: {detail}. The user can allow it with a permission rule, or by \
                 working with an editor in which Countersign can ask."
            ),
            BlockReason::InvalidCall => {
                format!("Countersign: this call cannot be understood: {detail}")
            }
            BlockReason::Internal => format!(
                "Countersign: the guard failed and blocks to be safe: {detail}. \
                 The user can find the cause with `countersign log`."
            ),
        },
        Decision::Ask { reason, .. } => {
            format!("Countersign asks: {} ({detail})", why(*reason))
        }
    };
    redact::bounded(&text, MESSAGE_BYTES).into_owned()
}

/// Why a person is asked, in a few plain words; also for prompts.
#[must_use]
pub const fn why(reason: AskReason) -> &'static str {
    match reason {
        AskReason::AskRule => "a rule wants this to be asked",
        AskReason::RuleMalformed => "a rule for this tool cannot be read",
        AskReason::ConsecutiveBlock => "several calls in a row were blocked",
        AskReason::ConsecutiveUnavailable => "the classifier keeps giving no answer",
        AskReason::TotalDenial => "too many calls of this session were denied",
        AskReason::NoClassifier => "nothing proves this harmless and no classifier is configured",
        AskReason::ClassifierUnavailable => "the classifier gave no answer",
        AskReason::Unprojected => "the classifier could not see the whole change",
        AskReason::ApprovalMode => "the approval mode asks for this",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_and_static_blocks_carry_the_guidance() {
        let denied = Decision::Denied {
            reason: DeniedReason::ClassifierBlocked,
            detail: "sends secrets away".to_owned(),
        };
        let text = for_agent(&denied);
        assert!(text.starts_with("Blocked by auto mode policy: sends secrets away\n"));
        assert!(text.ends_with(GUIDANCE));
        for way in [
            "another tool",
            "shell indirection",
            "generated script",
            "alias",
            "symlink",
            "change of configuration",
            "hook",
            "command file",
            "MCP configuration",
            "encoded payload",
            "ask the user",
        ] {
            assert!(GUIDANCE.contains(way), "{way}");
        }
        let unavailable = for_agent(&Decision::Denied {
            reason: DeniedReason::ClassifierUnavailable,
            detail: String::new(),
        });
        assert!(
            unavailable
                .starts_with("Auto mode classifier unavailable; action blocked for safety\n")
        );
        assert!(unavailable.ends_with(GUIDANCE));
        // However long the reason is, the guidance is not what is cut off.
        let long = for_agent(&Decision::Denied {
            reason: DeniedReason::ClassifierBlocked,
            detail: "ü".repeat(5_000),
        });
        assert!(long.ends_with(GUIDANCE) && long.len() <= MESSAGE_BYTES);
        let blocked = for_agent(&Decision::Block {
            reason: BlockReason::StaticBlocked,
            detail: "would change the guard's own files".to_owned(),
        });
        assert!(blocked.ends_with(GUIDANCE));
    }

    #[test]
    fn every_reason_says_something_and_shows_control_characters() {
        for reason in BlockReason::ALL {
            let text = for_agent(&Decision::Block {
                reason: *reason,
                detail: "x\u{1b}[2J\u{202e}y".to_owned(),
            });
            assert!(text.contains("Countersign"), "{reason}");
            assert!(
                !text.contains('\u{1b}') && !text.contains('\u{202e}'),
                "{reason}"
            );
        }
        for reason in AskReason::ALL {
            assert!(!why(*reason).is_empty());
        }
    }
}
