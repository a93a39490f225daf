//! A home for the guard, a workspace beside it, and what agents want in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::repository::root;

/// A person's settings, with a rule of each kind.
const SETTINGS: &str = r#"{
  "permissions": {
    "allow": ["Bash(cargo test *)", "Bash(cargo build *)", "Bash(git status)", "WebFetch(domain:docs.rs)"],
    "ask": ["Bash(git push *)"],
    "deny": ["Bash(uproot *)", "Read(.env)"]
  }
}
"#;

/// What the hook is run with, before the home.
const HOOK: [&str; 5] = ["hook", "claude-code", "--event", "PreToolUse", "--home"];

/// How Claude Code is told that a tool may be used.
pub(super) const ALLOW: &str = "\"permissionDecision\":\"allow\"";

pub(super) struct Ground {
    folder: TempDir,
    /// The guard's home of the server and its hooks.
    pub(super) home: PathBuf,
    /// The folder that is open in the editor and trusted there.
    pub(super) workspace: PathBuf,
}

impl Ground {
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("countersign-").tempdir()?;
        let at = folder.path().canonicalize()?;
        let workspace = at.join("workspace");
        fs::create_dir_all(workspace.join(".git"))?;
        fs::create_dir_all(workspace.join("src"))?;
        fs::write(workspace.join("src/lib.rs"), "pub fn vines() {}\n")?;
        fs::write(workspace.join(".env"), "KEY=none\n")?;
        Ok(Self {
            home: settled_home(&at.join("home"))?,
            workspace,
            folder,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Another home, with the same settings and no server.
    pub(super) fn second_home(&self) -> Result<PathBuf> {
        settled_home(&self.folder().join("alone"))
    }

    /// What Claude Code says before it uses a tool.
    pub(super) fn call(&self, session: usize, number: usize, wanted: Wanted) -> Value {
        let (tool, input) = wanted.tool(&self.workspace);
        json!({
            "session_id": format!("00000000-0000-4000-8000-{session:012}"),
            "transcript_path": self.folder().join("transcript.jsonl"),
            "cwd": self.workspace,
            "permission_mode": "default",
            "hook_event_name": "PreToolUse",
            "tool_name": tool,
            "tool_input": input,
            "tool_use_id": call_id(number),
        })
    }
}

/// The agent's id of a call, always as long: two events with one id are one
/// call.
pub(super) fn call_id(number: usize) -> String {
    format!("toolu_{number:016}")
}

/// What an agent wants.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// To read a file of the workspace: a safe tool.
    Read,
    /// To run a command that a rule allows.
    Test,
    /// To run a command that a rule denies.
    Uproot,
    /// To read a file that a rule denies.
    Secret,
}

impl Wanted {
    fn tool(self, workspace: &Path) -> (&'static str, Value) {
        let file = |name: &str| json!({ "file_path": workspace.join(name) });
        match self {
            Self::Read => ("Read", file("src/lib.rs")),
            Self::Secret => ("Read", file(".env")),
            Self::Test => (
                "Bash",
                json!({
                    "command": "cargo test --workspace --locked",
                    "description": "Runs the tests",
                }),
            ),
            Self::Uproot => ("Bash", json!({ "command": "uproot vines --all" })),
        }
    }

    /// Whether the answer is the right one: its exit status, and what it says
    /// on both outputs.
    pub(super) fn is_right(self, exit: Option<i32>, said: &str) -> bool {
        match self {
            Self::Read | Self::Test => exit == Some(0) && said.contains(ALLOW),
            Self::Uproot | Self::Secret => exit == Some(2) && said.contains("deny rule"),
        }
    }
}

/// The release build.
pub(super) fn program() -> PathBuf {
    root().join("target/release/countersign")
}

/// What agents start, beside it.
pub(super) fn hook_program() -> PathBuf {
    root().join("target/release/countersign-hook")
}

/// The words behind the program that make it the hook of Claude Code before a
/// tool is used.
pub(super) fn hook_words(home: &Path) -> Result<Vec<String>> {
    let home = home.to_str().context("the temporary folder is not UTF-8")?;
    Ok(HOOK.into_iter().chain([home]).map(str::to_owned).collect())
}

fn settled_home(home: &Path) -> Result<PathBuf> {
    fs::create_dir_all(home.join("config"))?;
    fs::write(home.join("config/settings.json"), SETTINGS)?;
    Ok(home.to_owned())
}
