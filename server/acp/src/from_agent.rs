//! What the agent says: looked at for what only a person or the guard may
//! allow, and passed on otherwise as it is.

use std::sync::Arc;

use countersign_agents::EventKind;
use countersign_agents::acp::{self, CheckedRequest, Source, What};
use serde_json::{Map, Value, json};

use crate::calls::{Seen, Verdict};
use crate::from_client::Wants;
use crate::lines::Line;
use crate::message::{self, Id, Kind, Message, fold};
use crate::options::ModeOption;
use crate::outlet::Room;
use crate::proxy::{After, MOST_OPEN, Open, Proxy, Rooms, State, Wanted};
use crate::replies::{self, Failure};
use crate::sessions::ModeChange;
use crate::told::{Told, ToldOf};

/// The longest message that is checked, in bytes.
const MOST_CHECKED: usize = 4 * 1024 * 1024;

/// Methods of the client that are passed on although they begin like those that
/// touch files and terminals.
const HARMLESS: &[&str] = &[
    "terminal/output",
    "terminal/wait_for_exit",
    "terminal/kill",
    "terminal/release",
];

/// Fields that the client acts by, in what is checked.
const ACTED_BY: &[&str] = &[
    "sessionId",
    "toolCall",
    "options",
    "path",
    "content",
    "line",
    "limit",
    "command",
    "args",
    "env",
    "cwd",
    "outputByteLimit",
    "toolCallId",
    "title",
    "kind",
    "rawInput",
    "status",
    "locations",
    "optionId",
    "name",
    "value",
];

impl Proxy {
    /// The agent said a line.
    pub(crate) fn agent_said(&mut self, line: Line, rooms: Rooms) {
        let Rooms { on, back } = rooms;
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => {
                let why = "Countersign: a message from the agent is too long and was not passed on";
                tracing::error!("{why}");
                let message = replies::error(None, Failure::NoMessage, why);
                self.to_agent.send(&message, Some(back));
                return;
            }
        };
        if Self::is_blank(&line) {
            self.to_client.pass(line, on);
            return;
        }
        let message = match Self::read("agent", &line) {
            Ok(message) => message,
            Err(why) => {
                let begins = line.iter().find(|byte| !byte.is_ascii_whitespace());
                // What an agent prints besides is no message to anybody.
                if matches!(begins, Some(b'{' | b'[')) {
                    let message = replies::error(None, Failure::NoMessage, &why);
                    self.to_agent.send(&message, Some(back));
                    self.refused(why);
                }
                return;
            }
        };
        match message.kind.clone() {
            Kind::Request { id, method } => {
                if self.request(&id, &method, &message, line.len(), back) {
                    self.to_client.pass(line, on);
                }
            }
            Kind::Notification { method } => {
                let told = (method == "session/update").then(|| Told::read(&message));
                if self.notification(&method, &message, back) {
                    self.to_client.pass(line, on);
                }
                // What we have to say about it comes after it.
                if let Some(told) = told.flatten() {
                    self.told(told);
                }
            }
            Kind::Response { id, is_error } => {
                if self.response(id.as_ref(), is_error, &message) {
                    self.to_client.pass(line, on);
                }
            }
        }
    }

    /// Puts on record that something of the agent passed on to nobody.
    fn refused(&self, why: String) {
        let service = Arc::clone(&self.route.service);
        let from = format!("{} acp", self.agent);
        tokio::spawn(async move { service.record_refusal(from, why).await });
    }

    /// Looks at a request; whether it is passed on as it is.
    fn request(
        &mut self,
        id: &Id,
        method: &str,
        message: &Message<'_>,
        bytes: usize,
        back: Room,
    ) -> bool {
        if self.open.contains_key(&id.key) || self.asking.is_own(&id.key) {
            let why = "Countersign: the id of this request is in use already";
            return self.fail(id, Failure::NoMessage, why, back);
        }
        if self.open.len() >= MOST_OPEN {
            let why = "Countersign: too many requests have no answer yet";
            return self.fail(id, Failure::NoMessage, why, back);
        }
        let Some(kind) = acp::checked_request(method) else {
            if let Some(why) = objection(method) {
                return self.fail(id, Failure::NoMethod, &why, back);
            }
            self.passes(id, method, message);
            return true;
        };
        if bytes > MOST_CHECKED {
            let why = format!("Countersign: {method} takes at most {MOST_CHECKED} bytes");
            return self.fail(id, Failure::BadParams, &why, back);
        }
        let params = message.params().and_then(|params| {
            unambiguous(&params)?;
            Ok(params)
        });
        if let Ok(params) = &params
            && self.was_allowed(kind, params)
        {
            // The call was decided when the agent asked for permission.
            let session = params.get("sessionId").and_then(Value::as_str);
            let session = session.unwrap_or_default().to_owned();
            self.pass_allowed(id.clone(), session, kind, params, back);
            return false;
        }
        let refused_call = params.as_ref().ok().and_then(tool_call_of);
        let wanted = params.and_then(|params| self.wanted(kind, method, params));
        match wanted {
            Ok((session, params, tool_call, source, call, report)) => {
                self.last_session = Some(session.clone());
                self.decide(Wanted {
                    id: id.clone(),
                    session,
                    kind,
                    params,
                    tool_call,
                    report,
                    source,
                    call,
                    back,
                    bytes,
                });
                false
            }
            Err(why) => {
                if let Some((session, tool_call)) = refused_call {
                    let calls = &mut self.sessions.get(&session).calls;
                    calls.decided(&tool_call, Verdict::Blocked);
                }
                let why = format!("Countersign: {method} is not understood: {why}");
                self.fail(id, Failure::BadParams, &why, back)
            }
        }
    }

    /// Answers a request with an error; it is not passed on.
    fn fail(&mut self, id: &Id, failure: Failure, why: &str, back: Room) -> bool {
        tracing::warn!("{}", replies::text(why));
        self.refused(why.to_owned());
        let message = replies::error(Some(&id.raw), failure, why);
        self.to_agent.send(&message, Some(back));
        false
    }

    /// The call that a checked request is.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn wanted(
        &mut self,
        kind: CheckedRequest,
        method: &str,
        params: Value,
    ) -> Result<
        (
            String,
            Value,
            Option<String>,
            Source,
            Arc<countersign_core::call::Call>,
            acp::Report,
        ),
        String,
    > {
        let session = params
            .get("sessionId")
            .and_then(Value::as_str)
            .ok_or("`sessionId` is no text")?
            .to_owned();
        let (source, tool_call) = if kind == CheckedRequest::Permission {
            let said = params
                .get("toolCall")
                .and_then(Value::as_object)
                .ok_or("`toolCall` is no object")?
                .clone();
            let id = said
                .get("toolCallId")
                .and_then(Value::as_str)
                .ok_or("`toolCallId` is no text")?
                .to_owned();
            let agent = self.agent;
            let calls = &mut self.sessions.get(&session).calls;
            let (tool_call, announced) = calls.asks(agent, &id, said);
            let source = Source::ToolCall {
                tool_call,
                announced,
            };
            (source, Some(id))
        } else {
            let source = Source::Request {
                method: method.to_owned(),
                params: params.clone(),
            };
            (source, None)
        };
        let what = What::Call {
            source: source.clone(),
        };
        let report = self.report(&session, what);
        let decoded = acp::understand(self.agent, &report).map_err(|error| error.to_string())?;
        let EventKind::Call { call, .. } = decoded.event.kind else {
            return Err("it is no call".to_owned());
        };
        if let (Some(id), Source::ToolCall { tool_call, .. }) = (&tool_call, &source) {
            let verdict = Verdict::Deciding(Arc::new(tool_call.clone()));
            self.sessions.get(&session).calls.decided(id, verdict);
        }
        Ok((session, params, tool_call, source, Arc::new(call), report))
    }

    /// Whether this is the client's part of a call that was allowed when the
    /// agent asked for permission: once, and not long after.
    fn was_allowed(&mut self, kind: CheckedRequest, params: &Value) -> bool {
        let text = |field: &str| params.get(field).and_then(Value::as_str);
        let Some(session) = text("sessionId").filter(|id| self.sessions.is_known(id)) else {
            return false;
        };
        let known = self.sessions.get(session);
        let cwd = known.cwd.clone();
        match kind {
            CheckedRequest::Terminal => known
                .calls
                .take_allowed(|call| acp::runs(params, &cwd, call)),
            CheckedRequest::Write => {
                let now = text("path").and_then(content);
                known
                    .calls
                    .take_allowed(|call| acp::writes(params, call, now.as_deref()))
            }
            CheckedRequest::Read | CheckedRequest::Permission => false,
        }
    }

    /// A request that is not checked is passed on; what its answer means.
    fn passes(&mut self, id: &Id, method: &str, message: &Message<'_>) {
        let text = |name: &str| {
            let part = message.part(&[name])?;
            message::value(part).ok()?.as_str().map(str::to_owned)
        };
        let session = text("sessionId").unwrap_or_default();
        let after = match (method, text("terminalId")) {
            ("terminal/wait_for_exit", Some(terminal)) => After::Ended(terminal),
            ("terminal/release", Some(terminal)) => {
                self.terminal_ended(&session, &terminal);
                After::Nothing
            }
            _ => After::Nothing,
        };
        self.open.insert(
            id.key.clone(),
            Open {
                id: id.clone(),
                session,
                state: State::Passed(after),
            },
        );
    }

    /// What ran in a terminal is over.
    pub(crate) fn terminal_ended(&mut self, session: &str, terminal: &str) {
        if !self.sessions.is_known(session) {
            return;
        }
        if let Some(source) = self.sessions.get(session).calls.take_terminal(terminal) {
            let failed = false;
            self.note(session, What::Result { source, failed });
        }
    }

    /// Looks at a notification; whether it is passed on.
    fn notification(&mut self, method: &str, message: &Message<'_>, back: Room) -> bool {
        if acp::checked_request(method).is_some() || objection(method).is_some() {
            let why = format!(
                "Countersign: {} without an id is not passed on",
                text(method)
            );
            tracing::warn!("{why}");
            self.refused(why.clone());
            let message = replies::error(None, Failure::NoMessage, &why);
            self.to_agent.send(&message, Some(back));
            return false;
        }
        // What the client never heard of, it cannot cancel.
        if method == "$/cancel_request" {
            let id = message
                .part(&["requestId"])
                .and_then(|part| message::value(part).ok());
            let key = match id {
                Some(Value::String(id)) => Some(id),
                Some(Value::Number(id)) => Some(id.to_string()),
                Some(_) | None => None,
            };
            return !key.is_some_and(|key| self.cancel_request(&key));
        }
        true
    }

    /// What the agent says of a session.
    fn told(&mut self, told: Told) {
        let Told { session, what } = told;
        match what {
            ToldOf::Call { id, said } => {
                self.last_session = Some(session.clone());
                let known = self.sessions.get(&session);
                let is_replay = known.is_replayed;
                let seen = known.calls.update(&id, said, is_replay);
                self.saw(&session, &id, seen);
            }
            ToldOf::Mode(mode) => {
                let change = self.sessions.is_in(&session, &mode);
                self.mode_changed(&session, change);
            }
            ToldOf::Options(options) => {
                let change = self.sessions.options_are(&session, &options);
                self.mode_changed(&session, change);
            }
        }
    }

    fn saw(&mut self, session: &str, id: &str, seen: Seen) {
        match seen {
            Seen::Nothing => {}
            Seen::ChangedBefore => {
                let key = self.open.iter().find_map(|(key, open)| match &open.state {
                    State::Deciding(deciding)
                        if open.session == session && deciding.tool_call.as_deref() == Some(id) =>
                    {
                        Some(key.clone())
                    }
                    _ => None,
                });
                let why = "Countersign: the agent changed this call while it was asked about: the \
                           question is void";
                if let Some(key) = key {
                    self.void(&key, why);
                }
                self.explain(session, id, why);
            }
            Seen::ChangedAfter(source) => {
                let failed = false;
                self.note(session, What::Result { source, failed });
                // The turn in which an answer is used for something else ends.
                let params = json!({ "sessionId": session });
                let message = replies::call(None, "session/cancel", &params);
                self.to_agent.send_if_read(&message);
                self.cancel(session);
                self.explain(
                    session,
                    id,
                    "Countersign: UNGUARDED: the agent changed this call after it was allowed; the \
                     turn was cancelled",
                );
            }
            Seen::Ended {
                by_client: true, ..
            } => {}
            Seen::Ended { source, failed, .. } => {
                self.note(session, What::Result { source, failed });
            }
        }
    }

    /// Answers no to a permission about something that changed meanwhile.
    fn void(&mut self, key: &str, why: &str) {
        let Some(open) = self.open.remove(key) else {
            return;
        };
        if let State::Deciding(deciding) = open.state {
            let _ = deciding.gone.send(());
            let (kind, params) = (deciding.kind, deciding.params);
            self.refuse(&open.id, kind, &params, why, Some(deciding.back));
        }
    }

    /// Looks at a response; whether it is passed on.
    fn response(&mut self, id: Option<&Id>, is_error: bool, message: &Message<'_>) -> bool {
        let Some(id) = id else {
            return true;
        };
        if let Some((session, mode)) = self.mode_changes.remove(&id.key) {
            let result = message.result().unwrap_or_default();
            self.mode_set(&session, &mode, is_error, &result);
            return false;
        }
        if self.asking.is_own(&id.key) {
            return false;
        }
        let Some(wanted) = self.of_client.remove(&id.key) else {
            return true;
        };
        if let Wants::TurnEnd(session) = &wanted {
            self.note(session, What::TurnEnd);
        }
        if is_error {
            if let Wants::Session { id: Some(id), .. } = &wanted {
                self.sessions.get(id).is_replayed = false;
            }
            return true;
        }
        match wanted {
            Wants::Nothing | Wants::TurnEnd(_) => {}
            Wants::Session { id, cwd } => {
                let result = message.result().unwrap_or_default();
                let named = result.get("sessionId").and_then(Value::as_str);
                if let Some(session) = named.map(str::to_owned).or(id) {
                    self.sessions.works_in(&session, cwd.as_deref());
                    self.last_session = Some(session.clone());
                    let change = self.sessions.opened(&session, &result);
                    self.mode_changed(&session, change);
                }
            }
            Wants::Mode { session, mode } => {
                let change = self.sessions.is_in(&session, &mode);
                self.mode_changed(&session, change);
            }
            Wants::Options { session, mode } => {
                let result = message.result().unwrap_or_default();
                let change = match (result.get("configOptions"), mode) {
                    (Some(options), _) => self.sessions.options_are(&session, options),
                    (None, Some(mode)) => self.sessions.is_in(&session, &mode),
                    (None, None) => ModeChange::Fine,
                };
                self.mode_changed(&session, change);
            }
        }
        true
    }

    /// The agent took over a mode of ours, or did not.
    fn mode_set(&mut self, session: &str, mode: &str, is_error: bool, result: &Value) {
        let options = result.get("configOptions");
        let said = options.and_then(|options| ModeOption::of(options)?.current);
        let is_still_loose = said.is_some_and(|mode| self.sessions.loosens(&mode));
        if is_error || is_still_loose {
            self.tell_of_mode(session);
            return;
        }
        let change = self.sessions.is_in(session, mode);
        self.mode_changed(session, change);
        let update = match options {
            Some(options) => {
                json!({ "sessionUpdate": "config_option_update", "configOptions": options })
            }
            None => json!({ "sessionUpdate": "current_mode_update", "currentModeId": mode }),
        };
        let update = json!({ "sessionId": session, "update": update });
        let message = replies::call(None, "session/update", &update);
        self.to_client.send_if_read(&message);
    }
}

/// Why a method that is not checked is passed on to nobody all the same.
fn objection(method: &str) -> Option<String> {
    let folded = fold(method);
    let all = [
        CheckedRequest::Permission,
        CheckedRequest::Read,
        CheckedRequest::Write,
        CheckedRequest::Terminal,
    ];
    let looks_alike = all
        .iter()
        .any(|request| fold(request.method()) == folded && request.method() != method);
    let touches = folded.starts_with("fs/") || folded.starts_with("terminal/");
    (looks_alike || (touches && !HARMLESS.contains(&method))).then(|| {
        format!(
            "Countersign: nothing is known of the method {}, and it is not passed on",
            text(method)
        )
    })
}

/// A name in a message of ours.
fn text(name: &str) -> String {
    replies::text(&name.chars().take(100).collect::<String>())
}

/// Whether every reader finds the same fields in what is checked.
fn unambiguous(params: &Value) -> Result<(), String> {
    let own = |object: &Map<String, Value>| {
        for name in object.keys() {
            if let Some(known) = message::lookalike(name, ACTED_BY) {
                return Err(format!("a field looks like `{known}`"));
            }
        }
        Ok(())
    };
    let Some(object) = params.as_object() else {
        return Err("its parameters are no object".to_owned());
    };
    own(object)?;
    if let Some(tool_call) = object.get("toolCall").and_then(Value::as_object) {
        own(tool_call)?;
    }
    for list in ["options", "env"] {
        let items = object.get(list).and_then(Value::as_array);
        for item in items.into_iter().flatten().filter_map(Value::as_object) {
            own(item)?;
        }
    }
    Ok(())
}

/// The session and the call that a permission is asked for.
fn tool_call_of(params: &Value) -> Option<(String, String)> {
    let session = params.get("sessionId")?.as_str()?;
    let tool_call = params.get("toolCall")?.get("toolCallId")?.as_str()?;
    Some((session.to_owned(), tool_call.to_owned()))
}

/// What a file holds, where it is a plain one that is not large.
fn content(path: &str) -> Option<String> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    let fits = metadata.is_file() && metadata.len() <= MOST_CHECKED as u64;
    fits.then(|| std::fs::read_to_string(path).ok()).flatten()
}
