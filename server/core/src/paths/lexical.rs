//! Paths as text: joining, normalising, containment by segments.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{FileKind, PathFact};

/// `given` joined with `cwd`, not normalised: `..` stays, because where it
/// leads depends on symbolic links.
///
/// `~` and `~/` stand for `home`, as in a shell; `~name` is left alone, since
/// other users' folders are not known here.
#[must_use]
pub fn expand(cwd: &Utf8Path, given: &str, home: &Utf8Path) -> Utf8PathBuf {
    match given.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        Some(_) | None => cwd.join(given),
    }
}

/// [`expand`], then normalised by text alone: `.`, `..` and doubled slashes
/// are gone, and the path is absolute. `..` at the root stays at the root.
#[must_use]
pub fn lexical(cwd: &Utf8Path, given: &str, home: &Utf8Path) -> Utf8PathBuf {
    let mut segments: Vec<&str> = Vec::new();
    let expanded = expand(cwd, given, home);
    for segment in expanded.as_str().split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    Utf8PathBuf::from(format!("/{}", segments.join("/")))
}

/// Whether `path` is `folder` or lies below it, segment by segment.
///
/// `folder` must be absolute and more than the root; a path that still holds
/// `..` lies nowhere.
#[must_use]
pub fn lies_in(folder: &Utf8Path, path: &Utf8Path) -> bool {
    let climbs = |path: &Utf8Path| {
        path.components()
            .any(|component| component == Utf8Component::ParentDir)
    };
    folder.is_absolute()
        && folder.parent().is_some()
        && !climbs(folder)
        && !climbs(path)
        && path.starts_with(folder)
}

/// The workspace folder that `path` lies in; the innermost if they nest.
///
/// Both the path as written and its canonical form must lie in a workspace
/// folder, so neither a link that leads out nor a name from outside passes.
/// What acts when touched or cannot be resolved is never inside.
#[must_use]
pub fn inside<'a>(workspaces: &'a [Utf8PathBuf], path: &PathFact) -> Option<&'a Utf8Path> {
    match path.kind {
        FileKind::Missing | FileKind::File | FileKind::Directory => {}
        FileKind::Special | FileKind::Remote | FileKind::Unresolvable => return None,
    }
    workspaces
        .iter()
        .find(|folder| lies_in(folder, &path.absolute))?;
    workspaces
        .iter()
        .map(Utf8PathBuf::as_path)
        .filter(|folder| lies_in(folder, &path.canonical))
        .max_by_key(|folder| folder.components().count())
}

/// Whether a path is written so plainly that every file system and every tool
/// reads it alike.
///
/// Not plain: control and invisible characters; a backslash and a leading
/// double slash (UNC); a colon (an NTFS stream, a drive); a dot or space at
/// the end of a segment and `NAME~1` (other names of the same file on
/// Windows); a leading `~`, which a shell expands and most tools do not.
pub(super) fn is_plain(text: &str) -> bool {
    if text.starts_with("//") || text.starts_with('~') {
        return false;
    }
    if text
        .chars()
        .any(|c| c == '\\' || c == ':' || c.is_control() || is_invisible(c))
    {
        return false;
    }
    text.split('/').all(|segment| {
        matches!(segment, "." | "..")
            || (!segment.ends_with(['.', ' ']) && !has_short_name_mark(segment))
    })
}

/// `~` and a digit, as in `GIT~1`.
fn has_short_name_mark(segment: &str) -> bool {
    segment
        .split('~')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Characters that take no room: some file systems ignore them in names, and
/// people do not see them.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::call::Access;
    use crate::paths::testing::{fact, write, write_through};

    fn lex(given: &str) -> String {
        lexical(Utf8Path::new("/work/app"), given, Utf8Path::new("/home/u")).into_string()
    }

    #[test]
    fn joins_and_normalises_by_text() {
        for (given, want) in [
            ("src/a.rs", "/work/app/src/a.rs"),
            ("./src//./a.rs", "/work/app/src/a.rs"),
            ("../app-evil/x", "/work/app-evil/x"),
            ("/etc/../etc/passwd", "/etc/passwd"),
            ("../../../../..", "/"),
            ("", "/work/app"),
            (".", "/work/app"),
            ("//host/share", "/host/share"),
            ("~", "/home/u"),
            ("~/x/", "/home/u/x"),
            ("~//x", "/home/u/x"),
            ("~/../v", "/home/v"),
            ("~root/x", "/work/app/~root/x"),
            ("a/~/b", "/work/app/a/~/b"),
            (r"\\host\share", r"/work/app/\\host\share"),
        ] {
            assert_eq!(lex(given), want, "{given}");
        }
    }

    #[test]
    fn containment_is_by_segment() {
        let inside = |folder: &str, path: &str| lies_in(Utf8Path::new(folder), Utf8Path::new(path));
        assert!(inside("/work/app", "/work/app"));
        assert!(inside("/work/app", "/work/app/a/b"));
        assert!(inside("/work/app/", "/work/app/a"));
        assert!(!inside("/work/app", "/work/app-evil/a"));
        assert!(!inside("/work/app", "/work/ap"));
        assert!(!inside("/work/app", "/work/APP/a"));
        assert!(!inside("/work/app", "/work/app/../x"));
        assert!(!inside("/", "/work"), "the root is no workspace");
        assert!(!inside("", "/work"), "an unset folder holds nothing");
        assert!(!inside("work", "work/a"));
    }

    #[test]
    fn inside_needs_both_forms_and_an_ordinary_file() {
        let folders = [
            Utf8PathBuf::from("/work/app"),
            Utf8PathBuf::from("/work/lib"),
        ];
        assert_eq!(
            inside(&folders, &write("/work/app/x")),
            Some("/work/app".into())
        );
        assert_eq!(
            inside(&folders, &write_through("/work/app/link/x", "/work/lib/x")),
            Some("/work/lib".into()),
            "a link from one workspace folder to another stays inside"
        );
        assert_eq!(
            inside(&folders, &write_through("/work/app/x", "/etc/x")),
            None
        );
        assert_eq!(
            inside(&folders, &write_through("/tmp/x", "/work/app/x")),
            None
        );
        assert_eq!(inside(&folders, &write("/work/app-evil/x")), None);
        assert_eq!(inside(&[], &write("/work/app/x")), None);
        for kind in [FileKind::Special, FileKind::Remote, FileKind::Unresolvable] {
            assert_eq!(
                inside(&folders, &fact("/work/app/x", Access::Read, kind)),
                None
            );
        }
    }

    #[test]
    fn the_innermost_folder_is_named() {
        let folders = [Utf8PathBuf::from("/work"), Utf8PathBuf::from("/work/app")];
        assert_eq!(
            inside(&folders, &write("/work/app/x")),
            Some("/work/app".into())
        );
        assert_eq!(inside(&folders, &write("/work/x")), Some("/work".into()));
    }

    #[test]
    fn plain_names() {
        for plain in [
            "/work/app/src/a.rs",
            "a/../b",
            "./.gitignore",
            "naïve.md",
            "a b.txt",
            "x~",
            "~",
        ] {
            assert_eq!(is_plain(plain), !plain.starts_with('~'), "{plain}");
        }
        for odd in [
            "//host/share/x",
            r"\\host\share",
            r"a\b",
            "C:/x",
            "a.txt::$DATA",
            "a.txt:stream",
            ".git./config",
            ".git /config",
            "a.rs.",
            "GIT~1/config",
            "a\nb",
            "a\u{7f}",
            ".g\u{200c}it/config",
            "a\u{202e}b",
            "~/x",
        ] {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_leaves_by_parents_is_never_inside(
            below in prop::collection::vec("[a-z]{1,5}", 0..4),
            noise in prop::collection::vec(prop::sample::select(vec!["", ".", "./."]), 4),
            rest in prop::collection::vec("[a-z]{1,5}", 0..4),
        ) {
            // Down some real segments, one `..` more than that, then anywhere
            // but back into the workspace.
            let mut parts: Vec<&str> = Vec::new();
            for (name, noise) in below.iter().zip(&noise) {
                parts.extend([noise, name.as_str()]);
            }
            parts.extend(std::iter::repeat_n("..", below.len() + 1));
            parts.push("not-app");
            parts.extend(rest.iter().map(String::as_str));
            let given = format!("./{}", parts.join("/"));
            let absolute = lexical(Utf8Path::new("/work/app"), &given, Utf8Path::new("/home/u"));
            prop_assert!(!lies_in(Utf8Path::new("/work/app"), &absolute), "{} -> {}", given, absolute);
            let folders = [Utf8PathBuf::from("/work/app")];
            let fact = PathFact { given, ..write(absolute.as_str()) };
            prop_assert_eq!(inside(&folders, &fact), None);
        }

        #[test]
        fn the_result_is_absolute_and_normal(cwd in "(/[a-z]{1,3}){0,3}", given in "[a-z~./\\\\ ]{0,20}") {
            let cwd = if cwd.is_empty() { "/" } else { &cwd };
            let once = lexical(Utf8Path::new(cwd), &given, Utf8Path::new("/home/u"));
            prop_assert!(once.is_absolute());
            let normal = once.as_str().split('/').skip(1).all(|segment| !matches!(segment, "." | ".."));
            prop_assert!(normal);
            prop_assert!(!once.as_str().contains("//"));
            prop_assert_eq!(lexical(Utf8Path::new("/"), once.as_str(), Utf8Path::new("/home/u")), once);
        }
    }
}
