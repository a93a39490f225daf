//! The bytes between the editor and the server: a thread reads what the server
//! writes and keeps it until the test looks at it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ChildStdin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use super::PATIENCE;
use super::behaviour::Behaviour;

/// How many messages a failure shows, the last ones.
const SHOWN_MESSAGES: usize = 100;

/// How much of each, in characters.
const SHOWN_CHARACTERS: usize = 400;

/// Where the editor writes.
pub(super) enum Writer {
    Socket(UnixStream),
    Pipe(ChildStdin),
    Closed,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Socket(socket) => socket.write_all(bytes),
            Self::Pipe(pipe) => pipe.write_all(bytes),
            Self::Closed => Ok(()),
        }
    }

    fn close(&mut self, directions: Shutdown) {
        if let Self::Socket(socket) = self {
            // It may be closed from the other end.
            let _ = socket.shutdown(directions);
        }
        *self = Self::Closed;
    }
}

/// What is known of the connection.
#[derive(Default)]
struct State {
    unread: VecDeque<Value>,
    transcript: Vec<String>,
    behaviours: BTreeMap<String, Behaviour>,
    behaved: Vec<Value>,
    /// Why nothing more is read.
    ended: Option<String>,
    /// Whether that is because the server broke the protocol.
    broken: bool,
    /// Whether the editor has died or the server is killed: how the rest
    /// arrives does not matter.
    may_be_cut_off: bool,
    paused: bool,
}

/// The connection of an editor.
pub(super) struct Connection {
    state: Mutex<State>,
    changed: Condvar,
    writer: Mutex<Writer>,
}

impl Connection {
    /// Begins to read.
    pub(super) fn open(reader: impl Read + Send + 'static, writer: Writer) -> Arc<Self> {
        let connection = Arc::new(Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            writer: Mutex::new(writer),
        });
        if let Writer::Socket(socket) = &*connection.writer() {
            socket
                .set_write_timeout(Some(PATIENCE))
                .expect("a socket's timeout");
        }
        let reading = Arc::clone(&connection);
        std::thread::spawn(move || reading.read(reader));
        connection
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, reader: impl Read) {
        let mut reader = BufReader::new(reader);
        let end = loop {
            match message(&mut reader) {
                Ok(Some(message)) => self.received(message),
                Ok(None) => break Ok("the server closed the connection".to_owned()),
                Err(problem) => break Err(problem),
            }
        };
        let mut state = self.state();
        state.broken = end.is_err() && !state.may_be_cut_off;
        state.ended = Some(end.unwrap_or_else(|problem| problem));
        drop(state);
        self.changed.notify_all();
    }

    fn received(&self, message: Value) {
        let mut state = self.state();
        while state.paused {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.transcript.push(format!("<- {}", shown(&message)));
        let behaviour = match (message["method"].as_str(), message.get("id")) {
            (Some(method), Some(_)) => state
                .behaviours
                .get(method)
                .or_else(|| state.behaviours.get("*"))
                .cloned(),
            _ => None,
        };
        let Some(behaviour) = behaviour else {
            state.unread.push_back(message);
            self.changed.notify_all();
            return;
        };
        let id = message["id"].clone();
        state.behaved.push(message);
        self.changed.notify_all();
        drop(state);
        behaviour.act(self, &id);
    }

    /// Waits until something is so.
    fn wait<T>(&self, what: &str, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(found) = look(&mut state) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let problem = match &state.ended {
                Some(why) => Some(why.clone()),
                None if left.is_zero() => Some("it does not come".to_owned()),
                None => None,
            };
            if let Some(problem) = problem {
                drop(state);
                panic!("waiting for {what}: {problem}\n{}", self.transcript());
            }
            (state, _) = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the first message of this kind and takes it.
    pub(super) fn take(&self, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        self.wait(what, |state| {
            let index = state.unread.iter().position(&mut wanted)?;
            state.unread.remove(index)
        })
    }

    pub(super) fn expect_end(&self) {
        self.wait("the end of the connection", |state| {
            (state.ended.is_some() && !state.broken).then_some(())
        });
    }

    pub(super) fn behaved(&self, method: &str, count: usize) -> Vec<(Value, Value)> {
        self.wait(&format!("{count} requests {method}"), |state| {
            let met: Vec<_> = state
                .behaved
                .iter()
                .filter(|message| message["method"] == method)
                .map(|message| (message["id"].clone(), message["params"].clone()))
                .collect();
            (met.len() >= count).then_some(met)
        })
    }

    pub(super) fn behave(&self, method: &str, behaviour: Behaviour) {
        self.state().behaviours.insert(method.to_owned(), behaviour);
    }

    pub(super) fn unread(&self) -> Vec<Value> {
        self.state().unread.iter().cloned().collect()
    }

    pub(super) fn set_reading(&self, reading: bool) {
        self.state().paused = !reading;
        self.changed.notify_all();
    }

    pub(super) fn send(&self, message: &Value) {
        self.state()
            .transcript
            .push(format!("-> {}", shown(message)));
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub(super) fn send_raw(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes.get(..SHOWN_CHARACTERS).unwrap_or(bytes));
        self.state()
            .transcript
            .push(format!("-> {} bytes {text:?}", bytes.len()));
        self.write(bytes);
    }

    fn write(&self, bytes: &[u8]) {
        let written = self.writer().write(bytes);
        if let Err(error) = written {
            self.state()
                .transcript
                .push(format!("   not sent: {error}"));
        }
    }

    pub(super) fn answer(&self, id: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    }

    pub(super) fn answer_error(&self, id: &Value, code: i64, message: &str) {
        let error = json!({ "code": code, "message": message });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
    }

    pub(super) fn flood(&self, uri: &str, count: usize) {
        for version in 1..=count {
            self.send(&json!({
                "jsonrpc": "2.0",
                "method": "textDocument/didChange",
                "params": {
                    "textDocument": { "uri": uri, "version": version },
                    "contentChanges": [{ "text": format!("text {version}\n") }],
                },
            }));
        }
    }

    pub(super) fn close_input(&self) {
        self.writer().close(Shutdown::Write);
    }

    pub(super) fn may_be_cut_off(&self) {
        self.state().may_be_cut_off = true;
    }

    pub(super) fn die(&self) {
        self.may_be_cut_off();
        self.writer().close(Shutdown::Both);
    }

    /// The last of what was sent and received.
    pub(super) fn transcript(&self) -> String {
        let state = self.state();
        let left_out = state.transcript.len().saturating_sub(SHOWN_MESSAGES);
        let mut text = format!("what was said, without the first {left_out} messages:\n");
        for line in state.transcript.iter().skip(left_out) {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

fn shown(message: &Value) -> String {
    message.to_string().chars().take(SHOWN_CHARACTERS).collect()
}

/// Reads a message; `None` at the end. Strict: the server is held to the
/// protocol.
fn message(reader: &mut BufReader<impl Read>) -> Result<Option<Value>, String> {
    let mut length = None;
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) if length.is_none() => return Ok(None),
            Ok(0) => return Err("the server stopped inside of a header".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(format!("cannot read from the server: {error}")),
        }
        if line == "\r\n" {
            break;
        }
        let value = line
            .strip_prefix("Content-Length: ")
            .and_then(|rest| rest.strip_suffix("\r\n"));
        match value.and_then(|value| value.parse().ok()) {
            Some(number) => length = Some(number),
            None => return Err(format!("the server wrote {line:?} in place of a header")),
        }
    }
    let mut body = vec![0; length.ok_or("the server wrote no Content-Length")?];
    reader
        .read_exact(&mut body)
        .map_err(|error| format!("the server stopped inside of a message: {error}"))?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| format!("the server wrote what is not JSON: {error}"))
}
