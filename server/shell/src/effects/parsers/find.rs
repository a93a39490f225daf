//! `find`: where it looks, and what it does with what it finds.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;

/// Options before the paths.
const LEADING: &[&str] = &["-H", "-L", "-P", "-O0", "-O1", "-O2", "-O3"];

/// Tests, operators and actions without a value.
const PLAIN: &[&str] = &[
    "!",
    "(",
    ")",
    ",",
    "-a",
    "-and",
    "-d",
    "-daystart",
    "-depth",
    "-empty",
    "-executable",
    "-false",
    "-follow",
    "-ignore_readdir_race",
    "-ls",
    "-mount",
    "-nogroup",
    "-noignore_readdir_race",
    "-noleaf",
    "-not",
    "-nouser",
    "-nowarn",
    "-o",
    "-or",
    "-print",
    "-print0",
    "-prune",
    "-quit",
    "-readable",
    "-true",
    "-warn",
    "-writable",
    "-xdev",
];

/// Tests and actions with a value that is data.
const WITH_TEXT: &[&str] = &[
    "-amin",
    "-atime",
    "-cmin",
    "-context",
    "-ctime",
    "-fstype",
    "-gid",
    "-group",
    "-ilname",
    "-iname",
    "-inum",
    "-ipath",
    "-iregex",
    "-iwholename",
    "-links",
    "-lname",
    "-maxdepth",
    "-mindepth",
    "-mmin",
    "-mtime",
    "-name",
    "-newermt",
    "-path",
    "-perm",
    "-printf",
    "-regex",
    "-regextype",
    "-size",
    "-type",
    "-uid",
    "-used",
    "-user",
    "-wholename",
    "-xtype",
];

/// Tests with a value that is a file whose attributes are looked at.
const WITH_FILE: &[&str] = &["-anewer", "-cnewer", "-newer", "-samefile"];

/// Actions that run a command; the view looks through them.
const RUNS: &[&str] = &["-exec", "-execdir", "-ok", "-okdir"];

fn begins_expression(text: &str) -> bool {
    text.starts_with('-') || matches!(text, "!" | "(" | ")" | ",")
}

pub(super) fn find(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) {
    let mut rest = words.iter().peekable();
    let mut roots: Vec<&Word> = Vec::new();
    while let Some(word) = rest.peek() {
        match word.literal() {
            Some(text) if LEADING.contains(&text) && roots.is_empty() => {}
            Some(text) if begins_expression(text) => break,
            Some(_) => roots.push(word),
            None => match &word.value {
                WordValue::Glob(pattern) if !pattern.starts_with('-') => roots.push(word),
                _ => {
                    finder.unproven("where `find` begins is not known", word.span.clone());
                    return;
                }
            },
        }
        rest.next();
    }
    let mut deletes = false;
    while let Some(word) = rest.next() {
        let Some(name) = word.literal() else {
            finder.unproven(
                "a test of `find` is known only when it runs",
                word.span.clone(),
            );
            return;
        };
        if PLAIN.contains(&name) {
            continue;
        }
        if name == "-delete" {
            deletes = true;
        } else if WITH_TEXT.contains(&name) {
            // A value that is not known is one word or several; several would
            // be tests.
            match rest.next().map(|word| &word.value) {
                Some(WordValue::Literal(_)) => {}
                Some(WordValue::Glob(_) | WordValue::Dynamic { .. }) | None => {
                    finder.unproven(
                        format!("the value of `{name}` is not known"),
                        word.span.clone(),
                    );
                    return;
                }
            }
        } else if WITH_FILE.contains(&name) {
            match rest.next() {
                Some(file) if file.literal().is_some() => {
                    finder.touch(Touch::List, &file.value, file.span.clone(), false);
                }
                _ => {
                    finder.unproven(
                        format!("the value of `{name}` is not known"),
                        word.span.clone(),
                    );
                    return;
                }
            }
        } else if RUNS.contains(&name) {
            for inner in rest.by_ref() {
                if matches!(inner.literal(), Some(";" | "+")) {
                    break;
                }
            }
            if !finder.is_looked_through() {
                finder.unproven(
                    format!("what `{name}` runs is not known"),
                    word.span.clone(),
                );
            }
        } else {
            finder.unproven(
                format!("`{name}` of `find` is not known to be harmless"),
                word.span.clone(),
            );
            return;
        }
    }
    let here = WordValue::Literal(".".to_owned());
    let begins: Vec<(&WordValue, Range<usize>)> = if roots.is_empty() {
        vec![(&here, span.clone())]
    } else {
        roots
            .iter()
            .map(|word| (&word.value, word.span.clone()))
            .collect()
    };
    for (value, span) in begins {
        let touch = if deletes {
            Touch::DeleteTree
        } else {
            Touch::ListTree
        };
        finder.touch(touch, value, span, true);
    }
}
