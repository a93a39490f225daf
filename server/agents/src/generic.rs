//! Any other agent, through a schema of our own: strict, so that a mistake of
//! whoever writes the hook is a block and never an unguarded call.

use std::time::Duration;

use countersign_core::agent::Agent;
use countersign_core::call::ShellDialect;
use countersign_core::tool::Tool;
use serde_json::{Map, Value, json};

use crate::adapter::{Adapter, EventClass};
use crate::capabilities::{BlockForm, Capabilities, Evidence, StageCapabilities, TimeoutUnit};
use crate::claude;
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::tools::{Folder, Prompt, Shape, ToolEntry};

/// The version of the schema.
pub const VERSION: u64 = 1;

pub(crate) static ADAPTER: Adapter = Adapter {
    agent: Agent::Generic,
    title: "any other agent",
    events: EVENTS,
    tools: TOOLS,
    mcp: claude::mcp,
    translate,
    call_id: &["tool_use_id"],
    capabilities: CAPABILITIES,
};

const EVENTS: &[(&str, EventClass)] = &[
    ("before_tool", EventClass::PreTool),
    ("after_tool", EventClass::Result { failed: false }),
    ("user_message", EventClass::UserMessage),
    ("session_start", EventClass::SessionStart),
    ("session_end", EventClass::SessionEnd),
    ("turn_end", EventClass::TurnEnd),
];

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Version,
    Event,
    Text,
    Flag,
    Any,
}

/// Where a field must stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Always,
    Never,
    /// At these events, and at no other.
    At(&'static [&'static str]),
    /// Only at these events, and not even there.
    MayAt(&'static [&'static str]),
}

/// A field of the payload: its name, the one it is read under, what it holds
/// and what it means.
struct Field {
    name: &'static str,
    read_as: &'static str,
    kind: Kind,
    needed: Needed,
    about: &'static str,
}

const CALLS: &[&str] = &["before_tool", "after_tool"];

const FIELDS: &[Field] = &[
    field("version", "version", Kind::Version, Needed::Always, "1."),
    field(
        "event",
        "hook_event_name",
        Kind::Event,
        Needed::Always,
        "The same as `--event`.",
    ),
    field(
        "session",
        "session_id",
        Kind::Text,
        Needed::Always,
        "The agent's id of the conversation, up to 512 bytes.",
    ),
    field(
        "cwd",
        "cwd",
        Kind::Text,
        Needed::Always,
        "The absolute folder that the session works in.",
    ),
    field(
        "subagent",
        "agent_id",
        Kind::Text,
        Needed::Never,
        "The id of the sub-agent, where the event is one's.",
    ),
    field(
        "plan_mode",
        "plan_mode",
        Kind::Flag,
        Needed::Never,
        "Whether the agent may only plan now; it can tighten and never loosen.",
    ),
    field(
        "tool",
        "tool_name",
        Kind::Text,
        Needed::At(CALLS),
        "The tool: a canonical name, or `mcp__server__tool`. Any other name is a tool that nothing is known of.",
    ),
    field(
        "input",
        "tool_input",
        Kind::Any,
        Needed::At(CALLS),
        "The tool's input, exactly as it will be used.",
    ),
    field(
        "call",
        "tool_use_id",
        Kind::Text,
        Needed::MayAt(CALLS),
        "The agent's id of the call. The same at `after_tool`, so that the result finds its call.",
    ),
    field(
        "failed",
        "failed",
        Kind::Flag,
        Needed::MayAt(&["after_tool"]),
        "Whether the tool failed.",
    ),
    field(
        "text",
        "prompt",
        Kind::Text,
        Needed::At(&["user_message"]),
        "What the person typed, and nothing else.",
    ),
    field(
        "reason",
        "reason",
        Kind::Text,
        Needed::MayAt(&["session_end"]),
        "Why the session ended.",
    ),
    field(
        "source",
        "source",
        Kind::Text,
        Needed::MayAt(&["session_start"]),
        "How it began: `startup`, `resume` or `clear`.",
    ),
];

const fn field(
    name: &'static str,
    read_as: &'static str,
    kind: Kind,
    needed: Needed,
    about: &'static str,
) -> Field {
    Field {
        name,
        read_as,
        kind,
        needed,
        about,
    }
}

const SHELL: Shape = Shape::Command {
    dialect: ShellDialect::Bash,
    folder: Some(Folder {
        field: "directory",
        may_be_relative: false,
    }),
};

const FILE: &[&str] = &["file_path"];

/// The canonical names.
const TOOLS: &[ToolEntry] = &[
    tool("run_shell_command", Tool::RunShellCommand, SHELL),
    tool("monitor", Tool::Monitor, SHELL),
    tool("read_file", Tool::ReadFile, Shape::Read(FILE)),
    tool(
        "read_many_files",
        Tool::ReadManyFiles,
        Shape::ReadMany(&["paths"]),
    ),
    tool("grep_search", Tool::GrepSearch, Shape::Search(&["path"])),
    tool("glob", Tool::Glob, Shape::Find(&["path"])),
    tool(
        "list_directory",
        Tool::ListDirectory,
        Shape::List(&["path"]),
    ),
    tool("lsp", Tool::Lsp, Shape::LanguageServer(FILE)),
    tool("edit", Tool::Edit, Shape::Edit(FILE)),
    tool("write_file", Tool::WriteFile, Shape::Write(FILE)),
    tool(
        "notebook_edit",
        Tool::NotebookEdit,
        Shape::Notebook(&["notebook_path"]),
    ),
    tool("delete_file", Tool::DeleteFile, Shape::Delete(FILE)),
    tool("move_file", Tool::MoveFile, Shape::Move),
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

fn translate(event: &str, payload: Map<String, Value>) -> Result<Map<String, Value>, DecodeError> {
    let fields = Fields::payload(&payload);
    if let Some(name) = payload
        .keys()
        .find(|name| !FIELDS.iter().any(|field| field.name == *name))
    {
        let shown: String = name.chars().take(60).collect();
        return Err(fields.invalid(&shown, "is no field of version 1"));
    }
    let mut read = Map::new();
    for field in FIELDS {
        // `null` is an input too.
        let value = match field.kind {
            Kind::Any => payload.get(field.name),
            _ => fields.value(field.name),
        };
        let Some(value) = value else {
            let is_needed = match field.needed {
                Needed::Always => true,
                Needed::At(events) => events.contains(&event),
                Needed::Never | Needed::MayAt(_) => false,
            };
            if is_needed {
                return Err(fields.missing(field.name));
            }
            continue;
        };
        if let Needed::At(events) | Needed::MayAt(events) = field.needed
            && !events.contains(&event)
        {
            return Err(fields.invalid(field.name, format!("has no place in `{event}`")));
        }
        checked(fields, field, value)?;
        read.insert(field.read_as.to_owned(), value.clone());
    }
    if read.remove("plan_mode") == Some(Value::Bool(true)) {
        read.insert("permission_mode".to_owned(), "plan".into());
    }
    if read.remove("failed") == Some(Value::Bool(true)) {
        read.insert("error".to_owned(), true.into());
    }
    Ok(read)
}

fn checked(fields: Fields<'_>, field: &Field, value: &Value) -> Result<(), DecodeError> {
    let expected = match field.kind {
        Kind::Version if value.as_u64() == Some(VERSION) => return Ok(()),
        Kind::Version => return Err(fields.invalid(field.name, "is not 1")),
        Kind::Event | Kind::Text if value.is_string() => return Ok(()),
        Kind::Event | Kind::Text => "a string",
        Kind::Flag if value.is_boolean() => return Ok(()),
        Kind::Flag => "a boolean",
        Kind::Any => return Ok(()),
    };
    Err(fields.wrong_type(field.name, expected, value))
}

/// The JSON schema of the payload.
#[must_use]
pub fn schema() -> Value {
    let names: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = FIELDS
        .iter()
        .map(|field| {
            let about = field.about;
            let shape = match field.kind {
                Kind::Version => json!({ "const": VERSION, "description": about }),
                Kind::Event => json!({ "enum": names, "description": about }),
                Kind::Text => json!({ "type": "string", "description": about }),
                Kind::Flag => json!({ "type": "boolean", "description": about }),
                Kind::Any => json!({ "description": about }),
            };
            (field.name.to_owned(), shape)
        })
        .collect();
    let required: Vec<&str> = FIELDS
        .iter()
        .filter(|field| field.needed == Needed::Always)
        .map(|field| field.name)
        .collect();
    let by_event: Vec<Value> = EVENTS.iter().map(|(event, _)| of_event(event)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The payload of `countersign hook generic`",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "allOf": by_event,
    })
}

fn of_event(event: &str) -> Value {
    let mut needed = Vec::new();
    let mut foreign = Map::new();
    for field in FIELDS {
        match field.needed {
            Needed::At(events) if events.contains(&event) => needed.push(field.name),
            Needed::At(events) | Needed::MayAt(events) if !events.contains(&event) => {
                foreign.insert(field.name.to_owned(), false.into());
            }
            _ => {}
        }
    }
    json!({
        "if": { "properties": { "event": { "const": event } } },
        "then": { "required": needed, "properties": foreign },
    })
}

/// The fields of the payload as rows of a Markdown table.
pub(crate) fn rows() -> String {
    let mut rows = String::new();
    for field in FIELDS {
        let when = match field.needed {
            Needed::Always => "always".to_owned(),
            Needed::Never => "if it applies".to_owned(),
            Needed::At(events) => format!("at `{}`", events.join("`, `")),
            Needed::MayAt(events) => format!("if known, at `{}`", events.join("`, `")),
        };
        rows.push_str(&format!(
            "| `{}` | {when} | {} |\n",
            field.name, field.about
        ));
    }
    rows
}

const CAPABILITIES: Capabilities = Capabilities {
    evidence: Evidence::Ours,
    pre_tool: StageCapabilities {
        event: "before_tool",
        can_allow: true,
        can_ask: false,
        block: BlockForm::ExitTwo,
    },
    permission_request: None,
    announced: None,
    default_timeout: Duration::from_secs(30),
    timeout_unit: TimeoutUnit::Seconds,
    // Whoever calls the hook must take everything but an allow for a block.
    fails_open: &[],
    notes: &[
        "it guards as well as the program that calls it: only an explicit allow may let a call run",
    ],
};
