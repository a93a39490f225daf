//! Asks Countersign before an agent of your own runs a tool, with nothing but
//! the standard library.
//!
//! `permit` is `Ok` if the call may run, and otherwise says why it must not.
//! Everything but an explicit allow is a reason not to run it.
//!
//! ```text
//! cargo run --example guard -- countersign run_shell_command '{"command": "ls"}'
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the command line"
)]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const TIMEOUT_SECONDS: u64 = 600;

/// How much longer than its own deadline the hook may live.
const MARGIN: Duration = Duration::from_secs(2);

/// Most that is read of what the hook prints, in bytes.
const MOST_OUTPUT: u64 = 256 * 1024;

/// A call; `input` is JSON, exactly as it will be used.
struct Call<'a> {
    session: &'a str,
    id: &'a str,
    tool: &'a str,
    input: &'a str,
}

fn permit(program: &str, call: &Call<'_>) -> Result<(), String> {
    let cwd = std::env::current_dir().map_err(|error| error.to_string())?;
    let cwd = cwd.to_str().ok_or("the folder's name is not UTF-8")?;
    let payload = format!(
        r#"{{"version":1,"event":"before_tool","session":{},"cwd":{},"tool":{},"call":{},"input":{}}}"#,
        quoted(call.session),
        quoted(cwd),
        quoted(call.tool),
        quoted(call.id),
        call.input,
    );
    let seconds = TIMEOUT_SECONDS.to_string();
    let mut child = Command::new(program)
        .args(["hook", "generic", "--event", "before_tool"])
        .args(["--timeout", &seconds])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the guard cannot be run: {error}"))?;
    let deadline = Instant::now() + Duration::from_secs(TIMEOUT_SECONDS) + MARGIN;
    if let Some(mut input) = child.stdin.take() {
        // A hook that ends early says so by its status.
        thread::spawn(move || input.write_all(payload.as_bytes()));
    }
    let printed = collected(child.stdout.take());
    let errors = collected(child.stderr.take());
    let status = until(&mut child, deadline)?;
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    match status {
        Some(0) => {}
        Some(2) => return Err(text(errors).trim().to_owned()),
        other => return Err(format!("the guard ended with status {other:?}")),
    }
    // `none`: the guard has no opinion, because the agent's own dialog asks. An
    // answer that is written in another way is no allow either.
    match text(printed).trim() {
        r#"{"decision":"allow","version":1}"# | r#"{"decision":"none","version":1}"# => Ok(()),
        other => Err(format!("the guard did not allow it: {other}")),
    }
}

/// The status that the hook ends with; killed when it is late.
fn until(child: &mut Child, deadline: Instant) -> Result<Option<i32>, String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.code()),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
            other => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the guard is late: {other:?}"));
            }
        }
    }
}

fn collected(from: Option<impl std::io::Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(from) = from {
            // What is cut or no text is no answer.
            let _ = from.take(MOST_OUTPUT).read_to_string(&mut text);
        }
        text
    })
}

/// A text as a string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            control if control.is_control() && u32::from(control) < 0x80 => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, tool, input] = arguments.as_slice() else {
        eprintln!("usage: guard PROGRAM TOOL INPUT");
        return ExitCode::from(2);
    };
    let call = Call {
        // One for each conversation: counters and approvals belong to it.
        session: &format!("example-{}", std::process::id()),
        id: "1",
        tool,
        input,
    };
    match permit(program, &call) {
        Ok(()) => {
            println!("may run");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("not run: {reason}");
            ExitCode::FAILURE
        }
    }
}
