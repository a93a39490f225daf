//! Commands that share their standard input with one that takes paths from it.

use countersign_core::command::{Known, SimpleCommand, Word, WordValue};

use super::Walker;
use crate::built_in::reads_whole;
use crate::launch::Found;

/// Commands that take nothing from their standard input.
const LEAVES_STDIN: &[&str] = &[
    ":", "[", "basename", "break", "chmod", "continue", "cp", "dirname", "du", "echo", "exit",
    "false", "ls", "mkdir", "mv", "printf", "pwd", "rm", "rmdir", "stat", "test", "touch", "true",
];

/// Commands that take nothing from it if the last word is a file.
const READS_FILES: &[&str] = &[
    "cat", "egrep", "fgrep", "file", "grep", "head", "md5sum", "nl", "sha1sum", "sha256sum",
    "strings", "tail", "wc",
];

impl Walker {
    /// Of commands from `start` on, which share their standard input, nothing
    /// is known of what they read if another may have taken a part of it: the
    /// rest of a path is any path. With `alone` the first command is the one
    /// that it is for.
    pub(super) fn settle(&mut self, start: usize, alone: bool) {
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
        if !is_taken {
            return;
        }
        for command in self.commands.iter_mut().skip(start) {
            for word in &mut command.words {
                if let WordValue::Dynamic { known, .. } = &mut word.value
                    && matches!(known, Known::Below(_))
                {
                    *known = Known::Nothing;
                }
            }
        }
    }
}

/// Whether a command leaves its standard input to others, or takes whole paths
/// from it.
fn leaves_stdin(command: &SimpleCommand, found: &Found) -> bool {
    let Some(name) = command.name() else {
        return command.words.is_empty();
    };
    let names_stdin = |word: &Word| {
        word.literal()
            .is_none_or(|text| text == "-" || text.starts_with("/dev/") || text.contains("/fd/"))
    };
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
            word.literal()
                .is_some_and(|text| text.starts_with("/dev/") || text.contains("/fd/"))
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
