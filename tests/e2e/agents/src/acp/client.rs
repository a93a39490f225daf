//! A client of the protocol that does what the test says, and keeps everything
//! that it hears.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::AcpAgent;
use crate::agent::PROMPT;
use crate::detached::{Detached, Launch};
use crate::model::{Model, Script};
use crate::surroundings;
use crate::wait::within;
use crate::world::World;

/// The longest that anything may take. Two cores may be shared with a build.
const WALL: Duration = Duration::from_secs(90);

/// A yes that comes sooner after its question is none: nobody reads so fast.
const READING: Duration = Duration::from_millis(600);

/// The request for a permission.
const PERMISSION: &str = "session/request_permission";

/// The request to read a file.
const READ: &str = "fs/read_text_file";

/// The request to write a file.
const WRITE: &str = "fs/write_text_file";

/// A client with an agent, or with the proxy before one.
pub struct Client {
    process: Detached,
    heard: Arc<Heard>,
    /// What its model saw and said.
    pub model: Model,
    session: String,
    next: u64,
}

#[derive(Default)]
struct Heard {
    messages: Mutex<Vec<Value>>,
    /// How many of them were taken from the beginning on, each.
    taken: Mutex<Vec<bool>>,
    input: Mutex<Option<ChildStdin>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heard {
    fn says(&self, message: &Value) {
        if let Some(input) = locked(&self.input).as_mut() {
            // It may be gone, which shows elsewhere.
            let _ = input.write_all(format!("{message}\n").as_bytes());
            let _ = input.flush();
        }
    }

    /// Keeps what is said, and answers what no test is about.
    fn listen(&self, output: ChildStdout) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let Ok(message) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            let method = message["method"].as_str().unwrap_or_default();
            let is_request = !message["id"].is_null() && !method.is_empty();
            if is_request && method == WRITE {
                let params = &message["params"];
                let (path, content) = (params["path"].as_str(), params["content"].as_str());
                if let (Some(path), Some(content)) = (path, content) {
                    let _ = std::fs::write(path, content);
                }
                self.says(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }));
            } else if is_request && method == READ {
                let path = message["params"]["path"].as_str().unwrap_or_default();
                self.says(&match std::fs::read_to_string(path) {
                    Ok(content) => json!({
                        "jsonrpc": "2.0", "id": message["id"], "result": { "content": content },
                    }),
                    // As the protocol's own errors have it: some agents go by the words.
                    Err(_) => json!({
                        "jsonrpc": "2.0", "id": message["id"],
                        "error": { "code": -32_002, "message": format!("Resource not found: {path}") },
                    }),
                });
            } else if is_request && method != PERMISSION {
                self.says(&json!({
                    "jsonrpc": "2.0", "id": message["id"],
                    "error": { "code": -32_601, "message": "no such method" },
                }));
            }
            locked(&self.messages).push(message);
        }
    }
}

impl Client {
    /// Starts the agent behind the proxy, and a session in the workspace.
    #[must_use]
    pub fn behind_proxy(agent: &AcpAgent, world: &World, script: Script) -> Self {
        let (binary, guard) = (surroundings::binary(), world.guard());
        let proxy = [binary.as_str(), "--home", guard.as_str(), "acp", "--"];
        Self::start(agent, &proxy, world, script)
    }

    /// The same without the proxy.
    #[must_use]
    pub fn alone(agent: &AcpAgent, world: &World, script: Script) -> Self {
        let mut client = Self::start(agent, &[], world, script);
        if let Some(mode) = agent.asking_mode {
            let set = client.set_mode(mode);
            assert!(set.is_ok(), "{set:?}");
        }
        client
    }

    fn start(agent: &AcpAgent, before: &[&str], world: &World, script: Script) -> Self {
        let model = Model::start(script);
        agent.agent.settle(world, &model.url());
        let before = before.iter().map(|word| (*word).to_owned());
        let launch = Launch {
            words: before.chain(agent.words()).collect(),
            environment: agent.environment(world, &model.url()),
            folder: world.workspace(),
        };
        let log = world.new_folder(agent.agent.name());
        let (process, input, output) = Detached::piped(&launch, world.root(), &log);
        let heard = Arc::new(Heard {
            input: Mutex::new(Some(input)),
            ..Heard::default()
        });
        let listening = Arc::clone(&heard);
        // It ends with what it listens to.
        thread::spawn(move || listening.listen(output));
        let mut client = Self {
            process,
            heard,
            model,
            session: String::new(),
            next: 0,
        };
        let can = agent.has_files;
        let capabilities = json!({
            "fs": { "readTextFile": can, "writeTextFile": can }, "terminal": false,
        });
        client
            .call(
                "initialize",
                &json!({ "protocolVersion": 1, "clientCapabilities": capabilities }),
            )
            .unwrap_or_else(|error| panic!("initialize: {error}"));
        let opened = client
            .call(
                "session/new",
                &json!({ "cwd": world.workspace(), "mcpServers": [] }),
            )
            .unwrap_or_else(|error| panic!("session/new: {error}"));
        let session = opened["sessionId"].as_str();
        client.session = session.expect("a session's id").to_owned();
        client
    }

    fn begin(&mut self, method: &str, params: &Value) -> u64 {
        self.next += 1;
        let id = self.next;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.heard.says(&message);
        id
    }

    fn call(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        let id = self.begin(method, params);
        self.answer_to(method, id)
    }

    /// Waits for the answer to a request.
    #[track_caller]
    fn answer_to(&self, what: &str, id: u64) -> Result<Value, Value> {
        let mut answer = self.take(what, |message| {
            message.get("method").is_none() && message["id"] == id
        });
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Waits for the first message like this that was not taken yet.
    #[track_caller]
    fn take(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = within(WALL, || {
            let messages = locked(&self.heard.messages);
            let mut taken = locked(&self.heard.taken);
            taken.resize(messages.len(), false);
            let index = (0..messages.len()).find(|index| {
                !taken.get(*index).copied().unwrap_or(true)
                    && messages.get(*index).is_some_and(&is_it)
            })?;
            if let Some(taken) = taken.get_mut(index) {
                *taken = true;
            }
            messages.get(index).cloned()
        });
        found.unwrap_or_else(|| panic!("never: {what}\n{}", self.told()))
    }

    /// Everything that was said, for failures.
    #[must_use]
    pub fn told(&self) -> String {
        let messages = locked(&self.heard.messages);
        let lines: Vec<String> = messages
            .iter()
            .map(|message| message.to_string().chars().take(1_500).collect())
            .collect();
        let results = self.model.results();
        let said = self.process.said();
        format!(
            "the client heard:\n{}\nthe model saw {results:#?}\n{said}",
            lines.join("\n")
        )
    }

    /// Sends the prompt: the number of the turn.
    pub fn prompt(&mut self) -> u64 {
        let text = json!([{ "type": "text", "text": PROMPT }]);
        let params = json!({ "sessionId": self.session, "prompt": text });
        self.begin("session/prompt", &params)
    }

    /// Waits for the end of a turn: why it ended.
    #[track_caller]
    pub fn end_of(&self, turn: u64) -> String {
        let ended = self.answer_to("the end of the turn", turn);
        let ended = ended.unwrap_or_else(|error| panic!("{error}\n{}", self.told()));
        ended["stopReason"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether a turn has ended.
    #[must_use]
    pub fn has_ended(&self, turn: u64) -> bool {
        let messages = locked(&self.heard.messages);
        messages
            .iter()
            .any(|message| message.get("method").is_none() && message["id"] == turn)
    }

    /// Chooses a mode of the agent.
    ///
    /// # Errors
    /// What the agent or the proxy objects.
    pub fn set_mode(&mut self, mode: &str) -> Result<Value, Value> {
        let params = json!({ "sessionId": self.session, "modeId": mode });
        self.call("session/set_mode", &params)
    }

    /// Sets a configuration option of the agent.
    ///
    /// # Errors
    /// What the agent or the proxy objects.
    pub fn set_option(&mut self, option: &str, value: &str) -> Result<Value, Value> {
        let params = json!({ "sessionId": self.session, "configId": option, "value": value });
        self.call("session/set_config_option", &params)
    }

    /// Cancels the turn.
    pub fn cancel(&self) {
        self.heard.says(&json!({
            "jsonrpc": "2.0", "method": "session/cancel",
            "params": { "sessionId": self.session },
        }));
    }

    /// Waits until the client is asked about something that contains this.
    #[track_caller]
    pub fn question(&self, part: &str) -> Value {
        self.take(&format!("a question about {part}"), |message| {
            message["method"] == PERMISSION && message["params"].to_string().contains(part)
        })
    }

    /// Answers it with the option of this kind.
    #[track_caller]
    pub fn answer(&self, question: &Value, kind: &str) {
        let options = question["params"]["options"].as_array();
        let option = options
            .into_iter()
            .flatten()
            .find(|option| option["kind"] == kind)
            .unwrap_or_else(|| panic!("no {kind}: {question}"));
        thread::sleep(READING);
        let outcome = json!({ "outcome": "selected", "optionId": option["optionId"] });
        self.heard.says(&json!({
            "jsonrpc": "2.0", "id": question["id"], "result": { "outcome": outcome },
        }));
    }

    /// The client was asked nothing.
    #[track_caller]
    pub fn assert_not_asked(&self) {
        let asked = self.requests(PERMISSION);
        assert!(asked.is_empty(), "{asked:#?}\n{}", self.told());
    }

    /// The client was told this, in any message.
    #[track_caller]
    pub fn assert_told(&self, part: &str) {
        // A remark of the proxy may come after the end of the turn.
        let told = within(WALL, || {
            let messages = locked(&self.heard.messages);
            let is_told = messages.iter().any(|one| one.to_string().contains(part));
            is_told.then_some(())
        });
        assert!(told.is_some(), "never told: {part}\n{}", self.told());
    }

    /// The client was not told this.
    #[track_caller]
    pub fn assert_not_told(&self, part: &str) {
        let told = self.told();
        assert!(!told.contains(part), "{told}");
    }

    /// How often the client was asked to write a file that ends so.
    #[must_use]
    pub fn writes_of(&self, file: &str) -> usize {
        self.requests_about(WRITE, file)
    }

    /// How often it was asked to read one.
    #[must_use]
    pub fn reads_of(&self, file: &str) -> usize {
        self.requests_about(READ, file)
    }

    /// How often it was asked about something.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.requests(PERMISSION).len()
    }

    fn requests_about(&self, method: &str, file: &str) -> usize {
        let is_it = |request: &&Value| {
            let path = request["params"]["path"].as_str();
            path.is_some_and(|path| path.ends_with(file))
        };
        self.requests(method).iter().filter(is_it).count()
    }

    fn requests(&self, method: &str) -> Vec<Value> {
        let messages = locked(&self.heard.messages);
        let mut asked: Vec<Value> = messages.clone();
        asked.retain(|message| message["method"] == method);
        asked
    }

    /// The client goes away without a word.
    pub fn dies(&self) {
        locked(&self.heard.input).take();
    }

    /// Waits until the proxy, or the agent, has ended.
    #[track_caller]
    pub fn ends(&self) {
        assert!(
            self.process.ended_within(WALL),
            "it goes on\n{}",
            self.told()
        );
    }
}
