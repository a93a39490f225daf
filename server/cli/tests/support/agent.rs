//! A process that stands for a coding agent: it lives long and runs hooks, many
//! at once, so that its sessions are its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use countersign_core::state::ProcessId;
use countersign_ipc::peer::process_of;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::own_program;
use crate::sandbox::{Ran, Sandbox, feed};

/// The argument that makes this program an agent.
pub(super) const WORD: &str = "stand-in-agent";

#[derive(Serialize, Deserialize)]
struct Run {
    id: u64,
    words: Vec<String>,
    input: String,
}

#[derive(Serialize, Deserialize)]
struct Ended {
    id: u64,
    code: i32,
    stdout: String,
    stderr: String,
}

type Waiting = Arc<Mutex<HashMap<u64, Sender<Ran>>>>;

/// The agent. It ends, with what it still runs left alone, when this is dropped.
pub(crate) struct Agent {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
    next: AtomicU64,
    waiting: Waiting,
    reader: Option<JoinHandle<()>>,
}

/// Something that the agent runs.
pub(crate) struct Running(Receiver<Ran>);

impl Running {
    /// What it left behind when it ended.
    #[track_caller]
    pub(crate) fn ended(&self) -> Ran {
        // The limit only ends a test that has failed.
        self.0
            .recv_timeout(Duration::from_secs(120))
            .expect("what the agent runs never ended")
    }
}

impl Agent {
    /// Starts an agent that works in the sandbox's workspace.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::start_as(sandbox, &own_program())
    }

    /// Starts one under this name, by which it may be known.
    pub(crate) fn start_as(sandbox: &Sandbox, name: &str) -> Self {
        let mut child = Command::new(own_program())
            .arg0(name)
            .arg(WORD)
            .current_dir(&sandbox.workspace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let waiting = Waiting::default();
        let of_reader = Arc::clone(&waiting);
        let reader = thread::spawn(move || {
            for line in output.lines() {
                let ended: Ended = serde_json::from_str(&line.unwrap()).unwrap();
                let sender = of_reader.lock().unwrap().remove(&ended.id).unwrap();
                // Nobody may wait for it any more.
                let _ = sender.send(Ran {
                    code: ended.code,
                    stdout: ended.stdout,
                    stderr: ended.stderr,
                });
            }
        });
        Self {
            input: Mutex::new(child.stdin.take()),
            child,
            next: AtomicU64::new(0),
            waiting,
            reader: Some(reader),
        }
    }

    /// The agent's own process, for which its hooks speak.
    pub(crate) fn process(&self) -> ProcessId {
        process_of(self.child.id()).unwrap()
    }

    /// Starts a program as a child of the agent.
    pub(crate) fn begin(&self, words: &[&str], input: &str) -> Running {
        let (sender, receiver) = channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().unwrap().insert(id, sender);
        let run = Run {
            id,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            input: input.to_owned(),
        };
        let line = serde_json::to_string(&run).unwrap();
        let mut to_agent = self.input.lock().unwrap();
        writeln!(to_agent.as_mut().unwrap(), "{line}").unwrap();
        Running(receiver)
    }

    /// Starts a hook.
    pub(crate) fn begin_hook(
        &self,
        sandbox: &Sandbox,
        agent: &str,
        event: &str,
        payload: &Value,
    ) -> Running {
        self.begin(&sandbox.hook_words(agent, event), &payload.to_string())
    }

    /// Runs a hook to its end.
    #[track_caller]
    pub(crate) fn hook(&self, sandbox: &Sandbox, agent: &str, event: &str, payload: &Value) -> Ran {
        self.begin_hook(sandbox, agent, event, payload).ended()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.input.lock().unwrap().take());
        self.child.wait().unwrap();
        let reader = self.reader.take().unwrap().join();
        assert!(thread::panicking() || reader.is_ok());
    }
}

/// What the agent's process does, until nobody tells it anything any more.
pub(super) fn serve() {
    for line in std::io::stdin().lock().lines() {
        let run: Run = serde_json::from_str(&line.unwrap()).unwrap();
        thread::spawn(move || {
            let (program, arguments) = run.words.split_first().unwrap();
            let ran = feed(Command::new(program).args(arguments), run.input.as_bytes());
            let ended = Ended {
                id: run.id,
                code: ran.code,
                stdout: ran.stdout,
                stderr: ran.stderr,
            };
            let line = serde_json::to_string(&ended).unwrap() + "\n";
            // In one piece; the test may be gone.
            let _ = std::io::stdout().lock().write_all(line.as_bytes());
        });
    }
}
