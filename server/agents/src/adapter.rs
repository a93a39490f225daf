//! What is known of each agent, as data: its events, its tools, how it names
//! MCP tools and calls. One constant per agent, in the agent's own file.

use countersign_core::agent::Agent;
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use crate::capabilities::Capabilities;
use crate::error::DecodeError;
use crate::event::Stage;
use crate::tools::ToolEntry;
use crate::{claude, codex, cursor, gemini, generic, opencode, qwen, vscode};

/// An agent's adapter.
pub(crate) struct Adapter {
    pub(crate) agent: Agent,
    /// Its name for people.
    pub(crate) title: &'static str,
    /// Every hook event by its exact name.
    pub(crate) events: &'static [(&'static str, EventClass)],
    /// Every built-in tool by its exact, case-sensitive name.
    pub(crate) tools: &'static [ToolEntry],
    /// The MCP tool that a name and payload stand for. Asked before the table:
    /// a name that could be an MCP tool's is one.
    pub(crate) mcp: McpTool,
    /// Brings a payload of an event into the form that is read, or refuses it.
    pub(crate) translate: Translate,
    /// The fields that may hold the call's id, best first.
    pub(crate) call_id: &'static [&'static str],
    pub(crate) capabilities: Capabilities,
}

/// Reads an MCP tool from a raw name and the payload it stands in. Several
/// where a name may be of several servers: all of them must be allowed. None
/// for a name that is no MCP tool's.
pub(crate) type McpTool = fn(&str, &Map<String, Value>) -> Result<Vec<Tool>, DecodeError>;

/// Brings a payload into the form that is read: the fields of Claude Code's.
pub(crate) type Translate = fn(&str, Map<String, Value>) -> Result<Map<String, Value>, DecodeError>;

/// For agents whose payloads have that form.
pub(crate) fn as_it_is(
    _event: &str,
    payload: Map<String, Value>,
) -> Result<Map<String, Value>, DecodeError> {
    Ok(payload)
}

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventClass {
    PreTool,
    PermissionRequest,
    /// As `PreTool`, where another event of the same call follows.
    Announced,
    /// As `PreTool`, through a hook of another agent.
    Borrowed,
    AgentDenied,
    Result {
        failed: bool,
    },
    UserMessage,
    SessionStart,
    SessionEnd,
    TurnEnd,
    Other,
}

impl EventClass {
    pub(crate) const fn stage(self) -> Stage {
        match self {
            Self::PreTool => Stage::PreTool,
            Self::PermissionRequest => Stage::PermissionRequest,
            Self::Announced => Stage::Announced,
            Self::Borrowed => Stage::Borrowed,
            Self::AgentDenied
            | Self::Result { .. }
            | Self::UserMessage
            | Self::SessionStart
            | Self::SessionEnd
            | Self::TurnEnd
            | Self::Other => Stage::NoDecision,
        }
    }
}

static ADAPTERS: [&Adapter; 8] = [
    &claude::ADAPTER,
    &qwen::ADAPTER,
    &codex::ADAPTER,
    &gemini::ADAPTER,
    &opencode::ADAPTER,
    &cursor::ADAPTER,
    &vscode::ADAPTER,
    &generic::ADAPTER,
];

/// The adapter of an agent.
pub(crate) const fn adapter(agent: Agent) -> &'static Adapter {
    match agent {
        Agent::ClaudeCode => &claude::ADAPTER,
        Agent::Qwen => &qwen::ADAPTER,
        Agent::Codex => &codex::ADAPTER,
        Agent::Gemini => &gemini::ADAPTER,
        Agent::Opencode => &opencode::ADAPTER,
        Agent::Cursor => &cursor::ADAPTER,
        Agent::Vscode => &vscode::ADAPTER,
        Agent::Generic => &generic::ADAPTER,
    }
}

/// The adapter by which the tool names of an agent are read over ACP: only of
/// those whose names there were seen to be the ones of their hooks. A name
/// that anybody may write is none.
pub(crate) const fn over_acp(agent: Agent) -> Option<&'static Adapter> {
    match agent {
        Agent::ClaudeCode | Agent::Qwen | Agent::Codex | Agent::Gemini => Some(adapter(agent)),
        Agent::Opencode | Agent::Cursor | Agent::Vscode | Agent::Generic => None,
    }
}

impl Adapter {
    pub(crate) fn event(&self, name: &str) -> Option<EventClass> {
        self.named_event(name).map(|(_, class)| class)
    }

    pub(crate) fn named_event(&self, name: &str) -> Option<(&'static str, EventClass)> {
        self.events
            .iter()
            .find(|(known, _)| *known == name)
            .copied()
    }

    /// As [`Self::named_event`], for a name that may be written as another
    /// agent writes it.
    pub(crate) fn borrowed_event(&self, name: &str) -> Option<(&'static str, EventClass)> {
        self.named_event(name).or_else(|| {
            let same = |known: &str| known.eq_ignore_ascii_case(name);
            let of_claude = BORROWED_NAMES
                .iter()
                .find(|(theirs, _)| *theirs == name)
                .map(|(_, names)| *names)
                .unwrap_or_default();
            self.events
                .iter()
                .find(|(known, _)| same(known) || of_claude.contains(known))
                .copied()
        })
    }
}

/// Events of Claude Code's by the names that agents with a form of their own
/// have for them.
const BORROWED_NAMES: &[(&str, &[&str])] = &[
    ("UserPromptSubmit", &["beforeSubmitPrompt", "BeforeAgent"]),
    ("PreToolUse", &["BeforeTool"]),
    ("PostToolUse", &["AfterTool"]),
    ("Stop", &["AfterAgent"]),
];

/// The hook events of an agent by name, in the order of its documents.
pub fn known_events(agent: Agent) -> impl Iterator<Item = &'static str> {
    adapter(agent).events.iter().map(|(name, _)| *name)
}

/// What an event of this name is about.
pub(crate) fn stage(agent: Agent, event: &str) -> Stage {
    let found = adapter(agent).event(event);
    found.map_or(Stage::Unknown, EventClass::stage)
}

/// As [`stage`], for an agent that nobody knows: what the name means to those
/// that are known.
pub(crate) fn stage_of_nobody(event: &str) -> Stage {
    let found = ADAPTERS.iter().find_map(|adapter| adapter.event(event));
    found.map_or(Stage::Unknown, EventClass::stage)
}
