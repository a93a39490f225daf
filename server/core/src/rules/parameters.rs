//! Rules for all other tools: the type of a sub-agent or skill, and matchers
//! for single parameters.

use std::collections::BTreeMap;

use crate::call::{Operation, Subject};
use crate::rules::error::RuleError;
use crate::rules::tools::stars;
use crate::rules::wildcard::{Wild, fold};
use crate::rules::{Certainty, RuleList};

/// The specifier of a rule: all its items must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParameterPattern {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// The type of the sub-agent or the name of the skill.
    Kind(Wild),
    /// A parameter with a value; names of skills have colons too.
    Parameter {
        key: String,
        value: Wild,
        whole: Wild,
    },
}

impl ParameterPattern {
    /// Reads `kind,key:value,…`; `delegates` if the tool has a kind.
    pub(super) fn parse(specifier: &str, tool: &str, delegates: bool) -> Result<Self, RuleError> {
        let error = || RuleError::Specifier {
            tool: tool.to_owned(),
            specifier: specifier.to_owned(),
        };
        let items = specifier
            .split(',')
            .map(str::trim)
            .map(|item| match item.split_once(':') {
                _ if item.is_empty() => Err(error()),
                Some((key, value)) if is_key(key) => Ok(Item::Parameter {
                    key: key.to_owned(),
                    value: stars(value.trim()),
                    whole: stars(item),
                }),
                _ if delegates => Ok(Item::Kind(stars(item))),
                _ => Err(error()),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { items })
    }

    pub(super) fn matches(&self, operation: &Operation, list: RuleList) -> Option<Certainty> {
        let kind = match &operation.subject {
            Subject::Delegate { kind, .. } => Some(kind.as_deref()),
            Subject::Command(_) | Subject::Paths(_) | Subject::Urls(_) | Subject::Other => None,
        };
        let mut certainty = Certainty::Certain;
        for item in &self.items {
            let item = item.matches(kind, &operation.parameters, list)?;
            certainty = certainty.weaker(item);
        }
        Some(certainty)
    }
}

impl Item {
    /// `kind` is `Some(None)` for a delegate whose kind is not known.
    fn matches(
        &self,
        kind: Option<Option<&str>>,
        parameters: &BTreeMap<String, String>,
        list: RuleList,
    ) -> Option<Certainty> {
        let fits = |wild: &Wild, text: &str| {
            wild.matches(text) || (list.restricts() && wild.folded().matches(&fold(text)))
        };
        let of_kind = |wild: &Wild| match kind {
            Some(Some(kind)) if fits(wild, kind) => Some(Certainty::Certain),
            Some(None) => Some(Certainty::Possible),
            Some(Some(_)) | None => None,
        };
        match self {
            Self::Kind(wild) => of_kind(wild),
            Self::Parameter { key, value, whole } => {
                if parameters.get(key).is_some_and(|own| fits(value, own)) {
                    return Some(Certainty::Certain);
                }
                // Not "possible" for a delegate without a kind: the item is
                // about a parameter unless the kind says otherwise.
                of_kind(whole).filter(|certainty| *certainty == Certainty::Certain)
            }
        }
    }
}

fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
