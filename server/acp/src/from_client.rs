//! What the client says: answers to the agent, what a person typed, and what
//! they choose of the agent's modes.

use camino::Utf8PathBuf;
use countersign_agents::acp::What;
use serde_json::Value;

use crate::lines::Line;
use crate::message::{Id, Kind, Message};
use crate::proxy::{After, MOST_OPEN, Proxy, Rooms, State};
use crate::replies::{self, Failure};

/// What is told of a person's message, in bytes.
const MOST_TEXT: usize = 256 * 1024;

/// What the agent's answer to a request of the client means.
#[derive(Debug)]
pub(crate) enum Wants {
    /// Nothing.
    Nothing,
    /// A session is open in this folder; its id stands in the request or in the
    /// answer.
    Session {
        id: Option<String>,
        cwd: Option<Utf8PathBuf>,
    },
    /// A turn is over.
    TurnEnd(String),
    /// The agent is in this mode.
    Mode { session: String, mode: String },
    /// An option is set, the agent's mode to this; the answer says what they all
    /// are.
    Options {
        session: String,
        mode: Option<String>,
    },
}

impl Proxy {
    /// The client said a line.
    pub(crate) fn client_said(&mut self, line: Line, rooms: Rooms) {
        let Rooms { on, back } = rooms;
        let why = match line {
            Line::Whole(line) if Self::is_blank(&line) => {
                self.to_agent.pass(line, on);
                return;
            }
            Line::Whole(line) => match Self::read("client", &line) {
                Ok(message) => {
                    if self.goes_to_agent(&message) {
                        self.to_agent.pass(line, on);
                    }
                    return;
                }
                Err(why) => why,
            },
            Line::TooLong => {
                "Countersign: a message from the client is too long and was not passed on"
                    .to_owned()
            }
        };
        let message = replies::error(None, Failure::NoMessage, &why);
        self.to_client.send(&message, Some(back));
    }

    /// Looks at a message of the client; whether it is passed on.
    fn goes_to_agent(&mut self, message: &Message<'_>) -> bool {
        match message.kind.clone() {
            Kind::Request { id, method } => self.client_asks(&id, &method, message),
            Kind::Notification { method } => {
                if method == "session/cancel"
                    && let Some(session) = text(message, "sessionId")
                {
                    self.cancel(&session);
                }
                true
            }
            Kind::Response { id, is_error } => self.client_answers(id.as_ref(), is_error, message),
        }
    }

    /// Whether a request of the client is passed on.
    fn client_asks(&mut self, id: &Id, method: &str, message: &Message<'_>) -> bool {
        let refuse = |proxy: &mut Self, failure, why: &str| {
            let message = replies::error(Some(&id.raw), failure, why);
            proxy.to_client.send(&message, None);
            false
        };
        let is_taken = self.of_client.contains_key(&id.key) || self.asking.is_own(&id.key);
        if is_taken || self.of_client.len() >= MOST_OPEN {
            let why = "Countersign: the id of this request is in use, or too many are open";
            return refuse(self, Failure::NoMessage, why);
        }
        let session = text(message, "sessionId");
        let wanted = match (method, session) {
            ("session/new", _) => Wants::Session {
                id: None,
                cwd: text(message, "cwd").map(Utf8PathBuf::from),
            },
            ("session/load" | "session/resume" | "session/fork", session) => {
                let cwd = text(message, "cwd").map(Utf8PathBuf::from);
                if let Some(session) = &session {
                    self.sessions.works_in(session, cwd.as_deref());
                    // Only then does the agent tell the conversation once more.
                    self.sessions.get(session).is_replayed = method == "session/load";
                }
                Wants::Session { id: session, cwd }
            }
            ("session/prompt", Some(session)) => {
                self.last_session = Some(session.clone());
                let text = typed(message);
                self.note(&session, What::Message { text });
                Wants::TurnEnd(session)
            }
            ("session/set_mode", Some(session)) => match text(message, "modeId") {
                Some(mode) if self.sessions.loosens(&mode) => {
                    return refuse(self, Failure::Denied, &loosens(&mode));
                }
                Some(mode) => Wants::Mode { session, mode },
                None => Wants::Nothing,
            },
            ("session/set_config_option", Some(session)) => {
                let option = text(message, "configId").unwrap_or_default();
                let value = message.part(&["value"]);
                let value = value.and_then(|part| crate::message::value(part).ok());
                let value = value.unwrap_or_default();
                // Which option it is about is the agent's own name.
                if let Some(mode) = self.sessions.loosened_by(&session, &option, &value) {
                    return refuse(self, Failure::Denied, &loosens(&mode));
                }
                let mode = value.as_str().map(str::to_owned);
                let mode = mode.filter(|_| self.sessions.is_mode(&session, &option));
                Wants::Options { session, mode }
            }
            _ => Wants::Nothing,
        };
        self.of_client.insert(id.key.clone(), wanted);
        true
    }

    /// Whether an answer of the client is passed on: only to a request that is
    /// open there.
    fn client_answers(&mut self, id: Option<&Id>, is_error: bool, message: &Message<'_>) -> bool {
        let Some(id) = id else {
            return true;
        };
        if self.asking.is_own(&id.key) {
            let result = if is_error {
                Value::Null
            } else {
                message.result().unwrap_or_default()
            };
            self.answered(&id.key, &result);
            return false;
        }
        let is_passed = self
            .open
            .get(&id.key)
            .is_some_and(|open| matches!(open.state, State::Passed(_)));
        if !is_passed {
            tracing::warn!("the client answers a request that nobody made");
            return false;
        }
        let Some(open) = self.open.remove(&id.key) else {
            return false;
        };
        let State::Passed(after) = open.state else {
            return false;
        };
        let session = open.session;
        match after {
            After::Nothing | After::Written(None) => {}
            After::Written(Some(source)) => {
                let failed = is_error;
                self.note(&session, What::Result { source, failed });
            }
            After::Opened(source) if !is_error => {
                let result = message.result().unwrap_or_default();
                if let Some(terminal) = result.get("terminalId").and_then(Value::as_str) {
                    let calls = &mut self.sessions.get(&session).calls;
                    calls.opened(terminal, source);
                }
            }
            After::Opened(None) => {}
            After::Opened(Some(source)) => {
                let failed = true;
                self.note(&session, What::Result { source, failed });
            }
            After::Ended(terminal) => self.terminal_ended(&session, &terminal),
        }
        true
    }
}

/// What a person who chose such a mode is told.
fn loosens(mode: &str) -> String {
    format!(
        "Countersign: in the mode {mode} the agent would not ask before it acts. Keep it in one in \
         which it asks: Countersign answers for you as far as your own mode and rules say, and that \
         mode is chosen in your editor or with `countersign acp --approval-mode`"
    )
}

/// A text among the parameters.
fn text(message: &Message<'_>, name: &str) -> Option<String> {
    let part = message.part(&[name])?;
    crate::message::value(part)
        .ok()?
        .as_str()
        .map(str::to_owned)
}

/// What a person typed of a prompt: its texts, without what is attached.
fn typed(message: &Message<'_>) -> String {
    let blocks = message
        .part(&["prompt"])
        .and_then(|part| crate::message::value(part).ok())
        .unwrap_or_default();
    let texts: Vec<&str> = blocks
        .as_array()
        .into_iter()
        .flatten()
        .filter(|block| block.get("type").and_then(Value::as_str) == Some("text"))
        .filter_map(|block| block.get("text")?.as_str())
        .collect();
    countersign_core::redact::bounded(&texts.join("\n"), MOST_TEXT).into_owned()
}
