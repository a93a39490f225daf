//! Which repository git would find from a folder.

use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::fs::MetadataExt as _;

use crate::error::{RepositoryError, Result};
use crate::files::RegularFile;

/// The largest `.git` file, `commondir` and the like, in bytes.
const LARGEST_POINTER: u64 = 8 * 1024;

/// How a work tree belongs to its repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All of the repository is the folder `.git` of the work tree.
    Plain,
    /// A work tree that `git worktree add` made: `.git` is a file that names a
    /// folder below `worktrees` of a plain repository, which names it in turn.
    Linked,
    /// The repository lies elsewhere: a submodule, `--separate-git-dir`, or a
    /// file that somebody wrote.
    Elsewhere,
}

/// Where a repository lies; all paths are canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) root: Utf8PathBuf,
    pub(crate) git_dir: Utf8PathBuf,
    pub(crate) common_dir: Utf8PathBuf,
    pub(crate) layout: Layout,
    /// Whether the paths in the files that say all this are canonical, so that
    /// it holds for as long as those files do.
    pub(crate) is_direct: bool,
}

/// A work tree whose repository is not yet followed.
pub(crate) struct Found {
    pub(crate) root: Utf8PathBuf,
    /// Whether `.git` is a file that names a folder, or that folder.
    is_pointer: bool,
}

impl Found {
    pub(crate) fn follow(&self) -> Result<Location> {
        let dot_git = self.root.join(".git");
        if self.is_pointer {
            pointed(self.root.clone(), &dot_git)
        } else {
            plain(self.root.clone(), dot_git)
        }
    }
}

/// Looks in the folder and above it, up to the home folder, the root of the
/// file system or another file system. What git might take for a repository,
/// or might not, is an error.
pub(crate) fn find(folder: &Utf8Path, home: &Utf8Path) -> Result<Option<Found>> {
    let start = canonical(folder)?;
    let found = |root: &Utf8Path, is_pointer| {
        Ok(Some(Found {
            root: root.to_owned(),
            is_pointer,
        }))
    };
    let mut device = None;
    for at in start.ancestors() {
        let metadata = at
            .symlink_metadata()
            .map_err(|source| RepositoryError::unreadable(at, source))?;
        if *device.get_or_insert(metadata.dev()) != metadata.dev() {
            break;
        }
        let dot_git = at.join(".git");
        match dot_git.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {
                if is_git_dir(&dot_git)? {
                    return found(at, false);
                }
            }
            Ok(metadata) if metadata.is_file() => return found(at, true),
            Ok(_) => return Err(RepositoryError::Irregular { path: dot_git }),
            Err(error) if is_absence(&error) => {}
            Err(source) => return Err(RepositoryError::unreadable(&dot_git, source)),
        }
        // git takes such a folder for a repository without a work tree, and
        // believes its configuration.
        if is_git_dir(at)? {
            return Err(RepositoryError::unsupported(format!(
                "{at} is itself a repository, or looks like one"
            )));
        }
        if at == home {
            break;
        }
    }
    Ok(None)
}

fn plain(root: Utf8PathBuf, git_dir: Utf8PathBuf) -> Result<Location> {
    let common = common_dir(&git_dir)?;
    let is_plain = common.is_none();
    Ok(Location {
        root,
        layout: if is_plain {
            Layout::Plain
        } else {
            Layout::Elsewhere
        },
        common_dir: common.unwrap_or_else(|| git_dir.clone()),
        git_dir,
        is_direct: is_plain,
    })
}

/// A repository that a `.git` file names.
fn pointed(root: Utf8PathBuf, dot_git: &Utf8Path) -> Result<Location> {
    let text = pointer(dot_git)?.unwrap_or_default();
    let Some(target) = text.strip_prefix("gitdir: ") else {
        return Err(RepositoryError::damaged(format!(
            "{dot_git} does not name a repository"
        )));
    };
    let git_dir = canonical(&root.join(target))?;
    let common = common_dir(&git_dir)?;
    if !is_git_dir(&git_dir)? {
        return Err(RepositoryError::damaged(format!(
            "{git_dir}, which {dot_git} names, is not a repository"
        )));
    }
    let mut layout = Layout::Elsewhere;
    if let Some(common) = &common
        && git_dir.parent() == Some(&common.join("worktrees"))
        && common.file_name() == Some(".git")
        && is_git_dir(common)?
        && let Some(back) = pointer(&git_dir.join("gitdir"))?
        && canonical(&git_dir.join(back)).is_ok_and(|back| back == dot_git)
    {
        layout = Layout::Linked;
    }
    Ok(Location {
        // From below a canonical folder, `..` leads through no link.
        is_direct: layout == Layout::Linked && git_dir == target,
        root,
        common_dir: common.unwrap_or_else(|| git_dir.clone()),
        git_dir,
        layout,
    })
}

fn common_dir(git_dir: &Utf8Path) -> Result<Option<Utf8PathBuf>> {
    match pointer(&git_dir.join("commondir"))? {
        Some(target) => canonical(&git_dir.join(target)).map(Some),
        None => Ok(None),
    }
}

/// A file that holds one path.
fn pointer(path: &Utf8Path) -> Result<Option<String>> {
    let Some(file) = RegularFile::open(path)? else {
        return Ok(None);
    };
    let text = file.text(LARGEST_POINTER)?;
    let target = text.trim_end_matches(['\n', '\r']);
    if target.is_empty() || target.contains(['\n', '\0']) {
        return Err(RepositoryError::damaged(format!("{path} names no folder")));
    }
    Ok(Some(target.to_owned()))
}

/// Whether git would take a folder for a repository: it has `HEAD`, and `refs`
/// and `objects`, here or in its common folder. Links among them are an error.
fn is_git_dir(folder: &Utf8Path) -> Result<bool> {
    let is_there = |path: Utf8PathBuf| match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Err(RepositoryError::Irregular { path }),
        Ok(_) => Ok(true),
        Err(error) if is_absence(&error) => Ok(false),
        Err(source) => Err(RepositoryError::unreadable(&path, source)),
    };
    if !is_there(folder.join("HEAD"))? {
        return Ok(false);
    }
    Ok(is_there(folder.join("commondir"))?
        || is_there(folder.join("objects"))? && is_there(folder.join("refs"))?)
}

fn is_absence(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
    )
}

pub(crate) fn canonical(path: &Utf8Path) -> Result<Utf8PathBuf> {
    path.canonicalize_utf8()
        .map_err(|source| RepositoryError::unreadable(path, source))
}
