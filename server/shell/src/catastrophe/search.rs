//! What a search means whole, and what it only picks from.

use countersign_core::command::{Known, Origin, SimpleCommand, Stdin, WordValue};

use super::Case;

/// A `find` as far as it matters what it takes away.
pub(super) struct Search<'a> {
    /// Where it begins.
    pub(super) roots: Vec<&'a str>,
    /// Whether it may find less than everything there.
    pub(super) is_narrowed: bool,
    /// Whether it deletes what it finds.
    pub(super) deletes: bool,
    /// The names that it looks for.
    pub(super) names: Vec<&'a str>,
}

/// Programs that take away what their operands name.
const REMOVERS: &[&str] = &["rm", "shred", "srm", "unlink"];

/// What a command that is a `find` looks for, if its words are known.
pub(super) fn search(command: &SimpleCommand) -> Option<Search<'_>> {
    let mut words = command.words.iter().skip(1).peekable();
    let mut found = Search {
        roots: Vec::new(),
        is_narrowed: false,
        deletes: false,
        names: Vec::new(),
    };
    while let Some(text) = words.peek().map(|word| word.literal()) {
        match text? {
            "-H" | "-L" | "-P" => {}
            text if text.starts_with('-') || matches!(text, "!" | "(" | ")") => break,
            text => found.roots.push(text),
        }
        words.next();
    }
    if found.roots.is_empty() {
        found.roots.push(".");
    }
    let mut runs = 0;
    let mut is_negated = false;
    while let Some(word) = words.next() {
        let was_negated = std::mem::take(&mut is_negated);
        match word.literal() {
            Some("-delete") => {
                found.deletes = true;
                // What is run decides what is found.
                found.is_narrowed |= runs > 0;
            }
            Some("-d" | "-depth" | "-ls" | "-mount" | "-print" | "-print0" | "-true" | "-xdev") => {
            }
            Some("!" | "-not") => {
                is_negated = true;
                found.is_narrowed = true;
            }
            Some("-mindepth") => {
                let value = words.next().and_then(|word| word.literal());
                found.is_narrowed |= !matches!(value, Some("0" | "1"));
            }
            Some("-type") => {
                let value = words.next().and_then(|word| word.literal());
                found.is_narrowed |= value != Some("f");
            }
            Some(
                "-iname" | "-ipath" | "-iregex" | "-iwholename" | "-name" | "-path" | "-regex"
                | "-wholename",
            ) => {
                let Some(name) = words.next() else { break };
                let name = match &name.value {
                    WordValue::Literal(text) | WordValue::Glob(text) => text.as_str(),
                    WordValue::Dynamic { prefix, .. } => prefix,
                };
                found.is_narrowed |= name != "*";
                if !was_negated {
                    found.names.push(name);
                }
            }
            Some("-exec" | "-execdir" | "-ok" | "-okdir") => {
                runs += 1;
                found.is_narrowed |= runs > 1;
                for inner in words.by_ref() {
                    if matches!(inner.literal(), Some(";" | "+")) {
                        break;
                    }
                }
            }
            _ => found.is_narrowed = true,
        }
    }
    Some(found)
}

impl Case<'_> {
    /// Whether all that a search finds goes to a program that takes it away:
    /// `-exec`, or `xargs` right behind it.
    pub(super) fn hands_all_to_a_remover(&self, index: usize, search: &Search<'_>) -> bool {
        self.removers_of(search).any(|command| {
            let Origin::Launched { by } = command.origin else {
                return false;
            };
            let is_next = || {
                by == index + 1
                    && (self.view.commands.get(by))
                        .is_some_and(|launcher| launcher.stdin == Stdin::Pipe)
            };
            by == index || is_next()
        })
    }

    /// Programs that take away what a search finds, or some of it.
    pub(super) fn removers_of(&self, search: &Search<'_>) -> impl Iterator<Item = &SimpleCommand> {
        self.view.commands.iter().filter(move |command| {
            let is_remover = command
                .base_name()
                .is_some_and(|name| REMOVERS.contains(&name));
            is_remover
                && command.words.iter().any(|word| match &word.value {
                    WordValue::Dynamic {
                        known: Known::Below(below),
                        ..
                    } => below.roots == search.roots,
                    _ => false,
                })
        })
    }
}
