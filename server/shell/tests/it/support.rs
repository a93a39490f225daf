//! Views in a short notation, so that tests read as tables.

use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::{
    CommandView, Folder, Known, Origin, RedirectKind, SimpleCommand, Stdin, Word, WordValue,
};

pub fn view(text: &str) -> CommandView {
    view_in(text, ShellDialect::Bash)
}

pub fn view_in(text: &str, dialect: ShellDialect) -> CommandView {
    countersign_shell::view(&CommandText {
        text: text.to_owned(),
        dialect,
    })
}

/// A word: literal text, `glob:…`, or the known prefix and `…`.
pub fn word(word: &Word) -> String {
    value(&word.value)
}

pub fn value(value: &WordValue) -> String {
    match value {
        WordValue::Literal(text) => text.clone(),
        WordValue::Glob(text) => format!("glob:{text}"),
        WordValue::Dynamic { prefix, known } => match known {
            Known::OneOf(choice) => {
                let values: Vec<String> = choice.values.iter().map(self::value).collect();
                format!("{{{}}}", values.join(","))
            }
            _ => format!("{prefix}…"),
        },
    }
}

/// What is known of the words of a command but for literals, in a word each.
pub fn known(command: &SimpleCommand) -> String {
    let kind = |word: &Word| match &word.value {
        WordValue::Literal(text) => text.clone(),
        WordValue::Glob(_) => "glob".to_owned(),
        WordValue::Dynamic { known, .. } => match known {
            Known::Nothing => "any".to_owned(),
            Known::OneWord => "one".to_owned(),
            Known::Natural => "natural".to_owned(),
            Known::Integer => "integer".to_owned(),
            Known::OneOf(choice) if choice.splits => "splits".to_owned(),
            Known::OneOf(_) => value(&word.value),
            Known::Stream => "stream".to_owned(),
            Known::Below(below) => format!(
                "below({}{}{}{})",
                below.roots.join(","),
                if below.several { " several" } else { "" },
                if below.may_be_link { " links" } else { "" },
                if below.is_split { " split" } else { "" },
            ),
        },
    };
    command.words.iter().map(kind).collect::<Vec<_>>().join("|")
}

/// The words of a command, joined with a bar.
pub fn words(command: &SimpleCommand) -> String {
    command.words.iter().map(word).collect::<Vec<_>>().join("|")
}

/// All commands of a text, each as its words.
pub fn commands(text: &str) -> Vec<String> {
    view(text).commands.iter().map(words).collect()
}

pub fn problems(text: &str) -> Vec<String> {
    view(text)
        .problems
        .into_iter()
        .map(|problem| problem.reason)
        .collect()
}

/// Asserts the commands of a text that is wholly understood.
#[track_caller]
pub fn check(text: &str, expected: &[&str]) {
    let view = view(text);
    let found: Vec<String> = view.commands.iter().map(words).collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(view.problems, [], "{text}");
}

/// Asserts the commands of a text that is not wholly understood.
#[track_caller]
pub fn check_with_problem(text: &str, expected: &[&str], problem: &str) {
    assert_eq!(commands(text), expected, "{text}");
    let problems = problems(text);
    assert!(
        problems.iter().any(|reason| reason.contains(problem)),
        "{text}: {problems:?}"
    );
}

/// Asserts that nothing is known of a text, and why.
#[track_caller]
pub fn check_refused(text: &str, problem: &str) {
    let view = view(text);
    assert_eq!(view.commands, [], "{text}");
    assert!(
        view.problems
            .iter()
            .any(|found| found.reason.contains(problem)),
        "{text}: {:?}",
        view.problems
    );
}

/// Where each command runs and how it comes to.
pub fn origins(text: &str) -> Vec<String> {
    view(text)
        .commands
        .iter()
        .map(|command| {
            let how = match command.origin {
                Origin::Direct => "direct".to_owned(),
                Origin::Wrapped { by } => format!("wrapped {by}"),
                Origin::Launched { by } => format!("launched {by}"),
                Origin::Substituted => "substituted".to_owned(),
                Origin::Function => "function".to_owned(),
            };
            format!("{}: {how}", words(command))
        })
        .collect()
}

pub fn folders(text: &str) -> Vec<String> {
    view(text)
        .commands
        .iter()
        .map(|command| {
            let folder = match &command.folder {
                Folder::Call => "call".to_owned(),
                Folder::Moved(steps) => steps.join(" > "),
                Folder::Unknown => "unknown".to_owned(),
            };
            format!("{}: {folder}", words(command))
        })
        .collect()
}

pub fn redirects(text: &str) -> Vec<String> {
    view(text)
        .commands
        .iter()
        .map(|command| {
            let redirects: Vec<String> = command
                .redirects
                .iter()
                .map(|redirect| {
                    let kind = match redirect.kind {
                        RedirectKind::Read => "read",
                        RedirectKind::Write => "write",
                        RedirectKind::Append => "append",
                        RedirectKind::ReadWrite => "read-write",
                        RedirectKind::Descriptor => "descriptor",
                        RedirectKind::Here => "here",
                    };
                    match &redirect.target {
                        Some(target) => format!("{kind} {}", word(target)),
                        None => kind.to_owned(),
                    }
                })
                .collect();
            let stdin = match command.stdin {
                Stdin::Inherited => "",
                Stdin::Pipe => " (pipe)",
                Stdin::Redirected => " (redirected)",
            };
            format!("{}: {}{stdin}", words(command), redirects.join(", "))
        })
        .collect()
}

/// Whether a command of this name is listed, or something is not understood.
pub fn shows(view: &CommandView, name: &str) -> bool {
    !view.problems.is_empty()
        || view.commands.iter().any(|command| {
            command
                .base_name()
                .is_some_and(|base| base.eq_ignore_ascii_case(name))
        })
}
