//! A person's home, workspace and editor, and agents whose hooks ask the
//! service that the editor runs.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::state::{ModelRecord, ProcessId, Record, RecordKind};
use countersign_engine::clock::SystemClock;
use countersign_engine::nesting::{Above, AgentAbove};
use countersign_engine::observer::DenialLogger;
use countersign_engine::request::ServerId;
use countersign_engine::{Engine, Ids, Processes};
use countersign_ipc::instance::ServerInstance;
use countersign_service::{Classifier, Handled, Incoming, Origin, Parts, Question, Service};
use countersign_settings::{Places, TrustStore};
use countersign_store::{Filter, GroupedStore};
use countersign_test_support::lsp::{Behaviour, Editor};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};

use super::hook::Hook;
use super::screen::Screen;

/// How long a test waits for what it expects.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the world is like before anybody does anything.
pub(crate) struct Setup {
    /// The user's settings file.
    pub(crate) user: Option<String>,
    /// The workspace's settings file.
    pub(crate) workspace: Option<String>,
    /// Whether the workspace is trusted.
    pub(crate) trusted: bool,
    /// What the classifier answers, one call after the other; then it blocks.
    pub(crate) verdicts: Option<Vec<Verdict>>,
    /// Whether the classifier has nothing to say at all, and thinks for ever.
    pub(crate) thinks: bool,
    /// What happens while the classifier thinks.
    pub(crate) meanwhile: Option<Meanwhile>,
    /// Why the server must not act, if so.
    pub(crate) refusal: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            user: None,
            workspace: None,
            trusted: true,
            verdicts: None,
            thinks: false,
            meanwhile: None,
            refusal: None,
        }
    }
}

impl Setup {
    /// In auto mode, with what else stands in the user's settings.
    pub(crate) fn auto(permissions: Value) -> Self {
        let user = json!({ "ui": { "autoModeAcknowledged": true }, "permissions": permissions });
        Self {
            user: Some(user.to_string()),
            ..Self::default()
        }
    }

    /// In auto mode, with a classifier that answers so.
    pub(crate) fn judged(verdicts: Vec<Verdict>) -> Self {
        Self {
            verdicts: Some(verdicts),
            ..Self::auto(json!({}))
        }
    }
}

/// A classifier's block.
pub(crate) fn block() -> Verdict {
    Verdict::Block {
        reason: "sends the code away".to_owned(),
    }
}

/// A classifier that gives no answer.
pub(crate) const fn unavailable() -> Verdict {
    Verdict::Unavailable(UnavailableReason::Transport)
}

/// Processes as they are, but for who started whom: the tests may themselves
/// run below an agent.
#[derive(Default)]
struct Started(Mutex<HashMap<ProcessId, ProcessId>>);

impl Processes for Started {
    fn alive(&self, process: &ProcessId) -> bool {
        self.0.lock().unwrap().contains_key(process) || countersign_ipc::alive(process)
    }

    fn above(&self, process: &ProcessId) -> Above {
        let started = self.0.lock().unwrap();
        let above = started.get(process).map(|process| AgentAbove {
            process: process.clone(),
            may_be_launcher: false,
        });
        Above {
            agents: above.into_iter().collect(),
            is_whole: true,
        }
    }
}

/// Ids that no other test and no server before this one has.
struct NewIds;

impl Ids for NewIds {
    fn next(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{number:016x}", std::process::id())
    }
}

struct Scripted {
    verdicts: Mutex<VecDeque<Verdict>>,
    thinks: bool,
    heard: Arc<Heard>,
}

/// What the classifier was asked, and whether it may answer.
#[derive(Default)]
struct Heard {
    questions: Mutex<Vec<Question>>,
    held: watch::Sender<bool>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

/// What happens while a question is answered, whose number it is told.
pub(crate) type Meanwhile = Box<dyn FnMut(usize) + Send>;

impl Classifier for Scripted {
    fn is_configured(&self, _: &countersign_guard::Guard) -> bool {
        true
    }

    fn classify(
        &self,
        question: Question,
    ) -> Pin<Box<dyn Future<Output = ClassifierAnswer> + Send>> {
        let number = {
            let mut questions = self.heard.questions.lock().unwrap();
            questions.push(question);
            questions.len()
        };
        if let Some(meanwhile) = &mut *self.heard.meanwhile.lock().unwrap() {
            meanwhile(number);
        }
        if self.thinks {
            return Box::pin(std::future::pending());
        }
        let verdict = self
            .verdicts
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(block);
        let model = ModelRecord {
            stage: Some("fast".to_owned()),
            model: Some("scripted".to_owned()),
            request_id: Some("request-1".to_owned()),
            message_id: Some("message-1".to_owned()),
            ..ModelRecord::default()
        };
        let mut held = self.heard.held.subscribe();
        Box::pin(async move {
            held.wait_for(|held| !held).await.unwrap();
            ClassifierAnswer { verdict, model }
        })
    }
}

/// A home, a workspace, a state and a service.
pub(crate) struct World {
    pub(crate) service: Arc<Service>,
    pub(crate) places: Places,
    pub(crate) workspace: Utf8PathBuf,
    process: ProcessId,
    runtime: Runtime,
    folder: TempDir,
    heard: Arc<Heard>,
    processes: Arc<Started>,
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let folder = TempDir::new().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let home = root.join("home");
        let workspace = home.join("work/vineyard");
        fs::create_dir_all(&workspace).unwrap();
        let places = Places {
            system: root.join("etc/settings.json"),
            config_dir: home.join("config"),
            state_dir: home.join("state"),
            runtime_dir: home.join("run"),
            home,
            relocated: false,
        };
        fs::create_dir_all(&places.config_dir).unwrap();
        if let Some(text) = &setup.user {
            fs::write(places.user_file(), text).unwrap();
        }
        if let Some(text) = &setup.workspace {
            write(&Places::workspace_file(&workspace), text);
        }
        if setup.trusted {
            TrustStore::new(&places).trust(&workspace).unwrap();
        }
        Self::serve(folder, places, workspace, setup)
    }

    /// The same home and workspace with a new server, which asks a classifier
    /// of its own. The editor of the old one must be gone.
    pub(crate) fn restarted(self, setup: Setup) -> Self {
        let Self {
            places,
            workspace,
            folder,
            ..
        } = self;
        Self::serve(folder, places, workspace, setup)
    }

    fn serve(folder: TempDir, places: Places, workspace: Utf8PathBuf, setup: Setup) -> Self {
        let store = Arc::new(GroupedStore::open(&places.state_dir).unwrap());
        let instance = ServerInstance::of_this_process().unwrap();
        let heard = Arc::new(Heard {
            meanwhile: Mutex::new(setup.meanwhile),
            ..Heard::default()
        });
        let processes = Arc::new(Started::default());
        let service = Service::new(Parts {
            engine: Engine::new(
                Arc::clone(&store) as _,
                Arc::new(SystemClock),
                Arc::clone(&processes) as _,
                Arc::new(NewIds),
                vec![Box::new(DenialLogger)],
            ),
            places: places.clone(),
            store: Arc::clone(&store) as _,
            journal: store,
            clock: Arc::new(SystemClock),
            classifier: setup.verdicts.map(|verdicts| {
                Arc::new(Scripted {
                    verdicts: Mutex::new(verdicts.into()),
                    thinks: setup.thinks,
                    heard: Arc::clone(&heard),
                }) as _
            }),
            server: ServerId {
                key: instance.key,
                process: instance.process.clone(),
            },
            mode: None,
            refusal: setup.refusal,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self {
            service,
            places,
            workspace,
            process: instance.process,
            runtime,
            folder,
            heard,
            processes,
        }
    }

    /// What the classifier was asked until now.
    pub(crate) fn questions(&self) -> Vec<Question> {
        self.heard.questions.lock().unwrap().clone()
    }

    /// Waits until the classifier was asked so often.
    #[track_caller]
    pub(crate) fn asked(&self, count: usize) {
        eventually("the questions", || self.questions().len() == count);
    }

    /// The classifier answers nothing until it is let go.
    pub(crate) fn hold_answers(&self) {
        self.heard.held.send_replace(true);
    }

    /// The classifier answers again.
    pub(crate) fn let_answers_go(&self) {
        self.heard.held.send_replace(false);
    }

    /// A hook of an agent that the world's agent started; of several, one with
    /// this number.
    pub(crate) fn nested_hook(&self, number: u64, session: &str, event: &str, more: Value) -> Hook {
        let process = ProcessId {
            start: self.process.start + 1_000 + number,
            ..self.process.clone()
        };
        let mut started = self.processes.0.lock().unwrap();
        started.insert(process.clone(), self.process.clone());
        drop(started);
        self.hook_of(process, Duration::from_secs(60), session, event, more)
    }

    /// A hook of another program than the agent.
    pub(crate) fn foreign_hook(&self, session: &str, event: &str, more: Value) -> Hook {
        let process = ProcessId {
            pid: self.process.pid,
            start: self.process.start + 1,
            boot: self.process.boot.clone(),
        };
        self.hook_of(process, Duration::from_secs(60), session, event, more)
    }

    /// The workspace's settings file.
    pub(crate) fn workspace_file(&self) -> Utf8PathBuf {
        Places::workspace_file(&self.workspace)
    }

    /// Writes a file of the workspace: its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> Utf8PathBuf {
        let path = self.workspace.join(name);
        write(&path, text);
        path
    }

    /// An editor with this extension's declaration and these further
    /// capabilities. Diagnostics and status need not be looked at.
    fn connect(&self, parameters: Value) -> Screen {
        let mut screen = self.connect_to_diagnostics(parameters);
        screen.allow("textDocument/publishDiagnostics");
        screen
    }

    /// The same, and diagnostics must be looked at.
    pub(crate) fn connect_to_diagnostics(&self, parameters: Value) -> Screen {
        let mut editor = self.start();
        editor.allow("countersign/status");
        self.initialize(&mut editor, parameters);
        Screen(editor)
    }

    /// An editor that is held to looking at everything.
    pub(crate) fn start(&self) -> Editor {
        let service = Arc::clone(&self.service);
        let (editor, _) =
            Editor::of(move |input, output| countersign_lsp::run(service, input, output));
        editor.behave(
            "workspace/textDocumentContent/refresh",
            Behaviour::AnswersNull,
        );
        editor
    }

    /// Initializes it, with the workspace open.
    pub(crate) fn initialize(&self, editor: &mut Editor, mut parameters: Value) -> Value {
        parameters["processId"] = Value::Null;
        parameters["workspaceFolders"] =
            json!([{ "uri": uri(&self.workspace), "name": "vineyard" }]);
        let result = editor.initialize_with(parameters);
        eventually("the editor is connected", || {
            self.service.surface_kind().is_some()
        });
        result
    }

    /// An editor with our extension.
    pub(crate) fn vscode(&self) -> Screen {
        self.connect(json!({ "capabilities": { "experimental": {
            "countersign": { "kind": "vscode", "documents": true },
        }}}))
    }

    /// An editor with our extension, whose settings are these.
    pub(crate) fn vscode_with(&self, declaration: Value, options: Value) -> Screen {
        self.connect(json!({
            "capabilities": { "experimental": { "countersign": declaration } },
            "initializationOptions": options,
        }))
    }

    /// An editor without anything of ours.
    pub(crate) fn plain(&self) -> Screen {
        self.connect(json!({ "capabilities": {} }))
    }

    /// The same, with these parameters of `initialize`.
    pub(crate) fn plain_with(&self, parameters: Value) -> Screen {
        self.connect(parameters)
    }

    /// A hook of Claude Code with a minute of time.
    pub(crate) fn hook(&self, session: &str, event: &str, more: Value) -> Hook {
        self.hook_within(Duration::from_secs(60), session, event, more)
    }

    /// A hook of Claude Code.
    #[track_caller]
    pub(crate) fn hook_within(
        &self,
        time: Duration,
        session: &str,
        event: &str,
        more: Value,
    ) -> Hook {
        self.hook_of(self.process.clone(), time, session, event, more)
    }

    #[track_caller]
    fn hook_of(
        &self,
        process: ProcessId,
        time: Duration,
        session: &str,
        event: &str,
        more: Value,
    ) -> Hook {
        let mut payload = json!({
            "session_id": session,
            "transcript_path": "/nowhere/transcript.jsonl",
            "cwd": self.workspace,
            "permission_mode": "default",
            "hook_event_name": event,
        });
        for (name, value) in more.as_object().unwrap() {
            payload[name] = value.clone();
        }
        let event =
            countersign_agents::decode(Agent::ClaudeCode, event, payload.to_string().as_bytes())
                .unwrap();
        let started = Instant::now();
        let incoming = Incoming {
            event,
            process: Some(process),
            deadline: started + time,
            tighten: None,
            origin: Origin::Hook,
            started,
            trace: None,
        };
        let (give_up, given_up) = oneshot::channel();
        let gone = Box::pin(async move {
            if given_up.await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        let service = Arc::clone(&self.service);
        let (ended, end) = mpsc::channel();
        let (began, begun) = mpsc::channel();
        self.runtime.spawn(async move {
            let first = service.begin(incoming).await;
            // The test may not care.
            let _ = began.send(());
            let _ = ended.send(service.finish(first, gone).await);
        });
        Hook::new(begun, end, give_up)
    }

    /// The server looks at what other processes decide.
    pub(crate) fn follow(&self) {
        self.runtime
            .spawn(countersign_service::follow(Arc::clone(&self.service)));
    }

    /// An agent is about to run a command.
    pub(crate) fn bash(&self, session: &str, command: &str) -> Hook {
        self.tool(session, "Bash", json!({ "command": command }))
    }

    /// An agent is about to use a tool.
    pub(crate) fn tool(&self, session: &str, tool: &str, input: Value) -> Hook {
        self.hook(
            session,
            "PreToolUse",
            json!({ "tool_name": tool, "tool_input": input }),
        )
    }

    /// An agent is about to run a command, and waits only so long.
    pub(crate) fn bash_within(&self, time: Duration, session: &str, command: &str) -> Hook {
        let call = json!({ "tool_name": "Bash", "tool_input": { "command": command } });
        self.hook_within(time, session, "PreToolUse", call)
    }

    /// A person's message reaches the agent.
    pub(crate) fn user_message(&self, session: &str) {
        let noted = self.hook(session, "UserPromptSubmit", json!({ "prompt": "go on" }));
        assert!(matches!(noted.handled(), Handled::Noted));
    }

    /// The journal's rows of a kind, the oldest first.
    pub(crate) fn rows(&self, kind: RecordKind) -> Vec<Record> {
        let filter = Filter {
            kind: Some(kind),
            limit: 1_000,
            ..Filter::default()
        };
        let rows = self.service.journal().rows(&filter).unwrap();
        rows.into_iter().map(|row| row.record).collect()
    }

    /// Waits for a row about an answer without effect that says this.
    #[track_caller]
    pub(crate) fn expect_ignored(&self, says: &str) {
        eventually(&format!("an ignored answer: {says}"), || {
            self.rows(RecordKind::Ignored).iter().any(|row| {
                row.detail
                    .as_deref()
                    .is_some_and(|detail| detail.contains(says))
            })
        });
    }

    /// What the status says.
    pub(crate) fn status(&self, screen: &mut Screen) -> Value {
        screen.request("countersign/status", Value::Null)
    }
}

/// Waits until that many approvals are open.
pub(crate) fn open(world: &World, count: usize) {
    eventually("the approvals", || world.service.pending().len() == count);
}

/// Writes a file, with its folder.
pub(crate) fn write(path: &Utf8Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The URI of a file or folder; test folders need no escapes.
pub(crate) fn uri(path: &Utf8Path) -> String {
    format!("file://{path}")
}
