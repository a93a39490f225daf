//! What there is to say about a setting: its type, its default and how its
//! layers merge. The settings themselves are in `table`.

use countersign_core::rules::RuleList;

use crate::table::DESCRIPTORS;
use crate::text::TextRule;

/// What kind of value a setting has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A list of permission rules.
    Rules(RuleList),
    /// A list of sentences for the classifier.
    Prose,
    /// A list of file names or path patterns.
    Names,
    /// A list of MCP servers and of tools of theirs.
    McpTools,
    /// A list of some of these words.
    Words(&'static [&'static str]),
    /// A list of user hooks: groups of a matcher and what runs.
    Hooks,
    /// One of these words; strictest first, if one is stricter than another.
    Choice(&'static [&'static str]),
    /// A text of this form.
    Text(TextRule),
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
            Self::Rules(_)
            | Self::Prose
            | Self::Names
            | Self::McpTools
            | Self::Words(_)
            | Self::Hooks => true,
            Self::Choice(_) | Self::Text(_) | Self::Flag { .. } | Self::Count { .. } => false,
        }
    }

    /// How strict a value is; the smaller, the stricter. No text is stricter
    /// than another.
    pub(crate) fn rank(self, value: &Given) -> u64 {
        match (self, value) {
            (_, Given::Fixed(Fixed::Unusable)) => 0,
            (Self::Flag { strict }, Given::Fixed(Fixed::Flag(flag))) => u64::from(*flag != strict),
            (Self::Choice(words), Given::Fixed(Fixed::Choice(word))) => words
                .iter()
                .position(|known| known == word)
                .map_or(u64::MAX, |at| at as u64),
            (Self::Count { .. }, Given::Fixed(Fixed::Count(count))) => *count,
            _ => u64::MAX,
        }
    }
}

/// A value that the table can name, of a setting that is not a list.
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
    /// Nothing that could be used, and nothing in its place: there is no
    /// classifier, or no export, until it is mended.
    Unusable,
}

/// The value of a setting that is not a list, as a layer states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// One that the table can name.
    Fixed(Fixed),
    /// A text of the form that the setting asks for.
    Text(String),
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

    /// Whether a value that cannot be read, or two that differ, are as good as
    /// none: no other value may stand in for an endpoint.
    pub(crate) const fn is_exact(&self) -> bool {
        matches!(self.malformed, Fixed::Unusable)
    }

    /// What there is not while the value cannot be used.
    pub(crate) fn without(&self) -> &'static str {
        if self.key.starts_with("telemetry.") {
            "nothing is exported until it is mended"
        } else {
            crate::extract::NO_CLASSIFIER
        }
    }

    /// The setting of that name.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        DESCRIPTORS.iter().find(|setting| setting.key == key)
    }
}
