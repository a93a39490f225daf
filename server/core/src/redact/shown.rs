//! Text as a model is shown it: masked, perhaps only its beginning, and never
//! so that a mask hides from the model what would be run.

use std::collections::HashSet;

use super::assignment::kind_of_name;
use super::mask::{Span, spans};
use super::tokens::{token, web_token};

/// How far behind a cut is looked for the end of a secret, in bytes.
const LOOK_AHEAD: usize = 4096;

/// The shortest run of a longer value that is taken for random, in bytes.
const LEAST_RANDOM: usize = 24;

/// A lower-case word shorter than this may be a program's name, in bytes.
const LEAST_WORD: usize = 16;

/// A text as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What is shown.
    pub(crate) text: String,
    /// How many parts of it are masked.
    pub(crate) masked: usize,
    /// The whole text's length, in characters.
    pub(crate) length: usize,
    /// How many characters at the end are not shown.
    pub(crate) missing: usize,
}

/// The first `most` characters of a file's text, masked as [`super::mask`]
/// does it. Counts the text's own characters: a mask makes no room for more.
pub(crate) fn content(text: &str, most: usize) -> Shown {
    shown(text, most, |_, span| vec![span])
}

/// The first `most` characters of what may be run or obeyed: a command, an
/// instruction, an argument. What is masked is one plain word, or all of a
/// literal in single quotes: no character that means something to a shell where
/// it stands is ever covered, and neither is a host, a path, what may be a
/// program's name, or, unless it has a token's shape, the value of a variable
/// that the same text expands.
pub(crate) fn code(text: &str, most: usize) -> Shown {
    shown(text, most, plain_runs)
}

/// As [`code`], for the value of a field whose name may say that it is secret.
pub(crate) fn code_value(name: &str, text: &str, most: usize) -> Shown {
    let Some(kind) = kind_of_name(name) else {
        return code(text, most);
    };
    let whole = Span {
        start: 0,
        end: text.len(),
        kind,
    };
    if text.is_empty() || plain_runs(&Reader::new(text), whole) != [whole] {
        return code(text, most);
    }
    let length = text.chars().count();
    let mut mark = String::new();
    whole.write_mark(&mut mark);
    Shown {
        text: mark,
        masked: 1,
        length,
        missing: 0,
    }
}

fn shown(text: &str, most: usize, masks: impl Fn(&Reader<'_>, Span) -> Vec<Span>) -> Shown {
    let cut = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let looked_at = super::prefix(text, cut.saturating_add(LOOK_AHEAD));
    let mut shown = String::with_capacity(cut);
    let mut copied = 0;
    let mut masked = 0;
    let found = spans(looked_at);
    // Most texts have no secret: then nothing else is looked for.
    let reader = Reader::new(if found.is_empty() { "" } else { looked_at });
    for span in found {
        for span in masks(&reader, span) {
            if span.start >= cut {
                break;
            }
            shown.push_str(text.get(copied..span.start).unwrap_or_default());
            span.write_mark(&mut shown);
            copied = span.end;
            masked += 1;
        }
    }
    shown.push_str(text.get(copied..cut).unwrap_or_default());
    let length = text.chars().count();
    Shown {
        text: shown,
        masked,
        length,
        missing: length.saturating_sub(most),
    }
}

/// The parts of a secret that can be masked without hiding code.
fn plain_runs(reader: &Reader<'_>, span: Span) -> Vec<Span> {
    let bytes = reader.text.as_bytes();
    let covered = bytes.get(span.start..span.end).unwrap_or_default();
    let is_literal = reader.literals.contains(&(span.start, span.end));
    if is_literal && !names_something(covered) && !is_expanded(reader, span) {
        // For a shell nothing in it is active. Of one word the rules of words hold.
        if covered.iter().any(|byte| is_active(*byte)) {
            return vec![span];
        }
    }
    let mut runs = Vec::new();
    let mut at = 0;
    for run in covered.split(|byte| is_active(*byte)) {
        let hidden = if run.len() == covered.len() {
            hides_no_code(reader, span, run)
        } else {
            is_random(run) && (span.kind == "private key" || !names_something(run))
        };
        if hidden && !run.is_empty() {
            runs.push(Span {
                start: span.start + at,
                end: span.start + at + run.len(),
                kind: span.kind,
            });
        }
        at += run.len() + 1;
    }
    runs
}

/// Whether a word can be masked though it may be run or named by what follows.
fn hides_no_code(reader: &Reader<'_>, span: Span, word: &[u8]) -> bool {
    if is_token(word) || is_unnamed_random(word) {
        return true;
    }
    if may_be_code(word) {
        return false;
    }
    // What is before a host or in a header is no host, file or program.
    span.kind == "URL credentials"
        || is_in_header(reader.text, span)
        || !(names_something(word) || is_expanded(reader, span))
}

/// Whether a value may name a host or a file.
fn names_something(value: &[u8]) -> bool {
    value.iter().any(|byte| matches!(byte, b'.' | b'/'))
}

/// Whether the word is nothing but a well-known token.
fn is_token(word: &[u8]) -> bool {
    token(word).is_some_and(|(length, _)| length == word.len())
        || web_token(word) == Some(word.len())
}

/// Whether a word is so random that it can name nothing.
fn is_unnamed_random(word: &[u8]) -> bool {
    const LEAST: usize = 21;
    const LEAST_DIGITS: usize = 4;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'=');
    word.len() >= LEAST
        && word.iter().all(plain)
        && word.iter().filter(|byte| byte.is_ascii_digit()).count() >= LEAST_DIGITS
        && word.iter().any(u8::is_ascii_alphabetic)
}

/// Whether the value stands behind `Authorization:`.
fn is_in_header(text: &str, span: Span) -> bool {
    const LONGEST: usize = 64;
    let from = span.start.saturating_sub(LONGEST);
    let before = text.as_bytes().get(from..span.start).unwrap_or_default();
    let before = before
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let Some(colon) = before.iter().rposition(|byte| matches!(byte, b':' | b'=')) else {
        return false;
    };
    let name = before.get(..colon).unwrap_or_default().to_ascii_lowercase();
    before.get(colon) == Some(&b':') && name.trim_ascii_end().ends_with(b"authorization")
}

/// Whether the value is given to a variable that the same text expands: what is
/// masked would be what is run, opened or sent to.
fn is_expanded(reader: &Reader<'_>, span: Span) -> bool {
    let before = reader.text.get(..span.start).unwrap_or_default();
    let before = before.trim_end_matches(['"', '\'', '\\']);
    let Some(before) = before.trim_end().strip_suffix('=') else {
        return false;
    };
    let before = before
        .trim_end()
        .trim_end_matches(['+', ':', '"', '\'', ']']);
    let start = before.trim_end_matches(is_in_name).len();
    let name = before.get(start..).unwrap_or_default();
    reader.expanded.contains(name)
}

/// What of a text says whether a value in it can be masked, found out once.
struct Reader<'t> {
    text: &'t str,
    /// The names of the variables that it expands.
    expanded: HashSet<&'t str>,
    /// Where the content of each literal in single quotes begins and ends.
    literals: HashSet<(usize, usize)>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            expanded: expanded(text),
            literals: literals(text.as_bytes()),
        }
    }
}

/// The names of the variables that a text expands.
fn expanded(text: &str) -> HashSet<&str> {
    text.char_indices()
        .filter_map(|(at, sign)| {
            let rest = text.get(at + sign.len_utf8()..)?;
            let rest = match sign {
                '$' => {
                    let rest = rest.strip_prefix('{').unwrap_or(rest);
                    let rest = rest.trim_start_matches(['!', '#']);
                    ["env:", "ENV:", "Env:"]
                        .iter()
                        .find_map(|scope| rest.strip_prefix(scope))
                        .unwrap_or(rest)
                }
                '%' => rest,
                'p' => rest.strip_prefix("rintenv")?.trim_start(),
                _ => return None,
            };
            let end = rest.find(|c| !is_in_name(c)).unwrap_or(rest.len());
            rest.get(..end).filter(|name| !name.is_empty())
        })
        .collect()
}

const fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The literals in single quotes, as a shell reads the text from its beginning;
/// only up to where quotes may mean something else.
fn literals(bytes: &[u8]) -> HashSet<(usize, usize)> {
    let mut literals = HashSet::new();
    let mut quote: Option<(u8, usize)> = None;
    let mut escaped = false;
    for (at, byte) in bytes.iter().copied().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some((b'\'', start)), b'\'') => {
                literals.insert((start, at));
                quote = None;
            }
            (Some((b'\'', _)), _) => {}
            (_, b'`' | b'#' | b'<' | b'(') => break,
            (_, b'\\') => escaped = true,
            (Some((mark, _)), byte) if mark == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some((byte, at + 1)),
            _ => {}
        }
    }
    literals
}

/// Whether the byte ends a word or means something to a shell.
pub(super) const fn is_active(byte: u8) -> bool {
    byte <= b' '
        || byte == 0x7f
        || matches!(
            byte,
            b'$' | b'`'
                | b';'
                | b'|'
                | b'&'
                | b'<'
                | b'>'
                | b'('
                | b')'
                | b'{'
                | b'}'
                | b'"'
                | b'\''
                | b'\\'
        )
}

/// Whether a single word may be a program, a path, an option or a URL.
fn may_be_code(word: &[u8]) -> bool {
    let name = word.len() < LEAST_WORD && word.iter().all(u8::is_ascii_lowercase);
    name || word.starts_with(b"/")
        || word.starts_with(b"./")
        || word.starts_with(b"../")
        || word.starts_with(b"~")
        || (word.starts_with(b"-") && !word.starts_with(b"-----"))
        || word.windows(3).any(|three| three == b"://")
}

/// Whether a run of a longer value is so random that it can only be a key.
fn is_random(run: &[u8]) -> bool {
    run.len() >= LEAST_RANDOM
        && run
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_'))
        && run.iter().any(u8::is_ascii_digit)
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
        && !run.starts_with(b"/")
}

#[cfg(test)]
mod tests;
