//! The least that an editor says to a language server: it begins, answers
//! whatever it is asked with nothing, and ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// A server that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(30);

pub(super) struct Editor {
    input: Input,
    answers: Receiver<Value>,
    reader: JoinHandle<()>,
}

#[derive(Clone)]
struct Input(Arc<Mutex<ChildStdin>>);

impl Input {
    fn send(&self, message: &Value) -> Result<()> {
        let text = message.to_string();
        let mut input = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        Ok(input.flush()?)
    }
}

impl Editor {
    /// Begins, with one folder, which is trusted. Returns when the server
    /// answered.
    pub(super) fn begin(input: ChildStdin, output: ChildStdout, folder: &str) -> Result<Self> {
        let input = Input(Arc::new(Mutex::new(input)));
        let (sender, answers) = channel();
        let answering = input.clone();
        let editor = Self {
            input,
            answers,
            reader: thread::spawn(move || listen(output, &answering, &sender)),
        };
        editor.request(
            "initialize",
            &json!({
                "processId": null,
                "clientInfo": { "name": "bench" },
                "capabilities": {
                    "experimental": {
                        "countersign": { "kind": "bench", "trusted": true, "documents": false },
                    },
                },
                "workspaceFolders": [{ "uri": format!("file://{folder}"), "name": "workspace" }],
            }),
        )?;
        editor.notify("initialized")?;
        Ok(editor)
    }

    fn request(&self, method: &str, params: &Value) -> Result<()> {
        self.input.send(&json!({
            "jsonrpc": "2.0", "id": method, "method": method, "params": params,
        }))?;
        loop {
            let answer = self
                .answers
                .recv_timeout(LONGEST)
                .with_context(|| format!("the server did not answer `{method}`"))?;
            if answer.get("id").and_then(Value::as_str) == Some(method) {
                return Ok(());
            }
        }
    }

    fn notify(&self, method: &str) -> Result<()> {
        self.input
            .send(&json!({ "jsonrpc": "2.0", "method": method, "params": {} }))
    }

    /// Ends the server. Returns when it is gone.
    pub(super) fn end(self) -> Result<()> {
        self.request("shutdown", &Value::Null)?;
        self.notify("exit")?;
        drop(self.input);
        // It ends with the server's output.
        let _ = self.reader.join();
        Ok(())
    }
}

/// Reads until the server says no more.
fn listen(output: ChildStdout, input: &Input, answers: &Sender<Value>) {
    let mut output = BufReader::new(output);
    while let Some(message) = read(&mut output) {
        match (message.get("id"), message.get("method")) {
            (Some(id), Some(_)) => {
                let answer = json!({ "jsonrpc": "2.0", "id": id, "result": null });
                if input.send(&answer).is_err() {
                    return;
                }
            }
            (Some(_), None) => {
                let _ = answers.send(message);
            }
            (None, _) => {}
        }
    }
}

fn read(output: &mut BufReader<ChildStdout>) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => {
                if let Some(value) = line.strip_prefix("Content-Length: ") {
                    length = Some(value.parse().ok()?);
                }
            }
        }
    }
    let mut bytes = vec![0; length?];
    output.read_exact(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
