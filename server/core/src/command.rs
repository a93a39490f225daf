//! A shell command as the rules see it: every simple command in it, as words.
//!
//! `countersign-shell` builds the view; this crate never parses. The view says
//! what could not be understood, so that "no rule matched" and "nothing is
//! known" stay apart.

use std::ops::Range;

use crate::paths::PathFact;

/// A parsed command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CommandView {
    /// Every simple command however deep: in compound commands, substitutions,
    /// functions, here-documents fed to a shell, behind wrappers and launchers.
    /// In the order in which they stand in the text, a wrapper before what it
    /// runs.
    pub commands: Vec<SimpleCommand>,
    /// Why the command is not, or not wholly, understood. Not empty means that
    /// there may be commands that are not listed: allow rules cannot vouch for
    /// it, and a deny or ask rule cannot be ruled out.
    pub problems: Vec<Problem>,
}

/// Something that keeps a command from being understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is, in plain words, for people ("unclosed quote", "more than
    /// 200 simple commands"). Lower case, without a full stop.
    pub reason: String,
    /// Where it is in the command's text, in bytes, if it has a place.
    pub span: Option<Range<usize>>,
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SimpleCommand {
    /// The command's name and arguments; empty for a bare assignment or
    /// redirect.
    pub words: Vec<Word>,
    /// `NAME=value` before the command, `export NAME=value` and the like.
    pub assignments: Vec<Assignment>,
    /// Redirects of this command and of the compound commands around it.
    pub redirects: Vec<Redirect>,
    /// Words (never the first) that may be paths, resolved by the engine's
    /// host; empty until then, and when no rule looks at paths.
    pub operands: Vec<Operand>,
    /// The file that it runs, where its name is a literal path, resolved by the
    /// engine's host; none until then, and for a name that is looked up.
    pub program: Option<PathFact>,
    /// What its standard input is.
    pub stdin: Stdin,
    /// The whole text that it reads there, where a here-document or here-string
    /// of its own gives that, and it runs an interpreter.
    pub input: Option<String>,
    /// The folder it runs in, relative to the call's.
    pub folder: Folder,
    /// How it comes to run.
    pub origin: Origin,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

impl SimpleCommand {
    /// The name of the command, if it is a literal word: as written, with any
    /// path.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.words.first()?.literal()
    }

    /// The last segment of the command's name: `rm` for `/bin/rm`.
    #[must_use]
    pub fn base_name(&self) -> Option<&str> {
        self.name()?.rsplit('/').next()
    }
}

/// A word after quote removal and the expansions that are certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What is known of the word.
    pub value: WordValue,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// What is known of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WordValue {
    /// Exactly this text, but for a leading `~`, which is always one that the
    /// shell expands to a home folder: a word with a quoted one is a `Glob`
    /// whose `~` is escaped.
    Literal(String),
    /// One or more file names that match this pattern when the command runs;
    /// the pattern itself if nothing matches. Characters that are quoted in
    /// the word are escaped with `\`.
    Glob(String),
    /// Not known before the command runs: a variable, a substitution, an
    /// arithmetic expansion. May become any number of words, options too,
    /// unless `prefix` or `known` rules that out.
    Dynamic {
        /// The literal text before the first part that is not known. Holds
        /// whatever `known` says, so that who looks at nothing else is safe.
        prefix: String,
        /// What is known besides.
        known: Known,
    },
}

/// What is known of a word whose text is not. All but [`Known::Nothing`] mean
/// that it becomes exactly one word, unless something else is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Known {
    /// Nothing: any number of words, none too.
    #[default]
    Nothing,
    /// Exactly one word, perhaps an empty one.
    OneWord,
    /// Exactly one word, of which each character is a digit or a blank; perhaps
    /// an empty one. So never an option, and never the beginning of one.
    Natural,
    /// Exactly one word of digits, perhaps with a minus before them.
    Integer,
    /// One of these.
    OneOf(Choice),
    /// Paths that a search has found.
    Below(Below),
    /// Exactly one word, the name of a pipe from or to commands that the view
    /// lists (`<( … )`).
    Stream,
}

/// One of several values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Words of one command with the same number here have the same choice
    /// behind them, a loop's variable: where one has the value with an index,
    /// the others have theirs with that index. `None`: on its own.
    pub by: Option<usize>,
    /// The values: literals, and patterns for one of the names that match.
    /// Never fewer than two, but for a single pattern.
    pub values: Vec<WordValue>,
    /// Whether a matching name that has blanks or characters of patterns in it
    /// becomes other words: the value is not quoted. No literal does.
    pub splits: bool,
}

/// Paths at or below some folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// The folders, or files, where the search begins.
    pub roots: Vec<String>,
    /// The folder that relative ones mean. Where a command runs in another one,
    /// nothing is known of the paths.
    pub folder: Folder,
    /// Whether the paths may be any number of words.
    pub several: bool,
    /// Whether a path may begin with a dash: it does not begin with its root.
    pub may_be_option: bool,
    /// Whether a path may be a link, which leads out of the roots.
    pub may_be_link: bool,
    /// Whether all this holds only where no name at and below the roots has
    /// blanks, quotes or characters of patterns in it or begins like an option:
    /// such a path becomes other words.
    pub is_split: bool,
}

impl WordValue {
    /// A value of which nothing is known.
    #[must_use]
    pub const fn unknown() -> Self {
        Self::Dynamic {
            prefix: String::new(),
            known: Known::Nothing,
        }
    }
}

impl Word {
    /// The word's text, if it is known exactly.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match &self.value {
            WordValue::Literal(text) => Some(text),
            WordValue::Glob(_) | WordValue::Dynamic { .. } => None,
        }
    }
}

/// An assignment to a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable's name.
    pub name: String,
    /// The value; `None` where the variable is only exported or unset.
    pub value: Option<WordValue>,
    /// Whether only this command sees it (`NAME=value command`); otherwise
    /// what follows sees it too.
    pub for_this_command: bool,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// A redirect.
#[derive(Debug, Clone, PartialEq)]
pub struct Redirect {
    /// What it does.
    pub kind: RedirectKind,
    /// The file; `None` for file descriptors, here-documents and here-strings.
    pub target: Option<Word>,
    /// The file as the host resolved it; `None` until then, and where the
    /// target is not a literal word.
    pub path: Option<PathFact>,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// What a redirect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RedirectKind {
    /// `< file`
    Read,
    /// `> file`, `>| file`, `&> file`
    Write,
    /// `>> file`, `&>> file`
    Append,
    /// `<> file`
    ReadWrite,
    /// `2>&1`, `<&3`, `>&-`: no file is opened.
    Descriptor,
    /// `<< END` or `<<< text`: no file is opened.
    Here,
}

impl RedirectKind {
    /// Whether a file is opened for writing.
    #[must_use]
    pub const fn writes(self) -> bool {
        match self {
            Self::Write | Self::Append | Self::ReadWrite => true,
            Self::Read | Self::Descriptor | Self::Here => false,
        }
    }
}

/// A word, or the part of an option after `=`, that names a file or may.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// Index of the word among [`SimpleCommand::words`].
    pub word: usize,
    /// The path.
    pub path: PathFact,
}

/// The folder in which a command runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Folder {
    /// That of the call.
    #[default]
    Call,
    /// Where `cd` or `pushd` with these literal arguments, one after the other,
    /// lead from there.
    Moved(Vec<String>),
    /// Not known: a `cd` to a dynamic place, or one that only may have run.
    Unknown,
}

/// What a command's standard input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Stdin {
    /// What the shell itself has: for an agent's command, nothing.
    #[default]
    Inherited,
    /// The output of the command before it in a pipeline.
    Pipe,
    /// A here-document, here-string, file or other descriptor.
    Redirected,
}

/// How a simple command comes to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Origin {
    /// It stands in the command itself, perhaps in a compound command.
    #[default]
    Direct,
    /// Behind a wrapper that only changes how it runs and whose options are
    /// all understood (timeout, nice, nohup, time, stdbuf, command). `by` is
    /// the index of the wrapper among [`CommandView::commands`].
    Wrapped {
        /// Index of the wrapper.
        by: usize,
    },
    /// Behind anything else that runs it: sudo, env, xargs, find -exec, ssh,
    /// `bash -c`, eval, a here-document fed to a shell; also every run of words
    /// behind a wrapper whose options are not understood. Allow rules do not
    /// look through these.
    Launched {
        /// Index of the launcher.
        by: usize,
    },
    /// In a command or process substitution.
    Substituted,
    /// In the body of a function.
    Function,
}
