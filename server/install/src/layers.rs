//! Where each agent reads its settings, and which file `install` writes.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use serde::Serialize;

use crate::refused::Refused;

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
#[serde(rename_all = "lowercase")]
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
}

impl LayerKind {
    /// Its name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User | Self::Switches => "user",
            Self::Project => "project",
            Self::Local => "local",
            Self::Managed => "managed",
        }
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
    /// The file.
    pub path: Utf8PathBuf,
    /// What is in it.
    pub content: Content,
}

impl Bases<'_> {
    /// The folder in which the user's settings of an agent are.
    fn of_user(&self, agent: Agent) -> Utf8PathBuf {
        let moved = |name: &str| {
            (self.variable)(name)
                .map(Utf8PathBuf::from)
                .filter(|folder| folder.is_absolute())
        };
        let own = |name: &str| self.home.join(name);
        match agent {
            Agent::ClaudeCode => moved("CLAUDE_CONFIG_DIR").unwrap_or_else(|| own(".claude")),
            Agent::Codex => moved("CODEX_HOME").unwrap_or_else(|| own(".codex")),
            Agent::Qwen => own(".qwen"),
            Agent::Gemini => own(".gemini"),
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

/// Every file in which an agent looks for hooks, or for what switches them
/// off, the weakest first.
#[must_use]
pub fn layers(agent: Agent, bases: &Bases<'_>) -> Vec<Layer> {
    let user = bases.of_user(agent);
    let project = bases.of_project(agent);
    let machine = |path: &str| bases.machine.join(path);
    let mut files: Vec<(LayerKind, Utf8PathBuf)> = Vec::new();
    let file = hooks_file(agent);
    if agent == Agent::Codex {
        files.push((LayerKind::Managed, machine("etc/codex/config.toml")));
        files.push((LayerKind::User, user.join("config.toml")));
    }
    if agent == Agent::Vscode {
        let settings = bases.home.join(if cfg!(target_os = "macos") {
            "Library/Application Support/Code/User/settings.json"
        } else {
            ".config/Code/User/settings.json"
        });
        files.push((LayerKind::Switches, settings));
    }
    files.push((LayerKind::User, user.join(file)));
    if let Some(project) = &project {
        if agent == Agent::Codex {
            files.push((LayerKind::Project, project.join("config.toml")));
        }
        files.push((LayerKind::Project, project.join(file)));
        if agent == Agent::ClaudeCode {
            files.push((LayerKind::Local, project.join("settings.local.json")));
        }
    }
    let managed: &[&str] = match agent {
        Agent::ClaudeCode if cfg!(target_os = "macos") => {
            &["Library/Application Support/ClaudeCode/managed-settings.json"]
        }
        Agent::ClaudeCode => &["etc/claude-code/managed-settings.json"],
        Agent::Qwen => &["etc/qwen-code/settings.json"],
        Agent::Codex => &["etc/codex/hooks.json", "etc/codex/requirements.toml"],
        Agent::Gemini => &["etc/gemini-cli/settings.json"],
        Agent::Cursor if cfg!(target_os = "macos") => {
            &["Library/Application Support/Cursor/hooks.json"]
        }
        Agent::Cursor => &["etc/cursor/hooks.json"],
        Agent::Opencode | Agent::Vscode | Agent::Generic => &[],
    };
    files.extend(
        managed
            .iter()
            .map(|path| (LayerKind::Managed, machine(path))),
    );
    files
        .into_iter()
        .map(|(kind, path)| Layer {
            kind,
            path,
            content: Content::Missing,
        })
        .collect()
}
