//! Look-up of built-in names in a path, in time that does not grow with the
//! number of names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::pattern::fold;

/// A folded name.
type Name = Cow<'static, str>;

/// Names, or names with `/` between, that mean something wherever in a path
/// they stand. A single segment may hold one `*`.
#[derive(Debug)]
pub(super) struct NameTable<T> {
    by_first: HashMap<Name, Vec<(Vec<Name>, T)>>,
    globs: Vec<(String, String, T)>,
}

/// A name found in a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a, T> {
    /// What the table says of it.
    pub(super) value: &'a T,
    /// The segments of the path that it is.
    pub(super) range: Range<usize>,
    /// Whether all of the name is there; otherwise the path ends before it and
    /// is a parent of what is meant.
    pub(super) whole: bool,
}

/// A name of a table, folded; most are written that way.
fn folded_name(name: &'static str) -> Name {
    let is_folded = !name.ends_with('.')
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
    if is_folded {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(fold(name))
    }
}

fn begins_with(path: &[String], names: &[Name]) -> bool {
    path.len() >= names.len() && same_as_far_as_both_go(path, names)
}

fn same_as_far_as_both_go(path: &[String], names: &[Name]) -> bool {
    path.iter()
        .zip(names)
        .all(|(segment, name)| segment == name)
}

impl<T> NameTable<T> {
    pub(super) fn new(entries: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let mut table = Self {
            by_first: HashMap::new(),
            globs: Vec::new(),
        };
        for (name, value) in entries {
            if let Some((prefix, suffix)) = name.split_once('*') {
                table.globs.push((
                    prefix.to_ascii_lowercase(),
                    suffix.to_ascii_lowercase(),
                    value,
                ));
                continue;
            }
            let mut segments = name.split('/').map(folded_name);
            if let Some(first) = segments.next() {
                table
                    .by_first
                    .entry(first)
                    .or_default()
                    .push((segments.collect(), value));
            }
        }
        table
    }

    /// Every name that stands in `path[run]`. A name that the path ends before
    /// is found only if the run goes to the path's end.
    pub(super) fn find<'a>(
        &'a self,
        path: &'a [String],
        run: Range<usize>,
    ) -> impl Iterator<Item = Found<'a, T>> {
        let to_the_end = run.end >= path.len();
        let names = path.get(run.clone()).unwrap_or_default();
        names.iter().enumerate().flat_map(move |(offset, name)| {
            let start = run.start + offset;
            let rest = names.get(offset + 1..).unwrap_or_default();
            let literal = self
                .by_first
                .get(name.as_str())
                .map(Vec::as_slice)
                .unwrap_or_default()
                .iter()
                .filter_map(move |(more, value)| {
                    if begins_with(rest, more) {
                        Some(Found {
                            value,
                            range: start..start + 1 + more.len(),
                            whole: true,
                        })
                    } else if to_the_end && same_as_far_as_both_go(rest, more) {
                        Some(Found {
                            value,
                            range: start..path.len(),
                            whole: false,
                        })
                    } else {
                        None
                    }
                });
            let globs = self
                .globs
                .iter()
                .filter(move |(prefix, suffix, _)| {
                    name.len() > prefix.len() + suffix.len()
                        && name.starts_with(prefix.as_str())
                        && name.ends_with(suffix.as_str())
                })
                .map(move |(_, _, value)| Found {
                    value,
                    range: start..start + 1,
                    whole: true,
                });
            literal.chain(globs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::pattern::folded;

    #[test]
    fn finds_names_sequences_globs_and_parents() {
        let table = NameTable::new([
            (".git", 1),
            (".github/workflows", 2),
            ("*.mk", 3),
            ("lefthook.*", 4),
        ]);
        let find = |path: &str| -> Vec<(i32, bool)> {
            let path = folded(path);
            let mut found: Vec<_> = table
                .find(&path, 0..path.len())
                .map(|found| (*found.value, found.whole))
                .collect();
            found.sort_unstable();
            found
        };
        assert_eq!(find("/a/.GIT/config"), [(1, true)]);
        assert_eq!(find("/a/.gitignore"), []);
        assert_eq!(find("/a/.github/workflows/ci.yml"), [(2, true)]);
        assert_eq!(find("/a/.github"), [(2, false)]);
        assert_eq!(find("/a/.github/x/workflows"), []);
        assert_eq!(find("/a/rules.mk"), [(3, true)]);
        assert_eq!(find("/a/.mk"), []);
        assert_eq!(find("/a/lefthook.yml/.git"), [(1, true), (4, true)]);
    }
}
