//! Why there is no answer, in a form that says whether another attempt may
//! help and what a person can change.

use std::fmt;
use std::time::Duration;

use countersign_core::decision::UnavailableReason;
use countersign_core::redact::{bounded, mask, visible};

use crate::key::Key;
use crate::probe::Problem;

/// Longest text of a problem, in characters.
const PROBLEM_CHARACTERS: usize = 300;

/// Most that is kept of what an endpoint said, in bytes. More than the longest
/// key, so that a key which begins in what is shown is wholly in what is
/// searched for it.
pub(crate) const SAID_BYTES: usize = 16 * 1024;

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The same question gets the same answer.
    Never,
    /// At once: the model may say it right the second time.
    Now,
    /// After a while; the endpoint may have said after how long.
    Later(Option<Duration>),
}

/// Why an attempt brought no answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The kind.
    pub(crate) reason: UnavailableReason,
    /// What failed, in our words.
    pub(crate) what: String,
    /// What the endpoint said of it: hostile text, at most [`SAID_BYTES`].
    pub(crate) said: Option<String>,
    /// What to change, in our words; empty if there is nothing.
    pub(crate) remedy: String,
    /// Whether another attempt may help.
    pub(crate) again: Again,
}

impl Failure {
    /// A failure that another attempt does not change.
    pub(crate) fn new(reason: UnavailableReason, what: impl Into<String>) -> Self {
        Self {
            reason,
            what: what.into(),
            said: None,
            remedy: String::new(),
            again: Again::Never,
        }
    }

    /// With what to change.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// With what the endpoint said.
    pub(crate) fn said(mut self, said: Option<&str>) -> Self {
        self.said = said
            .filter(|said| !said.trim().is_empty())
            .map(|said| bounded(said, SAID_BYTES).into_owned());
        self
    }

    /// With another attempt.
    pub(crate) const fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    /// For people: what failed, what the endpoint said of it, what to change;
    /// one line of at most 300 characters without the key.
    pub(crate) fn text(&self, key: Option<&Key>) -> String {
        let mut remedy = String::new();
        if !self.remedy.is_empty() {
            remedy = format!("; {}", self.remedy);
        }
        let room = PROBLEM_CHARACTERS.saturating_sub(remedy.chars().count());
        let mut text = cut(&self.described(key), room);
        text.push_str(&remedy);
        cut(&text, PROBLEM_CHARACTERS)
    }

    /// The same in parts.
    pub(crate) fn problem(&self, key: Option<&Key>) -> Problem {
        Problem {
            reason: self.reason,
            what: cut(&self.described(key), PROBLEM_CHARACTERS),
            remedy: self.remedy.clone(),
        }
    }

    fn described(&self, key: Option<&Key>) -> String {
        let what = clean(&self.what, key);
        match &self.said {
            Some(said) => format!("{what}: {}", clean(said, key)),
            None => what,
        }
    }
}

// What the endpoint said may hold the key; it is printed by `text` only.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("reason", &self.reason)
            .field("what", &self.what)
            .field("remedy", &self.remedy)
            .field("again", &self.again)
            .finish_non_exhaustive()
    }
}

/// Foreign text as one line without the key and what looks like one.
pub(crate) fn clean(text: &str, key: Option<&Key>) -> String {
    let text = match key {
        Some(key) => key.scrub(text),
        None => text.to_owned(),
    };
    visible(mask(text.trim()).as_ref())
}

/// At most that many characters, with a mark where something was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    if most > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_remedy_whatever_the_endpoint_says() {
        let failure = Failure::new(UnavailableReason::HttpStatus, "the endpoint answered 400")
            .said(Some(&"x\u{1b}[2J\u{202e}".repeat(5000)))
            .remedy("choose another model");
        let text = failure.text(None);
        assert_eq!(text.chars().count(), PROBLEM_CHARACTERS);
        assert!(text.starts_with("the endpoint answered 400: x\\x1b[2J<U+202E>"));
        assert!(text.ends_with("…; choose another model"), "{text}");
        assert!(!format!("{failure:?}").contains("202e"));
    }

    #[test]
    fn an_endpoint_that_repeats_the_key_does_not_get_it_shown() {
        let key = Key::new("zq-fourteen-horses".to_owned()).unwrap();
        let failure = Failure::new(UnavailableReason::HttpStatus, "refused")
            .said(Some("bad key zq-fourteen-horses, zq-fourteen-horses"));
        for text in [failure.text(Some(&key)), failure.problem(Some(&key)).what] {
            assert!(!text.contains("fourteen"), "{text}");
            assert!(text.starts_with("refused: bad key"), "{text}");
        }
    }

    #[test]
    fn a_cut_stands_between_characters_and_says_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüx", 3), "äö…");
        assert_eq!(cut("äöüx", 0), "");
    }
}
