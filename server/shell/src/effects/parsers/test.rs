//! `test` and `[`: look at files and texts, and run nothing.

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::{Finder, options};

/// Operators whose operand is a file.
const FILE_TESTS: &str = "abcdefghkprstuwxGLNOS";

pub(super) fn test(finder: &mut Finder<'_>, words: &[Word]) {
    let mut before: Option<&str> = None;
    for (index, word) in words.iter().enumerate() {
        let is_file = before.is_some_and(|operator| {
            operator.len() == 2
                && operator.starts_with('-')
                && operator
                    .chars()
                    .nth(1)
                    .is_some_and(|letter| FILE_TESTS.contains(letter))
        });
        match &word.value {
            // Where a file is not known, its attributes are all that is looked at.
            WordValue::Literal(_) if is_file => {
                finder.touch(Touch::List, &word.value, word.span.clone(), false);
            }
            WordValue::Literal(_) => {}
            value => {
                let next = words.get(index + 1);
                if options::may_be_several(value) || may_be_operator(value, before, next) {
                    operator(finder, word);
                }
            }
        }
        before = word.literal();
    }
}

/// `-v` evaluates the subscript of the name behind it, which may run commands.
fn operator(finder: &mut Finder<'_>, word: &Word) {
    match &word.value {
        // The matches are looked at: whether one of them may be an operator.
        WordValue::Glob(_) => finder.touch(Touch::List, &word.value, word.span.clone(), true),
        _ => finder.unproven(
            "a word that is known only when the command runs may become an operator of `test`",
            word.span.clone(),
        ),
    }
}

/// Whether a word stands where an operator with an operand may: not behind an
/// operator, and not before one.
fn may_be_operator(value: &WordValue, before: Option<&str>, next: Option<&Word>) -> bool {
    let WordValue::Dynamic { prefix, .. } = value else {
        return true;
    };
    let is_behind_one = before.is_some_and(|text| {
        text.starts_with('-') || matches!(text, "=" | "==" | "!=" | "<" | ">" | "=~")
    });
    let is_before_one = match next {
        None => true,
        Some(next) => next.literal().is_some_and(|text| {
            text.starts_with('-') || matches!(text, "=" | "==" | "!=" | "<" | ">" | "]" | ")")
        }),
    };
    let is_one = prefix.is_empty() || prefix.starts_with('-');
    is_one && !is_behind_one && !is_before_one
}
