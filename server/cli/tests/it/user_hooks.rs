//! User hooks where no server runs: an agent's hook asks them within its time,
//! and never waits for those that are only told.

use std::fs;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use countersign_test_support::model_server::{ModelServer, Reply};
use serde_json::{Value, json};

use crate::person::with_model;
use crate::support::{AUTO, CLAUDE, GEMINI, QWEN, Sandbox, With as _};

const COMMAND: &str = "trellis build";
const ALLOW: &str = r#"echo '{"decision": "allow"}'"#;

/// These settings, with a hook.
fn with_hook(settings: &str, event: &str, command: &str) -> String {
    let hook = json!([{ "hooks": [{ "type": "command", "command": command, "timeout": 30 }] }]);
    settings.replacen('{', &format!("{{ \"hooks\": {{ \"{event}\": {hook} }},"), 1)
}

/// A file beside the home, for hooks to write.
fn scratch(sandbox: &Sandbox, name: &str) -> Utf8PathBuf {
    sandbox.home.parent().unwrap().join(name)
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn told(file: &Utf8PathBuf) -> Value {
    let mut text = String::new();
    eventually("the hook is told", || {
        text = fs::read_to_string(file).unwrap_or_default();
        text.ends_with('\n')
    });
    serde_json::from_str(&text).unwrap()
}

fn answers(sandbox: &Sandbox) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = sandbox.rows("answer");
    rows.iter()
        .map(|row| (text(&row["reason"]), text(&row["source"])))
        .collect()
}

#[test]
fn a_hooks_yes_and_no_decide_for_agents_that_can_ask_and_for_those_that_cannot() {
    for (agent, event) in [(CLAUDE, "PreToolUse"), (GEMINI, "BeforeTool")] {
        let sandbox = Sandbox::trusted(&with_hook(AUTO, "PermissionRequest", ALLOW));
        let call = sandbox.shell(agent, event, COMMAND);
        sandbox.hook(agent, event, &call).assert_allow(agent, event);
        assert_eq!(answers(&sandbox), [("proceed_once".into(), "hook".into())]);
        sandbox.settings(&with_hook(
            AUTO,
            "PermissionRequest",
            "echo never >&2; exit 2",
        ));
        let call = sandbox.shell(agent, event, "trellis plant");
        let message = sandbox.hook(agent, event, &call).assert_block(event);
        assert!(message.contains("a user hook said no: never"), "{message}");
        sandbox.assert_verified();
    }
}

#[test]
fn where_hooks_say_nothing_it_is_as_without_them() {
    let quiet = with_hook(AUTO, "PermissionRequest", "cat > /dev/null");
    let sandbox = Sandbox::trusted(&quiet);
    let call = sandbox
        .shell(CLAUDE, "PreToolUse", COMMAND)
        .with("tool_use_id", json!("toolu_a"));
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_ask(CLAUDE, "PreToolUse");
    let request = sandbox.shell(CLAUDE, "PermissionRequest", COMMAND);
    sandbox
        .hook(CLAUDE, "PermissionRequest", &request)
        .assert_neutral();
    let result = sandbox
        .shell(CLAUDE, "PostToolUse", COMMAND)
        .with("tool_use_id", json!("toolu_a"));
    sandbox
        .hook(CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    assert_eq!(answers(&sandbox), [("proceed_once".into(), "agent".into())]);
    assert_eq!(sandbox.rows("decision").len(), 1);

    let sandbox = Sandbox::trusted(&quiet);
    let call = sandbox.shell(GEMINI, "BeforeTool", COMMAND);
    sandbox
        .hook(GEMINI, "BeforeTool", &call)
        .assert_block("BeforeTool");
    assert_eq!(answers(&sandbox), [("no_surface".into(), "none".into())]);
}

#[test]
fn qwens_own_prompt_is_heard_after_hooks_that_said_nothing() {
    let settings = with_hook(AUTO, "PermissionRequest", "cat > /dev/null");
    let sandbox = Sandbox::trusted(&settings);
    let asks = sandbox.shell(QWEN, "PermissionRequest", COMMAND);
    sandbox
        .hook(QWEN, "PermissionRequest", &asks)
        .assert_neutral();
    // After its prompt, on which a person said yes.
    let runs = sandbox.shell(QWEN, "PreToolUse", COMMAND);
    sandbox
        .hook(QWEN, "PreToolUse", &runs)
        .assert_allow(QWEN, "PreToolUse");
}

#[test]
fn a_denial_is_answered_while_its_hook_still_runs() {
    let server = ModelServer::start();
    for _ in 0..2 {
        server.then(Reply::block("sends the code away"));
    }
    let sandbox = Sandbox::new();
    let (kept, own) = (scratch(&sandbox, "denied"), scratch(&sandbox, "own"));
    let command =
        format!("(cat; echo) > {kept}.new; mv {kept}.new {kept}; echo $$ > {own}; sleep 600");
    let settings = with_model(&format!("{}/v1", server.url()), "");
    sandbox.settings(&with_hook(&settings, "PermissionDenied", &command));
    sandbox.trust();
    let call = sandbox
        .shell(CLAUDE, "PreToolUse", "git fetch")
        .with("tool_use_id", json!("toolu_a"));
    let begin = Instant::now();
    // Waits until nobody holds its output.
    let ran = sandbox.hook(CLAUDE, "PreToolUse", &call);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.starts_with("Blocked by auto mode policy"),
        "{ran:?}"
    );
    assert!(begin.elapsed() < Duration::from_secs(25));
    let told = told(&kept);
    assert_eq!(told["hook_event_name"], "PermissionDenied");
    assert_eq!(told["reason"], "classifier_blocked");
    assert_eq!(told["tool_use_id"], "toolu_a");
    assert_eq!(told["tool_input"]["command"], "git fetch");
    assert_eq!(told["counters"]["consecutiveBlock"], 1);
    assert_eq!(told["workspace"], json!(sandbox.workspace));
    // It is minded: nothing of this test outlives it.
    let mut id = String::new();
    eventually("the hook runs", || {
        id = fs::read_to_string(&own).unwrap_or_default();
        id.ends_with('\n')
    });
    let id: i32 = id.trim().parse().unwrap();
    let group = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    eventually("its end is on record", || {
        let rows = sandbox.rows("problem");
        rows.iter().any(|row| {
            row["source"] == "hook" && row["detail"].to_string().contains("ended by signal 9")
        })
    });
}

#[test]
fn a_hook_that_hangs_leaves_the_agent_its_answer_in_time() {
    let sandbox = Sandbox::trusted(&with_hook(AUTO, "PermissionRequest", "sleep 600"));
    let call = sandbox.shell(CLAUDE, "PreToolUse", COMMAND);
    let mut words = sandbox.hook_words(CLAUDE, "PreToolUse");
    for word in &mut words {
        if *word == "60" {
            *word = "4";
        }
    }
    let mut command = crate::support::through(&[], &words);
    let ran = crate::support::feed(&mut command, call.to_string().as_bytes());
    ran.assert_ask(CLAUDE, "PreToolUse");
    let rows = sandbox.rows("problem");
    assert!(
        rows[0]["detail"].to_string().contains("did not end within"),
        "{rows:?}"
    );
}

#[test]
fn a_users_hook_in_the_workspace_is_not_run() {
    let sandbox = Sandbox::new();
    let script = sandbox.workspace.join("hook.sh");
    fs::write(&script, ALLOW).unwrap();
    let command = format!("sh {script}");
    sandbox.settings(&with_hook(AUTO, "PermissionRequest", &command));
    sandbox.trust();
    let call = sandbox.shell(GEMINI, "BeforeTool", COMMAND);
    sandbox
        .hook(GEMINI, "BeforeTool", &call)
        .assert_block("BeforeTool");
    let rows = sandbox.rows("problem");
    assert!(
        rows[0]["detail"].to_string().contains("an agent may write"),
        "{rows:?}"
    );
}

#[test]
fn hooks_are_listed_for_people_and_for_programs() {
    let sandbox = Sandbox::trusted(&with_hook(AUTO, "PermissionRequest", "echo \u{202e}x"));
    sandbox.workspace_settings(
        r#"{"hooks": {"SessionEnd": [{"hooks": [{"type": "command", "command": "true"}]}]}}"#,
    );
    let ran = sandbox.run(&["hooks"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for says in [
        "PermissionDenied",
        "exit 2: deny",
        "waits for your consent",
        "payload: hook_event",
    ] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{202e}'));
    let ran = sandbox.run(&["hooks", "--json"]);
    let listing: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(listing["events"].as_array().unwrap().len(), 5);
    assert_eq!(listing["events"][4]["hooks"][0]["consent"], "waiting");
}
