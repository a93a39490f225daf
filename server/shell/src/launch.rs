//! Commands that run other commands: what they run, if their options are
//! understood.

mod by_option;
mod containers;
mod find;
mod found;
mod options;
mod shells;
mod tables;
mod wrappers;

use countersign_core::command::{
    Assignment, Folder, Known, Origin, SimpleCommand, Word, WordValue,
};

pub(crate) use self::found::{Found, printed as printed_paths};
pub(crate) use self::wrappers::moved;
use crate::expand::literal_beginning;
use crate::findings::NESTING;
use crate::state::State;
use crate::walk::{Context, Walker};

/// Most commands listed because wrappers are not understood.
const GUESSES: usize = 500;
/// Most words of one wrapper that may each be the name of what it runs.
const SUFFIXES: usize = 64;

/// A command that runs another one.
pub(crate) struct Launcher<'a> {
    /// Its index among the commands.
    pub(crate) index: usize,
    /// Its last path segment in lower case, without `.exe`.
    pub(crate) name: &'a str,
    /// All its words.
    pub(crate) words: &'a [Word],
    pub(crate) context: &'a Context,
}

/// What a launcher runs.
pub(crate) struct Inner {
    pub(crate) words: Vec<Word>,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) folder: Folder,
    /// Whether the launcher only changes how it runs.
    pub(crate) is_transparent: bool,
}

/// The last segment of a command's name, as the tables have it.
pub(crate) fn table_name(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    base.strip_suffix(".exe").map(str::to_owned).unwrap_or(base)
}

impl Walker {
    /// Follows what a command with words does: to the shell it runs in, and to
    /// other commands.
    pub(crate) fn run(&mut self, index: usize, state: &mut State, context: &Context) {
        let Some(command) = self.commands.get(index) else {
            return;
        };
        let words = command.words.clone();
        let Some(first) = words.first() else {
            return;
        };
        let Some(name) = first.literal() else {
            self.findings.problem(
                "the name of a command is not known before it runs",
                first.span.clone(),
            );
            state.clobber();
            return;
        };
        if context.depth > NESTING {
            self.findings
                .problem(format!("nesting deeper than {NESTING}"), first.span.clone());
            return;
        }
        if !name.contains('/') {
            self.built_in(index, name, &words, state);
        }
        let table_name = table_name(name);
        let launcher = Launcher {
            index,
            name: &table_name,
            words: &words,
            context,
        };
        self.launch(&launcher, state);
    }

    fn launch(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        if launcher.name.starts_with('-') {
            self.not_understood(launcher, state);
            return;
        }
        if asks_what_it_is(launcher) {
            return;
        }
        if self
            .commands
            .get(launcher.index)
            .is_some_and(|command| by_option::runs_another(launcher.name, command))
        {
            self.list_unknown(launcher);
        }
        match launcher.name {
            "env" => self.env(launcher, state),
            "find" | "gfind" => self.find(launcher, state),
            "fd" | "fdfind" => self.fd(launcher, state),
            "xargs" | "gxargs" => self.xargs(launcher, state),
            "parallel" => self.parallel(launcher, state),
            "eval" => self.eval(launcher, state),
            "trap" => self.trap(launcher, state),
            "watch" | "ssh" => self.joined_text(launcher, state),
            "flock" => self.flock(launcher, state),
            "script" | "su" | "runuser" => self.text_option(launcher, state),
            "docker" | "podman" | "nerdctl" | "kubectl" | "oc" => self.container(launcher, state),
            "command" => self.command_built_in(launcher, state),
            name if shells::is_shell(name) => self.shell(launcher, state),
            name if tables::FOREIGN_SHELLS.contains(&name) => self.foreign_shell(launcher),
            name if tables::OPAQUE.contains(&name) || tables::is_loader(name) => {
                self.not_understood(launcher, state);
            }
            _ => {
                if let Some(spec) = tables::spec(launcher.name) {
                    self.wrapper(launcher, spec, state);
                } else if let Some(at) = tables::runner(launcher.name, launcher.words) {
                    self.runner(launcher, at, state);
                }
            }
        }
    }

    /// Lists what a launcher runs, and follows it.
    pub(crate) fn start(&mut self, launcher: &Launcher<'_>, inner: Inner, state: &mut State) {
        let Inner {
            words,
            mut assignments,
            folder,
            is_transparent,
        } = inner;
        let (Some(first), Some(outer)) = (words.first(), self.commands.get(launcher.index)) else {
            return;
        };
        let end = words.last().map_or(first.span.end, |word| word.span.end);
        let span = first.span.start..end.max(first.span.end);
        let by = launcher.index;
        let from_outer = outer.assignments.iter().filter(|one| one.for_this_command);
        assignments.extend(from_outer.cloned());
        let origin = if is_transparent {
            Origin::Wrapped { by }
        } else {
            Origin::Launched { by }
        };
        let command = SimpleCommand {
            span,
            redirects: outer.redirects.clone(),
            stdin: outer.stdin,
            input: outer.input.clone().filter(|_| is_transparent),
            operands: Vec::new(),
            program: None,
            words: if folder == outer.folder {
                words
            } else {
                words.into_iter().map(elsewhere).collect()
            },
            assignments,
            folder,
            origin,
        };
        let Some(index) = self.list_command(command) else {
            return;
        };
        if let Some(text) = &launcher.context.input {
            self.inputs.insert(index, text.clone());
        }
        let context = self.inner_context(launcher);
        self.run(index, state, &context);
    }

    /// The context of what a launcher runs.
    pub(crate) fn inner_context(&self, launcher: &Launcher<'_>) -> Context {
        Context {
            origin: Origin::Launched { by: launcher.index },
            depth: launcher.context.depth + 1,
            redirects: Vec::new(),
            ..launcher.context.clone()
        }
    }

    /// Lists a command of which nothing is known but that this one runs it.
    fn list_unknown(&mut self, launcher: &Launcher<'_>) {
        let Some(first) = launcher.words.first() else {
            return;
        };
        // Without a place in the list there is a problem instead.
        let _ = self.list_command(SimpleCommand {
            words: vec![dynamic("", first)],
            folder: Folder::Unknown,
            origin: Origin::Launched { by: launcher.index },
            span: first.span.clone(),
            ..SimpleCommand::default()
        });
    }

    /// Lists every run of words behind a launcher whose options are not
    /// understood, so that no command hides in it.
    pub(crate) fn not_understood(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let span = launcher.words.first().map(|word| word.span.clone());
        self.findings.problem(
            format!("what `{}` runs is not understood", launcher.name),
            span.unwrap_or_default(),
        );
        for at in 1..launcher.words.len().min(SUFFIXES) {
            let Some(words) = launcher.words.get(at..) else {
                return;
            };
            let Some(first) = words.first() else { return };
            let can_start = first.literal().is_some_and(|text| !text.starts_with('-'));
            if !can_start || self.guesses >= GUESSES {
                continue;
            }
            let command = SimpleCommand {
                words: words.to_vec(),
                folder: Folder::Unknown,
                stdin: launcher.context.stdin,
                origin: Origin::Launched { by: launcher.index },
                span: first.span.clone(),
                ..SimpleCommand::default()
            };
            let Some(index) = self.list_command(command) else {
                return;
            };
            self.guesses += 1;
            let name = table_name(first.literal().unwrap_or_default());
            if shells::is_shell(&name) || name == "eval" {
                let context = self.inner_context(launcher);
                let guess = Launcher {
                    index,
                    name: &name,
                    words,
                    context: &context,
                };
                self.shell_text(&guess, &mut state.child());
            }
        }
    }
}

/// A word in a command that runs in another folder than the shell that expanded
/// its patterns.
fn elsewhere(word: Word) -> Word {
    let known = match &word.value {
        WordValue::Glob(pattern) if !pattern.starts_with(['/', '~', '\\']) => Known::Nothing,
        WordValue::Dynamic {
            known: Known::OneOf(choice),
            ..
        } if choice
            .values
            .iter()
            .any(|value| !matches!(value, WordValue::Literal(_))) =>
        {
            Known::Nothing
        }
        _ => return word,
    };
    let prefix = match &word.value {
        WordValue::Glob(pattern) => literal_beginning(pattern),
        WordValue::Dynamic { prefix, .. } => prefix.clone(),
        WordValue::Literal(_) => String::new(),
    };
    Word {
        value: WordValue::Dynamic { prefix, known },
        span: word.span,
    }
}

/// Built-ins and keywords that take `--version` for a command.
const RUN_ANYTHING: &[&str] = &[
    "builtin",
    "command",
    "eval",
    "exec",
    "nocorrect",
    "noglob",
    "repeat",
    "time",
    "trap",
];

/// Whether a launcher is only asked for its version or its help: then it runs
/// nothing.
fn asks_what_it_is(launcher: &Launcher<'_>) -> bool {
    let [_, word] = launcher.words else {
        return false;
    };
    matches!(word.literal(), Some("--version" | "--help")) && !RUN_ANYTHING.contains(&launcher.name)
}

/// A word that is only known once the command runs.
pub(crate) fn dynamic(prefix: &str, like: &Word) -> Word {
    Word {
        value: WordValue::Dynamic {
            prefix: prefix.to_owned(),
            known: Known::Nothing,
        },
        span: like.span.clone(),
    }
}

/// The words in which a launcher replaces `placeholder`.
pub(crate) fn with_placeholder(words: &[Word], placeholder: &str) -> Vec<Word> {
    words
        .iter()
        .map(|word| match word.literal() {
            Some(text) if text.contains(placeholder) => {
                let prefix = text.split(placeholder).next().unwrap_or_default();
                dynamic(prefix, word)
            }
            _ => word.clone(),
        })
        .collect()
}
