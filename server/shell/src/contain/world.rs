//! What the outside world says about paths and repositories: the port over which
//! effects are judged.

use camino::Utf8PathBuf;
use countersign_core::command::Folder;
use countersign_core::effect::{Task, Touch};
use countersign_core::paths::FileKind;

/// What the outside world says about paths. Total: what cannot be told is
/// [`Scope::Unknown`].
pub trait World {
    /// What a path means to a program that runs in the folder.
    fn place(&self, text: &str, folder: &Folder, touch: Touch) -> Place;

    /// The paths that a pattern means there, as the program would get them;
    /// `None` if they are too many or cannot be told.
    fn expand(&self, pattern: &str, folder: &Folder) -> Option<Vec<String>>;

    /// What is at and below a path; `None` if it is too much to look at, or
    /// cannot be told.
    fn tree(&self, text: &str, folder: &Folder) -> Option<Tree> {
        let _ = (text, folder);
        None
    }

    /// The repository that git finds from a folder, and what its settings
    /// would run.
    fn repository(&self, folder: &Folder) -> Repository {
        let _ = folder;
        Repository {
            problem: Some("nothing is known of the repository".to_owned()),
            ..Repository::default()
        }
    }

    /// What stands in the way of running a task of the project.
    fn task(&self, task: &Task) -> Project {
        let _ = task;
        Project {
            root: None,
            problem: Some("nothing is known of the project".to_owned()),
        }
    }

    /// What a script of the workspace holds, if every byte of it is trusted or
    /// known; else why it is not.
    ///
    /// # Errors
    /// Why, in lower case without a full stop.
    fn script(&self, text: &str, folder: &Folder) -> Result<ScriptContent, String> {
        let _ = folder;
        Err(format!("nothing is known of `{text}`"))
    }
}

/// A project of which a task would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder in which everything that the task may load lies; none where
    /// that is not known.
    pub root: Option<Utf8PathBuf>,
    /// Why the task is not as the baseline has it. Lower case, without a full
    /// stop.
    pub problem: Option<String>,
}

/// What a script holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptContent {
    /// The canonical path.
    pub path: Utf8PathBuf,
    /// All of it.
    pub text: String,
}

/// What is at and below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// Whether a link leads out of it.
    pub links_lead_out: bool,
    /// Whether a name in it holds blanks, control characters, quotes or
    /// characters of patterns, or begins like an option.
    pub has_odd_names: bool,
}

/// A git repository as the outside world sees it; the default is one that runs
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// Why no git command is proven here: it is another repository than the
    /// workspace's, or its settings may run programs that are not the user's
    /// own. Lower case, without a full stop.
    pub problem: Option<String>,
    /// The hooks that it has and that are not the user's own.
    pub hooks: Vec<String>,
    /// Where its hooks lie.
    pub hooks_folders: Vec<Utf8PathBuf>,
}

/// A path as the outside world sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The canonical path.
    pub path: Utf8PathBuf,
    /// The absolute path as written, without `.` and `..`; links are not
    /// followed.
    pub written: Utf8PathBuf,
    /// Where it lies: the strictest that holds.
    pub scope: Scope,
    /// What is there now.
    pub kind: FileKind,
    /// Whether what is there (with everything below) could be had back if it
    /// were lost; true where nothing is.
    pub can_be_had_back: bool,
}

/// Where a path lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In the workspace, and not protected.
    Workspace,
    /// Protected, in the workspace or not.
    Protected(String),
    /// In the system's folder for temporary files.
    Temp,
    /// Elsewhere in the user's home folder.
    Home,
    /// Programs, libraries and settings of the system.
    System,
    /// Holds credentials, or may.
    Credential(String),
    /// A device that only takes or gives bytes: `/dev/null`, `/dev/zero`.
    Sink,
    /// Another device, a socket, a pipe.
    Device,
    /// Elsewhere.
    Outside,
    /// Cannot be told.
    Unknown,
}
