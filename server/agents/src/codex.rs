//! `OpenAI` Codex.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::tool::Tool;

use crate::adapter::{Adapter, EventClass, as_it_is};
use crate::capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit,
};
use crate::claude;
use crate::tools::{Folder, Prompt, Shape, ToolEntry};

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Codex,
    title: "Codex",
    events: EVENTS,
    tools: TOOLS,
    mcp: claude::mcp,
    translate: as_it_is,
    call_id: &["tool_use_id"],
    capabilities: CAPABILITIES,
};

const EVENTS: &[(&str, EventClass)] = &[
    ("PreToolUse", EventClass::PreTool),
    ("PermissionRequest", EventClass::PermissionRequest),
    ("PostToolUse", EventClass::Result { failed: false }),
    ("UserPromptSubmit", EventClass::UserMessage),
    ("SessionStart", EventClass::SessionStart),
    ("SessionEnd", EventClass::SessionEnd),
    ("Stop", EventClass::TurnEnd),
    ("StopFailure", EventClass::TurnEnd),
    ("SubagentStart", EventClass::Other),
    ("SubagentStop", EventClass::Other),
    ("PreCompact", EventClass::Other),
    ("PostCompact", EventClass::Other),
];

/// `write_stdin` has no canonical tool: it feeds a program that was judged
/// without that input, so it is never safe.
const TOOLS: &[ToolEntry] = &[
    tool(
        "Bash",
        Tool::RunShellCommand,
        Shape::CommandOrPatch {
            folder: Some(Folder {
                field: "workdir",
                may_be_relative: true,
            }),
        },
    ),
    // The canonical tool is that of each file; this one stands for the name.
    tool("apply_patch", Tool::Edit, Shape::Patch("command")),
    tool("view_image", Tool::ReadFile, Shape::Read(&["path"])),
    tool(
        "spawn_agent",
        Tool::Agent,
        Shape::Delegate {
            kind: &["agent_type"],
            kind_required: false,
            prompt: Prompt::OrWholeInput("message"),
        },
    ),
    tool("request_user_input", Tool::AskUserQuestion, Shape::Plain),
    tool("update_plan", Tool::TodoWrite, Shape::Plain),
    tool("web_search", Tool::WebSearch, Shape::Query),
    tool("tool_search", Tool::ToolSearch, Shape::Plain),
    tool("send_input", Tool::SendMessage, Shape::Plain),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Measured("0.169.0"),
    pre_tool: StageCapabilities {
        event: "PreToolUse",
        // Nothing printed lets the call go on; an allow makes the hook fail.
        can_allow: false,
        // An ask makes the hook fail, and the tool runs.
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
    default_timeout: Duration::from_secs(600),
    timeout_unit: TimeoutUnit::Seconds,
    fails_open: &[
        FailsOpen::OtherExit,
        FailsOpen::Killed,
        FailsOpen::Timeout,
        FailsOpen::BrokenJson,
        FailsOpen::UnknownField,
        FailsOpen::NoReason,
        FailsOpen::Ask,
    ],
    notes: &[
        "hooks that are not trusted are skipped without a word",
        "web searches and input for a running program (write_stdin) fire no hook",
        "the payload does not name the folder of a command, only the session's",
        "a patch in a here-document reports no result",
        "PermissionRequest alone is not enough: patches of the workspace fire none, and with --approve-for-me \
         what it leaves open goes to Codex's own guardian model, not to a person",
    ],
};
