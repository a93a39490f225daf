//! What hooks are told: one JSON object, bounded, with the fields that agents'
//! own hooks have where there are such.

use camino::Utf8Path;
use countersign_core::call::{Call, SessionKey};
use countersign_core::denials::Counters;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::ModelRecord;
use countersign_core::tool::Tool;
use countersign_settings::HookEvent;
use serde_json::{Map, Value, json};

/// The largest payload, in bytes. Of a larger call the input is left out.
const MOST_BYTES: usize = 1024 * 1024;

/// What every payload has.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The event.
    pub event: HookEvent,
    /// The session; none for what is about none.
    pub key: Option<&'a SessionKey>,
    /// The folder that the session works in.
    pub cwd: Option<&'a Utf8Path>,
    /// The workspace of the session.
    pub workspace: Option<&'a Utf8Path>,
    /// The mode in force.
    pub mode: Option<ApprovalMode>,
}

/// What a payload has that is about a call.
#[derive(Debug, Clone, Copy)]
pub struct CallInput<'a> {
    /// The guard's id of it.
    pub id: &'a str,
    /// The call.
    pub call: &'a Call,
    /// The tool that it is shown under.
    pub tool: &'a Tool,
    /// Why it was denied, or why a person is asked: a member of a closed set.
    pub reason: &'static str,
    /// The same in plain words.
    pub detail: &'a str,
    /// What it would do, in plain words; none where that is not told.
    pub effects: Option<&'a [String]>,
    /// Rules that would have allowed it; none where that is not told.
    pub suggestions: Option<&'a [String]>,
    /// The counters after.
    pub counters: Counters,
    /// Who judged it, if a model did.
    pub model: Option<&'a ModelRecord>,
}

/// What hooks are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub(crate) bytes: Vec<u8>,
    /// Whether the input of the call is in it.
    pub(crate) is_whole: bool,
}

impl Payload {
    /// About a call.
    #[must_use]
    pub fn of_call(about: &About<'_>, input: &CallInput<'_>) -> Self {
        let mut members = members(about);
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("tool_name", json!(input.tool.to_string()));
        add("raw_tool_name", json!(input.call.raw_tool));
        add("tool_input", input.call.raw_input.clone());
        add("tool_use_id", json!(input.call.id));
        add("call", json!(input.id));
        add("reason", json!(input.reason));
        add("detail", json!(input.detail));
        add("counters", json!(input.counters));
        if let Some(effects) = input.effects {
            add("effects", json!(effects));
        }
        if let Some(suggestions) = input.suggestions {
            add("suggestions", json!(suggestions));
        }
        if let Some(model) = input.model {
            add("model", json!(model.model));
        }
        Self::of(members)
    }

    /// About something else: with these members besides.
    #[must_use]
    pub fn of_event(about: &About<'_>, more: &[(&str, &str)]) -> Self {
        let mut members = members(about);
        for (name, value) in more {
            members.insert((*name).to_owned(), json!(value));
        }
        Self::of(members)
    }

    /// One that was made elsewhere.
    #[must_use]
    pub const fn made(bytes: Vec<u8>, is_whole: bool) -> Self {
        Self { bytes, is_whole }
    }

    /// Whether the input of the call is in it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The JSON.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn of(mut members: Map<String, Value>) -> Self {
        let whole = serde_json::to_vec(&members).unwrap_or_default();
        if whole.len() <= MOST_BYTES {
            let is_whole = !whole.is_empty();
            return Self {
                bytes: whole,
                is_whole,
            };
        }
        // What else could be that large: effects of a call with many parts.
        for name in ["tool_input", "effects", "suggestions"] {
            if members.contains_key(name) {
                members.insert(name.to_owned(), Value::Null);
            }
        }
        members.insert("tool_input_omitted".to_owned(), json!(true));
        Self {
            bytes: serde_json::to_vec(&members).unwrap_or_default(),
            is_whole: false,
        }
    }
}

fn members(about: &About<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("hook_event_name", json!(about.event.as_str()));
    if let Some(key) = about.key {
        add("agent", json!(key.agent.as_str()));
        add("session", json!(key.session));
        // What scripts made for agents look for.
        add("session_id", json!(key.session));
        add("agent_id", json!(key.subagent));
    }
    if let Some(cwd) = about.cwd {
        add("cwd", json!(cwd));
    }
    add("workspace", json!(about.workspace));
    if let Some(mode) = about.mode {
        add("permission_mode", json!(mode.as_str()));
    }
    members
}
