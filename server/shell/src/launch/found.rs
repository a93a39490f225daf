//! Commands that print the paths which they find, so that what is given to
//! other commands is known to lie below where they looked.

use countersign_core::command::{Below, Folder, RedirectKind, SimpleCommand, Word};
use countersign_core::programs;

use super::table_name;

/// The paths that a command prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) below: Below,
    /// Whether a zero byte ends each; otherwise a newline does.
    pub(crate) ends_with_zero: bool,
}

/// The paths that `find` finds, and what its expression may do with them.
struct Search<'a> {
    below: Below,
    expression: &'a [Word],
}

/// What a command prints, if it is nothing but paths. `before` is what it has
/// on its standard input.
pub(crate) fn printed(command: &SimpleCommand, before: Option<&Found>) -> Option<Found> {
    let is_quiet = command
        .redirects
        .iter()
        .all(|redirect| match redirect.kind {
            RedirectKind::Write | RedirectKind::Append => {
                redirect.target.as_ref().and_then(Word::literal) == Some("/dev/null")
            }
            RedirectKind::Read
            | RedirectKind::ReadWrite
            | RedirectKind::Descriptor
            | RedirectKind::Here => false,
        });
    if !is_quiet || !command.assignments.is_empty() {
        return None;
    }
    let name = table_name(programs::bare_name(command.name()?));
    match name.as_str() {
        "find" | "gfind" => by_find(command),
        "grep" | "egrep" | "fgrep" if before.is_none() => by_grep(command),
        "git" => by_git(command),
        "grep" | "head" | "tail" | "sort" | "uniq" => {
            let before = before?;
            (!before.ends_with_zero && keeps_lines(&name, command)?).then(|| before.clone())
        }
        _ => None,
    }
}

/// Whether a filter prints lines as they are.
fn keeps_lines(name: &str, command: &SimpleCommand) -> Option<bool> {
    let words: Option<Vec<&str>> = command.words.iter().skip(1).map(Word::literal).collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match (name, words?.as_slice()) {
        ("head" | "tail" | "sort" | "uniq", []) | ("sort", ["-u" | "-r"]) => true,
        ("head" | "tail", [option]) => option
            .strip_prefix('-')
            .is_some_and(|rest| is_number(rest.strip_prefix('n').unwrap_or(rest))),
        ("head" | "tail", ["-n", number]) => is_number(number),
        ("grep", [pattern]) => !pattern.starts_with('-'),
        ("grep", [options, pattern]) => {
            options
                .strip_prefix('-')
                .is_some_and(|letters| letters.chars().all(|next| "viEFwx".contains(next)))
                && !pattern.starts_with('-')
        }
        _ => false,
    })
}

fn roots(words: &[&str], folder: &Folder) -> Option<Below> {
    let is_plain = |root: &&str| !root.is_empty() && !root.starts_with(['-', '+', '@', ' ']);
    let is_odd =
        |next: char| next.is_whitespace() || next.is_control() || "'\"\\*?[".contains(next);
    (words.iter().all(is_plain) && !words.iter().any(|root| root.contains(is_odd))).then(|| Below {
        roots: words.iter().map(|root| (*root).to_owned()).collect(),
        folder: folder.clone(),
        several: true,
        may_be_option: false,
        may_be_link: true,
        is_split: false,
    })
}

/// Where `find` looks; `None` if that is not known, or if it follows links.
fn search<'a>(words: &'a [Word], folder: &Folder) -> Option<Search<'a>> {
    let mut at = 1;
    while let Some("-P" | "-O0" | "-O1" | "-O2" | "-O3") = words.get(at).and_then(Word::literal) {
        at += 1;
    }
    let mut given = Vec::new();
    while let Some(word) = words.get(at) {
        let text = word.literal()?;
        if text.starts_with('-') || matches!(text, "!" | "(" | ")" | ",") {
            break;
        }
        given.push(text);
        at += 1;
    }
    if given.is_empty() {
        given.push(".");
    }
    let expression = words.get(at..).unwrap_or_default();
    let goes_elsewhere = |word: &Word| {
        word.literal()
            .is_none_or(|text| matches!(text, "-L" | "-H" | "-follow" | "-files0-from"))
    };
    // Options after which paths may stand, with some `find` or other.
    let is_option = |word: &Word| {
        word.literal().is_some_and(|text| {
            matches!(text, "--" | "-D" | "-E" | "-X" | "-d" | "-f" | "-s" | "-x")
        })
    };
    if expression.first().is_some_and(is_option) {
        return None;
    }
    if expression.iter().any(goes_elsewhere) {
        return None;
    }
    let below = roots(&given, folder)?;
    Some(Search { below, expression })
}

/// Whether only plain files and folders come to the end of an expression.
fn excludes_links(expression: &[Word]) -> bool {
    let mut level = 0_usize;
    let mut excludes = false;
    let mut before = "";
    for (at, word) in expression.iter().enumerate() {
        let text = word.literal().unwrap_or("-o");
        match text {
            "(" | ")" => {
                // As the value of a test it groups nothing.
                let is_operator = matches!(before, "-o" | "-or" | "-a" | "-and" | "-not");
                if before.starts_with('-') && !is_operator {
                    return false;
                }
                level = if text == "(" {
                    level + 1
                } else {
                    level.saturating_sub(1)
                };
            }
            "-o" | "-or" | "," if level == 0 => return false,
            "-type" if level == 0 && !matches!(before, "!" | "-not") => {
                let kind = expression.get(at + 1).and_then(Word::literal);
                excludes |= matches!(kind, Some("f" | "d"));
            }
            _ => {}
        }
        before = text;
    }
    excludes
}

/// What `-exec` at `at` gives to its command.
pub(crate) fn given_by_find(words: &[Word], at: usize, folder: &Folder) -> Option<Below> {
    let search = search(words.get(..at)?, folder)?;
    let mut below = search.below;
    below.may_be_link = !excludes_links(search.expression);
    Some(below)
}

fn by_find(command: &SimpleCommand) -> Option<Found> {
    let search = search(&command.words, &command.folder)?;
    let has = |name: &str| {
        search
            .expression
            .iter()
            .any(|word| word.literal() == Some(name))
    };
    let prints_else = |word: &Word| {
        word.literal().is_some_and(|text| {
            text.starts_with("-exec")
                || text.starts_with("-ok")
                || matches!(text, "-printf" | "-ls" | "-delete")
                || text.starts_with("-fprint")
                || text == "-fls"
        })
    };
    if search.expression.iter().any(prints_else) || (has("-print") && has("-print0")) {
        return None;
    }
    let mut below = search.below;
    below.may_be_link = !excludes_links(search.expression);
    Some(Found {
        below,
        ends_with_zero: has("-print0"),
    })
}

fn by_grep(command: &SimpleCommand) -> Option<Found> {
    let mut letters = String::new();
    let mut operands = Vec::new();
    for word in command.words.iter().skip(1) {
        let text = word.literal()?;
        match text.strip_prefix('-') {
            Some(long) if long.starts_with('-') => {
                let is_known = ["-include=", "-exclude=", "-exclude-dir="]
                    .iter()
                    .any(|known| long.starts_with(known));
                if !is_known {
                    return None;
                }
            }
            Some(short) => {
                if short.is_empty() || !short.chars().all(|next| "rlLiwxEFGPZsI".contains(next)) {
                    return None;
                }
                letters.push_str(short);
            }
            None => operands.push(text),
        }
    }
    if !letters.contains(['l', 'L']) {
        return None;
    }
    let (_, files) = operands.split_first()?;
    let below = if files.is_empty() {
        if !letters.contains('r') {
            return None;
        }
        // Names without `./` before them.
        Below {
            is_split: true,
            ..roots(&["."], &command.folder)?
        }
    } else {
        roots(files, &command.folder)?
    };
    Some(Found {
        below,
        ends_with_zero: letters.contains('Z'),
    })
}

fn by_git(command: &SimpleCommand) -> Option<Found> {
    let words: Option<Vec<&str>> = command.words.iter().skip(1).map(Word::literal).collect();
    let words = words?;
    let (name, options) = words.split_first()?;
    let is_known = |option: &&str| {
        let plain = matches!(
            *option,
            "-z" | "-m"
                | "-o"
                | "-c"
                | "--modified"
                | "--others"
                | "--cached"
                | "--exclude-standard"
        );
        // Pathspecs without magic, which stay below the folder.
        plain || !option.starts_with(['-', ':', '/', '~']) && !option.contains("..")
    };
    if *name != "ls-files" || !options.iter().all(is_known) {
        return None;
    }
    let below = roots(&["."], &command.folder)?;
    Some(Found {
        below: Below {
            is_split: true,
            ..below
        },
        ends_with_zero: options.contains(&"-z"),
    })
}

impl Found {
    /// What becomes of the paths where blanks split them.
    pub(crate) fn split(&self) -> Option<Below> {
        (!self.ends_with_zero).then(|| Below {
            is_split: true,
            ..self.below.clone()
        })
    }

    /// What one of the paths is.
    pub(crate) fn one(&self) -> Below {
        Below {
            several: false,
            is_split: self.below.is_split || !self.ends_with_zero,
            ..self.below.clone()
        }
    }
}
