//! An editor as tests need one: speaks the language server protocol over bytes,
//! to a server in this process or to a child, and holds the server to saying
//! nothing that the test did not look at.
//!
//! ```no_run
//! # use countersign_test_support::lsp::{Behaviour, Editor};
//! # use serde_json::json;
//! let mut editor = Editor::of_child(std::process::Command::new("countersign").arg("lsp"));
//! editor.allow("window/logMessage");
//! editor.behave("window/showMessageRequest", Behaviour::Chooses("Deny".into()));
//! editor.initialize(json!({}));
//! let answer = editor.request("countersign/status", json!({}));
//! editor.shut_down_and_exit();
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the editor does not get fails the test"
)]

mod behaviour;
mod connection;

use std::collections::BTreeSet;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime::Runtime;

pub use behaviour::{Behaviour, PROMPT};

use connection::{Connection, Writer};

/// How long a test waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(60);

/// The error of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseError {
    /// The code, as JSON-RPC and the protocol number them.
    pub code: i64,
    /// What went wrong.
    pub message: String,
}

/// What serves the editor.
enum Server {
    Here(Option<Runtime>),
    Child(Child),
}

/// An editor. All waits are bounded by 60 s and fail with everything that was
/// sent and received. When it is dropped, it closes its end of the connection
/// and fails if the server goes on or has said something that the test neither
/// expected nor allowed.
pub struct Editor {
    connection: Arc<Connection>,
    server: Server,
    last_id: i64,
    allowed: BTreeSet<String>,
}

/// A server that runs in this process.
#[derive(Debug)]
pub struct Running<T>(mpsc::Receiver<T>);

impl<T> Running<T> {
    /// Waits until the server has ended: what it came to.
    ///
    /// # Panics
    /// When it does not end, or panicked.
    pub fn end(self) -> T {
        self.0.recv_timeout(PATIENCE).expect("the server ends")
    }
}

impl Editor {
    /// An editor of a server in this process: a future that gets the editor's
    /// output to read and its input to write, and runs on a runtime of its own.
    ///
    /// # Panics
    /// When there can be no socket or no runtime.
    pub fn of<F, T>(
        serve: impl FnOnce(OwnedReadHalf, OwnedWriteHalf) -> F + Send + 'static,
    ) -> (Self, Running<T>)
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a socket");
        theirs.set_nonblocking(true).expect("a socket");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (ended, end) = mpsc::channel();
        runtime.spawn(async move {
            let socket = tokio::net::UnixStream::from_std(theirs).expect("a socket");
            let (input, output) = socket.into_split();
            // The test may not care.
            let _ = ended.send(serve(input, output).await);
        });
        let reader = ours.try_clone().expect("a socket");
        let editor = Self::new(reader, Writer::Socket(ours), Server::Here(Some(runtime)));
        (editor, Running(end))
    }

    /// An editor of a program, over its stdin and stdout.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn of_child(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take().expect("its stdin");
        let output = child.stdout.take().expect("its stdout");
        Self::new(output, Writer::Pipe(input), Server::Child(child))
    }

    /// An editor of a program that runs already, over its stdin and stdout.
    #[must_use]
    pub fn of_pipes(input: ChildStdin, output: ChildStdout) -> Self {
        Self::new(output, Writer::Pipe(input), Server::Here(None))
    }

    fn new(reader: impl std::io::Read + Send + 'static, writer: Writer, server: Server) -> Self {
        Self {
            connection: Connection::open(reader, writer),
            server,
            last_id: 0,
            allowed: BTreeSet::new(),
        }
    }

    /// Sends `initialize` with these capabilities, then `initialized`: what
    /// the server answered.
    pub fn initialize(&mut self, capabilities: Value) -> Value {
        self.initialize_with(json!({ "processId": null, "capabilities": capabilities }))
    }

    /// Sends `initialize` with these parameters, then `initialized`: what the
    /// server answered.
    pub fn initialize_with(&mut self, parameters: Value) -> Value {
        let result = self.request("initialize", parameters);
        self.notify("initialized", json!({}));
        result
    }

    /// Sends a request and waits for its result.
    ///
    /// # Panics
    /// When the answer is an error.
    pub fn request(&mut self, method: &str, parameters: Value) -> Value {
        self.try_request(method, parameters)
            .unwrap_or_else(|error| self.fail(&format!("{method} failed: {error:?}")))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The error that the server answers with.
    pub fn try_request(&mut self, method: &str, parameters: Value) -> Result<Value, ResponseError> {
        let id = self.begin_request(method, parameters);
        self.response(id)
    }

    /// Sends a request: its id. With parameters null there are none.
    pub fn begin_request(&mut self, method: &str, parameters: Value) -> i64 {
        self.last_id += 1;
        let mut message = json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method });
        if !parameters.is_null() {
            message["params"] = parameters;
        }
        self.send(&message);
        self.last_id
    }

    /// Waits for the answer to a request of this id, a number or anything else
    /// that the test sent.
    ///
    /// # Errors
    /// The error that the server answers with.
    pub fn response(&mut self, id: impl Into<Value>) -> Result<Value, ResponseError> {
        let id = id.into();
        let mut response = self
            .connection
            .take(&format!("the answer to {id}"), |message| {
                message.get("method").is_none() && message["id"] == id
            });
        match response.get("error") {
            None => Ok(response["result"].take()),
            Some(error) => Err(ResponseError {
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Sends a notification. With parameters null there are none.
    pub fn notify(&self, method: &str, parameters: Value) {
        let mut message = json!({ "jsonrpc": "2.0", "method": method });
        if !parameters.is_null() {
            message["params"] = parameters;
        }
        self.send(&message);
    }

    /// Sends any JSON as a message.
    pub fn send(&self, message: &Value) {
        self.connection.send(message);
    }

    /// Sends bytes as they are. A server that is gone makes that fail; the test
    /// sees what it gets.
    pub fn send_raw(&self, bytes: &[u8]) {
        self.connection.send_raw(bytes);
    }

    /// Waits for the first notification of this method that is as the predicate
    /// wants it: its parameters. Others stay unread.
    pub fn expect_notification(
        &mut self,
        method: &str,
        mut predicate: impl FnMut(&Value) -> bool,
    ) -> Value {
        let mut message = self
            .connection
            .take(&format!("a notification {method}"), |message| {
                message["method"] == method
                    && message.get("id").is_none()
                    && predicate(&message["params"])
            });
        message["params"].take()
    }

    /// Waits for the first request of this method: its id and parameters. It is
    /// not answered yet.
    pub fn expect_request(&mut self, method: &str) -> (Value, Value) {
        let mut message = self
            .connection
            .take(&format!("a request {method}"), |message| {
                message["method"] == method && message.get("id").is_some()
            });
        (message["id"].take(), message["params"].take())
    }

    /// Answers a request of the server.
    pub fn answer(&self, id: &Value, result: Value) {
        self.connection.answer(id, result);
    }

    /// Answers a request of the server with an error.
    pub fn answer_error(&self, id: &Value, code: i64, message: &str) {
        self.connection.answer_error(id, code, message);
    }

    /// From now on, requests of this method are answered as the behaviour has
    /// it, without the test's doing; `*` is any method that has no behaviour of
    /// its own.
    pub fn behave(&self, method: &str, behaviour: Behaviour) {
        self.connection.behave(method, behaviour);
    }

    /// Waits until a behaviour has met this many requests of this method:
    /// their ids and parameters, oldest first. For an answer that comes late,
    /// answer one of those that [`Behaviour::NeverAnswers`] has met.
    pub fn behaved(&self, method: &str, count: usize) -> Vec<(Value, Value)> {
        self.connection.behaved(method, count)
    }

    /// Sends that many `textDocument/didChange` notifications of whole texts,
    /// with versions from 1 on.
    pub fn flood(&self, uri: &str, count: usize) {
        self.connection.flood(uri, count);
    }

    /// Stops reading what the server writes, but for at most one message.
    pub fn stop_reading(&self) {
        self.connection.set_reading(false);
    }

    /// Reads again.
    pub fn read_on(&self) {
        self.connection.set_reading(true);
    }

    /// Messages of this method need not be looked at.
    pub fn allow(&mut self, method: &str) {
        self.allowed.insert(method.to_owned());
    }

    /// What the server has said and the test neither expected nor allowed. Ask
    /// after an answer to be sure of what came before it.
    #[must_use]
    pub fn unread(&self) -> Vec<Value> {
        let mut unread = self.connection.unread();
        unread.retain(|message| {
            let method = message["method"].as_str();
            !method.is_some_and(|method| self.allowed.contains(method))
        });
        unread
    }

    /// Closes the editor's end; it still reads.
    pub fn close_input(&self) {
        self.connection.close_input();
    }

    /// Goes away without a word, in both directions (of a child's only its
    /// input: its output cannot be closed while it is read).
    pub fn die(&self) {
        self.connection.die();
    }

    /// From now on the server may end inside of a message: the test kills it.
    pub fn may_be_cut_off(&self) {
        self.connection.may_be_cut_off();
    }

    /// Waits until the server has closed its end.
    pub fn expect_end(&self) {
        self.connection.expect_end();
    }

    /// Ends the server as the protocol wants it, with the input left open.
    pub fn shut_down_and_exit(&mut self) {
        let result = self.request("shutdown", Value::Null);
        assert_eq!(result, Value::Null, "the answer to shutdown");
        self.notify("exit", Value::Null);
        self.expect_end();
    }

    /// Waits until the child has exited.
    ///
    /// # Panics
    /// When it does not, or the server is not a child.
    pub fn exit_status(&mut self) -> ExitStatus {
        let Server::Child(child) = &mut self.server else {
            panic!("the server is not a child");
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().expect("the server's status") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not exit");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The pid of the child, if the server is one.
    #[must_use]
    pub fn server_pid(&self) -> Option<u32> {
        match &self.server {
            Server::Child(child) => Some(child.id()),
            Server::Here(_) => None,
        }
    }

    fn fail(&self, problem: &str) -> ! {
        panic!("{problem}\n{}", self.connection.transcript())
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.connection.set_reading(true);
            self.connection.close_input();
            self.connection.expect_end();
            let unread = self.unread();
            if !unread.is_empty() {
                self.fail(&format!("the test did not look at {unread:#?}"));
            }
        }
        // The server ends also where the test has failed.
        match &mut self.server {
            Server::Here(runtime) => {
                if let Some(runtime) = runtime.take() {
                    runtime.shutdown_background();
                }
            }
            Server::Child(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const NOTE: &str =
        "Content-Length: 41\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":1}";

    /// A server that says something once, and reads to the end.
    fn speaker(bytes: &'static str) -> Editor {
        Editor::of(move |mut input, mut output| async move {
            output.write_all(bytes.as_bytes()).await.unwrap();
            input.read_to_end(&mut Vec::new()).await.unwrap()
        })
        .0
    }

    #[test]
    fn what_is_expected_or_allowed_may_be_said() {
        let parameters = speaker(NOTE).expect_notification("x", |parameters| *parameters == 1);
        assert_eq!(parameters, 1);
        speaker(NOTE).allow("x");
    }

    #[test]
    #[should_panic(expected = "the test did not look at")]
    fn what_was_not_looked_at_fails_the_test() {
        drop(speaker(NOTE));
    }

    #[test]
    #[should_panic(expected = "in place of a header")]
    fn what_is_no_message_fails_the_test() {
        drop(speaker("Hello\n").expect_request("x"));
    }

    #[test]
    #[should_panic(expected = "stopped inside of a message")]
    fn a_message_that_is_cut_off_fails_the_test() {
        drop(speaker("Content-Length: 3\r\n\r\n{}"));
    }

    #[test]
    fn a_server_that_the_test_kills_may_be_cut_off() {
        let editor = Editor::of(|mut input, mut output| async move {
            input.read_to_end(&mut Vec::new()).await.unwrap();
            output
                .write_all(b"Content-Length: 3\r\n\r\n{}")
                .await
                .unwrap();
        })
        .0;
        editor.may_be_cut_off();
    }

    #[test]
    fn a_child_is_spoken_to_over_its_stdio() {
        let script = format!("printf '%s' '{NOTE}'; cat >/dev/null; exit 3");
        let mut editor = Editor::of_child(Command::new("sh").arg("-c").arg(script));
        assert!(editor.server_pid().is_some());
        editor.expect_notification("x", |_| true);
        editor.close_input();
        assert_eq!(editor.exit_status().code(), Some(3));
    }
}
