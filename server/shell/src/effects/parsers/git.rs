//! `git`: its options before the sub-command, and what each sub-command would
//! change. What the repository would run is an effect of its own, which the
//! outside world judges.

mod before;
mod changes;
#[cfg(test)]
mod tests;

use std::ops::Range;

use countersign_core::command::{Folder, SimpleCommand, Word, WordValue};
use countersign_core::effect::{Doing as Effect, EffectKind, Touch};

use super::super::options::{self, Read};
use crate::effects::Finder;
use crate::knowledge::{Command, Doing};

/// Hooks of what only reads: git may write the index down again.
const READING: &[&str] = &["post-index-change"];

/// Hooks of what changes the index, a branch or a tag.
const CHANGING: &[&str] = &[
    "post-checkout",
    "post-index-change",
    "pre-auto-gc",
    "reference-transaction",
];

/// Hooks of a commit.
const COMMITTING: &[&str] = &[
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

pub(super) fn git(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let before = match before::read(words) {
        Ok(before) => before,
        Err(problem) => {
            finder.unproven(format!("`git`: {}", problem.reason), problem.span);
            return;
        }
    };
    // Without a sub-command it prints its help.
    let Some(at) = before.sub_command else {
        return;
    };
    if before.folders.is_empty() {
        sub_command(finder, command, words, at, span);
        return;
    }
    let moved = SimpleCommand {
        folder: moved(&finder.command.folder, &before.folders),
        ..finder.command.clone()
    };
    let mut inner = Finder {
        view: finder.view,
        command: &moved,
        index: finder.index,
        found: &mut *finder.found,
    };
    sub_command(&mut inner, command, words, at, span);
}

/// Where `-C` leads, as `cd` would.
fn moved(from: &Folder, steps: &[&str]) -> Folder {
    let mut all = match from {
        Folder::Call => Vec::new(),
        Folder::Moved(steps) => steps.clone(),
        Folder::Unknown => return Folder::Unknown,
    };
    all.extend(steps.iter().map(|step| (*step).to_owned()));
    Folder::Moved(all)
}

/// A sub-command as it is given.
struct Given<'a> {
    /// The entry of the knowledge base.
    entry: &'static Command,
    /// Its words.
    words: &'a [Word],
    /// For people: `git stash pop`.
    label: String,
    /// All of it in the text.
    span: Range<usize>,
}

fn sub_command(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    at: usize,
    span: &Range<usize>,
) {
    let Some(given) = find(finder, command, words, at, span) else {
        return;
    };
    let Given {
        entry,
        words,
        label,
        span,
    } = &given;
    finder.effect(
        EffectKind::Repository {
            folder: finder.command.folder.clone(),
            hooks: hooks(entry),
        },
        span.clone(),
    );
    for doing in &entry.effects {
        let doing = match doing {
            Doing::Network => Effect::Network,
            Doing::LocalHistory => Effect::LocalHistory,
            Doing::Interpreter => Effect::Interpreter,
            _ => Effect::History,
        };
        finder.effect(EffectKind::Doing(doing, label.clone()), span.clone());
    }
    if entry.any_words {
        return;
    }
    let read = match options::read(words, entry, false) {
        Ok((read, _)) => read,
        Err(problem) => {
            finder.unproven(format!("`{label}`: {}", problem.reason), problem.span);
            return;
        }
    };
    // Whatever a pattern becomes, none of it may be an option.
    for operand in &read.operands {
        if !operand.is_safe && matches!(operand.value, WordValue::Glob(_)) {
            finder.touch(Touch::List, &operand.value, operand.span.clone(), true);
        }
    }
    changes::changes(finder, &given, &read);
    finder.read_words(entry, &read, span);
}

/// The entry of a sub-command, or of one of a sub-command's own.
fn find<'a>(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &'a [Word],
    at: usize,
    span: &Range<usize>,
) -> Option<Given<'a>> {
    let word = words.get(at)?;
    let name = word.literal()?;
    let label = format!("git {name}");
    let rest = words.get(at + 1..).unwrap_or_default();
    let whole = span.start..rest.last().unwrap_or(word).span.end.max(span.end);
    let Some(entry) = command.sub_command(name) else {
        finder.unproven(
            format!("`{label}` is not known: it may be an alias or another program"),
            word.span.clone(),
        );
        return None;
    };
    if entry.sub.is_empty() {
        return Some(Given {
            entry,
            words: rest,
            label,
            span: whole,
        });
    }
    // The first of their names is for people.
    let own = |name: &str| entry.sub_command_by_later_name(name);
    let Some(first) = rest.first() else {
        return meant(finder, own(""), rest, label, whole);
    };
    let Some(name) = first.literal() else {
        finder.unproven(
            format!("what `{label}` does is known only when the command runs"),
            first.span.clone(),
        );
        return None;
    };
    match own(name) {
        Some(entry) if !name.is_empty() => Some(Given {
            entry,
            words: rest.get(1..).unwrap_or_default(),
            label: format!("{label} {name}"),
            span: whole,
        }),
        _ => meant(finder, own(""), rest, label, whole),
    }
}

/// What is meant where no sub-command of a sub-command is given.
fn meant<'a>(
    finder: &mut Finder<'_>,
    entry: Option<&'static Command>,
    words: &'a [Word],
    label: String,
    span: Range<usize>,
) -> Option<Given<'a>> {
    if entry.is_none() {
        finder.unproven(
            format!("`{label}` with these words is not known"),
            span.clone(),
        );
    }
    Some(Given {
        entry: entry?,
        words,
        label,
        span,
    })
}

fn hooks(entry: &Command) -> &'static [&'static str] {
    match entry.names.first().copied().unwrap_or_default() {
        "commit" => COMMITTING,
        "add" | "branch" | "checkout" | "init" | "mv" | "restore" | "rm" | "stash push"
        | "switch" | "tag" => CHANGING,
        _ => READING,
    }
}

/// Whether one of these options is given.
fn has(read: &Read, flags: &[&str]) -> bool {
    read.flags.iter().any(|flag| flags.contains(flag))
}
