//! `test` and `[`: look at files and texts, and run nothing.

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;

/// Operators whose operand is a file.
const FILE_TESTS: &str = "abcdefghkprstuwxGLNOS";

pub(super) fn test(finder: &mut Finder<'_>, words: &[Word]) {
    let mut before: Option<&str> = None;
    for word in words {
        let is_file = before.is_some_and(|operator| {
            operator.len() == 2
                && operator.starts_with('-')
                && operator
                    .chars()
                    .nth(1)
                    .is_some_and(|letter| FILE_TESTS.contains(letter))
        });
        // Where a file is not known, its attributes are all that is looked at.
        if is_file && matches!(word.value, WordValue::Literal(_)) {
            finder.touch(Touch::List, &word.value, word.span.clone(), false);
        }
        before = word.literal();
    }
}
