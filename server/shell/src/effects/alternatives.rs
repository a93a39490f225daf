//! A command with words that are one of several values does what it does with
//! each: it is judged once for each.

use std::ops::Range;

use countersign_core::command::{Choice, Known, SimpleCommand, WordValue};

/// Most alternatives of one command.
const MOST: usize = 128;
/// Most words of all alternatives of one command.
const MOST_WORDS: usize = 1_024;
/// Most words of all alternatives of all commands.
pub(super) const MOST_OF_ALL: usize = 4_096;

/// A command with each of its values.
pub(super) struct Alternatives {
    pub(super) commands: Vec<SimpleCommand>,
    /// Patterns whose matches must not be split.
    pub(super) split: Vec<Split>,
}

/// A pattern whose matches are not quoted.
pub(super) struct Split {
    pub(super) pattern: String,
    pub(super) span: Range<usize>,
}

/// The alternatives of a command; `None` if it has one only, or if there are
/// too many: then its words stay unknown.
pub(super) fn of(command: &SimpleCommand, budget: &mut usize) -> Option<Alternatives> {
    let mut copy = command.clone();
    let mut groups: Vec<(Option<usize>, usize)> = Vec::new();
    let mut split = Vec::new();
    each(&mut copy, |value, span| {
        let Some(choice) = choice(value) else { return };
        let length = choice.values.len();
        match groups
            .iter_mut()
            .find(|(by, _)| by.is_some() && *by == choice.by)
        {
            Some((_, least)) => *least = length.min(*least),
            None => groups.push((choice.by, length)),
        }
        let patterns = choice.values.iter().filter_map(|value| match value {
            WordValue::Glob(pattern) if choice.splits => Some(Split {
                pattern: pattern.clone(),
                span: span.clone(),
            }),
            _ => None,
        });
        split.extend(patterns);
    });
    let count = groups
        .iter()
        .try_fold(1_usize, |product, (_, length)| product.checked_mul(*length))?;
    let words = count.checked_mul(command.words.len() + command.redirects.len())?;
    if groups.is_empty() || count == 0 || count > MOST || words > MOST_WORDS {
        return None;
    }
    *budget = budget.checked_sub(words)?;
    let commands = (0..count).map(|number| with(command, &groups, number));
    Some(Alternatives {
        commands: commands.collect(),
        split,
    })
}

/// The command with one combination of its values.
fn with(
    command: &SimpleCommand,
    groups: &[(Option<usize>, usize)],
    number: usize,
) -> SimpleCommand {
    let mut rest = number;
    let mut indices: Vec<(Option<usize>, usize)> = Vec::new();
    for (by, length) in groups {
        indices.push((*by, rest.checked_rem(*length).unwrap_or_default()));
        rest = rest.checked_div(*length).unwrap_or_default();
    }
    let mut own = indices.iter().filter(|(by, _)| by.is_none());
    let mut copy = command.clone();
    each(&mut copy, |value, _| {
        let Some(choice) = choice(value) else { return };
        let index = match choice.by {
            None => own.next(),
            by => indices.iter().find(|(one, _)| *one == by),
        };
        let chosen = index.and_then(|(_, index)| choice.values.get(*index));
        if let Some(chosen) = chosen.cloned() {
            *value = chosen;
        }
    });
    copy
}

const fn choice(value: &WordValue) -> Option<&Choice> {
    match value {
        WordValue::Dynamic {
            known: Known::OneOf(choice),
            ..
        } => Some(choice),
        _ => None,
    }
}

/// Calls `with` for each value in a command, always in the same order.
fn each(command: &mut SimpleCommand, mut with: impl FnMut(&mut WordValue, &Range<usize>)) {
    for word in &mut command.words {
        with(&mut word.value, &word.span);
    }
    for redirect in &mut command.redirects {
        if let Some(target) = &mut redirect.target {
            with(&mut target.value, &target.span);
        }
    }
}
