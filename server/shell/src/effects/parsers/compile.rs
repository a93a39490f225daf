//! Compilers that only translate: which files they write under names of their
//! own, and what could make them run something.

mod cc;
mod javac;
mod rustc;

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

pub(super) use self::cc::cc;
pub(super) use self::javac::javac;
pub(super) use self::rustc::rustc;
use crate::effects::Finder;
use crate::effects::options::{self, Read};
use crate::knowledge::Command;

/// Reads the words, and notes what options do; `None` if they are not
/// understood.
fn read(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) -> Option<Read> {
    // Not all of them take it for the end of the options.
    if let Some(word) = words.iter().find(|word| word.literal() == Some("--")) {
        finder.unproven("`--` to a compiler", word.span.clone());
        return None;
    }
    match options::read(words, command, false) {
        Ok((read, _)) => {
            if let Some(value) = read
                .values
                .iter()
                .find(|value| literal(&value.value).is_none())
            {
                finder.unproven(
                    format!("the value of `{}` is known only when it runs", value.flag),
                    value.span.clone(),
                );
                return None;
            }
            finder.options(command, &read, span);
            Some(read)
        }
        Err(problem) => {
            let reason = format!("`{}`: {}", finder.shown(command), problem.reason);
            finder.unproven(reason, problem.span);
            None
        }
    }
}

/// Whether an option was given.
fn given(read: &Read, names: &[&str]) -> bool {
    read.flags.iter().any(|flag| names.contains(flag))
}

/// The last value of an option, which counts.
fn last<'a>(read: &'a Read, names: &[&str]) -> Option<&'a str> {
    read.values
        .iter()
        .rev()
        .find(|value| names.contains(&value.flag))
        .and_then(|value| literal(&value.value))
}

fn literal(value: &WordValue) -> Option<&str> {
    match value {
        WordValue::Literal(text) => Some(text),
        WordValue::Glob(_) | WordValue::Dynamic { .. } => None,
    }
}

/// A path, which never means standard input or output.
fn touch(finder: &mut Finder<'_>, touch: Touch, path: String, span: &Range<usize>) {
    let path = if path == "-" { "./-".to_owned() } else { path };
    finder.touch(touch, &WordValue::Literal(path), span.clone(), false);
}

/// A path's folder, empty or with a slash at its end, and its last name.
fn split(path: &str) -> (&str, &str) {
    match path.rfind('/') {
        Some(slash) => path.split_at(slash + 1),
        None => ("", path),
    }
}

/// A name without its ending, and the ending.
fn ending(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}
