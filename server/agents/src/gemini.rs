//! Gemini CLI.

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
use crate::fields::Fields;
use crate::tools::{Folder, Prompt, Shape, ToolEntry};

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Gemini,
    title: "Gemini CLI",
    events: EVENTS,
    tools: TOOLS,
    mcp,
    translate: as_it_is,
    // It gives none; two events of one call are joined by their digest.
    call_id: &[],
    capabilities: CAPABILITIES,
};

const EVENTS: &[(&str, EventClass)] = &[
    ("BeforeTool", EventClass::PreTool),
    ("AfterTool", EventClass::Result { failed: false }),
    ("BeforeAgent", EventClass::UserMessage),
    ("AfterAgent", EventClass::TurnEnd),
    ("SessionStart", EventClass::SessionStart),
    ("SessionEnd", EventClass::SessionEnd),
    ("Notification", EventClass::Other),
    ("BeforeModel", EventClass::Other),
    ("AfterModel", EventClass::Other),
    ("BeforeToolSelection", EventClass::Other),
    ("PreCompress", EventClass::Other),
];

/// `save_memory` has no canonical tool: it writes into the agent's own
/// instructions, at a place that its input does not name.
const TOOLS: &[ToolEntry] = &[
    tool(
        "run_shell_command",
        Tool::RunShellCommand,
        Shape::Command {
            dialect: ShellDialect::Bash,
            folder: Some(Folder {
                field: "dir_path",
                may_be_relative: true,
            }),
        },
    ),
    tool(
        "read_file",
        Tool::ReadFile,
        Shape::Read(&["file_path", "absolute_path"]),
    ),
    tool(
        "read_many_files",
        Tool::ReadManyFiles,
        Shape::ReadMany(&["include", "paths"]),
    ),
    tool(
        "grep_search",
        Tool::GrepSearch,
        Shape::Search(&["dir_path", "path"]),
    ),
    tool(
        "search_file_content",
        Tool::GrepSearch,
        Shape::Search(&["dir_path", "path"]),
    ),
    tool("glob", Tool::Glob, Shape::Find(&["dir_path", "path"])),
    tool(
        "list_directory",
        Tool::ListDirectory,
        Shape::List(&["dir_path", "path"]),
    ),
    tool("replace", Tool::Edit, Shape::Edit(&["file_path"])),
    tool("write_file", Tool::WriteFile, Shape::Write(&["file_path"])),
    tool("web_fetch", Tool::WebFetch, Shape::FetchPrompt),
    tool("google_web_search", Tool::WebSearch, Shape::Query),
    tool(
        "invoke_agent",
        Tool::Agent,
        Shape::Delegate {
            kind: &["agent_name"],
            kind_required: true,
            prompt: Prompt::OrWholeInput("prompt"),
        },
    ),
    tool(
        "activate_skill",
        Tool::Skill,
        Shape::Delegate {
            kind: &["name"],
            kind_required: true,
            prompt: Prompt::Optional("args"),
        },
    ),
    tool("write_todos", Tool::TodoWrite, Shape::Plain),
    tool("ask_user", Tool::AskUserQuestion, Shape::Plain),
    tool("enter_plan_mode", Tool::EnterPlanMode, Shape::Plain),
    tool("exit_plan_mode", Tool::ExitPlanMode, Shape::Plain),
    tool("complete_task", Tool::StructuredOutput, Shape::Plain),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

/// A payload with `mcp_context` is an MCP tool's, whatever its name; without
/// one, `mcp_server_tool` and `server__tool` are names of MCP tools. The first
/// part is taken for the server: its names have no underscore.
fn mcp(raw: &str, payload: &Map<String, Value>) -> Result<Vec<Tool>, DecodeError> {
    if let Some(tool) = mcp_of_context(raw, payload)? {
        return Ok(vec![tool]);
    }
    if let Some(tool) = Tool::from_mcp(raw) {
        return Ok(vec![tool]);
    }
    let parts = match raw.strip_prefix("mcp_") {
        Some(rest) => Some(rest.split_once('_').unwrap_or((rest, ""))),
        None => raw.split_once("__"),
    };
    Ok(parts
        .filter(|(server, _)| !server.is_empty())
        .map(|(server, tool)| Tool::Mcp {
            server: server.to_owned(),
            tool: tool.to_owned(),
        })
        .into_iter()
        .collect())
}

/// The MCP tool that `mcp_context` names, if there is one.
pub(crate) fn mcp_of_context(
    raw: &str,
    payload: &Map<String, Value>,
) -> Result<Option<Tool>, DecodeError> {
    let Some(context) = payload.get("mcp_context").filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let fields = Fields::payload(payload);
    let Value::Object(context) = context else {
        return Err(fields.wrong_type("mcp_context", "an object", context));
    };
    let text = |field| context.get(field).and_then(Value::as_str);
    let server = text("server_name").filter(|server| !server.is_empty());
    let server = server.ok_or_else(|| fields.missing("mcp_context.server_name"))?;
    Ok(Some(Tool::Mcp {
        server: server.to_owned(),
        tool: text("tool_name").unwrap_or(raw).to_owned(),
    }))
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Measured("0.61.0"),
    pre_tool: StageCapabilities {
        event: "BeforeTool",
        // The agent's own policy still prompts.
        can_allow: false,
        // Without a terminal the agent waits for ever, and an ask replaces
        // even a denial of the agent's own policy.
        can_ask: false,
        block: BlockForm::ExitTwo,
    },
    permission_request: None,
    announced: None,
    default_timeout: Duration::from_secs(60),
    timeout_unit: TimeoutUnit::Milliseconds,
    fails_open: &[
        FailsOpen::OtherExit,
        FailsOpen::Killed,
        FailsOpen::Timeout,
        FailsOpen::BrokenJson,
    ],
    notes: &[
        "with --acp no hook fires before a tool; only an ACP proxy guards there",
        "a hook that leaves a child holding its standard output keeps the agent waiting for ever",
        "the hook inherits the agent's API key",
    ],
};
