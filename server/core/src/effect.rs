//! What a command would do, as far as that is known without running it.

use std::ops::Range;

use crate::call::ShellDialect;
use crate::command::Folder;

mod underline;
mod words;

pub use underline::underlined;
pub use words::{Line, MOST_LINES, Told, line, lines};

/// What analysis finds out about a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// What it would do, in the order of the text.
    pub effects: Vec<Effect>,
    /// What could not be found out; not empty means that it may do anything.
    pub unproven: Vec<Unproven>,
}

/// One thing that a command would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What.
    pub kind: EffectKind,
    /// Index of the simple command that does it.
    pub command: usize,
    /// What in the text causes it, in bytes.
    pub span: Range<usize>,
}

/// Why it is not known what a part does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// Plain words that name it; lower case, without a full stop.
    pub reason: String,
    /// Where, in bytes.
    pub span: Range<usize>,
}

/// What a command would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectKind {
    /// It would do this with files.
    Path {
        /// What with them.
        touch: Touch,
        /// Which.
        target: Target,
    },
    /// It would work with the repository that git finds.
    Repository {
        /// Where git begins to look for it.
        folder: Folder,
        /// The hooks that git would run if the repository has them.
        hooks: &'static [&'static str],
    },
    /// It would run a task of the project, with words that are understood.
    Task(Task),
    /// It would run what a file says, as a shell script.
    Script(Script),
    /// It would do this besides.
    Doing(Doing, String),
}

/// A task of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The command that runs it, for people.
    pub name: String,
    /// Where that runs.
    pub folder: Folder,
    /// The files that say what it does, looked for in the folder and above.
    pub defined_by: &'static [&'static str],
    /// Whether code of the project runs.
    pub runs_code: bool,
}

/// A file that is run as a shell script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The path as the shell hands it to the program.
    pub text: String,
    /// Where it runs.
    pub folder: Folder,
    /// The shell that reads it; none where its first line says so.
    pub dialect: Option<ShellDialect>,
}

impl Task {
    /// What it does, without what is known of its files.
    #[must_use]
    pub const fn doing(&self) -> Doing {
        if self.runs_code {
            Doing::CodeTask
        } else {
            Doing::Task
        }
    }
}

/// What is done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touch {
    /// Names and attributes are looked at.
    List,
    /// The same, with everything below.
    ListTree,
    /// A file's content is read.
    Read,
    /// Everything below is read.
    ReadTree,
    /// A file is created, or replaced.
    Write,
    /// A file is changed in place: what it was is lost.
    Edit,
    /// A folder is created.
    MakeFolder,
    /// Permissions, owner or times are changed.
    Mode,
    /// A file goes away.
    Delete,
    /// An empty folder goes away.
    DeleteFolder,
    /// Everything below goes away.
    DeleteTree,
    /// A file or folder goes elsewhere.
    MoveFrom,
    /// The file is run.
    Execute,
    /// The file is run, or obeyed, if there is one.
    Load,
}

impl Touch {
    /// Whether something is changed.
    #[must_use]
    pub const fn changes(self) -> bool {
        match self {
            Self::List
            | Self::ListTree
            | Self::Read
            | Self::ReadTree
            | Self::Execute
            | Self::Load => false,
            Self::Write
            | Self::Edit
            | Self::MakeFolder
            | Self::Mode
            | Self::Delete
            | Self::DeleteFolder
            | Self::DeleteTree
            | Self::MoveFrom => true,
        }
    }
}

/// Which path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This one, relative to the folder.
    Path {
        /// As the shell hands it to the program; a leading `~` is a home folder.
        text: String,
        /// Where the program runs.
        folder: Folder,
    },
    /// What matches when the command runs.
    Glob {
        /// The pattern; quoted characters are escaped with `\`.
        pattern: String,
        /// Where the program runs.
        folder: Folder,
        /// Whether a match may be taken for an option.
        may_be_option: bool,
    },
    /// In the folder `folder`, or the file itself if that is none, under the
    /// last names of the sources (`cp a b folder`).
    Into {
        /// The destination.
        text: String,
        /// Where the program runs.
        folder: Folder,
        /// The sources' last names.
        names: Vec<String>,
        /// Whether it must be a folder.
        is_folder: bool,
    },
    /// What the links at and below a path lead to.
    Links {
        /// The path, as the shell hands it to the program.
        text: String,
        /// Where the program runs.
        folder: Folder,
    },
    /// What the names at and below a path become for a program that splits them
    /// at blanks and reads quotes in them (`find … | xargs`).
    Pieces {
        /// The path, as the shell hands it to the program.
        text: String,
        /// Where the program runs.
        folder: Folder,
    },
    /// What the shell makes of the matches of a pattern where it splits them at
    /// blanks and expands them again.
    SplitMatches {
        /// The pattern; quoted characters are escaped with `\`.
        pattern: String,
        /// Where the program runs.
        folder: Folder,
    },
    /// Files in a folder that Python would load in place of modules of its
    /// standard library.
    StandIns {
        /// Where the program runs.
        folder: Folder,
    },
    /// Not known.
    Unknown,
}

/// What a command does besides touching files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doing {
    /// Talks to other machines.
    Network,
    /// Gets other rights.
    Privilege,
    /// Stops or changes processes.
    Process,
    /// Installs packages.
    Install,
    /// Publishes.
    Publish,
    /// Changes a repository's history, or another repository.
    History,
    /// Adds to the local history, reversibly.
    LocalHistory,
    /// Changes containers, clusters, clouds.
    Infrastructure,
    /// Makes something run later.
    Persistence,
    /// Changes how programs run (environment, aliases, functions).
    Poisoning,
    /// Runs code in an interpreter.
    Interpreter,
    /// Drives an editor, terminal or desktop.
    Control,
    /// Changes the system.
    System,
    /// Starts a coding agent.
    Agent,
    /// Runs a task of the project that runs no code of the project.
    Task,
    /// Runs a task of the project that runs its code.
    CodeTask,
    /// Only translates sources.
    Translate,
    /// Nothing that is known.
    UnknownProgram,
}

impl Doing {
    /// In plain words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "talks to other machines",
            Self::Privilege => "gets other rights",
            Self::Process => "stops or changes processes",
            Self::Install => "installs packages",
            Self::Publish => "publishes",
            Self::History => "changes history or another repository",
            Self::LocalHistory => "adds to the local history",
            Self::Infrastructure => "changes containers, clusters or clouds",
            Self::Persistence => "makes something run later",
            Self::Poisoning => "changes how programs run",
            Self::Interpreter => "runs code in an interpreter",
            Self::Control => "drives an editor, terminal or desktop",
            Self::System => "changes the system",
            Self::Agent => "starts a coding agent",
            Self::Task => "runs a task of the project",
            Self::CodeTask => "runs the project's own code",
            Self::Translate => "translates sources",
            Self::UnknownProgram => "runs a program that is not known",
        }
    }
}
