//! The accept-edits fast path: edits of ordinary workspace files need no model
//! and no person.

use camino::Utf8PathBuf;

use super::lexical::is_plain;
use super::{FileKind, PathFact, Protected, ProtectedPaths, inside};
use crate::call::Access;
use crate::tool::Tool;

/// Why an operation is not on the fast path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// Only edits, whole-file writes and notebook edits are.
    #[error("`{0}` is no edit of a file's content")]
    Tool(String),
    /// No path is known.
    #[error("no path is named")]
    NoPath,
    /// The path would not be written, or would go away.
    #[error("{0} would not only be written")]
    Access(Utf8PathBuf),
    /// The name may mean another file to another program.
    #[error("{0:?} is not a plain path")]
    Name(String),
    /// It is neither a regular file nor about to become one.
    #[error("{0} is no regular file")]
    Kind(Utf8PathBuf),
    /// It lies, or leads, outside every workspace folder.
    #[error("{0} is outside the workspace")]
    Outside(Utf8PathBuf),
    /// The file has other names, perhaps outside.
    #[error("{0} has more than one hard link")]
    Linked(Utf8PathBuf),
    /// It is protected.
    #[error("{path} is protected ({})", protected.what)]
    Protected {
        /// The path.
        path: Utf8PathBuf,
        /// What protects it.
        protected: Protected,
    },
}

/// Whether an operation is an edit of ordinary workspace files.
///
/// # Errors
/// The first reason why it is not.
pub fn fast_path(
    tool: &Tool,
    paths: &[PathFact],
    workspaces: &[Utf8PathBuf],
    protected: &ProtectedPaths,
) -> Result<(), WhyNot> {
    if !matches!(tool, Tool::Edit | Tool::WriteFile | Tool::NotebookEdit) {
        return Err(WhyNot::Tool(tool.to_string()));
    }
    if paths.is_empty() {
        return Err(WhyNot::NoPath);
    }
    paths
        .iter()
        .try_for_each(|path| ordinary_edit(path, workspaces, protected))
}

fn ordinary_edit(
    path: &PathFact,
    workspaces: &[Utf8PathBuf],
    protected: &ProtectedPaths,
) -> Result<(), WhyNot> {
    let shown = || path.canonical.clone();
    if path.access != Access::Write {
        return Err(WhyNot::Access(shown()));
    }
    for form in [&path.given, path.absolute.as_str(), path.canonical.as_str()] {
        if form.is_empty() || !is_plain(form) {
            return Err(WhyNot::Name(form.to_owned()));
        }
    }
    match path.kind {
        FileKind::Missing | FileKind::File => {}
        FileKind::Directory | FileKind::Special | FileKind::Remote | FileKind::Unresolvable => {
            return Err(WhyNot::Kind(shown()));
        }
    }
    if inside(workspaces, path).is_none() {
        return Err(WhyNot::Outside(shown()));
    }
    if path.links > 1 {
        return Err(WhyNot::Linked(shown()));
    }
    match protected.check(path) {
        Some(protected) => Err(WhyNot::Protected {
            path: shown(),
            protected,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::testing::{fact, write, write_through};
    use crate::paths::{ProtectedKind, ProtectedOptions};

    fn try_edit(path: PathFact) -> Result<(), WhyNot> {
        let folders = [
            Utf8PathBuf::from("/work/app"),
            Utf8PathBuf::from("/tmp/x/lib"),
        ];
        let protected = ProtectedPaths::new(ProtectedOptions {
            home: "/home/u".into(),
            config_dir: "/work/app/conf".into(),
            ..ProtectedOptions::default()
        });
        fast_path(&Tool::Edit, &[path], &folders, &protected)
    }

    #[test]
    fn ordinary_edits_pass() {
        for path in [
            "/work/app/src/a.rs",
            "/work/app/.gitignore",
            "/tmp/x/lib/a",
            "/work/app/.claude/worktrees/w/a.rs",
        ] {
            assert_eq!(try_edit(write(path)), Ok(()), "{path}");
            assert_eq!(
                try_edit(fact(path, Access::Write, FileKind::Missing)),
                Ok(()),
                "{path}"
            );
        }
        let relative = PathFact {
            given: "../app/src/a.rs".into(),
            ..write("/work/app/src/a.rs")
        };
        assert_eq!(try_edit(relative), Ok(()));
        let across = write_through("/work/app/lib/a", "/tmp/x/lib/a");
        assert_eq!(
            try_edit(across),
            Ok(()),
            "from one workspace folder to another"
        );
    }

    #[test]
    fn only_edit_tools_pass() {
        let folders = [Utf8PathBuf::from("/work/app")];
        let protected = ProtectedPaths::new(ProtectedOptions::default());
        let paths = [write("/work/app/a")];
        for tool in [Tool::Edit, Tool::WriteFile, Tool::NotebookEdit] {
            assert_eq!(
                fast_path(&tool, &paths, &folders, &protected),
                Ok(()),
                "{tool}"
            );
            assert_eq!(
                fast_path(&tool, &[], &folders, &protected),
                Err(WhyNot::NoPath)
            );
        }
        for tool in [
            Tool::DeleteFile,
            Tool::MoveFile,
            Tool::ReadFile,
            Tool::RunShellCommand,
            Tool::Other("edit".into()),
            Tool::Other("Edit".into()),
        ] {
            assert!(
                matches!(
                    fast_path(&tool, &paths, &folders, &protected),
                    Err(WhyNot::Tool(_))
                ),
                "{tool}"
            );
        }
    }

    #[test]
    fn one_bad_path_spoils_the_operation() {
        let folders = [Utf8PathBuf::from("/work/app")];
        let protected = ProtectedPaths::new(ProtectedOptions::default());
        let paths = [write("/work/app/a"), write("/etc/passwd")];
        assert_eq!(
            fast_path(&Tool::Edit, &paths, &folders, &protected),
            Err(WhyNot::Outside("/etc/passwd".into()))
        );
    }

    #[test]
    fn outside_is_by_segments_and_by_both_forms() {
        for path in [
            write("/work/app-evil/a"),
            write("/work/ap"),
            write("/WORK/APP/a"),
            write("/etc/passwd"),
            write_through("/work/app/link", "/etc/passwd"),
            write_through("/work/app/dir/a", "/work/app-evil/a"),
            write_through("/tmp/evil", "/work/app/a"),
        ] {
            assert!(
                matches!(try_edit(path.clone()), Err(WhyNot::Outside(_))),
                "{path:?}"
            );
        }
    }

    #[test]
    fn what_is_no_ordinary_file_does_not_pass() {
        for kind in [
            FileKind::Directory,
            FileKind::Special,
            FileKind::Remote,
            FileKind::Unresolvable,
        ] {
            let path = fact("/work/app/a", Access::Write, kind);
            assert!(matches!(try_edit(path), Err(WhyNot::Kind(_))), "{kind:?}");
        }
        let linked = PathFact {
            links: 2,
            ..write("/work/app/a")
        };
        assert!(matches!(try_edit(linked), Err(WhyNot::Linked(_))));
        for access in [Access::Delete, Access::Read, Access::ReadTree, Access::List] {
            let path = fact("/work/app/a", access, FileKind::File);
            assert!(
                matches!(try_edit(path), Err(WhyNot::Access(_))),
                "{access:?}"
            );
        }
    }

    #[test]
    fn odd_names_do_not_pass() {
        for given in [
            "",
            "//work/app/a",
            r"\\host\share\a",
            r"src\a.rs",
            "~/app/a",
            "C:/work/app/a",
            "a.rs::$DATA",
            "a.rs.",
            "a ",
            "SRC~1/a.rs",
            "a\nb",
            "a\u{0}",
            "a\u{202e}b",
        ] {
            let path = PathFact {
                given: given.into(),
                ..write("/work/app/a")
            };
            assert_eq!(try_edit(path), Err(WhyNot::Name(given.into())), "{given:?}");
        }
        let target = write_through("/work/app/a", "/work/app/b:c");
        assert!(matches!(try_edit(target), Err(WhyNot::Name(_))));
    }

    #[test]
    fn protected_files_do_not_pass() {
        for (path, kind) in [
            ("/work/app/.git/config", ProtectedKind::Persistence),
            ("/work/app/.GIT/config", ProtectedKind::Persistence),
            ("/work/app/CLAUDE.md", ProtectedKind::SelfModification),
            ("/work/app/node_modules/x.js", ProtectedKind::Generated),
            ("/work/app/conf/settings.json", ProtectedKind::Guard),
        ] {
            match try_edit(write(path)) {
                Err(WhyNot::Protected { protected, .. }) => {
                    assert_eq!(protected.kind, kind, "{path}")
                }
                other => panic!("{path}: {other:?}"),
            }
        }
    }
}
