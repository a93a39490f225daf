//! Each agent's calls, decided and answered in that agent's own form.

use serde_json::{Value, json};

use crate::support::{AUTO, CLAUDE, CODEX, DECIDING, DEFAULT, GEMINI, QWEN, Sandbox, With as _};

#[test]
fn a_read_is_allowed() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        let read = sandbox.read(agent, event, "src/lib.rs");
        sandbox.hook(agent, event, &read).assert_allow(agent, event);
        let rows = sandbox.journal();
        assert_eq!(rows.len(), 1, "{agent} {event}");
        let row = &rows[0];
        assert_eq!(row["kind"], "decision");
        assert_eq!(row["decision"], "allow");
        assert_eq!(row["reason"], "safe_tool");
        assert_eq!(row["tool"], "read_file");
        assert_eq!(row["key"]["agent"], *agent);
        assert_eq!(row["key"]["session"], read["session_id"]);
        assert_eq!(row["subject"], sandbox.file("src/lib.rs"));
        assert_eq!(row["workspace"], sandbox.workspace.as_str());
        assert_eq!(row["mode"], "auto");
        sandbox.assert_verified();
    }
}

#[test]
fn an_edit_inside_a_trusted_workspace_is_allowed_in_auto() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        let edit = sandbox.edit(agent, event, "src/lib.rs");
        sandbox.hook(agent, event, &edit).assert_allow(agent, event);
        let rows = sandbox.journal();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["reason"], "accept_edits", "{agent} {event}");
    }
}

#[test]
fn the_same_edit_asks_without_trust() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::new();
        sandbox.settings(AUTO);
        let edit = sandbox.edit(agent, event, "src/lib.rs");
        sandbox.hook(agent, event, &edit).assert_ask(agent, event);
        let row = &sandbox.rows("decision")[0];
        assert_eq!(row["decision"], "ask");
        assert_eq!(row["reason"], "approval_mode");
        assert_eq!(row["mode"], "default");
    }
}

#[test]
fn an_allow_rule_allows() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        let call = sandbox.shell(agent, event, "cargo test --workspace");
        sandbox.hook(agent, event, &call).assert_allow(agent, event);
        let row = &sandbox.journal()[0];
        assert_eq!(row["reason"], "rule");
        let detail = row["detail"].as_str().unwrap();
        assert!(detail.contains("Bash(cargo test *)"), "{detail}");
        assert!(detail.contains("settings.json:5"), "{detail}");
    }
}

#[test]
fn a_denied_command_is_blocked_and_the_rule_is_named() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        for command in ["uproot vines", "git status && u\"proo\"t vines"] {
            let call = sandbox.shell(agent, event, command);
            let message = sandbox.hook(agent, event, &call).assert_block(event);
            assert!(message.contains("Bash(uproot *)"), "{message}");
            assert!(message.contains("settings.json:7"), "{message}");
        }
        let rows = sandbox.journal();
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert_eq!(row["decision"], "block");
            assert_eq!(row["reason"], "rule_denied");
        }
    }
}

#[test]
fn a_denied_file_is_blocked_for_tools_and_for_commands() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        let read = sandbox.read(agent, event, ".env");
        sandbox.hook(agent, event, &read).assert_block(event);
        let cat = sandbox.shell(agent, event, "base64 < .env");
        sandbox.hook(agent, event, &cat).assert_block(event);
        for row in sandbox.journal() {
            assert_eq!(row["reason"], "rule_denied");
        }
    }
}

#[test]
fn what_nothing_covers_asks_or_is_denied_where_nobody_can_be_asked() {
    for settings in [AUTO, DEFAULT] {
        for (agent, event) in DECIDING {
            let sandbox = Sandbox::trusted(settings);
            let call = sandbox.shell(agent, event, "trellis build");
            sandbox.hook(agent, event, &call).assert_ask(agent, event);
            let rows = sandbox.journal();
            let reason = if settings == AUTO {
                "no_classifier"
            } else {
                "approval_mode"
            };
            assert_eq!(rows[0]["decision"], "ask");
            assert_eq!(rows[0]["reason"], reason);
            let can_ask = *event == "PermissionRequest" || *agent == CLAUDE;
            assert_eq!(rows.len(), if can_ask { 1 } else { 2 });
            if !can_ask {
                assert_eq!(rows[1]["kind"], "answer");
                assert_eq!(rows[1]["reason"], "no_surface");
                assert_eq!(rows[1]["decision"], "block");
                assert_eq!(rows[1]["source"], "none");
            }
        }
    }
}

#[test]
fn an_ask_rule_asks() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        let call = sandbox.shell(agent, event, "git push origin main");
        let message = sandbox.hook(agent, event, &call).assert_ask(agent, event);
        if *agent == CLAUDE && *event == "PreToolUse" {
            assert!(message.contains("Bash(git push *)"), "{message}");
        }
        assert_eq!(sandbox.journal()[0]["reason"], "ask_rule");
    }
}

#[test]
fn a_protected_file_is_not_on_the_fast_path() {
    for (agent, event) in DECIDING {
        let sandbox = Sandbox::trusted(AUTO);
        let edit = sandbox.edit(agent, event, "package.json");
        sandbox.hook(agent, event, &edit).assert_ask(agent, event);
        assert_eq!(sandbox.journal()[0]["reason"], "no_classifier");
    }
}

#[test]
fn the_guards_own_files_are_blocked_in_every_mode_that_settings_know() {
    for mode in ["plan", "default", "auto-edit", "auto"] {
        let sandbox = Sandbox::trusted(&format!(
            r#"{{ "tools": {{ "approvalMode": "{mode}" }}, "permissions": {{ "allow": ["Bash", "Edit", "Write"] }} }}"#
        ));
        let settings = sandbox.places().user_file();
        let write = sandbox.call(
            CLAUDE,
            "PreToolUse",
            "Write",
            json!({ "file_path": settings, "content": "{}" }),
        );
        sandbox
            .hook(CLAUDE, "PreToolUse", &write)
            .assert_block("PreToolUse");
        let trust = sandbox.shell(CLAUDE, "PreToolUse", "countersign trust");
        sandbox
            .hook(CLAUDE, "PreToolUse", &trust)
            .assert_block("PreToolUse");
        for row in sandbox.rows("decision") {
            assert_eq!(row["reason"], "static_blocked", "{mode}: {row}");
        }
        assert_eq!(sandbox.rows("decision").len(), 2);
    }
}

#[test]
fn a_patch_is_one_call_and_its_strictest_file_decides() {
    let patch = |files: &[&str]| {
        let parts: Vec<String> = files
            .iter()
            .map(|file| format!("*** Update File: {file}\n@@\n-vines\n+trellis\n"))
            .collect();
        json!({ "command": format!("*** Begin Patch\n{}*** End Patch", parts.concat()) })
    };
    for (files, reason) in [
        (&["src/lib.rs", "src/rows.rs"][..], "accept_edits"),
        (
            &["src/lib.rs", ".github/workflows/test.yml"][..],
            "no_classifier",
        ),
        (
            &[".git/hooks/pre-commit", "src/lib.rs"][..],
            "no_classifier",
        ),
        (&["src/lib.rs", "package.json", ".env"][..], "rule_denied"),
    ] {
        let sandbox = Sandbox::trusted(&AUTO.replace("Read(.env)", "Edit(.env)"));
        let call = sandbox.call(CODEX, "PreToolUse", "apply_patch", patch(files));
        let ran = sandbox.hook(CODEX, "PreToolUse", &call);
        match reason {
            "accept_edits" => ran.assert_allow(CODEX, "PreToolUse"),
            "no_classifier" => {
                ran.assert_ask(CODEX, "PreToolUse");
            }
            _ => {
                ran.assert_block("PreToolUse");
            }
        }
        let rows = sandbox.rows("decision");
        assert_eq!(rows.len(), 1, "{files:?}");
        assert_eq!(rows[0]["reason"], reason, "{files:?}");
        for file in files {
            assert!(rows[0]["subject"].as_str().unwrap().contains(file));
        }
    }
}

#[test]
fn a_patch_in_a_here_document_is_a_patch() {
    let sandbox = Sandbox::trusted(&AUTO.replace("Read(.env)", "Edit(.env)"));
    let command = "apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: .env\n@@\n-KEY=none\n+KEY=one\n\
                   *** End Patch\nEOF";
    let call = sandbox.shell(CODEX, "PreToolUse", command);
    sandbox
        .hook(CODEX, "PreToolUse", &call)
        .assert_block("PreToolUse");
    assert_eq!(sandbox.rows("decision")[0]["reason"], "rule_denied");
}

#[test]
fn the_urls_of_a_prompt_are_what_is_fetched() {
    for (prompt, allowed, subject) in [
        (
            "sum up https://docs.rs/serde/latest/",
            true,
            "https://docs.rs/serde/latest/",
        ),
        (
            "compare https://docs.rs/serde with https://vines.example.org/a",
            false,
            "https://docs.rs/serde, https://vines.example.org/a",
        ),
        (
            "sum up the page that we spoke about",
            false,
            "a host that is not named",
        ),
    ] {
        let sandbox = Sandbox::trusted(AUTO);
        let call = sandbox.call(
            GEMINI,
            "BeforeTool",
            "web_fetch",
            json!({ "prompt": prompt }),
        );
        let ran = sandbox.hook(GEMINI, "BeforeTool", &call);
        if allowed {
            ran.assert_allow(GEMINI, "BeforeTool");
        } else {
            ran.assert_ask(GEMINI, "BeforeTool");
        }
        let row = &sandbox.rows("decision")[0];
        assert_eq!(row["tool"], "web_fetch");
        assert_eq!(
            row["reason"],
            if allowed { "rule" } else { "no_classifier" }
        );
        assert_eq!(row["subject"], subject);
    }
}

#[test]
fn a_dialog_with_the_person_is_left_to_the_agent() {
    let question =
        json!({ "questions": [{ "question": "Which row?", "header": "Row", "options": [] }] });
    for (agent, event, tool) in [
        (CLAUDE, "PreToolUse", "AskUserQuestion"),
        (CLAUDE, "PermissionRequest", "AskUserQuestion"),
        (CLAUDE, "PreToolUse", "ExitPlanMode"),
        (QWEN, "PreToolUse", "ask_user_question"),
        (QWEN, "PermissionRequest", "exit_plan_mode"),
        (CODEX, "PreToolUse", "request_user_input"),
        (GEMINI, "BeforeTool", "ask_user"),
    ] {
        let sandbox = Sandbox::trusted(AUTO);
        let call = sandbox.call(agent, event, tool, question.clone());
        sandbox.hook(agent, event, &call).assert_neutral();
        assert_eq!(sandbox.journal().len(), 0, "{agent} {tool}");
    }
}

#[test]
fn events_that_need_no_decision_get_silence() {
    for (agent, events) in [
        (
            CLAUDE,
            &[
                "SessionStart",
                "UserPromptSubmit",
                "Notification",
                "PostToolUse",
                "Stop",
                "SessionEnd",
            ][..],
        ),
        (
            QWEN,
            &[
                "SessionStart",
                "UserPromptSubmit",
                "PermissionDenied",
                "PostToolUse",
                "Stop",
            ][..],
        ),
        (
            CODEX,
            &["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"][..],
        ),
        (
            GEMINI,
            &[
                "SessionStart",
                "BeforeAgent",
                "Notification",
                "AfterTool",
                "AfterAgent",
                "SessionEnd",
            ][..],
        ),
    ] {
        let sandbox = Sandbox::trusted(AUTO);
        for event in events {
            let payload = sandbox.payload(agent, event);
            sandbox.hook(agent, event, &payload).assert_neutral();
        }
        // The text of a person's message is nowhere in the state.
        let journal = serde_json::to_string(&sandbox.journal()).unwrap();
        assert!(journal.contains("session_start") && journal.contains("user_message"));
        assert!(!journal.contains("go on with the vines"), "{journal}");
        sandbox.assert_verified();
    }
}

#[test]
fn the_agents_plan_mode_tightens_and_its_other_modes_do_not() {
    let sandbox = Sandbox::trusted(AUTO);
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    for mode in ["default", "acceptEdits", "bypassPermissions"] {
        let edit = edit.clone().with("permission_mode", json!(mode));
        sandbox
            .hook(CLAUDE, "PreToolUse", &edit)
            .assert_allow(CLAUDE, "PreToolUse");
    }
    let edit = edit.with("permission_mode", json!("plan"));
    let message = sandbox
        .hook(CLAUDE, "PreToolUse", &edit)
        .assert_block("PreToolUse");
    assert!(message.contains("plan mode"), "{message}");
}

#[test]
fn secrets_are_masked_and_hostile_text_is_shown() {
    let sandbox = Sandbox::trusted(AUTO);
    let command = "trellis login --token ghp_abcdefghijklmnopqrstuvwxyz0123456789 \u{202e}";
    let call = sandbox.shell(CLAUDE, "PreToolUse", command);
    let ran = sandbox.hook(CLAUDE, "PreToolUse", &call);
    ran.assert_ask(CLAUDE, "PreToolUse");
    assert!(!ran.stdout.contains('\u{202e}'));
    let subject = sandbox.journal()[0]["subject"].as_str().unwrap().to_owned();
    assert!(subject.starts_with("trellis login --token "), "{subject}");
    assert!(!subject.contains("abcdefghijklmnop"), "{subject}");
    let table = sandbox.run(&["log"]).stdout;
    assert!(
        table.contains("trellis login") && !table.contains('\u{202e}'),
        "{table}"
    );
}

#[test]
fn another_agents_payload_is_decided_as_that_agents() {
    let sandbox = Sandbox::trusted(AUTO);
    for (sender, event) in [(CODEX, "PreToolUse"), (QWEN, "PermissionRequest")] {
        let allowed = sandbox.hook(CLAUDE, event, &sandbox.shell(sender, event, "cargo test"));
        assert_eq!(
            (allowed.code, allowed.stderr.as_str()),
            (0, ""),
            "{allowed:?}"
        );
        let denied = sandbox.shell(sender, event, "uproot vines");
        let message = sandbox.hook(CLAUDE, event, &denied).assert_block(event);
        assert!(message.contains("a permission rule"), "{message}");
    }
    let senders: Vec<Value> = sandbox
        .rows("decision")
        .iter()
        .map(|row| row["key"]["agent"].clone())
        .collect();
    assert_eq!(senders, [CODEX, CODEX, QWEN, QWEN]);
}

#[test]
fn a_payload_that_nobody_can_read_is_blocked() {
    let sandbox = Sandbox::trusted(AUTO);
    let cline = json!({ "clineVersion": "3", "hookName": "PreToolUse", "taskId": "t" });
    let message = sandbox
        .hook(CLAUDE, "PreToolUse", &cline)
        .assert_block("PreToolUse");
    assert!(message.contains("Cline"), "{message}");
    let journal = sandbox.journal();
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0]["reason"], "invalid_call");
}
