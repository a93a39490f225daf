//! All rules of a workspace, compiled.

use camino::Utf8Path;

use crate::call::Operation;
use crate::rules::index::Index;
use crate::rules::rule::{Rule, Specifier};
use crate::rules::{Hit, RuleList, RuleOrigin, Subject, meet};

/// The permission rules of all layers.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    pub(super) deny: Index,
    pub(super) ask: Index,
    pub(super) allow: Index,
}

impl RuleSet {
    /// Compiles rules. Total: a rule that cannot be read is kept with its
    /// error, see [`Self::problems`]. `home` is the user's canonical home
    /// folder.
    #[must_use]
    pub fn compile(
        rules: impl IntoIterator<Item = (RuleList, String, RuleOrigin)>,
        home: &Utf8Path,
    ) -> Self {
        let mut set = Self::default();
        for (list, text, origin) in rules {
            let rule = Rule::new(list, text, origin, home);
            let index = match list {
                RuleList::Deny => &mut set.deny,
                RuleList::Ask => &mut set.ask,
                RuleList::Allow => &mut set.allow,
            };
            index.insert(&rule, set.rules.len());
            set.rules.push(rule);
        }
        set
    }

    /// Every rule, in the order in which they were given.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules with which something is wrong; see [`Rule::error`].
    pub fn problems(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.error().is_some())
    }

    /// The allow rules that are set aside while in auto mode.
    pub fn over_broad(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.over_broad().is_some())
    }

    /// The deny rule that speaks of an operation: one that does for certain
    /// before one that cannot be ruled out.
    #[must_use]
    pub fn deny(&self, subject: &Subject<'_>) -> Option<Hit<'_>> {
        meet::find(self, &self.deny, subject)
    }

    /// The ask rule that speaks of an operation, likewise.
    #[must_use]
    pub fn ask(&self, subject: &Subject<'_>) -> Option<Hit<'_>> {
        meet::find(self, &self.ask, subject)
    }

    /// Whether an allow rule may speak of a command.
    #[must_use]
    pub fn allows_commands(&self) -> bool {
        self.rules.iter().any(|rule| {
            rule.list() == RuleList::Allow
                && matches!(rule.specifier, Specifier::Command(_) | Specifier::None)
        })
    }

    /// A deny or ask rule that cannot be read and that names the operation's
    /// tool; one whose tool cannot be read names every tool.
    #[must_use]
    pub fn malformed_for(&self, operation: &Operation) -> Option<&Rule> {
        self.malformed_deny_for(operation)
            .or_else(|| self.first_malformed(&self.ask, operation))
    }

    /// As [`Self::malformed_for`], deny rules only.
    #[must_use]
    pub fn malformed_deny_for(&self, operation: &Operation) -> Option<&Rule> {
        self.first_malformed(&self.deny, operation)
    }

    fn first_malformed(&self, index: &Index, operation: &Operation) -> Option<&Rule> {
        self.at(index.malformed.iter().copied())
            .find(|rule| rule.concerns(&operation.tool))
    }

    /// The rules at these positions.
    pub(super) fn at(&self, positions: impl Iterator<Item = usize>) -> impl Iterator<Item = &Rule> {
        positions.filter_map(|position| self.rules.get(position))
    }
}
