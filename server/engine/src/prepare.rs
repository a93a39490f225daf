//! Finding out what a decision needs to know of the outside world, and what an
//! approval is bound to.

use std::cell::RefCell;
use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::{Access, Call, CommandText, Digest, Subject};
use countersign_core::command::{CommandView, Folder, Operand, Problem, SimpleCommand};
use countersign_core::effect::Effects;
use countersign_core::facts::{Analysis, Facts, Findings, Loads, OperationFacts, TreeFact};
use countersign_core::paths::{FileKind, PathFact};
use countersign_core::policy::Policy;
use countersign_core::programs::{self, Risk};
use countersign_shell::Containment;

use crate::host::Host;
use crate::ledger::{NoRecords, Records};
use crate::shadow::shadowed;
use crate::world::{CallWorld, HadBack, Trust};

/// Words of one command that are looked at as paths. A command with more has a
/// problem, so that no rule takes the rest for harmless.
const OPERANDS: usize = 512;

/// Folders of one operation that are looked into; of more, nothing is known.
const MOST_TREES: usize = 8;

/// Largest file whose content an approval is bound to, in bytes; of a larger
/// one size, times and inode count.
const CONTENT_BYTES: u64 = 8 * 1024 * 1024;

/// What is read of all files of one call together, in bytes; of more, as of a
/// large file.
const ALL_CONTENTS_BYTES: u64 = 32 * 1024 * 1024;

/// The facts of a call of which no session is known.
#[must_use]
pub fn facts(call: &Call, host: &Host, policy: &Policy) -> Facts {
    facts_with(call, host, policy, &NoRecords)
}

/// The facts of a call of a session that created something.
pub(crate) fn facts_with(
    call: &Call,
    host: &Host,
    policy: &Policy,
    records: &dyn Records,
) -> Facts {
    let home = policy.home.as_path();
    let had_back = RefCell::new(HadBack::new(host, policy, records));
    let trust = RefCell::new(Trust::new(host, policy, records));
    let operations = call
        .operations
        .iter()
        .map(|operation| match &operation.subject {
            Subject::Command(command) => {
                let mut view = countersign_shell::view(command);
                resolve_paths(&mut view, host, &call.cwd, home);
                let roots = whole_folders(&view, call);
                let world = CallWorld {
                    host,
                    policy,
                    cwd: &call.cwd,
                    had_back: &had_back,
                    trust: &trust,
                    touched: RefCell::default(),
                };
                let mut effects = countersign_shell::effects(&view);
                let mut containment = countersign_shell::contain(&effects, &world);
                if containment.because.is_empty() {
                    let changed = &containment.changed;
                    let shadowed = shadowed(&view, changed, &policy.workspaces, call);
                    containment.because.extend(shadowed);
                }
                let mut loads = trust.borrow_mut().loads();
                loads.but_for_edited = loads
                    .edited
                    .as_ref()
                    .is_some_and(|edited| !edited.is_empty())
                    && is_contained_but_for_edits(&effects, &world);
                let touched = world.touched.take();
                let folders = touched
                    .iter()
                    .filter(|path| path.kind == FileKind::Directory)
                    .map(|path| path.canonical.clone());
                let roots = roots.into_iter().chain(folders).collect();
                let runs_changed =
                    policy.rules.allows_commands() && runs_changed(&view, &mut trust.borrow_mut());
                let analysis = analysis(command, &view, &effects, &containment, &world);
                effects.effects.append(&mut containment.of_scripts);
                OperationFacts {
                    trees: trees(roots, call, host, policy),
                    command: Some(view),
                    paths: Vec::new(),
                    analysis,
                    writes: Some(crate::ledger::of_command(&effects, &containment)),
                    loads,
                    touched,
                    runs_changed,
                    found: Findings::new(effects, containment.because),
                }
            }
            Subject::Paths(paths) => {
                let paths: Vec<PathFact> = paths
                    .iter()
                    .map(|path| host.resolve(&path.path, &call.cwd, home, path.access))
                    .collect();
                let roots = paths
                    .iter()
                    .filter(|path| path.access == Access::ReadTree)
                    .map(|path| path.canonical.clone())
                    .collect();
                OperationFacts {
                    trees: trees(roots, call, host, policy),
                    command: None,
                    paths,
                    analysis: Analysis::NotProven,
                    writes: None,
                    loads: Loads::default(),
                    touched: Vec::new(),
                    runs_changed: false,
                    found: Findings::default(),
                }
            }
            Subject::Urls(_) | Subject::Delegate { .. } | Subject::Other => {
                OperationFacts::default()
            }
        })
        .collect();
    Facts {
        operations,
        cwd: host.canonical(&call.cwd),
    }
}

/// Whether a command runs a file of the workspace, by its path or as what an
/// interpreter is given, that is not as the baseline has it.
fn runs_changed(view: &CommandView, trust: &mut Trust<'_>) -> bool {
    view.commands.iter().any(|command| {
        let name = command.name().map(programs::table_name).unwrap_or_default();
        let interprets = matches!(
            programs::risk(&name),
            Some(Risk::RunsCode | Risk::Launches | Risk::RunsPackages)
        );
        let operands = command.operands.iter().map(|operand| &operand.path);
        command
            .program
            .iter()
            .chain(operands.filter(|_| interprets))
            .any(|file| trust.is_changed(file))
    })
}

/// Whether everything else that a command does is contained, where edited code
/// is why it is not.
fn is_contained_but_for_edits(effects: &Effects, world: &CallWorld<'_>) -> bool {
    world.trust.borrow_mut().forgive(true);
    let containment = countersign_shell::contain(effects, world);
    world.trust.borrow_mut().forgive(false);
    world.trust.borrow_mut().loads();
    containment.because.is_empty()
}

/// What the command would do: contained, certain harm, or neither.
fn analysis(
    command: &CommandText,
    view: &CommandView,
    effects: &Effects,
    containment: &Containment,
    world: &CallWorld<'_>,
) -> Analysis {
    let is_contained = containment.because.is_empty();
    // What only reads harms nobody.
    if !(is_contained && containment.read_only)
        && let Some(found) = crate::stakes::catastrophe(command, view, effects, world)
    {
        return Analysis::Blocked {
            reason: found.reason,
            guard: found.guard,
        };
    }
    if is_contained {
        Analysis::Contained {
            read_only: containment.read_only,
        }
    } else {
        Analysis::NotProven
    }
}

/// What lies below folders that would be read as a whole, where a deny or ask
/// rule may speak of it; elsewhere nobody asks.
fn trees(roots: Vec<Utf8PathBuf>, call: &Call, host: &Host, policy: &Policy) -> Vec<TreeFact> {
    let mut trees: Vec<TreeFact> = Vec::new();
    for root in roots {
        if trees.len() >= MOST_TREES
            || trees.iter().any(|tree| tree.root == root)
            || !policy.rules.may_restrict_below(&root, &call.cwd)
        {
            continue;
        }
        let below = host.below(&root, &|path| policy.rules.restricts_path(path, &call.cwd));
        trees.push(TreeFact {
            root,
            restricted: below.found,
            complete: below.complete,
        });
    }
    trees
}

/// The folders that commands of the view would take as a whole.
fn whole_folders(view: &CommandView, call: &Call) -> Vec<Utf8PathBuf> {
    let mut roots = Vec::new();
    for command in &view.commands {
        if !programs::takes_whole_folders(command) {
            continue;
        }
        let before = roots.len();
        roots.extend(
            command
                .operands
                .iter()
                .filter(|operand| operand.path.kind == FileKind::Directory)
                .map(|operand| operand.path.canonical.clone()),
        );
        if roots.len() == before && command.folder == Folder::Call {
            roots.push(call.cwd.clone());
        }
    }
    roots
}

/// Fills in the redirects' and operands' paths.
fn resolve_paths(view: &mut CommandView, host: &Host, cwd: &Utf8Path, home: &Utf8Path) {
    let mut left = OPERANDS;
    for command in &mut view.commands {
        let folder = folder(&command.folder, host, cwd, home);
        for redirect in &mut command.redirects {
            let access = if redirect.kind.writes() {
                Access::Write
            } else {
                Access::Read
            };
            redirect.path = redirect
                .target
                .as_ref()
                .and_then(|word| word.literal())
                .and_then(|text| resolve(text, folder.as_deref(), host, home, access));
        }
        command.program = command
            .name()
            .filter(|name| name.contains('/'))
            .and_then(|name| resolve(name, folder.as_deref(), host, home, Access::Read));
        command.operands = operands(command, folder.as_deref(), host, home, &mut left);
    }
    if left == 0 {
        view.problems.push(Problem {
            reason: format!("more than {OPERANDS} words that may be paths"),
            span: None,
        });
    }
}

fn operands(
    command: &SimpleCommand,
    folder: Option<&Utf8Path>,
    host: &Host,
    home: &Utf8Path,
    left: &mut usize,
) -> Vec<Operand> {
    let mut found = Vec::new();
    for (word, text) in command
        .words
        .iter()
        .enumerate()
        .skip(1)
        .filter_map(|(index, word)| Some((index, word.literal()?)))
    {
        for text in path_texts(text).chain(in_revision(command, text)) {
            if *left == 0 {
                return found;
            }
            *left -= 1;
            if let Some(path) = resolve(text, folder, host, home, Access::Read) {
                found.push(Operand { word, path });
            }
        }
    }
    found
}

/// What of a word may be a path: all of it, the value of `--option=value`, what
/// follows a one-letter option, and each of them behind an `@` or `<` with
/// which programs mark files (`curl -d @file`, `-F part=@file`).
fn path_texts(word: &str) -> impl Iterator<Item = &str> {
    let value = word.split_once('=').map(|(_, value)| value);
    let attached = word
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))
        .and_then(|rest| {
            let mut chars = rest.chars();
            chars.next()?;
            Some(chars.as_str())
        });
    let whole = (!word.starts_with('-')).then_some(word);
    [whole, value, attached]
        .into_iter()
        .flatten()
        .flat_map(|text| [Some(text), text.strip_prefix(['@', '<'])])
        .flatten()
        .filter(|text| !text.is_empty())
}

/// The file of `revision:file` or `:file`, as git's words name it.
fn in_revision<'t>(command: &SimpleCommand, word: &'t str) -> Option<&'t str> {
    (command.base_name() == Some("git"))
        .then(|| word.split_once(':'))
        .flatten()
        .map(|(_, file)| file)
        .filter(|file| !file.is_empty() && !file.starts_with('/'))
}

fn resolve(
    text: &str,
    folder: Option<&Utf8Path>,
    host: &Host,
    home: &Utf8Path,
    access: Access,
) -> Option<PathFact> {
    match folder {
        Some(folder) => Some(host.resolve(text, folder, home, access)),
        // After a `cd` to an unknown place only absolute paths are known.
        None if text.starts_with('/') || text.starts_with('~') => {
            Some(host.resolve(text, Utf8Path::new("/"), home, access))
        }
        None => None,
    }
}

fn folder(folder: &Folder, host: &Host, cwd: &Utf8Path, home: &Utf8Path) -> Option<Utf8PathBuf> {
    match folder {
        Folder::Call => Some(cwd.to_owned()),
        // A step that shells and the kernel read differently leads nowhere known.
        Folder::Moved(steps) => steps.iter().try_fold(cwd.to_owned(), |at, step| {
            let fact = host.resolve(step, &at, home, Access::List);
            (fact.kind != FileKind::Unresolvable).then_some(fact.canonical)
        }),
        Folder::Unknown => None,
    }
}

/// What an approval is bound to: exactly this call, where its folder really
/// is, the canonical places that it writes, and the content of every file that
/// its words name, its commands run and its redirects read.
///
/// Computed again when an answer arrives; a difference voids the approval.
#[must_use]
pub fn approval_digest(call: &Call, facts: &Facts) -> Digest {
    let mut parts: Vec<Vec<u8>> = vec![call.digest().to_string().into_bytes()];
    let cwd = facts.cwd.as_ref().unwrap_or(&call.cwd);
    parts.push(cwd.as_str().as_bytes().to_vec());
    let mut contents = Contents::default();
    for operation in &facts.operations {
        for path in &operation.paths {
            parts.push(place(path));
        }
        for command in operation.command.iter().flat_map(|view| &view.commands) {
            let redirects = command
                .redirects
                .iter()
                .filter_map(|redirect| redirect.path.as_ref());
            for path in redirects {
                parts.push(place(path));
                if !path.access.writes() {
                    parts.push(contents.of(path));
                }
            }
            let operands = command.operands.iter().map(|operand| &operand.path);
            for path in command.program.iter().chain(operands) {
                parts.push(place(path));
                parts.push(contents.of(path));
            }
        }
        let edited = operation.loads.edited.iter().flatten();
        for path in operation.loads.definitions.iter().chain(edited) {
            parts.push(path.as_str().as_bytes().to_vec());
            parts.push(contents.at(path));
        }
    }
    Digest::of_parts(parts.iter().map(Vec::as_slice))
}

/// The contents of files, each looked at once and all of them within a budget:
/// others wait for the state while this reads.
struct Contents {
    known: HashMap<Utf8PathBuf, Vec<u8>>,
    left: u64,
}

impl Default for Contents {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            left: ALL_CONTENTS_BYTES,
        }
    }
}

impl Contents {
    /// The content of a regular file as a digest; what is known of it
    /// otherwise.
    fn of(&mut self, path: &PathFact) -> Vec<u8> {
        if path.kind != FileKind::File {
            return Vec::new();
        }
        self.at(&path.canonical)
    }

    /// The same of what is at a canonical path.
    fn at(&mut self, path: &Utf8Path) -> Vec<u8> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let limit = CONTENT_BYTES.min(self.left);
        let length = std::fs::symlink_metadata(path).map_or(0, |file| file.len());
        if length <= limit {
            self.left -= length;
        }
        let digest = crate::host::content_digest(path, limit)
            .to_string()
            .into_bytes();
        self.known.insert(path.to_owned(), digest.clone());
        digest
    }
}

fn place(path: &PathFact) -> Vec<u8> {
    format!("{}\0{:?}\0{:?}", path.canonical, path.kind, path.access).into_bytes()
}
