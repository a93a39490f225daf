//! Paths that are known only in part, as patterns.

use camino::Utf8Path;

use crate::rules::path::parse::segment;
use crate::rules::path::{Segment, components, literal_segments};
use crate::rules::wildcard::{Token, Wild, fold};

/// Paths that are known only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Shape {
    pub(in crate::rules) segments: Vec<Segment>,
}

impl Shape {
    /// Any path.
    pub(in crate::rules) fn anything() -> Self {
        Self {
            segments: vec![Segment::Any],
        }
    }

    /// The path and everything below it.
    pub(in crate::rules) fn tree(root: &Utf8Path) -> Self {
        let mut segments: Vec<Segment> = literal_segments(&fold(root.as_str())).collect();
        segments.push(Segment::Any);
        Self { segments }
    }

    /// A word that names a path relative to `folder` (any folder, if that is
    /// not known). What a glob matches may begin with a dot: options of the
    /// shell decide that.
    pub(in crate::rules) fn word(
        word: &PartlyKnown<'_>,
        folder: Option<&Utf8Path>,
        home: &Utf8Path,
    ) -> Self {
        let text = match word {
            PartlyKnown::Whole(text) | PartlyKnown::Beginning(text) | PartlyKnown::Glob(text) => {
                fold(text)
            }
        };
        if components(&text).any(|part| part == "..") {
            return Self::anything();
        }
        let (start, rest) = if text.starts_with('/') {
            (Some(Utf8Path::new("/")), text.as_str())
        } else if let Some(rest) = text.strip_prefix("~/") {
            (Some(home), rest)
        } else if text.starts_with('~') {
            return Self::anything();
        } else {
            (folder, text.as_str())
        };
        let mut segments: Vec<Segment> = match start {
            Some(start) => literal_segments(&fold(start.as_str())).collect(),
            None => vec![Segment::Any],
        };
        match word {
            PartlyKnown::Whole(_) => segments.extend(literal_segments(rest)),
            PartlyKnown::Glob(_) if !rest.contains('(') => {
                segments.extend(components(rest).map(|part| match part {
                    "**" => Segment::Any,
                    part => Segment::One(segment(part, true)),
                }));
            }
            PartlyKnown::Glob(_) => segments.push(Segment::Any),
            PartlyKnown::Beginning(_) => {
                let (folders, last) = rest.rsplit_once('/').unwrap_or(("", rest));
                segments.extend(literal_segments(folders));
                let mut tokens: Vec<Token> = last.chars().map(Token::Char).collect();
                tokens.push(Token::Star);
                segments.extend([Segment::One(Wild::new(tokens)), Segment::Any]);
            }
        }
        Self { segments }
    }
}

/// A word that names a path, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum PartlyKnown<'a> {
    /// The whole word.
    Whole(&'a str),
    /// How it begins.
    Beginning(&'a str),
    /// A pattern that it matches.
    Glob(&'a str),
}
