//! What the real file system says about paths, without ever opening, changing
//! or waiting for anything: the calls that are judged name paths that a
//! hostile repository chose.

mod canonicals;
mod content;
mod mounts;
mod tree;
mod walk;
mod workspace;

use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Access;
use countersign_core::paths::{FileKind, PathFact, expand, lexical};
use countersign_repository::Repositories;

pub use canonicals::Canonicals;
pub(crate) use content::content;
pub use content::content_digest;
use mounts::Mounts;
pub use tree::Below;
use walk::Walked;

/// Longest path that the kernel takes, in bytes.
const PATH_MAX: usize = 4096;

/// The file system of this machine.
///
/// Looks at names with `lstat` and `readlink` only. Holds nothing about them:
/// every answer is of now, but for what file systems are mounted and where the
/// guard's own folders really are. What is kept of repositories and contents is
/// asked for only where a command would change an existing file.
#[derive(Debug, Default)]
pub struct Host {
    mounts: Mounts,
    guard_folders: Vec<Utf8PathBuf>,
    /// Canonical, once they were asked for.
    own: OnceLock<Vec<Utf8PathBuf>>,
    pub(crate) repositories: Arc<Repositories>,
}

impl Host {
    /// The machine's file system. Nothing below `guard_folders`, the guard's
    /// own folders, is ever a workspace.
    #[must_use]
    pub fn new(guard_folders: Vec<Utf8PathBuf>) -> Self {
        Self {
            mounts: Mounts::default(),
            guard_folders,
            own: OnceLock::new(),
            repositories: Arc::default(),
        }
    }

    /// The same with what another has read of repositories, which checks by
    /// itself whether that still holds.
    #[must_use]
    pub fn with_repositories_of(mut self, other: &Self) -> Self {
        self.repositories = Arc::clone(&other.repositories);
        self
    }

    /// What there is to know of a path as an agent wrote it. Total: what
    /// cannot be found out is [`FileKind::Unresolvable`], with the best guess
    /// as canonical form.
    ///
    /// The canonical form follows every link, the dangling too: writing
    /// through a dangling link makes its target. Only for [`Access::Delete`]
    /// the last name is not followed, because it is the name that goes away;
    /// a link counts as a regular file then. `..` leads to the parent of where
    /// the path really is; where that differs from what the text says, the
    /// path is unresolvable, because tools do not agree which of the two they
    /// mean.
    #[must_use]
    pub fn resolve(
        &self,
        given: &str,
        cwd: &Utf8Path,
        home: &Utf8Path,
        access: Access,
    ) -> PathFact {
        let absolute = lexical(cwd, given, home);
        let expanded = expand(cwd, given, home);
        if !may_be_touched(given, &expanded) {
            return PathFact {
                given: given.to_owned(),
                canonical: absolute.clone(),
                absolute,
                access,
                kind: FileKind::Unresolvable,
                links: 1,
            };
        }
        let follow_last = access != Access::Delete || given.ends_with('/');
        let Walked {
            path: canonical,
            mut kind,
            links,
        } = self.walk(&expanded, follow_last);
        if kind != FileKind::Unresolvable && climbs(&expanded) {
            let by_text = self.walk(&absolute, follow_last);
            if by_text.path != canonical || by_text.kind != kind {
                kind = FileKind::Unresolvable;
            }
        }
        if kind != FileKind::Unresolvable && is_unc(given) {
            kind = FileKind::Remote;
        }
        PathFact {
            given: given.to_owned(),
            absolute,
            canonical,
            access,
            kind,
            links,
        }
    }

    /// The canonical form of an absolute path, also of one that does not exist
    /// (its nearest existing ancestor's, and the rest); `None` if it cannot be
    /// resolved.
    #[must_use]
    pub fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        if !may_be_touched(path.as_str(), path) {
            return None;
        }
        let walked = self.walk(path, true);
        match walked.kind {
            FileKind::Unresolvable | FileKind::Remote => None,
            FileKind::Missing | FileKind::File | FileKind::Directory | FileKind::Special => {
                Some(walked.path)
            }
        }
    }
}

/// Whether the text can be a path of this machine at all.
fn may_be_touched(given: &str, expanded: &Utf8Path) -> bool {
    // Other users' folders: a shell expands `~name`, and nothing else does.
    let of_another_user = given.starts_with('~') && given.len() > 1 && !given.starts_with("~/");
    !given.is_empty()
        && !of_another_user
        && expanded.is_absolute()
        && expanded.as_str().len() < PATH_MAX
        && !expanded.as_str().contains('\0')
}

fn climbs(path: &Utf8Path) -> bool {
    path.as_str().split('/').any(|segment| segment == "..")
}

/// `\\host\share` and `//host/share`: some systems reach over the network for
/// them.
fn is_unc(given: &str) -> bool {
    given.starts_with(r"\\") || given.starts_with("//")
}
