//! One tool call that an agent wants to make, as the decision sees it.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::agent::Agent;
use crate::mode::AgentMode;
use crate::tool::Tool;

/// The session that a call belongs to: one conversation with one agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey {
    /// The agent.
    pub agent: Agent,
    /// The agent's own id of the conversation.
    pub session: String,
    /// The sub-agent that makes the call, if it is not the session itself.
    pub subagent: Option<String>,
}

impl SessionKey {
    /// The session at the root: the same without the sub-agent.
    #[must_use]
    pub fn root(&self) -> Self {
        Self {
            agent: self.agent,
            session: self.session.clone(),
            subagent: None,
        }
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.agent, self.session)?;
        match &self.subagent {
            Some(subagent) => write!(f, "/{subagent}"),
            None => Ok(()),
        }
    }
}

/// A tool call, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Who wants to make it.
    pub key: SessionKey,
    /// The agent's own id of the call, where it gives one.
    pub id: Option<String>,
    /// The tool's name as the agent wrote it.
    pub raw_tool: String,
    /// The tool's input as the agent wrote it.
    pub raw_input: serde_json::Value,
    /// The absolute folder in which the call would run.
    pub cwd: Utf8PathBuf,
    /// The folders that a shell looks for programs in, first to last, as far as
    /// they are known: those of the agent's own environment. They can only make
    /// the answer stricter.
    pub search_path: Vec<Utf8PathBuf>,
    /// The agent's own permission mode.
    pub agent_mode: AgentMode,
    /// What the call would do; several where one call touches several files
    /// (Codex's `apply_patch`). Never empty; they are decided together.
    pub operations: Vec<Operation>,
}

/// One canonical operation of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The canonical tool.
    pub tool: Tool,
    /// What it acts on.
    pub subject: Subject,
    /// Scalar parameters by the agent's own names, for `key:value` matchers.
    pub parameters: BTreeMap<String, String>,
}

/// What an operation acts on.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A shell command's text.
    Command(CommandText),
    /// Files and folders.
    Paths(Vec<PathUse>),
    /// URLs; none means that the host is not known.
    Urls(Vec<String>),
    /// A sub-agent or skill: its type, then the prompt it would follow.
    Delegate {
        /// The sub-agent's type or the skill's name.
        kind: Option<String>,
        /// The instruction it would follow.
        prompt: String,
    },
    /// Nothing that rules look at beyond the tool's name and parameters.
    Other,
}

/// The text of a shell command and the shell that will run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandText {
    /// The command exactly as it would be run.
    pub text: String,
    /// The shell that will run it.
    pub dialect: ShellDialect,
}

/// The shell that will run a command, as far as the agent's adapter knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShellDialect {
    /// GNU bash.
    #[default]
    Bash,
    /// A POSIX shell such as dash.
    Posix,
    /// zsh.
    Zsh,
    /// `PowerShell`.
    PowerShell,
}

/// A path that an operation would touch, as the agent wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathUse {
    /// The path as given; relative paths are relative to the call's cwd.
    pub path: String,
    /// How it would be touched.
    pub access: Access,
    /// The new text of a written file, or the changed part of it.
    pub change: Option<Change>,
}

/// What an edit would put into a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The text that goes away; empty for a whole file.
    pub old: String,
    /// The text that comes in.
    pub new: String,
}

/// How a path would be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The file's content would be read.
    Read,
    /// Everything below would or might be read.
    ReadTree,
    /// Names, not contents, would be listed.
    List,
    /// The file would be created or changed.
    Write,
    /// The path would go away (deletion, or the source of a move).
    Delete,
}

impl Access {
    /// Whether the path would be changed.
    #[must_use]
    pub const fn writes(self) -> bool {
        match self {
            Self::Write | Self::Delete => true,
            Self::Read | Self::ReadTree | Self::List => false,
        }
    }
}

/// A SHA-256 digest, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of parts, each with its length before it, so that no two
    /// lists of parts run together.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The digest whose hexadecimal form is `text`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0_u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hex"))
    }
}

impl Call {
    /// The digest that joins two events of one call and binds an approval to
    /// exactly this call: agent, session, sub-agent, cwd, and every canonical
    /// operation with its whole content.
    ///
    /// Built from the canonical operations where there are such, because
    /// agents add harmless fields (a description) to one event and not to the
    /// other; an operation without a canonical subject counts with its whole
    /// raw input.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts: Vec<Vec<u8>> = vec![
            self.key.to_string().into_bytes(),
            self.cwd.as_str().as_bytes().to_vec(),
        ];
        for operation in &self.operations {
            parts.push(operation.tool.to_string().into_bytes());
            match &operation.subject {
                Subject::Command(command) => {
                    parts.push(b"command".to_vec());
                    parts.push(command.text.clone().into_bytes());
                    parts.push(format!("{:?}", command.dialect).into_bytes());
                    // In the background, without a sandbox, with a time limit.
                    parts.push(self.raw_input_without_prose());
                }
                Subject::Paths(paths) => {
                    parts.push(b"paths".to_vec());
                    for path in paths {
                        parts.push(path.path.clone().into_bytes());
                        parts.push(format!("{:?}", path.access).into_bytes());
                        if let Some(change) = &path.change {
                            parts.push(change.old.clone().into_bytes());
                            parts.push(change.new.clone().into_bytes());
                        }
                    }
                    // Reads may have limits and patterns beside the path.
                    parts.push(self.raw_input_without_prose());
                }
                Subject::Urls(urls) => {
                    parts.push(b"urls".to_vec());
                    parts.extend(urls.iter().map(|url| url.clone().into_bytes()));
                    parts.push(self.raw_input_without_prose());
                }
                Subject::Delegate { kind, prompt } => {
                    parts.push(b"delegate".to_vec());
                    parts.push(format!("{kind:?}").into_bytes());
                    parts.push(prompt.clone().into_bytes());
                    parts.push(self.raw_input_without_prose());
                }
                Subject::Other => {
                    parts.push(b"other".to_vec());
                    parts.push(self.raw_tool.clone().into_bytes());
                    parts.push(match operation.tool {
                        // What a field of a foreign tool means is not known: a
                        // description may be what it sends.
                        Tool::Mcp { .. } | Tool::Other(_) => {
                            self.raw_input.to_string().into_bytes()
                        }
                        _ => self.raw_input_without_prose(),
                    });
                }
            }
        }
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }

    /// The raw input as JSON text without the field `description`, which
    /// agents write for people and not in every event.
    fn raw_input_without_prose(&self) -> Vec<u8> {
        let mut input = self.raw_input.clone();
        if let Some(object) = input.as_object_mut() {
            object.remove("description");
        }
        input.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Agent;

    fn call(tool: Tool, input: serde_json::Value) -> Call {
        Call {
            key: SessionKey {
                agent: Agent::Qwen,
                session: "s".to_owned(),
                subagent: None,
            },
            id: None,
            raw_tool: tool.to_string(),
            raw_input: input,
            cwd: "/w".into(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
            operations: vec![Operation {
                tool,
                subject: Subject::Other,
                parameters: BTreeMap::new(),
            }],
        }
    }

    #[test]
    fn what_a_foreign_tool_would_send_is_part_of_the_call() {
        let with = |text: &str| {
            let tool = Tool::from_canonical("mcp__tracker__create");
            call(tool, serde_json::json!({ "description": text })).digest()
        };
        assert_ne!(with("a bug"), with("the secrets"));
        let with = |text: &str| {
            let input = serde_json::json!({ "description": text });
            call(Tool::TodoWrite, input).digest()
        };
        assert_eq!(with("prose"), with("other prose"));
    }
}
