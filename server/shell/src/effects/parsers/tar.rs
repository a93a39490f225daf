//! `tar`: listing and printing read, packing reads what is packed and writes
//! the archive; unpacking writes under names that only the archive holds.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;

/// Long options without a value that neither run anything nor write elsewhere.
const PLAIN: &[&str] = &[
    "--acls",
    "--anchored",
    "--auto-compress",
    "--bzip2",
    "--exclude-backups",
    "--exclude-caches",
    "--exclude-vcs",
    "--exclude-vcs-ignores",
    "--full-time",
    "--gzip",
    "--gunzip",
    "--ignore-case",
    "--ignore-failed-read",
    "--lzip",
    "--lzma",
    "--no-acls",
    "--no-recursion",
    "--no-selinux",
    "--no-wildcards",
    "--no-xattrs",
    "--numeric-owner",
    "--one-file-system",
    "--posix",
    "--preserve-permissions",
    "--recursion",
    "--same-permissions",
    "--selinux",
    "--show-transformed-names",
    "--sparse",
    "--totals",
    "--utc",
    "--verbose",
    "--wildcards",
    "--wildcards-match-slash",
    "--xattrs",
    "--xz",
    "--zstd",
];

/// Long options with a value that is data.
const WITH_TEXT: &[&str] = &[
    "--blocking-factor",
    "--exclude",
    "--format",
    "--group",
    "--mode",
    "--mtime",
    "--owner",
    "--pax-option",
    "--quoting-style",
    "--sort",
    "--strip-components",
    "--transform",
    "--xform",
];

/// Letters without a value.
const LETTERS: &str = "zjJavpmonBSilkU";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Add,
    List,
    Extract,
}

/// A word behind the options: what is packed, or which member is meant.
struct Member<'a> {
    word: &'a Word,
    /// The folder of `-C`.
    folder: Option<String>,
    is_safe: bool,
}

#[derive(Default)]
struct Read<'a> {
    mode: Option<Mode>,
    archive: Option<(String, Range<usize>)>,
    folder: Option<String>,
    to_stdout: bool,
    members: Vec<Member<'a>>,
    excludes: Vec<(String, Range<usize>)>,
}

type Problem = (String, Range<usize>);

pub(super) fn tar(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) {
    let read = match read(words) {
        Ok(read) => read,
        Err((reason, span)) => {
            finder.unproven(format!("`tar`: {reason}"), span);
            return;
        }
    };
    let Some((archive, archive_span)) = read.archive else {
        finder.unproven("`tar` without the name of an archive", span.clone());
        return;
    };
    if archive.contains(':') {
        finder.unproven("the archive may be on another machine", archive_span);
        return;
    }
    let archive = WordValue::Literal(archive);
    for (path, span) in read.excludes {
        finder.touch(Touch::Read, &WordValue::Literal(path), span, false);
    }
    match read.mode {
        Some(Mode::List) => finder.touch(Touch::Read, &archive, archive_span, false),
        Some(Mode::Extract) if read.to_stdout => {
            finder.touch(Touch::Read, &archive, archive_span, false);
        }
        Some(Mode::Extract) => finder.unproven(
            "it unpacks files whose names only the archive holds",
            span.clone(),
        ),
        Some(mode @ (Mode::Create | Mode::Add)) => {
            for member in &read.members {
                pack(finder, member);
            }
            let touch = if mode == Mode::Create {
                Touch::Write
            } else {
                Touch::Edit
            };
            finder.touch(touch, &archive, archive_span, false);
        }
        None => finder.unproven("`tar` without a mode", span.clone()),
    }
}

/// What is packed is read.
fn pack(finder: &mut Finder<'_>, member: &Member<'_>) {
    let span = member.word.span.clone();
    match (&member.folder, &member.word.value) {
        (None, value) => finder.touch(Touch::ReadTree, value, span, !member.is_safe),
        (Some(folder), WordValue::Literal(text)) => {
            let path = if text.starts_with('/') {
                text.clone()
            } else {
                format!("{folder}/{text}")
            };
            finder.touch(Touch::ReadTree, &WordValue::Literal(path), span, false);
        }
        (Some(_), WordValue::Glob(_) | WordValue::Dynamic { .. }) => finder.unproven(
            "a pattern is matched in one folder and packed in another",
            span,
        ),
    }
}

fn read(words: &[Word]) -> Result<Read<'_>, Problem> {
    let mut read = Read::default();
    let mut rest = words.iter();
    let mut only_operands = false;
    let mut is_first = true;
    while let Some(word) = rest.next() {
        let is_first = std::mem::take(&mut is_first);
        let text = match &word.value {
            WordValue::Literal(text) => text.as_str(),
            WordValue::Glob(pattern) if !pattern.starts_with('-') && !is_first => {
                read.member(word, only_operands);
                continue;
            }
            WordValue::Glob(_) | WordValue::Dynamic { .. } => {
                return Err((
                    "a word that is known only when the command runs may become an option"
                        .to_owned(),
                    word.span.clone(),
                ));
            }
        };
        if only_operands {
            read.member(word, true);
        } else if text == "--" {
            only_operands = true;
        } else if text.starts_with("--") {
            read.long(text, word, &mut rest)?;
        } else if let Some(letters) = text.strip_prefix('-').filter(|text| !text.is_empty()) {
            read.letters(letters, false, word, &mut rest)?;
        } else if is_first {
            read.letters(text, true, word, &mut rest)?;
        } else {
            read.member(word, false);
        }
    }
    Ok(read)
}

impl<'a> Read<'a> {
    fn member(&mut self, word: &'a Word, is_safe: bool) {
        self.members.push(Member {
            word,
            folder: self.folder.clone(),
            is_safe,
        });
    }

    fn set_mode(&mut self, mode: Mode, word: &Word) -> Result<(), Problem> {
        if self.mode.is_some() {
            return Err(("two modes".to_owned(), word.span.clone()));
        }
        self.mode = Some(mode);
        Ok(())
    }

    fn enter(&mut self, folder: String) {
        self.folder = Some(match self.folder.take() {
            Some(outer) if !folder.starts_with('/') => format!("{outer}/{folder}"),
            _ => folder,
        });
    }

    fn set_archive(&mut self, archive: String, word: &Word) -> Result<(), Problem> {
        if self.archive.is_some() {
            return Err(("two archives".to_owned(), word.span.clone()));
        }
        self.archive = Some((archive, word.span.clone()));
        Ok(())
    }

    fn long(
        &mut self,
        text: &str,
        word: &Word,
        rest: &mut std::slice::Iter<'a, Word>,
    ) -> Result<(), Problem> {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let is_plain = attached.is_none();
        let mut value = |attached: Option<String>| match attached {
            Some(value) => Ok(value),
            None => next(rest, word),
        };
        match name {
            "--create" if is_plain => self.set_mode(Mode::Create, word),
            "--list" if is_plain => self.set_mode(Mode::List, word),
            "--extract" | "--get" if is_plain => self.set_mode(Mode::Extract, word),
            "--append" | "--update" | "--catenate" | "--concatenate" if is_plain => {
                self.set_mode(Mode::Add, word)
            }
            "--to-stdout" if is_plain => {
                self.to_stdout = true;
                Ok(())
            }
            "--file" => {
                let archive = value(attached)?;
                self.set_archive(archive, word)
            }
            "--directory" | "--cd" => {
                let folder = value(attached)?;
                self.enter(folder);
                Ok(())
            }
            "--exclude-from" => {
                let path = value(attached)?;
                self.excludes.push((path, word.span.clone()));
                Ok(())
            }
            _ if is_plain && PLAIN.contains(&name) => Ok(()),
            _ if WITH_TEXT.contains(&name) => value(attached).map(|_| ()),
            _ => Err(unknown(name, word)),
        }
    }

    /// Letters; in the old style (`tar xzf a`) their values are the next words.
    fn letters(
        &mut self,
        letters: &str,
        is_old: bool,
        word: &Word,
        rest: &mut std::slice::Iter<'a, Word>,
    ) -> Result<(), Problem> {
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'c' => self.set_mode(Mode::Create, word)?,
                't' => self.set_mode(Mode::List, word)?,
                'x' => self.set_mode(Mode::Extract, word)?,
                'r' | 'u' | 'A' => self.set_mode(Mode::Add, word)?,
                'O' => self.to_stdout = true,
                'f' | 'C' | 'X' => {
                    let attached = letters.as_str();
                    let value = if is_old || attached.is_empty() {
                        next(rest, word)?
                    } else {
                        letters = "".chars();
                        attached.to_owned()
                    };
                    match letter {
                        'f' => self.set_archive(value, word)?,
                        'C' => self.enter(value),
                        _ => self.excludes.push((value, word.span.clone())),
                    }
                }
                _ if LETTERS.contains(letter) => {}
                _ => return Err(unknown(&format!("-{letter}"), word)),
            }
        }
        Ok(())
    }
}

fn unknown(name: &str, word: &Word) -> Problem {
    (
        format!("the option `{name}` is not known to be harmless"),
        word.span.clone(),
    )
}

fn next(rest: &mut std::slice::Iter<'_, Word>, option: &Word) -> Result<String, Problem> {
    match rest.next().map(|word| &word.value) {
        Some(WordValue::Literal(text)) => Ok(text.clone()),
        Some(WordValue::Glob(_) | WordValue::Dynamic { .. }) | None => Err((
            "the value of an option is not known".to_owned(),
            option.span.clone(),
        )),
    }
}
