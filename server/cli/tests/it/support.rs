//! A folder of its own for every test, the program, and what it answered.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_settings::{Places, TrustStore};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

/// What agents start.
pub(crate) const HOOK: &str = env!("CARGO_BIN_EXE_countersign-hook");

pub(crate) const CLAUDE: &str = "claude-code";
pub(crate) const QWEN: &str = "qwen";
pub(crate) const CODEX: &str = "codex";
pub(crate) const GEMINI: &str = "gemini";

/// Every event that wants a decision.
pub(crate) const DECIDING: &[(&str, &str)] = &[
    (CLAUDE, "PreToolUse"),
    (CLAUDE, "PermissionRequest"),
    (QWEN, "PreToolUse"),
    (QWEN, "PermissionRequest"),
    (CODEX, "PreToolUse"),
    (CODEX, "PermissionRequest"),
    (GEMINI, "BeforeTool"),
];

/// Auto mode, and a rule of each kind.
pub(crate) const AUTO: &str = r#"{
  // A person's own file.
  "tools": { "approvalMode": "auto" },
  "permissions": {
    "allow": ["Bash(cargo test *)", "Bash(git status)", "WebFetch(domain:docs.rs)"],
    "ask": ["Bash(git push *)"],
    "deny": ["Bash(uproot *)", "Read(.env)"],
  },
}
"#;

/// The same rules in default mode.
pub(crate) const DEFAULT: &str = r#"{
  "tools": { "approvalMode": "default" },
  "permissions": {
    "allow": ["Bash(cargo test *)", "Bash(git status)", "WebFetch(domain:docs.rs)"],
    "ask": ["Bash(git push *)"],
    "deny": ["Bash(uproot *)", "Read(.env)"]
  }
}
"#;

/// A home for the guard and a workspace beside it.
pub(crate) struct Sandbox {
    _folder: TempDir,
    pub(crate) home: Utf8PathBuf,
    pub(crate) workspace: Utf8PathBuf,
}

impl Sandbox {
    /// Without settings and without trust.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("vineyard-")
            .tempdir()
            .unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let workspace = root.join("project");
        fs::create_dir_all(workspace.join(".git")).unwrap();
        fs::create_dir_all(workspace.join("src")).unwrap();
        fs::write(workspace.join("src/lib.rs"), "pub fn vines() {}\n").unwrap();
        fs::write(workspace.join("package.json"), "{}\n").unwrap();
        fs::write(workspace.join(".env"), "KEY=none\n").unwrap();
        Self {
            home: root.join("home"),
            workspace,
            _folder: folder,
        }
    }

    /// A trusted workspace with the user's settings.
    pub(crate) fn trusted(settings: &str) -> Self {
        let sandbox = Self::new();
        sandbox.settings(settings);
        sandbox.trust();
        sandbox
    }

    pub(crate) fn places(&self) -> Places {
        Places::below(&self.home).unwrap()
    }

    pub(crate) fn state_dir(&self) -> Utf8PathBuf {
        self.home.join("state")
    }

    pub(crate) fn database(&self) -> Utf8PathBuf {
        self.state_dir().join(countersign_store::FILE_NAME)
    }

    /// The user's settings file.
    pub(crate) fn settings(&self, text: &str) {
        let file = self.places().user_file();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The workspace's settings file.
    pub(crate) fn workspace_settings(&self, text: &str) {
        let file = Places::workspace_file(&self.workspace);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// As a person would with `countersign trust`, which no test may run.
    pub(crate) fn trust(&self) {
        TrustStore::new(&self.places())
            .trust(&self.workspace)
            .unwrap();
    }

    /// The absolute path of a file of the workspace.
    pub(crate) fn file(&self, path: &str) -> String {
        self.workspace.join(path).into_string()
    }

    /// `countersign <arguments> --home …` in the workspace.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(["--home", self.home.as_str()])
            .args(arguments)
            .current_dir(&self.workspace);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        feed(&mut self.command(arguments), b"")
    }

    /// The words of a hook's command line.
    pub(crate) fn hook_words<'a>(&'a self, agent: &'a str, event: &'a str) -> Vec<&'a str> {
        let home = self.home.as_str();
        vec![
            HOOK,
            "hook",
            agent,
            "--event",
            event,
            "--timeout",
            "60",
            "--home",
            home,
        ]
    }

    pub(crate) fn hook_command(&self, agent: &str, event: &str) -> Command {
        through(&[], &self.hook_words(agent, event))
    }

    /// Runs a hook as the agent does.
    pub(crate) fn hook(&self, agent: &str, event: &str, payload: &Value) -> Ran {
        feed(
            &mut self.hook_command(agent, event),
            payload.to_string().as_bytes(),
        )
    }

    /// Runs a hook behind programs that end in its place (`exec`).
    pub(crate) fn hook_through(
        &self,
        wrapper: &[&str],
        agent: &str,
        event: &str,
        payload: &Value,
    ) -> Ran {
        feed(
            &mut through(wrapper, &self.hook_words(agent, event)),
            payload.to_string().as_bytes(),
        )
    }

    /// The payload of an event, as its agent writes it.
    pub(crate) fn payload(&self, agent: &str, event: &str) -> Value {
        let file = format!(
            "{}/tests/it/payloads/{agent}/{event}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        serde_json::from_str(&text.replace("@WORKSPACE@", self.workspace.as_str())).unwrap()
    }

    /// A call of a tool.
    pub(crate) fn call(&self, agent: &str, event: &str, tool: &str, input: Value) -> Value {
        self.payload(agent, event)
            .with("tool_name", json!(tool))
            .with("tool_input", input)
    }

    /// A shell command.
    pub(crate) fn shell(&self, agent: &str, event: &str, command: &str) -> Value {
        let payload = self.payload(agent, event);
        let tool = payload["tool_name"].clone();
        let input = payload["tool_input"]
            .clone()
            .with("command", json!(command));
        payload.with("tool_name", tool).with("tool_input", input)
    }

    /// An edit of a file of the workspace.
    pub(crate) fn edit(&self, agent: &str, event: &str, path: &str) -> Value {
        let input = json!({
            "file_path": self.file(path),
            "old_string": "vines",
            "new_string": "trellis",
        });
        match agent {
            CLAUDE => self.call(agent, event, "Edit", input),
            QWEN => self.call(agent, event, "edit", input),
            GEMINI => self.call(agent, event, "replace", input),
            _ => {
                let patch = format!(
                    "*** Begin Patch\n*** Update File: {path}\n@@\n-vines\n+trellis\n*** End Patch"
                );
                self.call(agent, event, "apply_patch", json!({ "command": patch }))
            }
        }
    }

    /// A read of a file of the workspace.
    pub(crate) fn read(&self, agent: &str, event: &str, path: &str) -> Value {
        let path = self.file(path);
        match agent {
            CLAUDE => self.call(agent, event, "Read", json!({ "file_path": path })),
            QWEN | GEMINI => self.call(agent, event, "read_file", json!({ "file_path": path })),
            _ => self.call(agent, event, "view_image", json!({ "path": path })),
        }
    }

    /// Every row of the journal, oldest first.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let ran = self.run(&["log", "--json", "-n", "1000000"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let mut rows: Vec<Value> = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
            .collect();
        rows.sort_by_key(|row| row["seq"].as_i64().unwrap());
        rows
    }

    /// The rows of a kind.
    pub(crate) fn rows(&self, kind: &str) -> Vec<Value> {
        let mut rows = self.journal();
        rows.retain(|row| row["kind"] == kind);
        rows
    }

    #[track_caller]
    pub(crate) fn assert_verified(&self) {
        let ran = self.run(&["log", "verify"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// The log of the guard's own problems.
    pub(crate) fn log_file(&self) -> String {
        fs::read_to_string(self.state_dir().join("countersign.log")).unwrap_or_default()
    }
}

/// Changing a field of a payload.
pub(crate) trait With {
    fn with(self, key: &str, value: Value) -> Self;
    fn without(self, key: &str) -> Self;
}

impl With for Value {
    fn with(mut self, key: &str, value: Value) -> Self {
        self.as_object_mut().unwrap().insert(key.to_owned(), value);
        self
    }

    fn without(mut self, key: &str) -> Self {
        self.as_object_mut().unwrap().remove(key).unwrap();
        self
    }
}

/// A command line behind others.
pub(crate) fn through(wrapper: &[&str], words: &[&str]) -> Command {
    let all = [wrapper, words].concat();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]);
    command
}

/// What a process left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The exit status; 128 and more for the signal that ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Starts a process with pipes.
pub(crate) fn start(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a process with this input.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = start(command);
    // One that does not read to the end is right to: it has seen enough.
    let _ = child.stdin.take().unwrap().write_all(input);
    finish(child)
}

/// What a process left behind that ends by itself.
pub(crate) fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output
            .status
            .code()
            .unwrap_or_else(|| 128 + output.status.signal().unwrap()),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits until something holds. The limit only ends a test that has failed.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Ran {
    /// Standard output as one line of JSON.
    #[track_caller]
    fn printed(&self) -> Value {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        assert_eq!(self.stdout.matches('\n').count(), 1, "{self:?}");
        assert!(self.stdout.ends_with('\n'), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The reason in the exact JSON that the agents take for a decision
    /// before the tool runs.
    #[track_caller]
    fn pre_tool_reason(&self, decision: &str) -> String {
        let printed = self.printed();
        let reason = printed["hookSpecificOutput"]["permissionDecisionReason"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned();
        assert_eq!(
            printed,
            json!({ "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": decision,
                "permissionDecisionReason": reason,
            }})
        );
        assert!(!reason.trim().is_empty());
        reason
    }

    /// The tool may run, in the form that the agent honours.
    #[track_caller]
    pub(crate) fn assert_allow(&self, agent: &str, event: &str) {
        match (agent, event) {
            (_, "PermissionRequest") => assert_eq!(
                self.printed(),
                json!({ "hookSpecificOutput": {
                    "hookEventName": "PermissionRequest",
                    "decision": { "behavior": "allow" },
                }})
            ),
            (CODEX, _) => self.assert_neutral(),
            (GEMINI, _) => assert_eq!(self.printed(), json!({ "decision": "allow" })),
            _ => {
                self.pre_tool_reason("allow");
            }
        }
    }

    /// The tool does not run, in the form that every agent honours for the
    /// event; gives back the message.
    #[track_caller]
    pub(crate) fn assert_block(&self, event: &str) -> String {
        let message = if event == "PermissionRequest" {
            let printed = self.printed();
            let message = printed["hookSpecificOutput"]["decision"]["message"]
                .as_str()
                .unwrap_or_else(|| panic!("{self:?}"))
                .to_owned();
            assert_eq!(
                printed,
                json!({ "hookSpecificOutput": {
                    "hookEventName": "PermissionRequest",
                    "decision": { "behavior": "deny", "message": message },
                }})
            );
            message
        } else {
            assert_eq!((self.code, self.stdout.as_str()), (2, ""), "{self:?}");
            self.stderr.clone()
        };
        assert!(message.contains("Countersign"), "{self:?}");
        message
    }

    /// A person is asked, or, where the agent cannot ask, the tool does not
    /// run.
    #[track_caller]
    pub(crate) fn assert_ask(&self, agent: &str, event: &str) -> String {
        match (agent, event) {
            (_, "PermissionRequest") => {
                self.assert_neutral();
                String::new()
            }
            (CLAUDE, _) => self.pre_tool_reason("ask"),
            _ => {
                let message = self.assert_block(event);
                assert!(message.contains("nowhere to ask"), "{message}");
                message
            }
        }
    }

    /// Nothing is said.
    #[track_caller]
    pub(crate) fn assert_neutral(&self) {
        assert_eq!(
            (self.code, self.stdout.as_str(), self.stderr.as_str()),
            (0, "", ""),
            "{self:?}"
        );
    }

    /// A failure of the command line.
    #[track_caller]
    pub(crate) fn assert_failure(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in {self:?}");
        }
    }
}

/// A file in a folder of the sandbox, for messages.
pub(crate) fn contains(text: &str, path: &Utf8Path) -> bool {
    text.contains(path.as_str())
}
