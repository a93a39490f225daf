//! Two events of one call have one digest; calls that differ have two.

use countersign_agents::decode;
use countersign_core::agent::Agent;
use countersign_core::call::Digest;
use serde_json::{Value, json};

use crate::captures::{call_of, captures, event_name};

fn digest(agent: Agent, folder: &str, name: &str) -> Digest {
    let bytes = captures(folder).remove(name).unwrap();
    let event = decode(agent, event_name(name), &bytes).unwrap();
    call_of(&event).unwrap().digest()
}

#[test]
fn the_events_of_one_call_are_joined() {
    for (agent, folder, events) in [
        (
            Agent::ClaudeCode,
            "claude",
            &[
                "PreToolUse-Bash",
                "PermissionRequest-Bash",
                "PermissionDenied-Bash",
                "PostToolUse-Bash",
            ][..],
        ),
        (
            Agent::ClaudeCode,
            "claude",
            &[
                "PreToolUse-Write",
                "PermissionRequest-Write",
                "PostToolUse-Write",
            ],
        ),
        (
            Agent::ClaudeCode,
            "claude",
            &[
                "PreToolUse-WebFetch",
                "PermissionRequest-WebFetch",
                "PostToolUseFailure-WebFetch",
            ],
        ),
        (
            Agent::Qwen,
            "qwen",
            &[
                "PermissionRequest-run_shell_command-via-acp",
                "PreToolUse-run_shell_command-via-acp",
                "PermissionDenied-run_shell_command-via-acp",
                "PostToolUse-run_shell_command",
            ],
        ),
        (
            Agent::Qwen,
            "qwen",
            &[
                "PermissionRequest-edit-via-acp",
                "PreToolUse-edit-via-acp",
                "PostToolUse-edit",
            ],
        ),
        (
            Agent::Qwen,
            "qwen",
            &[
                "PermissionRequest-web_fetch-via-acp",
                "PreToolUse-web_fetch-via-acp",
            ],
        ),
        (
            Agent::Qwen,
            "qwen",
            &[
                "PermissionRequest-write_file-via-acp",
                "PreToolUse-write_file-via-acp",
            ],
        ),
        // Codex adds a description to the request.
        (
            Agent::Codex,
            "codex",
            &[
                "PreToolUse-Bash",
                "PermissionRequest-Bash",
                "PostToolUse-Bash",
            ],
        ),
        (
            Agent::Codex,
            "codex",
            &["PreToolUse-apply_patch", "PermissionRequest-apply_patch"],
        ),
        (
            Agent::Gemini,
            "gemini",
            &["BeforeTool-replace", "AfterTool-replace"],
        ),
        (
            Agent::Gemini,
            "gemini",
            &["BeforeTool-web_fetch", "AfterTool-web_fetch"],
        ),
    ] {
        let digests: Vec<Digest> = events
            .iter()
            .map(|name| digest(agent, folder, name))
            .collect();
        assert!(
            digests.windows(2).all(|pair| pair[0] == pair[1]),
            "{events:?}"
        );
    }
}

#[test]
fn no_other_calls_are() {
    for (agent, folder, one, other) in [
        (
            Agent::ClaudeCode,
            "claude",
            "PreToolUse-Bash",
            "PreToolUse-PowerShell",
        ),
        // The same command of a sub-agent.
        (
            Agent::ClaudeCode,
            "claude",
            "PreToolUse-Bash",
            "PreToolUse-Bash-plan-subagent",
        ),
        // In another folder.
        (
            Agent::Codex,
            "codex",
            "PreToolUse-Bash",
            "PreToolUse-Bash-workdir",
        ),
        (
            Agent::Gemini,
            "gemini",
            "BeforeTool-grep_search",
            "BeforeTool-glob",
        ),
    ] {
        assert_ne!(
            digest(agent, folder, one),
            digest(agent, folder, other),
            "{one} {other}"
        );
    }
}

#[test]
fn neither_the_order_of_fields_nor_another_order_of_letters_matters() {
    let payload = |input: &str| {
        format!(r#"{{"session_id":"s","cwd":"/w","tool_name":"Grep","tool_input":{input}}}"#)
    };
    let digest = |input: &str| {
        let event = decode(Agent::ClaudeCode, "PreToolUse", payload(input).as_bytes()).unwrap();
        call_of(&event).unwrap().digest()
    };
    let one = digest(r#"{"pattern":"a","path":"/w/src"}"#);
    assert_eq!(one, digest(r#"{"path":"/w/src","pattern":"\u0061"}"#));
    assert_ne!(one, digest(r#"{"pattern":"a","path":"/w/src","glob":"*"}"#));
}

/// The cwd of a command counts, wherever the agent writes it.
#[test]
fn a_folder_of_its_own_is_the_cwd() {
    let cwd = |agent, tool: &str, input: Value| {
        let event = match agent {
            Agent::Gemini => "BeforeTool",
            _ => "PreToolUse",
        };
        let payload =
            json!({"session_id": "s", "cwd": "/w", "tool_name": tool, "tool_input": input});
        let event = decode(agent, event, payload.to_string().as_bytes());
        event.map(|event| call_of(&event).unwrap().cwd.to_string())
    };
    let shell = "run_shell_command";
    assert_eq!(
        cwd(
            Agent::Qwen,
            shell,
            json!({"command": "ls", "directory": "/w/web"})
        )
        .unwrap(),
        "/w/web"
    );
    assert_eq!(
        cwd(
            Agent::Qwen,
            "monitor",
            json!({"command": "ls", "directory": ""})
        )
        .unwrap(),
        "/w"
    );
    assert!(
        cwd(
            Agent::Qwen,
            shell,
            json!({"command": "ls", "directory": "web"})
        )
        .is_err()
    );
    assert_eq!(
        cwd(
            Agent::Gemini,
            shell,
            json!({"command": "ls", "dir_path": "web"})
        )
        .unwrap(),
        "/w/web"
    );
    assert_eq!(
        cwd(
            Agent::Codex,
            "Bash",
            json!({"command": "ls", "workdir": "/tmp"})
        )
        .unwrap(),
        "/tmp"
    );
    assert_eq!(
        cwd(
            Agent::ClaudeCode,
            "Bash",
            json!({"command": "ls", "directory": "/tmp"})
        )
        .unwrap(),
        "/w"
    );
}
