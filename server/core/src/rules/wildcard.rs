//! Patterns with wildcards: what text they match, and whether two of them can
//! match the same text. The second question is how "cannot be ruled out" is
//! answered for words that are not known before a command runs.

/// Stands in a text for a part that is not known before the command runs. It
/// is a noncharacter: no rule contains it, see [`is_plain`].
pub(super) const UNKNOWN: char = '\u{10FFFF}';

/// Ends every word of a command line when its words stand in one text.
pub(super) const WORD_END: char = '\0';

/// Cells of the table in [`meet`] beyond which the answer is "they can": the
/// safe one.
const CELLS: usize = 1 << 20;

/// Whether a character may stand in a rule.
pub(super) fn is_plain(character: char) -> bool {
    !character.is_control() && character != UNKNOWN
}

/// The text in lower case, character by character: as long as before, so that
/// what a pattern matches, it matches in lower case too.
pub(super) fn fold(text: &str) -> String {
    text.chars().map(fold_character).collect()
}

pub(super) fn fold_character(character: char) -> char {
    if character.is_ascii() {
        character.to_ascii_lowercase()
    } else {
        character.to_lowercase().next().unwrap_or(character)
    }
}

/// One element of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Exactly this character.
    Char(char),
    /// Any one character.
    One,
    /// One character in (or, if negated, outside) these ranges.
    Class {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
    /// Any characters, none too.
    Star,
    /// No character: the place between two words.
    WordStart,
}

impl Token {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Char(own) => *own == character,
            Self::One => true,
            Self::Class { ranges, negated } => {
                ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&character))
                    != *negated
            }
            Self::Star | Self::WordStart => false,
        }
    }
}

/// A pattern: literal text, then what is not literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wild {
    prefix: String,
    rest: Vec<Token>,
    /// The longest literal text in `rest`: what does not contain it does not
    /// match.
    needle: String,
    /// The literal text that `rest` ends with: what does not end so does not
    /// match either.
    suffix: String,
}

impl Wild {
    pub(super) fn new(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut prefix = String::new();
        let mut rest: Vec<Token> = Vec::new();
        for token in tokens {
            match token {
                Token::Char(character) if rest.is_empty() => prefix.push(character),
                // Stars in a row are one.
                Token::Star if rest.last() == Some(&Token::Star) => {}
                token => rest.push(token),
            }
        }
        Self::of(prefix, rest)
    }

    fn of(prefix: String, rest: Vec<Token>) -> Self {
        let needle = rest
            .split(|token| !matches!(token, Token::Char(_)))
            .max_by_key(|run| run.len())
            .unwrap_or_default()
            .iter()
            .filter_map(|token| match token {
                Token::Char(character) => Some(*character),
                _ => None,
            })
            .collect();
        let mut suffix: Vec<char> = rest
            .iter()
            .rev()
            .map_while(|token| match token {
                Token::Char(character) => Some(*character),
                _ => None,
            })
            .collect();
        suffix.reverse();
        Self {
            prefix,
            rest,
            needle,
            suffix: suffix.into_iter().collect(),
        }
    }

    /// The whole text, if there is nothing but literal text.
    pub(super) fn literal(&self) -> Option<&str> {
        self.rest.is_empty().then_some(self.prefix.as_str())
    }

    /// The literal text that it begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What stands behind the last dot of everything that it matches, if that
    /// is always the same.
    pub(super) fn extension(&self) -> Option<&str> {
        self.suffix.rsplit_once('.').map(|(_, extension)| extension)
    }

    /// The same pattern in lower case.
    pub(super) fn folded(&self) -> Self {
        let rest = self
            .rest
            .iter()
            .map(|token| match token {
                Token::Char(character) => Token::Char(fold_character(*character)),
                // Other characters than the ranges name may be meant in lower
                // case: any one is the safe reading.
                Token::Class { .. } => Token::One,
                Token::One | Token::Star | Token::WordStart => token.clone(),
            })
            .collect();
        Self::of(fold(&self.prefix), rest)
    }

    /// Whether the pattern matches the whole text. An unknown part of the text
    /// is matched by a star only. Quadratic at worst.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(mut text_left) = text.strip_prefix(self.prefix.as_str()) else {
            return false;
        };
        if !text_left.ends_with(self.suffix.as_str())
            || (self.needle.len() > self.suffix.len() && !text_left.contains(self.needle.as_str()))
        {
            return false;
        }
        let at_word_start = |left: &str| {
            let before = text.len().saturating_sub(left.len());
            text.get(..before)
                .is_none_or(|before| before.is_empty() || before.ends_with(WORD_END))
        };
        let mut tokens = self.rest.as_slice();
        let mut retry: Option<(&[Token], &str)> = None;
        loop {
            match tokens.split_first() {
                Some((Token::Star, [])) => return true,
                Some((Token::Star, more)) => {
                    retry = Some((more, text_left));
                    tokens = more;
                    continue;
                }
                Some((Token::WordStart, more)) if at_word_start(text_left) => {
                    tokens = more;
                    continue;
                }
                Some((token, more)) => {
                    let mut characters = text_left.chars();
                    if characters
                        .next()
                        .is_some_and(|next| next != UNKNOWN && token.takes(next))
                    {
                        text_left = characters.as_str();
                        tokens = more;
                        continue;
                    }
                }
                None if text_left.is_empty() => return true,
                None => {}
            }
            let Some((after_star, from)) = retry else {
                return false;
            };
            let mut characters = from.chars();
            if characters.next().is_none() {
                return false;
            }
            text_left = characters.as_str();
            tokens = after_star;
            retry = Some((after_star, text_left));
        }
    }

    /// Whether the pattern could match what the text may become, when each of
    /// its unknown parts may become anything.
    pub(super) fn may_match(&self, text: &str) -> bool {
        let known = text.split(UNKNOWN).next().unwrap_or_default();
        if !known.starts_with(self.prefix.as_str()) && !self.prefix.starts_with(known) {
            return false;
        }
        let text: Vec<Token> = text
            .chars()
            .map(|character| match character {
                UNKNOWN => Token::Star,
                character => Token::Char(character),
            })
            .collect();
        self.meets_tokens(&text)
    }

    /// Whether some text is matched by both patterns.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self.literal(), other.literal()) {
            (Some(own), _) => other.matches(own),
            (None, Some(other)) => self.matches(other),
            (None, None) => self.meets_tokens(&other.tokens()),
        }
    }

    fn tokens(&self) -> Vec<Token> {
        self.prefix
            .chars()
            .map(Token::Char)
            .chain(self.rest.iter().cloned())
            .collect()
    }

    fn meets_tokens(&self, other: &[Token]) -> bool {
        // A place between words takes no character: leaving it out can only
        // make more texts match.
        let own: Vec<Token> = self
            .tokens()
            .into_iter()
            .filter(|token| *token != Token::WordStart)
            .collect();
        meet(
            &own,
            other,
            |token| *token == Token::Star,
            |own, other| match (own, other) {
                (Token::Char(own), other) => other.takes(*own),
                (own, Token::Char(other)) => own.takes(*other),
                _ => true,
            },
        )
    }
}

/// Whether two patterns can match the same sequence, where an element for
/// which `is_star` holds stands for any sequence, and `meets` says whether two
/// others can match the same element.
pub(super) fn meet<T>(
    left: &[T],
    right: &[T],
    is_star: impl Fn(&T) -> bool,
    meets: impl Fn(&T, &T) -> bool,
) -> bool {
    if left.len().saturating_mul(right.len()) > CELLS {
        return true;
    }
    // reachable[j]: what came before `left[i]` and what comes before
    // `right[j]` can match the same.
    let mut reachable = vec![false; right.len() + 1];
    let mut so_far = true;
    for (cell, element) in reachable
        .iter_mut()
        .zip(std::iter::once(None).chain(right.iter().map(Some)))
    {
        so_far = so_far && element.is_none_or(&is_star);
        *cell = so_far;
    }
    for own in left {
        let mut next = Vec::with_capacity(reachable.len());
        let own_star = is_star(own);
        let mut above_left = false;
        let mut before = false;
        for (index, above) in reachable.iter().copied().enumerate() {
            let other = index.checked_sub(1).and_then(|index| right.get(index));
            let here = match other {
                None => own_star && above,
                Some(other) => {
                    ((own_star || is_star(other)) && (above || before))
                        || (!own_star && !is_star(other) && above_left && meets(own, other))
                }
            };
            next.push(here);
            above_left = above;
            before = here;
        }
        reachable = next;
    }
    reachable.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wild(text: &str) -> Wild {
        Wild::new(text.chars().map(|character| match character {
            '*' => Token::Star,
            '?' => Token::One,
            '|' => Token::WordStart,
            character => Token::Char(character),
        }))
    }

    #[test]
    fn stars_match_any_characters() {
        assert!(wild("a*c").matches("abbc"));
        assert!(wild("a*c").matches("ac"));
        assert!(!wild("a*c").matches("acd"));
        assert!(wild("*.rs").matches("lib.rs"));
        assert!(!wild("a?c").matches("ac"));
        assert!(wild("*a*b*").matches("xxaxxbxx"));
        assert!(wild("").matches(""));
        assert!(!wild("").matches("a"));
    }

    #[test]
    fn a_word_start_is_a_place() {
        assert!(wild("a\0*|b\0").matches("a\0x\0b\0"));
        assert!(wild("a\0*|b\0").matches("a\0b\0"));
        assert!(!wild("a\0*|b\0").matches("a\0xb\0"));
    }

    #[test]
    fn only_a_star_matches_what_is_unknown_for_certain() {
        let text = format!("rm\0{UNKNOWN}");
        assert!(wild("rm\0*").matches(&text));
        assert!(!wild("rm\0?").matches(&text));
        assert!(wild("rm\0-rf\0").may_match(&text));
        assert!(!wild("mv\0*").may_match(&text));
    }

    proptest! {
        #[test]
        fn matching_agrees_with_meeting(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let pattern = wild(&pattern);
            prop_assert_eq!(pattern.matches(&text), pattern.may_match(&text));
            prop_assert_eq!(pattern.matches(&text), wild(&text).meets(&pattern));
        }

        #[test]
        fn what_matches_matches_in_lower_case(pattern in "[aBİΣ*?]{0,8}", text in "[aBİΣ]{0,8}") {
            let pattern = wild(&pattern);
            prop_assert!(!pattern.matches(&text) || pattern.folded().matches(&fold(&text)));
        }

        #[test]
        fn what_may_become_a_match_is_never_ruled_out(
            pattern in "[ab*?]{0,6}", before in "[ab]{0,3}", middle in "[ab]{0,3}", after in "[ab]{0,3}",
        ) {
            let pattern = wild(&pattern);
            if pattern.matches(&format!("{before}{middle}{after}")) {
                prop_assert!(pattern.may_match(&format!("{before}{UNKNOWN}{after}")), "{:?}", pattern);
            }
        }
    }
}
