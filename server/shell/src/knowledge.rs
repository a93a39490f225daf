//! What commands do with their words. `knowledge/*.toml` are compiled into bytes
//! that hold no addresses, and an entry is decoded when it is first asked for;
//! `docs/effects.md` says how to add to them.

mod model;
mod texts;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

pub(crate) use self::model::{Count, Doing, Operand, Parser, Role, StdinUse, Style, Value};
pub(crate) use self::texts::Texts;

/// A command, or a sub-command of one.
pub(crate) type Command = model::Command<&'static str>;

/// An option.
pub(crate) type Flag = model::Flag<&'static str>;

/// What changes when one of some flags is given.
type When = model::When<&'static str>;

impl Command {
    /// The sub-command of that name.
    pub(crate) fn sub_command(&self, name: &str) -> Option<&'static Self> {
        let sub = self.sub.iter().find(|sub| sub.name == name)?;
        entry(sub.entry)
    }

    /// The sub-command of that name, where the first name is for people only.
    pub(crate) fn sub_command_by_later_name(&self, name: &str) -> Option<&'static Self> {
        let mut later = self.sub.iter().filter(|sub| !sub.is_first);
        entry(later.find(|sub| sub.name == name)?.entry)
    }
}

impl When {
    /// Whether it holds when these flags are given.
    pub(crate) fn holds(&self, given: &[&'static str]) -> bool {
        self.flags
            .iter()
            .all(|group| group.iter().any(|flag| given.contains(flag)))
    }
}

mod tables {
    use super::Texts;
    include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));
}

/// Entries that were asked for; `None` for one that cannot be decoded, which is
/// then not known.
static DECODED: [OnceLock<Option<Box<Command>>>; tables::ENTRY_ENDS.len()] =
    [const { OnceLock::new() }; tables::ENTRY_ENDS.len()];

/// The command of that name (the last part of a path), if it is known. All names
/// of one entry give the same one.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    exactly(name).or_else(|| {
        let unversioned = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if unversioned == name || unversioned.is_empty() {
            return None;
        }
        exactly(unversioned.strip_suffix('-').unwrap_or(unversioned))
            .filter(|command| command.versions)
    })
}

fn exactly(name: &str) -> Option<&'static Command> {
    let names = tables::NAMES;
    let at = names.find(0..names.count(), name)?;
    entry(*tables::NAME_ENTRIES.get(at)?)
}

fn entry(number: u16) -> Option<&'static Command> {
    let number = usize::from(number);
    DECODED
        .get(number)?
        .get_or_init(|| decode(number).map(Box::new))
        .as_deref()
}

fn decode(number: usize) -> Option<Command> {
    let end = *tables::ENTRY_ENDS.get(number)? as usize;
    let begin = match number.checked_sub(1) {
        Some(before) => *tables::ENTRY_ENDS.get(before)? as usize,
        None => 0,
    };
    let (command, rest) = postcard::take_from_bytes(tables::ENTRIES.get(begin..end)?).ok()?;
    rest.is_empty().then_some(command)
}
