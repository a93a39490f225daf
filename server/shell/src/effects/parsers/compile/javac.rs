//! `javac`: where classes go, and what on the class path it would run.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use super::{ending, given, last, read, split, touch};
use crate::effects::Finder;
use crate::knowledge::Command;

/// Files in a folder of the class path that name classes for `javac` to run.
const SERVICES: &[&str] = &[
    "META-INF/services/javax.annotation.processing.Processor",
    "META-INF/services/com.sun.source.util.Plugin",
];

pub(in super::super) fn javac(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let Some(read) = read(finder, command, words, span) else {
        return;
    };
    let class_path = last(&read, &["-cp", "-classpath", "--class-path"]).unwrap_or(".");
    let class_path: Vec<&str> = entries(class_path).collect();
    // The shell expands only the first, and that not always.
    if class_path.iter().any(|entry| entry.starts_with('~')) {
        finder.unproven("a class path that may mean a home folder", span.clone());
        return;
    }
    for entry in &class_path {
        runs(finder, entry, span);
    }
    let folder = last(&read, &["-d"]);
    for operand in &read.operands {
        finder.touch(
            Touch::Read,
            &operand.value,
            operand.span.clone(),
            !operand.is_safe,
        );
        let (WordValue::Literal(path) | WordValue::Glob(path)) = &operand.value else {
            finder.unproven("a source that is not known", operand.span.clone());
            return;
        };
        if ending(path).1 != "java" {
            finder.unproven("a class that is named, not a source", operand.span.clone());
            return;
        }
        if folder.is_some() {
            continue;
        }
        // One class for each that the source declares, beside it.
        if let WordValue::Literal(path) = &operand.value {
            let class = format!("{}.class", ending(path).0);
            touch(finder, Touch::Write, class, &operand.span);
        }
        let beside = match &operand.value {
            WordValue::Literal(path) => escaped(split(path).0),
            WordValue::Glob(_) | WordValue::Dynamic { .. } => split(path).0.to_owned(),
        };
        finder.touch(
            Touch::Write,
            &WordValue::Glob(format!("{beside}*.class")),
            operand.span.clone(),
            false,
        );
    }
    // Packages decide where below the folder a class goes.
    if let Some(folder) = folder {
        touch(finder, Touch::Write, folder.to_owned(), span);
        return;
    }
    if given(&read, &["-implicit:none"]) {
        return;
    }
    // Sources that others use are compiled too, wherever they lie there.
    let source_path = last(&read, &["-sourcepath", "--source-path"]);
    let folders: Vec<&str> = match source_path {
        Some(path) => entries(path).collect(),
        None => class_path,
    };
    for folder in folders {
        if !is_archive(folder) {
            touch(finder, Touch::Write, folder.to_owned(), span);
        }
    }
}

/// The entries of a class path; an empty one is the current folder.
fn entries(path: &str) -> impl Iterator<Item = &str> {
    path.split(':')
        .map(|entry| if entry.is_empty() { "." } else { entry })
}

fn is_archive(entry: &str) -> bool {
    entry == "*" || entry.ends_with("/*") || entry.to_ascii_lowercase().ends_with(".jar")
}

/// Annotation processors and plug-ins that an entry brings: `javac` runs them.
fn runs(finder: &mut Finder<'_>, entry: &str, span: &Range<usize>) {
    if let Some(folder) = entry.strip_suffix('*')
        && is_archive(entry)
    {
        let jars = format!("{}*.[jJ][aA][rR]", escaped(folder));
        finder.touch(Touch::Load, &WordValue::Glob(jars), span.clone(), false);
        return;
    }
    touch(finder, Touch::Load, entry.to_owned(), span);
    if !is_archive(entry) {
        for service in SERVICES {
            touch(finder, Touch::Load, format!("{entry}/{service}"), span);
        }
    }
}

/// A path as a pattern that means only it.
fn escaped(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
