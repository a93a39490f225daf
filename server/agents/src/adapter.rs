//! What is known of each agent, as data: its events, its tools, how it names
//! MCP tools and calls. One constant per agent, in the agent's own file.

use countersign_core::agent::Agent;
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use crate::capabilities::Capabilities;
use crate::error::DecodeError;
use crate::event::Stage;
use crate::tools::ToolEntry;
use crate::{claude, codex, gemini, opencode, qwen};

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
    AgentDenied,
    Result { failed: bool },
    UserMessage,
    SessionStart,
    SessionEnd,
    TurnEnd,
    Other,
}

impl EventClass {
    const fn stage(self) -> Stage {
        match self {
            Self::PreTool => Stage::PreTool,
            Self::PermissionRequest => Stage::PermissionRequest,
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

static ADAPTERS: [&Adapter; 5] = [
    &claude::ADAPTER,
    &qwen::ADAPTER,
    &codex::ADAPTER,
    &gemini::ADAPTER,
    &opencode::ADAPTER,
];

/// The adapter of an agent, if this version has one.
pub(crate) fn adapter(agent: Agent) -> Option<&'static Adapter> {
    ADAPTERS
        .iter()
        .copied()
        .find(|adapter| adapter.agent == agent)
}

impl Adapter {
    pub(crate) fn event(&self, name: &str) -> Option<EventClass> {
        self.events
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, class)| *class)
    }
}

/// The hook events of an agent by name, in the order of its documents; empty
/// for an agent without an adapter.
pub fn known_events(agent: Agent) -> impl Iterator<Item = &'static str> {
    adapter(agent)
        .into_iter()
        .flat_map(|adapter| adapter.events.iter().map(|(name, _)| *name))
}

/// What an event of this name is about. For an agent without an adapter, what
/// the name means to those that have one.
pub(crate) fn stage(agent: Agent, event: &str) -> Stage {
    let found = match adapter(agent) {
        Some(adapter) => adapter.event(event),
        None => ADAPTERS.iter().find_map(|adapter| adapter.event(event)),
    };
    found.map_or(Stage::Unknown, EventClass::stage)
}
