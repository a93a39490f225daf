//! Commands that share their standard input with one that takes paths from it.

use countersign_core::command::{Folder, Known, SimpleCommand, Word, WordValue};

use super::Walker;
use crate::built_in::reads_whole;
use crate::launch::Found;
use crate::state::State;

/// Commands that take nothing from their standard input.
const LEAVES_STDIN: &[&str] = &[
    ":", "[", "basename", "break", "chmod", "continue", "cp", "dirname", "du", "echo", "exit",
    "false", "ls", "mkdir", "mv", "printf", "pwd", "rm", "rmdir", "stat", "test", "touch", "true",
];

/// Commands that take nothing from it if the last word is a file.
const READS_FILES: &[&str] = &[
    "cat",
    "egrep",
    "fgrep",
    "file",
    "grep",
    "head",
    "md5sum",
    "nl",
    "sha1sum",
    "sha256sum",
    "strings",
    "tail",
    "wc",
];

impl Walker {
    /// Of commands from `start` on, which share their standard input, nothing
    /// is known of what they read if another may have taken a part of it: the
    /// rest of a path is any path. With `alone` the first command is the one
    /// that it is for.
    pub(super) fn settle(&mut self, start: usize, alone: bool, state: &mut State) {
        let end = self.commands.len();
        let mut readers = self.found.range(start..end);
        let is_taken = readers.any(|(index, found)| {
            let is_first = alone && *index == start;
            !is_first
                && self
                    .commands
                    .get(*index)
                    .is_some_and(|command| !leaves_stdin(command, found))
        });
        let is_replaced = self
            .commands
            .iter()
            .skip(start)
            .any(|command| command.name() == Some("exec"));
        if !is_taken && !is_replaced {
            return;
        }
        state.forget_found();
        let forget = |word: &mut Word| {
            if let WordValue::Dynamic { known, .. } = &mut word.value
                && matches!(known, Known::Below(_))
            {
                *known = Known::Nothing;
            }
        };
        for command in self.commands.iter_mut().skip(start) {
            command.words.iter_mut().for_each(forget);
            let targets = command.redirects.iter_mut();
            targets
                .filter_map(|redirect| redirect.target.as_mut())
                .for_each(forget);
        }
    }
}

/// Whether a command leaves its standard input to others, or takes whole paths
/// from it.
fn leaves_stdin(command: &SimpleCommand, found: &Found) -> bool {
    let Some(name) = command.name() else {
        return command.words.is_empty();
    };
    // Also `-f-`, `--files0-from=-`, and in a folder of devices `stdin`.
    let is_device = |text: &str| {
        ["/dev", "/proc", "/fd"]
            .iter()
            .any(|name| text.contains(name))
    };
    let names_stdin = |word: &Word| {
        word.literal().is_none_or(|text| {
            text == "-" || text.starts_with('-') && text.ends_with('-') || is_device(text)
        })
    };
    let in_devices = match &command.folder {
        Folder::Call => false,
        Folder::Moved(steps) => steps
            .iter()
            .any(|step| ["dev", "proc", "fd"].iter().any(|name| step.contains(name))),
        Folder::Unknown => true,
    };
    if in_devices {
        return false;
    }
    let is_found = |word: &Word| {
        matches!(
            word.value,
            WordValue::Dynamic {
                known: Known::Below(_),
                ..
            }
        )
    };
    match command.words.split_last() {
        _ if LEAVES_STDIN.contains(&name) => !command.words.iter().skip(1).any(|word| {
            // `rm -i` reads an answer.
            word.literal().is_some_and(|text| {
                is_device(text)
                    || text.starts_with('-') && (text.contains(['i', 'I']) || text.ends_with('-'))
            })
        }),
        Some((last, rest)) if READS_FILES.contains(&name) => {
            is_found(last) && !rest.iter().skip(1).any(names_stdin)
        }
        Some(_) if name == "read" => {
            let arguments = command.words.get(1..).unwrap_or_default();
            reads_whole(arguments, found).is_some()
        }
        _ => false,
    }
}
