//! The loss of folders that hold everything else.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::command::{SimpleCommand, Word, WordValue};
use countersign_core::effect::Touch;
use countersign_core::paths::FileKind;

use super::search::search;
use super::{Case, Found, has_option, is_doubtful};
use crate::contain::Place;

/// Folders that hold the system: without what is in them nothing runs.
const SYSTEM: &[&str] = &[
    "/Applications",
    "/Library",
    "/System",
    "/Users",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/sbin",
    "/sys",
    "/usr",
    "/var",
];

impl Case<'_> {
    /// A folder goes away, or all its rights change, that holds everything.
    pub(super) fn places(&self) -> Found {
        for (index, name, command) in self.named() {
            let found = match name.as_str() {
                "rm" if has_option(command, &['r', 'R'], "recursive") => self.removal(command),
                "chmod" | "chown" | "chgrp" if has_option(command, &['R'], "recursive") => {
                    self.all_rights(command)
                }
                "find" | "gfind" => self.search_removes(index, command),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        self.certain().find_map(|(touch, target, effect, command)| {
            let is_gone = matches!(touch, Touch::DeleteTree | Touch::MoveFrom);
            // What git removes it has.
            if !is_gone || command.base_name() == Some("git") {
                return None;
            }
            let places = self.places_of(target, touch);
            let what = places.iter().find_map(|place| self.standing(place))?;
            let verb = if touch == Touch::MoveFrom {
                "move away"
            } else {
                "delete"
            };
            Some((format!("would {verb} {what}"), effect.span.clone()))
        })
    }

    fn removal(&self, command: &SimpleCommand) -> Found {
        operands(command).find_map(|word| {
            let what = match &word.value {
                WordValue::Literal(text) => {
                    let place = self.world.place(text, &command.folder, Touch::DeleteTree);
                    self.standing(&place)
                }
                WordValue::Glob(pattern) => self
                    .covered(command, pattern)
                    .filter(|place| self.is_lost_by_its_content(place))
                    .map(|place| format!("everything in {}", place.path))
                    .or_else(|| {
                        self.matches(pattern, &command.folder, Touch::DeleteTree)
                            .iter()
                            .find_map(|place| self.standing(place))
                    }),
                WordValue::Dynamic { .. } => None,
            }?;
            Some((format!("would delete {what}"), word.span.clone()))
        })
    }

    /// The folder of which a pattern means everything but hidden names.
    fn covered(&self, command: &SimpleCommand, pattern: &str) -> Option<Place> {
        let base = match pattern.strip_suffix('*')? {
            "" => ".",
            base if base.ends_with('/') && !base.contains(['*', '?', '[', '\\']) => base,
            _ => return None,
        };
        Some(self.world.place(base, &command.folder, Touch::DeleteTree))
    }

    fn all_rights(&self, command: &SimpleCommand) -> Found {
        operands(command).find_map(|word| {
            let place = match &word.value {
                WordValue::Literal(text) => {
                    self.world.place(text, &command.folder, Touch::DeleteTree)
                }
                WordValue::Glob(pattern) => self.covered(command, pattern)?,
                WordValue::Dynamic { .. } => return None,
            };
            let is_certain =
                self.is_lost_by_its_content(&place) && place.path.file_name() != Some(".git");
            is_certain.then(|| {
                let reason = format!("would change the rights of everything in {}", place.path);
                (reason, word.span.clone())
            })
        })
    }

    fn search_removes(&self, index: usize, command: &SimpleCommand) -> Found {
        let search = search(command)?;
        if search.is_narrowed || !(search.deletes || self.hands_all_to_a_remover(index, &search)) {
            return None;
        }
        let what = search.roots.iter().find_map(|root| {
            let place = self.world.place(root, &command.folder, Touch::DeleteTree);
            self.standing(&place)
        })?;
        Some((
            format!("would delete {what}"),
            command.words.first()?.span.clone(),
        ))
    }

    /// What is lost with a folder, if that is everything.
    fn standing(&self, place: &Place) -> Option<String> {
        let path = own_name(place)?;
        let stakes = self.stakes;
        if path == "/" {
            return Some("`/`, the whole system".to_owned());
        }
        if path == stakes.home {
            return Some(format!("the home folder {path}"));
        }
        if let Some(workspace) = self.workspace_in(&path) {
            return Some(if *workspace == path {
                format!("the workspace {path}")
            } else {
                format!("{path}, which holds the workspace")
            });
        }
        if self.is_repository(&path) {
            return Some(format!("the repository's history in {path}"));
        }
        let is_child = path.components().count() == 2;
        let is_there = place.kind == FileKind::Directory || SYSTEM.contains(&path.as_str());
        (is_child && is_there).then(|| format!("{path}, a folder directly below `/`"))
    }

    fn workspace_in(&self, path: &Utf8Path) -> Option<&Utf8PathBuf> {
        let mut workspaces = self.stakes.workspaces.iter();
        workspaces.find(|workspace| workspace.starts_with(path))
    }

    /// Whether a path is the git directory of a workspace, or what in it holds
    /// the commits.
    fn is_repository(&self, path: &Utf8Path) -> bool {
        let git = match path.file_name() {
            Some(".git") => Some(path),
            Some("objects" | "refs") => path.parent(),
            _ => None,
        };
        let Some(git) = git.filter(|git| git.file_name() == Some(".git")) else {
            return false;
        };
        git.parent().is_some_and(|root| {
            let mut workspaces = self.stakes.workspaces.iter();
            workspaces.any(|workspace| workspace.starts_with(root))
        })
    }

    /// Whether a folder is as good as gone without all that is in it by names
    /// that are not hidden. A workspace is not: its repository stays.
    fn is_lost_by_its_content(&self, place: &Place) -> bool {
        let Some(path) = own_name(place) else {
            return false;
        };
        let holds_workspace = self.workspace_in(&path).is_some_and(|own| *own != path);
        path == "/"
            || path == self.stakes.home
            || holds_workspace && path != "/tmp"
            || SYSTEM.contains(&path.as_str())
            || self.is_repository(&path) && path.file_name() == Some(".git")
    }
}

/// The path of the name that goes away.
fn own_name(place: &Place) -> Option<Utf8PathBuf> {
    (place.kind != FileKind::Unresolvable && place.path.is_absolute()).then(|| place.path.clone())
}

/// The words that are not options.
fn operands(command: &SimpleCommand) -> impl Iterator<Item = &Word> {
    let mut options_end = false;
    command.words.iter().skip(1).filter(move |word| {
        if options_end {
            return true;
        }
        match word.literal() {
            Some("--") => {
                options_end = true;
                false
            }
            Some(text) => !text.starts_with('-'),
            None => !is_doubtful(&word.value),
        }
    })
}
