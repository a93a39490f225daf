//! Qwen Code.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::call::ShellDialect;
use countersign_core::tool::Tool;

use crate::adapter::{Adapter, EventClass, as_it_is};
use crate::capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit,
};
use crate::claude;
use crate::tools::{Folder, Prompt, Shape, ToolEntry};

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Qwen,
    title: "Qwen Code",
    events: EVENTS,
    tools: TOOLS,
    mcp: claude::mcp,
    translate: as_it_is,
    // `tool_use_id` is made anew for some events of one call.
    call_id: &["tool_call_id", "tool_use_id"],
    capabilities: CAPABILITIES,
};

const EVENTS: &[(&str, EventClass)] = &[
    ("PreToolUse", EventClass::PreTool),
    ("PermissionRequest", EventClass::PermissionRequest),
    ("PermissionDenied", EventClass::AgentDenied),
    ("PostToolUse", EventClass::Result { failed: false }),
    ("PostToolUseFailure", EventClass::Result { failed: true }),
    // In headless runs it also comes after each tool result.
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

const SHELL: Shape = Shape::Command {
    dialect: ShellDialect::Bash,
    folder: Some(Folder {
        field: "directory",
        may_be_relative: false,
    }),
};

const TOOLS: &[ToolEntry] = &[
    tool("run_shell_command", Tool::RunShellCommand, SHELL),
    tool("monitor", Tool::Monitor, SHELL),
    tool(
        "read_file",
        Tool::ReadFile,
        Shape::Read(&["file_path", "absolute_path"]),
    ),
    tool("zoom_image", Tool::ReadFile, Shape::Read(&["file_path"])),
    tool(
        "read_many_files",
        Tool::ReadManyFiles,
        Shape::ReadMany(&["paths", "include"]),
    ),
    tool("grep_search", Tool::GrepSearch, Shape::Search(&["path"])),
    tool("glob", Tool::Glob, Shape::Find(&["path"])),
    tool(
        "list_directory",
        Tool::ListDirectory,
        Shape::List(&["path"]),
    ),
    tool(
        "lsp",
        Tool::Lsp,
        Shape::LanguageServer(&["filePath", "file_path"]),
    ),
    tool("edit", Tool::Edit, Shape::Edit(&["file_path"])),
    tool("write_file", Tool::WriteFile, Shape::Write(&["file_path"])),
    tool(
        "notebook_edit",
        Tool::NotebookEdit,
        Shape::Notebook(&["notebook_path"]),
    ),
    tool("web_fetch", Tool::WebFetch, Shape::Fetch),
    tool("web_search", Tool::WebSearch, Shape::Query),
    tool(
        "agent",
        Tool::Agent,
        Shape::Delegate {
            kind: &["subagent_type"],
            kind_required: false,
            prompt: Prompt::Required("prompt"),
        },
    ),
    tool(
        "skill",
        Tool::Skill,
        Shape::Delegate {
            kind: &["skill"],
            kind_required: true,
            prompt: Prompt::Optional("args"),
        },
    ),
    tool("todo_write", Tool::TodoWrite, Shape::Plain),
    tool("ask_user_question", Tool::AskUserQuestion, Shape::Plain),
    tool("enter_plan_mode", Tool::EnterPlanMode, Shape::Plain),
    tool("exit_plan_mode", Tool::ExitPlanMode, Shape::Plain),
    tool("tool_search", Tool::ToolSearch, Shape::Plain),
    tool("task_stop", Tool::TaskStop, Shape::Plain),
    tool("structured_output", Tool::StructuredOutput, Shape::Plain),
    tool("cron_list", Tool::CronList, Shape::Plain),
    tool("cron_create", Tool::CronCreate, Shape::Plain),
    tool("cron_delete", Tool::CronDelete, Shape::Plain),
    tool("send_message", Tool::SendMessage, Shape::Plain),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Measured("0.24.4"),
    pre_tool: StageCapabilities {
        event: "PreToolUse",
        // It fires only for calls that the agent's own permissions allowed.
        can_allow: false,
        // An ask is denied, with nobody asked.
        can_ask: false,
        block: BlockForm::ExitTwo,
    },
    permission_request: Some(StageCapabilities {
        event: "PermissionRequest",
        can_allow: true,
        can_ask: true,
        block: BlockForm::DenyJson,
    }),
    announced: None,
    default_timeout: Duration::from_secs(60),
    timeout_unit: TimeoutUnit::Seconds,
    fails_open: &[
        FailsOpen::OtherExit,
        FailsOpen::Killed,
        FailsOpen::Timeout,
        FailsOpen::BrokenJson,
    ],
    notes: &[
        "PreToolUse fires after the agent's own permission decision, so an allow keeps nobody from being asked",
        "PermissionRequest fires only where the agent can prompt",
        "a timeout of 1000 or more is read as milliseconds",
    ],
};
