//! What the agent tells of its calls and modes.

use serde_json::{Map, Value, json};

use crate::message::{self, Message};

/// What an update tells that matters here.
pub(crate) struct Told {
    pub(crate) session: String,
    pub(crate) what: ToldOf,
}

pub(crate) enum ToldOf {
    /// Something about a call.
    Call {
        id: String,
        said: Map<String, Value>,
    },
    /// The agent is in this mode.
    Mode(String),
    /// Its configuration options are these.
    Options(Value),
}

impl Told {
    pub(crate) fn read(message: &Message<'_>) -> Option<Self> {
        let text = |path: &[&str]| {
            let part = message.part(path)?;
            message::value(part).ok()?.as_str().map(str::to_owned)
        };
        let session = text(&["sessionId"])?;
        let what = match text(&["update", "sessionUpdate"])?.as_str() {
            "tool_call" | "tool_call_update" => {
                let id = text(&["update", "toolCallId"])?;
                let mut said = Map::new();
                for field in ["title", "kind", "status", "rawInput", "content", "_meta"] {
                    if let Some(part) = message.part(&["update", field]) {
                        // What can be read in two ways is as good as another one.
                        let value =
                            message::value(part).unwrap_or_else(|why| json!({ "unreadable": why }));
                        said.insert(field.to_owned(), value);
                    }
                }
                said.insert("toolCallId".to_owned(), Value::String(id.clone()));
                ToldOf::Call { id, said }
            }
            "current_mode_update" => ToldOf::Mode(text(&["update", "currentModeId"])?),
            "config_option_update" => {
                let options = message.part(&["update", "configOptions"])?;
                ToldOf::Options(message::value(options).ok()?)
            }
            _ => return None,
        };
        Some(Self { session, what })
    }
}
