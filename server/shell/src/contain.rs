//! Whether everything that a command would do is contained: it reads no
//! secrets, and what it changes can be had back.
//!
//! Effects are judged one after the other over what the command itself may
//! have changed before. Pure given a [`World`].

mod changes;
mod scripts;
mod stand_ins;
mod tasks;
mod world;

pub use self::world::{Place, Project, Repository, Scope, ScriptContent, Tree, World};

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::command::Folder;
use countersign_core::effect::{Doing, Effect, EffectKind, Effects, Target, Touch, Unproven};
use countersign_core::paths::FileKind;

use self::changes::{Changes, How};

/// What containment comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containment {
    /// Why it is not contained; empty means that it is.
    pub because: Vec<Unproven>,
    /// Whether nothing is changed.
    pub read_only: bool,
    /// The places that it would change, as they are before; all of them only
    /// if it is contained.
    pub changed: Vec<Changed>,
    /// What the scripts that it runs would do, as if it stood in the command.
    pub of_scripts: Vec<Effect>,
}

/// A place that a command would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The canonical path.
    pub path: Utf8PathBuf,
    /// What is there before.
    pub kind: FileKind,
    /// What happens to it.
    pub touch: Touch,
}

/// A pattern, the folder that it is of, and what it means there.
type Matched = (String, Folder, Option<Rc<[String]>>);

/// Judges the effects of a command.
#[must_use]
pub fn contain(effects: &Effects, world: &dyn World) -> Containment {
    let mut all = scripts::expanded(effects, world);
    let mut judge = Judge {
        world,
        effects: &all.effects,
        scripts: &all.scripts,
        within: None,
        because: std::mem::take(&mut all.unproven),
        changes: Changes::default(),
        changed: Vec::new(),
        repositories: Vec::new(),
        read_only: true,
        left: Cell::new(MOST_PLACES),
        trees: RefCell::default(),
        matches: RefCell::default(),
        links: RefCell::default(),
        lost: Vec::new(),
    };
    let found: Vec<Vec<Place>> = all
        .effects
        .iter()
        .map(|effect| judge.collect(effect))
        .collect();
    for ((index, effect), places) in all.effects.iter().enumerate().zip(found) {
        judge.within = all.within(index);
        judge.effect(effect, places);
    }
    judge.within = None;
    if judge.left.get() == 0 {
        let all = 0..effects
            .effects
            .iter()
            .map(|effect| effect.span.end)
            .max()
            .unwrap_or(0);
        judge.no(&all, format!("more than {MOST_PLACES} paths"));
    }
    let (because, read_only, changed) = (judge.because, judge.read_only, judge.changed);
    Containment {
        because,
        read_only,
        changed,
        of_scripts: all.effects.split_off(all.own),
    }
}

struct Judge<'a> {
    world: &'a dyn World,
    effects: &'a [Effect],
    /// The scripts whose effects are among them.
    scripts: &'a [(Utf8PathBuf, usize)],
    /// The script that the effect is of which is judged.
    within: Option<Rc<str>>,
    because: Vec<Unproven>,
    changes: Changes,
    changed: Vec<Changed>,
    /// Repositories that were looked at already.
    repositories: Vec<(Folder, Repository)>,
    read_only: bool,
    /// How many more places are looked at.
    left: Cell<usize>,
    /// The trees that have been looked at.
    trees: RefCell<Vec<(String, Folder, Option<Tree>)>>,
    /// What patterns match.
    matches: RefCell<Vec<Matched>>,
    /// Whether what commands copy or move may be or hold links.
    links: RefCell<BTreeMap<usize, bool>>,
    /// The commands that move what could not be had back.
    lost: Vec<usize>,
}

/// Most places that are looked at for one command.
const MOST_PLACES: usize = 2_000;

/// Most patterns that are looked at for one command.
const MOST_PATTERNS: usize = 16;

/// Most trees that are looked at for one command.
const MOST_TREES: usize = 4;

impl Judge<'_> {
    fn no(&mut self, span: &Range<usize>, reason: String) {
        let reason = match &self.within {
            Some(script) => format!("in `{script}`: {reason}"),
            None => reason,
        };
        self.because.push(Unproven {
            reason,
            span: span.clone(),
        });
    }

    /// The places of an effect, and what it may change, wherever it stands:
    /// loops, functions and background jobs know no order.
    fn collect(&mut self, effect: &Effect) -> Vec<Place> {
        let EffectKind::Path { touch, target } = &effect.kind else {
            return Vec::new();
        };
        let places = self.places(target, *touch);
        let how = match touch {
            Touch::List
            | Touch::ListTree
            | Touch::Read
            | Touch::ReadTree
            | Touch::Execute
            | Touch::Load => return places,
            Touch::MakeFolder => How::Folder,
            Touch::Delete | Touch::DeleteFolder | Touch::DeleteTree => How::Gone,
            Touch::Write | Touch::Edit | Touch::Mode => match target {
                Target::Into { .. } => How::Copy,
                _ => How::File,
            },
            Touch::MoveFrom => How::Anything,
        };
        for place in &places {
            self.changes.add(place, how, effect.command);
            if place.scope != Scope::Sink {
                self.changed.push(Changed {
                    path: place.path.clone(),
                    kind: place.kind,
                    touch: *touch,
                });
            }
            if *touch == Touch::MoveFrom && !place.can_be_had_back {
                self.lost.push(effect.command);
            }
        }
        places
    }

    fn effect(&mut self, effect: &Effect, places: Vec<Place>) {
        match &effect.kind {
            EffectKind::Doing(doing, what) => self.doing(*doing, what, &effect.span),
            EffectKind::Repository { folder, hooks } => self.repository(folder, hooks, effect),
            EffectKind::Task(task) => self.task(task, effect),
            // What it does stands among the effects.
            EffectKind::Script(_) => {}
            EffectKind::Path { touch, target } => {
                if touch.changes() {
                    self.read_only = false;
                }
                self.path(*touch, target, effect, places);
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
        let hooks_folders = &repository.hooks_folders;
        let is_another = self
            .changes
            .change_what_git_finds(&at, hooks_folders, effect.command);
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

    fn path(&mut self, touch: Touch, target: &Target, effect: &Effect, places: Vec<Place>) {
        if let Target::Glob {
            pattern,
            folder,
            may_be_option,
        } = target
        {
            let Some(matches) = self.expand(pattern, folder) else {
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
        // What earlier and later parts make of a destination is known by now.
        let places = match target {
            Target::Into { .. } => self.places(target, touch),
            _ => places,
        };
        for place in places {
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
                let changes = self.changes.makes_odd_names(&root, command);
                let tree = self.tree(text, folder);
                (changes || tree.is_none_or(|tree| tree.has_odd_names)).then(|| {
                    format!("names in `{text}` may become other words; `-print0` and `xargs -0` keep them")
                })
            }
            Target::SplitMatches { pattern, folder } => {
                let splits = |text: &String| text.split('/').any(is_odd);
                let matches = self.expand(pattern, folder);
                matches
                    .is_none_or(|matches| matches.iter().any(splits))
                    .then(|| {
                        format!("a match of `{pattern}` may become other words; quotes keep it")
                    })
            }
            Target::StandIns { folder } => self.stand_ins(folder, command),
            Target::Path { .. } | Target::Glob { .. } | Target::Into { .. } | Target::Unknown => {
                None
            }
        }
    }

    /// What a pattern matches, which is looked at once.
    fn expand(&self, pattern: &str, folder: &Folder) -> Option<Rc<[String]>> {
        let mut known = self.matches.borrow_mut();
        let found = known
            .iter()
            .find(|(own, at, _)| own == pattern && at == folder);
        if let Some((_, _, matches)) = found {
            return matches.clone();
        }
        if known.len() >= MOST_PATTERNS {
            return None;
        }
        let matches = self.world.expand(pattern, folder).map(Rc::from);
        known.push((pattern.to_owned(), folder.clone(), matches.clone()));
        matches
    }

    /// What a path means; nothing once too many have been looked at.
    fn place(&self, text: &str, folder: &Folder, touch: Touch) -> Option<Place> {
        self.left.set(self.left.get().checked_sub(1)?);
        Some(self.world.place(text, folder, touch))
    }

    /// The places that a target means.
    fn places(&self, target: &Target, touch: Touch) -> Vec<Place> {
        match target {
            Target::Path { text, folder } => self.place(text, folder, touch).into_iter().collect(),
            Target::Glob {
                pattern, folder, ..
            } => self
                .expand(pattern, folder)
                .iter()
                .flat_map(|matches| matches.iter())
                .filter_map(|text| self.place(text, folder, touch))
                .collect(),
            Target::Into {
                text,
                folder,
                names,
                is_folder,
            } => {
                let Some(there) = self.place(text, folder, touch) else {
                    return Vec::new();
                };
                let is_folder = *is_folder
                    || self.changes.makes_folder(&there.path)
                    || there.kind == FileKind::Directory
                    || text.ends_with('/');
                let mut places: Vec<Place> = names
                    .iter()
                    .filter(|_| is_folder)
                    .filter_map(|name| self.place(&format!("{text}/{name}"), folder, touch))
                    .collect();
                if !is_folder || self.changes.may_be_gone(&there.path) {
                    places.push(there);
                }
                places
            }
            Target::Links { .. }
            | Target::Pieces { .. }
            | Target::SplitMatches { .. }
            | Target::StandIns { .. }
            | Target::Unknown => Vec::new(),
        }
    }

    /// Whether what a command copies or moves may be a link, or hold one.
    fn brings_links(&self, command: usize) -> bool {
        if let Some(known) = self.links.borrow().get(&command) {
            return *known;
        }
        let brings = self
            .effects
            .iter()
            .filter(|effect| effect.command == command)
            .any(|effect| match &effect.kind {
                EffectKind::Path {
                    touch: Touch::MoveFrom | Touch::ReadTree,
                    target,
                } => match target {
                    Target::Path { text, folder } => self.holds_links(text, folder),
                    Target::Glob {
                        pattern, folder, ..
                    } => self
                        .expand(pattern, folder)
                        .is_none_or(|all| all.iter().any(|text| self.holds_links(text, folder))),
                    _ => true,
                },
                _ => false,
            });
        self.links.borrow_mut().insert(command, brings);
        brings
    }

    fn holds_links(&self, text: &str, folder: &Folder) -> bool {
        let kept = self.place(text, folder, Touch::MoveFrom);
        let followed = self.place(text, folder, Touch::List);
        match (kept, followed) {
            (Some(kept), Some(followed)) if kept.path == followed.path => {
                // What is copied there first may be a link as well.
                let is_old = !self.changes.is_copied_to(&kept.path);
                let is_plain = kept.kind == FileKind::File
                    || self
                        .tree(text, folder)
                        .is_some_and(|tree| !tree.links_lead_out);
                !(is_old && is_plain)
            }
            _ => true,
        }
    }

    /// Why a touch of a place is not contained.
    fn refusal(&self, touch: Touch, place: &Place, command: usize) -> Option<String> {
        let path = &place.path;
        let brings_links = |command| self.brings_links(command);
        if self
            .changes
            .may_lead_elsewhere(place, touch, command, &brings_links)
        {
            return Some(format!(
                "{path} may be another one by then: the command changes what leads there"
            ));
        }
        let verb = verb(touch);
        let loses = matches!(
            touch,
            Touch::Write | Touch::Edit | Touch::Delete | Touch::DeleteFolder | Touch::DeleteTree
        );
        if loses
            && !self.lost.is_empty()
            && self
                .changes
                .copied_to(path)
                .any(|by| by != command && self.lost.contains(&by))
        {
            return Some(format!(
                "{verb} {path}, where the command puts what could not be had back"
            ));
        }
        match (&place.scope, touch) {
            (Scope::Unknown, _) => Some(format!("it cannot be told what {path} is")),
            (Scope::Credential(what), _) => Some(format!("{verb} {path}: {what}")),
            (Scope::Sink, Touch::Read | Touch::List | Touch::Write | Touch::Edit) => None,
            (Scope::Device, Touch::List) => None,
            (Scope::Device | Scope::Sink, _) => Some(format!("{verb} the device {path}")),
            (_, Touch::List | Touch::ListTree | Touch::Read | Touch::ReadTree) => None,
            (Scope::System, Touch::Execute) => None,
            (Scope::Workspace, Touch::Execute)
                if self
                    .scripts
                    .iter()
                    .any(|(script, by)| script == path && *by == command) =>
            {
                None
            }
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
        place.kind == FileKind::Missing && self.changes.is_changed_before(path, command)
    }
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
