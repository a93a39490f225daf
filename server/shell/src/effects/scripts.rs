//! Files that are run as shell scripts: by their path, or by a shell.

use std::ops::Range;

use countersign_core::call::ShellDialect;
use countersign_core::command::{Stdin, Word, WordValue};
use countersign_core::effect::{EffectKind, Script, Target, Touch};
use countersign_core::programs;

use super::Finder;

impl Finder<'_> {
    /// A program that is named by its path may be a script.
    pub(super) fn is_script(&mut self, name: &str, words: &[Word], span: &Range<usize>) -> bool {
        name.contains('/') && self.script(name, None, words, span)
    }

    /// `bash [-eux] FILE [ARGUMENT…]`
    pub(super) fn runs_script(&mut self, span: &Range<usize>) -> bool {
        let dialect = match self.command.name().map(programs::bare_name) {
            Some("bash") => ShellDialect::Bash,
            Some("sh" | "dash") => ShellDialect::Posix,
            _ => return false,
        };
        let words = self.command.words.get(1..).unwrap_or_default();
        if let [only_checks, file] = words
            && only_checks.literal() == Some("-n")
            && file
                .literal()
                .is_some_and(|text| !text.starts_with(['-', '+']))
        {
            self.touch(Touch::Read, &file.value, file.span.clone(), false);
            return true;
        }
        let is_harmless = |word: &&Word| {
            word.literal()
                .and_then(|text| text.strip_prefix('-'))
                .is_some_and(|letters| {
                    !letters.is_empty() && letters.chars().all(|letter| "eux".contains(letter))
                })
        };
        let options = words.iter().take_while(is_harmless).count();
        let Some((file, arguments)) = words.get(options..).and_then(<[Word]>::split_first) else {
            return false;
        };
        let Some(text) = file.literal().filter(|text| !text.starts_with(['-', '+'])) else {
            return false;
        };
        let text = text.to_owned();
        if !self.script(&text, Some(dialect), arguments, span) {
            return false;
        }
        self.effect(
            EffectKind::Path {
                touch: Touch::Execute,
                target: Target::Path {
                    text,
                    folder: self.command.folder.clone(),
                },
            },
            file.span.clone(),
        );
        true
    }

    /// What the script is given must be plain: it reads no other words than
    /// these, and no standard input.
    fn script(
        &mut self,
        text: &str,
        dialect: Option<ShellDialect>,
        arguments: &[Word],
        span: &Range<usize>,
    ) -> bool {
        let is_plain = |word: &Word| matches!(word.value, WordValue::Literal(_));
        if !arguments.iter().all(is_plain) || self.command.stdin != Stdin::Inherited {
            return false;
        }
        let script = Script {
            text: text.to_owned(),
            folder: self.command.folder.clone(),
            dialect,
        };
        self.effect(EffectKind::Script(script), span.clone());
        true
    }
}
