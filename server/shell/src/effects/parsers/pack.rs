//! `gzip` and its kin: a file is replaced by its packed form, or the reverse.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;
use crate::effects::options;
use crate::knowledge::Command;

/// A packer: its names, the names that unpack, and the endings of its files
/// with what an unpacked file has in their place. The first is the one that it
/// adds.
struct Packer {
    packs: &'static [&'static str],
    unpacks: &'static [&'static str],
    endings: &'static [(&'static str, &'static str)],
    /// Whether the packed file stays (`zstd`).
    keeps: bool,
}

const PACKERS: &[Packer] = &[
    Packer {
        packs: &["gzip", "pigz"],
        unpacks: &["gunzip", "unpigz"],
        endings: &[(".gz", ""), (".tgz", ".tar")],
        keeps: false,
    },
    Packer {
        packs: &["bzip2", "pbzip2"],
        unpacks: &["bunzip2"],
        endings: &[(".bz2", ""), (".tbz2", ".tar"), (".tbz", ".tar")],
        keeps: false,
    },
    Packer {
        packs: &["xz"],
        unpacks: &["unxz"],
        endings: &[(".xz", ""), (".txz", ".tar")],
        keeps: false,
    },
    Packer {
        packs: &["zstd"],
        unpacks: &["unzstd"],
        endings: &[(".zst", ""), (".tzst", ".tar")],
        keeps: true,
    },
];

pub(super) fn pack(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let read = match options::read(words, command, false) {
        Ok((read, _)) => read,
        Err(problem) => {
            let shown = finder.shown(command);
            finder.unproven(format!("`{shown}`: {}", problem.reason), problem.span);
            return;
        }
    };
    let given = |names: &[&str]| read.flags.iter().any(|flag| names.contains(flag));
    let name = finder.shown(command);
    let Some(packer) = PACKERS.iter().find(|packer| {
        packer.packs.contains(&name.as_str()) || packer.unpacks.contains(&name.as_str())
    }) else {
        finder.unproven("a packer that is not known", span.clone());
        return;
    };
    let only_reads = given(&[
        "-c",
        "--stdout",
        "--to-stdout",
        "-l",
        "--list",
        "-t",
        "--test",
    ]);
    let unpacks =
        packer.unpacks.contains(&name.as_str()) || given(&["-d", "--decompress", "--uncompress"]);
    let keeps = packer.keeps || given(&["-k", "--keep"]);
    for file in &read.operands {
        if only_reads {
            finder.touch(Touch::Read, &file.value, file.span.clone(), !file.is_safe);
            continue;
        }
        let made = match &file.value {
            WordValue::Literal(text) if text == "-" => continue,
            WordValue::Literal(text) => made(packer, text, unpacks),
            WordValue::Glob(_) | WordValue::Dynamic { .. } => None,
        };
        let Some(made) = made else {
            finder.unproven(
                format!("which files `{name}` makes is not known"),
                file.span.clone(),
            );
            continue;
        };
        finder.touch(Touch::Read, &file.value, file.span.clone(), false);
        let made = WordValue::Literal(made);
        finder.touch(Touch::Write, &made, file.span.clone(), false);
        if !keeps {
            finder.touch(Touch::Delete, &file.value, file.span.clone(), false);
        }
    }
}

/// The file that is made.
fn made(packer: &Packer, name: &str, unpacks: bool) -> Option<String> {
    if unpacks {
        packer.endings.iter().find_map(|(ending, instead)| {
            let stem = name.strip_suffix(ending)?;
            (!stem.is_empty() && !stem.ends_with('/')).then(|| format!("{stem}{instead}"))
        })
    } else {
        let (ending, _) = packer.endings.first()?;
        Some(format!("{name}{ending}"))
    }
}
