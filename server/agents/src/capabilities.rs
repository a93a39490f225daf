//! What a guard can do through each agent's hooks, and how that is known; the
//! documents are generated from it.

use std::time::Duration;

use countersign_core::agent::Agent;

use crate::adapter;
use crate::event::{EventRef, Stage};

/// What a guard can do through an agent's hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How this is known.
    pub evidence: Evidence,
    /// Before the tool runs.
    pub pre_tool: StageCapabilities,
    /// Before the agent would prompt, if it has such an event.
    pub permission_request: Option<StageCapabilities>,
    /// Before the tool runs, where another event of the same call may follow.
    pub announced: Option<StageCapabilities>,
    /// How long the agent waits for a hook whose timeout is not configured.
    pub default_timeout: Duration,
    /// The unit of a timeout in the agent's settings.
    pub timeout_unit: TimeoutUnit,
    /// What makes the agent run the tool although the hook meant to block it
    /// or could not say anything.
    pub fails_open: &'static [FailsOpen],
    /// What else a guard must know, in plain words.
    pub notes: &'static [&'static str],
}

/// How something about an agent is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// It was measured with this version of the agent.
    Measured(&'static str),
    /// The agent's documents say so, and nothing was measured.
    Documents(&'static str),
    /// The interface is our own.
    Ours,
}

/// What a guard can do at one event of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageCapabilities {
    /// The agent's name of the event.
    pub event: &'static str,
    /// Whether an allow keeps the agent from prompting.
    pub can_allow: bool,
    /// Whether an ask leads to the agent's own prompt.
    pub can_ask: bool,
    /// How a block is spoken.
    pub block: BlockForm,
}

/// How a block is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockForm {
    /// Exit status 2 with the reason on standard error.
    ExitTwo,
    /// Exit status 0 with a JSON denial on standard output.
    DenyJson,
}

/// The unit of a timeout in an agent's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeoutUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// Something that makes an agent run the tool without the guard's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailsOpen {
    /// The hook ends with another status than 0 and 2.
    OtherExit,
    /// The hook is killed.
    Killed,
    /// The hook takes longer than its timeout.
    Timeout,
    /// The hook prints something that is not JSON.
    BrokenJson,
    /// The hook prints a field that the agent does not know.
    UnknownField,
    /// The hook denies in JSON without a reason.
    NoReason,
    /// The hook asks.
    Ask,
}

/// What a guard can do through an agent's hooks.
#[must_use]
pub const fn capabilities(agent: Agent) -> &'static Capabilities {
    &adapter::adapter(agent).capabilities
}

impl EventRef {
    /// What a guard can do at this event; `None` where there is nothing to
    /// decide.
    #[must_use]
    pub fn capabilities(self) -> Option<StageCapabilities> {
        let capabilities = capabilities(self.agent);
        match self.stage {
            Stage::PreTool => Some(capabilities.pre_tool),
            Stage::PermissionRequest => capabilities.permission_request,
            Stage::Announced => capabilities.announced,
            Stage::Borrowed => Some(StageCapabilities {
                // What is not said cannot be read in another agent's form.
                can_allow: false,
                // VS Code takes Claude Code's form for its own.
                can_ask: self.agent == Agent::Vscode,
                ..capabilities.pre_tool
            }),
            Stage::NoDecision | Stage::Unknown => None,
        }
    }
}
