//! What a command would do, derived from what its words mean to each program.

mod interpret;
mod options;
mod parsers;
mod shell_built_ins;

use countersign_core::command::{CommandView, RedirectKind, SimpleCommand, WordValue};
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
    for (index, command) in view.commands.iter().enumerate() {
        let mut of = Finder {
            view,
            command,
            index,
            found: &mut found,
        };
        of.redirects();
        of.environment();
        of.words();
    }
    found
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
            WordValue::Dynamic { .. } => {
                self.unproven("a path is known only when the command runs", span.clone());
                Target::Unknown
            }
        };
        self.effect(EffectKind::Path { touch, target }, span);
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
