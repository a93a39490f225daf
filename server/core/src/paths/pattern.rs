//! Paths folded for comparison, and the patterns of the settings.

use camino::Utf8Path;

use super::lexical::is_invisible;

/// A path as folded segments.
///
/// Two spellings that any common file system takes for one file fold alike:
/// letter case, invisible characters, backslashes, NTFS streams, dots and
/// spaces at the end. Folding too much is safe: it is only used to refuse.
pub(super) fn folded(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(fold(name)),
        }
    }
    segments
}

/// One segment, folded.
pub(super) fn fold(segment: &str) -> String {
    let name = match segment.split_once(':') {
        Some((name, _stream)) if !name.is_empty() => name,
        _ => segment,
    };
    let name = match name.trim_end_matches(['.', ' ']) {
        "" => name,
        trimmed => trimmed,
    };
    if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        // By way of upper case, so that long s and dotless i fold too.
        name.chars()
            .filter(|c| !is_invisible(*c))
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .collect()
    }
}

/// A pattern of the settings: a name, or names with `/` between, anywhere in a
/// path; from the root with a leading `/`, from the home folder with `~/`.
/// `*` and `?` stand for characters of a segment, `**` for any segments. It
/// matches what it names and everything below.
#[derive(Debug, Clone)]
pub(super) struct PathPattern {
    /// As written.
    pub(super) text: String,
    anchored: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Glob(Vec<char>),
    AnyDepth,
}

/// How a pattern meets a path from one of its segments on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meeting {
    /// Where in the path the pattern may end: indexes one past the segment.
    pub(super) ends: Vec<usize>,
    /// The path ends before the pattern does: it is a parent of what the
    /// pattern names.
    pub(super) parent: bool,
}

impl PathPattern {
    /// Reads a pattern; `None` if it names nothing or climbs with `..`.
    pub(super) fn parse(text: &str, home: &Utf8Path) -> Option<Self> {
        let (anchored, path) = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                (true, format!("{home}{rest}"))
            }
            _ => (text.starts_with('/'), text.to_owned()),
        };
        let mut segments = Vec::new();
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => return None,
                "**" => {
                    let leading = segments.is_empty() && !anchored;
                    if !leading && segments.last() != Some(&Segment::AnyDepth) {
                        segments.push(Segment::AnyDepth);
                    }
                }
                name if name.contains(['*', '?']) => {
                    segments.push(Segment::Glob(fold(name).chars().collect()));
                }
                name => segments.push(Segment::Literal(fold(name))),
            }
        }
        // `dir/**` is `dir`: what is below is matched anyway.
        while segments.last() == Some(&Segment::AnyDepth) {
            segments.pop();
        }
        (!segments.is_empty()).then(|| Self {
            text: text.to_owned(),
            anchored,
            segments,
        })
    }

    /// Whether the pattern holds `**`.
    pub(super) fn is_deep(&self) -> bool {
        self.segments.contains(&Segment::AnyDepth)
    }

    /// The indexes in a path at which the pattern may begin.
    pub(super) fn starts(&self, path: &[String]) -> std::ops::RangeInclusive<usize> {
        0..=if self.anchored { 0 } else { path.len() }
    }

    /// How the pattern meets `path` from the segment `start` on.
    ///
    /// All ways are followed at once, so the time is the product of the two
    /// lengths, whatever the pattern.
    pub(super) fn meet(&self, path: &[String], start: usize) -> Meeting {
        let mut meeting = Meeting::default();
        let mut states = vec![false; self.segments.len() + 1];
        if let Some(first) = states.first_mut() {
            *first = true;
        }
        self.skip_depth(&mut states);
        let mut next = states.clone();
        for (index, name) in path.iter().enumerate().skip(start) {
            next.fill(false);
            for (state, segment) in self.segments.iter().enumerate() {
                if !states.get(state).copied().unwrap_or(false) {
                    continue;
                }
                let (hit, to) = match segment {
                    Segment::AnyDepth => (true, state),
                    Segment::Literal(literal) => (literal == name, state + 1),
                    Segment::Glob(glob) => (glob_matches(glob, name), state + 1),
                };
                if hit && let Some(to) = next.get_mut(to) {
                    *to = true;
                }
            }
            self.skip_depth(&mut next);
            std::mem::swap(&mut states, &mut next);
            if states.last() == Some(&true) {
                meeting.ends.push(index + 1);
            }
            if !states.contains(&true) {
                return meeting;
            }
        }
        let begun = path.len() > start || (self.anchored && path.is_empty());
        meeting.parent = begun
            && states
                .iter()
                .take(self.segments.len())
                .any(|active| *active);
        meeting
    }

    /// `**` may stand for no segment at all.
    fn skip_depth(&self, states: &mut [bool]) {
        for (state, segment) in self.segments.iter().enumerate() {
            if *segment == Segment::AnyDepth
                && states.get(state) == Some(&true)
                && let Some(next) = states.get_mut(state + 1)
            {
                *next = true;
            }
        }
    }
}

/// `*` and `?` against one name; time at most the product of the lengths.
fn glob_matches(glob: &[char], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut in_name) = (0, 0);
    // The last star, and where in the name it stopped matching.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(in_name) => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    in_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob.iter().skip(at).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let pattern = PathPattern::parse(pattern, Utf8Path::new("/home/u")).unwrap();
        let path = folded(path);
        pattern
            .starts(&path)
            .any(|start| !pattern.meet(&path, start).ends.is_empty())
    }

    #[test]
    fn spellings_of_one_file_fold_alike() {
        for spelling in [
            "/a/.git/config",
            "/a/.GIT/Config",
            "//a/./.git//config",
            "/a/x/../.git/config",
            r"/a\.git\config",
            "/a/.git./config",
            "/a/.git /config",
            "/a/.git::$INDEX_ALLOCATION/config::$DATA",
            "/a/.g\u{200c}it/con\u{feff}fig",
            "/a/.gıt/config",
        ] {
            assert_eq!(folded(spelling), ["a", ".git", "config"], "{spelling:?}");
        }
        assert_eq!(folded("/..."), ["..."]);
        assert_eq!(folded("/:x"), [":x"]);
    }

    #[test]
    fn floating_and_anchored_patterns() {
        assert!(matches("secrets", "/a/b/secrets"));
        assert!(matches("secrets/", "/a/Secrets/x/y"));
        assert!(!matches("secrets", "/a/secrets2"));
        assert!(matches("config/prod", "/a/config/prod/x"));
        assert!(!matches("config/prod", "/a/config/x/prod"));
        assert!(matches("config/**/prod", "/a/config/x/y/prod"));
        assert!(matches("config/**/prod", "/a/config/prod"));
        assert!(matches("**/prod/**", "/prod/x"));
        assert!(matches("*.sql", "/a/B.SQL"));
        assert!(matches("a?c*e", "/x/abcde"));
        assert!(!matches("a?c*e", "/x/acde"));
        assert!(matches("/etc/app", "/etc/app/x"));
        assert!(matches("//etc/app", "/etc/app/x"));
        assert!(!matches("/etc/app", "/x/etc/app"));
        assert!(matches("~/notes", "/home/u/notes/x"));
        assert!(!matches("~/notes", "/work/notes/x"));
    }

    #[test]
    fn patterns_that_name_nothing_are_refused() {
        for text in ["", "/", "**", "./", "a/../b", ".."] {
            assert!(
                PathPattern::parse(text, Utf8Path::new("/home/u")).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn parents_are_known() {
        let pattern = PathPattern::parse("/srv/app/secrets", Utf8Path::new("/home/u")).unwrap();
        for parent in ["/", "/srv", "/srv/app"] {
            assert!(pattern.meet(&folded(parent), 0).parent, "{parent}");
        }
        assert!(!pattern.meet(&folded("/srv/other"), 0).parent);
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "**/a/".repeat(30) + "*a*a*a*a*a*a*a*a*b";
        assert!(!matches(&pattern, &"/a".repeat(200)));
        assert!(!matches(
            "*a*a*a*a*a*a*a*a*a*b",
            &format!("/{}", "a".repeat(2000))
        ));
    }
}
