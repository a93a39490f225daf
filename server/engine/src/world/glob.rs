//! What a shell's pattern means, by looking at the folders that it names.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use globset::GlobBuilder;

/// Most names that are looked at for one pattern.
const MOST_NAMES: usize = 8_192;

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
    let components: Vec<&str> = rest.split('/').collect();
    let last = components.len().saturating_sub(1);
    for (index, component) in components.iter().enumerate() {
        let separator = if index == last { "" } else { "/" };
        let mut next = Vec::new();
        for (text, path) in &found {
            if component.is_empty() || !is_pattern(component) {
                let name = unescaped(component);
                let path = path.join(&name);
                next.push((format!("{text}{name}{separator}"), path));
                continue;
            }
            for name in matches(component, path, &mut left)? {
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
    if words.is_empty() {
        words.push(unescaped(pattern));
    }
    Some(words)
}

/// The names in a folder that match; none where there is no such folder.
fn matches(component: &str, folder: &Utf8Path, left: &mut usize) -> Option<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            use std::io::ErrorKind::{NotADirectory, NotFound};
            return matches!(error.kind(), NotFound | NotADirectory).then(Vec::new);
        }
    };
    let glob = GlobBuilder::new(component)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .ok()?
        .compile_matcher();
    let mut names = Vec::new();
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
        assert_eq!(expand("~root/*", base, home), None);
    }
}
