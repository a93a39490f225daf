//! Whatever stands in a file: nothing crashes, a second installation changes
//! nothing, and taking out leaves what is not ours.

use countersign_core::agent::Agent;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{installed, plan, removed};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\/ ü]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z.]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn settings() -> impl Strategy<Value = Value> {
    let handler = prop_oneof![
        Just(serde_json::json!({ "type": "command", "command": "theirs --now" })),
        Just(serde_json::json!({ "type": "command", "command": "countersign hook x --event y" })),
        Just(serde_json::json!({ "command": "/a/countersign hook x || true", "timeout": 3 })),
        json(),
    ];
    let group = prop_oneof![
        prop::collection::vec(handler.clone(), 0..3)
            .prop_map(|handlers| serde_json::json!({ "hooks": handlers })),
        (prop::collection::vec(handler.clone(), 0..3))
            .prop_map(|handlers| serde_json::json!({ "matcher": "Bash", "hooks": handlers })),
        handler,
    ];
    let event = prop_oneof![
        Just("PreToolUse".to_owned()),
        Just("BeforeTool".to_owned()),
        Just("preToolUse".to_owned()),
        Just("Stop".to_owned()),
        "[A-Z][a-z]{1,4}",
    ];
    let hooks = prop::collection::btree_map(event, prop::collection::vec(group, 0..3), 0..4);
    let rest = prop::collection::btree_map("[a-g]{1,3}", json(), 0..4);
    (rest, hooks).prop_map(|(rest, hooks)| {
        let mut members: serde_json::Map<String, Value> = rest.into_iter().collect();
        members.insert("hooks".to_owned(), serde_json::to_value(hooks).unwrap());
        Value::Object(members)
    })
}

fn texts() -> impl Strategy<Value = String> {
    (settings(), 0..4_u8).prop_map(|(value, form)| match form {
        0 => value.to_string(),
        1 => serde_json::to_string_pretty(&value).unwrap(),
        2 => format!(
            "\u{feff}// first\n{}\n",
            serde_json::to_string_pretty(&value).unwrap()
        ),
        _ => serde_json::to_string_pretty(&value)
            .unwrap()
            .replace('\n', "\r\n"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_second_installation_changes_nothing(text in texts()) {
        for agent in [Agent::ClaudeCode, Agent::Gemini, Agent::Cursor, Agent::Vscode] {
            if let Ok(plan) = plan(agent, Some(&text)) {
                let once = plan.edit.after.unwrap();
                prop_assert_eq!(installed(agent, &once), once);
            }
        }
    }

    #[test]
    fn after_taking_out_nothing_of_ours_is_left_and_all_else_is(text in texts()) {
        for agent in [Agent::ClaudeCode, Agent::Cursor] {
            let Ok(plan) = plan(agent, Some(&text)) else { continue };
            let left = removed(agent, &plan.edit.after.unwrap()).unwrap();
            let again = removed(agent, &left).unwrap();
            prop_assert_eq!(&again, &left);
            if let Some(without) = plan.without {
                let read = |text: &str| {
                    let text = text.trim_start_matches('\u{feff}').replace("// first\n", "");
                    let mut value: Value = serde_json::from_str(&text).unwrap();
                    if let Some(members) = value.as_object_mut() {
                        members.remove("version");
                        members.retain(|name, value| name != "hooks" || *value != serde_json::json!({}));
                    }
                    value
                };
                let prune = |mut value: Value| {
                    if let Some(hooks) = value.get_mut("hooks").and_then(Value::as_object_mut) {
                        hooks.retain(|_, list| *list != serde_json::json!([]));
                        if hooks.is_empty() {
                            value.as_object_mut().unwrap().remove("hooks");
                        }
                    }
                    value
                };
                prop_assert_eq!(prune(read(&left)), prune(read(&without)));
            }
        }
    }

    #[test]
    fn no_text_crashes_it(text in "[{}\\[\\]\",:a-c0-9 /*\n\\\\]{0,60}") {
        for agent in crate::support::IN_JSON {
            let _ = plan(agent, Some(&text));
        }
    }
}
