//! The guard's own protection in shell commands, as far as the words alone
//! show it: it holds in every mode and nothing lifts it.

use crate::call::Access;
use crate::command::SimpleCommand;

/// Sub-commands of `countersign` that only look; all others are for people.
const LOOKING: &[&str] = &[
    "check", "explain", "log", "stats", "hooks", "doctor", "schema", "version", "help",
];

/// Programs whose operands are files that they change or replace.
const WRITERS: &[&str] = &[
    "chattr", "chgrp", "chmod", "chown", "cp", "dd", "install", "ln", "patch", "rsync", "setfacl",
    "sqlite3", "tee", "touch", "truncate",
];

/// Programs whose operands, or the folders they stand for, go away.
const REMOVERS: &[&str] = &["mv", "rename", "rm", "rmdir", "shred", "unlink"];

/// What a program of this name does to the files that its operands name, if
/// it changes them.
#[must_use]
pub fn changes_its_operands(name: &str) -> Option<Access> {
    if WRITERS.contains(&name) {
        Some(Access::Write)
    } else if REMOVERS.contains(&name) {
        Some(Access::Delete)
    } else {
        None
    }
}

/// Why a command is an attempt to drive the guard itself, if it is one:
/// `countersign` with any sub-command that could approve, grant, trust,
/// loosen, forge an event or switch off.
#[must_use]
pub fn drives_the_guard(command: &SimpleCommand) -> Option<String> {
    let name = command.base_name()?.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    if name != "countersign" {
        return None;
    }
    let mut words = command.words.iter().skip(1).map(|word| word.literal());
    let looks = match words.next() {
        None | Some(Some("--version" | "--help" | "-V" | "-h")) => true,
        Some(Some("log")) => words
            .all(|word| word.is_some_and(|word| word != "prune" && !word.starts_with("--anchor"))),
        Some(Some(sub_command)) => LOOKING.contains(&sub_command),
        // Not known before it runs.
        Some(None) => false,
    };
    (!looks).then(|| {
        "an agent may only look with `countersign` (check, explain, log, stats, hooks, doctor, \
         schema, version); everything else is for a person"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Word, WordValue};

    fn command(text: &str) -> SimpleCommand {
        SimpleCommand {
            words: text
                .split(' ')
                .map(|word| Word {
                    value: match word.strip_prefix('$') {
                        Some(_) => WordValue::Dynamic {
                            prefix: String::new(),
                        },
                        None => WordValue::Literal(word.to_owned()),
                    },
                    span: 0..0,
                })
                .collect(),
            ..SimpleCommand::default()
        }
    }

    #[test]
    fn looking_is_fine() {
        for text in [
            "countersign",
            "countersign --version",
            "countersign check -- ls",
            "countersign log --json",
            "countersign log verify",
            "/usr/local/bin/countersign schema",
            "grep countersign README.md",
            "countersigned trust",
        ] {
            assert_eq!(drives_the_guard(&command(text)), None, "{text}");
        }
    }

    #[test]
    fn driving_is_not() {
        for text in [
            "countersign trust",
            "countersign hook claude-code --event PostToolUse",
            "./target/release/countersign install claude-code",
            "countersign log prune",
            "countersign log verify --anchor=x",
            "countersign $SUB",
            "countersign log $X",
            "countersign --home /tmp trust",
            "Countersign.EXE uninstall qwen",
            "countersign demo",
        ] {
            assert!(drives_the_guard(&command(text)).is_some(), "{text}");
        }
    }
}
