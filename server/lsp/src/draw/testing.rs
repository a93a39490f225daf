//! What the tests of drawing draw: real approvals, stories and rules, made by a
//! real service that handles real calls in a folder of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::{CallStage, EventKind, HookEvent};
use countersign_core::agent::Agent;
use countersign_core::call::{
    Access, Call, Change, CommandText, Operation, PathUse, SessionKey, ShellDialect, Subject,
};
use countersign_core::decision::{Decision, DeniedReason};
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::state::ProcessId;
use countersign_core::tool::Tool;
use countersign_engine::clock::SystemClock;
use countersign_engine::request::ServerId;
use countersign_service::{
    CallStory, Incoming, Notice, Origin, Parts, PendingApproval, Service, SessionView, SurfaceKind,
};
use countersign_settings::{EditorLayers, Places};
use countersign_store::{Filter, JournalRow, Store};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tower_lsp::lsp_types::{Position, Range};

use crate::client::ClientCapabilities;
use crate::draw::files::Files;
use crate::protocol::ClientExtension;
use crate::snapshot::Snapshot;

/// A workspace, settings and a service over them.
pub(super) struct Stage {
    pub(super) service: Arc<Service>,
    pub(super) workspace: Utf8PathBuf,
    pub(super) user_file: Utf8PathBuf,
    notices: UnboundedReceiver<Notice>,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// With settings of the user.
    pub(super) fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = Utf8Path::from_path(folder.path())
            .unwrap()
            .canonicalize_utf8()
            .unwrap();
        let workspace = base.join("w");
        std::fs::create_dir_all(workspace.join(".git")).unwrap();
        let home = base.join("home");
        let places = Places {
            system: base.join("etc/settings.json"),
            config_dir: home.join("config"),
            state_dir: home.join("state"),
            runtime_dir: home.join("run"),
            home: home.clone(),
            relocated: true,
        };
        std::fs::create_dir_all(&places.config_dir).unwrap();
        let user_file = places.user_file();
        std::fs::write(&user_file, settings).unwrap();
        let store = Arc::new(Store::open(&places.state_dir).unwrap());
        let service = Service::new(Parts {
            engine: countersign_guard::engine(store.clone(), Vec::new()),
            journal: store.clone(),
            store,
            places,
            clock: Arc::new(SystemClock),
            classifier: None,
            server: ServerId {
                key: "server".to_owned(),
                process: ProcessId {
                    pid: 1,
                    start: 1,
                    boot: "boot".to_owned(),
                },
            },
            mode: None,
            refusal: None,
        });
        let (sender, notices) = unbounded_channel();
        service.connect(SurfaceKind::StandardPrompt, true, sender);
        service.set_editor(std::slice::from_ref(&workspace), EditorLayers::default());
        Self {
            service,
            workspace,
            user_file,
            notices,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            _folder: folder,
        }
    }

    pub(super) fn new() -> Self {
        Self::with("{}")
    }

    /// Makes a call and waits until a person is asked about it.
    pub(super) fn ask(&mut self, call: Call) -> Arc<PendingApproval> {
        let service = Arc::clone(&self.service);
        let incoming = incoming(call);
        let notices = &mut self.notices;
        self.runtime.block_on(async {
            tokio::spawn(async move {
                service
                    .handle(incoming, Box::pin(std::future::pending()))
                    .await
            });
            let asked = async {
                loop {
                    if let Notice::Asked(approval) = notices.recv().await.unwrap() {
                        return approval;
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(60), asked)
                .await
                .expect("nobody was asked about the call")
        })
    }

    /// Makes a call that needs no person.
    pub(super) fn decide(&mut self, call: Call) {
        let service = Arc::clone(&self.service);
        let incoming = incoming(call);
        let notices = &mut self.notices;
        self.runtime.block_on(async {
            let asked = async {
                loop {
                    if let Notice::Asked(approval) = notices.recv().await.unwrap() {
                        return approval;
                    }
                }
            };
            tokio::select! {
                _ = service.handle(incoming, Box::pin(std::future::pending())) => {}
                approval = asked => panic!("a person is asked: {approval:?}"),
            }
        });
    }

    /// A command of session `s`.
    pub(super) fn command(&self, text: &str) -> Call {
        self.call(
            Tool::RunShellCommand,
            Subject::Command(CommandText {
                text: text.to_owned(),
                dialect: ShellDialect::Bash,
            }),
            json!({ "command": text }),
        )
    }

    /// An edit of a file of the workspace.
    pub(super) fn edit(&self, file: &str, old: &str, new: &str) -> Call {
        let path = self.workspace.join(file).to_string();
        let subject = Subject::Paths(vec![PathUse {
            path: path.clone(),
            access: Access::Write,
            change: Some(Change {
                old: old.to_owned(),
                new: new.to_owned(),
            }),
        }]);
        let tool = if old.is_empty() {
            Tool::WriteFile
        } else {
            Tool::Edit
        };
        self.call(tool, subject, json!({ "file_path": path }))
    }

    pub(super) fn call(&self, tool: Tool, subject: Subject, input: Value) -> Call {
        Call {
            key: session(),
            id: None,
            raw_tool: tool.to_string(),
            operations: vec![Operation {
                parameters: input
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter_map(|(name, value)| match value {
                        Value::String(text) => Some((name.clone(), text.clone())),
                        Value::Bool(_) | Value::Number(_) => {
                            Some((name.clone(), value.to_string()))
                        }
                        Value::Null | Value::Array(_) | Value::Object(_) => None,
                    })
                    .collect(),
                tool,
                subject,
            }],
            raw_input: input,
            cwd: self.workspace.clone(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
        }
    }

    /// Runs something to its end.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn write(&self, file: &str, text: &str) -> Utf8PathBuf {
        let path = self.workspace.join(file);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.service)
    }

    pub(super) fn rows(&self) -> Vec<JournalRow> {
        self.service.journal().rows(&Filter::default()).unwrap()
    }
}

fn incoming(call: Call) -> Incoming {
    Incoming {
        event: HookEvent {
            key: call.key.clone(),
            cwd: call.cwd.clone(),
            kind: EventKind::Call {
                stage: CallStage::PreTool,
                call,
            },
            transcript_path: None,
        },
        process: None,
        deadline: Instant::now() + Duration::from_secs(600),
        tighten: None,
        origin: Origin::Editor,
        trace: None,
        started: Instant::now(),
    }
}

/// The session of every call here.
pub(super) fn session() -> SessionKey {
    SessionKey {
        agent: Agent::ClaudeCode,
        session: "s/1%".to_owned(),
        subagent: None,
    }
}

/// A story that was told of a call that is not kept.
pub(super) fn story(id: &str, subject: &str, decision: Decision) -> CallStory {
    CallStory {
        id: id.to_owned(),
        key: session(),
        time: 1_000,
        tool: "run_shell_command".to_owned(),
        subject: subject.to_owned(),
        mode: ApprovalMode::Auto,
        decision,
        asked: None,
        answer: None,
        counters: Counters::default(),
        model: None,
        call: None,
        elsewhere: false,
    }
}

/// What the classifier's no is.
pub(super) fn denied() -> Decision {
    Decision::Denied {
        reason: DeniedReason::ClassifierBlocked,
        detail: "sends secrets away".to_owned(),
    }
}

/// The session, with these counters.
pub(super) fn view(counters: Counters) -> SessionView {
    SessionView {
        key: session(),
        mode: ApprovalMode::Auto,
        counters,
        limits: DenialLimits::default(),
        workspace: None,
        started: 1_000,
        seen: 61_000,
        ended: false,
        paused: false,
        set_aside: Vec::new(),
        elsewhere: false,
    }
}

/// A snapshot of stories, all of them news.
pub(super) fn snapshot_of(stories: Vec<CallStory>) -> Snapshot {
    let stories: Vec<Arc<CallStory>> = stories.into_iter().map(Arc::new).collect();
    Snapshot {
        attention: stories
            .iter()
            .filter(|story| matches!(story.decision.verb(), "block"))
            .cloned()
            .collect(),
        sessions: vec![view(Counters::default())],
        stories: BTreeMap::from([(session(), stories)]),
        user_file: "/home/u/.config/countersign/settings.json".into(),
        now: 61_000,
        ..Snapshot::default()
    }
}

/// A client with nothing of ours that shows no documents.
pub(super) fn plain() -> ClientCapabilities {
    ClientCapabilities {
        name: "Helix".to_owned(),
        ..ClientCapabilities::default()
    }
}

/// A client of ours that shows documents.
pub(super) fn ours() -> ClientCapabilities {
    ClientCapabilities {
        extension: Some(ClientExtension {
            documents: true,
            ..ClientExtension::default()
        }),
        ..ClientCapabilities::default()
    }
}

/// Files that are only here.
pub(super) fn files(known: &[(&Utf8Path, &str)]) -> Files {
    let known: HashMap<Utf8PathBuf, String> = known
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    Files::from(Box::new(move |path| known.get(path).cloned()))
}

pub(super) fn range(start: (u32, u32), end: (u32, u32)) -> Range {
    Range::new(Position::new(start.0, start.1), Position::new(end.0, end.1))
}
