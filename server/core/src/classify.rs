//! What a classifier may answer, and what each answer means for the call.

use crate::call::Call;
use crate::decision::{AskReason, Decision, DeniedReason, UnavailableReason, Via};
use crate::denials::DenialEvent;
use crate::facts::Facts;
use crate::mode::ApprovalMode;
use crate::policy::{OnUnavailable, Policy};
use crate::projection::hides_a_guarded_write;
use crate::state::ModelRecord;

/// A classifier's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifierAnswer {
    /// What it says.
    pub verdict: Verdict,
    /// Who said it.
    pub model: ModelRecord,
}

/// What a classifier says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Safe enough.
    Allow,
    /// Not safe.
    Block {
        /// Why, in the model's words; sanitised by [`sanitize_reason`].
        reason: String,
    },
    /// No answer. Never an allow.
    Unavailable(UnavailableReason),
}

/// What becomes of a call of which a classifier says `verdict`.
///
/// A model's word is not enough for a protected or outside write that it did
/// not wholly see: then a person is asked.
#[must_use]
pub fn decision(verdict: &Verdict, call: &Call, facts: &Facts, policy: &Policy) -> Decision {
    match (verdict, policy.on_unavailable) {
        (Verdict::Allow, _) => match hides_a_guarded_write(call, facts, policy) {
            None => Decision::Allow {
                via: Via::Classifier,
                detail: "the classifier sees no harm in it".to_owned(),
            },
            Some(hidden) => Decision::Ask {
                reason: AskReason::Unprojected,
                detail: format!("the classifier would allow it but was not shown {hidden}"),
            },
        },
        (Verdict::Block { reason }, _) => Decision::Denied {
            reason: DeniedReason::ClassifierBlocked,
            detail: sanitize_reason(reason),
        },
        (Verdict::Unavailable(why), OnUnavailable::Block) => Decision::Denied {
            reason: DeniedReason::ClassifierUnavailable,
            detail: format!("the classifier gave no answer ({why})"),
        },
        (Verdict::Unavailable(why), OnUnavailable::Ask) => Decision::Ask {
            reason: AskReason::ClassifierUnavailable,
            detail: format!("the classifier gave no answer ({why})"),
        },
    }
}

/// What a decision does to the counters when it is applied.
#[must_use]
pub const fn denial_event(decision: &Decision, mode: ApprovalMode) -> Option<DenialEvent> {
    use crate::decision::BlockReason;
    match decision {
        Decision::Allow { via, .. } => match via {
            Via::Classifier => Some(DenialEvent::ClassifierAllow),
            Via::Rule
            | Via::AcceptEdits
            | Via::SafeTool
            | Via::Static
            | Via::Grant
            | Via::Approval
            | Via::Yolo
            | Via::Plan => None,
        },
        Decision::Denied { reason, .. } => match reason {
            DeniedReason::ClassifierBlocked => Some(DenialEvent::Block),
            DeniedReason::ClassifierUnavailable => Some(DenialEvent::Unavailable),
        },
        Decision::Block { reason, .. } => match (reason, mode) {
            (BlockReason::StaticBlocked, ApprovalMode::Auto) => Some(DenialEvent::Block),
            (
                BlockReason::StaticBlocked,
                ApprovalMode::Plan
                | ApprovalMode::Default
                | ApprovalMode::AutoEdit
                | ApprovalMode::Yolo,
            )
            | (
                BlockReason::RuleDenied
                | BlockReason::PlanMode
                | BlockReason::Person
                | BlockReason::Timeout
                | BlockReason::NoSurface
                | BlockReason::InvalidCall
                | BlockReason::Internal,
                _,
            ) => None,
        },
        Decision::Ask { reason, .. } => match reason {
            AskReason::ClassifierUnavailable => Some(DenialEvent::Unavailable),
            AskReason::AskRule
            | AskReason::RuleMalformed
            | AskReason::ConsecutiveBlock
            | AskReason::ConsecutiveUnavailable
            | AskReason::TotalDenial
            | AskReason::NoClassifier
            | AskReason::Unprojected
            | AskReason::ApprovalMode => None,
        },
    }
}

/// Longest reason that is shown, in characters.
const REASON_CHARS: usize = 200;

/// A model's reason as one harmless line: no tags, no control characters, at
/// most 200 characters. Linear in the length of its input.
#[must_use]
pub fn sanitize_reason(reason: &str) -> String {
    let mut out = String::new();
    let mut chars = 0;
    let mut gap = false;
    for c in reason.chars() {
        // Angle brackets go wherever they stand: what is left can form no tag,
        // however they were nested.
        if c.is_whitespace() || c.is_control() || matches!(c, '<' | '>') {
            gap = true;
            continue;
        }
        if crate::redact::is_deceptive(c) {
            continue;
        }
        if gap && !out.is_empty() {
            if chars + 1 >= REASON_CHARS {
                break;
            }
            out.push(' ');
            chars += 1;
        }
        gap = false;
        if chars >= REASON_CHARS {
            break;
        }
        out.push(c);
        chars += 1;
    }
    if out.is_empty() {
        out.push_str("no reason given");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::projection::testing;

    #[test]
    fn nested_tags_leave_no_tag() {
        assert_eq!(
            sanitize_reason("<scr<script>ipt>x</script>\n y"),
            "scr script ipt x /script y"
        );
        assert_eq!(sanitize_reason(" \u{1b}[31m "), "[31m");
        assert_eq!(sanitize_reason("<>"), "no reason given");
        assert_eq!(sanitize_reason("a\u{202e}b"), "ab");
    }

    proptest! {
        #[test]
        fn a_reason_is_one_short_plain_line(text in any::<String>()) {
            let reason = sanitize_reason(&text);
            prop_assert!(!reason.is_empty());
            prop_assert!(reason.chars().count() <= REASON_CHARS);
            prop_assert!(!reason.contains(['<', '>', '\n']));
            prop_assert!(!reason.chars().any(char::is_control));
        }
    }

    #[test]
    fn a_hostile_reason_of_a_mebibyte_is_harmless() {
        const LENGTH: usize = 1 << 20;
        for piece in [
            "<", "<a ", ">", " ", "\n", "\u{202e}", "\u{1b}[", "<<b>x", "x", "日", "</\u{0}",
        ] {
            let text = piece.repeat(LENGTH / piece.len());
            let reason = sanitize_reason(&text);
            assert!(reason.chars().count() <= REASON_CHARS && !reason.is_empty());
            assert!(
                !reason.contains(|c: char| c.is_control()
                    || matches!(c, '<' | '>')
                    || crate::redact::is_deceptive(c)),
                "{piece:?}: {reason}"
            );
        }
        let late = format!("{}bad <idea>", "<\u{200b}\n".repeat(LENGTH / 5));
        assert_eq!(sanitize_reason(&late), "bad idea");
    }

    #[test]
    fn an_allow_of_a_write_that_was_not_wholly_shown_asks_and_counts_nothing() {
        let policy = testing::policy();
        let of = |call: &Call| decision(&Verdict::Allow, call, &testing::facts(call), &policy);
        for call in [
            testing::edit("package.json", "a", "b"),
            testing::edit("src/a.rs", "a", &"x".repeat(5_000)),
            testing::shell("make"),
        ] {
            assert!(of(&call).is_allow(), "{call:?}");
        }
        let asked = of(&testing::edit("/etc/motd", "a", &"x".repeat(5_000)));
        assert!(
            matches!(&asked, Decision::Ask { reason: AskReason::Unprojected, detail }
                if detail.contains("1,001 of 5,000 characters of the new text of /etc/motd")),
            "{asked:?}"
        );
        for mode in ApprovalMode::ALL {
            assert_eq!(denial_event(&asked, mode), None);
        }
        let blocked = decision(
            &Verdict::Block {
                reason: "<b>no\n".to_owned(),
            },
            &testing::edit("/etc/motd", "a", &"x".repeat(5_000)),
            &Facts::default(),
            &policy,
        );
        assert_eq!(blocked.detail(), "b no");
    }

    #[test]
    fn unavailable_is_never_an_allow() {
        for why in UnavailableReason::ALL {
            for setting in [OnUnavailable::Block, OnUnavailable::Ask] {
                let policy = Policy {
                    on_unavailable: setting,
                    ..testing::policy()
                };
                let call = testing::shell("make");
                let facts = testing::facts(&call);
                let decision = decision(&Verdict::Unavailable(*why), &call, &facts, &policy);
                assert!(!decision.is_allow());
                assert_eq!(
                    denial_event(&decision, ApprovalMode::Auto),
                    Some(DenialEvent::Unavailable)
                );
            }
        }
    }

    #[test]
    fn a_static_block_counts_in_auto_only() {
        let block = Decision::Block {
            reason: crate::decision::BlockReason::StaticBlocked,
            detail: String::new(),
        };
        for mode in ApprovalMode::ALL {
            let expected = (mode == ApprovalMode::Auto).then_some(DenialEvent::Block);
            assert_eq!(denial_event(&block, mode), expected, "{mode}");
        }
    }
}
