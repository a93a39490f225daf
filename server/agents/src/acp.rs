//! What an agent says over the Agent Client Protocol, as far as it is a tool
//! call: read into the same canonical calls as hooks are, so that both join.
//!
//! The proxy (`countersign-acp`) knows the protocol's envelope and its order;
//! what a tool call's content means is known here. A [`Report`] is what the
//! proxy tells a server, or itself.

mod input;
mod modes;
mod reply;
mod requests;
mod tool_call;
mod words;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::{Call, SessionKey};
use countersign_core::mode::{AgentMode, ApprovalMode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use modes::{ModeKind, asking_modes, mode_kind};
pub use reply::{answer, encode as encode_answer};
pub use requests::{CheckedRequest, checked_request, runs, writes};
pub use tool_call::{asked_input, rewrites};

use crate::decode::{self, MAX_PAYLOAD_BYTES};
use crate::error::DecodeError;
use crate::event::{CallStage, EventKind, HookEvent};
use crate::fields::Fields;
use crate::{json, typed};

/// The name under which a proxy's reports stand where hooks have the name of
/// their event.
pub const EVENT: &str = "acp";

/// What a proxy saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The session, by the agent's id of it.
    pub session_id: String,
    /// The absolute folder that the session works in.
    pub cwd: Utf8PathBuf,
    /// Whether the agent is in its own plan mode.
    #[serde(default)]
    pub plan_mode: bool,
    /// What happened.
    pub what: What,
}

/// What happened in a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A call wants a decision.
    Call {
        /// What the agent said.
        source: Source,
    },
    /// A tool ran.
    Result {
        /// What the agent said of the call.
        source: Source,
        /// Whether it failed.
        failed: bool,
    },
    /// The client sent what a person typed.
    Message {
        /// The text.
        text: String,
    },
    /// The agent's turn ended.
    TurnEnd,
    /// The agent ended, or the client closed the session.
    SessionEnd,
}

/// Where the agent said what it wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In a tool call, as its updates so far come to.
    ToolCall {
        /// The protocol's `toolCall`.
        tool_call: Value,
        /// The title that the call was announced with: some agents put the
        /// tool's name there at first.
        #[serde(default)]
        announced: Option<String>,
    },
    /// In a request to the client that reads, writes or runs something.
    Request {
        /// The method.
        method: String,
        /// Its parameters.
        params: Value,
    },
}

/// A report, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The event.
    pub event: HookEvent,
    /// The mode that the call is at most decided in: one whose input the agent
    /// does not show is for a person, and for no model.
    pub tighten: Option<ApprovalMode>,
}

impl Report {
    /// The bytes in which a report travels.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        // A report holds nothing that cannot be written as JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Reads the bytes of a report.
///
/// # Errors
/// When anything about it is not understood: a call is blocked then.
pub fn decode(agent: Agent, payload: &[u8]) -> Result<Decoded, DecodeError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(DecodeError::TooLarge {
            limit: MAX_PAYLOAD_BYTES,
        });
    }
    let value = Value::Object(json::object(payload)?);
    let report = serde_json::from_value(value).map_err(|error| DecodeError::NotJson {
        reason: error.to_string(),
    })?;
    understand(agent, &report)
}

/// Understands a report.
///
/// # Errors
/// When anything about it is not understood: a call is blocked then.
pub fn understand(agent: Agent, report: &Report) -> Result<Decoded, DecodeError> {
    let key = session(agent, &report.session_id)?;
    let cwd = folder(&report.cwd)?;
    let context = Context {
        key: &key,
        cwd: &cwd,
        plan_mode: report.plan_mode,
    };
    let mut tighten = None;
    let mut call = |source: &Source| -> Result<Call, DecodeError> {
        let read = context.read(source)?;
        if !read.is_shown {
            tighten = Some(ApprovalMode::Default);
        }
        Ok(read.call)
    };
    let kind = match &report.what {
        What::Call { source } => EventKind::Call {
            stage: CallStage::PermissionRequest,
            call: call(source)?,
        },
        What::Result { source, failed } => EventKind::Result {
            call: call(source)?,
            failed: *failed,
        },
        // A picture alone is a message without words.
        What::Message { text } if text.trim().is_empty() => EventKind::UserMessage {
            text: String::new(),
        },
        What::Message { text } => {
            typed::own_words(text).map_or(EventKind::Other, |text| EventKind::UserMessage { text })
        }
        What::TurnEnd => EventKind::TurnEnd,
        What::SessionEnd => EventKind::SessionEnd {
            reason: "acp".to_owned(),
        },
    };
    Ok(Decoded {
        event: HookEvent {
            key,
            cwd,
            kind,
            transcript_path: None,
        },
        tighten,
    })
}

fn session(agent: Agent, id: &str) -> Result<SessionKey, DecodeError> {
    let mut payload = Map::new();
    payload.insert("session_id".to_owned(), id.into());
    decode::session(agent, Fields::payload(&payload))
}

fn folder(cwd: &Utf8Path) -> Result<Utf8PathBuf, DecodeError> {
    let mut payload = Map::new();
    payload.insert("cwd".to_owned(), cwd.as_str().into());
    decode::folder(Fields::payload(&payload))
}

/// What a call stands in.
struct Context<'a> {
    key: &'a SessionKey,
    cwd: &'a Utf8Path,
    plan_mode: bool,
}

/// A call, read.
struct Read {
    call: Call,
    /// Whether the agent showed what the call would do.
    is_shown: bool,
}

impl Context<'_> {
    fn read(&self, source: &Source) -> Result<Read, DecodeError> {
        match source {
            Source::ToolCall {
                tool_call,
                announced,
            } => tool_call::read(self, tool_call, announced.as_deref()),
            Source::Request { method, params } => {
                let call = requests::read(self, method, params)?;
                Ok(Read {
                    call,
                    is_shown: true,
                })
            }
        }
    }

    const fn agent_mode(&self) -> AgentMode {
        if self.plan_mode {
            AgentMode::Plan
        } else {
            AgentMode::Other
        }
    }
}

/// The object that these bytes are, where every parser reads it alike.
///
/// # Errors
/// When they are none, or a key stands twice.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, DecodeError> {
    json::object(bytes)
}
