//! `rustc`.

use std::ops::Range;

use countersign_core::command::Word;
use countersign_core::effect::Touch;

use super::{given, last, literal, read, touch};
use crate::effects::Finder;
use crate::knowledge::Command;

/// Code generation options that choose no program and write no file.
const CODEGEN: &[&str] = &[
    "codegen-units",
    "debug-assertions",
    "debuginfo",
    "embed-bitcode",
    "force-frame-pointers",
    "inline-threshold",
    "lto",
    "no-redzone",
    "opt-level",
    "overflow-checks",
    "panic",
    "prefer-dynamic",
    "relocation-model",
    "rpath",
    "strip",
    "symbol-mangling-version",
    "target-cpu",
    "target-feature",
];

/// What `--emit` names, with the endings of the files.
const EMITS: &[(&str, &str)] = &[
    ("asm", "s"),
    ("dep-info", "d"),
    ("llvm-bc", "bc"),
    ("llvm-ir", "ll"),
    ("metadata", "rmeta"),
    ("mir", "mir"),
    ("obj", "o"),
];

/// Endings of libraries, below `lib` and the crate's name.
const LIBRARIES: &[&str] = &["a", "rlib", "rmeta", "so"];

pub(in super::super) fn rustc(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let Some(read) = read(finder, command, words, span) else {
        return;
    };
    for value in &read.values {
        let text = literal(&value.value).unwrap_or("/");
        let is_known = match value.flag {
            "-C" | "--codegen" => {
                let key = text.split_once('=').map_or(text, |(key, _)| key);
                CODEGEN.contains(&key)
            }
            // A file may describe a target, and with it a linker.
            "--target" => !text.contains('/') && !text.ends_with(".json"),
            // `KIND=PATH` writes elsewhere.
            "--emit" => EMITS.iter().any(|(kind, _)| *kind == text) || text == "link",
            "--crate-name" => text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            _ => true,
        };
        if !is_known {
            finder.unproven(
                format!("`rustc`: `{} {text}` is not known", value.flag),
                value.span.clone(),
            );
            return;
        }
    }
    let [source] = read.operands.as_slice() else {
        finder.unproven("`rustc` without one source", span.clone());
        return;
    };
    finder.touch(Touch::Read, &source.value, source.span.clone(), true);
    if given(&read, &["-o"]) {
        return;
    }
    // Otherwise the source may name the output: `#![crate_name = "…"]`.
    let Some(name) = last(&read, &["--crate-name"]) else {
        finder.unproven(
            "without `-o` or `--crate-name`, the source may say where the output goes",
            span.clone(),
        );
        return;
    };
    let folder = match last(&read, &["--out-dir"]) {
        Some(folder) => format!("{folder}/"),
        None => String::new(),
    };
    touch(finder, Touch::Write, format!("{folder}{name}"), span);
    for kind in LIBRARIES {
        touch(
            finder,
            Touch::Write,
            format!("{folder}lib{name}.{kind}"),
            span,
        );
    }
    if let Some(emit) = last(&read, &["--emit"])
        && let Some((_, kind)) = EMITS.iter().find(|(known, _)| *known == emit)
    {
        touch(finder, Touch::Write, format!("{folder}{name}.{kind}"), span);
    }
}
