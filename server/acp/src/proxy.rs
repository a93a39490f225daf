//! The one task that sees everything that passes, in the order in which it
//! comes, and that nothing makes wait: what takes time is done beside it and
//! comes back as an event.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use camino::Utf8PathBuf;
use countersign_agents::Answer;
use countersign_agents::acp::{CheckedRequest, Report, Source, What};
use countersign_core::agent::Agent;
use countersign_core::call::Call;
use countersign_service::Notice;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::asking::Asking;
use crate::lines::Line;
use crate::message::{Id, Message};
use crate::outlet::{Outlet, Room};
use crate::replies::{self, Failure, Permission};
use crate::route::Route;
use crate::sessions::Sessions;

/// Decisions that may be open at a time, and what they may hold in bytes.
const MOST_DECIDING: usize = 64;
const MOST_DECIDING_BYTES: usize = 32 * 1024 * 1024;

/// Requests of one side that may wait for the other.
pub(crate) const MOST_OPEN: usize = 4_096;

/// What happens.
pub(crate) enum Event {
    /// The agent said something.
    FromAgent(Line, Rooms),
    /// The client did.
    FromClient(Line, Rooms),
    /// Something was decided.
    Decided { job: u64, answer: Answer },
    /// A yes came before anybody can have read what it was about.
    TooSoon { approval: String, tries: u32 },
    /// The agent says no more.
    AgentEnded,
    /// The client says no more.
    ClientEnded,
}

/// Room that was taken for a line.
pub(crate) struct Rooms {
    /// To pass it on.
    pub(crate) on: Room,
    /// To answer it.
    pub(crate) back: Room,
}

/// A request of the agent that has no answer yet.
pub(crate) struct Open {
    pub(crate) id: Id,
    pub(crate) session: String,
    pub(crate) state: State,
}

/// Where a request of the agent stands.
pub(crate) enum State {
    /// It is being decided.
    Deciding(Box<Deciding>),
    /// The client has it, and what its answer means.
    Passed(After),
    /// The client is asked in the agent's own words.
    Dialog { params: Value, back: Room },
}

/// What is being decided.
pub(crate) struct Deciding {
    pub(crate) job: u64,
    pub(crate) gone: oneshot::Sender<()>,
    pub(crate) kind: CheckedRequest,
    pub(crate) params: Value,
    /// The agent's id of the call, of a permission.
    pub(crate) tool_call: Option<String>,
    pub(crate) source: Source,
    pub(crate) call: Arc<Call>,
    pub(crate) back: Room,
    bytes: usize,
}

/// What the client's answer to a request means.
#[derive(Debug)]
pub(crate) enum After {
    /// Nothing.
    Nothing,
    /// A file was written; none where the agent tells the result.
    Written(Option<Source>),
    /// A terminal is open; the same.
    Opened(Option<Source>),
    /// What ran in this terminal has ended.
    Ended(String),
}

/// What is to be reported, one after the other.
struct Job {
    report: Report,
    /// The number of the decision that it wants, and the end of waiting for it.
    call: Option<(u64, oneshot::Receiver<()>)>,
}

/// Everything that is known of what passes.
pub(crate) struct Proxy {
    pub(crate) agent: Agent,
    pub(crate) route: Arc<Route>,
    pub(crate) to_client: Outlet,
    pub(crate) to_agent: Outlet,
    pub(crate) events: mpsc::Sender<Event>,
    jobs: UnboundedSender<Job>,
    worker: JoinHandle<()>,
    next_job: u64,
    pub(crate) sessions: Sessions,
    /// Requests of the agent, by what their ids are known by.
    pub(crate) open: HashMap<String, Open>,
    /// Of the client, with what their answers mean.
    pub(crate) of_client: HashMap<String, crate::from_client::Wants>,
    /// Of ours to the agent: the session and its mode from then on.
    pub(crate) mode_changes: HashMap<String, (String, String)>,
    pub(crate) asking: Asking,
    /// The session in which something happened last.
    pub(crate) last_session: Option<String>,
}

impl Proxy {
    pub(crate) fn new(
        route: Arc<Route>,
        home: Utf8PathBuf,
        (to_client, to_agent): (Outlet, Outlet),
        events: mpsc::Sender<Event>,
        asking: Asking,
    ) -> Self {
        let (jobs, receiver) = unbounded_channel();
        let worker = tokio::spawn(work(Arc::clone(&route), receiver, events.clone()));
        Self {
            agent: route.agent,
            sessions: Sessions::new(route.agent, home),
            route,
            to_client,
            to_agent,
            events,
            jobs,
            worker,
            next_job: 0,
            open: HashMap::new(),
            of_client: HashMap::new(),
            mode_changes: HashMap::new(),
            asking,
            last_session: None,
        }
    }

    /// Takes events until one side says no more.
    pub(crate) async fn run(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
        notices: &mut UnboundedReceiver<Notice>,
    ) -> Ended {
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::FromAgent(line, rooms)) => self.agent_said(line, rooms),
                    Some(Event::FromClient(line, rooms)) => self.client_said(line, rooms),
                    Some(Event::Decided { job, answer }) => self.decided(job, answer),
                    Some(Event::TooSoon { approval, tries }) => self.asked_too_soon(&approval, tries),
                    Some(Event::AgentEnded) | None => return Ended::Agent,
                    Some(Event::ClientEnded) => return Ended::Client,
                },
                Some(notice) = notices.recv() => self.noticed(notice),
            }
        }
    }

    /// Reports something that needs no decision.
    pub(crate) fn note(&mut self, session: &str, what: What) {
        let report = self.report(session, what);
        let _ = self.jobs.send(Job { report, call: None });
    }

    pub(crate) fn report(&mut self, session: &str, what: What) -> Report {
        let plan_mode = self.sessions.plans(session);
        Report {
            session_id: session.to_owned(),
            cwd: self.sessions.get(session).cwd.clone(),
            plan_mode,
            what,
        }
    }

    /// Has a request decided. The parameters are those that are passed on if it
    /// is allowed.
    pub(crate) fn decide(&mut self, request: Wanted) {
        let Wanted {
            id,
            session,
            kind,
            params,
            tool_call,
            report,
            source,
            call,
            back,
            bytes,
        } = request;
        let (count, held) = self.deciding();
        if count >= MOST_DECIDING || held + bytes > MOST_DECIDING_BYTES {
            let why = "Countersign: too many calls are being decided at once; try again";
            self.refuse(&id, kind, &params, why, Some(back));
            return;
        }
        let (gone, receiver) = oneshot::channel();
        self.next_job += 1;
        let job = self.next_job;
        let _ = self.jobs.send(Job {
            report,
            call: Some((job, receiver)),
        });
        let state = State::Deciding(Box::new(Deciding {
            job,
            gone,
            kind,
            params,
            tool_call,
            source,
            call,
            back,
            bytes,
        }));
        self.open
            .insert(id.key.clone(), Open { id, session, state });
    }

    /// Waits until everything is reported. What is still being decided is not
    /// waited for.
    pub(crate) async fn reported(self) {
        let Self { jobs, worker, .. } = self;
        drop(jobs);
        let _ = worker.await;
    }

    fn deciding(&self) -> (usize, usize) {
        self.open
            .values()
            .fold((0, 0), |(count, held), open| match &open.state {
                State::Deciding(deciding) => (count + 1, held + deciding.bytes),
                State::Passed(_) | State::Dialog { .. } => (count, held),
            })
    }

    /// Tells the agent no.
    pub(crate) fn refuse(
        &mut self,
        id: &Id,
        kind: CheckedRequest,
        params: &Value,
        why: &str,
        back: Option<Room>,
    ) {
        let message = match kind {
            CheckedRequest::Permission => replies::result(
                &id.raw,
                &replies::permission(params, Permission::Reject(why)),
            ),
            CheckedRequest::Read | CheckedRequest::Write | CheckedRequest::Terminal => {
                replies::error(Some(&id.raw), Failure::Denied, why)
            }
        };
        self.to_agent.send(&message, back);
    }

    fn decided(&mut self, job: u64, answer: Answer) {
        let key = self.open.iter().find_map(|(key, open)| match &open.state {
            State::Deciding(deciding) if deciding.job == job => Some(key.clone()),
            State::Deciding(_) | State::Passed(_) | State::Dialog { .. } => None,
        });
        // It was cancelled, or is void.
        let Some(open) = key.and_then(|key| self.open.remove(&key)) else {
            return;
        };
        let Open { id, session, state } = open;
        let State::Deciding(deciding) = state else {
            return;
        };
        match (answer, deciding.kind) {
            (Answer::Allow { .. }, CheckedRequest::Permission) => {
                self.permit(&id, &session, *deciding);
            }
            (Answer::NoOpinion, CheckedRequest::Permission) => {
                self.dialog(id, session, *deciding);
            }
            (Answer::Allow { .. }, _) => self.pass_checked(id, session, *deciding),
            (Answer::Block { message } | Answer::Ask { message }, _) => {
                self.blocked(&id, &session, *deciding, &message);
            }
            (Answer::NoOpinion, _) => {
                self.blocked(&id, &session, *deciding, "Countersign: nobody decided");
            }
        }
    }

    fn permit(&mut self, id: &Id, session: &str, deciding: Deciding) {
        let can = replies::can_allow(&deciding.params);
        let result = replies::permission(&deciding.params, Permission::Allow);
        self.to_agent
            .send(&replies::result(&id.raw, &result), Some(deciding.back));
        if let (
            Some(tool_call),
            Source::ToolCall {
                tool_call: answered,
                ..
            },
        ) = (&deciding.tool_call, deciding.source)
        {
            let verdict = if can {
                crate::calls::Verdict::Allowed {
                    answered: Arc::new(answered),
                    call: deciding.call,
                    used: false,
                    since: Instant::now(),
                }
            } else {
                crate::calls::Verdict::Blocked
            };
            self.sessions.get(session).calls.decided(tool_call, verdict);
        }
    }

    fn blocked(&mut self, id: &Id, session: &str, deciding: Deciding, message: &str) {
        self.refuse(
            id,
            deciding.kind,
            &deciding.params,
            message,
            Some(deciding.back),
        );
        if let Some(tool_call) = &deciding.tool_call {
            self.sessions
                .get(session)
                .calls
                .decided(tool_call, crate::calls::Verdict::Blocked);
            self.explain(session, tool_call, message);
        }
    }

    /// Has the client do what was allowed.
    fn pass_checked(&mut self, id: Id, session: String, deciding: Deciding) {
        let Deciding {
            kind,
            params,
            source,
            back,
            ..
        } = deciding;
        self.pass_to_client(id, session, kind, &params, Some(source), back);
    }

    /// Has the client do its part of a call that was allowed before; its result
    /// is the agent's to tell.
    pub(crate) fn pass_allowed(
        &mut self,
        id: Id,
        session: String,
        kind: CheckedRequest,
        params: &Value,
        back: Room,
    ) {
        self.pass_to_client(id, session, kind, params, None, back);
    }

    /// What is passed on is what was read.
    fn pass_to_client(
        &mut self,
        id: Id,
        session: String,
        kind: CheckedRequest,
        params: &Value,
        source: Option<Source>,
        back: Room,
    ) {
        if self.to_client.queued() > MOST_DECIDING_BYTES {
            let why = "Countersign: the client does not read what it is sent";
            self.refuse(&id, kind, params, why, Some(back));
            return;
        }
        let message = replies::call(Some(&id.raw), kind.method(), params);
        self.to_client.send(&message, None);
        let after = match kind {
            CheckedRequest::Write => {
                if let Some(path) = params.get("path").and_then(Value::as_str) {
                    self.sessions.get(&session).calls.writes(path);
                }
                After::Written(source)
            }
            CheckedRequest::Terminal => After::Opened(source),
            CheckedRequest::Read | CheckedRequest::Permission => After::Nothing,
        };
        let state = State::Passed(after);
        self.open
            .insert(id.key.clone(), Open { id, session, state });
    }

    /// Nobody waits for what is being decided in a session any more.
    pub(crate) fn cancel(&mut self, session: &str) {
        let keys: Vec<String> = self
            .open
            .iter()
            .filter(|(_, open)| open.session == session)
            .filter(|(_, open)| !matches!(open.state, State::Passed(_)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.cancel_request(&key);
        }
    }

    /// The same for one request. Whether it was being decided.
    pub(crate) fn cancel_request(&mut self, key: &str) -> bool {
        if self
            .open
            .get(key)
            .is_none_or(|open| matches!(open.state, State::Passed(_)))
        {
            return false;
        }
        let Some(Open { id, session, state }) = self.open.remove(key) else {
            return false;
        };
        let (kind, params, back) = match state {
            State::Deciding(deciding) => {
                // Whoever decides hears of it.
                let _ = deciding.gone.send(());
                if let Some(tool_call) = &deciding.tool_call {
                    let calls = &mut self.sessions.get(&session).calls;
                    calls.decided(tool_call, crate::calls::Verdict::Blocked);
                }
                (deciding.kind, deciding.params, deciding.back)
            }
            State::Dialog { params, back } => {
                self.close_dialog(key);
                (CheckedRequest::Permission, params, back)
            }
            State::Passed(_) => return false,
        };
        let message = match kind {
            CheckedRequest::Permission => replies::result(
                &id.raw,
                &replies::permission(&params, Permission::Cancelled),
            ),
            CheckedRequest::Read | CheckedRequest::Write | CheckedRequest::Terminal => {
                replies::error(Some(&id.raw), Failure::Cancelled, "the turn was cancelled")
            }
        };
        self.to_agent.send(&message, Some(back));
        true
    }

    /// Everything that waits for a decision waits no longer.
    pub(crate) fn cancel_all(&mut self) {
        let keys: Vec<String> = self.open.keys().cloned().collect();
        for key in keys {
            self.cancel_request(&key);
        }
    }

    /// Shows a person why a call does not run: what the agent says of it is its
    /// own.
    pub(crate) fn explain(&mut self, session: &str, tool_call: &str, message: &str) {
        let update = json!({
            "sessionId": session,
            "update": {
                "sessionUpdate": "tool_call_update",
                "toolCallId": tool_call,
                "content": [{
                    "type": "content",
                    "content": { "type": "text", "text": replies::text(message) },
                }],
            },
        });
        let message = replies::call(None, "session/update", &update);
        self.to_client.send_if_read(&message);
    }

    /// Tells the person something in a session.
    pub(crate) fn tell(&mut self, session: &str, text: &str) {
        tracing::warn!("{}", replies::text(text));
        let update = json!({
            "sessionId": session,
            "update": {
                "sessionUpdate": "agent_message_chunk",
                "content": { "type": "text", "text": format!("\n\n{}\n\n", replies::text(text)) },
            },
        });
        let message = replies::call(None, "session/update", &update);
        self.to_client.send_if_read(&message);
    }

    /// Whether there is nothing in a line.
    pub(crate) fn is_blank(line: &[u8]) -> bool {
        line.iter().all(u8::is_ascii_whitespace)
    }

    /// Reads a line; else, why it is passed on to nobody.
    pub(crate) fn read<'l>(from: &str, line: &'l [u8]) -> Result<Message<'l>, String> {
        Message::read(line).map_err(|refusal| {
            let why = format!("Countersign: a line from the {from} is not passed on: {refusal}");
            tracing::warn!("{why}");
            why
        })
    }
}

/// Who said no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Agent,
    Client,
}

/// A request that wants a decision.
pub(crate) struct Wanted {
    pub(crate) id: Id,
    pub(crate) session: String,
    pub(crate) kind: CheckedRequest,
    pub(crate) params: Value,
    pub(crate) tool_call: Option<String>,
    pub(crate) report: Report,
    pub(crate) source: Source,
    pub(crate) call: Arc<Call>,
    pub(crate) back: Room,
    pub(crate) bytes: usize,
}

/// Reports one after the other; what wants a decision does not hold up what
/// comes after it.
async fn work(route: Arc<Route>, mut jobs: UnboundedReceiver<Job>, events: mpsc::Sender<Event>) {
    while let Some(Job { report, call }) = jobs.recv().await {
        let Some((job, gone)) = call else {
            let (keep, gone) = oneshot::channel();
            route.report(report, gone).await;
            // Until here somebody waited for it.
            drop(keep);
            continue;
        };
        let (route, events) = (Arc::clone(&route), events.clone());
        tokio::spawn(async move {
            let decision = tokio::spawn(async move { route.report(report, gone).await });
            let answer = decision.await.unwrap_or_else(|error| Answer::Block {
                message: format!("Countersign: the decision ended with a failure ({error})"),
            });
            // The proxy may have ended.
            let _ = events.send(Event::Decided { job, answer }).await;
        });
    }
}
