//! `ar`: letters that say what is done with an archive.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;

/// Letters that change how an archive is changed or shown, and take no word.
const MODIFIERS: &str = "cDfloPsSTuUvV";

pub(super) fn ar(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) {
    let operation = words.first().and_then(Word::literal).unwrap_or_default();
    let letters = operation.strip_prefix('-').unwrap_or(operation);
    let mut what = letters
        .chars()
        .filter(|letter| !MODIFIERS.contains(*letter));
    let (archive, members) = match (what.next(), what.next()) {
        (Some('t' | 'p'), None) => (Touch::Read, None),
        (Some('r' | 'q'), None) => (Touch::Edit, Some(Touch::Read)),
        (Some('d' | 'm'), None) => (Touch::Edit, None),
        // An index is added.
        (None, None) if letters.contains('s') => (Touch::Edit, None),
        // `x` writes files under the names that the archive holds.
        _ => {
            finder.unproven("what `ar` does is not known", span.clone());
            return;
        }
    };
    let is_option = |word: &&Word| match &word.value {
        WordValue::Literal(text) | WordValue::Glob(text) => text.starts_with('-'),
        WordValue::Dynamic { .. } => true,
    };
    let rest = words.get(1..).unwrap_or_default();
    if let Some(word) = rest.iter().find(is_option) {
        finder.unproven("an option of `ar` is not known", word.span.clone());
        return;
    }
    if let Some((first, rest)) = rest.split_first() {
        finder.touch(archive, &first.value, first.span.clone(), true);
        for word in rest {
            if let Some(touch) = members {
                finder.touch(touch, &word.value, word.span.clone(), true);
            }
        }
    }
}
