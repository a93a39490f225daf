//! The text that is being analysed and where it stands in the outermost text.

use std::ops::Range;
use std::rc::Rc;

/// A text of commands: the outermost one, or one that a word of it holds.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    text: Rc<str>,
    /// For a text out of a word: the place of that word in the outermost text.
    word: Option<Range<usize>>,
}

impl Source {
    /// The outermost text.
    pub(crate) fn outermost(text: &str) -> Self {
        Self {
            text: text.into(),
            word: None,
        }
    }

    /// A text that stands, encoded somehow, in a word.
    pub(crate) fn in_word(text: &str, word: Range<usize>) -> Self {
        Self {
            text: text.into(),
            word: Some(word),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the outermost text of a range of this one.
    pub(crate) fn span(&self, range: Range<usize>) -> Range<usize> {
        self.word.clone().unwrap_or(range)
    }
}
