//! `find -exec` and `fd --exec`.

use countersign_core::command::{Below, Folder, Known, Word, WordValue};

use super::found::given_by_find;
use super::{Launcher, dynamic, with_placeholder};
use crate::state::State;
use crate::walk::Walker;

impl Walker {
    pub(super) fn find(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let words = launcher.words;
        let mut at = 1;
        while let Some(word) = words.get(at) {
            at += 1;
            let folder = match word.literal() {
                Some("-exec" | "-ok") => state.folder().clone(),
                Some("-execdir" | "-okdir") => Folder::Unknown,
                _ => continue,
            };
            let rest = words.get(at..).unwrap_or_default();
            let length = command_length(rest);
            let inner = rest.get(..length).unwrap_or_default();
            let end = rest.get(length).and_then(Word::literal);
            let found = given_by_find(words, at - 1, state.folder());
            let inner = with_found(inner, found.as_ref(), end == Some("+"));
            at += length;
            self.start_words(launcher, inner, folder, state);
        }
    }

    pub(super) fn fd(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let words = launcher.words;
        let runs = |word: &Word| {
            word.literal().is_some_and(|text| {
                matches!(text, "--exec" | "--exec-batch")
                    || text.starts_with("--exec=")
                    || text.starts_with("--exec-batch=")
                    || (text.starts_with('-')
                        && !text.starts_with("--")
                        && text.contains(['x', 'X']))
            })
        };
        let Some(at) = words.iter().position(runs) else {
            return;
        };
        let exact = words.get(at).and_then(Word::literal);
        if !matches!(exact, Some("-x" | "-X" | "--exec" | "--exec-batch")) {
            self.not_understood(launcher, state);
            return;
        }
        let rest = words.get(at + 1..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|word| word.literal() == Some(";"))
            .unwrap_or(rest.len());
        let inner = rest.get(..length).unwrap_or_default();
        let Some(first) = inner.first() else { return };
        let placeholder = |word: &Word| word.literal().is_some_and(|text| text.contains('{'));
        let mut words = with_placeholder(inner, "{");
        if !inner.iter().any(placeholder) {
            words.push(dynamic("", first));
        }
        self.start_words(launcher, words, state.folder().clone(), state);
    }
}

/// The words of `-exec` with what has been found.
fn with_found(words: &[Word], found: Option<&Below>, several: bool) -> Vec<Word> {
    let with = |word: &Word| match (word.literal(), found) {
        (Some("{}"), Some(below)) => Some(Known::Below(Below {
            several,
            ..below.clone()
        })),
        (Some("{}"), None) if several => None,
        (Some(text), _) if text.contains("{}") => Some(Known::OneWord),
        _ => None,
    };
    with_placeholder(words, "{}")
        .into_iter()
        .zip(words)
        .map(|(mut replaced, word)| {
            if let (WordValue::Dynamic { known, .. }, Some(is)) = (&mut replaced.value, with(word))
            {
                *known = is;
            }
            replaced
        })
        .collect()
}

/// How many words belong to the command of `-exec`.
fn command_length(rest: &[Word]) -> usize {
    let mut before = None;
    for (at, word) in rest.iter().enumerate() {
        let text = word.literal();
        if text == Some(";") || (text == Some("+") && before == Some("{}")) {
            return at;
        }
        before = text;
    }
    rest.len()
}
