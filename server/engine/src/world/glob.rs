//! What a shell's pattern means, by looking at the folders that it names.

use std::fs;
use std::iter::Peekable;
use std::str::Chars;

use camino::{Utf8Path, Utf8PathBuf};
use globset::GlobBuilder;

/// Most names that are looked at for one pattern.
const MOST_NAMES: usize = 4_096;

/// Most matches of one pattern.
const MOST_MATCHES: usize = 512;

/// The words that a pattern becomes: its matches in order, or the pattern
/// itself where nothing matches. `base` is where relative patterns begin;
/// `None` if there are too many, or a folder cannot be read.
pub(super) fn expand(pattern: &str, base: &Utf8Path, home: &Utf8Path) -> Option<Vec<String>> {
    let (mut found, rest): (Vec<(String, Utf8PathBuf)>, &str) =
        if let Some(rest) = pattern.strip_prefix("~/") {
            (vec![(format!("{home}/"), home.to_owned())], rest)
        } else if pattern.starts_with('~') {
            return None;
        } else if let Some(rest) = pattern.strip_prefix('/') {
            (vec![("/".to_owned(), Utf8PathBuf::from("/"))], rest)
        } else {
            (vec![(String::new(), base.to_owned())], pattern)
        };
    let mut left = MOST_NAMES;
    let mut is_wider = false;
    let components: Vec<&str> = rest.split('/').collect();
    let last = components.len().saturating_sub(1);
    for (index, component) in components.iter().enumerate() {
        let separator = if index == last { "" } else { "/" };
        let mut next = Vec::new();
        let is_pattern = is_pattern(component);
        let pattern = as_glob(component)?;
        is_wider |= is_pattern && pattern.is_wider;
        for (text, path) in &found {
            if !is_pattern {
                let name = unescaped(component);
                let path = path.join(&name);
                next.push((format!("{text}{name}{separator}"), path));
                continue;
            }
            for name in matches(component, &pattern, path, &mut left)? {
                let path = path.join(&name);
                if next.len() >= MOST_MATCHES {
                    return None;
                }
                next.push((format!("{text}{name}{separator}"), path));
            }
        }
        found = next;
    }
    let mut words: Vec<String> = found
        .into_iter()
        .filter(|(_, path)| fs::symlink_metadata(path).is_ok())
        .map(|(text, _)| text)
        .collect();
    words.sort();
    if words.is_empty() || is_wider {
        words.push(unescaped(pattern));
    }
    Some(words)
}

/// The names in a folder that match; none where there is no such folder.
fn matches(
    component: &str,
    pattern: &AsGlob,
    folder: &Utf8Path,
    left: &mut usize,
) -> Option<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            use std::io::ErrorKind::{NotADirectory, NotFound};
            return matches!(error.kind(), NotFound | NotADirectory).then(Vec::new);
        }
    };
    let glob = GlobBuilder::new(&pattern.text)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .ok()?
        .compile_matcher();
    // Older shells match these, too.
    let mut names: Vec<String> = [".", ".."]
        .iter()
        .filter(|name| component.starts_with('.') && glob.is_match(name))
        .map(|name| (*name).to_owned())
        .collect();
    for entry in entries {
        *left = left.checked_sub(1)?;
        // A name that is not UTF-8 may match too, and is not known.
        let name = entry.ok()?.file_name().into_string().ok()?;
        if (!name.starts_with('.') || component.starts_with('.')) && glob.is_match(&name) {
            names.push(name);
        }
    }
    Some(names)
}

/// A shell's pattern as the matcher reads it.
struct AsGlob {
    text: String,
    /// Whether it fits names that the shell's pattern does not fit, because
    /// what a class holds depends on the language that is set.
    is_wider: bool,
}

/// Braces are no alternatives here: the shell has expanded them before. `None`
/// for extended patterns and for what ends in the middle.
fn as_glob(component: &str) -> Option<AsGlob> {
    let mut glob = AsGlob {
        text: String::new(),
        is_wider: false,
    };
    let mut chars = component.chars().peekable();
    let mut was_star = false;
    while let Some(next) = chars.next() {
        let is_star = next == '*';
        match next {
            '\\' => glob.text.extend(['\\', chars.next()?]),
            '{' | '}' => glob.text.extend(['\\', next]),
            '?' | '*' | '+' | '@' | '!' if chars.peek() == Some(&'(') => return None,
            '[' => class(&mut chars, &mut glob)?,
            // Two mean more to the matcher than to the shell.
            '*' if was_star => {}
            _ => glob.text.push(next),
        }
        was_star = is_star;
    }
    Some(glob)
}

/// A class behind its `[`, which is only a character if it is not closed.
fn class(chars: &mut Peekable<Chars<'_>>, glob: &mut AsGlob) -> Option<()> {
    let mut ahead = chars.clone();
    let mut members: Vec<char> = Vec::new();
    let (mut is_first, mut is_certain) = (true, true);
    let is_negated = ahead.next_if(|next| matches!(next, '!' | '^')).is_some();
    loop {
        let Some(next) = ahead.next() else {
            glob.text.push_str("\\[");
            return Some(());
        };
        match next {
            ']' if !is_first => break,
            '\\' => members.push(ahead.next()?),
            // `[:alpha:]`
            '[' if ahead.peek().is_some_and(|mark| ".:=".contains(*mark)) => {
                let mark = ahead.next()?;
                while ahead.next()? != mark || ahead.peek() != Some(&']') {}
                ahead.next();
                is_certain = false;
            }
            '-' if !is_first && ahead.peek().is_some_and(|last| *last != ']') => {
                let (first, last) = (members.pop()?, ahead.next()?);
                is_certain &= first.is_ascii_digit() && last.is_ascii_digit();
                members.extend((first..=last).take(10));
            }
            member => members.push(member),
        }
        is_first = false;
    }
    *chars = ahead;
    if !is_certain {
        glob.text.push('?');
        glob.is_wider = true;
        return Some(());
    }
    // Some characters are members only where they stand.
    let place = |member: &char| match member {
        ']' => 0,
        '!' | '^' => 2,
        '-' => 3,
        _ => 1,
    };
    members.sort_by_key(place);
    members.dedup();
    match members.as_slice() {
        [only] if !is_negated => glob.text.extend(['\\', *only]),
        ['!' | '^', ..] if !is_negated => return None,
        _ => {
            glob.text.push_str(if is_negated { "[!" } else { "[" });
            glob.text.extend(members);
            glob.text.push(']');
        }
    }
    Some(())
}

fn is_pattern(component: &str) -> bool {
    let mut escaped = false;
    component.chars().any(|c| {
        let active = !escaped && matches!(c, '*' | '?' | '[');
        escaped = !escaped && c == '\\';
        active
    })
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            out.extend(chars.next());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let base = Utf8Path::from_path(folder.path()).unwrap();
        for name in ["a.c", "b.c", "-o", ".hidden.c", "sub"] {
            if name == "sub" {
                fs::create_dir(base.join(name)).unwrap();
                fs::write(base.join("sub/d.c"), "").unwrap();
            } else {
                fs::write(base.join(name), "").unwrap();
            }
        }
        let home = Utf8Path::new("/nowhere");
        let words = |pattern| expand(pattern, base, home).unwrap();
        assert_eq!(words("*.c"), ["a.c", "b.c"]);
        assert_eq!(words("*"), ["-o", "a.c", "b.c", "sub"]);
        assert_eq!(words("*/*.c"), ["sub/d.c"]);
        assert_eq!(words("?.h"), ["?.h"]);
        assert_eq!(words(r"\**.h"), ["**.h"]);
        assert_eq!(words(".h*"), [".hidden.c"]);
        assert_eq!(words(".*"), [".", "..", ".hidden.c"]);
        assert_eq!(expand("~root/*", base, home), None);
    }

    #[test]
    fn patterns_mean_what_they_mean_to_the_shell() {
        let folder = tempfile::tempdir().unwrap();
        let base = Utf8Path::from_path(folder.path()).unwrap();
        for name in [
            "a", "b", "c", "1", "{a,b}", "[", "]", "^", "-", "a]", "x\\y",
        ] {
            fs::write(base.join(name), "").unwrap();
        }
        let home = Utf8Path::new("/nowhere");
        let words = |pattern: &str| expand(pattern, base, home).unwrap();
        // What is not certain stands for more, and for itself.
        let wider = |pattern: &str, names: &[&str]| {
            let found = words(pattern);
            assert!(found.contains(&pattern.to_owned()), "{pattern}");
            for name in names {
                assert!(found.contains(&(*name).to_owned()), "{pattern}: {name}");
            }
        };
        assert_eq!(words("{a,b}*"), ["{a,b}"]);
        assert_eq!(words("[ab]"), ["a", "b"]);
        assert_eq!(words("[!ab1]"), ["-", "[", "]", "^", "c"]);
        assert_eq!(words("[^ab1]"), ["-", "[", "]", "^", "c"]);
        assert_eq!(words("[]a]"), ["]", "a"]);
        assert_eq!(words("[a^]"), ["^", "a"]);
        assert_eq!(words("[-a]"), ["-", "a"]);
        assert_eq!(words("[a-]"), ["-", "a"]);
        assert_eq!(words("[0-9]"), ["1"]);
        assert_eq!(words(r"[\]a]"), ["]", "a"]);
        assert_eq!(words("a[]"), ["a[]"]);
        assert_eq!(words("?]"), ["a]"]);
        assert_eq!(words("**"), words("*"));
        wider("[a-b]", &["a", "b"]);
        wider("[[:alpha:]]", &["a", "b", "c"]);
        wider("[![:digit:]]", &["a"]);
        assert_eq!(expand("*\\", base, home), None);
        assert_eq!(expand("@(a|b)*", base, home), None);
    }
}
