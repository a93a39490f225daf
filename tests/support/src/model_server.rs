//! A model server whose every answer a test scripts: it speaks the three
//! interfaces as their providers do, byte by byte, so that its faults are exact
//! and nothing of what a client sends is lost.
//!
//! ```
//! use countersign_test_support::model_server::{Gate, ModelServer, Reply};
//! let server = ModelServer::start();
//! server.then(Reply::block("it deletes the user's work")); // the first question
//! server.always(Reply::allow()); // every other
//! let gate = Gate::new();
//! server.then(Reply::internal_error().held(&gate)); // after the block, once it opens
//! let base_url = format!("{}/v1", server.url());
//! assert!(server.requests().is_empty());
//! ```
//!
//! What a reply says is put into the interface that the request's path asks
//! for, for the stage and in the structured-output style that its body asks for.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the server cannot do fails the test"
)]

mod connection;
mod dialect;
mod rendering;
mod reply;
mod request;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use dialect::{Api, Style};
pub use rendering::{CACHED_TOKENS, INPUT_TOKENS, MODEL, OUTPUT_TOKENS};
pub use reply::{Gate, Reply};
pub use request::Received;
pub use state::Seen;

use state::Shared;

/// A server on a free port of the loopback, on a thread of its own; it ends when
/// this is dropped.
#[derive(Debug)]
pub struct ModelServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Starts one that answers 500 until something is scripted, and lists the
    /// model [`MODEL`].
    ///
    /// # Panics
    /// When the machine has no port or no thread to give.
    #[must_use]
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("model-server".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener).expect("a listener");
                    tokio::select! {
                        () = connection::accept(listener, serving) => {}
                        _ = ended => {}
                    }
                });
            })
            .expect("a thread");
        Self {
            shared,
            address,
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end; every path below it
    /// works (`/v1/chat/completions`, `/v1/messages`,
    /// `/v1beta/models/NAME:generateContent`, with `/models` beside them).
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address alone.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next question that has no reply yet gets this one.
    pub fn then(&self, reply: Reply) {
        self.shared.change(|state| state.queue.push_back(reply));
    }

    /// Every question for which the queue has nothing gets this one.
    pub fn always(&self, reply: Reply) {
        self.shared.change(|state| state.always = Some(reply));
    }

    /// What a look at the list of models gets in place of the list; such looks
    /// take nothing from the queue.
    pub fn models(&self, reply: Reply) {
        self.shared.change(|state| state.models = Some(reply));
    }

    /// The requests until now, in the order in which they were read whole.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.look(|state| state.requests.clone())
    }

    /// Keeps at most this many requests, the first ones: 10,000 of them are not
    /// to be the memory that a benchmark measures. One that is not kept and
    /// gets [`Reply::raw`] is not even parsed.
    pub fn keep_at_most(&self, requests: usize) {
        self.shared.change(|state| {
            state.keep = requests;
            state.requests.truncate(requests);
        });
    }

    /// What has happened until now.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.shared.look(|state| state.seen)
    }

    /// How long the server itself took for each request, from having read it to
    /// having written its answer, in order of their numbers; forgotten by this.
    #[must_use]
    pub fn take_times(&self) -> Vec<(u64, Duration)> {
        self.shared
            .change(|state| std::mem::take(&mut state.times).into_iter().collect())
    }

    /// Waits until this holds.
    ///
    /// # Panics
    /// When it does not within 20 seconds.
    pub fn wait_until(&self, holds: impl FnMut(&Seen) -> bool) -> Seen {
        self.shared.wait_until(holds)
    }

    /// The same for a task. A runtime whose clock is paused does not move it
    /// meanwhile.
    ///
    /// # Panics
    /// When it does not hold within 20 seconds.
    pub async fn until(&self, holds: impl FnMut(&Seen) -> bool + Send + 'static) -> Seen {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.wait_until(holds))
            .await
            .expect("what is waited for happens")
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // It may have ended.
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the model server panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use serde_json::{Value, json};

    use super::*;

    fn post(path: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes()
    }

    /// The answer to a request, parsed; the connection stays open.
    fn ask(socket: &mut TcpStream, path: &str, body: &Value) -> Value {
        socket.write_all(&post(path, body)).unwrap();
        let mut read = Vec::new();
        loop {
            let mut byte = [0; 1];
            socket.read_exact(&mut byte).unwrap();
            read.push(byte[0]);
            if read.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        let head = String::from_utf8(read).unwrap();
        let length = head.split_once("content-length: ").unwrap().1;
        let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
        socket.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn an_answer_is_in_the_interface_the_style_and_for_the_stage_that_were_asked() {
        let server = ModelServer::start();
        server.always(Reply::block("why"));
        let mut socket = TcpStream::connect(server.address()).unwrap();
        let tool = json!({ "type": "function", "function": { "name": "judge" } });
        let openai = ask(
            &mut socket,
            "/v1/chat/completions",
            &json!({ "max_tokens": 256, "tools": [tool] }),
        );
        let call = openai.pointer("/choices/0/message/tool_calls/0/function");
        let expected = json!({ "name": "judge", "arguments": "{\"shouldBlock\":true}" });
        assert_eq!(call, Some(&expected));
        let anthropic = ask(
            &mut socket,
            "/v1/messages",
            &json!({ "max_tokens": 4096, "tools": [{ "name": "judge" }] }),
        );
        let input = anthropic.pointer("/content/0/input/reason");
        assert_eq!(input, Some(&json!("why")));
        let gemini = ask(
            &mut socket,
            "/v1beta/models/m:generateContent",
            &json!({ "generationConfig": { "maxOutputTokens": 256 } }),
        );
        let text = gemini.pointer("/candidates/0/content/parts/0/text");
        assert_eq!(text, Some(&json!("{\"shouldBlock\":true}")));
        let requests = server.requests();
        assert_eq!(requests.len(), 3);
        assert!(requests.iter().all(|request| request.connection == 1));
        assert_eq!(requests[1].api(), Api::Anthropic);
    }

    #[test]
    fn a_held_reply_waits_for_its_gate_and_notices_who_goes_away() {
        let server = ModelServer::start();
        let gate = Gate::new();
        server.always(Reply::allow().held(&gate));
        let question = post("/v1/chat/completions", &json!({ "max_tokens": 256 }));
        let mut gone = TcpStream::connect(server.address()).unwrap();
        gone.write_all(&question).unwrap();
        server.wait_until(|seen| seen.under_way == 1);
        drop(gone);
        server.wait_until(|seen| seen.abandoned == 1 && seen.open == 0);
        let mut patient = TcpStream::connect(server.address()).unwrap();
        patient.write_all(&question).unwrap();
        server.wait_until(|seen| seen.under_way == 1);
        gate.open();
        server.wait_until(|seen| seen.answered == 1);
        assert_eq!(server.seen().connections, 2);
    }

    #[test]
    fn raw_arguments_reach_the_client_byte_for_byte() {
        let server = ModelServer::start();
        server.then(Reply::duplicate_keys());
        let mut socket = TcpStream::connect(server.address()).unwrap();
        let question = post(
            "/v1/messages",
            &json!({ "max_tokens": 256, "tools": [{ "name": "judge" }] }),
        );
        socket.write_all(&question).unwrap();
        server.wait_until(|seen| seen.answered == 1);
        drop(server);
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"shouldBlock\": true, \"shouldBlock\": false"));
    }
}
