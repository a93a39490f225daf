//! Tasks of the project: which files define them, and whether the words of the
//! command leave it to those files what runs.

use std::ops::Range;

use countersign_core::command::{Known, Stdin, WordValue};
use countersign_core::effect::{Doing as Effect, EffectKind, Task};

use super::Finder;
use super::options::Read;
use crate::knowledge::{Command, Doing};

/// Names that, anywhere in the name of a task, say that it changes something
/// that is not the workspace.
const OUTWARD: &[&str] = &[
    "deploy",
    "destroy",
    "install",
    "migrat",
    "provision",
    "publish",
    "release",
    "rollback",
    "shutdown",
    "terraform",
    "upload",
];

/// Names that say so as a part of their own.
const OUTWARD_PARTS: &[&str] = &[
    "apply",
    "bump",
    "db",
    "delete",
    "dev",
    "drop",
    "erase",
    "login",
    "logout",
    "nuke",
    "prod",
    "production",
    "promote",
    "push",
    "remove",
    "reset",
    "seed",
    "send",
    "serve",
    "server",
    "ship",
    "staging",
    "start",
    "sudo",
    "sync",
    "up",
    "watch",
    "wipe",
];

/// Whether the command is a task of the project that can be contained, and then
/// whether code of the project runs.
pub(super) fn task(command: &Command) -> Option<bool> {
    let runs_code = command.effects.contains(&Doing::CodeTask);
    let is_one = runs_code || command.effects.contains(&Doing::Task);
    let is_known = !command.any_words && command.parser.is_none() && !command.defined_by.is_empty();
    (is_one && is_known).then_some(runs_code)
}

impl Finder<'_> {
    /// What a task does; `read` is none where its words are not understood.
    pub(super) fn task(
        &mut self,
        command: &'static Command,
        read: Option<&Read>,
        runs_code: bool,
        span: Range<usize>,
    ) {
        let task = Task {
            name: self.shown(command),
            folder: self.command.folder.clone(),
            defined_by: &command.defined_by,
            runs_code,
        };
        let odd = read.map_or_else(
            || Some((String::new(), span.clone())),
            |read| odd(command, read),
        );
        let reads_more = self.command.stdin != Stdin::Inherited;
        if odd.is_none() && !reads_more {
            self.effect(EffectKind::Task(task), span);
            return;
        }
        let doing: Effect = task.doing();
        self.effect(EffectKind::Doing(doing, task.name), span.clone());
        if let Some((why, at)) = odd
            && !why.is_empty()
        {
            self.unproven(why, at);
        }
    }
}

/// A word that may decide what runs, and why.
fn odd(command: &Command, read: &Read) -> Option<(String, Range<usize>)> {
    for value in &read.values {
        let is_number = matches!(
            &value.value,
            WordValue::Dynamic { prefix, known: Known::Natural | Known::Integer } if prefix.is_empty()
        );
        if !is_number && !text(&value.value).is_some_and(is_plain_value) {
            let why = format!("what `{}` is given is not plain", value.flag);
            return Some((why, value.span.clone()));
        }
    }
    for operand in &read.operands {
        let Some(text) = text(&operand.value) else {
            let why = "what the task is given is known only when the command runs".to_owned();
            return Some((why, operand.span.clone()));
        };
        if command.behind.contains(&text) {
            continue;
        }
        if !is_plain(text) {
            let why = format!("it is not known what `{text}` is to the task");
            return Some((why, operand.span.clone()));
        }
        if is_outward(text) {
            let why = format!("the name `{text}` says that it may change more than the workspace");
            return Some((why, operand.span.clone()));
        }
    }
    None
}

fn text(value: &WordValue) -> Option<&str> {
    match value {
        WordValue::Literal(text) => Some(text),
        WordValue::Glob(_) | WordValue::Dynamic { .. } => None,
    }
}

/// A word that can only be a name, or a path in the folder.
fn is_plain(text: &str) -> bool {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "_.,:/+-[]".contains(character);
    !text.is_empty()
        && !text.starts_with(['-', '/', '+'])
        && text.chars().all(is_plain)
        && !leads_out(text)
}

/// The same for the value of an option that is known.
fn is_plain_value(text: &str) -> bool {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || "_.,:/+-[]@ ()^$|*".contains(character)
    };
    !text.is_empty()
        && !text.starts_with(['-', '/', '+'])
        && text.chars().all(is_plain)
        && !leads_out(text)
}

fn leads_out(text: &str) -> bool {
    text.split('/').any(|part| part == "..")
}

fn is_outward(text: &str) -> bool {
    let mut spaced = String::new();
    for character in text.chars() {
        if character.is_ascii_uppercase() {
            spaced.push(' ');
        }
        spaced.push(character.to_ascii_lowercase());
    }
    let lower = text.to_ascii_lowercase();
    let parts = |text: &str| {
        text.split(|character: char| !character.is_ascii_alphanumeric())
            .any(|part| OUTWARD_PARTS.contains(&part))
    };
    OUTWARD.iter().any(|name| lower.contains(name)) || parts(&lower) || parts(&spaced)
}
