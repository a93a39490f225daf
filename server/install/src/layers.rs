//! Where each agent reads its settings, and which file `install` writes.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use serde::Serialize;

use crate::refused::Refused;

mod files;

pub use files::layers;

/// Whose sessions a hook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of the user's.
    User,
    /// Those in one project.
    Project,
}

impl Scope {
    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Project => "project",
        }
    }
}

/// Where settings begin.
#[derive(Clone, Copy)]
pub struct Bases<'a> {
    /// The user's home folder.
    pub home: &'a Utf8Path,
    /// The folder of the project, if there is one.
    pub workspace: Option<&'a Utf8Path>,
    /// Where the machine's settings begin: `/`, unless a test says otherwise.
    pub machine: &'a Utf8Path,
    /// The variables by which agents let their folders be moved.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Who wrote a file of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// The user.
    User,
    /// The project, for everybody.
    Project,
    /// The project, for the user alone.
    Local,
    /// The machine's administrator.
    Managed,
    /// The user, in settings that hold no hooks but can switch them off.
    Switches,
    /// The user, for the sessions that are started with it.
    Profile,
    /// The user: in which folders the agent reads a project's settings.
    Folders,
    /// The user, as variables, one on a line.
    Variables,
    /// The project, as variables, one on a line.
    ProjectVariables,
}

impl LayerKind {
    /// Whether hooks stand in it.
    pub(crate) const fn holds_hooks(self) -> bool {
        matches!(
            self,
            Self::User | Self::Project | Self::Local | Self::Managed
        )
    }

    /// Whether it came with the project.
    pub(crate) const fn is_of_project(self) -> bool {
        matches!(self, Self::Project | Self::Local | Self::ProjectVariables)
    }
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// There is none.
    Missing,
    /// Its text.
    Text(String),
    /// Why it cannot be read.
    Unreadable(String),
}

/// A file that an agent reads, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Who wrote it.
    pub kind: LayerKind,
    /// The file; one whose name begins with `*` stands for all of its folder
    /// that end like it.
    pub path: Utf8PathBuf,
    /// What is in it.
    pub content: Content,
}

impl Layer {
    pub(crate) const fn unread(kind: LayerKind, path: Utf8PathBuf) -> Self {
        Self {
            kind,
            path,
            content: Content::Missing,
        }
    }

    /// How the names of the files end for which it stands, if it is not one.
    fn ending(&self) -> Option<&str> {
        self.path.file_name()?.strip_prefix('*')
    }

    /// Whether it stands for many files.
    #[must_use]
    pub fn is_many(&self) -> bool {
        self.ending().is_some()
    }

    /// Whether it stands for a file of this name in its folder. Agents leave
    /// hidden files out.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        self.ending().is_some_and(|ending| {
            !name.starts_with('.') && name.len() > ending.len() && name.ends_with(ending)
        })
    }
}

impl Bases<'_> {
    /// The absolute path that a variable has.
    fn moved(&self, name: &str) -> Option<Utf8PathBuf> {
        (self.variable)(name)
            .map(Utf8PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// The folder in which the user's settings of an agent are.
    fn of_user(&self, agent: Agent) -> Utf8PathBuf {
        let moved = |name: &str| self.moved(name);
        let own = |name: &str| self.home.join(name);
        match agent {
            Agent::ClaudeCode => moved("CLAUDE_CONFIG_DIR").unwrap_or_else(|| own(".claude")),
            Agent::Codex => moved("CODEX_HOME").unwrap_or_else(|| own(".codex")),
            Agent::Qwen => moved("QWEN_HOME").unwrap_or_else(|| own(".qwen")),
            Agent::Gemini => moved("GEMINI_CLI_HOME")
                .unwrap_or_else(|| self.home.to_owned())
                .join(".gemini"),
            Agent::Opencode => moved("XDG_CONFIG_HOME")
                .unwrap_or_else(|| own(".config"))
                .join("opencode"),
            Agent::Cursor => own(".cursor"),
            Agent::Vscode | Agent::Generic => own(".copilot"),
        }
    }

    /// The same in the project.
    fn of_project(&self, agent: Agent) -> Option<Utf8PathBuf> {
        let name = match agent {
            Agent::ClaudeCode => ".claude",
            Agent::Codex => ".codex",
            Agent::Qwen => ".qwen",
            Agent::Gemini => ".gemini",
            Agent::Opencode => ".opencode",
            Agent::Cursor => ".cursor",
            Agent::Vscode | Agent::Generic => ".github",
        };
        self.workspace.map(|workspace| workspace.join(name))
    }
}

/// The file below an agent's folder that holds its hooks.
const fn hooks_file(agent: Agent) -> &'static str {
    match agent {
        Agent::ClaudeCode | Agent::Qwen | Agent::Gemini => "settings.json",
        Agent::Codex | Agent::Cursor => "hooks.json",
        Agent::Opencode => "plugin/countersign.js",
        Agent::Vscode | Agent::Generic => "hooks/countersign.json",
    }
}

/// The file that `install` writes.
///
/// # Errors
/// When there is no project.
pub fn target(agent: Agent, scope: Scope, bases: &Bases<'_>) -> Result<Utf8PathBuf, Refused> {
    let folder = match scope {
        Scope::User => bases.of_user(agent),
        Scope::Project => bases.of_project(agent).ok_or_else(|| {
            Refused::Wish(
                "this folder is no workspace, so there is no project to install into; go to a \
                 project's folder, or leave out --scope project"
                    .to_owned(),
            )
        })?,
    };
    Ok(folder.join(hooks_file(agent)))
}

/// Codex's settings beside its hooks, in which a person's trust is kept.
#[must_use]
pub fn codex_config(bases: &Bases<'_>) -> Utf8PathBuf {
    bases.of_user(Agent::Codex).join("config.toml")
}

/// Whether the user seems to have the agent: its folder is one that it makes.
#[must_use]
pub fn own_folder(agent: Agent, bases: &Bases<'_>) -> Utf8PathBuf {
    bases.of_user(agent)
}
