//! What others wrote stays, what we wrote is brought up to date, and a file
//! that is broken is left alone.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_install::{Version, Wish, diff, install, profile};
use serde_json::Value;

use crate::support::{PROGRAM, file, installed, plan, wish};

fn events(text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap();
    value["hooks"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn an_older_version_gets_no_event_that_it_does_not_know() {
    let with = |version| {
        let wish = Wish { version, ..wish() };
        install(profile(Agent::ClaudeCode).unwrap(), file(), None, &wish).unwrap()
    };
    let old = with(Some(Version::new(2, 1, 44)));
    assert!(old.left_out.contains(&"PermissionDenied"), "{old:?}");
    let names = events(&old.edit.after.unwrap());
    assert!(names.contains(&"PermissionRequest".to_owned()), "{names:?}");
    assert!(!names.contains(&"PermissionDenied".to_owned()), "{names:?}");
    let unknown = with(None);
    assert!(
        unknown.left_out.contains(&"PermissionRequest"),
        "{unknown:?}"
    );
    let newest = with(Some(Version::new(2, 1, 329)));
    assert!(newest.left_out.is_empty(), "{newest:?}");
    // Going back to an older version takes out what it does not know.
    let text = newest.edit.after.unwrap();
    let wish = Wish {
        version: Some(Version::new(2, 1, 44)),
        ..wish()
    };
    let back = install(
        profile(Agent::ClaudeCode).unwrap(),
        file(),
        Some(&text),
        &wish,
    )
    .unwrap();
    assert!(!events(&back.edit.after.unwrap()).contains(&"PermissionDenied".to_owned()));
}

#[test]
fn a_hook_written_by_hand_becomes_ours_in_its_place() {
    let before = r#"{
  "hooks": {
    "PreToolUse": [
      { "hooks": [{ "type": "command", "timeout": 60, "command": "countersign hook claude-code --event PreToolUse --timeout 60", "statusMessage": "looking" }] },
      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "other-guard" }] } // theirs
    ]
  }
}
"#;
    let after = installed(Agent::ClaudeCode, before);
    let value: Value = jsonc(&after);
    let list = value["hooks"]["PreToolUse"].as_array().unwrap();
    assert_eq!(list.len(), 2, "{after}");
    let ours = &list[0]["hooks"][0];
    assert_eq!(
        ours["command"],
        format!("{PROGRAM} hook claude-code --event PreToolUse --timeout 600")
    );
    assert_eq!(
        (&ours["timeout"], &ours["statusMessage"]),
        (&600.into(), &"looking".into())
    );
    assert!(after.contains(r#"{ "matcher": "Bash", "hooks": [{ "type": "command", "command": "other-guard" }] } // theirs"#));
}

fn jsonc(text: &str) -> Value {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split(" //").next().unwrap())
        .collect();
    serde_json::from_str(&lines.join("\n")).unwrap()
}

#[test]
fn a_hook_that_leaves_calls_out_is_replaced() {
    for entry in [
        r#"{ "matcher": "Bash", "hooks": [{ "type": "command", "command": "countersign hook claude-code --event PreToolUse" }] }"#,
        r#"{ "hooks": [{ "type": "command", "async": true, "command": "countersign hook claude-code --event PreToolUse" }] }"#,
        r#"{ "hooks": [{ "type": "command", "if": "Bash(git *)", "command": "countersign hook claude-code --event PreToolUse" }] }"#,
        r#"{ "hooks": [{ "type": "command", "command": "countersign hook claude-code --event PreToolUse || true" }] }"#,
        r#"{ "hooks": [{ "type": "command", "command": "countersign", "args": ["hook", "claude-code"] }] }"#,
    ] {
        let before = format!("{{ \"hooks\": {{ \"PreToolUse\": [{entry}] }} }}");
        let after = installed(Agent::ClaudeCode, &before);
        let value: Value = serde_json::from_str(&after).unwrap();
        let list = value["hooks"]["PreToolUse"].as_array().unwrap();
        assert_eq!(list.len(), 1, "{after}");
        assert_eq!(list[0].as_object().unwrap().len(), 1, "{after}");
        assert_eq!(list[0]["hooks"][0].as_object().unwrap().len(), 3, "{after}");
    }
}

#[test]
fn another_binary_or_timeout_changes_our_lines_only() {
    for agent in crate::support::IN_JSON {
        let first = installed(agent, "{\n  // mine\n  \"other\": [1, 2]\n}\n");
        let moved = Wish {
            program: Utf8Path::new("/opt/it's new/countersign"),
            timeout: Some(300),
            ..wish()
        };
        let profile = profile(agent).unwrap();
        let plan = install(profile, file(), Some(&first), &moved).unwrap();
        let second = plan.edit.after.clone().unwrap();
        assert!(
            second.contains(r"'/opt/it'\\''s new/countersign' hook"),
            "{second}"
        );
        assert_eq!(first.lines().count(), second.lines().count(), "{agent}");
        for (old, new) in first.lines().zip(second.lines()) {
            assert!(
                old == new || new.contains("\"command\"") || new.contains("\"timeout"),
                "{agent}: {old} -> {new}"
            );
        }
        // And back again is what it was.
        let back = install(profile, file(), Some(&second), &wish()).unwrap();
        assert_eq!(back.edit.after.unwrap(), first, "{agent}");
    }
}

#[test]
fn a_broken_file_is_refused_with_its_place_and_a_remedy() {
    for (text, part) in [
        ("{\n  \"a\": 1\n  \"b\": 2\n}", ":2:9: "),
        ("{ \"a\": [1, 2 }", ":1:14: "),
        ("{\n\"hooks\": {\n", ":"),
        ("[]", "no object"),
        ("\"text\"", "no object"),
        ("{ \"hooks\": [] }", "`hooks` is not an object"),
        ("{ \"hooks\": 1 }", "`hooks` is not an object"),
        (
            "{ \"hooks\": { \"PreToolUse\": {} } }",
            "`hooks.PreToolUse` is not a list",
        ),
        (
            "{ \"hooks\": {}, \"hooks\": {} }",
            "`hooks` stands there twice",
        ),
        ("{ 'a': 1 }", ":1:"),
    ] {
        let error = plan(Agent::ClaudeCode, Some(text)).unwrap_err().to_string();
        assert!(error.starts_with("/home/ada/settings.json"), "{error}");
        assert!(error.contains(part), "{text:?}: {error}");
        assert!(error.contains("nothing was written"), "{error}");
        assert!(error.contains("first") || error.contains("mend"), "{error}");
    }
    let deep = "[".repeat(100_000);
    let error = plan(Agent::Codex, Some(&deep)).unwrap_err().to_string();
    assert!(
        error.contains(":1:201: ") && error.contains("nested"),
        "{error}"
    );
}

#[test]
fn a_plugin_of_somebody_else_is_not_overwritten() {
    let error = plan(Agent::Opencode, Some("export const Mine = 1\n")).unwrap_err();
    assert!(error.to_string().contains("did not write"), "{error}");
    let text = plan(Agent::Opencode, None).unwrap().edit.after.unwrap();
    assert!(
        text.contains(&format!("const PROGRAM = \"{PROGRAM}\"")),
        "{text}"
    );
    assert_eq!(
        plan(Agent::Opencode, Some(&text)).unwrap().edit.after,
        Some(text)
    );
}

#[test]
fn a_timeout_that_the_agent_does_not_take_is_refused() {
    for (agent, timeout) in [
        (Agent::Qwen, 1_000),
        (Agent::ClaudeCode, 5),
        (Agent::Gemini, 100_000),
    ] {
        let wish = Wish {
            timeout: Some(timeout),
            ..wish()
        };
        let error = install(profile(agent).unwrap(), file(), None, &wish).unwrap_err();
        assert!(error.to_string().contains(&timeout.to_string()), "{error}");
    }
}

#[test]
fn a_difference_shows_what_changes_and_no_key() {
    let before = "{\n  \"env\": {\n    \"API_KEY\": \"sk-ant-api03-not-a-real-key-but-long-enough-0123456789\"\n  }\n}\n";
    let plan = plan(Agent::ClaudeCode, Some(before)).unwrap();
    let shown = diff(&plan.edit);
    assert!(
        shown.starts_with("--- /home/ada/settings.json\n+++ /home/ada/settings.json\n@@ "),
        "{shown}"
    );
    assert!(shown.contains("+  \"hooks\": {"), "{shown}");
    assert!(
        shown.contains(&format!("+            \"command\": \"{PROGRAM} hook")),
        "{shown}"
    );
    assert!(!shown.contains("not-a-real-key"), "{shown}");
    assert!(!format!("{:?}", plan.edit).contains("not-a-real-key"));
}
