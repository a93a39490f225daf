//! Asks that are handed to the agent's own prompt, and what settles them.

use serde_json::{Value, json};

use crate::support::{AUTO, CLAUDE, CODEX, GEMINI, QWEN, Sandbox, With as _};

const COMMAND: &str = "trellis build";

/// Kind, decision and reason of every row.
fn story(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .journal()
        .iter()
        .map(|row| {
            [&row["kind"], &row["decision"], &row["reason"]]
                .iter()
                .filter_map(|value| value.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

fn with_id(payload: Value, id: &str) -> Value {
    payload.with("tool_use_id", json!(id))
}

#[test]
fn claude_asks_once_and_the_result_is_the_yes() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = with_id(sandbox.shell(CLAUDE, "PreToolUse", COMMAND), "toolu_a");
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_ask(CLAUDE, "PreToolUse");
    // The same call again, this time without its id: its own prompt opens.
    let request = sandbox.shell(CLAUDE, "PermissionRequest", COMMAND);
    sandbox
        .hook(CLAUDE, "PermissionRequest", &request)
        .assert_neutral();
    assert_eq!(story(&sandbox), ["decision ask no_classifier"]);
    let result = with_id(sandbox.shell(CLAUDE, "PostToolUse", COMMAND), "toolu_a");
    sandbox
        .hook(CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    assert_eq!(
        story(&sandbox),
        [
            "decision ask no_classifier",
            "answer allow proceed_once",
            "result"
        ]
    );
    let rows = sandbox.journal();
    assert_eq!(rows[1]["source"], "agent");
    assert_eq!(rows[1]["agent_call"], "toolu_a");
    assert_eq!(rows[0]["call"], rows[1]["call"]);
    assert_eq!(rows[0]["call"], rows[2]["call"]);
    sandbox.assert_verified();
}

#[test]
fn an_allow_is_said_again_at_the_second_event_and_not_counted_twice() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = sandbox.shell(CLAUDE, "PreToolUse", "cargo test");
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_allow(CLAUDE, "PreToolUse");
    let request = sandbox.shell(CLAUDE, "PermissionRequest", "cargo test");
    sandbox
        .hook(CLAUDE, "PermissionRequest", &request)
        .assert_allow(CLAUDE, "PermissionRequest");
    assert_eq!(story(&sandbox), ["decision allow rule"]);
}

#[test]
fn a_result_settles_only_its_own_call() {
    let sandbox = Sandbox::trusted(AUTO);
    for id in ["toolu_a", "toolu_b"] {
        let call = with_id(sandbox.shell(CLAUDE, "PreToolUse", COMMAND), id);
        sandbox
            .hook(CLAUDE, "PreToolUse", &call)
            .assert_ask(CLAUDE, "PreToolUse");
    }
    let result = with_id(sandbox.shell(CLAUDE, "PostToolUse", COMMAND), "toolu_b");
    sandbox
        .hook(CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    let answers = sandbox.rows("answer");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["agent_call"], "toolu_b");
    // The call that ran is over: its result again is one that nobody decided.
    sandbox
        .hook(CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    assert_eq!(sandbox.rows("answer").len(), 1);
}

#[test]
fn a_result_of_another_input_is_no_yes() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = with_id(sandbox.shell(CLAUDE, "PreToolUse", COMMAND), "toolu_a");
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_ask(CLAUDE, "PreToolUse");
    let other = with_id(
        sandbox.shell(CLAUDE, "PostToolUse", "trellis burn"),
        "toolu_z",
    );
    sandbox.hook(CLAUDE, "PostToolUse", &other).assert_neutral();
    assert_eq!(sandbox.rows("answer").len(), 0);
    assert_eq!(sandbox.rows("unguarded").len(), 1);
}

#[test]
fn a_tool_that_ran_without_a_decision_is_an_alarm() {
    for (agent, event) in [
        (CLAUDE, "PostToolUse"),
        (QWEN, "PostToolUse"),
        (CODEX, "PostToolUse"),
        (GEMINI, "AfterTool"),
    ] {
        let sandbox = Sandbox::trusted(AUTO);
        let result = sandbox.shell(agent, event, COMMAND);
        sandbox.hook(agent, event, &result).assert_neutral();
        let rows = sandbox.rows("unguarded");
        assert_eq!(rows.len(), 1, "{agent}");
        assert_eq!(rows[0]["subject"], COMMAND);
        assert_eq!(rows[0]["tool"], "run_shell_command");
        assert!(sandbox.run(&["log"]).stdout.contains("UNGUARDED"));
        assert!(
            sandbox.log_file().contains("unguarded"),
            "{}",
            sandbox.log_file()
        );
    }
}

#[test]
fn a_tool_that_ran_although_it_was_blocked_is_an_alarm() {
    for (agent, before, after) in [
        (CLAUDE, "PreToolUse", "PostToolUse"),
        (QWEN, "PreToolUse", "PostToolUse"),
        (CODEX, "PreToolUse", "PostToolUse"),
        (GEMINI, "BeforeTool", "AfterTool"),
    ] {
        let sandbox = Sandbox::trusted(AUTO);
        let call = sandbox.shell(agent, before, "uproot vines");
        sandbox.hook(agent, before, &call).assert_block(before);
        let result = sandbox.shell(agent, after, "uproot vines");
        sandbox.hook(agent, after, &result).assert_neutral();
        let rows = sandbox.rows("unguarded");
        assert_eq!(rows.len(), 1, "{agent}");
        assert_eq!(rows[0]["subject"], "uproot vines");
        assert!(sandbox.run(&["log"]).stdout.contains("UNGUARDED"));
    }
}

#[test]
fn a_message_of_the_person_ends_what_was_asked() {
    for (event, last) in [
        ("UserPromptSubmit", "user_message"),
        ("Stop", ""),
        ("SessionEnd", "session_end"),
    ] {
        let sandbox = Sandbox::trusted(AUTO);
        let call = sandbox.shell(CLAUDE, "PreToolUse", COMMAND);
        sandbox
            .hook(CLAUDE, "PreToolUse", &call)
            .assert_ask(CLAUDE, "PreToolUse");
        let payload = sandbox.payload(CLAUDE, event);
        sandbox.hook(CLAUDE, event, &payload).assert_neutral();
        let mut expected = vec!["decision ask no_classifier", "answer block aborted"];
        expected.extend((!last.is_empty()).then_some(last));
        assert_eq!(story(&sandbox), expected, "{event}");
        // A late result is no yes any more.
        let late = sandbox.shell(CLAUDE, "PostToolUse", COMMAND);
        sandbox.hook(CLAUDE, "PostToolUse", &late).assert_neutral();
        assert_eq!(sandbox.rows("answer").len(), 1);
    }
}

#[test]
fn qwen_asks_before_and_the_call_goes_on() {
    let sandbox = Sandbox::trusted(AUTO);
    let request = sandbox.shell(QWEN, "PermissionRequest", COMMAND);
    sandbox
        .hook(QWEN, "PermissionRequest", &request)
        .assert_neutral();
    let call = sandbox.shell(QWEN, "PreToolUse", COMMAND);
    sandbox
        .hook(QWEN, "PreToolUse", &call)
        .assert_allow(QWEN, "PreToolUse");
    assert_eq!(story(&sandbox), ["decision ask no_classifier"]);
    let result = sandbox.shell(QWEN, "PostToolUse", COMMAND);
    sandbox.hook(QWEN, "PostToolUse", &result).assert_neutral();
    assert_eq!(
        story(&sandbox),
        [
            "decision ask no_classifier",
            "answer allow proceed_once",
            "result"
        ]
    );
    // The next call of the same command is one of its own, and nobody was
    // asked about it.
    let again = call.with("tool_call_id", json!("call_vine_again"));
    sandbox
        .hook(QWEN, "PreToolUse", &again)
        .assert_ask(QWEN, "PreToolUse");
}

#[test]
fn qwens_own_no_is_a_no() {
    let sandbox = Sandbox::trusted(AUTO);
    let request = sandbox.shell(QWEN, "PermissionRequest", COMMAND);
    sandbox
        .hook(QWEN, "PermissionRequest", &request)
        .assert_neutral();
    let denied = sandbox.shell(QWEN, "PermissionDenied", COMMAND);
    sandbox
        .hook(QWEN, "PermissionDenied", &denied)
        .assert_neutral();
    assert_eq!(
        story(&sandbox),
        ["decision ask no_classifier", "answer block cancel"]
    );
    let call = sandbox.shell(QWEN, "PreToolUse", COMMAND);
    sandbox
        .hook(QWEN, "PreToolUse", &call)
        .assert_ask(QWEN, "PreToolUse");
}

#[test]
fn a_blocked_call_that_is_tried_again_counts_again() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = sandbox.shell(CLAUDE, "PreToolUse", "countersign trust");
    for count in 1..=3 {
        sandbox
            .hook(CLAUDE, "PreToolUse", &call)
            .assert_block("PreToolUse");
        let rows = sandbox.journal();
        let after = &rows.last().unwrap()["after"];
        assert_eq!(after["consecutiveBlock"], count);
        assert_eq!(after["totalBlock"], count);
    }
    // The cap is armed: what would go to a classifier goes to the person, what
    // needs none does not.
    let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &read)
        .assert_allow(CLAUDE, "PreToolUse");
    let build = with_id(sandbox.shell(CLAUDE, "PreToolUse", COMMAND), "toolu_cap");
    sandbox
        .hook(CLAUDE, "PreToolUse", &build)
        .assert_ask(CLAUDE, "PreToolUse");
    assert_eq!(
        sandbox.journal().last().unwrap()["reason"],
        "consecutive_block"
    );
    let result = with_id(sandbox.shell(CLAUDE, "PostToolUse", COMMAND), "toolu_cap");
    sandbox
        .hook(CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    let answer = &sandbox.rows("answer")[0];
    assert_eq!(answer["before"]["consecutiveBlock"], 3);
    assert_eq!(answer["after"]["consecutiveBlock"], 0);
    assert_eq!(answer["after"]["totalBlock"], 3);
}

#[test]
fn a_new_session_of_the_same_process_takes_the_counters_over() {
    let sandbox = Sandbox::trusted(AUTO);
    let attack = sandbox.shell(CLAUDE, "PreToolUse", "countersign trust");
    for _ in 0..3 {
        sandbox.hook(CLAUDE, "PreToolUse", &attack);
    }
    let call = sandbox
        .shell(CLAUDE, "PreToolUse", COMMAND)
        .with("session_id", json!("another-conversation"));
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_ask(CLAUDE, "PreToolUse");
    assert_eq!(
        sandbox.journal().last().unwrap()["reason"],
        "consecutive_block"
    );
}
