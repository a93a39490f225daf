//! `gcc`, `clang` and their likes.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use super::{ending, given, last, literal, read, split, touch};
use crate::effects::Finder;
use crate::effects::options::{Operand, Read};
use crate::knowledge::Command;

/// Endings of sources from which one object comes, and nothing else.
const SOURCES: &[&str] = &[
    "C", "CPP", "M", "S", "c", "c++", "cc", "cp", "cpp", "cxx", "i", "ii", "m", "mi", "mm", "s",
    "sx",
];

/// Endings of headers, which become precompiled headers beside them.
const HEADERS: &[&str] = &[
    "H", "HPP", "h", "h++", "hh", "hp", "hpp", "hxx", "tcc", "cppm", "ixx", "cxxm", "pch", "gch",
];

/// Endings of other languages, which write files that their sources name.
const FOREIGN: &[&str] = &[
    "F", "F03", "F08", "F90", "F95", "FOR", "FPP", "FTN", "adb", "ads", "cob", "d", "dd", "def",
    "di", "f", "f03", "f08", "f90", "f95", "for", "fpp", "ftn", "go", "java", "mod", "pas",
];

/// Languages that `-x` may name.
const LANGUAGES: &[&str] = &[
    "assembler",
    "assembler-with-cpp",
    "c",
    "c++",
    "c++-cpp-output",
    "cpp-output",
    "none",
    "objective-c",
    "objective-c++",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Prints, or writes the file that `-o` names.
    Preprocess,
    /// Writes an assembler file for each source.
    Compile,
    /// Writes an object for each source.
    Assemble,
    /// Writes one program.
    Link,
}

pub(in super::super) fn cc(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let Some(read) = read(finder, command, words, span) else {
        return;
    };
    let has_foreign_language = read.values.iter().any(|value| {
        value.flag == "-x"
            && !literal(&value.value).is_some_and(|language| LANGUAGES.contains(&language))
    });
    if has_foreign_language {
        finder.unproven("a language whose output is not known", span.clone());
        return;
    }
    let stage = stage(&read);
    let output = last(&read, &["-o"]);
    let mut is_plain = !given(&read, &["-L", "-T"]);
    let mut sources = Vec::new();
    for operand in &read.operands {
        finder.touch(
            Touch::Read,
            &operand.value,
            operand.span.clone(),
            !operand.is_safe,
        );
        match kind(operand, &read) {
            Kind::Source => sources.push(operand),
            Kind::Input => is_plain = false,
            Kind::Header if stage == Stage::Preprocess => {}
            Kind::Header | Kind::Foreign => {
                finder.unproven(
                    "a source whose output has a name that is not known",
                    operand.span.clone(),
                );
                return;
            }
        }
    }
    match (stage, output) {
        (_, Some(_)) | (Stage::Preprocess, None) => {}
        // A linker script that is linked may name the output.
        (Stage::Link, None) if !is_plain => {
            finder.unproven(
                "without `-o`, what is linked may say where the output goes",
                span.clone(),
            );
            return;
        }
        (Stage::Link, None) => touch(finder, Touch::Write, "a.out".to_owned(), span),
        (Stage::Compile, None) => beside(finder, &sources, "s"),
        (Stage::Assemble, None) => beside(finder, &sources, "o"),
    }
    let notes = [
        (&["-MD", "-MMD"][..], "d"),
        (&["-ftest-coverage", "--coverage", "-coverage"][..], "gcno"),
    ];
    for (flags, kind) in notes {
        if given(&read, flags) {
            beside(finder, &sources, kind);
            if let Some(output) = output {
                named_after(finder, output, &sources, kind, span);
            }
        }
    }
}

/// The earliest stage counts.
fn stage(read: &Read) -> Stage {
    if given(read, &["-E", "-M", "-MM", "-fsyntax-only"]) {
        Stage::Preprocess
    } else if given(read, &["-S"]) {
        Stage::Compile
    } else if given(read, &["-c"]) {
        Stage::Assemble
    } else {
        Stage::Link
    }
}

enum Kind {
    Source,
    Header,
    Foreign,
    /// For the linker: objects, archives, libraries, scripts.
    Input,
}

fn kind(operand: &Operand, read: &Read) -> Kind {
    let named = read
        .values
        .iter()
        .rev()
        .find(|value| value.flag == "-x" && value.span.start < operand.span.start);
    if named.is_some_and(|value| literal(&value.value) != Some("none")) {
        return Kind::Source;
    }
    let (WordValue::Literal(text) | WordValue::Glob(text)) = &operand.value else {
        return Kind::Foreign;
    };
    let (_, ending) = ending(split(text).1);
    let is_glob = matches!(operand.value, WordValue::Glob(_));
    if is_glob && (ending.is_empty() || ending.contains(['*', '?', '[', '\\'])) {
        Kind::Foreign
    } else if SOURCES.contains(&ending) {
        Kind::Source
    } else if HEADERS.contains(&ending) {
        Kind::Header
    } else if FOREIGN.contains(&ending) {
        Kind::Foreign
    } else {
        Kind::Input
    }
}

/// One file for each source, in the current folder.
fn beside(finder: &mut Finder<'_>, sources: &[&Operand], kind: &str) {
    for source in sources {
        match &source.value {
            WordValue::Literal(path) if path != "-" => {
                let name = ending(split(path).1).0;
                touch(finder, Touch::Write, format!("{name}.{kind}"), &source.span);
            }
            // Whatever it matches: the names have this ending.
            WordValue::Glob(_) => finder.touch(
                Touch::Write,
                &WordValue::Glob(format!("*.{kind}")),
                source.span.clone(),
                false,
            ),
            WordValue::Literal(_) | WordValue::Dynamic { .. } => {
                finder.unproven("an output without a name", source.span.clone());
            }
        }
    }
}

/// Files beside the output: `out.d`, `out-source.d`.
fn named_after(
    finder: &mut Finder<'_>,
    output: &str,
    sources: &[&Operand],
    kind: &str,
    span: &Range<usize>,
) {
    let (folder, name) = split(output);
    touch(finder, Touch::Write, format!("{output}.{kind}"), span);
    let stem = ending(name).0;
    touch(finder, Touch::Write, format!("{folder}{stem}.{kind}"), span);
    for source in sources {
        let Some(path) = literal(&source.value) else {
            finder.unproven("names of notes are not known", source.span.clone());
            continue;
        };
        let source = ending(split(path).1).0;
        touch(
            finder,
            Touch::Write,
            format!("{folder}{name}-{source}.{kind}"),
            span,
        );
    }
}
