//! Processes that are nobody's children here. The tests may themselves be run by
//! a coding agent, below which no server serves and no session is a person's own.

use std::fs::{self, File};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait::{until, within};

/// The variable that marks what a test has started, to end all of it: an agent
/// may start groups of its own.
pub const MARK: &str = "COUNTERSIGN_E2E_WORLD";

/// Leaves the program running when its own shell ends, writes down the process
/// group and, at the end, the status.
const OUTER: &str = r#"inner=$1; shift
exec 3<&0
setsid /bin/sh -c "$inner" sh "$@" <&3 3<&- &
echo $! >"$1/group""#;

const INNER: &str = r#"log=$1; shift
"$@" 2>"$log/stderr"; echo $? >"$log/status.new"; mv "$log/status.new" "$log/status""#;

/// What is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// All of its variables but for the mark.
    pub environment: Vec<(String, String)>,
    /// Its folder.
    pub folder: Utf8PathBuf,
}

/// A running program; its group is killed when this is dropped.
#[derive(Debug)]
pub struct Detached {
    /// Where its output is kept: `stdout`, `stderr`, `status`.
    log: Utf8PathBuf,
    group: Pid,
}

impl Detached {
    /// Starts a program without input, whose output goes to a file.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(launch: &Launch, mark: &Utf8Path, log: &Utf8Path) -> Self {
        fs::create_dir_all(log).expect("a folder for the output");
        let output = File::create(log.join("stdout")).expect("a file for the output");
        let (running, _, _) = Self::spawn(launch, mark, log, Stdio::null(), Stdio::from(output));
        running
    }

    /// Starts a program that is spoken to.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn piped(
        launch: &Launch,
        mark: &Utf8Path,
        log: &Utf8Path,
    ) -> (Self, ChildStdin, ChildStdout) {
        fs::create_dir_all(log).expect("a folder for the output");
        let (running, input, output) =
            Self::spawn(launch, mark, log, Stdio::piped(), Stdio::piped());
        (
            running,
            input.expect("the input's pipe"),
            output.expect("the output's pipe"),
        )
    }

    fn spawn(
        launch: &Launch,
        mark: &Utf8Path,
        log: &Utf8Path,
        input: Stdio,
        output: Stdio,
    ) -> (Self, Option<ChildStdin>, Option<ChildStdout>) {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", OUTER, "sh", INNER, log.as_str()])
            .args(&launch.words)
            .env_clear()
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .env(MARK, mark)
            .current_dir(&launch.folder)
            .stdin(input)
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", launch.words));
        let pipes = (shell.stdin.take(), shell.stdout.take());
        let ended = shell.wait().expect("the shell's status");
        assert!(ended.success(), "{:?}: {ended}", launch.words);
        let group = fs::read_to_string(log.join("group")).expect("the group's number");
        let group = group.trim().parse().ok().and_then(Pid::from_raw);
        let group = group.expect("a process group");
        let log = log.to_owned();
        (Self { log, group }, pipes.0, pipes.1)
    }

    /// Waits until the program has ended; whether it did in this time. If not, it
    /// is killed with everything in its group.
    #[must_use]
    pub fn ended_within(&self, limit: Duration) -> bool {
        let status = self.log.join("status");
        let ended = within(limit, || status.exists().then_some(())).is_some();
        if !ended {
            self.kill();
        }
        ended
    }

    /// Kills the group.
    pub fn kill(&self) {
        // It may be gone.
        let _ = kill_process_group(self.group, Signal::KILL);
    }

    /// What it wrote to standard output (empty if that is a pipe) and error.
    #[must_use]
    pub fn said(&self) -> String {
        let part = |name: &str| {
            let bytes = fs::read(self.log.join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        format!(
            "status {}stdout: {}\nstderr: {}",
            part("status"),
            part("stdout"),
            part("stderr")
        )
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills whatever carries this mark, and waits until it is gone.
///
/// # Panics
/// When it does not go.
pub fn kill_marked(mark: &Utf8Path) {
    until("what a test has started is gone", || {
        let left = marked(mark);
        for process in &left {
            // It may be gone.
            let _ = kill_process(*process, Signal::KILL);
        }
        left.is_empty()
    });
}

/// Kills the agents that carry this mark, and leaves the guard and the shells
/// that wait for it.
///
/// # Panics
/// When there is none.
pub fn kill_agents(mark: &Utf8Path) {
    let mut killed = 0;
    for process in marked(mark) {
        let line = fs::read(format!("/proc/{}/cmdline", process.as_raw_nonzero()));
        let line = String::from_utf8_lossy(&line.unwrap_or_default()).into_owned();
        let program = line.split('\0').next().unwrap_or_default();
        let is_left = ["countersign", "countersign-hook", "/sh"]
            .iter()
            .any(|name| program.ends_with(name));
        if !is_left {
            killed += 1;
            // It may be gone.
            let _ = kill_process(process, Signal::KILL);
        }
    }
    assert!(killed > 0, "no agent runs");
}

/// The processes that run with this mark, but for this one.
#[must_use]
pub fn marked(mark: &Utf8Path) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| u32::try_from(*pid) != Ok(std::process::id()))
        // One that has ended has no environment any more.
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|variables| {
                variables
                    .split(|byte| *byte == 0)
                    .any(|variable| variable == wanted.as_bytes())
            })
        })
        .filter_map(Pid::from_raw)
        .collect()
}
