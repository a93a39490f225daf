//! An agent's hook payload to an event.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::{Call, SessionKey};
use countersign_core::mode::AgentMode;
use serde_json::{Map, Value};

use crate::adapter::{self, Adapter, EventClass};
use crate::error::DecodeError;
use crate::event::{CallStage, EventKind, HookEvent};
use crate::fields::Fields;
use crate::fingerprint;
use crate::json;
use crate::tools;
use crate::typed;

/// The largest payload that is read, in bytes (spec section 17).
pub const MAX_PAYLOAD_BYTES: usize = 4 * 1024 * 1024;

/// Longest id of a session or sub-agent, in bytes: ids are keys of the state.
const MAX_ID_BYTES: usize = 512;

/// Decodes the payload of a hook.
///
/// `event_arg` is what `--event` said; the payload must agree with it.
///
/// # Errors
/// When anything about the payload is not understood. For an event of a call
/// that is a block; [`crate::event_of_broken`] says how to encode it.
pub fn decode(agent: Agent, event_arg: &str, stdin: &[u8]) -> Result<HookEvent, DecodeError> {
    if stdin.len() > MAX_PAYLOAD_BYTES {
        return Err(DecodeError::TooLarge {
            limit: MAX_PAYLOAD_BYTES,
        });
    }
    let payload = json::object(stdin)?;
    // First, because a foreign payload also has foreign events.
    let Event {
        adapter,
        name,
        class,
    } = match fingerprint::sender(agent, &payload)? {
        Some(sender) => borrowed(agent, sender, event_arg, &payload)?,
        None => own(agent, event_arg)?,
    };
    let agent = adapter.agent;
    let payload = (adapter.translate)(name, payload)?;
    let fields = Fields::payload(&payload);
    if let Some(named) = fields.optional_text("hook_event_name")?
        && named != name
    {
        return Err(DecodeError::EventMismatch {
            argument: event_arg.to_owned(),
            payload: named.to_owned(),
        });
    }
    let key = session(agent, fields)?;
    let cwd = folder(fields)?;
    let transcript_path = fields
        .optional_path(&["transcript_path"])?
        .map(Utf8PathBuf::from);
    let kind = kind(adapter, class, &payload, &key, &cwd)?;
    Ok(HookEvent {
        key,
        cwd,
        kind,
        transcript_path,
    })
}

/// Whose event it is, its name and what it is.
struct Event {
    adapter: &'static Adapter,
    name: &'static str,
    class: EventClass,
}

/// An event that the agent's own hook was called with.
fn own(agent: Agent, event_arg: &str) -> Result<Event, DecodeError> {
    let adapter = adapter::adapter(agent);
    let (name, class) =
        adapter
            .named_event(event_arg)
            .ok_or_else(|| DecodeError::UnknownEvent {
                agent,
                event: event_arg.to_owned(),
                known: adapter::known_events(agent).collect::<Vec<_>>().join(", "),
            })?;
    Ok(Event {
        adapter,
        name,
        class,
    })
}

/// An event of an agent that loads the hooks of another: read as its own, by
/// the name that it gives itself. What must be decided for one of them must be
/// for the other.
fn borrowed(
    agent: Agent,
    sender: Agent,
    event_arg: &str,
    payload: &Map<String, Value>,
) -> Result<Event, DecodeError> {
    let theirs = adapter::adapter(sender);
    let foreign = || DecodeError::ForeignPayload {
        caller: theirs.title,
        agent,
    };
    let fields = Fields::payload(payload);
    let named = match fields.optional_text("hook_event_name")? {
        Some(named) => named,
        None => fields.optional_text("hookEventName")?.unwrap_or(event_arg),
    };
    let (name, class) = theirs.borrowed_event(named).ok_or_else(foreign)?;
    let asked = own(agent, event_arg)?.class;
    if asked.stage().decides() != class.stage().decides() {
        return Err(foreign());
    }
    let class = match class {
        // A block is spoken in another form there than before a tool runs.
        EventClass::PermissionRequest if asked == class => class,
        EventClass::PermissionRequest => return Err(foreign()),
        _ if class.stage().decides() => EventClass::Borrowed,
        _ => class,
    };
    Ok(Event {
        adapter: theirs,
        name,
        class,
    })
}

fn kind(
    adapter: &Adapter,
    class: EventClass,
    payload: &Map<String, Value>,
    key: &SessionKey,
    cwd: &Utf8Path,
) -> Result<EventKind, DecodeError> {
    let fields = Fields::payload(payload);
    let text = |field| Ok(fields.optional_text(field)?.unwrap_or_default().to_owned());
    let call = || call(adapter, payload, key, cwd);
    Ok(match class {
        EventClass::PreTool => EventKind::Call {
            stage: CallStage::PreTool,
            call: call()?,
        },
        EventClass::PermissionRequest => EventKind::Call {
            stage: CallStage::PermissionRequest,
            call: call()?,
        },
        EventClass::Announced => EventKind::Call {
            stage: CallStage::Announced,
            call: call()?,
        },
        EventClass::Borrowed => EventKind::Call {
            stage: CallStage::Borrowed,
            call: call()?,
        },
        EventClass::AgentDenied => EventKind::AgentDenied {
            call: call()?,
            reason: text("reason")?,
        },
        EventClass::Result { failed } => EventKind::Result {
            call: call()?,
            failed: failed || reports_error(fields),
        },
        EventClass::UserMessage => user_message(fields, key)?,
        EventClass::SessionStart => EventKind::SessionStart {
            source: text("source")?,
        },
        EventClass::SessionEnd => EventKind::SessionEnd {
            reason: text("reason")?,
        },
        EventClass::TurnEnd => EventKind::TurnEnd,
        EventClass::Other => EventKind::Other,
    })
}

/// A message that reached the agent: a person's only as far as a person typed
/// it. What the agent wrote itself (the result of a background task, what a
/// hook said), and what goes to a sub-agent, is no message of the user.
fn user_message(fields: Fields<'_>, key: &SessionKey) -> Result<EventKind, DecodeError> {
    let prompt = fields.text("prompt")?;
    // What Qwen Code was given, before it put in files and commands.
    let submitted = fields
        .optional_text("submitted_prompt")?
        .filter(|_| key.agent == Agent::Qwen);
    if key.subagent.is_some() {
        return Ok(EventKind::Other);
    }
    let text = submitted.unwrap_or(prompt);
    // A picture alone is a message without words.
    if prompt.trim().is_empty() {
        return Ok(EventKind::UserMessage {
            text: String::new(),
        });
    }
    Ok(typed::own_words(text).map_or(EventKind::Other, |text| EventKind::UserMessage { text }))
}

/// Whether a result event says that the tool failed.
fn reports_error(fields: Fields<'_>) -> bool {
    let in_response = fields
        .value("tool_response")
        .and_then(|response| response.get("error"))
        .is_some_and(|error| !error.is_null());
    in_response || fields.value("error").is_some()
}

pub(crate) fn call(
    adapter: &Adapter,
    payload: &Map<String, Value>,
    key: &SessionKey,
    cwd: &Utf8Path,
) -> Result<Call, DecodeError> {
    let fields = Fields::payload(payload);
    let raw_tool = fields.text("tool_name")?;
    if raw_tool.is_empty() {
        return Err(fields.invalid("tool_name", "is empty"));
    }
    // `null` is an input too: an MCP tool may have none.
    let raw_input = payload
        .get("tool_input")
        .ok_or_else(|| fields.missing("tool_input"))?;
    let mut id = None;
    for field in adapter.call_id {
        let given = fields.optional_text(field)?.filter(|id| !id.is_empty());
        id = id.or(given);
    }
    let agent_mode = match fields.optional_text("permission_mode")? {
        Some("plan") => AgentMode::Plan,
        Some(_) | None => AgentMode::Other,
    };
    let read = tools::read(adapter, raw_tool, raw_input, payload, cwd)?;
    Ok(Call {
        key: key.clone(),
        id: id.map(str::to_owned),
        raw_tool: raw_tool.to_owned(),
        raw_input: raw_input.clone(),
        cwd: read.cwd,
        search_path: Vec::new(),
        agent_mode,
        operations: read.operations,
    })
}

pub(crate) fn session(agent: Agent, fields: Fields<'_>) -> Result<SessionKey, DecodeError> {
    let session = identifier(fields, "session_id")?.ok_or_else(|| fields.missing("session_id"))?;
    Ok(SessionKey {
        agent,
        session,
        // The type beside it (`agent_type`) is not part of the identity: it
        // also stands in events of a main conversation that runs as an agent.
        subagent: identifier(fields, "agent_id")?,
    })
}

/// An id; ids become keys of the state and stand in logs.
fn identifier(fields: Fields<'_>, field: &str) -> Result<Option<String>, DecodeError> {
    let Some(id) = fields.optional_text(field)?.filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    if id.len() > MAX_ID_BYTES {
        return Err(fields.invalid(field, format!("is longer than {MAX_ID_BYTES} bytes")));
    }
    if id.chars().any(char::is_control) {
        return Err(fields.invalid(field, "contains control characters"));
    }
    Ok(Some(id.to_owned()))
}

pub(crate) fn folder(fields: Fields<'_>) -> Result<Utf8PathBuf, DecodeError> {
    let cwd = Utf8Path::new(fields.path(&["cwd"])?);
    if !cwd.is_absolute() {
        return Err(fields.invalid("cwd", "is not an absolute path"));
    }
    Ok(cwd.to_owned())
}
