//! The schema for any other agent is strict, and what it says is what is read.

use countersign_agents::{Answer, decode, encode, event_of_broken, generic, known_events};
use countersign_core::agent::Agent;
use serde_json::{Value, json};

use crate::captures::{captures, event_name};

fn problem(payload: &Value) -> Option<String> {
    let event = payload["event"].as_str().unwrap_or("before_tool");
    decode(Agent::Generic, event, payload.to_string().as_bytes())
        .err()
        .map(|error| error.to_string())
}

fn call() -> Value {
    json!({
        "version": 1, "event": "before_tool", "session": "s", "cwd": "/w",
        "tool": "run_shell_command", "input": {"command": "ls"},
    })
}

#[test]
fn a_missing_unknown_or_misplaced_field_is_a_block() {
    assert_eq!(problem(&call()), None);
    for field in ["version", "event", "session", "cwd", "tool", "input"] {
        let mut payload = call();
        payload.as_object_mut().unwrap().remove(field);
        let problem = problem(&payload).unwrap();
        assert!(problem.contains(field), "{field}: {problem}");
    }
    for (field, value, part) in [
        ("version", json!(2), "`version` is not 1"),
        ("version", json!("1"), "`version` is not 1"),
        ("tool_name", json!("x"), "`tool_name` is no field"),
        ("failed", json!(true), "`failed` has no place"),
        ("plan_mode", json!("yes"), "`plan_mode` is a string"),
        ("call", json!(7), "`call` is a number"),
        ("text", json!("x"), "`text` has no place"),
    ] {
        let mut payload = call();
        payload[field] = value;
        let problem = problem(&payload).unwrap();
        assert!(problem.contains(part), "{field}: {problem}");
    }
}

/// The parts of the schema that say what is required and what is forbidden,
/// applied by hand.
fn fits(schema: &Value, payload: &Value) -> bool {
    let object = payload.as_object().unwrap();
    let required = |names: &Value| {
        let names = names.as_array().cloned().unwrap_or_default();
        names
            .iter()
            .all(|name| object.contains_key(name.as_str().unwrap()))
    };
    let known = object
        .keys()
        .all(|name| schema["properties"].get(name).is_some());
    let at_event = schema["allOf"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| part["if"]["properties"]["event"]["const"] == payload["event"])
        .all(|part| {
            let forbidden = part["then"]["properties"].as_object().unwrap();
            required(&part["then"]["required"])
                && !forbidden.keys().any(|name| object.contains_key(name))
        });
    known && required(&schema["required"]) && at_event
}

#[test]
fn the_schema_says_what_is_read() {
    let schema = generic::schema();
    let mut compared = 0;
    for (name, bytes) in captures("generic") {
        let payload: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(fits(&schema, &payload), "{name}");
        for field in schema["properties"].as_object().unwrap().keys() {
            let mut changed = payload.clone();
            if changed.as_object_mut().unwrap().remove(field).is_none() {
                changed[field] = json!("x");
                // Of the wrong type, which the comparison does not look at.
                if ["failed", "plan_mode"].contains(&field.as_str()) {
                    changed[field] = json!(true);
                }
            }
            if field == "event" {
                continue;
            }
            let event = event_name(&name);
            let read = decode(Agent::Generic, event, changed.to_string().as_bytes());
            assert_eq!(read.is_ok(), fits(&schema, &changed), "{name} {field}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared}");
    let events = schema["properties"]["event"]["enum"].as_array().unwrap();
    assert!(known_events(Agent::Generic).eq(events.iter().map(|name| name.as_str().unwrap())));
}

#[test]
fn an_allow_is_always_written_in_the_same_way() {
    let allow = Answer::Allow {
        note: "a rule".to_owned(),
    };
    let event = event_of_broken(Agent::Generic, "before_tool");
    let output = encode(event, &allow);
    // The Rust example compares the text.
    assert_eq!(output.stdout, b"{\"decision\":\"allow\",\"version\":1}\n");
}
