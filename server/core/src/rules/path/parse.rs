//! The text of a path pattern, split into segments.

use crate::rules::error::RuleError;
use crate::rules::path::{Segment, components};
use crate::rules::wildcard::{Token, Wild};

/// Patterns that braces in one rule may give.
const ALTERNATIVES: usize = 64;

/// The segments of a pattern without its base, and how many levels above the
/// base it starts.
pub(super) fn segments(text: &str, classes: bool) -> Result<(usize, Vec<Segment>), RuleError> {
    let mut up = 0;
    let mut segments: Vec<Segment> = Vec::new();
    for part in components(text) {
        match part {
            ".." => match segments.pop() {
                None => up += 1,
                Some(Segment::One(wild)) if wild.literal().is_some() => {}
                Some(_) => return Err(RuleError::ParentOfWildcard),
            },
            "**" => {
                if segments.last() != Some(&Segment::Any) {
                    segments.push(Segment::Any);
                }
            }
            part => segments.push(Segment::One(segment(part, classes))),
        }
    }
    Ok((up, segments))
}

pub(super) fn segment(part: &str, classes: bool) -> Wild {
    let mut tokens = Vec::new();
    let mut characters = part.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Star,
            '?' => Token::One,
            '\\' => Token::Char(characters.next().unwrap_or('\\')),
            '[' if classes => {
                if let Some((class, rest)) = class(characters.as_str()) {
                    characters = rest.chars();
                    class
                } else {
                    Token::Char('[')
                }
            }
            other => Token::Char(other),
        });
    }
    Wild::new(tokens)
}

/// The class that begins behind a `[`, and what follows it.
fn class(text: &str) -> Option<(Token, &str)> {
    let (body, rest) = text
        .char_indices()
        .skip(1)
        .find(|(_, character)| *character == ']')
        .and_then(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)))?;
    let (negated, body) = match body.strip_prefix(['!', '^']) {
        Some(body) if !body.is_empty() => (true, body),
        _ => (false, body),
    };
    let mut ranges = Vec::new();
    let characters: Vec<char> = body.chars().collect();
    let mut left = characters.as_slice();
    while let Some((first, more)) = left.split_first() {
        left = match more {
            ['-', last, more @ ..] => {
                ranges.push((*first, *last));
                more
            }
            _ => {
                ranges.push((*first, *first));
                more
            }
        };
    }
    Some((Token::Class { ranges, negated }, rest))
}

/// `{a,b}` written out; nested braces too.
pub(super) fn expand_braces(text: &str) -> Result<Vec<String>, RuleError> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(next) = open.pop() {
        if open.len() + done.len() >= ALTERNATIVES {
            return Err(RuleError::Braces(ALTERNATIVES));
        }
        // The innermost braces first: the last one that opens.
        let Some(start) = next.rfind('{') else {
            done.push(next);
            continue;
        };
        let (before, after) = next.split_at(start);
        let after = after.get(1..).unwrap_or_default();
        let Some((inside, behind)) = after.split_once('}') else {
            return Err(RuleError::Braces(ALTERNATIVES));
        };
        if !inside.contains(',') {
            // Not alternatives: the characters themselves.
            let literal = format!("{before}\u{1}{inside}\u{2}{behind}");
            open.push(literal);
            continue;
        }
        for alternative in inside.split(',') {
            open.push(format!("{before}{alternative}{behind}"));
        }
    }
    Ok(done
        .into_iter()
        .map(|text| text.replace('\u{1}', "{").replace('\u{2}', "}"))
        .collect())
}
