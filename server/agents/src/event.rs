//! The events of agents, decoded.

use camino::Utf8PathBuf;
use countersign_core::agent::Agent;
use countersign_core::call::{Call, SessionKey, ShellDialect, Subject};
use countersign_core::search_path;
use countersign_core::state::CallEvent;

use crate::adapter;

/// A hook event.
#[derive(Debug, Clone, PartialEq)]
pub struct HookEvent {
    /// The session, and the sub-agent if the event is one's.
    pub key: SessionKey,
    /// The absolute folder that the session works in.
    pub cwd: Utf8PathBuf,
    /// What happened.
    pub kind: EventKind,
    /// Where the agent keeps the conversation, if it says so.
    pub transcript_path: Option<Utf8PathBuf>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// A call wants a decision.
    Call {
        /// At which point of the call.
        stage: CallStage,
        /// The call.
        call: Call,
    },
    /// The agent denied a call by itself.
    AgentDenied {
        /// The call.
        call: Call,
        /// Why, in the agent's words; empty if it gives none.
        reason: String,
    },
    /// A tool ran.
    Result {
        /// The call.
        call: Call,
        /// Whether the tool failed.
        failed: bool,
    },
    /// A person's message reached the agent.
    UserMessage {
        /// What the person typed of it: without attachments, reminders and the
        /// like. Empty for a picture alone.
        text: String,
    },
    /// A session began or goes on.
    SessionStart {
        /// How (`startup`, `resume` …); empty if the agent does not say.
        source: String,
    },
    /// A session ended.
    SessionEnd {
        /// Why; empty if the agent does not say.
        reason: String,
    },
    /// The agent's turn ended.
    TurnEnd,
    /// Anything else that needs no decision.
    Other,
}

/// The point of a call at which the agent asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallStage {
    /// Before the tool runs.
    PreTool,
    /// Before the agent would prompt.
    PermissionRequest,
    /// Before the tool runs, where another event of the same call may follow.
    Announced,
    /// Before the tool runs, through a hook that was installed for another
    /// agent; one of the agent's own may stand beside it.
    Borrowed,
}

impl From<CallStage> for CallEvent {
    fn from(stage: CallStage) -> Self {
        match stage {
            CallStage::PreTool => Self::PreTool,
            CallStage::PermissionRequest => Self::PermissionRequest,
            CallStage::Announced => Self::Announced,
            CallStage::Borrowed => Self::Borrowed,
        }
    }
}

/// What an answer must be encoded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventRef {
    /// The agent.
    pub agent: Agent,
    /// What the event is about.
    pub stage: Stage,
}

/// What an event is about, as far as the form of the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A call, before the tool runs.
    PreTool,
    /// A call, before the agent would prompt.
    PermissionRequest,
    /// A call, before the tool runs, where another event of it may follow.
    Announced,
    /// A call, before the tool runs, through another agent's hook.
    Borrowed,
    /// Something that needs no decision: every answer is the neutral one.
    NoDecision,
    /// An event that is not known: every answer is a block.
    Unknown,
}

impl CallStage {
    /// What an answer at this point must be encoded for.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::PreTool => Stage::PreTool,
            Self::PermissionRequest => Stage::PermissionRequest,
            Self::Announced => Stage::Announced,
            Self::Borrowed => Stage::Borrowed,
        }
    }
}

impl From<CallStage> for Stage {
    fn from(stage: CallStage) -> Self {
        stage.stage()
    }
}

impl Stage {
    /// Whether an event of it must be decided: one that cannot be read is a
    /// block then, and goes on record.
    #[must_use]
    pub const fn decides(self) -> bool {
        match self {
            Self::PreTool
            | Self::PermissionRequest
            | Self::Announced
            | Self::Borrowed
            | Self::Unknown => true,
            Self::NoDecision => false,
        }
    }
}

/// What the environment of a hook says, which is its agent's. It can only make
/// an answer stricter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// PATH: where a shell looks for programs.
    pub search_path: Option<String>,
    /// SHELL: the program that is the user's shell.
    pub shell: Option<String>,
}

impl Surroundings {
    fn is_zsh(&self) -> bool {
        let name = self
            .shell
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        name.is_some_and(|name| name.starts_with("zsh"))
    }
}

/// Whether commands are run by whatever shell the user has; else by bash.
const fn runs_the_users_shell(agent: Agent) -> bool {
    match agent {
        Agent::ClaudeCode
        | Agent::Codex
        | Agent::Opencode
        | Agent::Cursor
        | Agent::Vscode
        | Agent::Generic => true,
        Agent::Qwen | Agent::Gemini => false,
    }
}

impl HookEvent {
    /// Says what the agent's environment is, where it is a call's event.
    pub fn set_surroundings(&mut self, surroundings: &Surroundings) {
        let EventKind::Call { call, .. } = &mut self.kind else {
            return;
        };
        if let Some(path) = &surroundings.search_path {
            call.search_path = search_path::folders(path, &call.cwd);
        }
        if runs_the_users_shell(call.key.agent) && surroundings.is_zsh() {
            for operation in &mut call.operations {
                if let Subject::Command(command) = &mut operation.subject
                    && command.dialect == ShellDialect::Bash
                {
                    command.dialect = ShellDialect::Zsh;
                }
            }
        }
    }

    /// What an answer to the event must be encoded for.
    #[must_use]
    pub const fn event_ref(&self) -> EventRef {
        let stage = match self.kind {
            EventKind::Call { stage, .. } => stage.stage(),
            EventKind::AgentDenied { .. }
            | EventKind::Result { .. }
            | EventKind::UserMessage { .. }
            | EventKind::SessionStart { .. }
            | EventKind::SessionEnd { .. }
            | EventKind::TurnEnd
            | EventKind::Other => Stage::NoDecision,
        };
        EventRef {
            agent: self.key.agent,
            stage,
        }
    }
}

/// What an answer must be encoded for when the payload could not be read:
/// `--event` alone says what it was about.
#[must_use]
pub fn event_of_broken(agent: Agent, event_arg: &str) -> EventRef {
    EventRef {
        agent,
        stage: adapter::stage(agent, event_arg),
    }
}
