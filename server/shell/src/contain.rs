//! Whether everything that a command would do is contained: it reads no
//! secrets, and what it changes can be had back.
//!
//! Effects are judged one after the other over what the command itself may
//! have changed before. Pure given a [`World`].

use std::cell::RefCell;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::command::Folder;
use countersign_core::effect::{Doing, Effect, EffectKind, Effects, Target, Touch, Unproven};
use countersign_core::paths::FileKind;

/// What the outside world says about paths. Total: what cannot be told is
/// [`Scope::Unknown`].
pub trait World {
    /// What a path means to a program that runs in the folder.
    fn place(&self, text: &str, folder: &Folder, touch: Touch) -> Place;

    /// The paths that a pattern means there, as the program would get them;
    /// `None` if they are too many or cannot be told.
    fn expand(&self, pattern: &str, folder: &Folder) -> Option<Vec<String>>;

    /// What is at and below a path; `None` if it is too much to look at, or
    /// cannot be told.
    fn tree(&self, text: &str, folder: &Folder) -> Option<Tree> {
        let _ = (text, folder);
        None
    }

    /// The repository that git finds from a folder, and what its settings
    /// would run.
    fn repository(&self, folder: &Folder) -> Repository {
        let _ = folder;
        Repository {
            problem: Some("nothing is known of the repository".to_owned()),
            ..Repository::default()
        }
    }
}

/// What is at and below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// Whether a link leads out of it.
    pub links_lead_out: bool,
    /// Whether a name in it holds blanks, control characters, quotes or
    /// characters of patterns, or begins like an option.
    pub has_odd_names: bool,
}

/// A git repository as the outside world sees it; the default is one that runs
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// Why no git command is proven here: it is another repository than the
    /// workspace's, or its settings may run programs that are not the user's
    /// own. Lower case, without a full stop.
    pub problem: Option<String>,
    /// The hooks that it has and that are not the user's own.
    pub hooks: Vec<String>,
    /// Where its hooks lie.
    pub hooks_folders: Vec<Utf8PathBuf>,
}

/// A path as the outside world sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The canonical path.
    pub path: Utf8PathBuf,
    /// Where it lies: the strictest that holds.
    pub scope: Scope,
    /// What is there now.
    pub kind: FileKind,
    /// Whether what is there (with everything below) could be had back if it
    /// were lost; true where nothing is.
    pub can_be_had_back: bool,
    /// Whether it may be run: it is as the baseline has it.
    pub is_trusted_to_execute: bool,
}

/// Where a path lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In the workspace, and not protected.
    Workspace,
    /// Protected, in the workspace or not.
    Protected(String),
    /// In the system's folder for temporary files.
    Temp,
    /// Elsewhere in the user's home folder.
    Home,
    /// Programs, libraries and settings of the system.
    System,
    /// Holds credentials, or may.
    Credential(String),
    /// A device that only takes or gives bytes: `/dev/null`, `/dev/zero`.
    Sink,
    /// Another device, a socket, a pipe.
    Device,
    /// Elsewhere.
    Outside,
    /// Cannot be told.
    Unknown,
}

/// What containment comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containment {
    /// Why it is not contained; empty means that it is.
    pub because: Vec<Unproven>,
    /// Whether nothing is changed.
    pub read_only: bool,
}

/// Something that the command itself may have changed.
struct Change {
    path: Utf8PathBuf,
    how: How,
    command: usize,
}

/// What may be at a changed path now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// A folder that was made there.
    Folder,
    /// A regular file.
    File,
    /// Anything: a link, too.
    Anything,
}

/// Judges the effects of a command.
#[must_use]
pub fn contain(effects: &Effects, world: &dyn World) -> Containment {
    let mut judge = Judge {
        world,
        because: effects.unproven.clone(),
        changes: Vec::new(),
        repositories: Vec::new(),
        read_only: true,
        trees: RefCell::default(),
    };
    for effect in &effects.effects {
        judge.collect(effect);
    }
    for effect in &effects.effects {
        judge.effect(effect);
    }
    Containment {
        because: judge.because,
        read_only: judge.read_only,
    }
}

struct Judge<'a> {
    world: &'a dyn World,
    because: Vec<Unproven>,
    changes: Vec<Change>,
    /// Repositories that were looked at already.
    repositories: Vec<(Folder, Repository)>,
    read_only: bool,
    /// The trees that have been looked at.
    trees: RefCell<Vec<(String, Folder, Option<Tree>)>>,
}

/// Most trees that are looked at for one command.
const MOST_TREES: usize = 4;

impl Judge<'_> {
    fn no(&mut self, span: &Range<usize>, reason: String) {
        self.because.push(Unproven {
            reason,
            span: span.clone(),
        });
    }

    /// What the command may change, wherever it stands: loops, functions and
    /// background jobs know no order.
    fn collect(&mut self, effect: &Effect) {
        let EffectKind::Path { touch, target } = &effect.kind else {
            return;
        };
        if !touch.changes() {
            return;
        }
        let how = match touch {
            Touch::MakeFolder => How::Folder,
            Touch::Write | Touch::Edit | Touch::Mode => How::File,
            _ => How::Anything,
        };
        for place in self.places(target, *touch) {
            self.changes.push(Change {
                path: place.path,
                how,
                command: effect.command,
            });
        }
    }

    fn effect(&mut self, effect: &Effect) {
        match &effect.kind {
            EffectKind::Doing(doing, what) => self.doing(*doing, what, &effect.span),
            EffectKind::Repository { folder, hooks } => self.repository(folder, hooks, effect),
            EffectKind::Path { touch, target } => {
                if touch.changes() {
                    self.read_only = false;
                }
                self.path(*touch, target, effect);
            }
        }
    }

    fn doing(&mut self, doing: Doing, what: &str, span: &Range<usize>) {
        match doing {
            // What a repository would run is an effect of its own.
            Doing::Translate | Doing::LocalHistory => self.read_only = false,
            Doing::Network
            | Doing::Privilege
            | Doing::Process
            | Doing::Install
            | Doing::Publish
            | Doing::History
            | Doing::Infrastructure
            | Doing::Persistence
            | Doing::Poisoning
            | Doing::Interpreter
            | Doing::Control
            | Doing::System
            | Doing::Agent
            | Doing::Task
            | Doing::CodeTask
            | Doing::UnknownProgram => {
                self.read_only = false;
                self.no(span, format!("`{what}` {}", doing.as_str()));
            }
        }
    }

    fn repository(&mut self, folder: &Folder, hooks: &[&str], effect: &Effect) {
        let known = self.repositories.iter().find(|(at, _)| at == folder);
        let repository = match known {
            Some((_, repository)) => repository.clone(),
            None => {
                let repository = self.world.repository(folder);
                self.repositories.push((folder.clone(), repository.clone()));
                repository
            }
        };
        let at = self.world.place(".", folder, Touch::List).path;
        let is_another = self.changes.iter().any(|change| {
            change.command != effect.command
                && ((change.how != How::Folder && at.starts_with(&change.path))
                    || makes_a_repository(&change.path, &at)
                    || repository
                        .hooks_folders
                        .iter()
                        .any(|hooks| change.path.starts_with(hooks)))
        });
        if is_another {
            self.no(
                &effect.span,
                format!("the command changes what git finds in {at}"),
            );
        }
        if let Some(problem) = repository.problem {
            self.no(&effect.span, problem);
        }
        for hook in hooks {
            if repository.hooks.iter().any(|has| has == hook) {
                self.no(&effect.span, format!("git would run the hook {hook}"));
            }
        }
    }

    fn path(&mut self, touch: Touch, target: &Target, effect: &Effect) {
        if let Target::Glob {
            pattern,
            folder,
            may_be_option,
        } = target
        {
            let Some(matches) = self.world.expand(pattern, folder) else {
                self.no(
                    &effect.span,
                    format!("what `{pattern}` matches cannot be told"),
                );
                return;
            };
            // `@FILE` stands for options in that file to many programs.
            let is_option = |text: &String| {
                text.starts_with('-')
                    || text.starts_with('@') && !matches!(touch, Touch::List | Touch::ListTree)
            };
            if *may_be_option && matches.iter().any(is_option) {
                self.no(
                    &effect.span,
                    format!("a match of `{pattern}` would be an option"),
                );
                return;
            }
        }
        if let Some(reason) = self.hidden(target, touch, effect.command) {
            self.no(&effect.span, reason);
        }
        for place in self.places(target, touch) {
            if let Some(reason) = self.refusal(touch, &place, effect.command) {
                self.no(&effect.span, reason);
            }
        }
    }

    /// What is below a path, which is looked at once.
    fn tree(&self, text: &str, folder: &Folder) -> Option<Tree> {
        let mut trees = self.trees.borrow_mut();
        let known = trees
            .iter()
            .find(|(own, at, _)| own == text && at == folder);
        if let Some((_, _, tree)) = known {
            return *tree;
        }
        if trees.len() >= MOST_TREES {
            return None;
        }
        let tree = self.world.tree(text, folder);
        trees.push((text.to_owned(), folder.clone(), tree));
        tree
    }

    /// Why names or links that are not in the text may mean other paths.
    fn hidden(&self, target: &Target, touch: Touch, command: usize) -> Option<String> {
        match target {
            Target::Links { text, folder } => {
                let tree = self.tree(text, folder);
                tree.is_none_or(|tree| tree.links_lead_out)
                    .then(|| format!("reads what links in `{text}` lead to, perhaps out of it"))
            }
            Target::Pieces { text, folder } => {
                let root = self.world.place(text, folder, touch).path;
                let changes = self.changes.iter().any(|change| {
                    change.command != command
                        && change.path.starts_with(&root)
                        && (change.how == How::Anything
                            || change.path.components().any(|part| is_odd(part.as_str())))
                });
                let tree = self.tree(text, folder);
                (changes || tree.is_none_or(|tree| tree.has_odd_names)).then(|| {
                    format!("names in `{text}` may become other words; `-print0` and `xargs -0` keep them")
                })
            }
            Target::SplitMatches { pattern, folder } => {
                let splits = |text: &String| text.split('/').any(is_odd);
                let matches = self.world.expand(pattern, folder);
                matches
                    .is_none_or(|matches| matches.iter().any(splits))
                    .then(|| {
                        format!("a match of `{pattern}` may become other words; quotes keep it")
                    })
            }
            Target::Path { .. } | Target::Glob { .. } | Target::Into { .. } | Target::Unknown => {
                None
            }
        }
    }

    /// The places that a target means.
    fn places(&self, target: &Target, touch: Touch) -> Vec<Place> {
        match target {
            Target::Path { text, folder } => vec![self.world.place(text, folder, touch)],
            Target::Glob {
                pattern, folder, ..
            } => self
                .world
                .expand(pattern, folder)
                .unwrap_or_default()
                .iter()
                .map(|text| self.world.place(text, folder, touch))
                .collect(),
            Target::Into {
                text,
                folder,
                names,
                is_folder,
            } => {
                let there = self.world.place(text, folder, touch);
                let made = self
                    .changes
                    .iter()
                    .any(|change| change.how == How::Folder && change.path == there.path);
                if *is_folder || made || there.kind == FileKind::Directory || text.ends_with('/') {
                    names
                        .iter()
                        .map(|name| self.world.place(&format!("{text}/{name}"), folder, touch))
                        .collect()
                } else {
                    vec![there]
                }
            }
            Target::Links { .. }
            | Target::Pieces { .. }
            | Target::SplitMatches { .. }
            | Target::Unknown => Vec::new(),
        }
    }

    /// Why a touch of a place is not contained.
    fn refusal(&self, touch: Touch, place: &Place, command: usize) -> Option<String> {
        let path = &place.path;
        if self.leads_through_a_change(path, touch, command) {
            return Some(format!(
                "{path} may be another one by then: the command changes what leads there"
            ));
        }
        let verb = verb(touch);
        match (&place.scope, touch) {
            (Scope::Unknown, _) => Some(format!("it cannot be told what {path} is")),
            (Scope::Credential(what), _) => Some(format!("{verb} {path}: {what}")),
            (Scope::Sink, Touch::Read | Touch::List | Touch::Write | Touch::Edit) => None,
            (Scope::Device | Scope::Sink, Touch::List) => None,
            (Scope::Device | Scope::Sink, _) => Some(format!("{verb} the device {path}")),
            (_, Touch::List | Touch::ListTree | Touch::Read | Touch::ReadTree) => None,
            (Scope::System, Touch::Execute) => None,
            (_, Touch::Execute) => Some(format!("runs {path}")),
            // Nothing is there, it is a folder, or it is the user's own.
            (_, Touch::Load)
                if matches!(place.kind, FileKind::Missing | FileKind::Directory)
                    || matches!(place.scope, Scope::System | Scope::Home) =>
            {
                None
            }
            (_, Touch::Load) => Some(format!("runs what {path} says")),
            (Scope::Protected(what), _) => Some(format!("{verb} {path}: {what}")),
            (Scope::Workspace, Touch::MakeFolder | Touch::Mode | Touch::MoveFrom) => None,
            (Scope::Workspace, Touch::Write | Touch::Edit) => (!place.can_be_had_back)
                .then(|| format!("{verb} {path}, and what it holds could not be had back")),
            (Scope::Workspace, Touch::Delete | Touch::DeleteFolder | Touch::DeleteTree) => {
                let is_own = self.was_created(path, place, command);
                (!place.can_be_had_back && !is_own)
                    .then(|| format!("{verb} {path}, which could not be had back"))
            }
            (
                Scope::Temp,
                Touch::Write
                | Touch::Edit
                | Touch::MakeFolder
                | Touch::Mode
                | Touch::Delete
                | Touch::DeleteFolder
                | Touch::DeleteTree
                | Touch::MoveFrom,
            ) => (!place.can_be_had_back)
                .then(|| format!("{verb} {path}, which this session did not create")),
            (Scope::Home | Scope::System | Scope::Outside, _) => {
                Some(format!("{verb} {path}, outside the workspace"))
            }
        }
    }

    /// Whether the command itself created what is there: nothing was before.
    fn was_created(&self, path: &Utf8Path, place: &Place, command: usize) -> bool {
        place.kind == FileKind::Missing
            && self
                .changes
                .iter()
                .any(|change| change.command < command && change.path == path)
    }

    /// Whether the way to a path, or the path itself, may be a link by the time
    /// that it is used.
    fn leads_through_a_change(&self, path: &Utf8Path, touch: Touch, command: usize) -> bool {
        if matches!(touch, Touch::List | Touch::ListTree) {
            return false;
        }
        self.changes.iter().any(|change| {
            let is_way = path != change.path && path.starts_with(&change.path);
            let is_it = path == change.path && change.command != command;
            let is_below = change.path.starts_with(path) && path != change.path;
            match change.how {
                How::Folder => false,
                // A program loads before it writes.
                How::File if touch == Touch::Load => change.command != command && (is_it || is_way),
                How::File => touch == Touch::Execute && (is_it || is_way),
                How::Anything => {
                    is_way
                        || is_it
                        || (is_below
                            && matches!(touch, Touch::ReadTree)
                            && change.command != command)
                }
            }
        })
    }
}

/// Whether a changed path may make a git directory of a folder where git looks:
/// it takes any that holds these for one.
fn makes_a_repository(path: &Utf8Path, looked_from: &Utf8Path) -> bool {
    let is_mark = path.file_name().is_some_and(|name| {
        [".git", "HEAD", "objects", "refs"]
            .iter()
            .any(|mark| name.eq_ignore_ascii_case(mark))
    });
    is_mark
        && path
            .parent()
            .is_some_and(|parent| looked_from.starts_with(parent))
}

/// Whether a name becomes other words, or none, where blanks split it, quotes
/// are read and patterns act, or may be taken for an option.
fn is_odd(name: &str) -> bool {
    let acts = |next: char| {
        next.is_whitespace()
            || next.is_control()
            || matches!(next, '\'' | '"' | '\\' | '*' | '?' | '[')
    };
    name.starts_with(['-', '+', '@']) || name.contains(acts)
}

const fn verb(touch: Touch) -> &'static str {
    match touch {
        Touch::List => "looks at",
        Touch::ListTree => "looks at everything in",
        Touch::Read => "reads",
        Touch::ReadTree => "reads everything in",
        Touch::Write => "writes",
        Touch::Edit => "changes",
        Touch::MakeFolder => "makes",
        Touch::Mode => "changes the rights of",
        Touch::Delete | Touch::DeleteFolder => "deletes",
        Touch::DeleteTree => "deletes everything in",
        Touch::MoveFrom => "moves",
        Touch::Execute | Touch::Load => "runs",
    }
}
