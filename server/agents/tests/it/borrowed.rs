//! Hooks that another agent loads guard it too, once.

use countersign_agents::{Answer, CallStage, EventKind, HookEvent, Stage, decode, encode};
use countersign_core::agent::Agent;
use countersign_core::call::Call;
use serde_json::{Value, json};

use crate::captures::captures;

fn read(hook: Agent, event: &str, payload: &Value) -> HookEvent {
    decode(hook, event, payload.to_string().as_bytes()).unwrap()
}

fn call(event: &HookEvent) -> (CallStage, &Call) {
    let EventKind::Call { stage, call } = &event.kind else {
        panic!("no call: {event:?}");
    };
    (*stage, call)
}

fn capture(folder: &str, name: &str) -> Value {
    serde_json::from_slice(&captures(folder)[name]).unwrap()
}

#[test]
fn a_hook_of_claude_code_guards_whoever_loads_it() {
    for (agent, folder, own, name) in [
        (Agent::Cursor, "cursor", "preToolUse", "preToolUse-Shell"),
        (Agent::Cursor, "cursor", "preToolUse", "preToolUse-Write"),
        (
            Agent::Vscode,
            "vscode",
            "PreToolUse",
            "PreToolUse-run_in_terminal",
        ),
        (
            Agent::Vscode,
            "vscode",
            "PreToolUse",
            "PreToolUse-create_file",
        ),
        (
            Agent::Gemini,
            "gemini",
            "BeforeTool",
            "BeforeTool-write_file",
        ),
    ] {
        let payload = capture(folder, name);
        let native = read(agent, own, &payload);
        let borrowed = read(Agent::ClaudeCode, "PreToolUse", &payload);
        let (_, native_call) = call(&native);
        let (stage, borrowed_call) = call(&borrowed);
        assert_eq!(stage, CallStage::Borrowed, "{name}");
        // The same session, tool and input: one call, whoever reports it.
        assert_eq!(borrowed.key, native.key, "{name}");
        assert_eq!(borrowed_call.digest(), native_call.digest(), "{name}");
        assert_eq!(borrowed_call.operations, native_call.operations, "{name}");
        assert_eq!(borrowed.event_ref().agent, agent);
        let block = Answer::Block {
            message: "no".to_owned(),
        };
        assert_eq!(encode(borrowed.event_ref(), &block).exit, 2, "{name}");
    }
}

#[test]
fn the_two_events_of_a_shell_command_in_cursor_are_one_call() {
    for (announced, main, event) in [
        (
            "preToolUse-Shell",
            "beforeShellExecution-command",
            "beforeShellExecution",
        ),
        (
            "preToolUse-MCP",
            "beforeMCPExecution-forecast",
            "beforeMCPExecution",
        ),
        ("preToolUse-Read", "beforeReadFile-file", "beforeReadFile"),
        ("preToolUse-Task", "subagentStart-explore", "subagentStart"),
    ] {
        let announced = read(Agent::Cursor, "preToolUse", &capture("cursor", announced));
        let main = read(Agent::Cursor, event, &capture("cursor", main));
        assert_eq!(announced.key, main.key, "{event}");
        let ((stage, first), (main_stage, second)) = (call(&announced), call(&main));
        assert_ne!(stage, main_stage, "{event}");
        assert_eq!(first.digest(), second.digest(), "{event}");
    }
}

#[test]
fn events_without_a_decision_are_the_callers_own() {
    let prompt = capture("cursor", "beforeSubmitPrompt-none");
    let event = read(Agent::ClaudeCode, "UserPromptSubmit", &prompt);
    assert_eq!(event.key.agent, Agent::Cursor);
    assert!(matches!(event.kind, EventKind::UserMessage { .. }));
    assert_eq!(event.event_ref().stage, Stage::NoDecision);
}

#[test]
fn what_does_not_fit_is_blocked() {
    // A call cannot be taken for a message, nor the other way round.
    let shell = capture("cursor", "preToolUse-Shell");
    let prompt = capture("cursor", "beforeSubmitPrompt-none");
    for (event, payload) in [
        ("UserPromptSubmit", &shell),
        ("Stop", &shell),
        ("PreToolUse", &prompt),
        ("PermissionRequest", &prompt),
    ] {
        let error = decode(Agent::ClaudeCode, event, payload.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains("Cursor"), "{event}: {error}");
    }
    let nobody = json!({"clineVersion": "3", "hook_event_name": "PreToolUse"});
    let error = decode(
        Agent::ClaudeCode,
        "PreToolUse",
        nobody.to_string().as_bytes(),
    );
    assert!(error.is_err());
}
