//! Attacks on the guard's own files and processes.

use countersign_core::call::Access;
use countersign_core::command::{SimpleCommand, Stdin, Word, WordValue};
use countersign_core::effect::{Target, Touch};
use countersign_core::guard;

use super::search::search;
use super::{Case, Found, has_option, literals, words_at};

/// Whether a text names the guard.
pub(super) fn names_the_guard(text: &str) -> bool {
    text.to_ascii_lowercase().contains("countersign")
}

impl Case<'_> {
    /// Its files, sockets, state or trust would be changed.
    pub(super) fn changes_the_guard(&self) -> Found {
        let by_effect = self.certain().find_map(|(touch, target, effect, command)| {
            if !touch.changes() {
                return None;
            }
            let mut places = self.places_of(target, touch);
            if *target == Target::Unknown {
                // Whatever comes behind it, it lies in that folder.
                places.extend(words_at(command, &effect.span).filter_map(|word| {
                    let WordValue::Dynamic { prefix, .. } = &word.value else {
                        return None;
                    };
                    let (folder, _) = prefix.rsplit_once('/')?;
                    let within = self.world.place(folder, &command.folder, Touch::Write);
                    Some(within)
                }));
            }
            let touch = if *target == Target::Unknown {
                Touch::Write
            } else {
                touch
            };
            let own = places
                .iter()
                .find(|place| (self.stakes.is_guards_own)(place, touch))?;
            Some((
                format!("would change the guard's own files: {}", own.path),
                effect.span.clone(),
            ))
        });
        by_effect
            .or_else(|| self.operands_are_the_guards())
            .or_else(|| self.searches_for_the_guard())
    }

    /// The same by the words of programs that are known to change what they
    /// name, whatever their options are.
    fn operands_are_the_guards(&self) -> Found {
        self.named().find_map(|(_, name, command)| {
            let access = guard::changes_its_operands(command)?;
            if matches!(name.as_str(), "find" | "gfind" | "git") {
                return None;
            }
            let mut words = command.words.iter().enumerate().skip(1);
            words.find_map(|(index, word)| {
                let (text, is_whole) = match &word.value {
                    WordValue::Literal(text) => (text.as_str(), true),
                    // Whatever comes behind it, it lies in that folder.
                    WordValue::Dynamic { prefix, .. } => (prefix.rsplit_once('/')?.0, false),
                    WordValue::Glob(_) => return None,
                };
                if text.is_empty() || text.starts_with('-') {
                    return None;
                }
                let takes_folders = name != "rm" || has_option(command, &['r', 'R'], "recursive");
                let touch = match guard::changes_operand(command, access, index) {
                    Access::Delete if is_whole && takes_folders => Touch::DeleteTree,
                    _ => Touch::Write,
                };
                let place = self.world.place(text, &command.folder, touch);
                (self.stakes.is_guards_own)(&place, touch).then(|| {
                    (
                        format!(
                            "`{name}` would change the guard's own files: {}",
                            place.path
                        ),
                        word.span.clone(),
                    )
                })
            })
        })
    }

    /// A search that looks for the guard's files, or takes everything, and
    /// deletes what it finds.
    fn searches_for_the_guard(&self) -> Found {
        self.named().find_map(|(index, name, command)| {
            if !matches!(name.as_str(), "find" | "gfind") {
                return None;
            }
            let search = search(command)?;
            let is_meant = search.names.iter().any(|name| names_the_guard(name));
            let removes = search.deletes
                || is_meant && self.removers_of(&search).next().is_some()
                || self.hands_all_to_a_remover(index, &search);
            if !removes || search.is_narrowed && !is_meant {
                return None;
            }
            search.roots.iter().find_map(|root| {
                let place = self.world.place(root, &command.folder, Touch::DeleteTree);
                (self.stakes.is_guards_own)(&place, Touch::DeleteTree).then(|| {
                    (
                        format!("would delete the guard's own files below {}", place.path),
                        command.span.clone(),
                    )
                })
            })
        })
    }

    /// Its processes would be stopped.
    pub(super) fn kills_the_guard(&self) -> Found {
        self.named().find_map(|(index, name, command)| {
            let is_named =
                || literals(command).any(|word| !word.starts_with("--") && names_the_guard(word));
            let has = |stops: &[&str]| literals(command).any(|word| stops.contains(&word));
            let kills = match name.as_str() {
                "pkill" | "killall" => is_named(),
                "kill" => {
                    let is_open = command
                        .words
                        .iter()
                        .skip(1)
                        .any(|word| word.literal().is_none());
                    (is_open || command.words.len() == 1 || command.stdin == Stdin::Pipe)
                        && self.looks_for_the_process(index)
                }
                "xargs" => has(&["kill"]) && self.looks_for_the_process(index),
                "systemctl" | "service" => is_named() && has(&["disable", "kill", "mask", "stop"]),
                "launchctl" => is_named() && has(&["bootout", "kill", "remove", "stop", "unload"]),
                _ => false,
            };
            kills.then(|| {
                (
                    format!("`{name}` would stop the guard"),
                    command.span.clone(),
                )
            })
        })
    }

    /// Whether another command finds out the guard's process.
    fn looks_for_the_process(&self, but: usize) -> bool {
        let asks = |command: &SimpleCommand| {
            matches!(
                command.base_name(),
                Some("awk" | "grep" | "egrep" | "lsof" | "fuser" | "pgrep" | "pidof" | "cat")
            ) && command
                .words
                .iter()
                .skip(1)
                .filter_map(Word::literal)
                .any(names_the_guard)
        };
        let mut others = self.view.commands.iter().enumerate();
        others.any(|(index, command)| index != but && asks(command))
    }
}
