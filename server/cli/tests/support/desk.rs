//! A person's editor with a server of its own: `countersign lsp`, started away
//! from the test and from every agent, and the editor at its standard input
//! and output.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::state::ProcessId;
use countersign_ipc::alive;
use countersign_ipc::discovery::{Announcement, find};
use countersign_ipc::peer::{peer_of, process_of};
use countersign_test_support::lsp::{Behaviour, Editor};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::{own_program, start_detached};
use crate::sandbox::{PROGRAM, Sandbox, until};

/// The argument that makes this program a server at a socket.
pub(super) const WORD: &str = "at-a-desk";

/// The error of a yes that came in the first half second.
const TOO_SOON: i64 = -31_002;

/// The limit only ends a test that has failed.
const AT_LAST: Duration = Duration::from_secs(30);

/// An editor and its server, which run until this is dropped.
pub(crate) struct Desk {
    pub(crate) editor: Editor,
    process: ProcessId,
    runtime_dir: Utf8PathBuf,
    log: Utf8PathBuf,
}

impl Desk {
    /// In the sandbox's workspace.
    pub(crate) fn open(sandbox: &Sandbox) -> Self {
        Self::open_in(sandbox, &sandbox.workspace)
    }

    /// In a folder.
    pub(crate) fn open_in(sandbox: &Sandbox, folder: &Utf8Path) -> Self {
        let desk = Self::started_by(sandbox, folder, start_detached);
        desk.wait_until_announced(folder);
        desk
    }

    /// In a folder, with a server that somebody starts who runs these words.
    pub(crate) fn started_by(
        sandbox: &Sandbox,
        folder: &Utf8Path,
        run: impl FnOnce(&[&str]),
    ) -> Self {
        let (socket, log) = server_at(sandbox, run);
        let process = process_of(peer_of(&socket).unwrap().pid).unwrap();
        let mut editor = editor_of(socket);
        for told in [
            "textDocument/publishDiagnostics",
            "countersign/status",
            "countersign/approvalResolved",
        ] {
            editor.allow(told);
        }
        editor.behave(
            "workspace/textDocumentContent/refresh",
            Behaviour::AnswersNull,
        );
        editor.initialize_with(json!({
            "processId": null,
            "workspaceFolders": [{ "uri": format!("file://{folder}"), "name": "vineyard" }],
            "capabilities": { "experimental": { "countersign": { "kind": "vscode" } } },
        }));
        Self {
            editor,
            process,
            runtime_dir: sandbox.places().runtime_dir,
            log,
        }
    }

    /// The server's process.
    pub(crate) fn process(&self) -> &ProcessId {
        &self.process
    }

    /// What the server announces.
    pub(crate) fn announcement(&self) -> Option<Announcement> {
        let mut servers = find(&self.runtime_dir).servers;
        servers.retain(|server| server.instance.process == self.process);
        servers.pop()
    }

    /// What the server's files are called but for their endings.
    pub(crate) fn file(&self, ending: &str) -> Utf8PathBuf {
        self.file_of(&self.announcement().unwrap(), ending)
    }

    /// The same, by an announcement that was seen.
    pub(crate) fn file_of(&self, announcement: &Announcement, ending: &str) -> Utf8PathBuf {
        let key = &announcement.instance.key;
        let name = format!("{}-{}{ending}", self.process.pid, &key[..16]);
        self.runtime_dir.join(name)
    }

    #[track_caller]
    pub(crate) fn wait_until_announced(&self, folder: &Utf8Path) {
        until("the server announces the folder", || {
            self.announcement()
                .is_some_and(|server| server.roots.iter().any(|root| root.folder == folder))
        });
    }

    /// What the server wrote to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.pid).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Stops the server, and waits until none of its threads runs: one that
    /// does may still put right what the test is about to break.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        until("the server stands still", || {
            let threads = std::fs::read_dir(format!("/proc/{}/task", self.process.pid)).unwrap();
            threads.flatten().all(|thread| {
                let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap();
                // The state stands behind the name, which may hold anything.
                let (_, behind) = stat.rsplit_once(") ").unwrap();
                behind.starts_with('T')
            })
        });
    }

    /// Lets a server that was stopped go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal that ends the server, and waits for that.
    #[track_caller]
    pub(crate) fn end(&self, signal: Signal) {
        if signal == Signal::KILL {
            // It may be in the middle of a message.
            self.editor.may_be_cut_off();
        }
        self.signal(signal);
        until("the server ends", || !alive(&self.process));
    }

    /// Waits for the next approval.
    #[track_caller]
    pub(crate) fn approval(&mut self) -> Value {
        self.editor
            .expect_notification("countersign/approvalRequested", |_| true)
    }

    /// Waits for the approval of a command.
    #[track_caller]
    pub(crate) fn approval_of(&mut self, text: &str) -> Value {
        self.editor
            .expect_notification("countersign/approvalRequested", |approval| {
                approval["text"].as_str().unwrap().contains(text)
            })
    }

    /// A person answers, as soon as that can be: what came of it, or the code
    /// of the error.
    pub(crate) fn answer(&mut self, approval: &Value, more: Value) -> Result<Value, i64> {
        let mut answer = json!({ "id": approval["id"], "nonce": approval["nonce"] });
        for (name, value) in more.as_object().unwrap() {
            answer[name] = value.clone();
        }
        let start = Instant::now();
        loop {
            let answered = self
                .editor
                .try_request("countersign/resolveApproval", answer.clone());
            match answered {
                Err(error) if error.code == TOO_SOON && start.elapsed() < AT_LAST => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                answered => return answered.map_err(|error| error.code),
            }
        }
    }

    /// A person says yes.
    #[track_caller]
    pub(crate) fn approve(&mut self, approval: &Value) {
        let answered = self.answer(approval, json!({ "choice": "approve" }));
        assert_eq!(answered, Ok(json!({ "decision": "allow" })));
    }

    /// A person says no.
    #[track_caller]
    pub(crate) fn deny(&mut self, approval: &Value) {
        let answered = self.answer(approval, json!({ "choice": "deny" }));
        assert_eq!(answered, Ok(json!({ "decision": "block" })));
    }

    /// A person chooses the mode of all sessions, or of one.
    #[track_caller]
    pub(crate) fn set_mode(&mut self, mode: &str, session: Option<(&str, &str)>) {
        let mut wanted = json!({ "mode": mode, "acknowledged": true, "confirmed": true });
        if let Some((agent, session)) = session {
            wanted["session"] = json!({ "agent": agent, "session": session });
        }
        let done = self.editor.request("countersign/setMode", wanted);
        assert_eq!(done, json!({ "result": "done" }));
    }

    /// Everything that the server says of itself.
    pub(crate) fn status(&mut self) -> Value {
        self.editor.request("countersign/status", Value::Null)
    }

    /// What it says of a session, if it knows it.
    pub(crate) fn session(&mut self, session: &str) -> Option<Value> {
        let status = self.status();
        let sessions = status["sessions"].as_array().unwrap();
        let known = sessions.iter().find(|known| known["session"] == session);
        known.cloned()
    }

    /// How many approvals wait.
    pub(crate) fn pending(&mut self) -> usize {
        let pending = self
            .editor
            .request("countersign/pendingApprovals", Value::Null);
        pending["approvals"].as_array().unwrap().len()
    }

    /// Waits until exactly so many approvals wait, and forgets that they were
    /// shown.
    #[track_caller]
    pub(crate) fn wait_for_pending(&mut self, wanted: usize) {
        until("the approvals wait", || self.pending() == wanted);
    }
}

/// A server whose standard input and output are this socket, and the file of
/// its standard error.
fn server_at(sandbox: &Sandbox, run: impl FnOnce(&[&str])) -> (UnixStream, Utf8PathBuf) {
    let folder = tempfile::Builder::new()
        .prefix("desk-")
        .tempdir_in(sandbox.workspace.parent().unwrap())
        .unwrap();
    let folder = Utf8PathBuf::from_path_buf(folder.keep()).unwrap();
    let (control, log) = (folder.join("stdio"), folder.join("log"));
    let listener = UnixListener::bind(&control).unwrap();
    listener.set_nonblocking(true).unwrap();
    let home = sandbox.home.as_str();
    let program = own_program();
    run(&[&program, WORD, control.as_str(), log.as_str(), home]);
    let mut socket = None;
    until("the server starts", || {
        socket = listener.accept().ok();
        socket.is_some()
    });
    let (socket, _) = socket.unwrap();
    (socket, log)
}

/// What the server's process does before it becomes one.
pub(super) fn serve(arguments: &[String]) {
    let [control, log, home] = arguments else {
        panic!("{arguments:?}");
    };
    let socket = OwnedFd::from(UnixStream::connect(control).unwrap());
    let error = Command::new(PROGRAM)
        .args(["--home", home, "lsp", "--stdio"])
        .stdin(Stdio::from(socket.try_clone().unwrap()))
        .stdout(Stdio::from(socket))
        .stderr(Stdio::from(File::create(log).unwrap()))
        .exec();
    panic!("{PROGRAM}: {error}");
}

/// An editor whose bytes go to and come from the socket.
fn editor_of(socket: UnixStream) -> Editor {
    socket.set_nonblocking(true).unwrap();
    let (editor, _) = Editor::of(move |mut input, mut output| async move {
        let server = tokio::net::UnixStream::from_std(socket).unwrap();
        let (mut from_server, mut to_server) = server.into_split();
        let there = async {
            // Either end may go away at any time.
            let _ = tokio::io::copy(&mut input, &mut to_server).await;
            let _ = to_server.shutdown().await;
        };
        let back = async {
            let _ = tokio::io::copy(&mut from_server, &mut output).await;
            let _ = output.shutdown().await;
        };
        tokio::join!(there, back);
    });
    editor
}
