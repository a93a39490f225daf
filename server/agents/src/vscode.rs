//! The agent of VS Code, and GitHub Copilot CLI, by their documents: nothing
//! was measured with the real ones.
//!
//! Copilot CLI is a form of this agent and not one of its own: VS Code loads
//! its hook files, it speaks VS Code's form where the event's name is written
//! with a capital, and whose payload it is shows in the fields.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::call::ShellDialect;
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use crate::adapter::{Adapter, EventClass};
use crate::capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit,
};
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::json;
use crate::opencode;
use crate::tools::{Prompt, Shape, ToolEntry};

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Vscode,
    title: "VS Code",
    events: EVENTS,
    tools: TOOLS,
    mcp,
    translate,
    call_id: &["tool_use_id"],
    capabilities: CAPABILITIES,
};

/// VS Code's, then those of Copilot CLI. Older versions of the latter take no
/// ask.
const EVENTS: &[(&str, EventClass)] = &[
    ("PreToolUse", EventClass::PreTool),
    ("PostToolUse", EventClass::Result { failed: false }),
    ("PostToolUseFailure", EventClass::Result { failed: true }),
    ("UserPromptSubmit", EventClass::UserMessage),
    ("SessionStart", EventClass::SessionStart),
    ("SessionEnd", EventClass::SessionEnd),
    ("Stop", EventClass::TurnEnd),
    ("SubagentStart", EventClass::Other),
    ("SubagentStop", EventClass::Other),
    ("PreCompact", EventClass::Other),
    ("preToolUse", EventClass::Announced),
    ("postToolUse", EventClass::Result { failed: false }),
    ("postToolUseFailure", EventClass::Result { failed: true }),
    ("userPromptSubmitted", EventClass::UserMessage),
    ("sessionStart", EventClass::SessionStart),
    ("sessionEnd", EventClass::SessionEnd),
    ("agentStop", EventClass::TurnEnd),
    ("subagentStart", EventClass::Other),
    ("subagentStop", EventClass::Other),
    ("errorOccurred", EventClass::Other),
    ("preCompact", EventClass::Other),
];

const FILE: &[&str] = &["filePath", "file_path", "path"];

/// The user's own shell, which the payload does not name.
const BASH: Shape = Shape::Command {
    dialect: ShellDialect::Bash,
    folder: None,
};

const POWERSHELL: Shape = Shape::Command {
    dialect: ShellDialect::PowerShell,
    folder: None,
};

/// Searches in the whole workspace.
const EVERYWHERE: Shape = Shape::LanguageServer(&[]);

const PATTERN: Shape = Shape::Find(&["path"]);

const SEARCH: Shape = Shape::Search(&["path"]);

const TASK: Shape = Shape::Delegate {
    kind: &["agentName", "agent_type", "subagent_type"],
    kind_required: false,
    prompt: Prompt::Required("prompt"),
};

const REPLACE: Shape = Shape::Replace {
    file: FILE,
    old: "oldString",
    new: "newString",
};

/// VS Code's, then those of Copilot CLI by their own names and by the names of
/// Claude Code's that it gives them in VS Code's form.
const TOOLS: &[ToolEntry] = &[
    tool("run_in_terminal", Tool::RunShellCommand, BASH),
    tool("runTerminalCommand", Tool::RunShellCommand, BASH),
    tool("read_file", Tool::ReadFile, Shape::Read(FILE)),
    tool("grep_search", Tool::GrepSearch, EVERYWHERE),
    tool("semantic_search", Tool::GrepSearch, EVERYWHERE),
    tool("file_search", Tool::Glob, EVERYWHERE),
    tool("list_dir", Tool::ListDirectory, Shape::List(&["path"])),
    tool("create_file", Tool::WriteFile, Shape::AnyWrite(FILE)),
    tool(
        "create_directory",
        Tool::WriteFile,
        Shape::AnyWrite(&["dirPath"]),
    ),
    tool("replace_string_in_file", Tool::Edit, REPLACE),
    tool(
        "multi_replace_string_in_file",
        Tool::Edit,
        Shape::Replacements("replacements"),
    ),
    tool("insert_edit_into_file", Tool::Edit, Shape::AnyWrite(FILE)),
    tool("editFiles", Tool::Edit, Shape::WriteMany(&["files"])),
    // The canonical tool is that of each file; this one stands for the name.
    tool("apply_patch", Tool::Edit, Shape::Patch("input")),
    tool(
        "edit_notebook_file",
        Tool::NotebookEdit,
        Shape::AnyWrite(FILE),
    ),
    tool("fetch_webpage", Tool::WebFetch, Shape::FetchMany(&["urls"])),
    tool("runSubagent", Tool::Agent, TASK),
    tool("manage_todo_list", Tool::TodoWrite, Shape::Plain),
    tool("bash", Tool::RunShellCommand, BASH),
    tool("powershell", Tool::RunShellCommand, POWERSHELL),
    tool("view", Tool::ReadFile, Shape::Read(FILE)),
    tool("create", Tool::WriteFile, Shape::AnyWrite(FILE)),
    tool("edit", Tool::Edit, Shape::AnyWrite(FILE)),
    tool("grep", Tool::GrepSearch, SEARCH),
    tool("rg", Tool::GrepSearch, SEARCH),
    tool("glob", Tool::Glob, PATTERN),
    tool("web_fetch", Tool::WebFetch, Shape::Fetch),
    tool("web_search", Tool::WebSearch, Shape::Query),
    tool("task", Tool::Agent, TASK),
    tool("ask_user", Tool::AskUserQuestion, Shape::Plain),
    tool("update_todo", Tool::TodoWrite, Shape::Plain),
    tool("Bash", Tool::RunShellCommand, BASH),
    tool("Read", Tool::ReadFile, Shape::Read(FILE)),
    tool("Write", Tool::WriteFile, Shape::AnyWrite(FILE)),
    tool("Edit", Tool::Edit, Shape::AnyWrite(FILE)),
    tool("Grep", Tool::GrepSearch, SEARCH),
    tool("Glob", Tool::Glob, PATTERN),
    tool("WebFetch", Tool::WebFetch, Shape::Fetch),
    tool("WebSearch", Tool::WebSearch, Shape::Query),
    tool("Agent", Tool::Agent, TASK),
    tool("AskUserQuestion", Tool::AskUserQuestion, Shape::Plain),
    tool("TodoWrite", Tool::TodoWrite, Shape::Plain),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

/// `mcp_server_tool`, where both may have underscores of their own: every
/// server that it may be of must be allowed.
fn mcp(raw: &str, _payload: &Map<String, Value>) -> Result<Vec<Tool>, DecodeError> {
    if let Some(tool) = Tool::from_mcp(raw) {
        return Ok(vec![tool]);
    }
    Ok(match raw.strip_prefix("mcp_") {
        Some(rest) => opencode::every_server(rest, raw),
        None => Vec::new(),
    })
}

/// Fields that VS Code and Copilot CLI write in camel case, and as they are
/// read.
const CAMEL: &[(&str, &str)] = &[
    ("sessionId", "session_id"),
    ("hookEventName", "hook_event_name"),
    ("transcriptPath", "transcript_path"),
    ("toolName", "tool_name"),
    ("toolArgs", "tool_input"),
    ("agentId", "agent_id"),
];

fn translate(
    event: &str,
    mut payload: Map<String, Value>,
) -> Result<Map<String, Value>, DecodeError> {
    for (camel, name) in CAMEL {
        let Some(value) = payload.remove(*camel).filter(|value| !value.is_null()) else {
            continue;
        };
        let fields = Fields::payload(&payload);
        // Two that differ: which one counts is the agent's secret.
        if fields.value(name).is_some_and(|other| *other != value) {
            return Err(fields.invalid(camel, format!("and `{name}` are both given")));
        }
        payload.insert((*name).to_owned(), value);
    }
    let fields = Fields::payload(&payload);
    // VS Code loads the files of Copilot CLI, and writes its own names.
    let named = fields.optional_text("hook_event_name")?;
    if named.is_some_and(|named| named.eq_ignore_ascii_case(event)) {
        payload.insert("hook_event_name".to_owned(), event.into());
    }
    if let Some(Value::String(text)) = payload.get("tool_input") {
        let input = json::value(text.as_bytes()).map_err(|error| {
            Fields::payload(&payload).invalid("tool_input", format!("holds no JSON: {error}"))
        })?;
        payload.insert("tool_input".to_owned(), input);
    }
    Ok(payload)
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Documents("of February 2026 (VS Code) and November 2026 (Copilot CLI)"),
    pre_tool: StageCapabilities {
        event: "PreToolUse",
        can_allow: true,
        can_ask: true,
        block: BlockForm::ExitTwo,
    },
    permission_request: None,
    announced: Some(StageCapabilities {
        event: "preToolUse",
        can_allow: true,
        // Older versions of Copilot CLI know no ask, and nobody is asked in
        // the cloud.
        can_ask: false,
        block: BlockForm::ExitTwo,
    }),
    default_timeout: Duration::from_secs(30),
    timeout_unit: TimeoutUnit::Seconds,
    fails_open: &[
        FailsOpen::OtherExit,
        FailsOpen::Killed,
        FailsOpen::Timeout,
        FailsOpen::BrokenJson,
    ],
    notes: &[
        "VS Code ignores matchers: a hook runs for every tool",
        "VS Code and Copilot CLI also load Claude Code's hooks of the workspace, VS Code the user's too",
        "Copilot CLI blocks when a hook fails, and runs the tool when it is late",
        "Copilot's cloud agent runs only hooks that are in the repository",
    ],
};
