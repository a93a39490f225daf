//! Cursor, by its documents: nothing was measured with the real one.
//!
//! A shell command or MCP call fires `preToolUse` and an event of its own;
//! only the latter can ask. Both are brought to the same input, so that they
//! join into one call.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::call::ShellDialect;
use countersign_core::tool::Tool;
use serde_json::{Map, Value, json};

use crate::adapter::{Adapter, EventClass};
use crate::capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit,
};
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::json;
use crate::tools::{Prompt, Shape, ToolEntry};

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Cursor,
    title: "Cursor",
    events: EVENTS,
    tools: TOOLS,
    mcp,
    translate,
    call_id: &["tool_use_id"],
    capabilities: CAPABILITIES,
};

/// The results are those of `postToolUse`, which every tool has with the input
/// it was decided on; the other events of what was done say less.
const EVENTS: &[(&str, EventClass)] = &[
    ("preToolUse", EventClass::Announced),
    ("beforeShellExecution", EventClass::PreTool),
    ("beforeMCPExecution", EventClass::PreTool),
    ("beforeReadFile", EventClass::PermissionRequest),
    ("subagentStart", EventClass::PermissionRequest),
    ("postToolUse", EventClass::Result { failed: false }),
    ("postToolUseFailure", EventClass::Result { failed: true }),
    ("beforeSubmitPrompt", EventClass::UserMessage),
    ("sessionStart", EventClass::SessionStart),
    ("sessionEnd", EventClass::SessionEnd),
    ("stop", EventClass::TurnEnd),
    ("afterShellExecution", EventClass::Other),
    ("afterMCPExecution", EventClass::Other),
    ("afterFileEdit", EventClass::Other),
    ("afterAgentResponse", EventClass::Other),
    ("afterAgentThought", EventClass::Other),
    ("subagentStop", EventClass::Other),
    ("preCompact", EventClass::Other),
];

const FILE: &[&str] = &["file_path", "path", "target_file"];

const SHELL: Shape = Shape::Command {
    // The user's own shell, which the payload does not name.
    dialect: ShellDialect::Bash,
    // Brought into the call's folder before.
    folder: None,
};

/// Names of Claude Code's tools stand among Cursor's own: its hooks are loaded
/// too.
const TOOLS: &[ToolEntry] = &[
    tool("Shell", Tool::RunShellCommand, SHELL),
    tool("Bash", Tool::RunShellCommand, SHELL),
    tool("Read", Tool::ReadFile, Shape::Read(FILE)),
    tool("Grep", Tool::GrepSearch, Shape::Search(&["path"])),
    tool("Write", Tool::WriteFile, Shape::AnyWrite(FILE)),
    tool("Edit", Tool::Edit, Shape::AnyWrite(FILE)),
    tool("Delete", Tool::DeleteFile, Shape::Delete(FILE)),
    tool(
        "Task",
        Tool::Agent,
        Shape::Delegate {
            kind: &["subagent_type"],
            kind_required: false,
            prompt: Prompt::OrWholeInput("prompt"),
        },
    ),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

/// How Cursor marks a tool of an MCP server. It does not say which server.
const MCP: &str = "MCP:";

/// Stands for a server that is not named.
pub(crate) const UNKNOWN_SERVER: &str = "unknown";

fn mcp(raw: &str, _payload: &Map<String, Value>) -> Result<Vec<Tool>, DecodeError> {
    let tool = match raw.strip_prefix(MCP) {
        Some(name) => Some(Tool::Mcp {
            server: UNKNOWN_SERVER.to_owned(),
            tool: name.to_owned(),
        }),
        None => Tool::from_mcp(raw),
    };
    Ok(tool.into_iter().collect())
}

fn translate(event: &str, payload: Map<String, Value>) -> Result<Map<String, Value>, DecodeError> {
    let fields = Fields::payload(&payload);
    let mut read = Map::new();
    session(fields, &mut read)?;
    for name in ["transcript_path", "tool_use_id", "prompt", "reason"] {
        if let Some(value) = fields.value(name) {
            read.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(named) = fields.optional_text("hook_event_name")? {
        // Through Claude Code's hooks the name may be Claude Code's.
        let named = if named.eq_ignore_ascii_case(event) {
            event
        } else {
            named
        };
        read.insert("hook_event_name".to_owned(), named.into());
    }
    if fields.optional_text("composer_mode")? == Some("plan") {
        read.insert("permission_mode".to_owned(), "plan".into());
    }
    let mut cwd = folder(fields)?;
    if let Some((name, input)) = call(event, fields, &mut cwd)? {
        read.insert("tool_name".to_owned(), name.into());
        read.insert("tool_input".to_owned(), input);
    }
    read.insert("cwd".to_owned(), cwd.into());
    Ok(read)
}

fn session(fields: Fields<'_>, read: &mut Map<String, Value>) -> Result<(), DecodeError> {
    const FIELD: &str = "conversation_id";
    let own = match fields.optional_text(FIELD)? {
        Some(own) => own,
        None => fields
            .optional_text("session_id")?
            .ok_or_else(|| fields.missing(FIELD))?,
    };
    let parent = fields
        .optional_text("parent_conversation_id")?
        .filter(|parent| !parent.is_empty() && *parent != own);
    if parent.is_some() {
        read.insert("agent_id".to_owned(), own.into());
    }
    read.insert("session_id".to_owned(), parent.unwrap_or(own).into());
    Ok(())
}

/// The folder of the event, else the first of the workspace.
fn folder(fields: Fields<'_>) -> Result<String, DecodeError> {
    if let Some(cwd) = fields.optional_path(&["cwd"])? {
        return Ok(cwd.to_owned());
    }
    let roots = fields.texts(&["workspace_roots"])?;
    Ok(roots.first().copied().unwrap_or_default().to_owned())
}

/// The tool and its input, of an event that is about one.
fn call(
    event: &str,
    fields: Fields<'_>,
    cwd: &mut String,
) -> Result<Option<(String, Value)>, DecodeError> {
    Ok(Some(match event {
        "beforeShellExecution" => (
            "Shell".to_owned(),
            json!({ "command": fields.text("command")? }),
        ),
        "beforeMCPExecution" => (
            format!("{MCP}{}", bare_name(fields)?),
            input_of(fields)?.clone(),
        ),
        "beforeReadFile" => (
            "Read".to_owned(),
            json!({ "file_path": fields.path(FILE)? }),
        ),
        "subagentStart" => (
            "Task".to_owned(),
            json!({
                "subagent_type": fields.optional_text("subagent_type")?,
                "prompt": fields.text("task")?,
            }),
        ),
        "preToolUse" | "postToolUse" | "postToolUseFailure" => {
            let name = fields.text("tool_name")?;
            let input = input_of(fields)?;
            (name.to_owned(), joinable(name, input, cwd)?)
        }
        _ => return Ok(None),
    }))
}

fn bare_name(fields: Fields<'_>) -> Result<&str, DecodeError> {
    let name = fields.text("tool_name")?;
    let name = name.strip_prefix(MCP).unwrap_or(name);
    if name.is_empty() {
        return Err(fields.invalid("tool_name", "is empty"));
    }
    Ok(name)
}

/// The input, which is JSON in a string at some events.
fn input_of(fields: Fields<'_>) -> Result<Value, DecodeError> {
    const FIELD: &str = "tool_input";
    match fields.value(FIELD) {
        None => Err(fields.missing(FIELD)),
        Some(Value::String(text)) => json::value(text.as_bytes())
            .map_err(|error| fields.invalid(FIELD, format!("holds no JSON: {error}"))),
        Some(other) => Ok(other.clone()),
    }
}

/// The input of `preToolUse`, as the other event of the same call has it.
fn joinable(name: &str, input: Value, cwd: &mut String) -> Result<Value, DecodeError> {
    let Value::Object(object) = &input else {
        return Ok(input);
    };
    let given = Fields::tool_input(object);
    Ok(match name {
        "Shell" | "Bash" => {
            if let Some(folder) = given.optional_path(&["working_directory", "cwd"])? {
                *cwd = camino::Utf8Path::new(cwd.as_str())
                    .join(folder)
                    .into_string();
            }
            json!({ "command": given.text("command")? })
        }
        "Read" => json!({ "file_path": given.path(FILE)? }),
        "Task" => json!({
            "subagent_type": given.optional_text("subagent_type")?,
            "prompt": given.text("prompt")?,
        }),
        _ => input,
    })
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Documents("of November 2026"),
    pre_tool: StageCapabilities {
        event: "beforeShellExecution",
        can_allow: true,
        can_ask: true,
        block: BlockForm::ExitTwo,
    },
    permission_request: Some(StageCapabilities {
        event: "beforeReadFile",
        can_allow: false,
        // An ask is accepted and not enforced.
        can_ask: false,
        block: BlockForm::ExitTwo,
    }),
    announced: Some(StageCapabilities {
        event: "preToolUse",
        can_allow: false,
        // An ask is accepted and not enforced.
        can_ask: false,
        block: BlockForm::ExitTwo,
    }),
    default_timeout: Duration::from_secs(60),
    timeout_unit: TimeoutUnit::Seconds,
    fails_open: &[
        FailsOpen::OtherExit,
        FailsOpen::Killed,
        FailsOpen::Timeout,
        FailsOpen::BrokenJson,
        FailsOpen::Ask,
    ],
    notes: &[
        "with `failClosed: true` in the entry a hook that fails, or is late, blocks; without it the tool runs",
        "the name of an MCP tool's server is not in the payload: rules for a named server do not apply",
        "`preToolUse` comes first and cannot ask: without an editor an ask is denied there; leave `Shell` and MCP tools out of its matcher to have the agent's own prompt",
        "cloud agents run the hooks of the project only",
        "completions (Tab) are not guarded",
    ],
};
