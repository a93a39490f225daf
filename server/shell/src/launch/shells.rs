//! Texts that are handed to a shell: `bash -c`, eval, standard input, traps.

use countersign_core::call::ShellDialect;
use countersign_core::command::{Folder, Stdin, Word};

use super::Launcher;
use super::options::{self, Spec};
use crate::source::Source;
use crate::state::{State, Value};
use crate::walk::Walker;

const SHELLS: &[&str] = &[
    "ash", "bash", "dash", "ksh", "mksh", "rbash", "sh", "yash", "zsh",
];

/// Options of shells that take the next word.
const SHELL_VALUES: &[&str] = &["--init-file", "--rcfile"];
const SHELL_FLAGS: &[&str] = &[
    "--login",
    "--noediting",
    "--noprofile",
    "--norc",
    "--posix",
    "--restricted",
    "--verbose",
];

const WATCH: Spec = Spec {
    names: &["watch"],
    flags: "bcCegprtwx",
    values: "nq",
    attached: "d",
    long_flags: &[
        "beep",
        "color",
        "chgexit",
        "differences",
        "errexit",
        "exec",
        "no-rerun",
        "no-title",
        "no-wrap",
        "precise",
    ],
    long_values: &["equexit", "interval"],
    ..Spec::NONE
};

const SSH: Spec = Spec {
    names: &["ssh"],
    flags: "46AaCfGgKkMNnqsTtVvXxYy",
    values: "BbceEFIiJLlmOopPQRSWwD",
    operands: 1,
    ..Spec::NONE
};

pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name.trim_start_matches('-'))
}

/// What a shell was asked to run.
enum Asked<'a> {
    /// The text after `-c`; the parameters after it.
    Text(&'a Word, &'a [Word]),
    /// A script file.
    File(&'a Word),
    StandardInput,
    /// `--version`, `--help`.
    Nothing,
}

impl Walker {
    /// A Bourne shell.
    pub(super) fn shell(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let span = launcher
            .words
            .first()
            .map(|word| word.span.clone())
            .unwrap_or_default();
        let Some(asked) = asked(launcher.words) else {
            self.not_understood(launcher, state);
            return;
        };
        let mut child = state.child();
        match asked {
            Asked::Nothing => {}
            Asked::Text(word, parameters) => {
                for name in ["@", "*", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
                    if !parameters.is_empty() {
                        child.set(name, Value::Unknown);
                    }
                }
                self.child_text(launcher, word, &mut child);
            }
            Asked::File(word) => match word.literal() {
                Some("/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0") => {
                    self.standard_input(launcher, span, &mut child);
                }
                Some(_) => {}
                None => self
                    .findings
                    .problem("a shell runs a script that is not known", word.span.clone()),
            },
            Asked::StandardInput => self.standard_input(launcher, span, &mut child),
        }
    }

    /// Like [`Self::shell`] and [`Self::eval`], for a guess.
    pub(super) fn shell_text(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        if launcher.name == "eval" {
            self.eval(launcher, state);
        } else if let Some(Asked::Text(word, _)) = asked(launcher.words) {
            self.child_text(launcher, word, &mut state.child());
        }
    }

    /// Walks a text in the language of the launcher, which is a shell.
    fn child_text(&mut self, launcher: &Launcher<'_>, word: &Word, child: &mut State) {
        let dialect = match launcher.name.trim_start_matches('-') {
            "bash" | "rbash" => ShellDialect::Bash,
            "zsh" => ShellDialect::Zsh,
            _ => ShellDialect::Posix,
        };
        let outer = std::mem::replace(&mut self.findings.dialect, dialect);
        self.shell_word(launcher, word, child);
        self.findings.dialect = outer;
    }

    fn standard_input(
        &mut self,
        launcher: &Launcher<'_>,
        span: std::ops::Range<usize>,
        child: &mut State,
    ) {
        match (&launcher.context.input, launcher.context.stdin) {
            (Some(text), _) => {
                let word = Word {
                    value: countersign_core::command::WordValue::Literal(text.clone()),
                    span,
                };
                self.child_text(launcher, &word, child);
            }
            // An agent's command has none.
            (None, Stdin::Inherited) => {}
            (None, Stdin::Pipe | Stdin::Redirected) => self.findings.problem(
                "a shell reads commands that are not known from standard input",
                span,
            ),
        }
    }

    /// Walks a word that a shell takes for a text of commands.
    pub(super) fn shell_word(&mut self, launcher: &Launcher<'_>, word: &Word, state: &mut State) {
        let Some(text) = word.literal() else {
            self.findings.problem(
                format!("the text that `{}` runs is not known", launcher.name),
                word.span.clone(),
            );
            state.clobber();
            return;
        };
        let context = self.inner_context(launcher);
        let source = Source::in_word(text, word.span.clone());
        self.text(&source, state, &context);
    }

    pub(super) fn eval(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let from = match launcher.words.get(1).and_then(Word::literal) {
            Some("--") => 2,
            _ => 1,
        };
        self.joined(launcher, from, state);
    }

    /// Walks the words from `from` on as one text, in `state`.
    fn joined(&mut self, launcher: &Launcher<'_>, from: usize, state: &mut State) {
        let words = launcher.words.get(from..).unwrap_or_default();
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return;
        };
        let span = first.span.start..last.span.end.max(first.span.end);
        let texts: Option<Vec<&str>> = words.iter().map(Word::literal).collect();
        let word = match texts {
            Some(texts) => Word {
                value: countersign_core::command::WordValue::Literal(texts.join(" ")),
                span,
            },
            None => super::dynamic(
                "",
                &Word {
                    span,
                    ..first.clone()
                },
            ),
        };
        self.shell_word(launcher, &word, state);
    }

    /// `watch` and `ssh` hand their words, joined, to a shell.
    pub(super) fn joined_text(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let is_remote = launcher.name == "ssh";
        let spec = if is_remote { &SSH } else { &WATCH };
        let Some(before) = options::read(launcher.words, 1, spec) else {
            self.not_understood(launcher, state);
            return;
        };
        let runs_locally = before.options.iter().any(|given| {
            given.name == "o"
                && given
                    .value
                    .as_ref()
                    .is_some_and(|value| value.to_ascii_lowercase().contains("command"))
        });
        if is_remote && runs_locally {
            self.not_understood(launcher, state);
        }
        let mut child = state.child();
        if is_remote {
            child.set_folder(Folder::Unknown);
        }
        if before.has("x") && !is_remote {
            let words = launcher.words.get(before.next..).unwrap_or_default();
            self.start_words(launcher, words.to_vec(), state.folder().clone(), state);
        } else {
            self.joined(launcher, before.next, &mut child);
        }
    }

    /// `script -c text`, `su user -c text`: options may follow operands.
    pub(super) fn text_option(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let words = launcher.words;
        let mut found = false;
        for (at, word) in words.iter().enumerate().skip(1) {
            let Some(text) = word.literal() else { continue };
            let attached = text
                .strip_prefix("--command=")
                .or_else(|| text.strip_prefix("--session-command="));
            let is_letters = text.len() > 1
                && text.starts_with('-')
                && text.bytes().skip(1).all(|byte| byte.is_ascii_alphabetic());
            if let Some(attached) = attached {
                found = true;
                let word = Word {
                    value: countersign_core::command::WordValue::Literal(attached.to_owned()),
                    span: word.span.clone(),
                };
                self.shell_word(launcher, &word, &mut state.child());
            } else if matches!(text, "--command" | "--session-command")
                || (is_letters && text.ends_with('c'))
            {
                found = true;
                if let Some(word) = words.get(at + 1) {
                    self.shell_word(launcher, word, &mut state.child());
                }
            }
        }
        if !found || words.iter().any(|word| word.literal().is_none()) {
            self.not_understood(launcher, state);
        }
    }

    pub(super) fn trap(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let from = match launcher.words.get(1).and_then(Word::literal) {
            Some("--") => 2,
            Some("-l" | "-p") => return,
            _ => 1,
        };
        let (Some(action), Some(_)) = (launcher.words.get(from), launcher.words.get(from + 1))
        else {
            return;
        };
        if matches!(action.literal(), Some("" | "-")) {
            return;
        }
        // It may run at any later time.
        let mut later = state.probe();
        self.shell_word(launcher, action, &mut later);
        state.may_happen(&later);
    }

    pub(super) fn foreign_shell(&mut self, launcher: &Launcher<'_>) {
        let Some(first) = launcher.words.first() else {
            return;
        };
        if launcher.words.len() > 1 || launcher.context.stdin != Stdin::Inherited {
            self.findings.problem(
                format!("the language of `{}` is not analysed", launcher.name),
                first.span.clone(),
            );
        }
    }
}

/// Reads the options of a shell; `None` if they are not understood.
fn asked(words: &[Word]) -> Option<Asked<'_>> {
    let mut at = 1;
    let (mut takes_text, mut reads_input) = (false, false);
    while let Some(word) = words.get(at) {
        let Some(text) = word.literal() else {
            // An option, the text, or a script.
            return Some(if takes_text {
                Asked::Text(word, words.get(at + 1..).unwrap_or_default())
            } else {
                Asked::File(word)
            });
        };
        if matches!(text, "-" | "--") {
            at += 1;
            break;
        }
        if !text.starts_with(['-', '+']) || text.len() < 2 {
            break;
        }
        at += 1;
        if text.starts_with("--") {
            match text {
                "--version" | "--help" => return Some(Asked::Nothing),
                _ if SHELL_VALUES.contains(&text) => {
                    words.get(at)?.literal()?;
                    at += 1;
                }
                _ if SHELL_FLAGS.contains(&text) => {}
                _ => return None,
            }
            continue;
        }
        for letter in text.chars().skip(1) {
            match letter {
                'c' if text.starts_with('-') => takes_text = true,
                's' => reads_input = true,
                'o' | 'O' => {
                    words.get(at)?.literal()?;
                    at += 1;
                }
                'a'..='z' | 'A'..='Z' => {}
                _ => return None,
            }
        }
    }
    let rest = words.get(at..).unwrap_or_default();
    Some(match (rest.split_first(), takes_text, reads_input) {
        (Some((text, parameters)), true, _) => Asked::Text(text, parameters),
        (None, true, _) => Asked::Nothing,
        (Some((file, _)), false, false) => Asked::File(file),
        (_, false, _) => Asked::StandardInput,
    })
}
