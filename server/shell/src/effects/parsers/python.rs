//! `python`: a program that stands in the command is looked at; one in a file is
//! not.

use std::ops::Range;

use countersign_core::command::{Stdin, Word};
use countersign_core::effect::{Doing, EffectKind, Target, Touch};

use crate::effects::Finder;
use crate::knowledge::Command;
use crate::python::{self, Act, At, Dialect};

/// Options without a value that change nothing of what a program does with
/// files.
const LETTERS: &str = "BEIOPRSbdqsuv";

/// What `-W` may be told: with a colon in it, it may load a module.
const WARNINGS: &[&str] = &["ignore", "error", "default", "always", "module", "once"];

/// What `-X` may be told.
const EXTRAS: &[&str] = &[
    "utf8",
    "utf8=1",
    "dev",
    "importtime",
    "faulthandler",
    "tracemalloc",
];

/// Where the program stands.
enum Program<'a> {
    /// In a word.
    Word(&'a Word, &'a str),
    /// On standard input.
    Input,
    /// Behind `-m`, with what it is given.
    Module(&'a Word, &'a [Word]),
}

pub(super) fn python(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let shown = finder.shown(command);
    let found = match program(words) {
        Ok(Program::Word(word, text)) => {
            of_text(&shown, text, false).map(|acts| (acts, word.span.clone()))
        }
        Ok(Program::Input) => match (&finder.command.input, finder.command.stdin) {
            (Some(text), Stdin::Redirected) => {
                of_text(&shown, text, true).map(|acts| (acts, span.clone()))
            }
            _ => Err("what it reads is not known".to_owned()),
        },
        Ok(Program::Module(word, arguments)) => {
            super::python_modules::acts(word, arguments).map(|acts| (acts, word.span.clone()))
        }
        Err(problem) => Err(problem),
    };
    match found {
        Ok((acts, span)) => {
            let folder = finder.command.folder.clone();
            let (touch, target) = (Touch::Load, Target::StandIns { folder });
            finder.effect(EffectKind::Path { touch, target }, span.clone());
            for act in acts {
                effects(finder, act, &span);
            }
        }
        Err(problem) => {
            finder.effect(
                EffectKind::Doing(Doing::Interpreter, shown.clone()),
                span.clone(),
            );
            finder.unproven(format!("`{shown}`: {problem}"), span.clone());
        }
    }
}

fn of_text(name: &str, text: &str, may_name_encoding: bool) -> Result<Vec<Act>, String> {
    let version = name.strip_prefix("python").unwrap_or_default();
    let is_known = matches!(version, "" | "3") || version.starts_with("3.");
    if !is_known {
        return Err("this Python is not known".to_owned());
    }
    let is_three = version.starts_with('3');
    let dialect = Dialect {
        is_three,
        // Python 2 minds it in an argument, too.
        may_name_encoding: may_name_encoding || !is_three,
    };
    python::acts(text, dialect)
}

/// What Python is asked to run.
fn program(words: &[Word]) -> Result<Program<'_>, String> {
    let mut rest = words;
    loop {
        let Some((word, behind)) = rest.split_first() else {
            return Ok(Program::Input);
        };
        let text = word
            .literal()
            .ok_or("what it runs is known only when the command runs")?;
        let letters = match text.strip_prefix('-') {
            Some("") => return Ok(Program::Input),
            Some(letters) if !letters.starts_with('-') => letters,
            Some(_) => return Err(format!("the option `{text}` is not known")),
            None => return Err(format!("what `{text}` holds is not looked at")),
        };
        rest = behind;
        for (at, letter) in letters.char_indices() {
            let glued = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            if LETTERS.contains(letter) {
                continue;
            }
            let (value, behind) = match (glued, rest.split_first()) {
                ("", Some((next, behind))) => (
                    next.literal()
                        .map(|text| (next, text))
                        .ok_or("what it runs is known only when the command runs")?,
                    behind,
                ),
                ("", None) => return Err(format!("`-{letter}` without a value")),
                (glued, _) => ((word, glued), rest),
            };
            match letter {
                'c' => return Ok(Program::Word(value.0, value.1)),
                'm' if glued.is_empty() => return Ok(Program::Module(value.0, behind)),
                'W' if WARNINGS.contains(&value.1) => rest = behind,
                'X' if EXTRAS.contains(&value.1) => rest = behind,
                _ => {
                    return Err(format!(
                        "the option `-{letter}` is not known with this value"
                    ));
                }
            }
            break;
        }
    }
}

fn effects(finder: &mut Finder<'_>, act: Act, span: &Range<usize>) {
    let folder = finder.command.folder.clone();
    let touch = act.touch;
    let mut path = |target| finder.effect(EffectKind::Path { touch, target }, span.clone());
    match act.at {
        At::Path(text) => path(Target::Path { text, folder }),
        At::Glob(pattern) => path(Target::Glob {
            pattern,
            folder,
            may_be_option: false,
        }),
        At::Below(text) => {
            path(Target::Path {
                text: text.clone(),
                folder: folder.clone(),
            });
            if touch == Touch::ReadTree {
                path(Target::Links { text, folder });
            }
        }
    }
}
