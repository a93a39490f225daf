//! What commands do with their words: the tables that `knowledge/*.toml` are
//! compiled into. `docs/effects.md` says how to add to them.

/// A command, or a sub-command of one.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its names.
    pub(crate) names: &'static [&'static str],
    /// How it reads options.
    pub(crate) style: Style,
    /// The options that are known.
    pub(crate) flags: &'static [Flag],
    /// Whether a version may follow its names: `gcc-12`.
    pub(crate) versions: bool,
    /// Options that, alone, only make it say something of itself.
    pub(crate) queries: &'static [&'static str],
    /// The same, behind each of its sub-commands.
    pub(crate) sub_queries: &'static [&'static str],
    /// Whether it replaces a word `@FILE` by what the file holds.
    pub(crate) response_files: bool,
    /// Forms in which it is harmless.
    pub(crate) forms: &'static [&'static str],
    /// Whether `-20` is an option.
    pub(crate) numbers: bool,
    /// What operands are, in order.
    pub(crate) operands: &'static [Operand],
    /// What it does to the current folder when no operand is given.
    pub(crate) without_operands: Option<Role>,
    /// What its standard input is to it.
    pub(crate) stdin: StdinUse,
    /// What it does besides what operands and options say.
    pub(crate) effects: &'static [Doing],
    /// The parser of its own that understands it.
    pub(crate) parser: Option<Parser>,
    /// Whether any words at all are harmless, options too.
    pub(crate) any_words: bool,
    /// The files that define the task that it runs, looked for in its folder
    /// and above.
    pub(crate) defined_by: &'static [&'static str],
    /// Words that begin with a dash and are known behind `--`.
    pub(crate) behind: &'static [&'static str],
    /// What some flags change.
    pub(crate) when: &'static [When],
    /// Its sub-commands.
    pub(crate) sub: &'static [Command],
}

/// How options are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Letters in bundles, long options with two dashes that may be
    /// abbreviated, anywhere among the operands.
    Gnu,
    /// As GNU, but only before the first operand.
    Posix,
    /// As GNU without abbreviations.
    Exact,
    /// Long options with one dash, anywhere.
    Single,
    /// The same, and values glued to letters: `-Iinclude`.
    Compiler,
    /// None: every word is an operand.
    None,
}

/// An option.
#[derive(Debug)]
pub(crate) struct Flag {
    /// With its dashes.
    pub(crate) name: &'static str,
    /// Its value.
    pub(crate) value: Value,
}

/// Whether an option has a value, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// None.
    None,
    /// Attached, or the next word.
    Required(Role),
    /// Attached or none.
    Optional(Role),
    /// None, or a name glued to it that has no effect: `-Wall`.
    Name,
}

/// Operands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand {
    /// What they are.
    pub(crate) role: Role,
    /// How many.
    pub(crate) count: Count,
}

/// How many operands of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// One.
    One,
    /// One or none.
    Optional,
    /// Any number.
    Any,
    /// At least one.
    Many,
}

/// What an operand, or the value of an option, is to the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Data: no effect.
    Text,
    /// A file that is read.
    Read,
    /// A folder that is read with everything below.
    ReadTree,
    /// The same, and what links in it lead to.
    FollowTree,
    /// A file or folder whose name and attributes are looked at.
    List,
    /// The same with everything below.
    ListTree,
    /// A file that is created or replaced.
    Write,
    /// A file that is changed in place.
    Edit,
    /// A folder that is created.
    MakeFolder,
    /// A file whose attributes are changed.
    Mode,
    /// A file that goes away.
    Delete,
    /// An empty folder that goes away.
    DeleteFolder,
    /// A folder that goes away with everything below.
    DeleteTree,
    /// A file or folder that goes elsewhere.
    MoveFrom,
    /// Where the sources go: a file, or a folder.
    Destination,
    /// The folder into which the sources go.
    FolderDestination,
}

/// What standard input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StdinUse {
    /// Data, or not read.
    Data,
    /// Code, where no operand says otherwise.
    Code,
    /// Read instead of the current folder if it is a pipe.
    Instead,
}

/// What a command does besides its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Network,
    Privilege,
    Process,
    Install,
    Publish,
    History,
    LocalHistory,
    Infrastructure,
    Persistence,
    Poisoning,
    Interpreter,
    Control,
    System,
    Agent,
    Task,
    CodeTask,
    Translate,
    /// It runs the command behind it, which stands in the view on its own.
    Wrapper,
}

/// A parser that one command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parser {
    Ar,
    Archive,
    Awk,
    Cc,
    Dd,
    Find,
    Git,
    Javac,
    Jq,
    Media,
    Pack,
    Python,
    Rustc,
    Sed,
    Tar,
    Test,
}

/// What changes when one of some flags is given.
#[derive(Debug)]
pub(crate) struct When {
    /// The flags: one of each group.
    pub(crate) flags: &'static [&'static [&'static str]],
    /// What operands are then.
    pub(crate) operands: Option<&'static [Operand]>,
    /// What it does then besides.
    pub(crate) effects: &'static [Doing],
    /// What it does then without operands.
    pub(crate) without_operands: Option<Role>,
    /// What standard input is then.
    pub(crate) stdin: Option<StdinUse>,
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
    use super::{Command, Count, Doing, Flag, Operand, Parser, Role, StdinUse, Style, Value, When};
    include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));
}

/// The command of that name (the last part of a path), if it is known.
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
    let commands = tables::COMMANDS;
    let at = commands
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()?;
    commands.get(at).map(|(_, command)| *command)
}
