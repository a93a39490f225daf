//! The plugin for opencode, run by Node with a stand-in for the hook: nothing
//! but an explicit allow lets a call run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use countersign_agents::{decode, opencode};
use countersign_core::agent::Agent;
use serde_json::Value;

use crate::examples::must_be_there;

/// What the driver prints.
fn driven() -> Value {
    must_be_there("node");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/opencode");
    // Of this process: the driver reads what all hooks wrote there.
    let name = format!("opencode-plugin-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let hook = folder.join("hook.sh");
    fs::copy(source.join("hook.sh"), &hook).unwrap();
    let make_runnable = Command::new("chmod").arg("+x").arg(&hook).status();
    assert!(make_runnable.unwrap().success());
    let write = |name: &str, program: &str, is_hasty: bool| {
        let options = ["--home", "/home of a test"];
        let mut text = opencode::plugin(program, &options, Duration::from_secs(60));
        if is_hasty {
            text = text
                .replace("const MARGIN_MILLIS = 2_000", "const MARGIN_MILLIS = 100")
                .replace("const TIMEOUT_SECONDS = 60", "const TIMEOUT_SECONDS = 0.2");
        }
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let output = Command::new("node")
        .arg(source.join("drive.mjs"))
        .arg(write("plugin.mjs", hook.to_str().unwrap(), false))
        .arg(write("hasty.mjs", hook.to_str().unwrap(), true))
        .arg(write("missing.mjs", "/no/such/program", false))
        .arg(&folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    fs::remove_dir_all(&folder).unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn nothing_but_an_explicit_allow_lets_a_call_of_opencode_run() {
    let driven = driven();
    let outcome = &driven["outcome"];
    for name in [
        "allow",
        "no opinion",
        "answered meanwhile",
        "in a sub-agent",
        "of a server",
        "in plan mode",
        "rejected later",
    ] {
        assert_eq!(outcome[name], "runs", "{name}");
    }
    assert_eq!(outcome["deny"], "Countersign: a rule forbids it");
    for (name, part) in [
        ("wordless deny", "gave no reason"),
        ("silence", "cannot be read"),
        ("garbage", "cannot be read"),
        ("unknown answer", "did not allow"),
        ("failure", "status 1"),
        ("killed", "SIGKILL"),
        ("hang", "took longer than 0.2 s"),
        ("too much output", "printed too much"),
        ("closed input", "gave no reason"),
        ("missing program", "cannot be run"),
        ("unreadable input", "circular"),
        ("no arguments", "cannot be read"),
        ("shifting input", "changed while it was judged"),
    ] {
        let text = outcome[name].as_str().unwrap_or_default();
        assert!(text.starts_with("Countersign"), "{name}: {text}");
        assert!(text.contains(part), "{name}: {text}");
        assert!(
            text.contains("countersign log"),
            "{name}: no remedy in {text}"
        );
    }
    for part in ["argument", "nested", "whole"] {
        assert_eq!(outcome[format!("changing the {part}")], "TypeError");
    }
    payloads_are_read(driven["notes"].as_array().unwrap());
}

/// What the plugin sent, as the adapter reads it.
fn payloads_are_read(notes: &[Value]) {
    let of = |event: &str| -> Vec<&Value> {
        let sent: Vec<&Value> = notes
            .iter()
            .filter(|note| note["payload"]["hook_event_name"] == event)
            .collect();
        for note in &sent {
            let line = note["line"].as_str().unwrap();
            let begins = format!("hook opencode --event {event} --timeout ");
            assert!(line.starts_with(&begins), "{line}");
            assert!(line.ends_with(" --home /home of a test"), "{line}");
            let payload = note["payload"].to_string();
            decode(Agent::Opencode, event, payload.as_bytes()).unwrap();
        }
        sent.into_iter().map(|note| &note["payload"]).collect()
    };
    let words: Vec<&Value> = of("chat.message")
        .into_iter()
        .map(|payload| &payload["prompt"])
        .collect();
    assert_eq!(words, ["typed by a person", "/jam plum"]);
    let results = of("tool.execute.after");
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["tool_input"]["command"], "does-allow");
    let rejected = of("permission.replied");
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["tool_input"]["marker"], "rejected");
    assert_eq!(of("session.idle").len(), 1);
    assert_eq!(of("session.deleted").len(), 1);

    let marked = |marker: &str| -> Vec<&Value> {
        notes
            .iter()
            .map(|note| &note["payload"])
            .filter(|payload| payload["tool_input"]["marker"] == marker)
            .collect()
    };
    let of_sub_agent = marked("sub-agent");
    assert_eq!(of_sub_agent[0]["session_id"], "root");
    assert_eq!(of_sub_agent[0]["agent_id"], "child");
    assert_eq!(marked("planning")[0]["permission_mode"], "plan");
    let of_server = &marked("server")[0]["mcp_context"];
    assert_eq!(of_server["server_name"], "weather_more");
    assert_eq!(of_server["tool_name"], "get_it");
    let judged_twice = notes
        .iter()
        .filter(|note| {
            note["payload"]["tool_use_id"] == "call1"
                && note["payload"]["hook_event_name"] == "tool.execute.before"
        })
        .count();
    assert_eq!(judged_twice, 1);
}
