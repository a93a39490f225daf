//! Calls of agents inside the editor, as its extension reports them: decided
//! in the order sent, each answered by `countersign/decision`.

use std::time::{Duration, Instant};

use countersign_agents::{
    CallStage, DecodeError, EditorCall, EventKind, HookEvent, editor_call, editor_folder, own_words,
};
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::message;
use countersign_core::state::ProcessId;
use countersign_service::{Handled, Incoming, Origin};
use serde_json::Value;

use crate::convert;
use crate::protocol::{
    DecisionParams, SessionEventParams, SessionName, ToolCallParams, ToolResultParams,
};

/// The longest that an answer is of use.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Largest input of a tool, in bytes: as much as a hook may send.
const MAX_INPUT_BYTES: usize = countersign_agents::MAX_PAYLOAD_BYTES;

/// An event of an agent in the editor.
#[derive(Debug, Clone)]
pub(crate) enum AgentMessage {
    Call(ToolCallParams),
    Result(ToolResultParams),
    UserMessage(SessionEventParams),
    SessionStart(SessionEventParams),
    SessionEnd(SessionEventParams),
}

impl AgentMessage {
    /// The event on its way into the service; `process` is this server's own,
    /// because the editor's connection speaks for its agents.
    pub(crate) fn incoming(self, process: ProcessId) -> Result<Incoming, String> {
        let started = Instant::now();
        let (name, cwd, timeout_ms) = match &self {
            Self::Call(call) | Self::Result(ToolResultParams { call, .. }) => {
                (&call.name, &call.cwd, call.timeout_ms)
            }
            Self::UserMessage(event) | Self::SessionStart(event) | Self::SessionEnd(event) => {
                (&event.name, &event.cwd, None)
            }
        };
        let key = convert::session_key(name)?;
        let cwd = editor_folder(cwd).map_err(|error| error.to_string())?;
        let timeout = timeout_ms
            .map_or(LONGEST, Duration::from_millis)
            .min(LONGEST);
        let kind = self.kind(&key).map_err(|error| error.to_string())?;
        Ok(Incoming {
            event: HookEvent {
                key,
                cwd,
                kind,
                transcript_path: None,
            },
            process: Some(process),
            deadline: started + timeout,
            tighten: None,
            origin: Origin::Editor,
            trace: None,
            started,
        })
    }

    fn kind(self, key: &SessionKey) -> Result<EventKind, DecodeError> {
        Ok(match self {
            Self::Call(params) => EventKind::Call {
                stage: CallStage::PreTool,
                call: call(&params, key)?,
            },
            Self::Result(params) => EventKind::Result {
                call: call(&params.call, key)?,
                failed: params.failed,
            },
            Self::UserMessage(params) => EventKind::UserMessage {
                // Agents put reminders and files into what they call the
                // user's message.
                text: own_words(&params.text.unwrap_or_default()).unwrap_or_default(),
            },
            Self::SessionStart(_) => EventKind::SessionStart {
                source: String::new(),
            },
            Self::SessionEnd(_) => EventKind::SessionEnd {
                reason: String::new(),
            },
        })
    }
}

fn call(params: &ToolCallParams, key: &SessionKey) -> Result<Call, DecodeError> {
    if is_larger(&params.input, MAX_INPUT_BYTES) {
        return Err(DecodeError::TooLarge {
            limit: MAX_INPUT_BYTES,
        });
    }
    editor_call(&EditorCall {
        key,
        id: &params.call_id,
        cwd: &params.cwd,
        tool: &params.tool,
        input: &params.input,
        plan_mode: params.plan_mode,
    })
}

/// Whether the texts in a value are larger than `limit`, in bytes.
fn is_larger(value: &Value, limit: usize) -> bool {
    left_of(value, limit).is_none()
}

/// What is left of `left` bytes after the texts in a value.
fn left_of(value: &Value, left: usize) -> Option<usize> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => left.checked_sub(8),
        Value::String(text) => left.checked_sub(text.len()),
        Value::Array(all) => all.iter().try_fold(left, |rest, one| left_of(one, rest)),
        Value::Object(all) => all.iter().try_fold(left, |rest, (name, one)| {
            left_of(one, rest.checked_sub(name.len())?)
        }),
    }
}

/// The answer to a call.
pub(crate) fn decision(name: SessionName, call_id: String, handled: &Handled) -> DecisionParams {
    let bare = |decision: &str, reason: &str, message: String| DecisionParams {
        name: name.clone(),
        call_id: call_id.clone(),
        id: None,
        decision: decision.to_owned(),
        reason: reason.to_owned(),
        message,
        asked: None,
        cap_kind: None,
        counters: None,
        model: None,
    };
    let told = |decision: &Decision| {
        bare(
            decision.verb(),
            decision.reason(),
            message::for_agent(decision),
        )
    };
    match handled {
        Handled::Decided(outcome, decision) => DecisionParams {
            id: Some(outcome.call.clone()),
            asked: outcome.asked.map(|reason| reason.to_string()),
            cap_kind: outcome.asked.and_then(convert::cap_kind),
            counters: Some(convert::counters(outcome.after)),
            model: outcome.model.as_ref().map(convert::model),
            ..told(decision)
        },
        Handled::Failed(decision) => told(decision),
        Handled::Noted | Handled::NoOpinion => bare("none", "no_opinion", String::new()),
        Handled::Elsewhere(_) => told(&refusal("the session belongs to another server".to_owned())),
        Handled::NotOwner(why) => told(&refusal(why.clone())),
    }
}

/// The block of a call that cannot be understood.
pub(crate) fn refusal(detail: String) -> Decision {
    Decision::Block {
        reason: BlockReason::InvalidCall,
        detail,
    }
}
