//! Protected paths: what steers agents, runs later, or is the guard's own.

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use super::agent_files::{judged, may_be_notes};
use super::builtin::{self, Builtin, NAMES, OFTEN_LINKED};
use super::pattern::{PathPattern, folded};
use super::{FileKind, PathFact};
use crate::call::Access;

/// Why a path is protected, strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtectedKind {
    /// The guard's own settings, state, sockets and programs. Holds in every
    /// mode; nothing lifts it.
    Guard,
    /// Configuration or instructions of an agent, or of the editor in which
    /// approvals are given.
    SelfModification,
    /// What runs or takes effect later: hooks, tasks, start-up files, keys.
    Persistence,
    /// A tree that other programs write and that runs later.
    Generated,
}

impl ProtectedKind {
    /// What it means, in plain words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Guard => "the guard's own",
            Self::SelfModification => "steers an agent or its editor",
            Self::Persistence => "runs or takes effect later",
            Self::Generated => "a tree that runs later",
        }
    }
}

/// What makes a path protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    /// The kind.
    pub kind: ProtectedKind,
    /// The name or place that protects it and what it means, for people.
    pub what: String,
}

/// What protection depends on.
#[derive(Debug, Clone, Default)]
pub struct ProtectedOptions {
    /// The user's home folder.
    pub home: Utf8PathBuf,
    /// The guard's folder of settings.
    pub config_dir: Utf8PathBuf,
    /// The guard's folder of state.
    pub state_dir: Utf8PathBuf,
    /// The guard's folder of sockets.
    pub runtime_dir: Utf8PathBuf,
    /// The guard's executables.
    pub programs: Vec<Utf8PathBuf>,
    /// The canonical workspace folders: a name such as `build` in the path
    /// that leads to a workspace says nothing about the files in it.
    pub workspaces: Vec<Utf8PathBuf>,
    /// The folders on PATH; relative ones are ignored.
    pub path_dirs: Vec<Utf8PathBuf>,
    /// Names of the context files that agents are configured to load.
    pub context_files: Vec<String>,
    /// Patterns to protect besides the built-in ones.
    pub extra: Vec<String>,
    /// Patterns that are not protected though a built-in name would, from user
    /// or system scope only. They never lift the guard's own protection, and
    /// lift a built-in name only where they name it themselves: `build` does
    /// not lift `build/.git`.
    pub removed: Vec<String>,
}

/// What is protected.
#[derive(Debug)]
pub struct ProtectedPaths {
    home: Utf8PathBuf,
    places: Vec<Place>,
    workspaces: Vec<Vec<String>>,
    extra: Vec<(PathPattern, ProtectedKind)>,
    removed: Vec<PathPattern>,
    rejected: Vec<String>,
}

/// A fixed place.
#[derive(Debug)]
struct Place {
    path: Utf8PathBuf,
    segments: Vec<String>,
    kind: ProtectedKind,
    what: String,
    /// A folder on PATH: what lies deeper in it is not found by name.
    only_children: bool,
}

/// Longest path that is looked at, in bytes: twice what a kernel takes.
const LONGEST: usize = 8192;

/// Paths of more segments than this are too deep for the patterns of the
/// settings, whose time grows with the square: no removal lifts them, and every
/// addition holds for them. No real path comes near.
const DEEPEST: usize = 256;

/// Which parts of one path the removals name: for each segment, how far a
/// removal that begins there or before reaches.
#[derive(Debug, Default)]
struct Lifted(Vec<usize>);

impl Lifted {
    fn covers(&self, range: &Range<usize>) -> bool {
        self.0
            .get(range.start)
            .is_some_and(|reach| *reach >= range.end)
    }
}

/// The strictest of what was found so far.
type Best = Option<(ProtectedKind, String)>;

fn consider(best: &mut Best, kind: ProtectedKind, what: &str) {
    if best.as_ref().is_none_or(|(known, _)| kind < *known) {
        *best = Some((kind, what.to_owned()));
    }
}

impl ProtectedPaths {
    /// Compiles the built-in names and places with the given ones.
    #[must_use]
    pub fn new(options: ProtectedOptions) -> Self {
        let mut rejected = Vec::new();
        let mut parse = |text: &String| {
            let pattern = PathPattern::parse(text, &options.home);
            if pattern.is_none() {
                rejected.push(text.clone());
            }
            pattern
        };
        // A context file is a name, wherever it lies.
        let contexts = options.context_files.iter().filter_map(|name| {
            parse(&name.trim_start_matches(['/', '~']).to_owned())
                .map(|pattern| (pattern, ProtectedKind::SelfModification))
        });
        let mut extra: Vec<_> = contexts.collect();
        extra.extend(
            options.extra.iter().filter_map(|text| {
                parse(text).map(|pattern| (pattern, ProtectedKind::Persistence))
            }),
        );
        let removed = options.removed.iter().filter_map(&mut parse).collect();
        let mut paths = Self {
            home: options.home.clone(),
            places: Vec::new(),
            workspaces: options
                .workspaces
                .iter()
                .map(|folder| folded(folder.as_str()))
                .collect(),
            extra,
            removed,
            rejected,
        };
        let own = [
            &options.config_dir,
            &options.state_dir,
            &options.runtime_dir,
        ];
        for path in own.into_iter().chain(&options.programs) {
            paths.add_place(path.clone(), ProtectedKind::Guard, path.as_str(), false);
        }
        for Builtin { name, kind } in builtin::fixed() {
            let path = match name.strip_prefix("~/") {
                Some(rest) => options.home.join(rest),
                None => Utf8PathBuf::from(name),
            };
            paths.add_place(path, kind, name, false);
        }
        for folder in &options.path_dirs {
            let what = format!("{folder} on PATH");
            paths.add_place(folder.clone(), ProtectedKind::Persistence, &what, true);
        }
        paths
    }

    /// Also protects where the fixed places really are, for places that are
    /// symbolic links or lie below one. `canonical` tells the canonical form of
    /// a path, or nothing if it has none.
    #[must_use]
    pub fn with_canonical(mut self, canonical: impl Fn(&Utf8Path) -> Option<Utf8PathBuf>) -> Self {
        let mut real = Vec::new();
        for place in &self.places {
            if let Some(path) = canonical(&place.path) {
                real.push((path, place.kind, place.what.clone(), place.only_children));
            }
        }
        for name in OFTEN_LINKED {
            let path = self.home.join(name);
            let segments = folded(path.as_str());
            let mut best = None;
            self.names(&segments, false, &Lifted::default(), &mut best);
            if let (Some((kind, _)), Some(path)) = (best, canonical(&path)) {
                real.push((path, kind, format!("~/{name}"), false));
            }
        }
        for (path, kind, what, only_children) in real {
            self.add_place(path, kind, &what, only_children);
        }
        self
    }

    /// Patterns of the options that cannot be read: they name nothing, or
    /// climb with `..`. They protect and lift nothing.
    #[must_use]
    pub fn rejected(&self) -> &[String] {
        &self.rejected
    }

    fn add_place(
        &mut self,
        path: Utf8PathBuf,
        kind: ProtectedKind,
        what: &str,
        only_children: bool,
    ) {
        let segments = folded(path.as_str());
        // An unset or relative folder would protect places that nobody meant.
        let named = path.is_absolute() && !segments.is_empty();
        let known = self.places.iter().any(|place| {
            place.segments == segments && place.kind <= kind && place.only_children <= only_children
        });
        if named && !known {
            self.places.push(Place {
                path,
                segments,
                kind,
                what: what.to_owned(),
                only_children,
            });
        }
    }

    /// Whether the path may not be changed without a closer look, and why; the
    /// strictest reason there is. Reading is never its business.
    ///
    /// Looks at the path as written and at its canonical form, without regard
    /// to letter case. A parent of a protected place is protected too. A path
    /// that cannot be resolved may be any of them.
    #[must_use]
    pub fn check(&self, path: &PathFact) -> Option<Protected> {
        if !path.access.writes() {
            return None;
        }
        let unknown = Protected {
            kind: ProtectedKind::Persistence,
            what: "cannot be resolved, may lead anywhere".to_owned(),
        };
        // Nothing can be opened by such a path, and looking at it takes time.
        let longest = path
            .absolute
            .as_str()
            .len()
            .max(path.canonical.as_str().len());
        if longest > LONGEST {
            return Some(unknown);
        }
        let notes = may_be_notes(path);
        let mut best = None;
        let written = folded(path.absolute.as_str());
        let canonical = folded(path.canonical.as_str());
        self.look(&written, path.access, notes, &mut best);
        if canonical != written {
            self.look(&canonical, path.access, notes, &mut best);
        }
        match best {
            Some((kind, what)) => Some(Protected {
                kind,
                what: format!("{what}: {}", kind.describe()),
            }),
            None => (path.kind == FileKind::Unresolvable).then_some(unknown),
        }
    }

    fn look(&self, path: &[String], access: Access, notes: bool, best: &mut Best) {
        let lifted = self.lifted(path);
        self.names(path, notes, &lifted, best);
        self.fixed_places(path, access, &lifted, best);
        for (pattern, kind) in &self.extra {
            let met = path.len() > DEEPEST
                || pattern.starts(path).any(|start| {
                    let meeting = pattern.meet(path, start);
                    let parent = meeting.parent && (access == Access::Delete || !pattern.is_deep());
                    !meeting.ends.is_empty() || parent
                });
            if met {
                consider(best, *kind, &pattern.text);
            }
        }
    }

    /// What of the path the removals name.
    fn lifted(&self, path: &[String]) -> Lifted {
        if self.removed.is_empty() || path.len() > DEEPEST {
            return Lifted::default();
        }
        let mut reach = vec![0; path.len() + 1];
        for pattern in &self.removed {
            for start in pattern.starts(path) {
                let end = pattern.meet(path, start).ends.last().copied().unwrap_or(0);
                if let Some(known) = reach.get_mut(start) {
                    *known = end.max(*known);
                }
            }
        }
        let mut farthest = 0;
        for reach in &mut reach {
            farthest = farthest.max(*reach);
            *reach = farthest;
        }
        Lifted(reach)
    }

    /// Built-in names, wherever they stand.
    fn names(&self, path: &[String], notes: bool, lifted: &Lifted, best: &mut Best) {
        let to_workspace = self
            .workspaces
            .iter()
            .filter(|folder| path.starts_with(folder))
            .map(Vec::len)
            .max()
            .unwrap_or(0);
        for run in judged(path, notes) {
            for found in NAMES.find(path, run) {
                let Builtin { name, kind } = found.value;
                if *kind == ProtectedKind::Generated && found.range.end <= to_workspace {
                    continue;
                }
                if *kind != ProtectedKind::Guard && lifted.covers(&found.range) {
                    continue;
                }
                consider(best, *kind, name);
            }
        }
    }

    /// Fixed places, and their parents.
    fn fixed_places(&self, path: &[String], access: Access, lifted: &Lifted, best: &mut Best) {
        for place in &self.places {
            let depth = place.segments.len();
            let below = path.starts_with(&place.segments)
                && (!place.only_children || path.len() <= depth + 1);
            if below {
                if place.kind == ProtectedKind::Guard || !lifted.covers(&(0..depth)) {
                    consider(best, place.kind, &place.what);
                }
            } else if place.segments.starts_with(path) {
                // Deleting a parent deletes the place. Creating or changing a
                // parent may put a link in its stead, and may as well be the
                // making of a folder: that wants a look, not a certain no.
                let kind = match access {
                    Access::Delete => place.kind,
                    Access::Write | Access::Read | Access::ReadTree | Access::List => {
                        place.kind.max(ProtectedKind::SelfModification)
                    }
                };
                if kind == ProtectedKind::Guard || !lifted.covers(&(0..path.len())) {
                    consider(best, kind, &format!("parent of {}", place.what));
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "protected_tests.rs"]
mod tests;
