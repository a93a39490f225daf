//! `zip`, `unzip` and `7z`: listing reads; packing reads what is packed and
//! changes the archive; unpacking writes under names that only the archive
//! holds.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;
use crate::knowledge::Command;

/// Letters of `zip` of which no pair is an option of its own.
const ZIP_LETTERS: &str = "rqvjyXD0123456789";

/// Letters of `unzip` that go with one that only reads.
const UNZIP_LETTERS: &str = "lptvzZcqaC12mhM";

/// Commands of `7z` that only read.
const SEVEN_READ: &[&str] = &["l", "t", "h"];

type Problem = (String, Range<usize>);

pub(super) fn archive(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let result = match command.names.first().copied() {
        Some("zip") => zip(finder, words, span),
        Some("unzip") => unzip(finder, words, span),
        Some("7z") => seven(finder, words, span),
        _ => Err(("not understood".to_owned(), span.clone())),
    };
    if let Err((reason, span)) = result {
        finder.unproven(format!("`{}`: {reason}", finder.shown(command)), span);
    }
}

/// A word as text.
fn text(word: &Word) -> Result<&str, Problem> {
    word.literal().ok_or_else(|| {
        (
            "a word that is known only when the command runs may become an option".to_owned(),
            word.span.clone(),
        )
    })
}

fn unknown(text: &str, word: &Word) -> Problem {
    (
        format!("the option `{text}` is not known to be harmless"),
        word.span.clone(),
    )
}

fn zip(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) -> Result<(), Problem> {
    let mut archive: Option<(&str, &Word)> = None;
    let mut in_patterns = false;
    for word in words {
        if let WordValue::Glob(pattern) = &word.value
            && !pattern.starts_with('-')
            && archive.is_some()
        {
            if !in_patterns {
                finder.touch(Touch::ReadTree, &word.value, word.span.clone(), true);
            }
            continue;
        }
        let text = text(word)?;
        if matches!(text, "-x" | "-i" | "--exclude" | "--include") {
            in_patterns = true;
        } else if matches!(
            text,
            "--recurse-paths" | "--quiet" | "--junk-paths" | "--symlinks"
        ) {
            in_patterns = false;
        } else if let Some(letters) = text.strip_prefix('-') {
            in_patterns = false;
            if letters.is_empty() || !letters.chars().all(|c| ZIP_LETTERS.contains(c)) {
                return Err(unknown(text, word));
            }
        } else if text.starts_with('@') {
            return Err(("a list of names".to_owned(), word.span.clone()));
        } else if in_patterns {
            // Up to the next option.
        } else if archive.is_none() {
            archive = Some((text, word));
        } else {
            finder.touch(Touch::ReadTree, &word.value, word.span.clone(), false);
        }
    }
    let Some((name, word)) = archive else {
        return Err(("without the name of an archive".to_owned(), span.clone()));
    };
    let mut names = vec![name.to_owned()];
    if !name.rsplit('/').next().unwrap_or(name).contains('.') {
        names.push(format!("{name}.zip"));
    }
    for name in names {
        finder.touch(
            Touch::Edit,
            &WordValue::Literal(name),
            word.span.clone(),
            false,
        );
    }
    Ok(())
}

fn unzip(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) -> Result<(), Problem> {
    let mut reads = false;
    let mut archive: Option<&Word> = None;
    for word in words {
        let text = text(word)?;
        if let Some(letters) = text.strip_prefix('-') {
            if text == "-P" || !letters.chars().all(|c| UNZIP_LETTERS.contains(c)) {
                return Err(unknown(text, word));
            }
            reads |= letters.contains(['l', 'p', 't', 'v', 'z', 'Z', 'c']);
        } else if archive.is_none() {
            if text.contains(['*', '?', '[']) {
                return Err((
                    "it looks for archives by itself".to_owned(),
                    word.span.clone(),
                ));
            }
            archive = Some(word);
        }
    }
    match archive {
        Some(word) if reads => {
            finder.touch(Touch::Read, &word.value, word.span.clone(), false);
            Ok(())
        }
        // `unzip -v` tells its version.
        None if reads => Ok(()),
        _ => Err((
            "it unpacks files whose names only the archive holds".to_owned(),
            span.clone(),
        )),
    }
}

fn seven(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) -> Result<(), Problem> {
    let Some((command, rest)) = words.split_first() else {
        return Ok(());
    };
    let command = text(command)?;
    if matches!(command, "i" | "--help" | "-h") {
        return Ok(());
    }
    if !SEVEN_READ.contains(&command) {
        return Err((
            "it packs or unpacks files whose names are not known".to_owned(),
            span.clone(),
        ));
    }
    let mut is_archive = true;
    for word in rest {
        let text = text(word)?;
        if let Some(option) = text.strip_prefix('-') {
            let known = matches!(
                option,
                "slt" | "ba" | "y" | "bd" | "bso0" | "bsp0" | "bse0" | "r"
            ) || option.starts_with("scrc")
                || option.starts_with('p')
                || (option.starts_with('t') && option.chars().all(|c| c.is_ascii_alphanumeric()));
            if !known {
                return Err(unknown(text, word));
            }
        } else if text.contains(['@', '*', '?']) {
            return Err((
                "it takes names from a list, or looks for them".to_owned(),
                word.span.clone(),
            ));
        } else if is_archive || command == "h" {
            is_archive = false;
            finder.touch(Touch::ReadTree, &word.value, word.span.clone(), false);
        }
    }
    Ok(())
}
