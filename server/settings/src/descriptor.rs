//! The settings, one descriptor each: the only place that knows their names,
//! types, defaults and how they merge.

use countersign_core::rules::RuleList;

/// What kind of value a setting has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A list of permission rules.
    Rules(RuleList),
    /// A list of sentences for the classifier.
    Prose,
    /// A list of file names or path patterns.
    Names,
    /// A list of some of these words.
    Words(&'static [&'static str]),
    /// One of these words, strictest first.
    Choice(&'static [&'static str]),
    /// True or false.
    Flag {
        /// The stricter of the two.
        strict: bool,
    },
    /// A whole number; the smaller, the stricter.
    Count {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
}

impl Kind {
    /// Whether the value is a list.
    #[must_use]
    pub const fn is_list(self) -> bool {
        match self {
            Self::Rules(_) | Self::Prose | Self::Names | Self::Words(_) => true,
            Self::Choice(_) | Self::Flag { .. } | Self::Count { .. } => false,
        }
    }

    /// How strict a value is; the smaller, the stricter.
    pub(crate) fn rank(self, value: Fixed) -> u64 {
        match (self, value) {
            (Self::Flag { strict }, Fixed::Flag(flag)) => u64::from(flag != strict),
            (Self::Choice(words), Fixed::Choice(word)) => words
                .iter()
                .position(|known| *known == word)
                .map_or(u64::MAX, |at| at as u64),
            (Self::Count { .. }, Fixed::Count(count)) => count,
            _ => u64::MAX,
        }
    }
}

/// The value of a setting that is not a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// No value: the empty list, or what the documentation says.
    Nothing,
    /// True or false.
    Flag(bool),
    /// One of the words of the setting.
    Choice(&'static str),
    /// A whole number.
    Count(u64),
}

/// How the layers of a setting become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The lists of all layers, each entry once, with its strongest place.
    UnitedLists,
    /// The strongest layer that names it; a workspace may only make it
    /// stricter.
    Highest,
    /// The strictest of all layers that name it; a workspace may only make it
    /// stricter, also than the default.
    MostRestrictive,
    /// Not read from a workspace at all. Of system and user layers the
    /// strongest counts; lists are united.
    UserOnly,
}

/// What naming the setting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// An entry only ever restricts: read from every workspace.
    Tightens,
    /// An entry gives leave: read from a trusted workspace, after a person
    /// accepted that set.
    Loosens,
    /// It depends on the value.
    ByValue,
    /// It decides about no call.
    Neutral,
}

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Its name, with dots between the levels.
    pub key: &'static str,
    /// What it is for, as the documentation says it.
    pub doc: &'static str,
    /// What kind of value it has.
    pub kind: Kind,
    /// The value where no layer names it.
    pub default: Fixed,
    /// What a value that cannot be read counts as.
    pub malformed: Fixed,
    /// How layers merge.
    pub merge: Merge,
    /// Whether an entry loosens or tightens.
    pub direction: Direction,
}

impl Descriptor {
    /// Whether a workspace may name the setting.
    #[must_use]
    pub const fn in_workspaces(&self) -> bool {
        !matches!(self.merge, Merge::UserOnly)
    }

    /// Whether an entry that leaves a workspace file stays in force until a
    /// person confirms it. Not so for prose: it is reworded all the time, and
    /// only some of it fits into a prompt.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self.direction, Direction::Tightens) && !matches!(self.kind, Kind::Prose)
    }

    /// The setting of that name.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        DESCRIPTORS.iter().find(|setting| setting.key == key)
    }
}

/// The names, for the places that ask for one setting.
pub(crate) mod key {
    pub(crate) const ALLOW: &str = "permissions.allow";
    pub(crate) const ASK: &str = "permissions.ask";
    pub(crate) const DENY: &str = "permissions.deny";
    pub(crate) const HINTS_ALLOW: &str = "permissions.autoMode.hints.allow";
    pub(crate) const HINTS_SOFT_DENY: &str = "permissions.autoMode.hints.softDeny";
    pub(crate) const HINTS_HARD_DENY: &str = "permissions.autoMode.hints.hardDeny";
    pub(crate) const HINTS_DENY: &str = "permissions.autoMode.hints.deny";
    pub(crate) const ENVIRONMENT: &str = "permissions.autoMode.environment";
    pub(crate) const CLASSIFY_ALL_SHELL: &str = "permissions.autoMode.classifyAllShell";
    pub(crate) const REVIEW_CREDENTIAL_READS: &str = "permissions.autoMode.reviewCredentialReads";
    pub(crate) const RUN_EDITED_CODE: &str = "permissions.autoMode.runEditedCode";
    pub(crate) const STATIC_ANALYSIS: &str = "permissions.autoMode.staticAnalysis";
    pub(crate) const LIMIT_BLOCK: &str = "permissions.autoMode.denialLimits.consecutiveBlock";
    pub(crate) const LIMIT_UNAVAILABLE: &str =
        "permissions.autoMode.denialLimits.consecutiveUnavailable";
    pub(crate) const LIMIT_TOTAL: &str = "permissions.autoMode.denialLimits.total";
    pub(crate) const ON_UNAVAILABLE: &str = "permissions.autoMode.classifier.onUnavailable";
    pub(crate) const STAGE1: &str = "permissions.autoMode.classifier.timeouts.stage1Ms";
    pub(crate) const STAGE2: &str = "permissions.autoMode.classifier.timeouts.stage2Ms";
    pub(crate) const APPROVAL_MODE: &str = "tools.approvalMode";
    pub(crate) const ACKNOWLEDGED: &str = "ui.autoModeAcknowledged";
    pub(crate) const IMPORT: &str = "import";
    pub(crate) const PROTECTED_ADD: &str = "protectedPaths.add";
    pub(crate) const PROTECTED_REMOVE: &str = "protectedPaths.remove";
    pub(crate) const CONTEXT_FILES: &str = "contextFiles";
    pub(crate) const DISABLE_ALL_HOOKS: &str = "disableAllHooks";
    pub(crate) const RETENTION: &str = "journal.retentionDays";
    pub(crate) const MEGABYTES: &str = "journal.maxMegabytes";
}

const fn list(
    key: &'static str,
    kind: Kind,
    direction: Direction,
    merge: Merge,
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind,
        default: Fixed::Nothing,
        malformed: Fixed::Nothing,
        merge,
        direction,
    }
}

const fn flag(
    key: &'static str,
    strict: bool,
    default: bool,
    merge: Merge,
    direction: Direction,
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Flag { strict },
        default: Fixed::Flag(default),
        malformed: Fixed::Flag(strict),
        merge,
        direction,
    }
}

const fn choice(
    key: &'static str,
    words: &'static [&'static str],
    default: Fixed,
    malformed: &'static str,
    merge: Merge,
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Choice(words),
        default,
        malformed: Fixed::Choice(malformed),
        merge,
        direction: Direction::ByValue,
    }
}

const fn limit(key: &'static str, default: u64, doc: &'static str) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Count {
            least: 1,
            most: 10_000,
        },
        default: Fixed::Count(default),
        malformed: Fixed::Count(1),
        merge: Merge::MostRestrictive,
        direction: Direction::ByValue,
    }
}

const fn measure(
    key: &'static str,
    (least, default, most): (u64, u64, u64),
    doc: &'static str,
) -> Descriptor {
    Descriptor {
        key,
        doc,
        kind: Kind::Count { least, most },
        default: Fixed::Count(default),
        malformed: Fixed::Count(default),
        merge: Merge::UserOnly,
        direction: Direction::Neutral,
    }
}

/// Every setting, in the order of the documentation.
pub const DESCRIPTORS: &[Descriptor] = &[
    list(
        key::ALLOW,
        Kind::Rules(RuleList::Allow),
        Direction::Loosens,
        Merge::UnitedLists,
        "Rules for calls that run without asking, as long as a rule vouches for every part of the call. See `docs/rules.md`.",
    ),
    list(
        key::ASK,
        Kind::Rules(RuleList::Ask),
        Direction::Tightens,
        Merge::UnitedLists,
        "Rules for calls that a person must approve each time. They win over `permissions.allow`.",
    ),
    list(
        key::DENY,
        Kind::Rules(RuleList::Deny),
        Direction::Tightens,
        Merge::UnitedLists,
        "Rules for calls that never run. They win over everything.",
    ),
    list(
        key::HINTS_ALLOW,
        Kind::Prose,
        Direction::Loosens,
        Merge::UnitedLists,
        "Sentences that describe to the classifier what is normal here. At most 50, of 200 characters each.",
    ),
    list(
        key::HINTS_SOFT_DENY,
        Kind::Prose,
        Direction::Tightens,
        Merge::UnitedLists,
        "Sentences that describe what the classifier blocks unless the user asked for exactly that. At most 50 together with `hints.deny`, of 200 characters each.",
    ),
    list(
        key::HINTS_HARD_DENY,
        Kind::Prose,
        Direction::Tightens,
        Merge::UnitedLists,
        "Sentences that describe what the classifier always blocks. At most 50, of 200 characters each.",
    ),
    list(
        key::HINTS_DENY,
        Kind::Prose,
        Direction::Tightens,
        Merge::UnitedLists,
        "Older name of `hints.softDeny`; counted after it.",
    ),
    list(
        key::ENVIRONMENT,
        Kind::Prose,
        Direction::Loosens,
        Merge::UnitedLists,
        "Facts about the surroundings for the classifier. At most 20, of 200 characters each.",
    ),
    flag(
        key::CLASSIFY_ALL_SHELL,
        true,
        false,
        Merge::MostRestrictive,
        Direction::ByValue,
        "Whether every shell command goes to the classifier, also those that rules allow.",
    ),
    flag(
        key::REVIEW_CREDENTIAL_READS,
        true,
        true,
        Merge::MostRestrictive,
        Direction::ByValue,
        "Whether reads of credential stores outside the workspace are reviewed instead of allowed.",
    ),
    choice(
        key::RUN_EDITED_CODE,
        &["review", "allow"],
        Fixed::Choice("review"),
        "review",
        Merge::MostRestrictive,
        "Whether running project tasks after an agent edited code is reviewed or allowed. With `allow`, code that an agent wrote runs unreviewed.",
    ),
    choice(
        key::STATIC_ANALYSIS,
        &["off", "read-only", "contained"],
        Fixed::Choice("contained"),
        "off",
        Merge::MostRestrictive,
        "What static analysis of shell commands may allow: commands whose effects are all contained, only those that read, or none.",
    ),
    limit(
        key::LIMIT_BLOCK,
        3,
        "After that many classifier blocks in a row the next call that would go to the classifier asks.",
    ),
    limit(
        key::LIMIT_UNAVAILABLE,
        2,
        "After the classifier gave no answer that many times in a row the next call that would go to it asks.",
    ),
    limit(
        key::LIMIT_TOTAL,
        20,
        "After that many blocks and unavailable answers in a session, in any mix, the next call that would go to the classifier asks.",
    ),
    choice(
        key::ON_UNAVAILABLE,
        &["block", "ask"],
        Fixed::Choice("block"),
        "block",
        Merge::MostRestrictive,
        "What happens when the classifier gives no answer.",
    ),
    measure(
        key::STAGE1,
        (1_000, 10_000, 600_000),
        "How long the first stage of the classifier may take with all its attempts, in milliseconds.",
    ),
    measure(
        key::STAGE2,
        (1_000, 30_000, 600_000),
        "How long the second stage of the classifier may take with all its attempts, in milliseconds.",
    ),
    choice(
        key::APPROVAL_MODE,
        &["plan", "default", "auto-edit", "auto"],
        Fixed::Nothing,
        "default",
        Merge::Highest,
        "The mode in which sessions start. Not set: `auto` once `ui.autoModeAcknowledged` is true, else `default`. In an untrusted workspace `auto-edit` and `auto` act as `default`. `yolo` is no setting: a person confirms it in the editor, for one session.",
    ),
    flag(
        key::ACKNOWLEDGED,
        false,
        false,
        Merge::UserOnly,
        Direction::Loosens,
        "Whether the person has seen what auto mode does and chose it. Set it yourself, or let the notice of your editor do it.",
    ),
    list(
        key::IMPORT,
        Kind::Words(&["qwen", "claude"]),
        Direction::Neutral,
        Merge::UserOnly,
        "Agents whose permission lists and auto mode hints are read too, from the user's and the workspace's settings files of that agent. Nothing else of those files is used.",
    ),
    list(
        key::PROTECTED_ADD,
        Kind::Names,
        Direction::Tightens,
        Merge::UnitedLists,
        "Paths and patterns that are protected besides the built-in ones: no edit of them is waved through.",
    ),
    list(
        key::PROTECTED_REMOVE,
        Kind::Names,
        Direction::Loosens,
        Merge::UserOnly,
        "Built-in protected paths that are not protected. The guard's own files always are.",
    ),
    list(
        key::CONTEXT_FILES,
        Kind::Names,
        Direction::Tightens,
        Merge::UnitedLists,
        "Names of instruction files that agents are configured to read besides the well-known ones; they are protected.",
    ),
    flag(
        key::DISABLE_ALL_HOOKS,
        true,
        false,
        Merge::UserOnly,
        Direction::Neutral,
        "Whether user hooks are switched off. A value that cannot be read switches them off.",
    ),
    measure(
        key::RETENTION,
        (1, 90, 3_650),
        "How many days journal rows are kept. Older ones go when a session begins or ends; an anchor row keeps the rest verifiable.",
    ),
    measure(
        key::MEGABYTES,
        (1, 256, 65_536),
        "How large the state may become, in megabytes, before the journal's oldest rows are removed.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_none_is_inside_another() {
        let names: BTreeSet<_> = DESCRIPTORS.iter().map(|setting| setting.key).collect();
        assert_eq!(names.len(), DESCRIPTORS.len());
        for name in &names {
            assert!(
                !names
                    .iter()
                    .any(|other| other.starts_with(&format!("{name}.")))
            );
        }
    }

    #[test]
    fn what_loosens_or_decides_by_value_is_never_more_lenient_when_malformed() {
        for setting in DESCRIPTORS {
            if setting.direction != Direction::ByValue || setting.default == Fixed::Nothing {
                continue;
            }
            let malformed = setting.kind.rank(setting.malformed);
            assert!(
                malformed <= setting.kind.rank(setting.default),
                "{}",
                setting.key
            );
        }
    }
}
