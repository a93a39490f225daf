//! What the real file system says about the paths of a shell command, for the
//! judgement whether its effects are contained.

mod glob;
mod had_back;
mod repository;
mod tree;
mod trust;

use std::cell::RefCell;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Access;
use countersign_core::command::Folder;
use countersign_core::effect::{Task, Touch};
use countersign_core::paths::{self, FileKind, PathFact};
use countersign_core::policy::Policy;
use countersign_shell::{Place, Project, Repository, Scope, ScriptContent, Tree, World};

use crate::host::Host;

pub(crate) use had_back::HadBack;
pub(crate) use trust::Trust;

/// Folders for temporary files.
pub(crate) const TEMP: &[&str] = &["/tmp", "/var/tmp"];

/// Folders of the system.
const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/etc", "/lib", "/lib64", "/opt", "/proc", "/run", "/sbin", "/srv", "/sys",
    "/usr", "/var",
];

/// Most places that are kept for rules, of one command.
const MOST_TOUCHED: usize = 512;

/// Devices that only take or give bytes.
const SINKS: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/tty",
];

/// The file system as one call sees it.
pub(crate) struct CallWorld<'a> {
    pub(crate) host: &'a Host,
    pub(crate) policy: &'a Policy,
    pub(crate) cwd: &'a Utf8Path,
    /// One for all operations of the call: it is bounded.
    pub(crate) had_back: &'a RefCell<HadBack<'a>>,
    /// The same.
    pub(crate) trust: &'a RefCell<Trust<'a>>,
    /// The places that were asked about and of which a rule speaks.
    pub(crate) touched: RefCell<Vec<PathFact>>,
}

impl CallWorld<'_> {
    /// Where a program runs, if that is known.
    fn folder(&self, folder: &Folder) -> Option<Utf8PathBuf> {
        let home = self.policy.home.as_path();
        match folder {
            Folder::Call => Some(self.cwd.to_owned()),
            Folder::Moved(steps) => steps.iter().try_fold(self.cwd.to_owned(), |at, step| {
                let fact = self.host.resolve(step, &at, home, Access::List);
                (fact.kind != FileKind::Unresolvable).then_some(fact.canonical)
            }),
            Folder::Unknown => None,
        }
    }

    fn fact(&self, text: &str, folder: &Folder, access: Access) -> Option<PathFact> {
        let home = self.policy.home.as_path();
        match self.folder(folder) {
            Some(folder) => Some(self.host.resolve(text, &folder, home, access)),
            None if text.starts_with('/') || text.starts_with('~') => {
                Some(self.host.resolve(text, Utf8Path::new("/"), home, access))
            }
            None => None,
        }
    }

    /// Keeps a place for the rules that speak of it.
    fn touch(&self, fact: &PathFact) {
        if fact.access == Access::List {
            return;
        }
        let mut touched = self.touched.borrow_mut();
        let rules = &self.policy.rules;
        let restricts = |path| rules.restricts_path(path, self.cwd);
        let restricts_below = || {
            fact.kind == FileKind::Directory && rules.may_restrict_below(&fact.canonical, self.cwd)
        };
        if touched.len() < MOST_TOUCHED
            && (restricts(&fact.canonical) || restricts(&fact.absolute) || restricts_below())
            && !touched.contains(fact)
        {
            touched.push(fact.clone());
        }
    }

    fn scope(&self, fact: &PathFact, touch: Touch) -> Scope {
        if SINKS.contains(&fact.absolute.as_str()) {
            return Scope::Sink;
        }
        match fact.kind {
            FileKind::Unresolvable | FileKind::Remote => return Scope::Unknown,
            FileKind::Special => return Scope::Device,
            FileKind::Missing | FileKind::File | FileKind::Directory => {}
        }
        if fact.canonical.starts_with("/dev") {
            return Scope::Device;
        }
        if let Some(what) = paths::credential(fact, &self.policy.workspaces, &self.policy.home) {
            return Scope::Credential(what.to_owned());
        }
        if touch.changes()
            && let Some(protected) = self.policy.protected.check(fact)
        {
            return Scope::Protected(protected.what.to_string());
        }
        if paths::inside(&self.policy.workspaces, fact).is_some() {
            if touch.changes() && fact.links > 1 {
                return Scope::Outside;
            }
            return Scope::Workspace;
        }
        let lies_in = |folders: &[&str]| {
            folders
                .iter()
                .any(|folder| fact.canonical.starts_with(folder))
        };
        // A home folder may lie below that for temporary files.
        if fact.canonical.starts_with(&self.policy.home) {
            Scope::Home
        } else if lies_in(TEMP) {
            Scope::Temp
        } else if lies_in(SYSTEM) {
            Scope::System
        } else {
            Scope::Outside
        }
    }
}

impl World for CallWorld<'_> {
    fn repository(&self, folder: &Folder) -> Repository {
        let unknown = || Repository {
            problem: Some("where git would work is not known".to_owned()),
            ..Repository::default()
        };
        let find = |fact: &PathFact| {
            repository::repository(&fact.canonical, &self.policy.workspaces, &self.policy.home)
        };
        let Some(fact) = self.fact(".", folder, Access::List) else {
            return unknown();
        };
        match fact.kind {
            FileKind::Directory => find(&fact),
            // Entering it fails, unless the command makes it first: then git
            // works where the shell was before.
            FileKind::Missing => {
                let Some(before) = self.fact(".", &Folder::Call, Access::List) else {
                    return unknown();
                };
                let is_one_step = !matches!(folder, Folder::Moved(steps) if steps.len() > 1);
                match (before.kind, find(&before)) {
                    (FileKind::Missing, _) => find(&fact),
                    (_, found) if found.problem.is_some() => found,
                    _ if is_one_step => find(&fact),
                    _ => unknown(),
                }
            }
            _ => unknown(),
        }
    }

    fn place(&self, text: &str, folder: &Folder, touch: Touch) -> Place {
        let access = match touch {
            Touch::List | Touch::ListTree => Access::List,
            Touch::Read | Touch::Execute | Touch::Load => Access::Read,
            Touch::ReadTree => Access::ReadTree,
            Touch::Write | Touch::Edit | Touch::MakeFolder | Touch::Mode => Access::Write,
            Touch::Delete | Touch::DeleteFolder | Touch::DeleteTree | Touch::MoveFrom => {
                Access::Delete
            }
        };
        let Some(fact) = self.fact(text, folder, access) else {
            return Place {
                path: Utf8PathBuf::from(text),
                written: Utf8PathBuf::from(text),
                scope: Scope::Unknown,
                kind: FileKind::Unresolvable,
                can_be_had_back: false,
            };
        };
        self.touch(&fact);
        let scope = self.scope(&fact, touch);
        let can_be_had_back = match (&scope, fact.kind) {
            (_, FileKind::Missing) => true,
            (Scope::Workspace | Scope::Temp, _) => {
                let is_workspace = scope == Scope::Workspace;
                self.had_back
                    .borrow_mut()
                    .can_be(&fact, touch, is_workspace)
            }
            _ => false,
        };
        Place {
            scope,
            kind: fact.kind,
            can_be_had_back,
            path: fact.canonical,
            written: fact.absolute,
        }
    }

    fn expand(&self, pattern: &str, folder: &Folder) -> Option<Vec<String>> {
        let base = match self.folder(folder) {
            Some(base) => base,
            None if pattern.starts_with('/') => Utf8PathBuf::from("/"),
            None => return None,
        };
        glob::expand(pattern, &base, &self.policy.home)
    }

    fn task(&self, task: &Task) -> Project {
        match self.fact(".", &task.folder, Access::List) {
            Some(fact) if fact.kind == FileKind::Directory => {
                self.trust.borrow_mut().project(&fact.canonical, task)
            }
            _ => Project {
                root: None,
                problem: Some("the folder that it runs in is not known".to_owned()),
            },
        }
    }

    fn script(&self, text: &str, folder: &Folder) -> Result<ScriptContent, String> {
        match self.fact(text, folder, Access::Read) {
            Some(fact) => self.trust.borrow_mut().script(&fact),
            None => Err(format!("where `{text}` lies is not known")),
        }
    }

    fn tree(&self, text: &str, folder: &Folder) -> Option<Tree> {
        let fact = self.fact(text, folder, Access::List)?;
        tree::look(&fact.absolute)
    }
}
