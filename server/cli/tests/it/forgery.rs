//! What a guarded call could try against the hook itself.

use std::fs;
use std::os::unix::process::CommandExt as _;

use serde_json::Value;

use crate::support::{AUTO, CLAUDE, DEFAULT, Ran, Sandbox, feed, through};

/// Runs a hook below another process that is taken for Claude Code.
fn below_another_agent(sandbox: &Sandbox, event: &str, payload: &Value) -> Ran {
    // The hook is a child: the last command of a script would replace the shell.
    let wrapper = ["/bin/sh", "-c", "\"$@\"; exit $?", "sh"];
    let mut command = through(&wrapper, &sandbox.hook_words(CLAUDE, event));
    command.arg0("claude");
    feed(&mut command, payload.to_string().as_bytes())
}

#[test]
fn events_of_another_process_have_no_authority() {
    let sandbox = Sandbox::trusted(AUTO);
    let call = sandbox.shell(CLAUDE, "PreToolUse", "trellis build");
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_ask(CLAUDE, "PreToolUse");
    for event in [
        "PostToolUse",
        "UserPromptSubmit",
        "Stop",
        "SessionStart",
        "SessionEnd",
    ] {
        let before = sandbox.journal();
        let payload = match event {
            "PostToolUse" => sandbox.shell(CLAUDE, event, "trellis build"),
            _ => sandbox.payload(CLAUDE, event),
        };
        below_another_agent(&sandbox, event, &payload).assert_neutral();
        let rows = sandbox.journal();
        assert_eq!(rows.len(), before.len() + 1, "{event}");
        let row = rows.last().unwrap();
        assert_eq!(row["kind"], "ignored", "{event}");
        assert_eq!(row["source"], Value::Null);
    }
    assert_eq!(sandbox.rows("answer").len(), 0);
    // The real result still counts.
    let result = sandbox.shell(CLAUDE, "PostToolUse", "trellis build");
    sandbox
        .hook(CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    assert_eq!(sandbox.rows("answer")[0]["reason"], "proceed_once");
}

#[test]
fn a_cap_cannot_be_cleared_by_a_forged_result() {
    let sandbox = Sandbox::trusted(AUTO);
    let attack = sandbox.shell(CLAUDE, "PreToolUse", "countersign trust");
    for _ in 0..3 {
        sandbox.hook(CLAUDE, "PreToolUse", &attack);
    }
    let build = sandbox.shell(CLAUDE, "PreToolUse", "trellis build");
    sandbox
        .hook(CLAUDE, "PreToolUse", &build)
        .assert_ask(CLAUDE, "PreToolUse");
    let result = sandbox.shell(CLAUDE, "PostToolUse", "trellis build");
    below_another_agent(&sandbox, "PostToolUse", &result).assert_neutral();
    let next = sandbox.shell(CLAUDE, "PreToolUse", "trellis sell");
    sandbox
        .hook(CLAUDE, "PreToolUse", &next)
        .assert_ask(CLAUDE, "PreToolUse");
    let row = sandbox.journal().pop().unwrap();
    assert_eq!(row["reason"], "consecutive_block");
    assert_eq!(row["before"]["consecutiveBlock"], 3);
}

#[test]
fn the_mode_on_the_command_line_only_tightens() {
    let with_mode = |sandbox: &Sandbox, mode: &str, payload: &Value| {
        let mut command = sandbox.hook_command(CLAUDE, "PreToolUse");
        command.args(["--approval-mode", mode]);
        feed(&mut command, payload.to_string().as_bytes())
    };
    let sandbox = Sandbox::trusted(DEFAULT);
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    for mode in ["default", "auto-edit", "auto", "yolo"] {
        with_mode(&sandbox, mode, &edit).assert_ask(CLAUDE, "PreToolUse");
    }
    let message = with_mode(&sandbox, "plan", &edit).assert_block("PreToolUse");
    assert!(message.contains("plan mode"), "{message}");

    let sandbox = Sandbox::trusted(AUTO);
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    with_mode(&sandbox, "auto", &edit).assert_allow(CLAUDE, "PreToolUse");
    let protected = sandbox.edit(CLAUDE, "PreToolUse", "package.json");
    with_mode(&sandbox, "yolo", &protected).assert_ask(CLAUDE, "PreToolUse");
    with_mode(&sandbox, "default", &edit).assert_ask(CLAUDE, "PreToolUse");
}

/// Every variable that a program might take its folders from.
const VARIABLES: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "COUNTERSIGN_HOME",
    "COUNTERSIGN_CONFIG",
    "COUNTERSIGN_CONFIG_DIR",
    "COUNTERSIGN_STATE_DIR",
];

#[test]
fn variables_move_no_settings_and_no_state() {
    let sandbox = Sandbox::trusted(AUTO);
    let forged = sandbox.workspace.join("forged");
    let yolo = r#"{ "tools": { "approvalMode": "yolo" }, "permissions": { "allow": ["Bash(trellis build)"] } }"#;
    for folder in [".config/countersign", "countersign", "config", "."] {
        fs::create_dir_all(forged.join(folder)).unwrap();
        fs::write(forged.join(folder).join("settings.json"), yolo).unwrap();
    }
    let mut command = sandbox.hook_command(CLAUDE, "PreToolUse");
    for name in VARIABLES {
        command.env(name, &forged);
    }
    command.env("COUNTERSIGN_APPROVAL_MODE", "yolo");
    let call = sandbox.shell(CLAUDE, "PreToolUse", "trellis build");
    feed(&mut command, call.to_string().as_bytes()).assert_ask(CLAUDE, "PreToolUse");
    assert_eq!(sandbox.journal().len(), 1, "the state is where --home says");

    // Nor without --home: `check` looks at the real settings and writes nothing.
    let refuse = r#"{ "permissions": { "deny": ["Bash(a-vine-that-nobody-has)"] } }"#;
    for folder in [".config/countersign", "countersign", "config", "."] {
        fs::write(forged.join(folder).join("settings.json"), refuse).unwrap();
    }
    let words = ["check", "--json", "--", "a-vine-that-nobody-has"];
    let mut check = through(&[crate::support::PROGRAM], &words);
    check.current_dir(&sandbox.workspace);
    for name in VARIABLES {
        check.env(name, &forged);
    }
    let ran = feed(&mut check, b"");
    assert_ne!(ran.code, 4, "{ran:?}");
    assert!(!ran.stdout.contains("forged/"), "{ran:?}");
}

#[test]
fn the_path_makes_nothing_its_own() {
    // An agent that puts the workspace on PATH only has more protected.
    let sandbox = Sandbox::trusted(AUTO);
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    let mut command = sandbox.hook_command(CLAUDE, "PreToolUse");
    command.env("PATH", sandbox.workspace.join("src"));
    feed(&mut command, edit.to_string().as_bytes()).assert_ask(CLAUDE, "PreToolUse");
    let mut command = sandbox.hook_command(CLAUDE, "PreToolUse");
    command.env_remove("PATH");
    feed(&mut command, edit.to_string().as_bytes()).assert_allow(CLAUDE, "PreToolUse");
}
