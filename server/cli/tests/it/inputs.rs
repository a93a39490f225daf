//! What cannot be understood is a block that the agent honours, whatever the
//! event, and never another exit status.

use serde_json::{Value, json};

use crate::support::{
    AUTO, CLAUDE, CODEX, DECIDING, GEMINI, QWEN, Ran, Sandbox, With as _, feed, through,
};

/// Feeds bytes to a hook.
fn fed(sandbox: &Sandbox, agent: &str, event: &str, bytes: &[u8]) -> Ran {
    feed(&mut sandbox.hook_command(agent, event), bytes)
}

#[test]
fn what_is_no_payload_is_a_block() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut large = br#"{"session_id":"s","padding":""#.to_vec();
    large.resize(5 * 1024 * 1024, b'x');
    large.extend(b"\"}");
    let cases: [(&[u8], &str); 6] = [
        (b"", "not plain JSON"),
        (b"the vines are fine\n", "not plain JSON"),
        (b"\xff\xfe\x00{}", "not plain JSON"),
        (b"[]", "not an object"),
        (b"{}", "`session_id` is missing"),
        (&large, "larger than 4194304 bytes"),
    ];
    for (agent, event) in DECIDING {
        for (input, part) in cases {
            let message = fed(&sandbox, agent, event, input).assert_block(event);
            assert!(message.contains(part), "{agent} {event}: {message}");
            let row = sandbox.journal().pop().unwrap();
            assert_eq!(
                (&row["kind"], &row["decision"]),
                (&json!("decision"), &json!("block"))
            );
            assert_eq!(row["reason"], "invalid_call");
            let detail = row["detail"].as_str().unwrap();
            assert!(
                detail.starts_with(&format!("{agent} {event}: ")),
                "{detail}"
            );
            assert!(detail.contains(part), "{detail}");
        }
    }
    assert_eq!(sandbox.journal().len(), DECIDING.len() * cases.len());
    assert!(sandbox.run(&["log"]).stdout.contains("invalid_call"));
    sandbox.assert_verified();
}

#[test]
fn a_call_that_is_not_understood_names_the_field() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        let shell = sandbox.shell(agent, event, "cargo test");
        let input = shell["tool_input"].clone();
        let edit = sandbox.edit(agent, event, "src/lib.rs");
        let read = sandbox.read(agent, event, "src/lib.rs");
        let path = if *agent == CODEX { "path" } else { "file_path" };
        let read_input = read["tool_input"].clone();
        let mut cases: Vec<(Value, String)> = vec![
            (
                shell
                    .clone()
                    .with("tool_input", input.clone().without("command")),
                "`tool_input.command` is missing".to_owned(),
            ),
            (
                shell
                    .clone()
                    .with("tool_input", input.clone().with("command", json!(["ls"]))),
                "`tool_input.command` is an array".to_owned(),
            ),
            (
                shell
                    .clone()
                    .with("tool_input", input.clone().with("command", json!("  "))),
                "`tool_input.command` is empty".to_owned(),
            ),
            (
                shell
                    .clone()
                    .with("tool_input", input.with("command", json!("ls\u{0}x"))),
                "NUL".to_owned(),
            ),
            (
                shell.clone().without("tool_input"),
                "`tool_input` is missing".to_owned(),
            ),
            (
                shell.clone().with("tool_input", json!("ls")),
                "`tool_input` is a string".to_owned(),
            ),
            (
                shell.clone().without("tool_name"),
                "`tool_name` is missing".to_owned(),
            ),
            (
                shell.clone().with("tool_name", json!(7)),
                "`tool_name` is a number".to_owned(),
            ),
            (
                shell.clone().with("cwd", json!("src")),
                "`cwd` is not an absolute path".to_owned(),
            ),
            (
                shell.clone().without("session_id"),
                "`session_id` is missing".to_owned(),
            ),
            (
                shell.with("hook_event_name", json!("Stop")),
                "is of Stop".to_owned(),
            ),
            (
                read.clone()
                    .with("tool_input", read_input.clone().with(path, json!(12))),
                format!("`tool_input.{path}` is a number"),
            ),
            (
                read.with("tool_input", read_input.without(path)),
                format!("`tool_input.{path}` is missing"),
            ),
        ];
        if *agent == CODEX {
            let patch = json!({ "command": "*** Begin Patch\n*** Move vines\n*** End Patch" });
            cases.push((edit.with("tool_input", patch), "at line 2".to_owned()));
        } else {
            let input = edit["tool_input"].clone().without("new_string");
            cases.push((
                edit.with("tool_input", input),
                "`tool_input.new_string` is missing".to_owned(),
            ));
        }
        for (payload, part) in cases {
            let message = sandbox.hook(agent, event, &payload).assert_block(event);
            assert!(
                message.contains(&part),
                "{agent} {event}: no {part} in {message}"
            );
            assert!(message.contains("cannot be understood"), "{message}");
        }
    }
    for row in sandbox.journal() {
        assert_eq!(row["reason"], "invalid_call");
    }
}

#[test]
fn a_key_that_stands_twice_is_a_block() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        let text = sandbox.shell(agent, event, "cargo test").to_string();
        let twice = text.replacen(
            r#""command":"cargo test""#,
            r#""command":"cargo test","command":"uproot vines""#,
            1,
        );
        assert_ne!(text, twice);
        let message = fed(&sandbox, agent, event, twice.as_bytes()).assert_block(event);
        assert!(message.contains("`command` stands twice"), "{message}");
    }
}

#[test]
fn a_wrong_command_line_is_a_block() {
    let sandbox = Sandbox::trusted(AUTO);
    let home = sandbox.home.as_str();
    let call = sandbox.shell(CLAUDE, "PreToolUse", "cargo test");
    let run = |words: &[&str]| {
        let words = [&["hook"], words].concat();
        feed(
            &mut through(&[crate::support::PROGRAM], &words),
            call.to_string().as_bytes(),
        )
    };
    for (words, event, part) in [
        (&["--home", home][..], "", "no agent"),
        (
            &["claude-code", "--home", home][..],
            "",
            "add `--event <event>`",
        ),
        (&["claude-code", "--event"][..], "", "--event needs a value"),
        (
            &["vintner", "--event", "PreToolUse"][..],
            "PreToolUse",
            "`vintner`",
        ),
        (
            &["vintner", "--event", "PermissionRequest"][..],
            "PermissionRequest",
            "`vintner`",
        ),
        (
            &["vintner", "--event", "BeforeTool"][..],
            "BeforeTool",
            "`vintner`",
        ),
        (
            &["vintner", "--event", "Harvest"][..],
            "Harvest",
            "`vintner`",
        ),
        (
            &["claude-code", "--event", "Harvest"][..],
            "Harvest",
            "`Harvest`",
        ),
        (
            &["gemini", "--event", "PermissionRequest"][..],
            "-",
            "gemini",
        ),
        (
            &["opencode", "--event", "PreToolUse"][..],
            "PreToolUse",
            "opencode",
        ),
        (
            &["claude-code", "--event", "PreToolUse", "--timeout", "0"][..],
            "PreToolUse",
            "--timeout",
        ),
        (
            &[
                "claude-code",
                "--event",
                "PermissionRequest",
                "--timeout",
                "soon",
            ][..],
            "PermissionRequest",
            "`soon`",
        ),
        (
            &["claude-code", "--event", "PreToolUse", "--home", "here"][..],
            "PreToolUse",
            "`here`",
        ),
        (
            &[
                "claude-code",
                "--event",
                "PreToolUse",
                "--approval-mode",
                "free",
            ][..],
            "PreToolUse",
            "--approval-mode",
        ),
        (
            &["claude-code", "--event", "PreToolUse", "--yes", "1"][..],
            "PreToolUse",
            "`--yes`",
        ),
        (
            &["claude-code", "--event", "PreToolUse", "trust"][..],
            "PreToolUse",
            "`trust`",
        ),
    ] {
        let message = run(words).assert_block(event);
        assert!(message.contains(part), "{words:?}: {message}");
    }
}

#[test]
fn a_broken_message_about_nothing_to_decide_is_silent() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in [
        (CLAUDE, "PostToolUse"),
        (CLAUDE, "UserPromptSubmit"),
        (QWEN, "SessionStart"),
        (CODEX, "Stop"),
        (GEMINI, "AfterTool"),
    ] {
        for input in [&b""[..], b"{", b"{\"session_id\":7}"] {
            fed(&sandbox, agent, event, input).assert_neutral();
        }
    }
    assert_eq!(sandbox.journal().len(), 0);
}

/// Not an allow, and nothing that the agent would take for a failed hook.
#[track_caller]
fn assert_not_allowed(ran: &Ran, agent: &str, event: &str) {
    let asks = agent == CLAUDE && event == "PreToolUse" && ran.code == 0;
    if asks || (event == "PermissionRequest" && ran.stdout.is_empty()) {
        ran.assert_ask(agent, event);
    } else {
        ran.assert_block(event);
    }
}

#[test]
fn deep_and_long_commands_are_never_allowed() {
    let allowed = r#"{ "tools": { "approvalMode": "auto" }, "permissions": { "allow": ["Bash(cargo test *)"] } }"#;
    let sandbox = Sandbox::trusted(allowed);
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}cargo test{}", open.repeat(depth), close.repeat(depth))
    };
    let commands = [
        nested("(", "", 20_000),
        nested("(", "", 64),
        nested("( ", " )", 20_000),
        nested("$(", ")", 20_000),
        nested("cargo test \"$(", ")\"", 3_000),
        nested("`", "`", 5_000),
        nested("{ ", "; }", 8_000),
        nested("if true; then ", "; fi", 3_000),
        nested("((", "))", 10_000),
        nested("[[ ", " ]]", 10_000),
        nested("cargo test ${a:-", "}", 10_000),
        nested("bash -c '", "'", 2_001),
        nested("cargo test <(", ")", 10_000),
        nested("cargo test {a,", "}", 10_000),
        "cargo test <<A\n".repeat(2_000),
        format!("cargo test {}", "vine ".repeat(20_000)),
        format!("cargo test {}", "v".repeat(70 * 1024)),
        "cargo test; ".repeat(1_000),
        "f(){ f|f& };".repeat(500),
    ];
    for (agent, event) in [
        (CLAUDE, "PreToolUse"),
        (CLAUDE, "PermissionRequest"),
        (GEMINI, "BeforeTool"),
    ] {
        for command in &commands {
            let call = sandbox.shell(agent, event, command);
            let ran = sandbox.hook(agent, event, &call);
            assert_not_allowed(&ran, agent, event);
        }
    }
    // Just inside the limit it is an ordinary command.
    let inside = format!("cargo test {}", "v".repeat(60 * 1024));
    let call = sandbox.shell(CLAUDE, "PreToolUse", &inside);
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_allow(CLAUDE, "PreToolUse");
    let subject = sandbox.journal().last().unwrap()["subject"]
        .as_str()
        .unwrap()
        .len();
    assert!(subject <= 16 * 1024, "{subject}");
    sandbox.assert_verified();
}

#[test]
fn deep_messages_are_never_allowed() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        let text = sandbox.shell(agent, event, "cargo test").to_string();
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [200, 100_000] {
                let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let payload = text.replacen('{', &format!("{{\"deep\":{deep},"), 1);
                fed(&sandbox, agent, event, payload.as_bytes()).assert_block(event);
                let unclosed = format!("{{\"deep\":{}", open.repeat(depth));
                fed(&sandbox, agent, event, unclosed.as_bytes()).assert_block(event);
            }
        }
    }
}
