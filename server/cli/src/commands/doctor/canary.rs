//! A call that must be blocked, put to a hook as its agent would: through the
//! command line of the agent's settings, but over a state of its own, so that
//! nothing is counted or recorded. Nothing of the call is ever run: a hook only
//! decides.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_install::{Binary, FoundHook, LayerKind};
use serde_json::{Value, json};

use crate::commands::agents::Surroundings;

/// What every mode and every rule leaves blocked: driving the guard itself.
const CALL: &str = "countersign trust";

/// What the block says, so that it is this one and no accident.
const REASON: &str = "an agent may only look with `countersign`";

/// How long a hook may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Most that is read of an answer, in bytes.
const MOST_BYTES: u64 = 256 * 1024;

/// What trying a hook came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    /// It blocks.
    Blocked,
    /// There is no such call for its event.
    NoCanary,
    /// It must not be started, and why.
    Not(String),
}

/// Whether a hook blocks the call; `Err` says what it did.
pub(super) fn blocks(
    agent: &str,
    hook: &FoundHook,
    surroundings: &Surroundings,
) -> Result<Tried, String> {
    let (Some(call), Some(binary), true) = (&hook.call, &hook.binary, hook.decides) else {
        // What is wrong with its command line was said already.
        return Ok(Tried::NoCanary);
    };
    if !call.through.is_empty() {
        return Ok(Tried::Not(format!("{:?} starts it", call.through)));
    }
    match (binary, hook.layer) {
        (Binary::This(_), _) | (Binary::Other(_), LayerKind::User | LayerKind::Managed) => {}
        // A project that was fetched must not have its programs run by this.
        (Binary::Other(file), _) => {
            return Ok(Tried::Not(format!("the project has it start {file}")));
        }
        (Binary::Relative | Binary::Missing | Binary::NotRunnable, _) => {
            return Ok(Tried::NoCanary);
        }
    }
    let scratch = tempfile::Builder::new()
        .prefix("countersign-doctor-")
        .tempdir()
        .map_err(|error| format!("no folder to try it in can be made: {error}"))?;
    let scratch_path = scratch
        .path()
        .canonicalize()
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .ok_or("the folder to try it in is not UTF-8")?;
    let workspace = scratch_path.join("project");
    std::fs::create_dir_all(workspace.join(".git"))
        .map_err(|error| format!("no folder to try it in can be made: {error}"))?;
    let Some(payload) = payload(agent, &hook.event, &workspace) else {
        return Ok(Tried::NoCanary);
    };
    let home = scratch_path.join("state");
    let mut command = if agent == "opencode" {
        // The plugin starts it without a shell.
        let mut command = Command::new(&call.program);
        command.args(["hook", agent, "--event", &hook.event, "--timeout", "30"]);
        command.args(["--home", home.as_str()]);
        command
    } else {
        // The last `--home` counts. The scratch folder's name needs no quotes
        // but those that any folder for temporary files may need.
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{} --home \"$1\"", hook.command))
            .arg("sh")
            .arg(&home);
        command
    };
    command
        .current_dir(&workspace)
        .env("PATH", &surroundings.path)
        .env("HOME", &surroundings.home);
    let answer = run(command, &payload.to_string())?;
    judge(&answer)
}

/// How a hook ended, and what it said.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Whether this is a block in a form that agents honour, for the right reason.
fn judge(answer: &Ended) -> Result<Tried, String> {
    let Ended {
        code,
        stdout,
        stderr,
    } = answer;
    let said = |text: &str| countersign_core::redact::bounded(text.trim(), 300).into_owned();
    let denied = match code {
        Some(2) => stderr.contains(REASON),
        Some(0) => {
            let answer: Value = serde_json::from_str(stdout).unwrap_or_default();
            denies(&answer) && stdout.contains(REASON)
        }
        _ => false,
    };
    if denied {
        return Ok(Tried::Blocked);
    }
    let how = code.map_or_else(
        || "by a signal".to_owned(),
        |code| format!("with status {code}"),
    );
    Err(format!(
        "it ended {how} and said {:?}",
        said(if stderr.trim().is_empty() {
            stdout
        } else {
            stderr
        })
    ))
}

/// Whether an answer denies, in any agent's words.
fn denies(answer: &Value) -> bool {
    [
        "/hookSpecificOutput/permissionDecision",
        "/hookSpecificOutput/decision/behavior",
        "/permissionDecision",
        "/permission",
        "/decision",
    ]
    .iter()
    .any(|pointer| {
        let word = answer.pointer(pointer).and_then(Value::as_str);
        matches!(word, Some("deny" | "block"))
    })
}

fn run(mut command: Command, payload: &str) -> Result<Ended, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let group = rustix::process::Pid::from_child(&child);
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read to the end has seen enough; far below what a
        // pipe holds, so that writing never waits.
        let _ = stdin.write_all(payload.as_bytes());
    }
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = wait(&mut child);
    // Whatever it left behind would keep the readers waiting; it may be gone.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    if status.is_none() {
        // Reaped here; how it ended says nothing.
        let _ = child.wait();
    }
    let text = |reader: std::thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (stdout, stderr) = (text(stdout), text(stderr));
    match status {
        Some(status) => Ok(Ended {
            code: status.code(),
            stdout,
            stderr,
        }),
        None => Err(format!("it gave no answer within {} s", PATIENCE.as_secs())),
    }
}

fn reader(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read until an error is what it said.
            let _ = pipe.take(MOST_BYTES).read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return None,
        }
    }
    None
}

/// The call as the agent writes it at an event; none where the event has no
/// command.
fn payload(agent: &str, event: &str, workspace: &Utf8Path) -> Option<Value> {
    let session = "countersign-doctor";
    let with = |tool: &str, more: Value| {
        let mut payload = json!({
            "session_id": session,
            "cwd": workspace,
            "hook_event_name": event,
            "tool_name": tool,
            "tool_input": { "command": CALL },
        });
        if let (Some(payload), Value::Object(more)) = (payload.as_object_mut(), more) {
            payload.extend(more);
        }
        payload
    };
    // PermissionRequest has no id.
    let id = |name: &str| match event {
        "PermissionRequest" => json!({ "permission_mode": "default" }),
        _ => json!({ "permission_mode": "default", name: "doctor" }),
    };
    let time = "2026-01-01T00:00:00.000Z";
    Some(match agent {
        "claude-code" => with("Bash", id("tool_use_id")),
        "qwen" => with("run_shell_command", id("tool_use_id")),
        "codex" => {
            let mut payload = with("Bash", id("tool_use_id"));
            payload.as_object_mut()?.extend([
                ("turn_id".to_owned(), "1".into()),
                ("model".to_owned(), "doctor".into()),
            ]);
            payload
        }
        "gemini" => with("run_shell_command", json!({ "timestamp": time })),
        "opencode" => with(
            "bash",
            json!({ "countersign_plugin": 1, "permission_mode": "build", "tool_use_id": "doctor" }),
        ),
        "vscode" => json!({
            "sessionId": session,
            "timestamp": time,
            "cwd": workspace,
            "hookEventName": event,
            "tool_name": "run_in_terminal",
            "tool_input": { "command": CALL, "explanation": "" },
            "tool_use_id": "doctor",
        }),
        "cursor" => {
            let common = json!({
                "conversation_id": session,
                "generation_id": "1",
                "model": "doctor",
                "hook_event_name": event,
                "cursor_version": "2.4.0",
                "workspace_roots": [workspace],
            });
            let more = match event {
                "beforeShellExecution" => json!({ "command": CALL, "cwd": workspace }),
                "preToolUse" => json!({
                    "tool_name": "Shell",
                    "tool_input": { "command": CALL, "working_directory": workspace },
                    "tool_use_id": "doctor",
                    "cwd": workspace,
                }),
                _ => return None,
            };
            let mut payload = common;
            payload.as_object_mut()?.extend(more.as_object()?.clone());
            payload
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, stdout: &str, stderr: &str) -> Ended {
        Ended {
            code: Some(code),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn only_a_block_for_the_right_reason_counts() {
        let reason = format!("Countersign: {REASON} (check)");
        let deny = json!({ "hookSpecificOutput": { "decision": {
            "behavior": "deny", "message": reason } } })
        .to_string();
        assert_eq!(judge(&ended(2, "", &reason)), Ok(Tried::Blocked));
        assert_eq!(judge(&ended(0, &deny, "")), Ok(Tried::Blocked));
        for wrong in [
            ended(0, "", ""),
            ended(0, "", &reason),
            ended(1, "", &reason),
            ended(2, "", "the payload cannot be read"),
            ended(0, &deny.replace("deny", "allow"), ""),
            ended(0, &format!("x{deny}"), ""),
            ended(127, "", "sh: countersign: not found"),
        ] {
            assert!(judge(&wrong).unwrap_err().contains("it ended with status"));
        }
    }
}
