//! The agent as a process of its own: started in a group of its own, and ended
//! with everything in it when the proxy ends.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long the agent, and then its group, has to end when asked to.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// How often is looked whether the group is gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running agent.
#[derive(Debug)]
pub struct AgentProcess {
    child: Child,
    group: Option<Pid>,
}

impl AgentProcess {
    /// Starts the agent with its standard input and output to talk to it; its
    /// standard error is this process's.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        program: &OsString,
        arguments: &[OsString],
        folder: &Utf8Path,
    ) -> io::Result<(Self, ChildStdout, ChildStdin)> {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(io::Error::other(
                "the agent has no standard input and output",
            ));
        };
        Ok((Self { child, group }, output, input))
    }

    /// Its process id; none after it ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the agent to end by itself for a while, ends it else, and then
    /// everything that it left in its group; how it ended.
    ///
    /// # Errors
    /// When that cannot be told.
    pub async fn end(mut self, may_go_on: bool) -> io::Result<ExitStatus> {
        let mut status = None;
        if may_go_on {
            status = self.ended_within(ENDS_WITHIN).await;
        }
        if status.is_none() {
            self.signal(Signal::TERM);
            status = self.ended_within(ENDS_WITHIN).await;
        }
        let status = match status {
            Some(status) => status?,
            None => {
                self.signal(Signal::KILL);
                self.child.wait().await?
            }
        };
        self.end_group().await;
        // Its number may be somebody else's from now on.
        self.group = None;
        Ok(status)
    }

    async fn ended_within(&mut self, within: Duration) -> Option<io::Result<ExitStatus>> {
        tokio::time::timeout(within, self.child.wait()).await.ok()
    }

    /// Ends what the agent left behind.
    async fn end_group(&self) {
        let Some(group) = self.group else {
            return;
        };
        self.signal(Signal::TERM);
        let gone = async {
            while test_kill_process_group(group).is_ok() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(ENDS_WITHIN, gone).await.is_err() {
            self.signal(Signal::KILL);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may be gone already.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for AgentProcess {
    /// Without the proxy nothing of the agent goes on, whatever ended the proxy.
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// The exit code of a process that passes on how another one ended.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 1,
    };
    u8::try_from(code).unwrap_or(1)
}
