//! Programs that are run apart from whoever runs the tests. The server refuses
//! to work below a coding agent, and people run the tests from one; whoever is
//! above this process shall not decide how they end.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// What `setsid` starts: the program, with its process group, its complaints
/// and its end left in the folder `$0`.
const START: &str =
    r#"echo $$ > "$0/group"; "$@" < /dev/null 2> "$0/complaints"; echo $? > "$0/status""#;

/// Runs `command` and shows what it prints; whether it succeeded and its last
/// line tells of tests, none of which failed.
///
/// `folder` takes what is needed meanwhile. What is left after `longest`, or
/// when the tests have ended, is ended with its whole process group.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn tests(command: &Command, folder: &Path, longest: Duration) -> Result<bool> {
    let mut last = String::new();
    run(command, folder, longest, |line| {
        last.clear();
        last.push_str(line);
    })
    .map(|well| well && all_passed(&last))
}

/// The same for `cargo test`, whose programs each have a closing line of their
/// own.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn cargo_tests(command: &Command, folder: &Path, longest: Duration) -> Result<bool> {
    let mut passed = Some(0);
    let well = run(command, folder, longest, |line| {
        if let Some(closing) = line.strip_prefix("test result: ") {
            passed = passed.zip(count(closing)).map(|(all, one)| all + one);
        }
    })?;
    Ok(well && passed.is_some_and(|count| count > 0))
}

/// Runs `command` and shows what it prints, which `sees` sees as well; whether
/// it succeeded in time.
fn run(
    command: &Command,
    folder: &Path,
    longest: Duration,
    mut sees: impl FnMut(&str),
) -> Result<bool> {
    let mut apart = Command::new("setsid");
    apart
        .args(["--fork", "sh", "-c", START])
        .arg(folder)
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => apart.env(name, value),
            None => apart.env_remove(name),
        };
    }
    if let Some(current) = command.get_current_dir() {
        apart.current_dir(current);
    }
    let mut child = apart
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

    let deadline = Instant::now() + longest;
    let in_time = loop {
        match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("{line}");
                sees(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    // The output may end a moment before the status is written.
    let left = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    while in_time && left("status").is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    end(folder);
    if !in_time {
        println!("{}", left("complaints"));
        println!("the tests did not end within {} s", longest.as_secs());
        return Ok(false);
    }
    let _ = reader.join();
    let status = left("status");
    let well = status.trim() == "0";
    if !well {
        println!("{}", left("complaints"));
        println!("the tests ended with status {}", status.trim());
    }
    Ok(well)
}

/// How many tests passed; none unless all did that there are.
fn count(closing: &str) -> Option<u32> {
    let mut parts = closing.strip_prefix("ok. ")?.split("; ");
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    (parts.next()? == "0 failed" && parts.next()? == "0 ignored").then_some(passed)
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
            .args(["-c", "kill -s KILL -- -$0 2> /dev/null"])
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

    #[test]
    fn of_cargo_no_program_may_have_failed_or_left_out_a_test() {
        let closing = |passed: u32, failed: u32, ignored: u32| {
            let verdict = if failed == 0 { "ok" } else { "FAILED" };
            format!(
                "test result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 \
                 measured; 0 filtered out; finished in 0.00s"
            )
        };
        for (lines, passed) in [
            (vec![closing(0, 0, 0), closing(3, 0, 0)], true),
            (vec![closing(3, 0, 0), closing(2, 1, 0)], false),
            (vec![closing(3, 0, 1)], false),
            (vec![closing(0, 0, 0)], false),
            (Vec::new(), false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut command = Command::new("printf");
            command.arg("%s\\n").args(&lines);
            let outcome = cargo_tests(&command, folder.path(), Duration::from_secs(60)).unwrap();
            assert_eq!(outcome, passed, "{lines:?}");
        }
    }

    #[test]
    fn tests_pass_if_they_end_well_and_in_time() {
        for (script, longest, passed) in [
            ("echo 3 passed, 0 failed", 60, true),
            ("echo 3 passed, 0 failed; exit 1", 60, false),
            ("echo 2 passed, 1 failed", 60, false),
            ("echo 3 passed, 0 failed; sleep 60", 0, false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            let longest = Duration::from_secs(longest);
            let outcome = super::tests(&command, folder.path(), longest).unwrap();
            assert_eq!(outcome, passed, "{script}");
        }
    }
}
