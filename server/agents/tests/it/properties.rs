//! Decoding is total, and no change of an input makes a known tool's call
//! mean less.

use std::mem::discriminant;

use countersign_agents::{decode, encode, event_of_broken, known_events, tool_names};
use countersign_core::agent::Agent;
use countersign_core::call::Call;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::captures::{AGENTS, call_of, captures, event_name};

fn any_agent() -> impl Strategy<Value = Agent> {
    prop::sample::select(Agent::ALL.to_vec())
}

fn any_event() -> impl Strategy<Value = String> {
    let known: Vec<String> = AGENTS
        .iter()
        .flat_map(|(agent, _)| known_events(*agent).map(str::to_owned))
        .collect();
    prop_oneof![9 => prop::sample::select(known), 1 => ".{0,12}"]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "/w/a",
            "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch",
            "apply_patch <<'E'\n*** Begin Patch\n*** Delete File: \u{e9}\n*** End Patch\nE",
            "apply_patch *** Begin Patch *** Add File: ",
            "see https://[::1 http://a:b@c/ www.\u{df}",
            "{../\\",
            "\u{0}",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A payload with known fields of any type, a known tool, and inputs with
/// fields that tools have.
fn any_payload() -> impl Strategy<Value = Value> {
    let tools: Vec<String> = AGENTS
        .iter()
        .flat_map(|(agent, _)| tool_names(*agent).map(|(raw, _)| raw.to_owned()))
        .collect();
    let field = prop::sample::select(vec![
        "command",
        "file_path",
        "path",
        "pattern",
        "include",
        "url",
        "prompt",
        "edits",
        "content",
        "old_string",
        "new_string",
        "directory",
        "dir_path",
        "workdir",
        "skill",
        "message",
        "filePath",
        "oldString",
        "newString",
        "patchText",
    ]);
    let input = prop::collection::hash_map(field, any_json(), 0..6).prop_map(|map| {
        map.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>()
    });
    (prop::sample::select(tools), input, any_json()).prop_map(|(tool, input, other)| {
        json!({
            "session_id": "s", "cwd": "/w", "tool_name": tool, "tool_input": input,
            "mcp_context": null, "permission_mode": "plan", "tool_response": other,
        })
    })
}

/// A payload in the form of an agent.
fn as_sent_by(agent: Agent, event: &str, payload: &Value) -> Value {
    let mut payload = payload.clone();
    match agent {
        Agent::Opencode => payload["countersign_plugin"] = json!(1),
        Agent::Cursor => {
            payload["conversation_id"] = json!("s");
            payload["workspace_roots"] = json!(["/w"]);
            payload["command"] = payload["tool_input"]["command"].clone();
            payload["file_path"] = payload["tool_input"]["file_path"].clone();
        }
        Agent::Vscode => payload["sessionId"] = json!("s"),
        Agent::Generic => {
            return json!({
                "version": 1, "event": event, "session": "s", "cwd": "/w",
                "tool": payload["tool_name"], "input": payload["tool_input"],
            });
        }
        Agent::ClaudeCode | Agent::Qwen | Agent::Codex | Agent::Gemini => {}
    }
    payload
}

fn of_call(agent: Agent, event: &str, payload: &Value) -> Option<Call> {
    let event = decode(agent, event, payload.to_string().as_bytes()).ok()?;
    call_of(&event).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bytes_never_panic(
        agent in any_agent(),
        event in any_event(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(decode(agent, &event, &bytes).is_err());
    }

    #[test]
    fn json_never_panics(agent in any_agent(), event in any_event(), payload in any_json()) {
        let _ = decode(agent, &event, payload.to_string().as_bytes());
    }

    #[test]
    fn payloads_never_panic(
        agent in any_agent(),
        hook in any_agent(),
        event in any_event(),
        payload in any_payload(),
    ) {
        let payload = as_sent_by(agent, &event, &payload);
        // Whoever's hook it was sent to.
        let elsewhere = decode(hook, &event, payload.to_string().as_bytes());
        if let Ok(read) = elsewhere && event_of_broken(hook, &event).stage.decides() {
            prop_assert!(read.event_ref().stage.decides());
        }
        match decode(agent, &event, payload.to_string().as_bytes()) {
            Ok(decoded) => {
                prop_assert_eq!(decoded.event_ref(), event_of_broken(agent, &event));
                if let Some(call) = call_of(&decoded) {
                    prop_assert!(!call.operations.is_empty());
                    prop_assert!(call.cwd.is_absolute());
                    let _ = call.digest();
                }
            }
            Err(error) => {
                let block = countersign_agents::Answer::Block { message: error.to_string() };
                let output = encode(event_of_broken(agent, &event), &block);
                prop_assert!(output.exit == 0 || output.exit == 2);
            }
        }
    }

    /// Cutting a payload anywhere never makes it mean anything.
    #[test]
    fn a_cut_payload_is_an_error(agent in prop::sample::select(AGENTS.to_vec()), at in any::<prop::sample::Index>()) {
        let (agent, folder) = agent;
        let (name, bytes) = captures(folder).into_iter().next().unwrap();
        let text = bytes.trim_ascii_end();
        let cut = &text[..at.index(text.len())];
        prop_assert!(decode(agent, event_name(&name), cut).is_err());
    }
}

/// For every capture and every field of its input: without the field, and with
/// every other type in its place, the call is an error or the same kind of
/// operations, and as many.
#[test]
fn no_change_of_a_field_makes_a_call_mean_less() {
    let others = [
        json!(null),
        json!(true),
        json!(7),
        json!(""),
        json!("x"),
        json!([]),
        json!(["x"]),
        json!({}),
    ];
    let mut compared = 0;
    for (agent, folder) in AGENTS {
        for (name, bytes) in captures(folder) {
            let payload: Value = serde_json::from_slice(&bytes).unwrap();
            let event = event_name(&name);
            let Some(original) = of_call(agent, event, &payload) else {
                continue;
            };
            // One part of the text is the command, one the patch in it.
            let is_patch = original.operations.len() > 1;
            let place = match agent {
                Agent::Generic => "input",
                _ => "tool_input",
            };
            let fields: Vec<String> = payload[place]
                .as_object()
                .map(|input| input.keys().cloned().collect())
                .unwrap_or_default();
            for field in fields {
                let mut changed = vec![{
                    let mut payload = payload.clone();
                    payload[place].as_object_mut().unwrap().remove(&field);
                    payload
                }];
                for other in &others {
                    let same = discriminant(&payload[place][&field]) == discriminant(other);
                    if !(same && is_patch) {
                        let mut payload = payload.clone();
                        payload[place][&field] = other.clone();
                        changed.push(payload);
                    }
                }
                for changed in changed {
                    let Some(call) = of_call(agent, event, &changed) else {
                        continue;
                    };
                    compared += 1;
                    let kinds = |call: &Call| -> Vec<_> {
                        call.operations
                            .iter()
                            .map(|operation| {
                                (operation.tool.clone(), discriminant(&operation.subject))
                            })
                            .collect()
                    };
                    assert_eq!(kinds(&call), kinds(&original), "{name} {field}: {changed}");
                }
            }
        }
    }
    assert!(compared > 500, "only {compared} changes were still calls");
}
