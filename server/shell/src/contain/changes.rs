//! What a command may have changed itself by the time that it does something
//! else. Kept by path, so that long commands stay cheap to judge.

use std::collections::{BTreeMap, HashMap};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::effect::Touch;

use super::Place;

/// What may be at a changed path now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// A folder that was made there.
    Folder,
    /// A regular file.
    File,
    /// Nothing, or what was there.
    Gone,
    /// What was copied or moved there; its links, too.
    Copy,
    /// Anything: a link, too.
    Anything,
}

/// The simple commands that did it.
#[derive(Debug, Clone, Copy)]
struct Who {
    first: usize,
    last: usize,
}

impl Who {
    const fn is_other_than(self, command: usize) -> bool {
        self.first != command || self.last != command
    }
}

/// What happens at one path.
#[derive(Debug, Default)]
struct At {
    hows: Vec<(How, Who)>,
    /// The commands that copied or moved something there.
    copies: Vec<usize>,
    /// Whether a name in the path becomes other words where blanks split it.
    is_odd: bool,
}

/// What a command may change, wherever it stands: loops, functions and
/// background jobs know no order.
#[derive(Debug, Default)]
pub(super) struct Changes {
    // Keys are the text of paths, which compares faster than paths do.
    at: BTreeMap<String, At>,
    /// Folders that may become git directories.
    repositories: HashMap<String, Who>,
    /// What may be replaced, by path as written: with the canonical path.
    replaced: HashMap<String, (Utf8PathBuf, Who)>,
}

impl Changes {
    pub(super) fn add(&mut self, place: &Place, how: How, command: usize) {
        let path = place.path.as_path();
        let who = Who {
            first: command,
            last: command,
        };
        let widen = |known: &mut Who| {
            known.first = known.first.min(command);
            known.last = known.last.max(command);
        };
        if let Some(folder) = repository(path) {
            let known = self.repositories.entry(folder.to_string()).or_insert(who);
            widen(known);
        }
        if matches!(how, How::Gone | How::Copy | How::Anything) {
            let known = self.replaced.entry(place.written.to_string());
            let (_, known) = known.or_insert_with(|| (path.to_owned(), who));
            widen(known);
        }
        let at = self.at.entry(path.to_string()).or_default();
        at.is_odd = path.as_str().split('/').any(super::is_odd);
        match at.hows.iter_mut().find(|(known, _)| *known == how) {
            Some((_, known)) => widen(known),
            None => at.hows.push((how, who)),
        }
        if how == How::Copy && at.copies.last() != Some(&command) {
            at.copies.push(command);
        }
    }

    /// What happens at a path and on the way to it.
    fn towards<'a>(&'a self, path: &'a Utf8Path) -> impl Iterator<Item = (bool, &'a At)> {
        path.ancestors()
            .filter_map(move |on| self.at.get(on.as_str()).map(|at| (on == path, at)))
    }

    /// What happens at a path and below it: whether it is at it.
    fn below<'a>(&'a self, path: &'a Utf8Path) -> impl Iterator<Item = (bool, &'a At)> {
        let folder = path.as_str().trim_end_matches('/');
        // `0` is the character behind the slash.
        let names = self.at.range(format!("{folder}/")..format!("{folder}0"));
        let itself = self.at.get(path.as_str()).map(|at| (true, at));
        itself.into_iter().chain(names.map(|(_, at)| (false, at)))
    }

    /// Whether a folder is made there.
    pub(super) fn makes_folder(&self, path: &Utf8Path) -> bool {
        let at = self.at.get(path.as_str());
        at.is_some_and(|at| at.hows.iter().any(|(how, _)| *how == How::Folder))
    }

    /// Whether what is there, or a folder on the way, may be none by then.
    pub(super) fn may_be_gone(&self, path: &Utf8Path) -> bool {
        self.towards(path)
            .any(|(_, at)| at.hows.iter().any(|(how, _)| *how == How::Gone))
    }

    /// Whether something is copied or moved there.
    pub(super) fn is_copied_to(&self, path: &Utf8Path) -> bool {
        self.copied_to(path).next().is_some()
    }

    /// Whether something earlier changes it.
    pub(super) fn is_changed_before(&self, path: &Utf8Path, command: usize) -> bool {
        let at = self.at.get(path.as_str());
        at.is_some_and(|at| at.hows.iter().any(|(_, who)| who.first < command))
    }

    /// Whether names below a path may be such that they become other words.
    pub(super) fn makes_odd_names(&self, root: &Utf8Path, command: usize) -> bool {
        self.below(root).any(|(_, at)| {
            at.hows.iter().any(|(how, who)| {
                who.is_other_than(command)
                    && (at.is_odd || matches!(how, How::Anything | How::Copy))
            })
        })
    }

    /// Whether another command changes something in a folder, or what leads
    /// there.
    pub(super) fn change_below(&self, root: &Utf8Path, command: usize) -> bool {
        let towards = self.towards(root).map(|(_, at)| at);
        let below = self.below(root).map(|(_, at)| at);
        towards
            .chain(below)
            .any(|at| at.hows.iter().any(|(_, who)| who.is_other_than(command)))
    }

    /// Whether another folder may be there by then.
    pub(super) fn replace_folder(&self, folder: &Utf8Path, command: usize) -> bool {
        self.towards(folder).any(|(_, at)| {
            at.hows
                .iter()
                .any(|(how, who)| *how != How::Folder && who.is_other_than(command))
        })
    }

    /// The names right in a folder at or below which something is changed, by
    /// whatever command.
    pub(super) fn names_in<'a>(&'a self, folder: &'a Utf8Path) -> impl Iterator<Item = &'a str> {
        let folder = folder.as_str().trim_end_matches('/');
        self.at
            .range(format!("{folder}/")..format!("{folder}0"))
            .filter_map(move |(path, _)| path.strip_prefix(folder)?.split('/').nth(1))
    }

    /// Whether git may find another repository in a folder, or other hooks.
    pub(super) fn change_what_git_finds(
        &self,
        folder: &Utf8Path,
        hooks: &[Utf8PathBuf],
        command: usize,
    ) -> bool {
        let is_replaced = self.replace_folder(folder, command);
        let is_made = folder.ancestors().any(|on| {
            let who = self.repositories.get(on.as_str());
            who.is_some_and(|who| who.is_other_than(command))
        });
        let has_hooks = hooks.iter().any(|hooks| {
            self.below(hooks)
                .any(|(_, at)| at.hows.iter().any(|(_, who)| who.is_other_than(command)))
        });
        is_replaced || is_made || has_hooks
    }

    /// Whether the way to a path, or the path itself, may be a link by the time
    /// that it is used. `brings_links`: whether what a command copies may be or
    /// hold links.
    pub(super) fn may_lead_elsewhere(
        &self,
        place: &Place,
        touch: Touch,
        command: usize,
        brings_links: &dyn Fn(usize) -> bool,
    ) -> bool {
        if matches!(touch, Touch::List | Touch::ListTree) {
            return false;
        }
        let copies_links = |at: &At| at.copies.iter().any(|by| brings_links(*by));
        let leads = |(is_it, at): (bool, &At)| {
            at.hows.iter().any(|(how, who)| {
                let concerns = !is_it || who.is_other_than(command);
                match how {
                    How::Folder | How::Gone => false,
                    How::Anything => concerns,
                    How::File | How::Copy => {
                        let is_run = match touch {
                            // A program loads before it writes.
                            Touch::Load => who.is_other_than(command),
                            Touch::Execute => concerns,
                            _ => false,
                        };
                        is_run || *how == How::Copy && concerns && copies_links(at)
                    }
                }
            })
        };
        if self.towards(&place.path).any(leads) {
            return true;
        }
        // As written, it leads there by a link that does not stay.
        let is_replaced = place.written.ancestors().any(|on| {
            self.replaced.get(on.as_str()).is_some_and(|(path, who)| {
                who.is_other_than(command) && !place.path.starts_with(path)
            })
        });
        if is_replaced {
            return true;
        }
        touch == Touch::ReadTree
            && self.below(&place.path).any(|(is_it, at)| {
                !is_it
                    && at.hows.iter().any(|(how, who)| {
                        who.is_other_than(command)
                            && (*how == How::Anything || *how == How::Copy && copies_links(at))
                    })
            })
    }

    /// The commands that copied or moved something to a path, to a folder on
    /// the way, or to below.
    pub(super) fn copied_to<'a>(&'a self, path: &'a Utf8Path) -> impl Iterator<Item = usize> {
        let below = self.below(path).map(|(_, at)| at);
        self.towards(path)
            .map(|(_, at)| at)
            .chain(below)
            .flat_map(|at| at.copies.iter().copied())
    }
}

/// The folder that a changed path may make a git directory of: git takes any
/// that holds these for one.
fn repository(path: &Utf8Path) -> Option<&Utf8Path> {
    let name = path.file_name()?;
    [".git", "HEAD", "objects", "refs"]
        .iter()
        .any(|mark| name.eq_ignore_ascii_case(mark))
        .then(|| path.parent())
        .flatten()
}
