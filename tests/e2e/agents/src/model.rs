//! A model that says what a test scripts, over the four interfaces that the
//! agents speak, streamed and not. What it says is chosen by the tool results in
//! the request, never by counting requests: retries, titles, memories and
//! follow-ups get the same answer however often and whenever they come.
//!
//! The model server of `tests/support` is another one: it answers the guard's
//! classifier, with all the faults that a server can have.

mod connection;
mod conversation;
mod speech;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;

pub use conversation::{Api, ToolResult};

/// What the model says when it has no more calls.
pub const CLOSING: &str = "all done";

/// A tool that the model calls.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The tool's name, as the agent offers it.
    pub name: String,
    /// Its arguments.
    pub input: Value,
}

impl ToolCall {
    /// A call.
    #[must_use]
    pub fn new(name: &str, input: Value) -> Self {
        Self {
            name: name.to_owned(),
            input,
        }
    }
}

/// What the model says in a conversation that offers the tools: one call after
/// the other, each when the one before has its result, and then [`CLOSING`]. To
/// everything else it says something harmless.
#[derive(Debug, Clone, Default)]
pub struct Script {
    calls: Vec<ToolCall>,
    asides: Vec<(String, String)>,
}

impl Script {
    /// These calls.
    #[must_use]
    pub fn new(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        Self {
            calls: calls.into_iter().collect(),
            asides: Vec::new(),
        }
    }

    /// A request that contains this text gets that one as its answer, whatever
    /// tools it offers. Looked at in the order in which they were given.
    #[must_use]
    pub fn aside(mut self, contained: &str, answer: &str) -> Self {
        self.asides.push((contained.to_owned(), answer.to_owned()));
        self
    }
}

/// A request as the model server got it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST` or another.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// The body; null if it is no JSON.
    pub body: Value,
}

/// A running model server; it ends when this is dropped.
#[derive(Debug)]
pub struct Model {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    ended: AtomicBool,
}

impl Shared {
    fn script(&self) -> Script {
        locked(&self.script).clone()
    }

    fn received(&self, request: Request) {
        locked(&self.requests).push(request);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Model {
    /// Starts one on a free port of the loopback.
    ///
    /// # Panics
    /// When there is no port.
    #[must_use]
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            requests: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if serving.ended.load(Ordering::Acquire) {
                    return;
                }
                let Ok(socket) = socket else { continue };
                let shared = Arc::clone(&serving);
                // It ends with its connection: the agents are killed before.
                std::thread::spawn(move || connection::serve(&socket, &shared));
            }
        });
        Self {
            shared,
            address,
            accepting: Some(accepting),
        }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests until now.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.shared.requests).clone()
    }

    /// The tool results that the model saw, in order: those of the request that
    /// has the most of them.
    #[must_use]
    pub fn results(&self) -> Vec<ToolResult> {
        let mut most = Vec::new();
        for request in self.requests() {
            let results = conversation::results(&request);
            if results.len() > most.len() {
                most = results;
            }
        }
        most
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Wakes up what accepts.
        let _ = std::net::TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}
