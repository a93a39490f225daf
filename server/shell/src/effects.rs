//! What a command would do, derived from what its words mean to each program.

mod alternatives;
mod forms;
mod interpret;
mod options;
mod parsers;
mod scripts;
mod shell_built_ins;
mod tasks;

pub(crate) use self::shell_built_ins::is_of_the_script;

use countersign_core::command::{
    Below, CommandView, Folder, Known, RedirectKind, SimpleCommand, WordValue,
};
use countersign_core::effect::{Effect, EffectKind, Effects, Target, Touch, Unproven};

/// What the commands of a view would do.
#[must_use]
pub fn effects(view: &CommandView) -> Effects {
    let mut found = Effects::default();
    for problem in &view.problems {
        found.unproven.push(Unproven {
            reason: problem.reason.clone(),
            span: problem.span.clone().unwrap_or_default(),
        });
    }
    let mut budget = alternatives::MOST_OF_ALL;
    for (index, command) in view.commands.iter().enumerate() {
        let Some(alternatives) = alternatives::of(command, &mut budget) else {
            of_command(view, command, index, &mut found);
            continue;
        };
        for split in &alternatives.split {
            found.effects.push(Effect {
                kind: EffectKind::Path {
                    touch: Touch::List,
                    target: Target::SplitMatches {
                        pattern: split.pattern.clone(),
                        folder: command.folder.clone(),
                    },
                },
                command: index,
                span: split.span.clone(),
            });
        }
        let mut of_all = Effects::default();
        for command in &alternatives.commands {
            let mut of_one = Effects::default();
            of_command(view, command, index, &mut of_one);
            merge(&mut of_all.effects, of_one.effects);
            merge(&mut of_all.unproven, of_one.unproven);
        }
        found.effects.extend(of_all.effects);
        found.unproven.extend(of_all.unproven);
    }
    found
}

/// Whether it does no more to a pipe than to pass bytes through it.
const fn is_for_streams(touch: Touch) -> bool {
    matches!(
        touch,
        Touch::Read | Touch::ReadTree | Touch::List | Touch::ListTree | Touch::Write | Touch::Edit
    )
}

/// Adds what is not there yet.
fn merge<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

fn of_command(view: &CommandView, command: &SimpleCommand, index: usize, found: &mut Effects) {
    let mut of = Finder {
        view,
        command,
        index,
        found,
    };
    of.names_that_split();
    of.redirects();
    of.environment();
    of.words();
}

/// Finds out what one command does.
pub(crate) struct Finder<'a> {
    pub(crate) view: &'a CommandView,
    pub(crate) command: &'a SimpleCommand,
    pub(crate) index: usize,
    found: &'a mut Effects,
}

impl Finder<'_> {
    pub(crate) fn effect(&mut self, kind: EffectKind, span: std::ops::Range<usize>) {
        self.found.effects.push(Effect {
            kind,
            command: self.index,
            span,
        });
    }

    pub(crate) fn unproven(&mut self, reason: impl Into<String>, span: std::ops::Range<usize>) {
        self.found.unproven.push(Unproven {
            reason: reason.into(),
            span,
        });
    }

    /// A word in the place of a path. `may_be_option`: whether what it expands
    /// to could be taken for one.
    pub(crate) fn touch(
        &mut self,
        touch: Touch,
        word: &WordValue,
        span: std::ops::Range<usize>,
        may_be_option: bool,
    ) {
        let folder = self.command.folder.clone();
        let target = match word {
            // Standard input or output.
            WordValue::Literal(text) if text == "-" => return,
            WordValue::Literal(text) => Target::Path {
                text: text.clone(),
                folder,
            },
            WordValue::Glob(pattern) => Target::Glob {
                pattern: pattern.clone(),
                folder,
                may_be_option,
            },
            // What the commands at its other end do stands on its own.
            WordValue::Dynamic {
                known: Known::Stream,
                ..
            } if is_for_streams(touch) => return,
            WordValue::Dynamic {
                known: Known::Below(below),
                ..
            } if self.touch_below(touch, below, &span) => return,
            WordValue::Dynamic { .. } => {
                self.unproven("a path is known only when the command runs", span.clone());
                Target::Unknown
            }
        };
        self.effect(EffectKind::Path { touch, target }, span);
    }

    /// Paths that a search has found: all that it could have found is touched.
    /// `false` if that is not how to see it.
    fn touch_below(&mut self, touch: Touch, below: &Below, span: &std::ops::Range<usize>) -> bool {
        let touch = match touch {
            Touch::Read | Touch::ReadTree => Touch::ReadTree,
            Touch::List | Touch::ListTree => Touch::ListTree,
            Touch::Delete | Touch::DeleteTree => Touch::DeleteTree,
            _ => return false,
        };
        let folder = self.command.folder.clone();
        let is_there = (below.folder == folder && folder != Folder::Unknown)
            || below.roots.iter().all(|root| root.starts_with(['/', '~']));
        if !is_there {
            return false;
        }
        for root in &below.roots {
            let (text, folder) = (root.clone(), folder.clone());
            let target = Target::Path { text, folder };
            self.effect(EffectKind::Path { touch, target }, span.clone());
            let (text, folder) = (root.clone(), self.command.folder.clone());
            if below.may_be_link && touch == Touch::ReadTree {
                let target = Target::Links { text, folder };
                self.effect(EffectKind::Path { touch, target }, span.clone());
            }
        }
        true
    }

    /// What is known of some words holds only for names without blanks.
    fn names_that_split(&mut self) {
        let targets = self.command.redirects.iter();
        let targets = targets.filter_map(|redirect| redirect.target.as_ref());
        for word in self.command.words.iter().chain(targets) {
            let WordValue::Dynamic {
                known: Known::Below(below),
                ..
            } = &word.value
            else {
                continue;
            };
            for root in below.roots.iter().filter(|_| below.is_split) {
                let target = Target::Pieces {
                    text: root.clone(),
                    folder: below.folder.clone(),
                };
                let touch = Touch::List;
                self.effect(EffectKind::Path { touch, target }, word.span.clone());
            }
        }
    }

    fn redirects(&mut self) {
        for redirect in &self.command.redirects {
            let touch = match redirect.kind {
                RedirectKind::Read => Touch::Read,
                RedirectKind::Write => Touch::Write,
                RedirectKind::Append | RedirectKind::ReadWrite => Touch::Edit,
                RedirectKind::Descriptor | RedirectKind::Here => continue,
            };
            if let Some(word) = &redirect.target {
                self.touch(touch, &word.value, redirect.span.clone(), false);
            }
        }
    }
}
