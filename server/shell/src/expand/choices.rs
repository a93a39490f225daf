//! Words with variables that have one of several values: what they become with
//! each.

use countersign_core::command::{Choice, Folder, Known, WordValue};

use super::fields::{single_value, tilde};
use super::{Piece, Quoting};
use crate::lex::{Expansion, Lexeme};
use crate::source::Source;
use crate::state::{State, VALUES, Value};
use crate::walk::{Context, Walker};

/// How often all words of a command are expanded with one of several values.
const CHOSEN: usize = 4_096;

/// Variables whose values go together.
struct Group {
    by: Option<usize>,
    variables: Vec<(String, Vec<Value>)>,
}

/// The variables of a word that have one of several values.
pub(super) struct Choices {
    groups: Vec<Group>,
    /// The number of the only group.
    by: Option<usize>,
    /// The variable that is all there is of the word, and whether it is quoted.
    whole: Option<(String, bool)>,
}

impl Choices {
    /// Calls `with` for each combination of values, which `state` then has.
    fn each(&self, state: &mut State, mut with: impl FnMut(&mut State)) {
        let before: Vec<(String, Option<Value>)> = self
            .groups
            .iter()
            .flat_map(|group| &group.variables)
            .map(|(name, _)| (name.clone(), state.get(name).cloned()))
            .collect();
        let lengths: Vec<usize> = self.groups.iter().map(Group::length).collect();
        for number in 0..lengths.iter().product() {
            let mut rest = number;
            for (group, length) in self.groups.iter().zip(&lengths) {
                let index = rest.checked_rem(*length).unwrap_or_default();
                rest = rest.checked_div(*length).unwrap_or_default();
                for (name, values) in &group.variables {
                    let value = values.get(index).cloned().unwrap_or(Value::Unknown);
                    state.restore(name, Some(value));
                }
            }
            with(state);
        }
        for (name, value) in before {
            state.restore(&name, value);
        }
    }
}

impl Group {
    fn length(&self) -> usize {
        let lengths = self.variables.iter().map(|(_, values)| values.len());
        lengths.min().unwrap_or_default()
    }
}

impl Walker {
    /// The variables of a word that have one of several values; `None` if there
    /// are none, if there are too many values, or if the word is more than text
    /// and variables.
    pub(super) fn choices(&mut self, lexeme: &Lexeme, state: &State) -> Option<Choices> {
        use countersign_core::call::ShellDialect::Zsh;
        // There values are not split.
        if self.findings.dialect == Zsh || self.is_overspent() {
            return None;
        }
        if lexeme
            .head
            .as_ref()
            .is_some_and(|head| head.subscript.is_some())
        {
            return None;
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut whole = None;
        let mut parts = usize::from(lexeme.head.is_some());
        for piece in &lexeme.pieces {
            let (name, quoted) = match piece {
                Piece::Text { text, quoting } => {
                    parts += usize::from(*quoting != Quoting::Quoted || !text.is_empty());
                    continue;
                }
                Piece::Parameter { name, quoted } => (name, Some(*quoted)),
                Piece::Expansion(expansion) if is_pure(expansion) => {
                    (&expansion.plain.as_ref()?.0, None)
                }
                Piece::Expansion(_) => return None,
                Piece::Substitution { .. }
                | Piece::Arithmetic(_)
                | Piece::Array(_)
                | Piece::Unknown => return None,
            };
            parts += 1;
            whole = quoted.map(|quoted| (name.clone(), quoted));
            let (by, values) = match state.get(name) {
                Some(Value::OneOf(one)) => (one.by, one.values.to_vec()),
                Some(value @ Value::Match { .. }) => (None, vec![value.clone()]),
                _ => continue,
            };
            let is_in = |group: &&mut Group| {
                (by.is_some() && group.by == by)
                    || group.variables.iter().any(|(own, _)| own == name)
            };
            match groups.iter_mut().find(is_in) {
                Some(group) => group.variables.push((name.clone(), values)),
                None => groups.push(Group {
                    by,
                    variables: vec![(name.clone(), values)],
                }),
            }
        }
        let combinations = groups.iter().try_fold(1_usize, |product, group| {
            product.checked_mul(group.length())
        })?;
        if groups.is_empty() || combinations == 0 || combinations > VALUES {
            return None;
        }
        self.chosen = self.chosen.saturating_add(combinations);
        if self.chosen > CHOSEN {
            return None;
        }
        let by = match groups.as_slice() {
            [only] => only.by,
            _ => None,
        };
        Some(Choices {
            groups,
            by,
            whole: whole.filter(|_| parts == 1),
        })
    }

    /// The words that a word becomes.
    pub(super) fn chosen_fields(
        &mut self,
        choices: &Choices,
        lexeme: &Lexeme,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Vec<WordValue> {
        let mut all: Vec<Vec<WordValue>> = Vec::new();
        let mut splits = false;
        let mut is_match = false;
        choices.each(state, |state| {
            if let Some((name, quoted)) = &choices.whole
                && let Some(Value::Match { pattern, folder }) = state.get(name)
                && is_there(pattern, folder, state.folder())
                && (*quoted || state.splits_at_blanks())
            {
                is_match = true;
                splits |= !quoted;
                all.push(vec![WordValue::Glob(pattern.clone())]);
                return;
            }
            let atoms = self.word_atoms(lexeme, source, state, context);
            all.push(self.fields_of(&atoms, lexeme, source, state));
        });
        let length = all.first().map_or(0, Vec::len);
        if length == 0 || all.iter().any(|fields| fields.len() != length) {
            return vec![WordValue::unknown()];
        }
        (0..length)
            .map(|at| {
                let values = all.iter().filter_map(|fields| fields.get(at).cloned());
                one_of(choices.by, values.collect(), is_match, splits)
            })
            .collect()
    }

    /// The value that a word has where the shell does not split it.
    pub(super) fn chosen_value(
        &mut self,
        choices: &Choices,
        lexeme: &Lexeme,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Value {
        let mut values = Vec::new();
        choices.each(state, |state| {
            let whole = choices.whole.as_ref().and_then(|(name, _)| state.get(name));
            if let Some(value @ Value::Match { .. }) = whole {
                values.push(value.clone());
                return;
            }
            let atoms = self.atoms(&lexeme.pieces, source, state, context);
            self.spend(atoms.len());
            values.push(single_value(&tilde(&atoms)));
        });
        Value::one_of(choices.by, values)
    }
}

/// Whether an expansion does nothing but to give a value.
fn is_pure(expansion: &Expansion) -> bool {
    expansion.assigns.is_none()
        && expansion.evaluates.is_empty()
        && crate::lex::plain_text(&expansion.pieces).is_some()
}

/// Whether a pattern that was expanded in one folder means the same in another.
fn is_there(pattern: &str, then: &Folder, now: &Folder) -> bool {
    pattern.starts_with(['/', '~']) || (then == now && *now != Folder::Unknown)
}

/// The word that is one of these.
fn one_of(
    by: Option<usize>,
    mut values: Vec<WordValue>,
    is_match: bool,
    splits: bool,
) -> WordValue {
    if by.is_none() {
        let mut distinct: Vec<WordValue> = Vec::new();
        for value in values {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        values = distinct;
    }
    if let Some(first) = values.first()
        && !is_match
        && values.iter().all(|value| value == first)
    {
        return first.clone();
    }
    let prefix = common_prefix(&values);
    let is_listed = |value: &WordValue| matches!(value, WordValue::Literal(_) | WordValue::Glob(_));
    let is_one_word = |value: &WordValue| match value {
        WordValue::Literal(_) => true,
        WordValue::Glob(_) => false,
        WordValue::Dynamic { known, .. } => {
            matches!(known, Known::OneWord | Known::Natural | Known::Integer)
        }
    };
    let known = if values.iter().all(is_listed) {
        Known::OneOf(Choice { by, values, splits })
    } else if values.iter().all(is_one_word) {
        Known::OneWord
    } else {
        Known::Nothing
    };
    WordValue::Dynamic { prefix, known }
}

/// The text that all values surely begin with.
fn common_prefix(values: &[WordValue]) -> String {
    let text = |value: &WordValue| match value {
        WordValue::Literal(text) => text.clone(),
        WordValue::Glob(pattern) => literal_beginning(pattern),
        WordValue::Dynamic { prefix, .. } => prefix.clone(),
    };
    let mut values = values.iter().map(text);
    let first = values.next().unwrap_or_default();
    let common = values.fold(first, |common, next| {
        let both = common.chars().zip(next.chars());
        both.take_while(|(one, two)| one == two)
            .map(|(one, _)| one)
            .collect()
    });
    // Whose home it is must be known.
    if common.starts_with('~') && !common.contains('/') {
        String::new()
    } else {
        common
    }
}

/// The text before anything in a pattern that may be more than text.
pub(crate) fn literal_beginning(pattern: &str) -> String {
    pattern
        .chars()
        .take_while(|next| next.is_alphanumeric() || "/._-~ ,:=%".contains(*next))
        .collect()
}
