//! The one owner of what the language server remembers: events come in in
//! their order, are dealt with one after the other, and nothing here ever
//! waits for the client or for a person.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use countersign_agents::EventKind;
use countersign_core::approval::Answer;
use countersign_core::call::SessionKey;
use countersign_service::{Handled, Notice, Service};
use countersign_settings::EditorLayers;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tower_lsp::jsonrpc::{self, ErrorCode, Result};
use tower_lsp::lsp_types::notification::{DidChangeWatchedFiles, Notification as _};
use tower_lsp::lsp_types::request::{RegisterCapability, ShowMessageRequest};
use tower_lsp::lsp_types::{
    DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, InitializeParams,
    MessageActionItem, MessageType, Registration, RegistrationParams, WorkspaceFolder,
    WorkspaceFoldersChangeEvent,
};

use crate::agent_calls::{self, AgentMessage};
use crate::convert;
use crate::draw;
use crate::outbox::Outbox;
use crate::prompt;
use crate::prompts::{Prompt, Queue, Subject, Ticket};
use crate::protocol::{ApprovalResolvedParams, CancelToolCallParams, SessionName};
use crate::shared::Shared;
use crate::transport::{Requests, watch_parent};

/// Calls of agents inside the editor that are under way, at most.
const MOST_CALLS: usize = 256;

/// What the actor hears.
pub(crate) enum Event {
    /// The client began.
    Begin(Box<InitializeParams>),
    /// The client is ready to be told things.
    Initialized,
    /// The client ends; say so when everybody who waits was told.
    Shutdown(oneshot::Sender<()>),
    /// The editor's settings are these.
    Configuration(Value),
    /// Folders were opened and closed.
    Folders(Box<WorkspaceFoldersChangeEvent>),
    /// A settings file may have changed.
    Settings,
    /// An agent inside the editor does something.
    Agent(Box<AgentMessage>),
    /// It gave a call up.
    Cancel(CancelToolCallParams),
    /// One of its calls is over.
    CallOver(CallName),
    /// A person runs a command.
    Command {
        name: String,
        arguments: Vec<Value>,
        answer: oneshot::Sender<Result<Option<Value>>>,
    },
    /// A prompt of ours was answered, or cannot be.
    Prompted {
        ticket: Ticket,
        subject: Subject,
        prompt: Prompt,
        answer: std::result::Result<Option<MessageActionItem>, jsonrpc::Error>,
        /// How long after the prompt was sent.
        after: Duration,
    },
    /// A document was shown to the person, or could not be.
    Shown { subject: Subject, shown: bool },
    /// A person should be asked this.
    Offer(Subject),
    /// The service has something to tell.
    Notice(Notice),
    /// Something of these sessions changed, or of the status.
    Changed(HashSet<SessionKey>),
}

/// A call of an agent inside the editor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CallName {
    pub(crate) session: SessionName,
    pub(crate) call: String,
}

/// What the actor remembers.
pub(crate) struct Actor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(crate) requests: Requests,
    pub(crate) outbox: Outbox,
    pub(crate) queue: Queue,
    /// What the person was asked about once and is not asked again by itself.
    pub(crate) offered: HashSet<String>,
    folders: Vec<Utf8PathBuf>,
    layers: EditorLayers,
    calls: HashMap<CallName, oneshot::Sender<()>>,
    agents: mpsc::UnboundedSender<(AgentMessage, Option<oneshot::Receiver<()>>)>,
    /// Redraws diagnostics and status.
    redraw: watch::Sender<u64>,
    parent_gone: Arc<Notify>,
    settled: bool,
}

impl Actor {
    pub(crate) fn new(
        shared: Arc<Shared>,
        events: mpsc::UnboundedSender<Event>,
        requests: Requests,
        outbox: Outbox,
        redraw: watch::Sender<u64>,
        parent_gone: Arc<Notify>,
    ) -> Self {
        let (agents, messages) = mpsc::unbounded_channel();
        tokio::spawn(decide_in_order(
            Arc::clone(&shared),
            outbox.clone(),
            events.clone(),
            messages,
        ));
        Self {
            shared,
            events,
            requests,
            outbox,
            queue: Queue::default(),
            offered: HashSet::new(),
            folders: Vec::new(),
            layers: EditorLayers::default(),
            calls: HashMap::new(),
            agents,
            redraw,
            parent_gone,
            settled: false,
        }
    }

    /// Deals with events until nobody sends any more.
    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = inbox.recv().await {
            self.handle(event).await;
            self.show_next_prompt();
        }
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.shared.service
    }

    pub(crate) fn draw_anew(&self) {
        if !self.settled {
            return;
        }
        self.redraw
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Begin(params) => self.begin(&params),
            Event::Initialized => self.initialized(),
            Event::Shutdown(done) => {
                self.service().disconnect().await;
                let _ = done.send(());
            }
            Event::Configuration(settings) => {
                self.configure(&settings);
                self.set_editor();
            }
            Event::Folders(change) => {
                let removed: Vec<_> = change.removed.iter().filter_map(folder).collect();
                self.folders.retain(|known| !removed.contains(known));
                self.folders.extend(change.added.iter().filter_map(folder));
                self.set_editor();
            }
            Event::Settings => self.draw_anew(),
            Event::Agent(message) => self.agent(*message),
            Event::Cancel(params) => {
                let name = CallName {
                    session: params.name,
                    call: params.call_id,
                };
                if let Some(gone) = self.calls.remove(&name) {
                    let _ = gone.send(());
                }
            }
            Event::CallOver(name) => {
                self.calls.remove(&name);
            }
            Event::Command {
                name,
                arguments,
                answer,
            } => self.command(&name, &arguments, answer),
            Event::Prompted {
                ticket,
                subject,
                prompt,
                answer,
                after,
            } => self.prompted(ticket, subject, &prompt, answer, after),
            Event::Offer(subject) => self.queue.push(subject),
            Event::Shown { subject, shown } => self.shown(subject, shown),
            Event::Notice(notice) => self.notice(notice),
            Event::Changed(sessions) => {
                self.shared.changed(sessions);
                self.offer_trust_and_consent();
                self.draw_anew();
            }
        }
    }

    fn begin(&mut self, params: &InitializeParams) {
        #[allow(deprecated, reason = "clients that know nothing newer")]
        let root = params.root_uri.as_ref().and_then(draw::uri::to_path);
        self.folders = match &params.workspace_folders {
            Some(folders) if !folders.is_empty() => folders.iter().filter_map(folder).collect(),
            Some(_) | None => root.into_iter().collect(),
        };
        if let Some(parent) = params.process_id {
            let gone = self.parent_gone.clone();
            tokio::spawn(async move {
                watch_parent(parent).await;
                gone.notify_one();
            });
        }
        if let Some(options) = &params.initialization_options {
            self.configure(options);
        }
        let declared = self.shared.client();
        let declared = declared.extension.as_ref();
        if let Some(trusted) = declared.and_then(|extension| extension.trusted) {
            self.layers.trusted = Some(trusted);
        }
        self.set_editor();
    }

    fn initialized(&mut self) {
        let client = self.shared.client();
        let (sender, mut notices) = mpsc::unbounded_channel();
        let can_ask = client.draws_approvals() || client.prompts;
        self.service().connect(client.surface(), can_ask, sender);
        let events = self.events.clone();
        tokio::spawn(async move {
            while let Some(notice) = notices.recv().await {
                if events.send(Event::Notice(notice)).is_err() {
                    return;
                }
            }
        });
        self.settled = true;
        if client.watches_files {
            self.watch_settings();
        }
        if let Some(refusal) = self.service().refusal() {
            self.outbox.message(
                MessageType::ERROR,
                format!("Countersign does not guard from this editor: {refusal}"),
            );
        }
        self.draw_anew();
    }

    /// Has the editor tell when a workspace's settings change; without, they
    /// are looked at now and then.
    fn watch_settings(&self) {
        let watcher = FileSystemWatcher {
            glob_pattern: GlobPattern::String("**/.countersign/settings.json".to_owned()),
            kind: None,
        };
        let options = DidChangeWatchedFilesRegistrationOptions {
            watchers: vec![watcher],
        };
        let registered = self
            .requests
            .send::<RegisterCapability>(RegistrationParams {
                registrations: vec![Registration {
                    id: "countersign-settings".to_owned(),
                    method: DidChangeWatchedFiles::METHOD.to_owned(),
                    register_options: serde_json::to_value(options).ok(),
                }],
            });
        // Whether it does or not: they are looked at all the same.
        drop(registered);
    }

    /// What the editor says of its settings: `{ "user": …, "workspace": … }`
    /// from a client of ours, anything else is of the workspace, because
    /// nobody can tell who wrote it.
    fn configure(&mut self, settings: &Value) {
        let settings = settings.get("countersign").unwrap_or(settings);
        let is_object = |value: &&Value| value.as_object().is_some_and(|all| !all.is_empty());
        if self.shared.client().draws_approvals() {
            self.layers.user = settings.get("user").filter(is_object).cloned();
            self.layers.workspace = settings.get("workspace").filter(is_object).cloned();
            if let Some(trusted) = settings.get("trusted").and_then(Value::as_bool) {
                self.layers.trusted = Some(trusted);
            }
        } else {
            self.layers.workspace = Some(settings).filter(is_object).cloned();
        }
    }

    fn set_editor(&self) {
        self.service()
            .set_editor(&self.folders, self.layers.clone());
        self.draw_anew();
    }

    fn agent(&mut self, message: AgentMessage) {
        self.service().is_used();
        let gone = if let AgentMessage::Call(params) = &message {
            let name = CallName {
                session: params.name.clone(),
                call: params.call_id.clone(),
            };
            if self.calls.len() >= MOST_CALLS {
                let decision = agent_calls::refusal(format!(
                    "more than {MOST_CALLS} calls are under way; wait for some of them"
                ));
                self.outbox.decision(agent_calls::decision(
                    params.name.clone(),
                    params.call_id.clone(),
                    &Handled::Failed(decision),
                ));
                return;
            }
            let (gone, receiver) = oneshot::channel();
            self.calls.insert(name, gone);
            Some(receiver)
        } else {
            None
        };
        let _ = self.agents.send((message, gone));
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Asked(pending) => {
                if self.shared.client().draws_approvals() {
                    self.outbox.asked(convert::approval(&pending, false));
                    self.service().shown(&pending.id);
                } else {
                    self.queue.push(Subject::Approval(pending.id.clone()));
                }
            }
            Notice::Resolved {
                id,
                key,
                answer,
                decision,
            } => {
                self.queue.over(&id);
                if self.shared.client().draws_approvals() {
                    self.outbox.resolved(ApprovalResolvedParams {
                        id,
                        name: convert::session_name(&key),
                        answer: answer.as_ref().map_or("void", Answer::as_str).to_owned(),
                        decision: decision.map(|decision| decision.verb().to_owned()),
                    });
                }
            }
            Notice::Tell(text) => self.outbox.message(MessageType::WARNING, text),
        }
        self.draw_anew();
    }

    fn show_next_prompt(&mut self) {
        if !self.settled || !self.service().can_ask() {
            return;
        }
        while let Some((ticket, subject)) = self.queue.next() {
            if self.send_prompt(ticket, &subject) {
                return;
            }
            // There is nothing to ask any more.
            self.queue.answered(ticket);
        }
    }

    /// Shows a prompt now, because a person asked for it.
    pub(crate) fn prompt_now(&mut self, subject: Subject) -> bool {
        let (ticket, subject) = self.queue.show_now(subject);
        let is_sent = self.send_prompt(ticket, &subject);
        if !is_sent {
            self.queue.answered(ticket);
        }
        is_sent
    }

    fn send_prompt(&self, ticket: Ticket, subject: &Subject) -> bool {
        let Some(prompt) = prompt::of(self.service(), subject) else {
            return false;
        };
        let client = self.shared.client();
        let answered = self
            .requests
            .send::<ShowMessageRequest>(prompt.params(client.prompt_type()));
        if let Some(id) = subject.approval() {
            self.service().shown(id);
        }
        let sent = Instant::now();
        let events = self.events.clone();
        let subject = subject.clone();
        tokio::spawn(async move {
            let answer = answered.await.unwrap_or_else(|_| {
                Err(jsonrpc::Error {
                    code: ErrorCode::InternalError,
                    message: "the connection to the editor has ended".into(),
                    data: None,
                })
            });
            let _ = events.send(Event::Prompted {
                ticket,
                subject,
                prompt,
                answer,
                after: sent.elapsed(),
            });
        });
        true
    }
}

fn folder(folder: &WorkspaceFolder) -> Option<Utf8PathBuf> {
    draw::uri::to_path(&folder.uri)
}

/// Decides the calls of agents inside the editor, each before the next is
/// looked at; who must wait for a person does so beside.
async fn decide_in_order(
    shared: Arc<Shared>,
    outbox: Outbox,
    events: mpsc::UnboundedSender<Event>,
    mut messages: mpsc::UnboundedReceiver<(AgentMessage, Option<oneshot::Receiver<()>>)>,
) {
    while let Some((message, gone)) = messages.recv().await {
        let name = match &message {
            AgentMessage::Call(params) => Some((params.name.clone(), params.call_id.clone())),
            AgentMessage::Result(_)
            | AgentMessage::UserMessage(_)
            | AgentMessage::SessionStart(_)
            | AgentMessage::SessionEnd(_) => None,
        };
        let service = &shared.service;
        let incoming = match message.incoming(service.server().process.clone()) {
            Ok(incoming) => incoming,
            Err(problem) => {
                tracing::warn!("an agent's message is not understood: {problem}");
                if let Some((name, call_id)) = name {
                    let over = CallName {
                        session: name.clone(),
                        call: call_id.clone(),
                    };
                    let handled = Handled::Failed(agent_calls::refusal(problem));
                    outbox.decision(agent_calls::decision(name, call_id, &handled));
                    let _ = events.send(Event::CallOver(over));
                }
                continue;
            }
        };
        let is_call = matches!(incoming.event.kind, EventKind::Call { .. });
        let begun = service.begin(incoming).await;
        let (Some((name, call_id)), true) = (name, is_call) else {
            continue;
        };
        let (service, outbox, events) = (Arc::clone(service), outbox.clone(), events.clone());
        tokio::spawn(async move {
            let gone = Box::pin(async move {
                let cancelled = match gone {
                    Some(gone) => gone.await.is_ok(),
                    None => false,
                };
                if !cancelled {
                    std::future::pending::<()>().await;
                }
            });
            let handled = service.finish(begun, gone).await;
            let over = CallName {
                session: name.clone(),
                call: call_id.clone(),
            };
            outbox.decision(agent_calls::decision(name, call_id, &handled));
            let _ = events.send(Event::CallOver(over));
        });
    }
}
