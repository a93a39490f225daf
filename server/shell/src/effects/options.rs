//! Reads a command's words as its options and operands, by what the knowledge
//! base says of it. An option that is not known is never taken for harmless.

use std::ops::Range;

use countersign_core::command::{Known, Word, WordValue};

use crate::knowledge::{Command, Flag, Role, Style, Value};

/// A command's words, read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The options that were given, by the name that the table has.
    pub(crate) flags: Vec<&'static str>,
    /// Values of options.
    pub(crate) values: Vec<Bound>,
    /// Operands, in order.
    pub(crate) operands: Vec<Operand>,
}

/// The value of an option.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) flag: &'static str,
    pub(crate) role: Role,
    pub(crate) value: WordValue,
    pub(crate) span: Range<usize>,
}

/// An operand.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub(crate) value: WordValue,
    pub(crate) span: Range<usize>,
    /// Whether it stands behind `--` or in a command without options.
    pub(crate) is_safe: bool,
}

/// Why words could not be read.
#[derive(Debug)]
pub(crate) struct NotRead {
    pub(crate) reason: String,
    pub(crate) span: Range<usize>,
}

/// Reads `words` (without the command's name). With `until_operand`, the first
/// operand and everything behind it is left; its index is the second result.
pub(crate) fn read(
    words: &[Word],
    command: &'static Command,
    until_operand: bool,
) -> Result<(Read, usize), NotRead> {
    let mut read = Read::default();
    let mut at = 0;
    let mut only_operands = command.style == Style::None;
    while let Some(word) = words.get(at) {
        if !only_operands {
            // Each match is the same option with another text.
            if let WordValue::Glob(pattern) = &word.value
                && let Some(flag) = with_text(pattern, command)
            {
                read.flags.push(flag.name);
                at += 1;
                continue;
            }
            match &word.value {
                WordValue::Literal(text) if text == "--" => {
                    only_operands = true;
                    at += 1;
                    continue;
                }
                WordValue::Literal(text) if is_option(text, command) => {
                    at += 1;
                    option(text, word, words, &mut at, command, &mut read)?;
                    continue;
                }
                WordValue::Literal(_) => {}
                // A match that begins with a dash would be an option; whoever
                // expands the pattern checks.
                WordValue::Glob(pattern) if !pattern.starts_with('-') => {}
                value if is_operand(value) => {}
                WordValue::Dynamic { prefix, .. } if !prefix.starts_with('-') => {
                    // Becomes words that are not known, options too.
                    return Err(NotRead {
                        reason:
                            "a word that is known only when the command runs may become an option"
                                .to_owned(),
                        span: word.span.clone(),
                    });
                }
                WordValue::Dynamic { prefix, known } if is_one_word(known) => {
                    at += 1;
                    with_value(prefix, word, command, &mut read)?;
                    continue;
                }
                WordValue::Glob(_) | WordValue::Dynamic { .. } => {
                    return Err(NotRead {
                        reason: "an option that is known only when the command runs".to_owned(),
                        span: word.span.clone(),
                    });
                }
            }
        }
        if until_operand {
            return Ok((read, at));
        }
        read.operands.push(Operand {
            value: word.value.clone(),
            span: word.span.clone(),
            is_safe: only_operands,
        });
        if command.style == Style::Posix {
            only_operands = true;
        }
        at += 1;
    }
    Ok((read, at))
}

/// Whether a word is exactly one, whatever it becomes.
pub(crate) const fn is_one_word(known: &Known) -> bool {
    match known {
        Known::OneWord | Known::Natural | Known::Integer | Known::Stream => true,
        Known::Below(below) => !below.several && !below.is_split,
        Known::Nothing | Known::OneOf(_) => false,
    }
}

/// Whether a word that is not known is never an option: what it begins with, or
/// consists of, is known.
fn is_operand(value: &WordValue) -> bool {
    let WordValue::Dynamic { prefix, known } = value else {
        return false;
    };
    match known {
        Known::Natural | Known::Stream => true,
        Known::OneWord => !prefix.is_empty() && !prefix.starts_with(['-', '+', '@']),
        Known::Below(below) => !below.may_be_option,
        Known::Nothing | Known::Integer | Known::OneOf(_) => false,
    }
}

/// Whether a word may be several operands, or none.
pub(super) fn may_be_several(value: &WordValue) -> bool {
    match value {
        WordValue::Literal(_) => false,
        WordValue::Glob(_) => true,
        WordValue::Dynamic { known, .. } => !is_one_word(known),
    }
}

/// The option in `--name=*.c`, if its value is only a text: whatever matches
/// begins with the same name.
fn with_text(pattern: &str, command: &'static Command) -> Option<&'static Flag> {
    let (name, _) = pattern.split_once('=')?;
    let is_plain = name.strip_prefix("--").is_some_and(|rest| {
        rest.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let flag = find_long(name, command).filter(|_| is_plain)?;
    matches!(
        flag.value,
        Value::Required(Role::Text) | Value::Optional(Role::Text)
    )
    .then_some(flag)
}

/// `--name=` with a value that is not known.
fn with_value(
    prefix: &str,
    word: &Word,
    command: &'static Command,
    read: &mut Read,
) -> Result<(), NotRead> {
    let flag = prefix
        .split_once('=')
        .filter(|(name, _)| name.starts_with("--"))
        .and_then(|(name, beginning)| Some((find_long(name, command)?, beginning)));
    match flag {
        Some((flag, beginning)) => match flag.value {
            Value::Required(role) | Value::Optional(role) => {
                read.flags.push(flag.name);
                read.values.push(Bound {
                    flag: flag.name,
                    role,
                    value: WordValue::Dynamic {
                        prefix: beginning.to_owned(),
                        known: Known::OneWord,
                    },
                    span: word.span.clone(),
                });
                Ok(())
            }
            _ => Err(not_known(word)),
        },
        None => Err(not_known(word)),
    }
}

fn not_known(word: &Word) -> NotRead {
    NotRead {
        reason: "an option that is known only when the command runs".to_owned(),
        span: word.span.clone(),
    }
}

fn is_option(text: &str, command: &Command) -> bool {
    (text.starts_with('-') && text != "-")
        || (text.starts_with('+') && command.flags.iter().any(|flag| flag.name.starts_with('+')))
}

fn option(
    text: &str,
    word: &Word,
    words: &[Word],
    at: &mut usize,
    command: &'static Command,
    read: &mut Read,
) -> Result<(), NotRead> {
    let unknown = |name: &str| NotRead {
        reason: format!("the option `{name}` is not known to be harmless"),
        span: word.span.clone(),
    };
    let is_number = text
        .get(1..)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if command.numbers && is_number {
        return Ok(());
    }
    let is_long = (text.starts_with("--") && command.style != Style::Compiler)
        || command.style == Style::Single;
    if is_long {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let flag = find_long(name, command).ok_or_else(|| unknown(name))?;
        return given(flag, attached, word, words, at, read).ok_or_else(|| unknown(text));
    }
    // A flag such as `-name` that the table has as a whole.
    if let Some(flag) = command.flags.iter().find(|flag| flag.name == text) {
        return given(flag, None, word, words, at, read).ok_or_else(|| unknown(text));
    }
    if command.style == Style::Compiler {
        let (flag, attached) = glued(text, command).ok_or_else(|| unknown(text))?;
        return given(flag, attached, word, words, at, read).ok_or_else(|| unknown(text));
    }
    let mut dash = text.chars();
    let first = dash.next().unwrap_or('-');
    let mut rest = dash.as_str();
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let name = format!("{first}{letter}");
        let flag = command
            .flags
            .iter()
            .find(|flag| flag.name == name)
            .ok_or_else(|| unknown(&name))?;
        match flag.value {
            Value::None | Value::Name => read.flags.push(flag.name),
            Value::Required(_) | Value::Optional(_) => {
                let attached = (!rest.is_empty()).then_some(rest);
                return given(flag, attached, word, words, at, read).ok_or_else(|| unknown(text));
            }
        }
    }
    Ok(())
}

/// A long option by its name, or by the beginning of it that no other has.
fn find_long(name: &str, command: &'static Command) -> Option<&'static Flag> {
    let flags: &'static [Flag] = &command.flags;
    if let Some(flag) = flags.iter().find(|flag| flag.name == name) {
        return Some(flag);
    }
    if matches!(command.style, Style::Exact | Style::Single | Style::None) {
        return None;
    }
    // The table does not hold the options that are not harmless: what is
    // unique here may mean another one to the program. So an abbreviation must
    // be long enough that nobody would read it otherwise.
    let mut found = flags
        .iter()
        .filter(|flag| flag.name.starts_with("--") && flag.name.starts_with(name));
    let flag = found.next()?;
    let long_enough = name.len() * 3 > flag.name.len() * 2;
    (found.next().is_none() && long_enough).then_some(flag)
}

/// A compiler's option with what is glued to it: `-std=c99`, `-Wall`,
/// `-Iinclude`.
fn glued<'a>(text: &'a str, command: &'static Command) -> Option<(&'static Flag, Option<&'a str>)> {
    let flags: &'static [Flag] = &command.flags;
    if let Some((name, value)) = text.split_once('=')
        && let Some(flag) = flags.iter().find(|flag| {
            flag.name == name && matches!(flag.value, Value::Required(_) | Value::Optional(_))
        })
        && name.len() > 2
    {
        return Some((flag, Some(value)));
    }
    // No comma, slash or `@`: what follows one is another program's option, or
    // a path.
    let is_name = |rest: &str| {
        rest.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_+=.".contains(&byte))
    };
    if let Some(flag) = flags
        .iter()
        .find(|flag| flag.value == Value::Name && text.strip_prefix(flag.name).is_some_and(is_name))
    {
        return Some((flag, None));
    }
    flags
        .iter()
        .filter(|flag| {
            flag.name.len() == 2 && matches!(flag.value, Value::Required(_) | Value::Optional(_))
        })
        .find_map(|flag| Some((flag, Some(text.strip_prefix(flag.name)?))))
}

fn given(
    flag: &'static Flag,
    attached: Option<&str>,
    word: &Word,
    words: &[Word],
    at: &mut usize,
    read: &mut Read,
) -> Option<()> {
    read.flags.push(flag.name);
    let (role, value, span) = match (flag.value, attached) {
        (Value::None | Value::Optional(_) | Value::Name, None) => return Some(()),
        (Value::None | Value::Name, Some(_)) => return None,
        (Value::Required(role) | Value::Optional(role), Some(text)) => {
            (role, WordValue::Literal(text.to_owned()), word.span.clone())
        }
        (Value::Required(role), None) => {
            let next = words.get(*at)?;
            *at += 1;
            // One that is not known may be several words, or none: then what
            // follows is not what it seems.
            let is_one = match &next.value {
                WordValue::Literal(_) => true,
                WordValue::Glob(_) => false,
                WordValue::Dynamic { known, .. } => is_one_word(known),
            };
            if !is_one {
                return None;
            }
            (role, next.value.clone(), next.span.clone())
        }
    };
    read.values.push(Bound {
        flag: flag.name,
        role,
        value,
        span,
    });
    Some(())
}
