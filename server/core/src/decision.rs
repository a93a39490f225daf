//! Decisions and their reasons. All sets are closed; matches have no wildcard
//! arm, so that a new member is a compile error in every place that must
//! think about it.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$member:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$member])* $variant,)* }

        impl $name {
            /// Every member.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the journal, in telemetry and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

reasons! {
    /// Which layer allowed a call.
    Via {
        /// Allow rules vouch for every part.
        Rule = "rule",
        /// An edit inside the workspace.
        AcceptEdits = "accept_edits",
        /// A read-only or bookkeeping tool.
        SafeTool = "safe_tool",
        /// Every effect of the command is contained.
        Static = "static",
        /// A person granted exactly this call once.
        Grant = "grant",
        /// The two-stage classifier.
        Classifier = "classifier",
        /// A person approved it.
        Approval = "approval",
        /// The session is in yolo mode.
        Yolo = "yolo",
        /// Plan mode lets it read.
        Plan = "plan",
    }
}

reasons! {
    /// Why the classifier denied a call. Only these are a `PermissionDenied`.
    DeniedReason {
        /// The classifier judged the action unsafe.
        ClassifierBlocked = "classifier_blocked",
        /// The classifier gave no answer.
        ClassifierUnavailable = "classifier_unavailable",
    }
}

reasons! {
    /// Why a call was blocked otherwise. Never a `PermissionDenied`.
    BlockReason {
        /// A deny rule matches.
        RuleDenied = "rule_denied",
        /// Catastrophic, or an attack on the guard itself.
        StaticBlocked = "static_blocked",
        /// Plan mode changes nothing.
        PlanMode = "plan_mode",
        /// A person said no.
        Person = "person",
        /// A person was asked and did not answer in time.
        Timeout = "timeout",
        /// A person must be asked and there is nowhere to ask.
        NoSurface = "no_surface",
        /// The call could not be understood.
        InvalidCall = "invalid_call",
        /// The guard itself failed.
        Internal = "internal",
    }
}

reasons! {
    /// Why a person is asked.
    AskReason {
        /// An ask rule matches, or a deny or ask rule cannot be ruled out.
        AskRule = "ask_rule",
        /// A deny or ask rule for the tool cannot be read.
        RuleMalformed = "rule_malformed",
        /// Three blocks in a row.
        ConsecutiveBlock = "consecutive_block",
        /// Two times in a row the classifier gave no answer.
        ConsecutiveUnavailable = "consecutive_unavailable",
        /// Twenty denials in the session.
        TotalDenial = "total_denial",
        /// No classifier is configured.
        NoClassifier = "no_classifier",
        /// The classifier gave no answer, and the settings say to ask then.
        ClassifierUnavailable = "classifier_unavailable",
        /// A model allowed a protected or outside write whose change it had
        /// not wholly seen.
        Unprojected = "unprojected",
        /// The approval mode asks for calls of this kind.
        ApprovalMode = "approval_mode",
    }
}

reasons! {
    /// Why the classifier gave no answer.
    UnavailableReason {
        /// No answer inside the stage's deadline.
        Timeout = "timeout",
        /// The connection failed.
        Transport = "transport",
        /// The endpoint answered with an error status.
        HttpStatus = "http_status",
        /// The answer is not the expected format.
        Parse = "parse",
        /// The answer is well-formed and not what was asked for.
        Schema = "schema",
        /// The conversation does not fit the model's context.
        ContextOverflow = "context_overflow",
        /// The model refused to answer.
        Refusal = "refusal",
    }
}

/// The cap that forced a call to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapKind {
    /// One of the two consecutive caps.
    Consecutive,
    /// The total cap.
    Total,
}

impl CapKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Consecutive, Self::Total];

    /// The name in telemetry and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consecutive => "consecutive",
            Self::Total => "total",
        }
    }
}

impl AskReason {
    /// The cap that forced the ask, if one did.
    #[must_use]
    pub const fn cap_kind(self) -> Option<CapKind> {
        match self {
            Self::ConsecutiveBlock | Self::ConsecutiveUnavailable => Some(CapKind::Consecutive),
            Self::TotalDenial => Some(CapKind::Total),
            Self::AskRule
            | Self::RuleMalformed
            | Self::NoClassifier
            | Self::ClassifierUnavailable
            | Self::Unprojected
            | Self::ApprovalMode => None,
        }
    }

    /// Whether an approval may be remembered as a rule.
    #[must_use]
    pub const fn may_remember(self) -> bool {
        match self {
            Self::NoClassifier
            | Self::ClassifierUnavailable
            | Self::ApprovalMode
            | Self::RuleMalformed => true,
            Self::AskRule
            | Self::ConsecutiveBlock
            | Self::ConsecutiveUnavailable
            | Self::TotalDenial
            | Self::Unprojected => false,
        }
    }
}

/// What happens with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The tool may run.
    Allow {
        /// The layer that allowed it.
        via: Via,
        /// What it was, in plain words: the rule, the folder, the model's view.
        detail: String,
    },
    /// The classifier said no or nothing: the tool does not run.
    Denied {
        /// Why.
        reason: DeniedReason,
        /// The classifier's own words, sanitised.
        detail: String,
    },
    /// The tool does not run.
    Block {
        /// Why.
        reason: BlockReason,
        /// What it was, in plain words: the rule with its place, the effect.
        detail: String,
    },
    /// A person must say.
    Ask {
        /// Why.
        reason: AskReason,
        /// What it was, in plain words.
        detail: String,
    },
}

impl Decision {
    /// `allow`, `block` or `ask`.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Allow { .. } => "allow",
            Self::Denied { .. } | Self::Block { .. } => "block",
            Self::Ask { .. } => "ask",
        }
    }

    /// The member of its closed set: the layer of an allow, else the reason.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Allow { via, .. } => via.as_str(),
            Self::Denied { reason, .. } => reason.as_str(),
            Self::Block { reason, .. } => reason.as_str(),
            Self::Ask { reason, .. } => reason.as_str(),
        }
    }

    /// What it was, in plain words.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Allow { detail, .. }
            | Self::Denied { detail, .. }
            | Self::Block { detail, .. }
            | Self::Ask { detail, .. } => detail,
        }
    }

    /// Whether the tool may run.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    /// How strict it is among several operations of one call: a higher number
    /// wins.
    #[must_use]
    pub const fn strictness(&self) -> u8 {
        match self {
            Self::Allow { .. } => 0,
            Self::Ask { .. } => 1,
            Self::Denied { .. } => 2,
            Self::Block { .. } => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_their_serde_names() {
        fn check<T: Serialize + Copy + fmt::Display>(all: &[T]) {
            for member in all {
                let json = serde_json::to_value(member).unwrap();
                assert_eq!(json, serde_json::Value::String(member.to_string()));
            }
        }
        check(Via::ALL);
        check(DeniedReason::ALL);
        check(BlockReason::ALL);
        check(AskReason::ALL);
        check(UnavailableReason::ALL);
    }

    #[test]
    fn caps_and_rules_are_never_remembered() {
        for reason in AskReason::ALL {
            if reason.cap_kind().is_some() {
                assert!(!reason.may_remember(), "{reason}");
            }
        }
        assert!(!AskReason::AskRule.may_remember());
        assert!(!AskReason::Unprojected.may_remember());
    }
}
