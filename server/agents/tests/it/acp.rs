//! Tool calls of the Agent Client Protocol: what the real agents send means the
//! same call as what their hooks send, and nothing that is not known is safe.

use std::path::Path;

use countersign_agents::acp::{self, Report, Source, What};
use countersign_agents::{EventKind, decode};
use countersign_core::agent::Agent;
use countersign_core::call::{Access, Call, Subject};
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::tool::Tool;
use serde_json::{Value, json};

/// The folder in which the real agents were captured.
const FOLDER: &str = "/srv/mila/orchard";

fn capture(name: &str) -> Value {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/acp/{name}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// A report about a call, as it arrives where it is decided.
fn arrives(
    agent: Agent,
    session: &str,
    source: Source,
) -> Result<(Call, Option<ApprovalMode>), String> {
    let report = Report {
        session_id: session.to_owned(),
        cwd: FOLDER.into(),
        plan_mode: true,
        what: What::Call { source },
    };
    let decoded = acp::decode(agent, &report.to_payload()).map_err(|error| error.to_string())?;
    let EventKind::Call { call, .. } = decoded.event.kind else {
        panic!("{:?}", decoded.event);
    };
    assert_eq!(call.agent_mode, AgentMode::Plan);
    Ok((call, decoded.tighten))
}

fn tool_call(agent: Agent, tool_call: Value) -> Result<(Call, Option<ApprovalMode>), String> {
    let announced = None;
    arrives(
        agent,
        "s",
        Source::ToolCall {
            tool_call,
            announced,
        },
    )
}

fn asks(method: &str, params: Value) -> Result<Call, String> {
    let method = method.to_owned();
    arrives(Agent::Generic, "s", Source::Request { method, params }).map(|(call, _)| call)
}

fn commands(call: &Call) -> Vec<&str> {
    let texts = call
        .operations
        .iter()
        .filter_map(|operation| match &operation.subject {
            Subject::Command(command) => Some(command.text.as_str()),
            _ => None,
        });
    texts.collect()
}

#[test]
fn what_the_real_agents_ask_is_the_command_that_they_run() {
    let wanted = "cargo fmt --check > /srv/mila/orchard/fmt.log";
    for (agent, name) in [
        (Agent::Qwen, "qwen"),
        (Agent::Opencode, "opencode"),
        (Agent::Gemini, "gemini"),
    ] {
        let asked = capture(name);
        let (call, tighten) = tool_call(agent, asked["params"]["toolCall"].clone()).unwrap();
        assert_eq!(commands(&call), [wanted], "{name}");
        // Gemini CLI shows no input: only a person can say yes to that.
        let is_hidden = agent == Agent::Gemini;
        assert_eq!(tighten.is_some(), is_hidden, "{name}");
        let is_unnamed = matches!(call.operations[0].tool, Tool::Other(_));
        assert_eq!(is_unnamed, is_hidden, "{name}");
    }
    // Claude Code names the tool when it announces the call, not when it asks.
    let asked = capture("claude");
    let mut said = asked["params"]["toolCall"].clone();
    let (call, _) = tool_call(Agent::ClaudeCode, said.clone()).unwrap();
    assert!(commands(&call).is_empty());
    said["_meta"] = json!({ "claudeCode": { "toolName": "Bash" } });
    let (call, _) = tool_call(Agent::ClaudeCode, said).unwrap();
    assert_eq!(commands(&call), [wanted]);
}

#[test]
fn a_question_and_a_hook_about_one_call_are_joined() {
    let hook = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/captures/qwen/PreToolUse-run_shell_command-via-acp.json");
    let hook = std::fs::read(hook).unwrap();
    let event = decode(Agent::Qwen, "PreToolUse", &hook).unwrap();
    let EventKind::Call { call: hooked, .. } = event.kind else {
        panic!("no call");
    };
    let mut said = capture("qwen")["params"]["toolCall"].clone();
    // The two were captured in runs of their own.
    said["toolCallId"] = json!(hooked.id);
    said["rawInput"]["command"] = hooked.raw_input["command"].clone();
    let announced = None;
    let source = Source::ToolCall {
        tool_call: said,
        announced,
    };
    let (asked, _) = arrives(Agent::Qwen, &event.key.session, source).unwrap();
    assert_eq!(asked.digest(), hooked.digest());
    assert_eq!(asked.id, hooked.id);
}

#[test]
fn an_input_of_no_known_shape_is_of_no_known_tool() {
    for said in [
        json!({ "kind": "read", "rawInput": { "path": "/etc/hostname" } }),
        json!({ "kind": "search", "rawInput": { "pattern": "x" } }),
        json!({ "kind": "other", "rawInput": { "command": "ls" } }),
        json!({ "kind": "execute", "rawInput": { "command": "ls", "host": "garden" } }),
        json!({ "kind": "execute", "rawInput": { "command": "ls\u{0}" } }),
        json!({ "kind": "execute", "rawInput": { "command": ["ls", 7] } }),
        json!({ "kind": "execute", "rawInput": { "command": "ls", "cwd": "/a", "workdir": "/b" } }),
        json!({ "kind": "edit", "rawInput": { "path": "/a", "file_path": "/b", "content": "" } }),
        json!({ "kind": "edit", "rawInput": { "path": "/a", "content": "", "old_string": "", "new_string": "" } }),
        json!({ "kind": "edit", "rawInput": { "path": "/a" } }),
        json!({ "kind": "delete", "rawInput": { "path": "/a", "recursive": true } }),
        json!({ "kind": "fetch", "rawInput": { "url": "https://example.com", "method": "POST" } }),
        json!({ "kind": "EXECUTE", "rawInput": { "command": "ls" } }),
        // A title is free text.
        json!({ "kind": "other", "title": "read_file", "rawInput": { "path": "/a" } }),
    ] {
        let mut said = said;
        said["toolCallId"] = json!("c");
        let (call, _) = tool_call(Agent::Generic, said.clone()).unwrap();
        let tools: Vec<&Tool> = call.operations.iter().map(|one| &one.tool).collect();
        assert!(
            matches!(tools.as_slice(), [Tool::Other(name)] if name.starts_with("acp ")),
            "{said}"
        );
    }
}

#[test]
fn known_shapes_are_the_calls_that_they_look_like() {
    let of = |kind: &str, input: Value| {
        let said = json!({ "toolCallId": "c", "kind": kind, "rawInput": input });
        tool_call(Agent::Generic, said).unwrap().0
    };
    let call = of(
        "execute",
        json!({ "command": ["bash", "-lc", "make all"], "cwd": "shed" }),
    );
    assert_eq!(commands(&call), ["make all"]);
    assert_eq!(call.cwd, "/srv/mila/orchard/shed");
    let call = of(
        "edit",
        json!({ "filePath": "a", "oldString": "x", "newString": "y" }),
    );
    let Subject::Paths(paths) = &call.operations[0].subject else {
        panic!("{call:?}");
    };
    assert_eq!(
        (paths[0].path.as_str(), paths[0].access),
        ("a", Access::Write)
    );
    let call = of("delete", json!({ "path": "a" }));
    assert_eq!(call.operations[0].tool, Tool::DeleteFile);
}

#[test]
fn a_terminal_is_every_command_that_a_client_may_make_of_it() {
    let call = asks(
        "terminal/create",
        json!({ "sessionId": "s", "command": "ls; id", "args": ["a b"], "cwd": "/w",
                "env": [{ "name": "X", "value": "y z" }] }),
    )
    .unwrap();
    assert_eq!(
        commands(&call),
        [
            "X='y z' 'ls; id' 'a b'",
            "X='y z' ls; id a b",
            "X='y z' ls; id 'a b'"
        ]
    );
    assert_eq!(call.cwd, "/w");
    for (params, field) in [
        (json!({}), "command"),
        (json!({ "command": " " }), "command"),
        (json!({ "command": "ls", "args": "a" }), "args"),
        (json!({ "command": "ls", "args": [7] }), "args"),
        (json!({ "command": "ls", "env": { "A": "b" } }), "env"),
        (
            json!({ "command": "ls", "env": [{ "name": "A;id", "value": "" }] }),
            "env",
        ),
        (json!({ "command": "ls", "env": [{ "name": "A" }] }), "env"),
        (json!({ "command": "ls", "cwd": "w" }), "cwd"),
    ] {
        let error = asks("terminal/create", params.clone()).unwrap_err();
        assert!(error.contains(field), "{params}: {error}");
    }
    assert!(asks("terminal/kill", json!({ "command": "ls" })).is_err());
}

#[test]
fn what_comes_later_is_the_same_call_or_another_one() {
    let answered =
        json!({ "title": "ls", "kind": "execute", "rawInput": { "command": "ls", "timeout": 5 } });
    for same in [
        json!(null),
        json!({}),
        json!({ "command": "ls" }),
        json!({ "command": "ls", "timeout": 9, "description": "look" }),
    ] {
        assert!(!acp::rewrites(&answered, &same), "{same}");
    }
    for other in [
        json!({ "command": "ls -a" }),
        json!({ "command": "ls", "cwd": "/" }),
        json!({ "command": "ls", "run_in_background": true }),
        json!(["ls"]),
        json!({ "unreadable": "twice" }),
    ] {
        assert!(acp::rewrites(&answered, &other), "{other}");
    }
    let hidden = json!({ "title": "ls", "kind": "execute" });
    assert!(!acp::rewrites(&hidden, &json!({ "command": "ls" })));
    assert!(acp::rewrites(&hidden, &json!({ "command": "ls -a" })));
    assert!(acp::rewrites(
        &hidden,
        &json!({ "command": "ls", "host": "garden" })
    ));
}

#[test]
fn a_report_that_is_none_is_an_error() {
    for payload in [
        &b"{}"[..],
        br#"{"session_id":"s","cwd":"/w","what":{"event":"approve"}}"#,
        br#"{"session_id":"s","session_id":"t","cwd":"/w","what":{"event":"turn_end"}}"#,
        br#"{"session_id":"","cwd":"/w","what":{"event":"turn_end"}}"#,
        br#"{"session_id":"s","cwd":"w","what":{"event":"turn_end"}}"#,
    ] {
        assert!(acp::decode(Agent::Qwen, payload).is_err());
    }
    let end = br#"{"session_id":"s","cwd":"/w","what":{"event":"turn_end"}}"#;
    assert_eq!(
        acp::decode(Agent::Qwen, end).unwrap().event.kind,
        EventKind::TurnEnd
    );
}
