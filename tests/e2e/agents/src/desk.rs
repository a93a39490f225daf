//! A person's editor: a real `countersign lsp` and, at its standard input and
//! output, the language client of the tests.

use std::time::{Duration, Instant};

use countersign_ipc::alive;
use countersign_ipc::discovery::{Announcement, find};
use countersign_test_support::lsp::{Behaviour, Editor};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::detached::{Detached, Launch};
use crate::surroundings;
use crate::wait::{until, within};
use crate::world::World;

/// The error of a yes that came in the first half second.
const TOO_SOON: i64 = -31_002;

/// The limit only ends a test that has failed.
const AT_LAST: Duration = Duration::from_secs(30);

/// The longest that an agent may take to its next call.
const AGENTS_TURN: Duration = Duration::from_secs(60);

/// An editor and its server, which run until this is dropped.
pub struct Desk {
    /// The editor.
    pub editor: Editor,
    announcement: Announcement,
    _server: Detached,
}

impl Desk {
    /// Opens the world's workspace in an editor.
    ///
    /// # Panics
    /// When the server does not start or does not announce itself.
    #[must_use]
    pub fn open(world: &World) -> Self {
        let (workspace, guard) = (world.workspace(), world.guard());
        let binary = surroundings::binary();
        let words = [binary.as_str(), "--home", guard.as_str(), "lsp", "--stdio"];
        let launch = Launch {
            words: words.map(str::to_owned).to_vec(),
            environment: world.environment(),
            folder: workspace.clone(),
        };
        let log = world.new_folder("server");
        let (server, input, output) = Detached::piped(&launch, world.root(), &log);
        let mut editor = Editor::of_pipes(input, output);
        for told in [
            "textDocument/publishDiagnostics",
            "countersign/approvalResolved",
            "countersign/decision",
            "countersign/status",
            "window/logMessage",
        ] {
            editor.allow(told);
        }
        let refresh = "workspace/textDocumentContent/refresh";
        editor.behave(refresh, Behaviour::AnswersNull);
        editor.initialize_with(json!({
            "processId": null,
            "workspaceFolders": [{ "uri": format!("file://{workspace}"), "name": "orchard" }],
            "capabilities": { "experimental": { "countersign": { "kind": "vscode" } } },
        }));
        let mut announced = None;
        until("the server announces the workspace", || {
            announced = find(&world.places().runtime_dir)
                .servers
                .into_iter()
                .find(|server| server.roots.iter().any(|root| root.folder == workspace));
            announced.is_some()
        });
        let announcement = announced.unwrap_or_else(|| panic!("{}", server.said()));
        Self {
            editor,
            announcement,
            _server: server,
        }
    }

    /// Waits for the approval of a call whose text contains this.
    ///
    /// # Panics
    /// When it does not come within the time that a slow agent may take.
    #[track_caller]
    pub fn approval(&mut self, text: &str) -> Value {
        let waits = within(AGENTS_TURN, || self.waits_for(text).then_some(()));
        assert!(waits.is_some(), "nobody is asked about {text}");
        self.editor
            .expect_notification("countersign/approvalRequested", |approval| {
                let shown = approval["text"].as_str();
                shown.is_some_and(|shown| shown.contains(text))
            })
    }

    /// Whether an approval is open whose text contains this.
    fn waits_for(&mut self, text: &str) -> bool {
        let pending = self
            .editor
            .request("countersign/pendingApprovals", Value::Null);
        let approvals = pending["approvals"].as_array();
        approvals.into_iter().flatten().any(|approval| {
            let shown = approval["text"].as_str();
            shown.is_some_and(|shown| shown.contains(text))
        })
    }

    /// A person says yes.
    ///
    /// # Panics
    /// When the yes does not count.
    #[track_caller]
    pub fn approve(&mut self, approval: &Value) {
        let answered = self.answer(approval, "approve");
        assert_eq!(answered, Ok(json!({ "decision": "allow" })));
    }

    /// A person says no.
    ///
    /// # Panics
    /// When the no does not count.
    #[track_caller]
    pub fn deny(&mut self, approval: &Value) {
        let answered = self.answer(approval, "deny");
        assert_eq!(answered, Ok(json!({ "decision": "block" })));
    }

    /// A person answers, as soon as that can be: what came of it, or the code of
    /// the error.
    fn answer(&mut self, approval: &Value, choice: &str) -> Result<Value, i64> {
        let answer = json!({
            "id": approval["id"],
            "nonce": approval["nonce"],
            "choice": choice,
        });
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

    /// Kills the server, as a crash would.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        let process = &self.announcement.instance.process;
        until("the server is gone", || !alive(process));
    }

    /// Stops the server: it takes connections and never answers.
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a stopped server go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.announcement.instance.process.pid).ok();
        let pid = pid.and_then(Pid::from_raw).expect("the server's process");
        kill_process(pid, signal).expect("an own process");
    }
}
