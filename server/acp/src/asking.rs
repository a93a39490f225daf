//! Asking the person before the client: the client is a surface of the guard
//! in this process, for want of an editor's.
//!
//! Every question has an id of its own that nobody can guess, so that a late
//! answer is one to nothing, and the agent can answer nothing.

use std::collections::HashMap;
use std::sync::Arc;

use countersign_core::approval::AnswerSource;
use countersign_core::call::{Access, Subject};
use countersign_core::redact;
use countersign_service::{Choice, Notice, PendingApproval, Service};
use serde_json::{Value, json};

use crate::message::Id;
use crate::proxy::{Deciding, Event, Open, Proxy, State};
use crate::replies::{self, Chosen, Permission};

/// How often the client is asked anew after an answer that came too soon.
const MOST_TRIES: u32 = 3;

/// What is asked of the client.
pub(crate) struct Asking {
    prefix: String,
    count: u64,
    /// By the id of the question.
    questions: HashMap<String, Question>,
}

enum Question {
    /// The guard asks.
    Approval {
        approval: Arc<PendingApproval>,
        params: Value,
        tries: u32,
    },
    /// The agent asks in its own words; the key of its request.
    Dialog { request: String },
}

impl Asking {
    /// None where the system gives no randomness.
    pub(crate) fn new() -> Option<Self> {
        let mut bytes = [0_u8; 12];
        getrandom::fill(&mut bytes).ok()?;
        let prefix: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self {
            prefix: format!("countersign-{prefix}"),
            count: 0,
            questions: HashMap::new(),
        })
    }

    /// An id that nobody else uses.
    pub(crate) fn next_id(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.prefix, self.count)
    }

    /// Whether an id is one of ours.
    pub(crate) fn is_own(&self, key: &str) -> bool {
        key.starts_with(&self.prefix)
    }
}

impl Proxy {
    /// The guard asks, or does not any more.
    pub(crate) fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::Asked(approval) => self.ask(approval, 0),
            Notice::Resolved { id, .. } => self.close(|question| {
                matches!(question, Question::Approval { approval, .. } if approval.id == id)
            }),
            Notice::Tell(text) => match self.last_session.clone() {
                Some(session) => self.tell(&session, &text),
                None => tracing::warn!("{}", replies::text(&text)),
            },
        }
    }

    fn ask(&mut self, approval: Arc<PendingApproval>, tries: u32) {
        let session = approval.key.session.clone();
        if !self.sessions.is_known(&session) {
            // The client cannot show what it does not know.
            let service = Arc::clone(&self.route.service);
            tokio::spawn(async move {
                answer(&service, &approval, Choice::Dismiss).await;
            });
            return;
        }
        let params = match self.original(&approval) {
            Some(params) => with_truth(params, &approval),
            None => own_request(&approval),
        };
        let id = Id::own(&self.asking.next_id());
        let message = replies::call(Some(&id.raw), "session/request_permission", &params);
        self.to_client.send(&message, None);
        self.route.service.shown(&approval.id);
        let question = Question::Approval {
            approval,
            params,
            tries,
        };
        self.asking.questions.insert(id.key, question);
    }

    /// What the agent itself asked, if this is about that.
    fn original(&self, approval: &PendingApproval) -> Option<Value> {
        let digest = approval.call.digest();
        self.open.values().find_map(|open| match &open.state {
            State::Deciding(deciding)
                if deciding.tool_call.is_some()
                    && open.session == approval.key.session
                    && deciding.tool_call == approval.call.id
                    && deciding.call.digest() == digest =>
            {
                Some(deciding.params.clone())
            }
            State::Deciding(_) | State::Passed(_) | State::Dialog { .. } => None,
        })
    }

    /// The answer came before anybody can have read the question.
    pub(crate) fn asked_too_soon(&mut self, approval: &str, tries: u32) {
        let service = Arc::clone(&self.route.service);
        let Some(approval) = service.pending_of(approval) else {
            return;
        };
        if tries < MOST_TRIES {
            self.ask(approval, tries + 1);
            return;
        }
        let why = "the client said yes before anybody can have read the question: turn its \
                   automatic approvals off";
        tokio::spawn(async move {
            let choice = Choice::Deny {
                message: Some(why.to_owned()),
            };
            answer(&service, &approval, choice).await;
        });
    }

    /// Passes the agent's own dialog on to the person.
    pub(crate) fn dialog(&mut self, id: Id, session: String, deciding: Deciding) {
        let question = Id::own(&self.asking.next_id());
        let params = deciding.params;
        let message = replies::call(Some(&question.raw), "session/request_permission", &params);
        self.to_client.send(&message, None);
        let request = id.key.clone();
        self.asking
            .questions
            .insert(question.key, Question::Dialog { request });
        let state = State::Dialog {
            params,
            back: deciding.back,
        };
        self.open
            .insert(id.key.clone(), Open { id, session, state });
    }

    /// The agent waits for its dialog no more.
    pub(crate) fn close_dialog(&mut self, of: &str) {
        self.close(|question| matches!(question, Question::Dialog { request } if request == of));
    }

    /// Takes questions back from the client.
    fn close(&mut self, is_it: impl Fn(&Question) -> bool) {
        let ids: Vec<String> = self
            .asking
            .questions
            .iter()
            .filter(|(_, question)| is_it(question))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.asking.questions.remove(&id);
            let params = json!({ "requestId": id });
            let message = replies::call(None, "$/cancel_request", &params);
            self.to_client.send_if_read(&message);
        }
    }

    /// The client answers a question of ours. An error is no answer.
    pub(crate) fn answered(&mut self, key: &str, result: &Value) {
        match self.asking.questions.remove(key) {
            None => tracing::warn!("the client answers a question that is over"),
            Some(Question::Dialog { request }) => self.dialog_answered(&request, result),
            Some(Question::Approval {
                approval,
                params,
                tries,
            }) => {
                let choice = match replies::chosen(&params, result) {
                    Chosen::Yes => Choice::Approve,
                    Chosen::No => Choice::Deny { message: None },
                    Chosen::Nothing => Choice::Dismiss,
                };
                let (service, events) = (Arc::clone(&self.route.service), self.events.clone());
                tokio::spawn(async move {
                    if answer(&service, &approval, choice).await {
                        return;
                    }
                    let approval = approval.id.clone();
                    // The proxy may have ended.
                    let _ = events.send(Event::TooSoon { approval, tries }).await;
                });
            }
        }
    }

    /// The person's own answer to the agent's own dialog, but never for always.
    fn dialog_answered(&mut self, request: &str, result: &Value) {
        let Some(open) = self.open.remove(request) else {
            return;
        };
        let State::Dialog { params, back } = open.state else {
            return;
        };
        let permission = match replies::chosen(&params, result) {
            Chosen::Yes => Permission::Allow,
            Chosen::No => Permission::Reject("the user said no"),
            Chosen::Nothing => Permission::Cancelled,
        };
        let result = replies::permission(&params, permission);
        self.to_agent
            .send(&replies::result(&open.id.raw, &result), Some(back));
    }
}

/// Gives a person's answer; whether it was taken, or came to nothing for good.
async fn answer(service: &Arc<Service>, approval: &PendingApproval, choice: Choice) -> bool {
    let nonce = approval.nonce.reveal().to_owned();
    let given = service
        .answer(&approval.id, Some(&nonce), choice, AnswerSource::Acp)
        .await;
    match given {
        Ok(_) => true,
        Err(countersign_service::AnswerError::TooSoon(_)) => false,
        Err(error) => {
            tracing::warn!("an answer of the client is not taken: {error}");
            true
        }
    }
}

/// The agent's own request; where it does not say everything that would run,
/// with that.
fn with_truth(mut params: Value, approval: &PendingApproval) -> Value {
    let title = params
        .pointer("/toolCall/title")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let commands = approval.call.operations.iter().map(|operation| {
        matches!(&operation.subject, Subject::Command(command)
            if title.contains(&command.text) && redact::visible(&command.text) == command.text)
    });
    if commands.clone().count() == 1 && commands.into_iter().all(|shown| shown) {
        return params;
    }
    let content = params
        .pointer("/toolCall/content")
        .and_then(Value::as_array);
    let mut content = content.cloned().unwrap_or_default();
    content.push(block(&described(approval)));
    if let Some(tool_call) = params.get_mut("toolCall").and_then(Value::as_object_mut) {
        tool_call.insert("content".to_owned(), Value::Array(content));
    }
    params
}

/// A request of ours, for what the agent did not ask permission for.
fn own_request(approval: &PendingApproval) -> Value {
    let text = described(approval);
    let first = text.lines().next().unwrap_or_default();
    json!({
        "sessionId": approval.key.session,
        "options": replies::own_options(),
        "toolCall": {
            "toolCallId": approval.call.id.clone().unwrap_or_else(|| approval.id.clone()),
            "title": first,
            "kind": kind(approval),
            "status": "pending",
            "rawInput": approval.call.raw_input,
            "content": [block(&text)],
        },
    })
}

fn block(text: &str) -> Value {
    json!({ "type": "content", "content": { "type": "text", "text": text } })
}

fn kind(approval: &PendingApproval) -> &'static str {
    match approval.call.operations.first().map(|one| &one.subject) {
        Some(Subject::Command(_)) => "execute",
        Some(Subject::Paths(paths)) => match paths.iter().map(|path| path.access).max() {
            Some(Access::Write) => "edit",
            Some(Access::Delete) => "delete",
            Some(Access::Read | Access::ReadTree | Access::List) | None => "read",
        },
        Some(Subject::Urls(_)) => "fetch",
        Some(Subject::Delegate { .. } | Subject::Other) | None => "other",
    }
}

/// What would happen and why a person is asked, whole, with everything visible.
fn described(approval: &PendingApproval) -> String {
    let mut lines: Vec<String> = Vec::new();
    for operation in &approval.call.operations {
        match &operation.subject {
            Subject::Command(command) => lines.push(format!("run: {}", command.text)),
            Subject::Paths(paths) => {
                for path in paths {
                    let verb = match path.access {
                        Access::Read | Access::ReadTree => "read",
                        Access::List => "list",
                        Access::Write => "write",
                        Access::Delete => "delete",
                    };
                    lines.push(format!("{verb}: {}", path.path));
                    if let Some(change) = &path.change {
                        if !change.old.is_empty() {
                            lines.push(format!("replacing:\n{}", change.old));
                        }
                        lines.push(format!("with:\n{}", change.new));
                    }
                }
            }
            Subject::Urls(urls) => lines.extend(urls.iter().map(|url| format!("fetch: {url}"))),
            Subject::Delegate { prompt, .. } => lines.push(format!("start an agent: {prompt}")),
            Subject::Other => lines.push(format!(
                "{}: {}",
                approval.call.raw_tool, approval.call.raw_input
            )),
        }
    }
    lines.push(format!("in: {}", approval.call.cwd));
    lines.push(format!("Countersign asks: {}", approval.detail));
    lines.extend(approval.effects.iter().map(|effect| format!("- {effect}")));
    if approval.asked_before > 0 {
        lines.push(format!("asked before: {}", approval.asked_before));
    }
    let text = lines.join("\n");
    let visible: Vec<String> = text.split('\n').map(redact::visible).collect();
    visible.join("\n")
}
