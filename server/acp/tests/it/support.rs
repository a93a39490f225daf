//! An agent and a client at both ends of a proxy, and what they say.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_acp::{Asked, Over, Question, Servers, Setup, serve};
use countersign_agents::acp::{self, Report};
use countersign_agents::{Answer, Surroundings};
use countersign_core::agent::Agent;
use countersign_core::state::{ProcessId, RecordKind};
use countersign_engine::clock::SystemClock;
use countersign_engine::request::ServerId;
use countersign_service::{Parts, Service};
use countersign_settings::Places;
use countersign_store::{Filter, JournalRow, Store};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::task::JoinHandle;

/// The limit only ends a test that has failed.
const AT_LAST: Duration = Duration::from_secs(30);

/// What the user's settings say: `prune` is denied, `grow` allowed.
pub(crate) const SETTINGS: &str = r#"{"permissions":{
    "deny":["Bash(prune *)","Read(secret.txt)","Edit(frozen.txt)"],
    "allow":["Bash(grow *)","Edit(open.txt)"]
}}"#;

/// One end of a connection.
pub(crate) struct End {
    input: BufReader<ReadHalf<DuplexStream>>,
    output: Option<WriteHalf<DuplexStream>>,
}

impl End {
    /// Both ends of a connection with room for so many bytes.
    fn pair(room: usize) -> (Self, DuplexStream) {
        let (here, there) = tokio::io::duplex(room);
        let (input, output) = tokio::io::split(here);
        let end = Self {
            input: BufReader::new(input),
            output: Some(output),
        };
        (end, there)
    }

    /// Says these bytes.
    pub(crate) async fn says_bytes(&mut self, bytes: &[u8]) {
        let output = self.output.as_mut().expect("this end is closed");
        tokio::time::timeout(AT_LAST, output.write_all(bytes))
            .await
            .expect("nobody reads")
            .unwrap();
    }

    /// Says a message.
    pub(crate) async fn says(&mut self, message: Value) {
        self.says_bytes(format!("{message}\n").as_bytes()).await;
    }

    /// The next line, with its end; none at the end of everything.
    pub(crate) async fn hears_line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        tokio::time::timeout(AT_LAST, self.input.read_until(b'\n', &mut line))
            .await
            .expect("nothing was heard")
            .unwrap();
        (!line.is_empty()).then(|| String::from_utf8(line).unwrap())
    }

    /// The next message.
    pub(crate) async fn hears(&mut self) -> Value {
        let line = self.hears_line().await.expect("the proxy has ended");
        serde_json::from_str(&line).unwrap()
    }

    /// Says no more.
    pub(crate) async fn closes(&mut self) {
        if let Some(mut output) = self.output.take() {
            output.shutdown().await.unwrap();
        }
    }
}

/// Servers that answer by a script; without one there is none.
#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Scripting>>,
    pub(crate) asked: Mutex<Vec<Report>>,
    /// How many were given up before an answer.
    pub(crate) given_up: Arc<Mutex<usize>>,
}

/// What a server does.
pub(crate) enum Scripting {
    /// Answers.
    Answers(Answer),
    /// Is lost.
    Lost,
    /// Says nothing.
    Hangs,
}

impl Scripted {
    pub(crate) fn will(&self, what: Scripting) {
        self.answers.lock().unwrap().push_back(what);
    }

    /// The calls that it was asked about.
    pub(crate) fn calls(&self) -> Vec<Report> {
        let asked = self.asked.lock().unwrap();
        let calls = asked
            .iter()
            .filter(|report| matches!(report.what, acp::What::Call { .. }));
        calls.cloned().collect()
    }
}

struct CountsWhenDropped(Option<Arc<Mutex<usize>>>);

impl Drop for CountsWhenDropped {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            *count.lock().unwrap() += 1;
        }
    }
}

impl Servers for Scripted {
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Asked> + Send>> {
        let report: Report = serde_json::from_slice(&question.payload).unwrap();
        let is_call = matches!(report.what, acp::What::Call { .. });
        self.asked.lock().unwrap().push(report);
        let next = is_call
            .then(|| self.answers.lock().unwrap().pop_front())
            .flatten();
        let given_up = Arc::clone(&self.given_up);
        Box::pin(async move {
            match next {
                None => Asked::Nobody { tighten: None },
                Some(Scripting::Answers(answer)) => Asked::Answered(acp::encode_answer(&answer)),
                Some(Scripting::Lost) => Asked::Lost("the server was lost".to_owned()),
                Some(Scripting::Hangs) => {
                    let counts = CountsWhenDropped(Some(given_up));
                    std::future::pending::<()>().await;
                    drop(counts);
                    Asked::Nobody { tighten: None }
                }
            }
        })
    }
}

/// A proxy with both ends.
pub(crate) struct Stage {
    pub(crate) agent: End,
    pub(crate) client: End,
    pub(crate) servers: Arc<Scripted>,
    pub(crate) workspace: Utf8PathBuf,
    pub(crate) over: JoinHandle<Over>,
    store: Arc<Store>,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Of an agent.
    pub(crate) fn of(agent: Agent) -> Self {
        Self::with(agent, true, 64 * 1024)
    }

    /// Of Qwen Code.
    pub(crate) fn new() -> Self {
        Self::of(Agent::Qwen)
    }

    /// With a person before the client or without, and room for so many bytes
    /// on the way.
    pub(crate) fn with(agent: Agent, has_person: bool, room: usize) -> Self {
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
        std::fs::write(places.user_file(), SETTINGS).unwrap();
        let store = Arc::new(Store::open(&places.state_dir).unwrap());
        let process = |pid| ProcessId {
            pid,
            start: 1,
            boot: "boot".to_owned(),
        };
        let service = Service::new(Parts {
            engine: countersign_guard::engine(store.clone(), Vec::new()),
            journal: store.clone(),
            store: store.clone(),
            places,
            clock: Arc::new(SystemClock),
            classifier: None,
            server: ServerId {
                key: "proxy".to_owned(),
                process: process(1),
            },
            mode: None,
            refusal: None,
        });
        let servers = Arc::new(Scripted::default());
        let (agent_end, agent_there) = End::pair(room);
        let (client_end, client_there) = End::pair(room);
        let setup = Setup {
            agent,
            folder: workspace.clone(),
            service,
            servers: servers.clone(),
            surroundings: Surroundings::default(),
            tighten: None,
            find_agent: Box::new(move || Some(process(2))),
            has_person,
        };
        let over = tokio::spawn(serve(
            setup,
            tokio::io::split(client_there),
            tokio::io::split(agent_there),
        ));
        Self {
            agent: agent_end,
            client: client_end,
            servers,
            workspace,
            over,
            store,
            _folder: folder,
        }
    }

    /// Opens the session `s` in the workspace.
    pub(crate) async fn open_session(&mut self) {
        self.open_session_with(json!({ "sessionId": "s" })).await;
    }

    pub(crate) async fn open_session_with(&mut self, result: Value) {
        let new = json!({
            "jsonrpc": "2.0", "id": 900, "method": "session/new",
            "params": { "cwd": self.workspace, "mcpServers": [] },
        });
        self.client.says(new.clone()).await;
        assert_eq!(self.agent.hears().await, new);
        let opened = json!({ "jsonrpc": "2.0", "id": 900, "result": result });
        self.agent.says(opened.clone()).await;
        assert_eq!(self.client.hears().await, opened);
    }

    /// What of the journal is of a kind.
    pub(crate) fn rows(&self, kind: RecordKind) -> Vec<JournalRow> {
        let filter = Filter {
            kind: Some(kind),
            limit: 1_000,
            ..Filter::default()
        };
        self.store.journal(&filter).unwrap()
    }

    /// Waits until there are so many rows of a kind.
    pub(crate) async fn wait_for_rows(&self, kind: RecordKind, count: usize) -> Vec<JournalRow> {
        for _ in 0..3_000 {
            let rows = self.rows(kind);
            if rows.len() >= count {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there are {} rows of {kind:?}", self.rows(kind).len());
    }

    /// Waits until the servers have been asked about so many calls.
    pub(crate) async fn wait_for_calls(&self, count: usize) {
        for _ in 0..3_000 {
            if self.servers.calls().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the servers were asked about {:?}", self.servers.calls());
    }

    /// Everything that was said until now has passed when this returns: what
    /// the agent says and the client hears now comes after it.
    pub(crate) async fn settles(&mut self) {
        let mark = json!({ "jsonrpc": "2.0", "method": "_mark", "params": {} });
        self.agent.says(mark.clone()).await;
        assert_eq!(self.client.hears().await, mark);
        self.client.says(mark.clone()).await;
        assert_eq!(self.agent.hears().await, mark);
    }
}

/// A request of the agent.
pub(crate) fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// A permission request of Qwen Code for a command.
pub(crate) fn permission(id: u64, command: &str) -> Value {
    request(
        id,
        "session/request_permission",
        json!({
            "sessionId": "s",
            "options": [
                { "optionId": "always", "name": "Always", "kind": "allow_always" },
                { "optionId": "once", "name": "Allow", "kind": "allow_once" },
                { "optionId": "cancel", "name": "Reject", "kind": "reject_once" },
            ],
            "toolCall": {
                "toolCallId": format!("call-{id}"),
                "title": command,
                "kind": "execute",
                "status": "pending",
                "content": [],
                "rawInput": { "command": command, "is_background": false },
                "_meta": { "toolName": "run_shell_command" },
            },
        }),
    )
}

/// An update of a tool call.
pub(crate) fn update(call: &str, more: Value) -> Value {
    let mut update = json!({ "sessionUpdate": "tool_call_update", "toolCallId": call });
    for (name, value) in more.as_object().unwrap() {
        update[name] = value.clone();
    }
    json!({
        "jsonrpc": "2.0", "method": "session/update",
        "params": { "sessionId": "s", "update": update },
    })
}

/// The option that the agent was answered with.
pub(crate) fn option(answer: &Value) -> &str {
    let outcome = &answer["result"]["outcome"];
    outcome["optionId"]
        .as_str()
        .or_else(|| outcome["outcome"].as_str())
        .unwrap_or_default()
}
