//! A person at the command line of the real `countersign`. Whoever started the
//! tests may be an agent, below which nothing is installed: `find` stands for a
//! terminal's program here, one that is no shell and stays, and that starts a
//! shell which leads a session.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::detached::MARK;
use crate::surroundings;
use crate::terminal::Terminal;
use crate::wait::within;
use crate::world::World;

/// The longest that a command may take; `doctor` starts every hook.
const WALL: Duration = Duration::from_secs(90);

/// Begins when its starter, which may be below an agent, is gone: else that could
/// still be seen above it.
const LEFT_BEHIND: &str = "read -r go && exec \"$@\" </dev/null";

/// The shell at which the person works: says last how the command ended.
const SHELL: &str = r#"log=$1 input=$2 output=$3; shift 3
"$@" <"$input" >"$output" 2>"$log/err"; echo $? >"$log/status.new"; mv "$log/status.new" "$log/status""#;

/// A person with the agents and the guard of a world.
#[derive(Debug, Clone, Copy)]
pub struct Person<'w>(pub &'w World);

/// A command that was started.
#[derive(Debug)]
pub struct Started {
    log: Utf8PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: i32,
    /// What it wrote, but for what a terminal showed.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Person<'_> {
    /// Runs `countersign <words>` as from a script: without a terminal.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    #[track_caller]
    pub fn runs(self, words: &[&str]) -> Ended {
        let log = self.0.new_folder("person");
        let output = log.join("out");
        self.start(&log, Utf8Path::new("/dev/null"), &output, words);
        Started { log }.ends()
    }

    /// Runs it with `--json`: what it says.
    ///
    /// # Panics
    /// When that is no JSON.
    #[must_use]
    #[track_caller]
    pub fn is_told(self, words: &[&str]) -> Value {
        let ended = self.runs(&[words, &["--json"]].concat());
        let told = serde_json::from_str(&ended.output);
        told.unwrap_or_else(|error| panic!("{words:?}: {error}: {ended:?}"))
    }

    /// Starts it in a terminal.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn begins(self, terminal: &Terminal, words: &[&str]) -> Started {
        let log = self.0.new_folder("person");
        let path = Utf8Path::new(terminal.path());
        self.start(&log, path, path, words);
        Started { log }
    }

    /// How many lines the guard's journal has.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    #[track_caller]
    pub fn journal(self) -> usize {
        let ended = self.runs(&["log", "--json", "-n", "100000"]);
        assert_eq!(ended.status, 0, "{ended:?}");
        ended.output.lines().count()
    }

    #[track_caller]
    fn start(self, log: &Utf8Path, input: &Utf8Path, output: &Utf8Path, words: &[&str]) {
        let (binary, guard) = (surroundings::binary(), self.0.guard());
        // Else `find` would take it for its own.
        assert!(!words.iter().any(|word| *word == ";" || word.contains("{}")));
        let mut command = Command::new("setsid");
        command
            .args(["--fork", "/bin/sh", "-c", LEFT_BEHIND, "sh"])
            .args(["find", log.as_str(), "-prune", "-exec"])
            .args(["setsid", "/bin/sh", "-c", SHELL, "sh"])
            .args([log, input, output])
            .args([binary.as_str(), "--home", guard.as_str()])
            .args(words)
            .arg(";")
            .env_clear()
            .envs(self.0.environment())
            .env(MARK, self.0.root())
            .current_dir(self.0.workspace())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut starter = command.spawn().expect("setsid");
        let mut go = starter.stdin.take().expect("a pipe");
        let status = starter.wait().expect("an own child");
        assert!(status.success(), "{words:?}: {status}");
        go.write_all(b"go\n").expect("somebody who waits");
    }
}

impl Started {
    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    #[track_caller]
    pub fn ends(self) -> Ended {
        let read = |name: &str| fs::read_to_string(self.log.join(name)).unwrap_or_default();
        let status = within(WALL, || read("status").trim().parse().ok());
        let (output, errors) = (read("out"), read("err"));
        let Some(status) = status else {
            panic!("it never ends: {output}\n{errors}");
        };
        Ended {
            status,
            output,
            errors,
        }
    }
}
