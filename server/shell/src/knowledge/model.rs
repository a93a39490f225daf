//! What the knowledge base says of a command. The build script writes it and the
//! program reads it, both by these types: nothing else says how the bytes between
//! them are laid out.

use serde::{Deserialize, Serialize};

/// A command, or a sub-command of one. Texts are owned by the build script and
/// borrowed by the program.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Command<Text> {
    /// Its names.
    pub(crate) names: Box<[Text]>,
    /// How it reads options.
    pub(crate) style: Style,
    /// The options that are known.
    pub(crate) flags: Box<[Flag<Text>]>,
    /// Whether a version may follow its names: `gcc-12`.
    pub(crate) versions: bool,
    /// Options that, alone, only make it say something of itself.
    pub(crate) queries: Box<[Text]>,
    /// The same, behind each of its sub-commands.
    pub(crate) sub_queries: Box<[Text]>,
    /// Whether it replaces a word `@FILE` by what the file holds.
    pub(crate) response_files: bool,
    /// Forms in which it is harmless.
    pub(crate) forms: Box<[Text]>,
    /// Whether `-20` is an option.
    pub(crate) numbers: bool,
    /// What operands are, in order.
    pub(crate) operands: Box<[Operand]>,
    /// What it does to the current folder when no operand is given.
    pub(crate) without_operands: Option<Role>,
    /// What its standard input is to it.
    pub(crate) stdin: StdinUse,
    /// What it does besides what operands and options say.
    pub(crate) effects: Box<[Doing]>,
    /// The parser of its own that understands it.
    pub(crate) parser: Option<Parser>,
    /// Whether any words at all are harmless, options too.
    pub(crate) any_words: bool,
    /// The files that define the task that it runs, looked for in its folder
    /// and above.
    pub(crate) defined_by: Box<[Text]>,
    /// Words that begin with a dash and are known behind `--`.
    pub(crate) behind: Box<[Text]>,
    /// What some flags change.
    pub(crate) when: Box<[When<Text>]>,
    /// The names of its sub-commands, in order.
    pub(crate) sub: Box<[SubName<Text>]>,
}

/// A name of a sub-command. The sub-command is an entry of its own: of the many
/// that `git` has, one call needs one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubName<Text> {
    /// The name.
    pub(crate) name: Text,
    /// Whether it is the first that the sub-command has.
    pub(crate) is_first: bool,
    /// The number of the entry.
    pub(crate) entry: u16,
}

/// How options are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    /// Letters in bundles, long options with two dashes that may be
    /// abbreviated, anywhere among the operands.
    #[default]
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
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Flag<Text> {
    /// With its dashes.
    pub(crate) name: Text,
    /// Its value.
    pub(crate) value: Value,
}

/// Whether an option has a value, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Operand {
    /// What they are.
    pub(crate) role: Role,
    /// How many.
    pub(crate) count: Count,
}

/// How many operands of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StdinUse {
    /// Data, or not read.
    #[default]
    Data,
    /// Code, where no operand says otherwise.
    Code,
    /// Read instead of the current folder if it is a pipe.
    Instead,
}

/// What a command does besides its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct When<Text> {
    /// The flags: one of each group.
    pub(crate) flags: Box<[Box<[Text]>]>,
    /// What operands are then.
    pub(crate) operands: Option<Box<[Operand]>>,
    /// What it does then besides.
    pub(crate) effects: Box<[Doing]>,
    /// What it does then without operands.
    pub(crate) without_operands: Option<Role>,
    /// What standard input is then.
    pub(crate) stdin: Option<StdinUse>,
}
