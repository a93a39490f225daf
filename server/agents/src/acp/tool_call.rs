//! A tool call of the protocol to a canonical call.

use std::collections::BTreeMap;

use countersign_core::agent::Agent;
use countersign_core::call::{Call, Operation, Subject};
use countersign_core::tool::Tool;
use serde_json::{Map, Value, json};

use super::{Context, Read, input};
use crate::adapter::{self, Adapter};
use crate::decode;
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::json::kind;

/// Kinds of tools that the protocol knows.
const KINDS: &[&str] = &[
    "read",
    "edit",
    "delete",
    "move",
    "search",
    "execute",
    "think",
    "fetch",
    "switch_mode",
    "other",
];

/// Reads a tool call as its updates so far come to.
pub(super) fn read(
    context: &Context<'_>,
    tool_call: &Value,
    announced: Option<&str>,
) -> Result<Read, DecodeError> {
    let Value::Object(object) = tool_call else {
        return Err(DecodeError::WrongType {
            field: "toolCall".to_owned(),
            expected: "an object",
            found: kind(tool_call),
        });
    };
    let fields = Fields::payload(object);
    let id = fields.text("toolCallId")?;
    let given = fields.value("rawInput").filter(|input| !is_empty(input));
    if let Some((adapter, name)) = named(context.key.agent, object, announced) {
        return match fields.value("rawInput") {
            Some(input) => named_call(context, adapter, name, id, input),
            None => Ok(hidden(context, object, id)),
        };
    }
    let Some(given) = given else {
        return Ok(hidden(context, object, id));
    };
    let kind = tool_kind(object);
    let (cwd, tool, subject) = match input::read(kind, given) {
        Some(read) => {
            let cwd = match &read.folder {
                Some(folder) => context.cwd.join(folder),
                None => context.cwd.to_owned(),
            };
            (cwd, read.tool, read.subject)
        }
        None => (context.cwd.to_owned(), unnamed(kind), Subject::Other),
    };
    Ok(Read {
        is_shown: true,
        call: Call {
            key: context.key.clone(),
            id: Some(id.to_owned()),
            raw_tool: raw_name(kind),
            raw_input: given.clone(),
            cwd,
            search_path: Vec::new(),
            agent_mode: context.agent_mode(),
            operations: vec![Operation {
                tool,
                subject,
                parameters: BTreeMap::new(),
            }],
        },
    })
}

/// A call of a tool whose name the agent gives, read as its hook would be.
fn named_call(
    context: &Context<'_>,
    adapter: &'static Adapter,
    name: &str,
    id: &str,
    given: &Value,
) -> Result<Read, DecodeError> {
    let mut payload = Map::new();
    payload.insert("tool_name".to_owned(), name.into());
    payload.insert("tool_input".to_owned(), given.clone());
    let mut call = decode::call(adapter, &payload, context.key, context.cwd)?;
    call.id = Some(id.to_owned());
    call.agent_mode = context.agent_mode();
    Ok(Read {
        call,
        is_shown: true,
    })
}

/// A call of which the agent does not show what it would do. What its title and
/// content look like is judged beside it, so that what is denied stays denied,
/// but it can never be a reason to allow.
fn hidden(context: &Context<'_>, object: &Map<String, Value>, id: &str) -> Read {
    let kind = tool_kind(object);
    let title = object.get("title").and_then(Value::as_str);
    let mut parts = vec![(unnamed(kind), Subject::Other)];
    if matches!(kind, Some("execute") | None) {
        parts.extend(title.and_then(input::titled));
    }
    parts.extend(input::diffs(object.get("content")));
    let shown = json!({
        "title": title,
        "kind": kind,
        "content": object.get("content"),
    });
    Read {
        is_shown: false,
        call: Call {
            key: context.key.clone(),
            id: Some(id.to_owned()),
            raw_tool: format!("{} (its input is not shown)", raw_name(kind)),
            raw_input: shown,
            cwd: context.cwd.to_owned(),
            search_path: Vec::new(),
            agent_mode: context.agent_mode(),
            operations: parts
                .into_iter()
                .map(|(tool, subject)| Operation {
                    tool,
                    subject,
                    parameters: BTreeMap::new(),
                })
                .collect(),
        },
    }
}

/// The tool's name, where the agent gives one that its adapter knows how to
/// read. The title is free text, but some agents announce a call with the name
/// of a built-in tool in its place.
fn named<'a>(
    agent: Agent,
    object: &'a Map<String, Value>,
    announced: Option<&'a str>,
) -> Option<(&'static Adapter, &'a str)> {
    let adapter = adapter::over_acp(agent)?;
    let meta = object.get("_meta");
    let claude = meta.and_then(|meta| meta.get("claudeCode"));
    let name = [meta, claude]
        .into_iter()
        .flatten()
        .find_map(|place| place.get("toolName")?.as_str())
        .filter(|name| !name.is_empty());
    let announced = announced.filter(|title| adapter.tools.iter().any(|entry| entry.raw == *title));
    Some((adapter, name.or(announced)?))
}

/// The kind, where it is one of the protocol's.
fn tool_kind(object: &Map<String, Value>) -> Option<&str> {
    object
        .get("kind")
        .and_then(Value::as_str)
        .filter(|kind| KINDS.contains(kind))
}

fn raw_name(kind: Option<&str>) -> String {
    format!("acp {}", kind.unwrap_or("other"))
}

/// A tool without a name: no rule and no table can mean it.
fn unnamed(kind: Option<&str>) -> Tool {
    Tool::Other(raw_name(kind))
}

fn is_empty(input: &Value) -> bool {
    input.as_object().is_some_and(Map::is_empty)
}

/// The input that a request for permission is about, where that is not simply
/// the one in the request.
///
/// opencode announces the tool's own input, and asks with words of its own about
/// it: a command without its folder, an edit as a difference. What was announced
/// is what runs, unless the request says something else about the same field.
#[must_use]
pub fn asked_input(
    agent: Agent,
    announced: Option<&Value>,
    asked: Option<&Value>,
) -> Option<Value> {
    if agent != Agent::Opencode {
        return None;
    }
    let announced = announced?.as_object().filter(|input| !input.is_empty())?;
    let Some(asked) = asked.filter(|asked| !asked.is_null()) else {
        return Some(Value::Object(announced.clone()));
    };
    let asked = asked.as_object()?;
    let is_denied = asked.iter().any(|(name, value)| {
        let before = announced.get(name);
        before.is_some_and(|before| before != value)
    });
    if is_denied {
        return None;
    }
    let mut input = announced.clone();
    // So far only where it would run was told.
    if announced.keys().all(|name| input::is_folder(name)) {
        input.extend(asked.clone());
    }
    Some(Value::Object(input))
}

/// Whether a tool's input that came after the answer says something else than
/// the call that was answered. What only adds words for people does not.
#[must_use]
pub fn rewrites(answered: &Value, now: &Value) -> bool {
    if now.is_null() || is_empty(now) {
        return false;
    }
    let before = answered
        .get("rawInput")
        .filter(|input| !input.is_null() && !is_empty(input));
    match (before, now) {
        (None, _) => !is_what_was_shown(answered, now),
        (Some(Value::Object(before)), Value::Object(now)) => {
            let differs = |name: &String| {
                !input::is_prose(name)
                    && before.get(name).unwrap_or(&Value::Null)
                        != now.get(name).unwrap_or(&Value::Null)
            };
            before.keys().any(differs) || now.keys().any(differs)
        }
        (Some(before), now) => before != now,
    }
}

/// Whether an input that comes late is what a person saw without it.
fn is_what_was_shown(answered: &Value, now: &Value) -> bool {
    let title = answered.get("title").and_then(Value::as_str);
    let kind = answered.get("kind").and_then(Value::as_str);
    match input::read(kind, now).map(|read| read.subject) {
        Some(Subject::Command(command)) => title == Some(command.text.as_str()),
        Some(Subject::Paths(paths)) => {
            let shown = input::diffs(answered.get("content"));
            paths.iter().all(|now| {
                shown.iter().any(|(_, shown)| match shown {
                    Subject::Paths(shown) => shown.iter().any(|shown| {
                        let new = |change: &Option<countersign_core::call::Change>| {
                            change.as_ref().map_or(String::new(), |one| one.new.clone())
                        };
                        shown.path == now.path && new(&shown.change).contains(&new(&now.change))
                    }),
                    Subject::Command(_)
                    | Subject::Urls(_)
                    | Subject::Delegate { .. }
                    | Subject::Other => false,
                })
            })
        }
        Some(Subject::Urls(_) | Subject::Delegate { .. } | Subject::Other) | None => false,
    }
}
