//! Wrappers with options, operands and then a command.

use countersign_core::command::{Assignment, Below, Folder, Known, Word, WordValue};

use super::options::{self, Before, Spec};
use super::{Inner, Launcher, dynamic, with_placeholder};
use crate::state::State;
use crate::walk::{Walker, is_name};

const ENV: Spec = Spec {
    names: &["env"],
    flags: "i0v",
    values: "uCS",
    long_flags: &[
        "ignore-environment",
        "null",
        "debug",
        "block-signal",
        "default-signal",
        "ignore-signal",
        "list-signal-handling",
    ],
    long_values: &["unset", "chdir", "split-string"],
    ..Spec::NONE
};

const XARGS: Spec = Spec {
    names: &["xargs"],
    flags: "0rtpxo",
    values: "adEILnPs",
    attached: "eil",
    long_flags: &[
        "null",
        "no-run-if-empty",
        "verbose",
        "interactive",
        "exit",
        "open-tty",
        "show-limits",
        "eof",
        "replace",
        "max-lines",
    ],
    long_values: &[
        "arg-file",
        "delimiter",
        "max-args",
        "max-procs",
        "max-chars",
        "process-slot-var",
    ],
    ..Spec::NONE
};

const PARALLEL: Spec = Spec {
    names: &["parallel"],
    flags: "0kmqXt",
    values: "aIjLnNP",
    long_flags: &[
        "bar",
        "dry-run",
        "keep-order",
        "line-buffer",
        "lb",
        "no-run-if-empty",
        "null",
        "progress",
        "tag",
        "ungroup",
        "verbose",
        "will-cite",
        "xargs",
    ],
    long_values: &[
        "arg-file",
        "halt",
        "jobs",
        "max-args",
        "max-procs",
        "retries",
        "timeout",
    ],
    ..Spec::NONE
};

const FLOCK: Spec = Spec {
    names: &["flock"],
    flags: "sxenuoFv",
    values: "wE",
    long_flags: &[
        "shared",
        "exclusive",
        "nonblock",
        "nb",
        "unlock",
        "close",
        "no-fork",
        "verbose",
    ],
    long_values: &["wait", "timeout", "conflict-exit-code"],
    operands: 1,
    ..Spec::NONE
};

impl Walker {
    /// A launcher of the table.
    pub(super) fn wrapper(&mut self, launcher: &Launcher<'_>, spec: &Spec, state: &mut State) {
        // The log of strace may be a command.
        let Some(before) = options::read(launcher.words, 1, spec) else {
            self.not_understood(launcher, state);
            return;
        };
        let mut next = before.next;
        let mut assignments = Vec::new();
        if matches!(launcher.name, "sudo" | "doas") {
            while let Some(word) = launcher.words.get(next) {
                let Some(assignment) = assignment(word) else {
                    break;
                };
                self.judge_value(launcher, word);
                assignments.push(assignment);
                next += 1;
            }
        }
        if launcher.name == "repeat" {
            next += 1;
        }
        let words = launcher.words.get(next..).unwrap_or_default().to_vec();
        let folder = match before.value(&["D", "chdir", "wd", "w"]) {
            Some(to) => moved(state.folder(), to),
            None if matches!(launcher.name, "chroot" | "nsenter") => Folder::Unknown,
            None => state.folder().clone(),
        };
        let inner = Inner {
            words,
            assignments,
            folder,
            is_transparent: spec.is_transparent,
        };
        if matches!(
            launcher.name,
            "builtin" | "exec" | "noglob" | "nocorrect" | "repeat"
        ) {
            self.start(launcher, inner, state);
        } else {
            self.start(launcher, inner, &mut state.clone());
        }
    }

    /// `command`: transparent, and the command runs in this shell.
    pub(super) fn command_built_in(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let spec = Spec {
            flags: "pvV",
            ..Spec::NONE
        };
        let Some(before) = options::read(launcher.words, 1, &spec) else {
            self.not_understood(launcher, state);
            return;
        };
        if before.has("v") || before.has("V") {
            return;
        }
        let inner = Inner {
            words: launcher
                .words
                .get(before.next..)
                .unwrap_or_default()
                .to_vec(),
            assignments: Vec::new(),
            folder: state.folder().clone(),
            is_transparent: true,
        };
        self.start(launcher, inner, state);
    }

    /// A sub-command that runs the words after it.
    pub(super) fn runner(&mut self, launcher: &Launcher<'_>, at: usize, state: &mut State) {
        let Some(before) = options::read(launcher.words, at, &Spec::NONE) else {
            self.not_understood(launcher, state);
            return;
        };
        let words = launcher.words.get(before.next..).unwrap_or_default();
        self.start_words(launcher, words.to_vec(), state.folder().clone(), state);
    }

    /// Lists words that a program of its own process runs.
    pub(super) fn start_words(
        &mut self,
        launcher: &Launcher<'_>,
        words: Vec<Word>,
        folder: Folder,
        state: &State,
    ) {
        let inner = Inner {
            words,
            assignments: Vec::new(),
            folder,
            is_transparent: false,
        };
        self.start(launcher, inner, &mut state.child());
    }

    pub(super) fn env(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let Some(before) = options::read(launcher.words, 1, &ENV) else {
            self.not_understood(launcher, state);
            return;
        };
        let mut words: Vec<Word> = launcher
            .words
            .get(before.next..)
            .unwrap_or_default()
            .to_vec();
        let mut assignments = Vec::new();
        let span = launcher
            .words
            .first()
            .map(|word| word.span.clone())
            .unwrap_or_default();
        if let Some(text) = before.value(&["S", "split-string"]) {
            let Some(split) = split_string(text) else {
                self.not_understood(launcher, state);
                return;
            };
            let mut all: Vec<Word> = split
                .into_iter()
                .map(|text| Word {
                    value: WordValue::Literal(text),
                    span: span.clone(),
                })
                .collect();
            all.append(&mut words);
            words = all;
            // Options in the text would be read again.
            if words
                .first()
                .and_then(Word::literal)
                .is_some_and(|text| text.starts_with('-'))
            {
                self.not_understood(launcher, state);
                return;
            }
        }
        for given in &before.options {
            if matches!(given.name.as_str(), "u" | "unset") {
                assignments.push(Assignment {
                    name: given.value.clone().unwrap_or_default(),
                    value: None,
                    for_this_command: true,
                    span: span.clone(),
                });
            }
        }
        if words.first().and_then(Word::literal) == Some("-") {
            words.remove(0);
        }
        let mut count = 0;
        for word in &words {
            let Some(assignment) = assignment(word) else {
                break;
            };
            self.judge_value(launcher, word);
            assignments.push(assignment);
            count += 1;
        }
        words.drain(..count);
        // `env $X rm y`: the value may be an option that takes the next word.
        if words.first().is_some_and(|word| word.literal().is_none()) && words.len() > 1 {
            self.not_understood(launcher, state);
            return;
        }
        let folder = match before.value(&["C", "chdir"]) {
            Some(to) => moved(state.folder(), to),
            None => state.folder().clone(),
        };
        if words.is_empty() {
            if let Some(command) = self.commands.get_mut(launcher.index) {
                command.assignments.extend(assignments);
            }
            return;
        }
        let inner = Inner {
            words,
            assignments,
            folder,
            is_transparent: false,
        };
        self.start(launcher, inner, &mut state.child());
    }

    /// Without quotes a value that is not known may become several words, the
    /// second of which runs.
    fn judge_value(&mut self, launcher: &Launcher<'_>, word: &Word) {
        if word.literal().is_none() {
            self.findings.problem(
                format!("a value before what `{}` runs is not known", launcher.name),
                word.span.clone(),
            );
        }
    }

    pub(super) fn xargs(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let Some(before) = options::read(launcher.words, 1, &XARGS) else {
            self.not_understood(launcher, state);
            return;
        };
        let words = launcher.words.get(before.next..).unwrap_or_default();
        let Some(first) = words.first() else { return };
        let placeholder = match before.value(&["I", "i", "replace"]) {
            Some("") => Some("{}"),
            Some(placeholder) => Some(placeholder),
            None if before.has("i") || before.has("replace") => Some("{}"),
            None => None,
        };
        let below = found_by_xargs(launcher, &before, placeholder.is_some());
        let known = below.map_or(Known::Nothing, Known::Below);
        let words = match placeholder {
            Some(placeholder) => {
                let mut replaced = with_placeholder(words, placeholder);
                for (word, written) in replaced.iter_mut().zip(words) {
                    if written.literal() == Some(placeholder)
                        && let WordValue::Dynamic { known: own, .. } = &mut word.value
                    {
                        *own = known.clone();
                    }
                }
                replaced
            }
            None => {
                let is_known = known != Known::Nothing;
                let runs_on_nothing = !before.has("r") && !before.has("no-run-if-empty");
                if is_known && runs_on_nothing {
                    let folder = state.folder().clone();
                    self.start_words(launcher, words.to_vec(), folder, state);
                }
                let mut words = words.to_vec();
                let mut appended = dynamic("", first);
                if let WordValue::Dynamic { known: own, .. } = &mut appended.value {
                    *own = known;
                }
                words.push(appended);
                words
            }
        };
        self.start_words(launcher, words, state.folder().clone(), state);
    }

    pub(super) fn parallel(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let Some(before) = options::read(launcher.words, 1, &PARALLEL) else {
            self.not_understood(launcher, state);
            return;
        };
        let rest = launcher.words.get(before.next..).unwrap_or_default();
        let is_list = |word: &Word| word.literal().is_some_and(|text| text.starts_with(":::"));
        let end = rest.iter().position(is_list);
        let (words, arguments) = rest.split_at(end.unwrap_or(rest.len()));
        let Some(first) = words.first() else {
            // The arguments, or the lines of standard input, are commands.
            for word in arguments.iter().filter(|word| !is_list(word)) {
                self.shell_word(launcher, word, state);
            }
            if arguments.is_empty() {
                self.not_understood(launcher, state);
            }
            return;
        };
        let placeholder = |word: &Word| word.literal().is_some_and(|text| text.contains('{'));
        let mut inner = with_placeholder(words, "{");
        if !words.iter().any(placeholder) {
            inner.push(dynamic("", first));
        }
        self.start_words(launcher, inner, state.folder().clone(), state);
        // A shell reads the words again.
        let active = |word: &Word| {
            word.literal().is_none_or(|text| {
                text.contains(|next: char| " \t\n;&|<>()$`\\\"'*?[]#~".contains(next))
            })
        };
        if words.iter().any(active) {
            self.not_understood(launcher, state);
        }
    }

    pub(super) fn flock(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let Some(before) = options::read(launcher.words, 1, &FLOCK) else {
            self.not_understood(launcher, state);
            return;
        };
        let words = launcher.words.get(before.next..).unwrap_or_default();
        match (words.first().and_then(Word::literal), words.get(1)) {
            (Some("-c" | "--command"), Some(text)) => self.shell_word(launcher, text, state),
            (Some(option), _) if option.starts_with('-') => self.not_understood(launcher, state),
            _ => self.start_words(launcher, words.to_vec(), state.folder().clone(), state),
        }
    }
}

/// What `xargs` gives to its command.
fn found_by_xargs(launcher: &Launcher<'_>, before: &Before, replaces: bool) -> Option<Below> {
    let found = launcher.context.found.as_ref()?;
    if before.has("a") || before.has("arg-file") {
        return None;
    }
    let delimiter = before.value(&["d", "delimiter"]);
    let with_zero = before.has("0") || before.has("null") || delimiter == Some("\\0");
    let below = if with_zero {
        found.ends_with_zero.then(|| found.below.clone())
    } else {
        matches!(delimiter, None | Some("\\n" | "\n"))
            .then(|| found.split())
            .flatten()
    }?;
    let one = replaces || matches!(before.value(&["n", "max-args"]), Some("1"));
    Some(Below {
        several: !one,
        ..below
    })
}

/// Where `cd to` leads from a folder.
pub(crate) fn moved(from: &Folder, to: &str) -> Folder {
    match from {
        Folder::Call => Folder::Moved(vec![to.to_owned()]),
        Folder::Moved(steps) => {
            let mut steps = steps.clone();
            steps.push(to.to_owned());
            Folder::Moved(steps)
        }
        Folder::Unknown if to.starts_with('/') => Folder::Moved(vec![to.to_owned()]),
        Folder::Unknown => Folder::Unknown,
    }
}

/// The assignment that a word is, to a program that takes such words.
fn assignment(word: &Word) -> Option<Assignment> {
    let (text, is_whole) = match &word.value {
        WordValue::Literal(text) => (text, true),
        WordValue::Glob(text) => (text, false),
        WordValue::Dynamic { prefix, .. } => (prefix, false),
    };
    let (name, value) = text.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let value = if is_whole {
        WordValue::Literal(value.to_owned())
    } else {
        WordValue::unknown()
    };
    Some(Assignment {
        name: name.to_owned(),
        value: Some(value),
        for_this_command: true,
        span: word.span.clone(),
    })
}

/// The words of `env -S`, if nothing in it but blanks and quotes acts.
fn split_string(text: &str) -> Option<Vec<String>> {
    if text.contains(['\\', '$', '#']) {
        return None;
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for next in text.chars() {
        match (quote, next) {
            (Some(open), _) if next == open => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(next),
            (None, '\'' | '"') => {
                quote = Some(next);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\n') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(next),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
