//! Starting the program as a person does: below no agent, wherever the tests
//! run. `find` stands for a terminal: a program that is no shell and stays, and
//! that starts a shell which leads a session. Its own parent is gone, so that
//! nothing of what started the tests is above it.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{PROGRAM, Ran, Sandbox, until};

impl Sandbox {
    /// `countersign <arguments> --home …` in the workspace, below no agent.
    pub(crate) fn alone(&self, arguments: &[&str]) -> Ran {
        self.alone_with(&[], arguments)
    }

    /// The same with these variables.
    pub(crate) fn alone_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        // The shell leads the session, and says last how it ended.
        let script = "out=$1; shift; \"$@\" >\"$out/out\" 2>\"$out/err\" </dev/null; \
                      echo $? >\"$out/code.new\"; mv \"$out/code.new\" \"$out/code\"";
        assert!(
            !arguments
                .iter()
                .any(|word| *word == ";" || word.contains("{}"))
        );
        let mut command = forked();
        command
            .arg("find")
            .arg(folder.path())
            .args(["-prune", "-exec", "setsid", "/bin/sh", "-c", script, "sh"])
            .arg(folder.path())
            .args([PROGRAM, "--home", self.home.as_str()])
            .args(arguments)
            .arg(";")
            .envs(variables.iter().copied())
            .current_dir(&self.workspace)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        leave_behind(&mut command);
        until("the program has ended", || file("code").exists());
        let read = |name: &str| fs::read_to_string(file(name)).unwrap();
        Ran {
            code: read("code").trim().parse().unwrap(),
            stdout: read("out"),
            stderr: read("err"),
        }
    }

    /// What the program says on standard error when it is sent away from the
    /// tests without a terminal: through each of these words.
    pub(crate) fn sent_away(&self, through: &[&str], arguments: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let words = [through, &[PROGRAM, "--home", self.home.as_str()], arguments].concat();
        let mut command = forked();
        command
            .args(&words)
            .current_dir(&self.workspace)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said).unwrap());
        leave_behind(&mut command);
        let read = || fs::read_to_string(&said).unwrap();
        until("the program has said why not", || read().ends_with('\n'));
        read()
    }

    /// The program below a shell that is taken for an agent.
    pub(crate) fn below_an_agent(&self, arguments: &[&str]) -> Ran {
        let words = [&[PROGRAM, "--home", self.home.as_str()], arguments].concat();
        let shell = ["/bin/sh", "-c", "\"$@\"; exit $?", "sh"];
        let mut command = crate::support::through(&shell, &words);
        std::os::unix::process::CommandExt::arg0(&mut command, "claude");
        command.current_dir(&self.workspace);
        crate::support::feed(&mut command, b"y\n")
    }
}

/// A command, to which words are added, that leads a session, and begins with
/// those words when it is told to.
fn forked() -> Command {
    let mut command = Command::new("setsid");
    let script = "read -r go && exec \"$@\" </dev/null";
    command.args(["--fork", "/bin/sh", "-c", script, "sh"]);
    command
}

/// Runs what is [`forked`], and lets its words begin when the program that
/// forked it is gone: one that began at once could still see who started it.
#[track_caller]
fn leave_behind(command: &mut Command) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut go = child.stdin.take().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    go.write_all(b"go\n").unwrap();
}

/// Ways in which a command leaves those who started it behind.
pub(crate) const WAYS_AWAY: [&[&str]; 3] = [
    &[],
    &["/bin/sh", "-c", "\"$@\"; exit $?", "sh"],
    &["/bin/sh", "-c", "setsid --wait \"$@\"; exit $?", "sh"],
];

/// Auto mode, a rule of each kind, and a model at this address.
pub(crate) fn with_model(base_url: &str, more: &str) -> String {
    format!(
        r#"{{
  "tools": {{ "approvalMode": "auto" }},
  "permissions": {{
    "allow": ["Bash(cargo test *)"],
    "ask": ["Bash(git push *)"],
    "deny": ["Bash(uproot *)"],
    "autoMode": {{ "classifier": {{
      "baseUrl": "{base_url}",
      "model": "scripted-model"{more}
    }} }}
  }}
}}
"#
    )
}
