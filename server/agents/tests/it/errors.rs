//! What is not understood is an error that names what it is, never a call.

use countersign_agents::{DecodeError, MAX_PAYLOAD_BYTES, Stage, decode, event_of_broken};
use countersign_core::agent::Agent;
use serde_json::{Value, json};

fn error_of(agent: Agent, event: &str, payload: &Value) -> String {
    decode(agent, event, payload.to_string().as_bytes())
        .unwrap_err()
        .to_string()
}

fn call(tool: &str, input: Value) -> Value {
    json!({"session_id": "s", "cwd": "/w", "tool_name": tool, "tool_input": input})
}

#[test]
fn the_field_is_named() {
    let claude = [
        ("Bash", json!({}), "`tool_input.command` is missing"),
        (
            "Bash",
            json!({"command": null}),
            "`tool_input.command` is missing",
        ),
        (
            "Bash",
            json!({"command": ["ls"]}),
            "`tool_input.command` is an array and not a string",
        ),
        (
            "Bash",
            json!({"command": " \n"}),
            "`tool_input.command` is empty",
        ),
        (
            "Bash",
            json!({"command": "ls\u{0}"}),
            "`tool_input.command` contains a NUL character",
        ),
        (
            "Bash",
            json!("ls"),
            "`tool_input` is a string and not an object",
        ),
        (
            "Bash",
            json!(null),
            "`tool_input` is null and not an object",
        ),
        (
            "Read",
            json!({"path": "/w/a"}),
            "`tool_input.file_path` is missing",
        ),
        (
            "Read",
            json!({"file_path": ["/w/a"]}),
            "`tool_input.file_path` is an array and not a string",
        ),
        (
            "Read",
            json!({"file_path": ""}),
            "`tool_input.file_path` is empty",
        ),
        (
            "Read",
            json!({"file_path": "/w/a\u{0}b"}),
            "`tool_input.file_path` contains a NUL character",
        ),
        (
            "Grep",
            json!({"pattern": "x", "path": 1}),
            "`tool_input.path` is a number and not a string",
        ),
        (
            "Edit",
            json!({"file_path": "/w/a", "old_string": "x"}),
            "`tool_input.new_string` is missing",
        ),
        (
            "MultiEdit",
            json!({"file_path": "/w/a", "edits": []}),
            "`tool_input.edits` is empty",
        ),
        (
            "MultiEdit",
            json!({"file_path": "/w/a", "edits": [{"old_string": "x", "new_string": "y"}, {}]}),
            "`tool_input.edits` is an array and not an array of edits",
        ),
        (
            "Write",
            json!({"file_path": "/w/a"}),
            "`tool_input.content` is missing",
        ),
        (
            "WebFetch",
            json!({"prompt": "x"}),
            "`tool_input.url` is missing",
        ),
        (
            "Agent",
            json!({"subagent_type": "x"}),
            "`tool_input.prompt` is missing",
        ),
        (
            "Skill",
            json!({"args": "x"}),
            "`tool_input.skill` is missing",
        ),
    ];
    for (tool, input, expected) in claude {
        assert_eq!(
            error_of(Agent::ClaudeCode, "PreToolUse", &call(tool, input)),
            expected,
            "{tool}"
        );
    }
    let gemini = [
        (
            "read_file",
            json!({"file_path": "/w/a", "absolute_path": "/etc/passwd"}),
            "`tool_input.absolute_path` and `file_path` are both given",
        ),
        (
            "read_many_files",
            json!({"include": "src"}),
            "`tool_input.include` is a string and not an array of strings",
        ),
        ("web_fetch", json!({}), "`tool_input.prompt` is missing"),
    ];
    for (tool, input, expected) in gemini {
        assert_eq!(
            error_of(Agent::Gemini, "BeforeTool", &call(tool, input)),
            expected,
            "{tool}"
        );
    }
    assert_eq!(
        error_of(
            Agent::Codex,
            "PreToolUse",
            &call(
                "apply_patch",
                json!({"command": "*** Begin Patch\n*** Add File: a\nx"})
            )
        ),
        "the patch in `tool_input.command` cannot be understood at line 3: \
         every line of an added file begins with `+`"
    );
}

#[test]
fn a_here_document_that_is_no_patch_is_not_a_command_either() {
    let text = "apply_patch <<'EOF'\n*** Begin Patch\n*** Unknown: a\n*** End Patch\nEOF";
    let error = error_of(
        Agent::Codex,
        "PreToolUse",
        &call("Bash", json!({"command": text})),
    );
    assert!(
        error.starts_with("the patch in `tool_input.command`"),
        "{error}"
    );
}

#[test]
fn the_frame_is_checked() {
    let with = |field: &str, value: Value| {
        let mut payload = call("Read", json!({"file_path": "/w/a"}));
        payload[field] = value;
        error_of(Agent::ClaudeCode, "PreToolUse", &payload)
    };
    assert_eq!(with("cwd", json!("work")), "`cwd` is not an absolute path");
    assert_eq!(
        with("cwd", json!("/w\u{0}")),
        "`cwd` contains a NUL character"
    );
    assert_eq!(with("cwd", json!(null)), "`cwd` is missing");
    assert_eq!(with("session_id", json!("")), "`session_id` is missing");
    assert_eq!(
        with("session_id", json!(7)),
        "`session_id` is a number and not a string"
    );
    assert_eq!(
        with("session_id", json!("a\nb")),
        "`session_id` contains control characters"
    );
    assert_eq!(
        with("agent_id", json!("x".repeat(600))),
        "`agent_id` is longer than 512 bytes"
    );
    assert_eq!(with("tool_name", json!(null)), "`tool_name` is missing");
    assert_eq!(
        with("permission_mode", json!(["plan"])),
        "`permission_mode` is an array and not a string"
    );
    assert_eq!(
        with("transcript_path", json!(1)),
        "`transcript_path` is a number and not a string"
    );
    assert_eq!(
        with("hook_event_name", json!("PostToolUse")),
        "the hook was called with --event PreToolUse, but the payload is of PostToolUse"
    );
    assert_eq!(
        with("clineVersion", json!("3.1")),
        "this is Cline's payload; the hook that was called is for claude-code"
    );
    let mut missing = call("Read", json!({}));
    missing.as_object_mut().unwrap().remove("tool_input");
    assert_eq!(
        error_of(Agent::ClaudeCode, "PreToolUse", &missing),
        "`tool_input` is missing"
    );
}

#[test]
fn unreadable_payloads_are_refused() {
    let decode = |bytes: &[u8]| decode(Agent::Qwen, "PreToolUse", bytes).unwrap_err();
    assert_eq!(
        decode(&vec![b' '; MAX_PAYLOAD_BYTES + 1]),
        DecodeError::TooLarge {
            limit: MAX_PAYLOAD_BYTES
        }
    );
    for bytes in [
        &b""[..],
        b"null",
        b"{\"session_id\":",
        br#"{"session_id":"s","cwd":"/w","cwd":"/x","tool_name":"read_file","tool_input":{}}"#,
        br#"{"session_id":"s","cwd":"/w","tool_name":"edit","tool_input":{"file_path":"/w/a","file_path":"/etc/passwd"}}"#,
    ] {
        let error = decode(bytes);
        assert!(matches!(error, DecodeError::NotJson { .. }), "{error}");
    }
    let deep = format!(
        r#"{{"session_id":"s","cwd":"/w","tool_name":"x","tool_input":{}{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    assert!(matches!(
        decode(deep.as_bytes()),
        DecodeError::NotJson { .. }
    ));
}

#[test]
fn unknown_events_are_named() {
    let error = error_of(Agent::Gemini, "PreToolUse", &json!({}));
    assert!(
        error.starts_with("gemini has no hook event `PreToolUse`; it has BeforeTool, AfterTool"),
        "{error}"
    );
}

#[test]
fn what_a_broken_event_was_about_is_known() {
    for (agent, event, stage) in [
        (Agent::ClaudeCode, "PreToolUse", Stage::PreTool),
        (Agent::Codex, "PermissionRequest", Stage::PermissionRequest),
        (Agent::Gemini, "BeforeTool", Stage::PreTool),
        (Agent::Gemini, "PreToolUse", Stage::Unknown),
        (Agent::Codex, "PermissionDenied", Stage::Unknown),
        (Agent::Qwen, "Stop", Stage::NoDecision),
        (Agent::Cursor, "beforeShellExecution", Stage::PreTool),
        (Agent::Cursor, "preToolUse", Stage::Announced),
        (Agent::Cursor, "PreToolUse", Stage::Unknown),
        (Agent::Vscode, "PreToolUse", Stage::PreTool),
    ] {
        assert_eq!(
            event_of_broken(agent, event).stage,
            stage,
            "{agent} {event}"
        );
    }
}
