//! `awk`: a script that is read far enough to know that it runs nothing and
//! which files it reads and writes.

mod script;
mod tokens;

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;
use crate::effects::options::{self, Operand};
use crate::knowledge::Command;

/// A file that a script names.
pub(super) struct Named {
    pub(super) touch: Touch,
    pub(super) path: String,
}

pub(super) fn awk(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let read = match options::read(words, command, false) {
        Ok((read, _)) => read,
        Err(problem) => {
            finder.unproven(format!("`awk`: {}", problem.reason), problem.span);
            return;
        }
    };
    for value in &read.values {
        // A value that is not known is one word; only the name matters.
        let (WordValue::Literal(text)
        | WordValue::Glob(text)
        | WordValue::Dynamic { prefix: text, .. }) = &value.value;
        if matches!(value.flag, "-v" | "--assign") && assigned(text).is_none_or(names_files) {
            finder.unproven("a variable of `awk` is not understood", value.span.clone());
            return;
        }
    }
    let Some((first, files)) = read.operands.split_first() else {
        finder.unproven("`awk` without a script", span.clone());
        return;
    };
    let WordValue::Literal(text) = &first.value else {
        finder.unproven(
            "the script of `awk` is known only when it runs",
            first.span.clone(),
        );
        return;
    };
    match script::script(text) {
        Ok(named) => {
            for file in named {
                let value = WordValue::Literal(file.path);
                finder.touch(file.touch, &value, first.span.clone(), false);
            }
        }
        Err(reason) => {
            finder.unproven(format!("`awk`: {reason}"), first.span.clone());
            return;
        }
    }
    for file in files {
        operand(finder, file);
    }
}

/// A file, or an assignment.
fn operand(finder: &mut Finder<'_>, file: &Operand) {
    if let WordValue::Literal(text) = &file.value
        && let Some(name) = assigned(text)
    {
        if names_files(name) {
            finder.unproven("a variable of `awk` is not understood", file.span.clone());
        }
        return;
    }
    // Most awks take no more options behind the script, but not all.
    if matches!(&file.value, WordValue::Literal(text) if text.starts_with('-') && text != "-") {
        finder.unproven("an option behind the script of `awk`", file.span.clone());
        return;
    }
    // What a pattern matches may look like an assignment: then less is read.
    finder.touch(Touch::Read, &file.value, file.span.clone(), true);
}

/// The name of the variable that a word sets.
fn assigned(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('=')?;
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    (begins && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(name)
}

/// Whether a variable says which files are read.
fn names_files(name: &str) -> bool {
    script::FORBIDDEN.contains(&name) || matches!(name, "ARGV" | "ARGC")
}
