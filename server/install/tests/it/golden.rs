//! Files before and after, as they stand in `golden`.

use std::fs;

use countersign_core::agent::Agent;

use crate::support::{installed, plan, removed};

fn golden(name: &str) -> String {
    let file = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[track_caller]
fn assert_golden(name: &str, text: &str) {
    let file = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if !fs::exists(&file).unwrap() {
        fs::write(&file, text).unwrap();
        panic!("{file} was not there and is written: look at it and run the test again");
    }
    assert_eq!(text, golden(name), "{name}");
}

#[test]
fn each_agent_gets_its_own_form_and_keeps_what_was_there() {
    for agent in crate::support::IN_JSON {
        let before = golden(&format!("{agent}.before.json"));
        let after = installed(agent, &before);
        assert_golden(&format!("{agent}.after.json"), &after);
        assert_eq!(installed(agent, &after), after, "{agent}: again");
    }
}

#[test]
fn a_file_that_is_not_there_or_empty_is_made() {
    for agent in crate::support::IN_JSON {
        let fresh = plan(agent, None).unwrap();
        assert_eq!(fresh.without, None);
        let text = fresh.edit.after.unwrap();
        assert_golden(&format!("{agent}.fresh.json"), &text);
        for empty in ["", " \n", "{}\n"] {
            assert_eq!(installed(agent, empty), text, "{agent}: {empty:?}");
        }
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_stay() {
    let before = "\u{feff}{\r\n\t// mine\r\n\t\"model\": \"m\",\r\n}\r\n";
    let after = installed(Agent::ClaudeCode, before);
    assert!(
        after.starts_with("\u{feff}{\r\n\t// mine\r\n\t\"model\": \"m\",\r\n\t\"hooks\": {\r\n")
    );
    assert!(!after.replace("\r\n", "").contains('\n'), "{after:?}");
    assert!(after.ends_with(",\r\n}\r\n"), "{after:?}");
    assert!(after.contains("\r\n\t\t\"PreToolUse\""), "{after:?}");
    assert_eq!(removed(Agent::ClaudeCode, &after).as_deref(), Some(before));
}

#[test]
fn odd_indentation_goes_on_as_it_is() {
    let before = "{\n   \"a\": [ 1,2 ],\n      \"b\": { \"c\":\n1 }\n}";
    let after = installed(Agent::Gemini, before);
    assert!(
        after.starts_with("{\n   \"a\": [ 1,2 ],\n      \"b\": { \"c\":\n1 },\n"),
        "{after}"
    );
    assert!(
        after.contains("\n   \"hooks\": {\n      \"BeforeTool\": [\n"),
        "{after}"
    );
}
