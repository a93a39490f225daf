//! Claude Code.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::call::ShellDialect;
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use crate::adapter::{Adapter, EventClass, as_it_is};
use crate::capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit,
};
use crate::error::DecodeError;
use crate::tools::{Prompt, Shape, ToolEntry};

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::ClaudeCode,
    title: "Claude Code",
    events: EVENTS,
    tools: TOOLS,
    mcp,
    translate: as_it_is,
    call_id: &["tool_use_id"],
    capabilities: CAPABILITIES,
};

const EVENTS: &[(&str, EventClass)] = &[
    ("PreToolUse", EventClass::PreTool),
    ("PermissionRequest", EventClass::PermissionRequest),
    ("PermissionDenied", EventClass::AgentDenied),
    ("PostToolUse", EventClass::Result { failed: false }),
    ("PostToolUseFailure", EventClass::Result { failed: true }),
    ("UserPromptSubmit", EventClass::UserMessage),
    ("SessionStart", EventClass::SessionStart),
    ("SessionEnd", EventClass::SessionEnd),
    ("Stop", EventClass::TurnEnd),
    ("StopFailure", EventClass::TurnEnd),
    ("SubagentStart", EventClass::Other),
    ("SubagentStop", EventClass::Other),
    ("Notification", EventClass::Other),
    ("PreCompact", EventClass::Other),
    ("PostCompact", EventClass::Other),
];

/// The shell behind `Bash` is the user's own, bash or zsh: the payload does not
/// say which, but the environment of the hook does
/// ([`HookEvent::set_surroundings`](crate::HookEvent::set_surroundings)).
const BASH: Shape = Shape::Command {
    dialect: ShellDialect::Bash,
    folder: None,
};

const POWERSHELL: Shape = Shape::Command {
    dialect: ShellDialect::PowerShell,
    folder: None,
};

const AGENT: Shape = Shape::Delegate {
    kind: &["subagent_type"],
    kind_required: false,
    prompt: Prompt::Required("prompt"),
};

/// `BashOutput`, `TaskOutput` and the tools of worktrees, MCP resources and
/// settings have no canonical tool: never safe, like every other unknown one.
const TOOLS: &[ToolEntry] = &[
    tool("Bash", Tool::RunShellCommand, BASH),
    tool("PowerShell", Tool::RunShellCommand, POWERSHELL),
    tool("Monitor", Tool::Monitor, BASH),
    tool("Read", Tool::ReadFile, Shape::Read(&["file_path"])),
    tool(
        "NotebookRead",
        Tool::ReadFile,
        Shape::Read(&["notebook_path"]),
    ),
    tool("Grep", Tool::GrepSearch, Shape::Search(&["path"])),
    tool("Glob", Tool::Glob, Shape::Find(&["path"])),
    tool("LS", Tool::ListDirectory, Shape::List(&["path"])),
    tool(
        "LSP",
        Tool::Lsp,
        Shape::LanguageServer(&["filePath", "file_path"]),
    ),
    tool("Edit", Tool::Edit, Shape::Edit(&["file_path"])),
    tool("MultiEdit", Tool::Edit, Shape::MultiEdit(&["file_path"])),
    tool("Write", Tool::WriteFile, Shape::Write(&["file_path"])),
    tool(
        "NotebookEdit",
        Tool::NotebookEdit,
        Shape::Notebook(&["notebook_path"]),
    ),
    tool("WebFetch", Tool::WebFetch, Shape::Fetch),
    tool("WebSearch", Tool::WebSearch, Shape::Query),
    tool("Agent", Tool::Agent, AGENT),
    tool("Task", Tool::Agent, AGENT),
    tool(
        "Skill",
        Tool::Skill,
        Shape::Delegate {
            kind: &["skill", "command"],
            kind_required: true,
            prompt: Prompt::Optional("args"),
        },
    ),
    tool(
        "SlashCommand",
        Tool::Skill,
        Shape::Delegate {
            kind: &["command"],
            kind_required: true,
            prompt: Prompt::Optional("args"),
        },
    ),
    tool("TodoWrite", Tool::TodoWrite, Shape::Plain),
    tool("TaskCreate", Tool::TodoWrite, Shape::Plain),
    tool("TaskUpdate", Tool::TodoWrite, Shape::Plain),
    tool("TaskList", Tool::TodoWrite, Shape::Plain),
    tool("TaskGet", Tool::TodoWrite, Shape::Plain),
    tool("AskUserQuestion", Tool::AskUserQuestion, Shape::Plain),
    tool("EnterPlanMode", Tool::EnterPlanMode, Shape::Plain),
    tool("ExitPlanMode", Tool::ExitPlanMode, Shape::Plain),
    tool("ToolSearch", Tool::ToolSearch, Shape::Plain),
    tool("TaskStop", Tool::TaskStop, Shape::Plain),
    tool("KillShell", Tool::TaskStop, Shape::Plain),
    tool("KillBash", Tool::TaskStop, Shape::Plain),
    tool("StructuredOutput", Tool::StructuredOutput, Shape::Plain),
    tool("CronList", Tool::CronList, Shape::Plain),
    tool("CronCreate", Tool::CronCreate, Shape::Plain),
    tool("CronDelete", Tool::CronDelete, Shape::Plain),
    tool("SendMessage", Tool::SendMessage, Shape::Plain),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

/// `mcp__server__tool`, as Claude Code, Qwen Code and Codex write it.
pub(crate) fn mcp(raw: &str, _payload: &Map<String, Value>) -> Result<Vec<Tool>, DecodeError> {
    Ok(Tool::from_mcp(raw).into_iter().collect())
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Measured("2.1.329"),
    pre_tool: StageCapabilities {
        event: "PreToolUse",
        can_allow: true,
        can_ask: true,
        block: BlockForm::ExitTwo,
    },
    permission_request: Some(StageCapabilities {
        event: "PermissionRequest",
        can_allow: true,
        can_ask: true,
        // Exit status 2 means nothing here.
        block: BlockForm::DenyJson,
    }),
    announced: None,
    default_timeout: Duration::from_secs(600),
    timeout_unit: TimeoutUnit::Seconds,
    fails_open: &[
        FailsOpen::OtherExit,
        FailsOpen::Killed,
        FailsOpen::Timeout,
        FailsOpen::BrokenJson,
    ],
    notes: &[
        "an allow does not override the agent's own deny and ask rules",
        "files mentioned with @ are read without a hook",
        "PermissionRequest also fires where nobody can be prompted; an ask is a denial there",
    ],
};
