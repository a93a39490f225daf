//! The shell's own commands and its environment.

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::{Doing, EffectKind};
use countersign_core::programs;

use super::Finder;

/// Built-ins that change nothing but the shell they run in, and whose effect
/// on what follows the view already knows.
const OWN: &[&str] = &[
    ":",
    "bg",
    "break",
    "cd",
    "chdir",
    "continue",
    "declare",
    "dirs",
    "disown",
    "eval",
    "exit",
    "export",
    "false",
    "fg",
    "getopts",
    "jobs",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "pushd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unset",
    "wait",
];

impl Finder<'_> {
    /// Whether the command is a built-in, which is then dealt with.
    pub(super) fn built_in(&mut self, name: &str) -> bool {
        let span = self.command.span.clone();
        match name {
            "exec" => {
                // With words it runs another program; without, only redirects.
                if self.command.words.len() > 1 {
                    self.unproven("`exec` is not looked through", span);
                }
                true
            }
            "." | "source" => {
                let script = self
                    .command
                    .words
                    .iter()
                    .skip(1)
                    .find(|word| word.literal() != Some("--"))
                    .cloned();
                match script {
                    Some(word) => self.touch(
                        countersign_core::effect::Touch::Execute,
                        &word.value,
                        word.span,
                        false,
                    ),
                    None => self.unproven("a script that is not named", span),
                }
                true
            }
            "alias" | "bind" | "complete" | "enable" | "hash" => {
                // `hash -r` only forgets where programs were found.
                let forgets = name == "hash"
                    && self.command.words.get(1).and_then(Word::literal) == Some("-r");
                if self.command.words.len() > 1 + usize::from(forgets) {
                    self.effect(EffectKind::Doing(Doing::Poisoning, name.to_owned()), span);
                }
                true
            }
            "jobs" | "mapfile" | "readarray" => {
                // `jobs -x` runs what follows, `mapfile -C` what its value says.
                let letter = if name == "jobs" { 'x' } else { 'C' };
                let runs = self.command.words.iter().skip(1).any(|word| {
                    let text = word.literal();
                    text.is_none_or(|text| text.starts_with('-') && text.contains(letter))
                });
                if runs {
                    self.unproven(format!("`{name}` may run a command"), span);
                }
                true
            }
            "declare" | "local" | "typeset" => {
                // Another name for a variable, which is evaluated when it is used.
                let renames = self.command.words.iter().skip(1).any(|word| {
                    let text = word.literal();
                    text.is_some_and(|text| text.starts_with('-') && text.contains('n'))
                });
                if renames {
                    self.unproven("a variable with another's name", span);
                }
                true
            }
            _ => OWN.contains(&name),
        }
    }

    /// Variables that the command sets for programs.
    pub(super) fn environment(&mut self) {
        for assignment in &self.command.assignments {
            let is_harmless = match &assignment.value {
                // `export NAME` and `unset NAME`.
                None => programs::is_harmless_variable(&assignment.name, ""),
                Some(WordValue::Literal(value)) => {
                    programs::is_harmless_variable(&assignment.name, value)
                }
                Some(WordValue::Glob(_) | WordValue::Dynamic { .. }) => {
                    programs::is_harmless_variable(&assignment.name, "")
                }
            };
            // Only `read` itself sees it.
            let is_for_read = assignment.for_this_command
                && assignment.name == "IFS"
                && self.command.name() == Some("read");
            let is_own =
                is_for_read || !assignment.for_this_command && is_of_the_script(&assignment.name);
            if !is_harmless && !is_own {
                self.effect(
                    EffectKind::Doing(Doing::Poisoning, format!("sets {}", assignment.name)),
                    assignment.span.clone(),
                );
            }
        }
    }
}

/// Whether a variable is one that scripts use for themselves: programs read
/// none of that name, so that it does not matter whether it is exported.
pub(crate) fn is_of_the_script(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.ends_with("_proxy")
        && !name.starts_with("npm_")
}
