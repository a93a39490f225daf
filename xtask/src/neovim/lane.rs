//! The Lua tests in one Neovim.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::installation::Installation;
use crate::repository::root;

/// The tests' own bounds end long before; this one is for a Neovim that hangs.
const LONGEST: Duration = Duration::from_secs(600);

/// What `setsid` starts: Neovim, with its process group, its complaints and
/// its end left in the folder `$0`.
const START: &str =
    r#"echo $$ > "$0/group"; "$@" < /dev/null 2> "$0/complaints"; echo $? > "$0/status""#;

/// Runs them; whether all passed.
///
/// Neovim is started away from this process. The server refuses to work below
/// a coding agent, and people run the tests from one; whoever is above this
/// process shall not decide how they end.
pub(super) fn run(neovim: &Installation) -> Result<bool> {
    println!("{}", neovim.version);
    let folder = tempfile::Builder::new().prefix("neovim-").tempdir()?;
    let mut command = Command::new("setsid");
    command
        .args(["--fork", "sh", "-c", START])
        .arg(folder.path())
        .arg(neovim.program())
        .args(["--headless", "--clean", "-l"])
        .arg(root().join("tests/e2e/neovim/run.lua"))
        .arg(root().join("target/debug/countersign"))
        .arg(folder.path())
        .envs(neovim.variables()?)
        .env("LC_ALL", "C.UTF-8")
        .env("NVIM_LOG_FILE", folder.path().join("neovim.log"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for name in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{name}_HOME"), folder.path().join("xdg"));
    }
    let mut child = command
        .spawn()
        .context("cannot run setsid; is util-linux installed?")?;
    let output = child.stdout.take().context("there is no pipe")?;
    let (lines, received) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    child.wait()?;

    let deadline = Instant::now() + LONGEST;
    let mut last = String::new();
    loop {
        match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("{line}");
                last = line;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                println!("Neovim did not end within {} s", LONGEST.as_secs());
                end(folder.path());
                return Ok(false);
            }
        }
    }
    let _ = reader.join();
    let left = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let status = left("status");
    let passed = status.trim() == "0" && all_passed(&last);
    if !passed {
        println!("{}", left("complaints"));
        println!("Neovim ended with status {}", status.trim());
    }
    Ok(passed)
}

/// Whether a closing line tells of tests, none of which failed.
fn all_passed(closing: &str) -> bool {
    closing
        .strip_suffix(" passed, 0 failed")
        .and_then(|count| count.parse::<u32>().ok())
        .is_some_and(|count| count > 0)
}

/// Ends the processes that were started, by their group.
fn end(folder: &Path) {
    let group = fs::read_to_string(folder.join("group")).unwrap_or_default();
    if let Ok(group) = group.trim().parse::<u32>()
        && group > 1
    {
        let _ = Command::new("sh")
            .args(["-c", "kill -s KILL -- -$0"])
            .arg(group.to_string())
            .status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_that_ran_and_did_not_fail_have_passed() {
        for (closing, passed) in [
            ("9 passed, 0 failed", true),
            ("9 passed, 1 failed", false),
            ("0 passed, 0 failed", false),
            ("x 9 passed, 0 failed", false),
            ("", false),
        ] {
            assert_eq!(all_passed(closing), passed, "{closing}");
        }
    }
}
