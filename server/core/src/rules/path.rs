//! Path rules against paths: segment by segment, `*` within a segment, `**`
//! across them; a pattern that names a folder covers everything below it.

mod parse;
mod shape;

use camino::Utf8Path;

use crate::rules::error::RuleError;
use crate::rules::wildcard::{Token, Wild, fold, fold_character, meet};
use parse::{expand_braces, segments};
pub(in crate::rules) use shape::{PartlyKnown, Shape};

use crate::rules::{Certainty, RuleList, RuleOrigin};

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

    /// An extension, in lower case, that some part of every path has that the
    /// pattern matches or covers.
    pub(super) fn folded_extension(&self) -> Option<&str> {
        self.folded.iter().find_map(|segment| match segment {
            Segment::One(wild) => wild.extension(),
            Segment::Any => None,
        })
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
            // Without regard to letter case first: mostly that is the end.
            if self.covers_from(&self.folded, &form.folded, cwd, root, is_folded) {
                if self.covers_from(&self.segments, &form.exact, cwd, root, is_exactly) {
                    return Some(Certainty::Certain);
                }
                possible = true;
            }
            possible = possible || self.covers_from_above(&form.folded, cwd);
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
                        Base::Folder { up } => below(&form.exact, cwd, up, is_exactly)
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
        same: fn(&str, &str) -> bool,
    ) -> bool {
        match self.base {
            Base::Root => covers(segments, path),
            Base::Anywhere => (0..=path.len())
                .filter_map(|from| path.get(from..))
                .any(|left| covers(segments, left)),
            Base::Folder { up } => {
                below(path, cwd, up, same).is_some_and(|left| covers(segments, left))
                    || below(path, root, up, same).is_some_and(|left| covers(segments, left))
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
            .take_while(|(own, other)| is_folded(own, other))
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
            let mut base: Vec<Segment> = literal_segments(&fold(folder.as_str())).collect();
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

fn is_exactly(own: &str, other: &str) -> bool {
    own == other
}

/// Whether a text that is in lower case is the other one in lower case.
fn is_folded(own: &str, other: &str) -> bool {
    own.chars().eq(other.chars().map(fold_character))
}

/// What is left of a path below a folder, or below one `up` levels above it.
fn below<'p, 's>(
    path: &'p [&'s str],
    folder: &Utf8Path,
    up: usize,
    same: fn(&str, &str) -> bool,
) -> Option<&'p [&'s str]> {
    let depth = components(folder.as_str()).count().saturating_sub(up);
    let mut left = path;
    for component in components(folder.as_str()).take(depth) {
        let (first, more) = left.split_first()?;
        if !same(first, component) {
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
            absolute: fold(absolute.as_str()),
            canonical: fold(canonical.as_str()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Reading, Scope};

    fn certainty(rule: &str, path: &str) -> Option<Certainty> {
        let folder = Utf8Path::new("/Users/Me/App");
        let origin = RuleOrigin {
            scope: Scope::User,
            file: None,
            line: None,
            root: folder.to_owned(),
            reading: Reading::Countersign,
        };
        let home = Utf8Path::new("/Users/Me");
        let patterns = PathPattern::parse(rule, RuleList::Deny, &origin, home).unwrap();
        let path = Utf8Path::new(path);
        let folded = Folded::of(path, path);
        let forms = folded.forms(path, path);
        patterns
            .iter()
            .filter_map(|pattern| pattern.restricts(&forms, folder, folder))
            .max()
    }

    #[test]
    fn letter_case_of_folders_above_hides_nothing() {
        for (rule, path) in [
            ("./Docs/**", "/Users/Me/App/Docs/a"),
            ("Docs/A", "/Users/Me/App/Docs/A"),
            ("/Docs/**", "/Users/Me/App/Docs/a"),
            ("~/Docs/**", "/Users/Me/Docs/a"),
            ("../Other/**", "/Users/Me/Other/a"),
            (".Env", "/x/.Env"),
        ] {
            assert_eq!(certainty(rule, path), Some(Certainty::Certain), "{rule}");
            let other_case = path.to_uppercase();
            assert_eq!(
                certainty(rule, &other_case),
                Some(Certainty::Possible),
                "{rule}"
            );
        }
    }
}
