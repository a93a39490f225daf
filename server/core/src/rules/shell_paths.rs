//! Path rules against the paths of shell commands: redirects, whose effect is
//! known, and operands, whose effect mostly is not.
//!
//! Rules are no sandbox: what a program does with files that no word of the
//! command names is not seen here.

use camino::Utf8Path;

use crate::call::Access;
use crate::command::{Folder, Redirect, RedirectKind, SimpleCommand, WordValue};
use crate::paths::{FileKind, PathFact};
use crate::programs::{self, Risk};
use crate::rules::Certainty;
use crate::rules::meet::{Search, shown_command, shown_path};
use crate::rules::path::{Folded, PartlyKnown, Shape};
use crate::rules::rule::{Rule, Specifier};

/// Programs that search their own folder when they are given none.
const SEARCH_HERE: &[&str] = &["ack", "ag", "egrep", "fgrep", "grep", "rg", "tokei"];

/// What a command does with a path.
#[derive(Debug, Clone, Copy)]
enum Touch<'a> {
    Redirect(RedirectKind),
    /// A word of this program names it.
    Operand(&'a str),
    /// It is below, or may be meant by, a word of this program.
    Perhaps(&'a str),
}

impl Touch<'_> {
    /// How certainly a rule that matches the path speaks of this.
    fn weigh(self, rule: &Rule) -> Option<Certainty> {
        let every_path = rule.specifier == Specifier::None;
        let certain = |holds: bool| holds.then_some(Certainty::Certain);
        match self {
            Self::Redirect(kind) => match kind {
                RedirectKind::Read => certain(rule.reads()),
                RedirectKind::Write | RedirectKind::Append => certain(rule.edits()),
                RedirectKind::ReadWrite => certain(rule.reads() || rule.edits()),
                RedirectKind::Descriptor | RedirectKind::Here => None,
            },
            Self::Operand(program) => {
                let writes = programs::writes_operands(program);
                let read = match () {
                    () if !rule.reads() => None,
                    // A rule for every file means programs that are known to
                    // read files, not every program with arguments.
                    () if every_path && !programs::operands_are_files(program) => None,
                    () if programs::never_reads_operands(program) => {
                        (!every_path).then_some(Certainty::Possible)
                    }
                    () => Some(Certainty::Certain),
                };
                let edit = match () {
                    () if !rule.edits() || programs::only_reads_operands(program) => None,
                    () if writes => Some(Certainty::Certain),
                    () => (!every_path).then_some(Certainty::Possible),
                };
                read.max(edit)
            }
            Self::Perhaps(program) => {
                let writes = programs::writes_operands(program)
                    || programs::risk(program) == Some(Risk::Writes);
                let reads = !programs::never_reads_operands(program)
                    && (!every_path || programs::operands_are_files(program));
                ((rule.reads() && reads) || (rule.edits() && writes)).then_some(Certainty::Possible)
            }
        }
    }
}

/// Offers every path rule that speaks of a path of the command.
pub(super) fn search(search: &mut Search<'_, '_>, command: &SimpleCommand) {
    for redirect in &command.redirects {
        redirected(search, command, redirect);
    }
    // A program that is not known may do anything with its words.
    let name = command.name().map(programs::table_name).unwrap_or_default();
    if programs::names_no_files(&name) {
        return;
    }
    let tasks = programs::task_words(&name);
    for operand in &command.operands {
        let text = command
            .words
            .get(operand.word)
            .and_then(|word| word.literal())
            .unwrap_or_default();
        if operand.word <= tasks && !text.contains(['/', '.']) {
            continue;
        }
        resolved(search, command, &operand.path, Touch::Operand(&name));
    }
    let folder = folder(search.subject.cwd, command);
    let home = search.subject.home;
    for (index, word) in command.words.iter().enumerate().skip(1) {
        if !search.wants_possible() {
            return;
        }
        let shape = match &word.value {
            WordValue::Literal(text) => {
                let is_resolved = command.operands.iter().any(|operand| operand.word == index);
                if folder.is_some() || is_resolved || text.starts_with('-') {
                    continue;
                }
                Shape::word(&PartlyKnown::Whole(text), None, home)
            }
            WordValue::Glob(pattern) => Shape::word(&PartlyKnown::Glob(pattern), folder, home),
            WordValue::Dynamic { .. } if programs::operands_are_files(&name) => Shape::anything(),
            WordValue::Dynamic { prefix, .. } if prefix.is_empty() || prefix.starts_with('-') => {
                continue;
            }
            WordValue::Dynamic { prefix, .. } => {
                Shape::word(&PartlyKnown::Beginning(prefix), folder, home)
            }
        };
        shaped(search, command, &shape, Touch::Perhaps(&name));
    }
    if programs::takes_whole_folders(command) {
        whole_folders(search, command, &name, folder);
    }
}

/// Offers every path rule that speaks of what the command would do to files
/// that perhaps no word of it names.
pub(super) fn touched(search: &mut Search<'_, '_>) {
    for path in &search.subject.facts.touched {
        if !search.wants_possible() {
            return;
        }
        let speaks = |rule: &Rule| {
            if path.access.writes() {
                rule.edits()
            } else {
                rule.reads()
            }
        };
        if path.kind == FileKind::Directory {
            search.below(path, |rule| speaks(rule).then_some(Certainty::Possible));
        }
        let folded = Folded::of(&path.absolute, &path.canonical);
        let forms = folded.forms(&path.absolute, &path.canonical);
        for rule in search.rules(search.index.for_path(&forms.forms)) {
            if speaks(rule) && search.path_rule(rule, &forms).is_some() {
                search.offer(rule, Certainty::Possible, || {
                    format!("{}, which the command would touch", shown_path(path))
                });
            }
        }
    }
}

fn whole_folders(
    search: &mut Search<'_, '_>,
    command: &SimpleCommand,
    name: &str,
    folder: Option<&Utf8Path>,
) {
    let mut folders = false;
    for operand in &command.operands {
        // What is missing now can only be there later if another command of
        // the same call makes it.
        let alone = search
            .subject
            .facts
            .command
            .as_ref()
            .is_some_and(|view| view.commands.len() == 1);
        if operand.path.kind == FileKind::File || (operand.path.kind == FileKind::Missing && alone)
        {
            continue;
        }
        folders |= operand.path.kind == FileKind::Directory;
        let touch = Touch::Perhaps(name);
        if search.below(&operand.path, |rule| {
            touch.weigh(rule).map(|_| Certainty::Certain)
        }) {
            continue;
        }
        for root in [&operand.path.absolute, &operand.path.canonical] {
            shaped(search, command, &Shape::tree(root), Touch::Perhaps(name));
        }
    }
    if !folders && SEARCH_HERE.contains(&name) {
        if let Some(here) = folder
            && search.below(&current_folder(here), |rule| {
                Touch::Perhaps(name).weigh(rule).map(|_| Certainty::Certain)
            })
        {
            return;
        }
        let here = folder.map_or_else(Shape::anything, Shape::tree);
        shaped(search, command, &here, Touch::Perhaps(name));
    }
}

fn current_folder(folder: &Utf8Path) -> PathFact {
    PathFact {
        given: ".".to_owned(),
        absolute: folder.to_owned(),
        canonical: folder.to_owned(),
        access: Access::ReadTree,
        kind: FileKind::Directory,
        links: 1,
    }
}

/// The folder that relative paths start from, if it is known here.
fn folder<'a>(cwd: &'a Utf8Path, command: &SimpleCommand) -> Option<&'a Utf8Path> {
    match command.folder {
        Folder::Call => Some(cwd),
        Folder::Moved(_) | Folder::Unknown => None,
    }
}

fn redirected(search: &mut Search<'_, '_>, command: &SimpleCommand, redirect: &Redirect) {
    if matches!(redirect.kind, RedirectKind::Descriptor | RedirectKind::Here)
        || is_standard_stream(redirect)
    {
        return;
    }
    let touch = Touch::Redirect(redirect.kind);
    if let Some(path) = &redirect.path {
        resolved(search, command, path, touch);
        return;
    }
    let shape = match redirect.target.as_ref().map(|target| &target.value) {
        Some(WordValue::Literal(text)) => Shape::word(
            &PartlyKnown::Whole(text),
            folder(search.subject.cwd, command),
            search.subject.home,
        ),
        Some(WordValue::Glob(_) | WordValue::Dynamic { .. }) | None => Shape::anything(),
    };
    shaped(search, command, &shape, touch);
}

/// Whether a redirect goes to nowhere or to the command's own streams.
pub(super) fn is_standard_stream(redirect: &Redirect) -> bool {
    let literal = redirect.target.as_ref().and_then(|target| target.literal());
    matches!(
        literal,
        Some("/dev/null" | "/dev/stdin" | "/dev/stdout" | "/dev/stderr")
    )
}

fn resolved(
    search: &mut Search<'_, '_>,
    command: &SimpleCommand,
    path: &PathFact,
    touch: Touch<'_>,
) {
    let folded = Folded::of(&path.absolute, &path.canonical);
    let forms = folded.forms(&path.absolute, &path.canonical);
    for rule in search.rules(search.index.for_path(&forms.forms)) {
        if let Some(certainty) = touch.weigh(rule)
            && let Some(matched) = search.path_rule(rule, &forms)
        {
            search.offer(rule, certainty.weaker(matched), || {
                format!("{} in {}", shown_path(path), shown_command(command))
            });
        }
    }
    if path.kind == FileKind::Unresolvable {
        shaped(search, command, &Shape::anything(), touch);
    }
}

fn shaped(search: &mut Search<'_, '_>, command: &SimpleCommand, shape: &Shape, touch: Touch<'_>) {
    if !search.wants_possible() {
        return;
    }
    for rule in search.rules(search.index.paths.clone()) {
        if touch.weigh(rule).is_some() && search.path_rule_may_meet(rule, shape) {
            search.offer(rule, Certainty::Possible, || {
                format!(
                    "paths that are not known before they are used, in {}",
                    shown_command(command)
                )
            });
            return;
        }
    }
}
