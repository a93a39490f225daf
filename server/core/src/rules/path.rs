//! Path rules against paths: segment by segment, `*` within a segment, `**`
//! across them; a pattern that names a folder covers everything below it.

use camino::Utf8Path;

use crate::rules::error::RuleError;
use crate::rules::wildcard::{Token, Wild, meet};
use crate::rules::{Certainty, RuleList, RuleOrigin};

/// Patterns that braces in one rule may give.
const ALTERNATIVES: usize = 64;

/// One segment of a path or of a path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**`: any number of segments, none too.
    Any,
    /// One segment.
    One(Wild),
}

/// What a pattern's segments are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// The root of the file system.
    Root,
    /// The call's folder, or the one so many levels above it.
    Folder { up: usize },
    /// Any folder: a deny or ask rule of a bare name.
    Anywhere,
}

/// One pattern. A rule has several if it has braces or can be read in several
/// ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern {
    pub(super) base: Base,
    pub(super) segments: Vec<Segment>,
    folded: Vec<Segment>,
}

impl PathPattern {
    fn new(base: Base, segments: Vec<Segment>) -> Self {
        let folded = segments
            .iter()
            .map(|segment| match segment {
                Segment::Any => Segment::Any,
                Segment::One(wild) => Segment::One(wild.folded()),
            })
            .collect();
        Self {
            base,
            segments,
            folded,
        }
    }

    /// Whether the pattern has no wildcard.
    pub(super) fn is_literal(&self) -> bool {
        self.base != Base::Anywhere && self.literal_prefix().count() == self.segments.len()
    }

    /// The segments before the first one with a wildcard.
    pub(super) fn literal_prefix(&self) -> impl Iterator<Item = &str> {
        literal_prefix(&self.segments)
    }

    /// As [`Self::literal_prefix`], in lower case.
    pub(super) fn folded_prefix(&self) -> impl Iterator<Item = &str> {
        literal_prefix(&self.folded)
    }

    /// The patterns of a rule's specifier.
    pub(super) fn parse(
        text: &str,
        list: RuleList,
        origin: &RuleOrigin,
        home: &Utf8Path,
    ) -> Result<Vec<Self>, RuleError> {
        if text.starts_with('!') {
            return Err(RuleError::Negation);
        }
        let dollar = text.split_once('$').map(|(_, after)| after);
        if dollar.is_some_and(|after| {
            after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '{' | '_'))
        }) {
            return Err(RuleError::Variable);
        }
        let mut patterns = Vec::new();
        for text in expand_braces(text)? {
            Self::parse_one(&text, list, origin, home, false, &mut patterns)?;
            // Brackets are a class in most tools, and a literal part of many
            // file names; an allow rule takes them literally.
            if list.restricts() && text.contains('[') {
                Self::parse_one(&text, list, origin, home, true, &mut patterns)?;
            }
        }
        Ok(patterns)
    }

    fn parse_one(
        text: &str,
        list: RuleList,
        origin: &RuleOrigin,
        home: &Utf8Path,
        classes: bool,
        patterns: &mut Vec<Self>,
    ) -> Result<(), RuleError> {
        let restricts = list.restricts();
        let (start, rest) = if let Some(rest) = text.strip_prefix("//") {
            (Some(Utf8Path::new("/")), rest)
        } else if let Some(rest) = text.strip_prefix('/') {
            // `/etc/passwd` is relative to the rule's root; whoever writes it
            // to forbid something may well mean the absolute path.
            if restricts {
                let (_, segments) = segments(rest, classes)?;
                patterns.push(Self::new(Base::Root, segments));
            }
            (Some(origin.root.as_path()), rest)
        } else if text == "~" {
            (Some(home), "")
        } else if let Some(rest) = text.strip_prefix("~/") {
            (Some(home), rest)
        } else if text.starts_with('~') {
            return Err(RuleError::OtherHome(text.to_owned()));
        } else {
            (None, text)
        };
        let (up, mut parsed) = segments(rest, classes)?;
        if let Some(start) = start {
            let mut all: Vec<Segment> = literal_segments(start.as_str()).collect();
            let kept = all.len().saturating_sub(up);
            all.truncate(kept);
            all.extend(parsed);
            patterns.push(Self::new(Base::Root, all));
            return Ok(());
        }
        let mut base = Base::Folder { up };
        if restricts && up == 0 && !text.starts_with("./") && text != "." {
            if parsed.first() == Some(&Segment::Any) && parsed.len() > 1 {
                parsed.remove(0);
                base = Base::Anywhere;
            } else if parsed.len() == 1 {
                base = Base::Anywhere;
            }
        }
        patterns.push(Self::new(base, parsed));
        Ok(())
    }

    /// How certainly a path is one that a deny or ask rule speaks of, by
    /// either of its forms.
    pub(super) fn restricts(
        &self,
        path: &PathForms<'_>,
        cwd: &Utf8Path,
        root: &Utf8Path,
    ) -> Option<Certainty> {
        let mut possible = false;
        for form in &path.forms {
            if self.covers_from(&self.segments, &form.exact, cwd, root) {
                return Some(Certainty::Certain);
            }
            possible = possible
                || self.covers_from(&self.folded, &form.folded, cwd, root)
                || self.covers_from_above(&form.folded, cwd);
        }
        possible.then_some(Certainty::Possible)
    }

    /// Whether both forms of a path are covered by an allow rule.
    pub(super) fn allows(&self, path: &PathForms<'_>, cwd: &Utf8Path) -> bool {
        !path.forms.is_empty()
            && path.forms.iter().all(|form| {
                !form.exact.contains(&"..")
                    && match self.base {
                        Base::Root => covers(&self.segments, &form.exact),
                        Base::Folder { up } => below(&form.exact, cwd, up)
                            .is_some_and(|left| covers(&self.segments, left)),
                        Base::Anywhere => false,
                    }
            })
    }

    fn covers_from(
        &self,
        segments: &[Segment],
        path: &[&str],
        cwd: &Utf8Path,
        root: &Utf8Path,
    ) -> bool {
        match self.base {
            Base::Root => covers(segments, path),
            Base::Anywhere => (0..=path.len())
                .filter_map(|from| path.get(from..))
                .any(|left| covers(segments, left)),
            Base::Folder { up } => {
                below(path, cwd, up).is_some_and(|left| covers(segments, left))
                    || below(path, root, up).is_some_and(|left| covers(segments, left))
            }
        }
    }

    /// A call may start in a folder below the one in which the rule was meant:
    /// what lies so below any folder above it cannot be ruled out.
    fn covers_from_above(&self, path: &[&str], cwd: &Utf8Path) -> bool {
        let Base::Folder { up: 0 } = self.base else {
            return false;
        };
        let shared = path
            .iter()
            .zip(components(cwd.as_str()))
            .take_while(|(own, other)| own.eq_ignore_ascii_case(other))
            .count();
        // Not from the root itself: there, everything would be below.
        (1..=shared)
            .filter_map(|from| path.get(from..))
            .any(|left| !self.folded.is_empty() && covers(&self.folded, left))
    }

    /// Whether some path of this shape could be one that the rule speaks of.
    pub(super) fn may_meet(&self, shape: &Shape, cwd: &Utf8Path, root: &Utf8Path) -> bool {
        let with_base = |base: Vec<Segment>| {
            let mut own = base;
            own.extend(self.folded.iter().cloned());
            own.push(Segment::Any);
            meet(
                &own,
                &shape.segments,
                |segment| *segment == Segment::Any,
                |own, other| match (own, other) {
                    (Segment::One(own), Segment::One(other)) => own.meets(other),
                    _ => true,
                },
            )
        };
        let folder = |folder: &Utf8Path, up: usize| {
            let mut base: Vec<Segment> =
                literal_segments(&folder.as_str().to_lowercase()).collect();
            base.truncate(base.len().saturating_sub(up));
            base
        };
        match self.base {
            Base::Root => with_base(Vec::new()),
            Base::Anywhere => with_base(vec![Segment::Any]),
            Base::Folder { up } => with_base(folder(cwd, up)) || with_base(folder(root, up)),
        }
    }
}

fn literal_prefix(segments: &[Segment]) -> impl Iterator<Item = &str> {
    segments.iter().map_while(|segment| match segment {
        Segment::One(wild) => wild.literal(),
        Segment::Any => None,
    })
}

/// What is left of a path below a folder, or below one `up` levels above it.
fn below<'p, 's>(path: &'p [&'s str], folder: &Utf8Path, up: usize) -> Option<&'p [&'s str]> {
    let depth = components(folder.as_str()).count().saturating_sub(up);
    let mut left = path;
    for component in components(folder.as_str()).take(depth) {
        let (first, more) = left.split_first()?;
        if *first != component {
            return None;
        }
        left = more;
    }
    Some(left)
}

/// Whether the pattern matches the path or a folder above it.
fn covers(segments: &[Segment], path: &[&str]) -> bool {
    let (mut segments, mut path) = (segments, path);
    let mut retry: Option<(&[Segment], &[&str])> = None;
    loop {
        match segments.split_first() {
            None => return true,
            Some((Segment::Any, more)) => {
                retry = Some((more, path));
                segments = more;
            }
            Some((Segment::One(wild), more)) => match path.split_first() {
                Some((first, left)) if wild.matches(first) => {
                    segments = more;
                    path = left;
                }
                _ => {
                    let Some((after, from)) = retry else {
                        return false;
                    };
                    let Some((_, left)) = from.split_first() else {
                        return false;
                    };
                    retry = Some((after, left));
                    segments = after;
                    path = left;
                }
            },
        }
    }
}

/// The parts of a path between its slashes.
pub(super) fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
}

fn literal_segments(path: &str) -> impl Iterator<Item = Segment> + use<'_> {
    components(path).map(|part| Segment::One(Wild::new(part.chars().map(Token::Char))))
}

/// The segments of a pattern without its base, and how many levels above the
/// base it starts.
fn segments(text: &str, classes: bool) -> Result<(usize, Vec<Segment>), RuleError> {
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

fn segment(part: &str, classes: bool) -> Wild {
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
fn expand_braces(text: &str) -> Result<Vec<String>, RuleError> {
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

/// The forms under which a path may be known, each as segments.
#[derive(Debug)]
pub(super) struct PathForms<'a> {
    pub(super) forms: Vec<Form<'a>>,
}

/// One form of a path.
#[derive(Debug)]
pub(super) struct Form<'a> {
    pub(super) exact: Vec<&'a str>,
    pub(super) folded: Vec<&'a str>,
}

/// The lower-case texts that [`PathForms`] borrows from.
#[derive(Debug)]
pub(super) struct Folded {
    absolute: String,
    canonical: String,
}

impl Folded {
    pub(super) fn of(absolute: &Utf8Path, canonical: &Utf8Path) -> Self {
        Self {
            absolute: absolute.as_str().to_lowercase(),
            canonical: canonical.as_str().to_lowercase(),
        }
    }

    pub(super) fn forms<'a>(
        &'a self,
        absolute: &'a Utf8Path,
        canonical: &'a Utf8Path,
    ) -> PathForms<'a> {
        let form = |exact: &'a Utf8Path, folded: &'a str| Form {
            exact: components(exact.as_str()).collect(),
            folded: components(folded).collect(),
        };
        let mut forms = vec![form(absolute, &self.absolute)];
        if absolute != canonical {
            forms.push(form(canonical, &self.canonical));
        }
        PathForms { forms }
    }
}

/// Paths that are known only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    segments: Vec<Segment>,
}

impl Shape {
    /// Any path.
    pub(super) fn anything() -> Self {
        Self {
            segments: vec![Segment::Any],
        }
    }

    /// The path and everything below it.
    pub(super) fn tree(root: &Utf8Path) -> Self {
        let mut segments: Vec<Segment> = literal_segments(&root.as_str().to_lowercase()).collect();
        segments.push(Segment::Any);
        Self { segments }
    }

    /// A word that names a path relative to `folder` (any folder, if that is
    /// not known). What a glob matches may begin with a dot: options of the
    /// shell decide that.
    pub(super) fn word(word: &PartlyKnown<'_>, folder: Option<&Utf8Path>, home: &Utf8Path) -> Self {
        let text = match word {
            PartlyKnown::Whole(text) | PartlyKnown::Beginning(text) | PartlyKnown::Glob(text) => {
                text.to_lowercase()
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
            Some(start) => literal_segments(&start.as_str().to_lowercase()).collect(),
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
pub(super) enum PartlyKnown<'a> {
    /// The whole word.
    Whole(&'a str),
    /// How it begins.
    Beginning(&'a str),
    /// A pattern that it matches.
    Glob(&'a str),
}
