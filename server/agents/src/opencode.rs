//! opencode, through a plugin of ours: it has no hooks that run a command.
//!
//! The plugin ([`plugin`]) runs inside opencode and calls
//! `countersign hook opencode --event <event>` for the plugin events of the
//! same name. The payload has the fields of Claude Code's, and:
//!
//! | field | what |
//! |---|---|
//! | `countersign_plugin` | 1: the form of the payload; any other is refused |
//! | `session_id`, `agent_id` | the session at the root, and the one of the sub-agent if it is one's |
//! | `permission_mode` | the agent that the session works as: `plan`, `build` … |
//! | `tool_name`, `tool_input`, `tool_use_id` | opencode's tool, its arguments as they will be used, its call id |
//! | `mcp_context` | `server_name` and `tool_name` where the tool is of an MCP server that opencode knows |
//!
//! `chat.message` carries a person's words in `prompt`; `tool.execute.after` is
//! the result; `permission.replied` comes only where a person rejected the call
//! in opencode's own prompt. The answer to `tool.execute.before` is
//! `{"decision":"allow"}`, `{"decision":"none"}` (no opinion), or exit status 2
//! with the reason on standard error; the plugin takes everything else for a
//! block.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::call::ShellDialect;
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use crate::adapter::{Adapter, EventClass};
use crate::capabilities::{BlockForm, Capabilities, Evidence, StageCapabilities, TimeoutUnit};
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::gemini;
use crate::tools::{Folder, Prompt, Shape, ToolEntry};

/// The plugin as it is in the source: calls `countersign` from the search path.
const PLUGIN: &str = include_str!("../assets/opencode/countersign.js");

/// The name of the plugin's file, in `~/.config/opencode/plugin` or in a
/// project's `.opencode/plugin`.
pub const PLUGIN_FILE: &str = "countersign.js";

/// How a plugin file of ours begins, whatever it was filled with.
pub const PLUGIN_BEGINS: &str = "// Countersign's plugin for opencode";

/// The form of payload that this version reads, as the plugin writes it.
const FORM: u64 = 1;

const PROGRAM_LINE: &str = "const PROGRAM = \"countersign\"\n";
const OPTIONS_LINE: &str = "const OPTIONS = []\n";
const TIMEOUT_LINE: &str = "const TIMEOUT_SECONDS = 600\n";

/// The text of the plugin file.
///
/// `program` is the absolute path of the hook; `options` come after the hook's
/// own (`--home`, `--approval-mode`); `timeout` is in whole seconds, at least 1:
/// the hook answers before it is over, and is killed 2 s after.
#[must_use]
pub fn plugin(program: &str, options: &[&str], timeout: Duration) -> String {
    // A string of JSON is one of JavaScript.
    let program = Value::from(program);
    let options = Value::from(options);
    let seconds = timeout.as_secs().max(1);
    PLUGIN
        .replacen(PROGRAM_LINE, &format!("const PROGRAM = {program}\n"), 1)
        .replacen(OPTIONS_LINE, &format!("const OPTIONS = {options}\n"), 1)
        .replacen(
            TIMEOUT_LINE,
            &format!("const TIMEOUT_SECONDS = {seconds}\n"),
            1,
        )
}

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Opencode,
    title: "opencode",
    events: EVENTS,
    tools: TOOLS,
    mcp,
    translate,
    call_id: &["tool_use_id"],
    capabilities: CAPABILITIES,
};

const EVENTS: &[(&str, EventClass)] = &[
    ("tool.execute.before", EventClass::PreTool),
    ("tool.execute.after", EventClass::Result { failed: false }),
    ("permission.replied", EventClass::AgentDenied),
    ("chat.message", EventClass::UserMessage),
    ("session.created", EventClass::SessionStart),
    ("session.deleted", EventClass::SessionEnd),
    ("session.idle", EventClass::TurnEnd),
];

/// `batch` and `execute` have no canonical tool: they run several others.
const TOOLS: &[ToolEntry] = &[
    tool(
        "bash",
        Tool::RunShellCommand,
        Shape::Command {
            dialect: ShellDialect::Bash,
            folder: Some(Folder {
                field: "workdir",
                may_be_relative: true,
            }),
        },
    ),
    tool("read", Tool::ReadFile, Shape::Read(&["filePath"])),
    tool("grep", Tool::GrepSearch, Shape::Search(&["path"])),
    tool("glob", Tool::Glob, Shape::Find(&["path"])),
    tool("list", Tool::ListDirectory, Shape::List(&["path"])),
    tool("lsp", Tool::Lsp, Shape::LanguageServer(&["filePath"])),
    tool(
        "edit",
        Tool::Edit,
        Shape::Replace {
            file: &["filePath"],
            old: "oldString",
            new: "newString",
        },
    ),
    tool("write", Tool::WriteFile, Shape::Write(&["filePath"])),
    // The canonical tool is that of each file; this one stands for the name.
    tool("apply_patch", Tool::Edit, Shape::Patch("patchText")),
    tool("webfetch", Tool::WebFetch, Shape::Fetch),
    tool("websearch", Tool::WebSearch, Shape::Query),
    tool(
        "task",
        Tool::Agent,
        Shape::Delegate {
            kind: &["subagent_type"],
            kind_required: true,
            prompt: Prompt::Required("prompt"),
        },
    ),
    tool(
        "skill",
        Tool::Skill,
        Shape::Delegate {
            kind: &["name"],
            kind_required: true,
            prompt: Prompt::Optional("args"),
        },
    ),
    tool("todowrite", Tool::TodoWrite, Shape::Plain),
    tool("todoread", Tool::TodoWrite, Shape::Plain),
    tool("question", Tool::AskUserQuestion, Shape::Plain),
    tool("plan_enter", Tool::EnterPlanMode, Shape::Plain),
    tool("plan_exit", Tool::ExitPlanMode, Shape::Plain),
    // What opencode makes of a call that it could not read: it does nothing.
    tool("invalid", Tool::StructuredOutput, Shape::Plain),
];

const fn tool(raw: &'static str, tool: Tool, shape: Shape) -> ToolEntry {
    ToolEntry { raw, tool, shape }
}

/// opencode joins server and tool with one underscore, and both may have more
/// of them. Where the plugin could not learn the server, the name stands for
/// every server it may be of, and for a tool of a plugin.
fn mcp(raw: &str, payload: &Map<String, Value>) -> Result<Vec<Tool>, DecodeError> {
    if let Some(tool) = gemini::mcp_of_context(raw, payload)? {
        return Ok(vec![tool]);
    }
    let is_built_in = TOOLS.iter().any(|entry| entry.raw == raw);
    if is_built_in || !raw.contains('_') {
        return Ok(Vec::new());
    }
    Ok(every_server(raw, raw))
}

/// The tools of every server that `name` may begin with, and the tool `raw` of
/// nobody known: all of them must be allowed.
pub(crate) fn every_server(name: &str, raw: &str) -> Vec<Tool> {
    let splits = name.match_indices('_').filter_map(|(at, underscore)| {
        let server = name.get(..at)?;
        let tool = name.get(at.saturating_add(underscore.len())..)?;
        (!server.is_empty() && !tool.is_empty()).then(|| Tool::Mcp {
            server: server.to_owned(),
            tool: tool.to_owned(),
        })
    });
    let mut tools: Vec<Tool> = splits.take(MAX_SPLITS).collect();
    tools.push(Tool::Other(raw.to_owned()));
    tools
}

/// Most servers that a name is taken apart for; the name itself, which nothing
/// vouches for, is always among what must be allowed.
const MAX_SPLITS: usize = 8;

fn translate(_event: &str, payload: Map<String, Value>) -> Result<Map<String, Value>, DecodeError> {
    const FIELD: &str = "countersign_plugin";
    let fields = Fields::payload(&payload);
    match fields.value(FIELD) {
        Some(form) if form.as_u64() == Some(FORM) => Ok(payload),
        Some(_) => Err(fields.invalid(
            FIELD,
            "is of another version; run `countersign install opencode` again",
        )),
        None => Err(fields.missing(FIELD)),
    }
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Measured("1.18.33"),
    pre_tool: StageCapabilities {
        event: "tool.execute.before",
        // The agent's own permissions come after it.
        can_allow: false,
        can_ask: false,
        block: BlockForm::ExitTwo,
    },
    permission_request: None,
    announced: None,
    default_timeout: Duration::from_secs(600),
    timeout_unit: TimeoutUnit::Seconds,
    // The plugin is ours and takes every failure for a block.
    fails_open: &[],
    notes: &[
        "a plugin that cannot be loaded is skipped with a line in the agent's log, and so is every plugin with --pure",
        "what a person runs with ! and what a project's own plugins and tools do fires no event",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_filled_with_what_it_is_given() {
        assert!(PLUGIN.starts_with(PLUGIN_BEGINS));
        for line in [PROGRAM_LINE, OPTIONS_LINE, TIMEOUT_LINE] {
            assert_eq!(PLUGIN.matches(line).count(), 1, "{line}");
        }
        let filled = plugin(
            "/opt/a \"b\"\\c",
            &["--home", "/h"],
            Duration::from_millis(2_500),
        );
        assert!(filled.contains("const PROGRAM = \"/opt/a \\\"b\\\"\\\\c\"\n"));
        assert!(filled.contains("const OPTIONS = [\"--home\",\"/h\"]\n"));
        assert!(filled.contains("const TIMEOUT_SECONDS = 2\n"));
        assert_eq!(
            plugin("countersign", &[], Duration::from_secs(600)),
            PLUGIN,
            "nothing else changes"
        );
    }
}
