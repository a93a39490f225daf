//! The git repository that a command would work with, and what its settings
//! and hooks would run. Read as files, bounded; git itself is never started.
//!
//! Only settings that are known to be data are taken for harmless in a
//! repository's own configuration. The user's own may name programs, unless
//! these lie where agents write.

mod index;
mod settings;
mod syntax;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::paths;
use countersign_shell::Repository;
use rustix::fs::{FileType, OFlags};

use super::TEMP;

/// Longest file of settings.
const SETTINGS_LIMIT: u64 = 256 * 1024;

/// Longest index.
const INDEX_LIMIT: u64 = 64 * 1024 * 1024;

/// Most repositories inside the repository that are looked at.
const MOST_INSIDE: usize = 64;

/// Most files of the user's settings, those that they include too.
const MOST_FILES: usize = 16;

/// The hooks that a git command on this machine runs.
const HOOKS: &[&str] = &[
    "commit-msg",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-rewrite",
    "pre-auto-gc",
    "pre-commit",
    "prepare-commit-msg",
    "reference-transaction",
];

/// Where git looks for settings that no agent writes, besides the user's.
const OF_THE_SYSTEM: &[&str] = &[
    "/etc/gitconfig",
    "/usr/local/etc/gitconfig",
    "/opt/homebrew/etc/gitconfig",
];

/// Why a repository is not proven to run nothing; for people.
type Problem = String;

/// What git would find from a canonical folder.
pub(super) fn repository(
    folder: &Utf8Path,
    workspaces: &[Utf8PathBuf],
    home: &Utf8Path,
) -> Repository {
    let mut look = Look {
        workspaces,
        home,
        inside: 0,
        hooks_folders: Vec::new(),
    };
    let problem = look.look(folder).err();
    let hooks = HOOKS
        .iter()
        .filter(|hook| {
            look.hooks_folders
                .iter()
                .any(|folder| kind(&folder.join(hook)).is_some())
        })
        .map(|hook| (*hook).to_owned())
        .collect();
    Repository {
        problem,
        hooks,
        hooks_folders: look.hooks_folders,
    }
}

struct Look<'a> {
    workspaces: &'a [Utf8PathBuf],
    home: &'a Utf8Path,
    inside: usize,
    hooks_folders: Vec<Utf8PathBuf>,
}

/// The folders of a repository.
struct Found {
    /// The work tree.
    root: Utf8PathBuf,
    /// Where its index is.
    own: Utf8PathBuf,
    /// Where its settings and hooks are.
    common: Utf8PathBuf,
}

impl Look<'_> {
    fn look(&mut self, folder: &Utf8Path) -> Result<(), Problem> {
        let workspace = self
            .workspaces
            .iter()
            .filter(|workspace| folder.starts_with(workspace))
            .max_by_key(|workspace| workspace.as_str().len())
            .ok_or_else(|| format!("git would work in {folder}, outside the workspace"))?;
        self.of_the_user()?;
        let Some(found) = discover(folder)? else {
            return Ok(());
        };
        if found.root != *workspace && found.root.starts_with(workspace) {
            return Err(format!(
                "{} is another repository than the workspace's",
                found.root
            ));
        }
        self.check(&found, settings::Of::Workspace, 0)
    }

    /// Settings, hooks, and the repositories inside.
    fn check(&mut self, found: &Found, of: settings::Of, depth: usize) -> Result<(), Problem> {
        self.hooks_folders.push(found.common.join("hooks"));
        for file in [
            found.common.join("config"),
            found.own.join("config.worktree"),
        ] {
            let Some(text) = read_text(&file)? else {
                continue;
            };
            for setting in syntax::read(&text).map_err(|problem| format!("{file}: {problem}"))? {
                if setting.is("core", "hookspath") {
                    let value = setting.value.as_deref().unwrap_or_default();
                    let folder = self.resolve(value, &found.root);
                    if !paths_begin(self.workspaces, &folder) {
                        return Err(format!("{file} sets core.hooksPath to {value}"));
                    }
                    self.hooks_folders.push(folder);
                } else if !settings::is_data(&setting, of) {
                    return Err(format!(
                        "{file} sets {}, which is not known to be harmless",
                        setting.name()
                    ));
                }
            }
        }
        self.inside(found, depth)
    }

    /// The repositories that the index says are inside: `git status` runs git
    /// in each.
    fn inside(&mut self, found: &Found, depth: usize) -> Result<(), Problem> {
        let file = found.own.join("index");
        let Some(bytes) = read(&file, INDEX_LIMIT)? else {
            return Ok(());
        };
        let inside =
            index::repositories(&bytes).ok_or_else(|| format!("{file} is not understood"))?;
        for path in inside {
            let root = found.root.join(path);
            let Some(found) = repository_at(&root)? else {
                continue;
            };
            self.inside += 1;
            if self.inside > MOST_INSIDE || depth > 3 {
                return Err(format!("{root}: too many repositories inside"));
            }
            self.check(&found, settings::Of::Inside, depth + 1)?;
        }
        Ok(())
    }

    /// The user's and the system's settings.
    fn of_the_user(&mut self) -> Result<(), Problem> {
        let mut files: Vec<Utf8PathBuf> = OF_THE_SYSTEM.iter().map(Utf8PathBuf::from).collect();
        files.push(self.home.join(".gitconfig"));
        files.push(self.home.join(".config/git/config"));
        let mut read = 0;
        while let Some(file) = files.pop() {
            // A link is fine here (settings kept elsewhere), but not to where
            // agents write.
            let Ok(canonical) = file.canonicalize_utf8() else {
                continue;
            };
            if self.is_agents(&canonical) {
                return Err(format!("{file} lies where agents write"));
            }
            let Some(text) = read_text(&canonical)? else {
                continue;
            };
            read += 1;
            if read > MOST_FILES {
                return Err(format!("{file}: too many files of settings"));
            }
            for setting in syntax::read(&text).map_err(|problem| format!("{file}: {problem}"))? {
                let value = setting.value.as_deref().unwrap_or_default();
                if setting.includes() {
                    files.push(self.resolve(value, file.parent().unwrap_or(&file)));
                } else if setting.is("core", "hookspath") {
                    let folder = self.resolve(value, Utf8Path::new("."));
                    if folder.is_relative() || self.is_agents(&folder) {
                        return Err(format!("{file} sets core.hooksPath to {value}"));
                    }
                } else if settings::names_a_program_of_others(&setting, |path| {
                    self.is_agents(&self.resolve(path, Utf8Path::new(".")))
                }) {
                    return Err(format!(
                        "{file} sets {} to a program that may be another's",
                        setting.name()
                    ));
                }
            }
        }
        Ok(())
    }

    fn resolve(&self, text: &str, base: &Utf8Path) -> Utf8PathBuf {
        match text
            .strip_prefix("~/")
            .or_else(|| text.strip_prefix("$HOME/"))
        {
            Some(rest) => paths::lexical(self.home, rest, self.home),
            None if text.starts_with('/') || base != "." => paths::lexical(base, text, self.home),
            None => Utf8PathBuf::from(text),
        }
    }

    /// Whether agents write there.
    fn is_agents(&self, path: &Utf8Path) -> bool {
        paths_begin(self.workspaces, path) || TEMP.iter().any(|temp| path.starts_with(temp))
    }
}

fn paths_begin(folders: &[Utf8PathBuf], path: &Utf8Path) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

/// Climbs as git does, and stops at everything that it may take for a
/// repository.
fn discover(folder: &Utf8Path) -> Result<Option<Found>, Problem> {
    for at in folder.ancestors() {
        if let Some(found) = repository_at(at)? {
            return Ok(Some(found));
        }
        let has = |name: &str| kind(&at.join(name)).is_some();
        if has("HEAD") && has("objects") && has("refs") {
            return Err(format!("{at} itself is what git takes for a repository"));
        }
    }
    Ok(None)
}

/// The repository whose work tree is that folder.
fn repository_at(root: &Utf8Path) -> Result<Option<Found>, Problem> {
    let marker = root.join(".git");
    let strange = |why: &str| Err(format!("{marker} {why}"));
    match kind(&marker) {
        None => Ok(None),
        Some(FileType::Directory) => {
            if kind(&marker.join("HEAD")).is_none() {
                return strange("is no repository to git, which looks further");
            }
            if kind(&marker.join("commondir")).is_some() {
                return strange("has its settings elsewhere");
            }
            Ok(Some(Found {
                root: root.to_owned(),
                own: marker.clone(),
                common: marker,
            }))
        }
        Some(FileType::RegularFile) => linked(root, &marker).map(Some),
        Some(_) => strange("is a link or a special file"),
    }
}

/// A work tree whose repository lies elsewhere: a further one of the same
/// repository, which names it too, or one inside another repository.
fn linked(root: &Utf8Path, marker: &Utf8Path) -> Result<Found, Problem> {
    let strange = |why: &str| Err(format!("{marker} {why}"));
    let line = |file: &Utf8Path| -> Result<Option<String>, Problem> {
        Ok(read_text(file)?.map(|text| text.trim_end_matches('\n').to_owned()))
    };
    let text = line(marker)?.unwrap_or_default();
    let Some(target) = text.strip_prefix("gitdir: ") else {
        return strange("is not understood");
    };
    let Ok(own) = root.join(target).canonicalize_utf8() else {
        return strange("leads nowhere");
    };
    match (line(&own.join("commondir"))?, line(&own.join("gitdir"))?) {
        (Some(common), Some(back)) => {
            let Ok(common) = own.join(common).canonicalize_utf8() else {
                return strange("leads nowhere");
            };
            let back = own.join(back).canonicalize_utf8().ok();
            if back.is_none() || back != marker.canonicalize_utf8().ok() {
                return strange("leads to a repository that does not know of it");
            }
            if !own.starts_with(common.join("worktrees")) {
                return strange("leads to what is no further work tree");
            }
            Ok(Found {
                root: root.to_owned(),
                own,
                common,
            })
        }
        (None, None) if own.as_str().contains("/.git/modules/") => Ok(Found {
            root: root.to_owned(),
            common: own.clone(),
            own,
        }),
        _ => strange("leads to another repository"),
    }
}

/// What is there, without following a link; what cannot be looked at is there.
fn kind(path: &Utf8Path) -> Option<FileType> {
    match rustix::fs::lstat(path.as_str()) {
        Ok(about) => Some(FileType::from_raw_mode(about.st_mode)),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => None,
        Err(_) => Some(FileType::Unknown),
    }
}

fn read_text(file: &Utf8Path) -> Result<Option<String>, Problem> {
    read(file, SETTINGS_LIMIT)?
        .map(|bytes| String::from_utf8(bytes).map_err(|_| format!("{file} is not UTF-8")))
        .transpose()
}

/// A regular file's content; `None` if nothing is there. Never waits, never
/// follows a link at the end.
fn read(file: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
    let strange = |why: &str| Err(format!("{file} {why}"));
    match kind(file) {
        None => return Ok(None),
        Some(FileType::RegularFile) => {}
        Some(_) => return strange("is no regular file"),
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(file);
    let Ok(opened) = opened else {
        return strange("cannot be read");
    };
    let mut content = Vec::new();
    match opened.take(limit + 1).read_to_end(&mut content) {
        Ok(read) if read as u64 <= limit => Ok(Some(content)),
        Ok(_) => strange("is too long"),
        Err(_) => strange("cannot be read"),
    }
}
