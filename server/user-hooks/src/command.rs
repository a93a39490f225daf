//! One program: in a process group of its own that is gone when this ends,
//! however it ends.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::environment;
use crate::firing::Firing;

/// The most that a hook may write to each of its outputs, in bytes.
pub(crate) const MOST_OUTPUT: usize = 1024 * 1024;

/// How long outputs are read on after the program ended: somebody who left its
/// group may hold them open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs a command line. Dropping the future ends what it started.
///
/// # Errors
/// Why there is no exit status, in plain words.
pub(crate) async fn run(command: &str, firing: &Firing) -> Result<Ended, String> {
    let place = &firing.place;
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .env_clear()
        .envs(environment::variables(firing.event, place))
        // Never a folder that an agent may write: programs look around.
        .current_dir(&place.person.home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let group = Group::of(&child);
    let (Some(mut input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("it cannot be started: no pipes".to_owned());
    };
    let payload = Arc::clone(&firing.payload);
    let writing = Task(tokio::spawn(async move {
        // It need not read what it is told.
        let _ = input.write_all(&payload.bytes).await;
    }));
    let mut stdout = Task(tokio::spawn(bounded(output)));
    let mut stderr = Task(tokio::spawn(bounded(errors)));
    let (mut first, mut second) = (None, None);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            read = &mut stdout.0, if first.is_none() => first = Some(output_of(read)?),
            read = &mut stderr.0, if second.is_none() => second = Some(output_of(read)?),
        }
    };
    drop(writing);
    // What it left behind would go on with nobody minding its time.
    drop(group);
    let status = status.map_err(|error| format!("its end is not known: {error}"))?;
    let last = async {
        if first.is_none() {
            first = Some(output_of((&mut stdout.0).await)?);
        }
        if second.is_none() {
            second = Some(output_of((&mut stderr.0).await)?);
        }
        Ok::<_, String>(())
    };
    match tokio::time::timeout(LAST_WORDS, last).await {
        Ok(read) => read?,
        Err(_) => return Err("it ended, and something that it started held its output".to_owned()),
    }
    let Some(code) = status.code() else {
        let signal = status.signal().unwrap_or_default();
        return Err(format!("it was ended by signal {signal}"));
    };
    Ok(Ended {
        status: code,
        stdout: first.unwrap_or_default(),
        stderr: second.unwrap_or_default(),
    })
}

type Read = Result<Result<Vec<u8>, String>, tokio::task::JoinError>;

fn output_of(read: Read) -> Result<Vec<u8>, String> {
    read.map_err(|error| format!("its output cannot be read: {error}"))?
}

async fn bounded(source: impl AsyncRead + Unpin) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    source
        .take(MOST_OUTPUT as u64 + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| format!("its output cannot be read: {error}"))?;
    if bytes.len() > MOST_OUTPUT {
        return Err("it wrote more than 1 MiB".to_owned());
    }
    Ok(bytes)
}

/// A process group that ends with this. The number cannot have gone to
/// another one while its first process or any other of it is there.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // None is there any more in most cases.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A task that ends with this.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
