//! What is printed is exactly what each agent honours.

use countersign_agents::{
    Answer, BlockForm, EventRef, HookOutput, Stage, capabilities, encode, known_events, raw_block,
    static_block,
};
use countersign_core::agent::Agent;
use serde_json::{Value, json};

use crate::captures::AGENTS;

const STAGES: [Stage; 6] = [
    Stage::PreTool,
    Stage::PermissionRequest,
    Stage::Announced,
    Stage::Borrowed,
    Stage::NoDecision,
    Stage::Unknown,
];

fn answers() -> [(&'static str, Answer); 4] {
    [
        ("no opinion", Answer::NoOpinion),
        (
            "allow",
            Answer::Allow {
                note: "a rule allows it".to_owned(),
            },
        ),
        (
            "ask",
            Answer::Ask {
                message: "a rule asks".to_owned(),
            },
        ),
        (
            "block",
            Answer::Block {
                message: "a rule forbids it\nask the user".to_owned(),
            },
        ),
    ]
}

/// Standard output, which is JSON or nothing.
fn printed(output: &HookOutput) -> Option<Value> {
    (!output.stdout.is_empty()).then(|| serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn every_answer_is_written_down() {
    let mut all = serde_json::Map::new();
    for agent in Agent::ALL {
        for stage in STAGES {
            for (name, answer) in answers() {
                let output = encode(EventRef { agent, stage }, &answer);
                let shown = json!({
                    "stdout": printed(&output),
                    "stderr": String::from_utf8(output.stderr).unwrap(),
                    "exit": output.exit,
                });
                all.insert(format!("{agent} {stage:?} {name}"), shown);
            }
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_sort_maps(true);
    settings.bind(|| insta::assert_json_snapshot!("answers", all));
}

/// Codex refuses fields that it does not know, and several that it does.
#[test]
fn no_field_is_printed_that_an_agent_may_refuse() {
    let claude = json!({"hookSpecificOutput": {"hookEventName": 0, "permissionDecision": 0, "permissionDecisionReason": 0}});
    let request = json!({"hookSpecificOutput": {"hookEventName": 0, "decision": {"behavior": 0, "message": 0}}});
    let gemini = json!({"decision": 0, "reason": 0});
    let generic = json!({"version": 0, "decision": 0, "reason": 0});
    let cursor = json!({"permission": 0, "user_message": 0, "agent_message": 0});
    let copilot = json!({"permissionDecision": 0, "permissionDecisionReason": 0});
    for (agent, _) in AGENTS {
        for stage in STAGES {
            // An event that the agent does not have is never decoded.
            if (EventRef { agent, stage }).capabilities().is_none() {
                continue;
            }
            for (name, answer) in answers() {
                let output = encode(EventRef { agent, stage }, &answer);
                let Some(value) = printed(&output) else {
                    continue;
                };
                let accepted = match (agent, stage) {
                    (Agent::Generic, _) => &generic,
                    (Agent::Cursor, _) => &cursor,
                    (Agent::Vscode, _) if output.exit == 2 => &copilot,
                    (Agent::Vscode, Stage::Announced) => &copilot,
                    (Agent::Codex, Stage::PreTool | Stage::Borrowed) => {
                        panic!("{name}: nothing may be printed to Codex before a tool")
                    }
                    (Agent::Gemini | Agent::Opencode, _) => &gemini,
                    (_, Stage::PreTool | Stage::Borrowed) => &claude,
                    _ => &request,
                };
                assert_within(&value, accepted, &format!("{agent} {stage:?} {name}"));
            }
        }
    }
}

fn assert_within(value: &Value, accepted: &Value, place: &str) {
    let Some(object) = value.as_object() else {
        let is_said = value.as_str().is_some_and(|text| !text.is_empty());
        assert!(is_said || value.is_u64(), "{place}");
        return;
    };
    for (key, inner) in object {
        let known = accepted
            .get(key)
            .unwrap_or_else(|| panic!("{place}: {key}"));
        assert_within(inner, known, place);
    }
}

/// Exit status 2 with a reason, or a JSON denial with a message.
fn assert_blocks(output: &HookOutput, form: BlockForm, place: &str) {
    match form {
        BlockForm::ExitTwo => {
            assert_eq!(output.exit, 2, "{place}");
            let beside = String::from_utf8(output.stdout.clone()).unwrap();
            assert!(!beside.contains("allow"), "{place}");
            assert!(!output.stderr.trim_ascii().is_empty(), "{place}");
        }
        BlockForm::DenyJson => {
            assert_eq!(output.exit, 0, "{place}");
            let decision = &printed(output).unwrap()["hookSpecificOutput"]["decision"];
            assert_eq!(decision["behavior"], "deny", "{place}");
            assert!(
                !decision["message"].as_str().unwrap().trim().is_empty(),
                "{place}"
            );
        }
    }
}

#[test]
fn a_block_has_the_form_that_the_agent_honours() {
    for (agent, _) in AGENTS {
        let capabilities = capabilities(agent);
        for (stage, at) in [
            (Stage::PreTool, Some(capabilities.pre_tool)),
            (Stage::PermissionRequest, capabilities.permission_request),
            (Stage::Announced, capabilities.announced),
        ] {
            let Some(at) = at else { continue };
            assert!(
                known_events(agent).any(|event| event == at.event),
                "{agent}"
            );
            let event = EventRef { agent, stage };
            for message in ["no", "", " \n\t", "\u{0}", "\u{1b}[2J"] {
                let block = Answer::Block {
                    message: message.to_owned(),
                };
                let place = format!("{agent} {stage:?} {message:?}");
                assert_blocks(&encode(event, &block), at.block, &place);
                assert_blocks(
                    &raw_block(agent.as_str(), at.event, message),
                    at.block,
                    &place,
                );
            }
            let fixed = static_block(agent.as_str(), at.event);
            let fixed = HookOutput {
                stdout: fixed.stdout.to_vec(),
                stderr: fixed.stderr.to_vec(),
                exit: fixed.exit,
            };
            assert_blocks(&fixed, at.block, &format!("{agent} {stage:?} static"));
        }
    }
}

#[test]
fn an_ask_is_a_prompt_of_the_agent_or_a_block() {
    let ask = Answer::Ask {
        message: "why".to_owned(),
    };
    for (agent, _) in AGENTS {
        for stage in [Stage::PreTool, Stage::Announced, Stage::Borrowed] {
            let event = EventRef { agent, stage };
            let output = encode(event, &ask);
            if event.capabilities().is_some_and(|stage| stage.can_ask) {
                let printed = printed(&output).unwrap();
                let asks = printed["hookSpecificOutput"]["permissionDecision"] == "ask"
                    || printed["permission"] == "ask";
                assert!(asks, "{agent}");
            } else {
                assert_blocks(&output, BlockForm::ExitTwo, agent.as_str());
            }
        }
    }
}

#[test]
fn the_last_resort_never_lets_an_unknown_event_pass() {
    for (agent, event, exit) in [
        ("nobody", "PreToolUse", 2),
        ("nobody", "NoSuchEvent", 2),
        ("", "", 2),
        ("claude-code", "pretooluse", 2),
        ("gemini", "PermissionRequest", 2),
        ("cursor", "beforeShellExecution", 2),
        ("claude-code", "Stop", 0),
        ("nobody", "SessionEnd", 0),
        ("qwen", "PostToolUse", 0),
        ("gemini", "AfterTool", 0),
    ] {
        let raw = raw_block(agent, event, "broken");
        let fixed = static_block(agent, event);
        assert_eq!((raw.exit, fixed.exit), (exit, exit), "{agent} {event}");
        assert!(fixed.stdout.is_empty(), "{agent} {event}");
        assert_eq!(raw.stderr.is_empty(), exit == 0, "{agent} {event}");
        assert_eq!(fixed.stderr.is_empty(), exit == 0, "{agent} {event}");
    }
    let request = raw_block("nobody", "PermissionRequest", "broken");
    assert_blocks(&request, BlockForm::DenyJson, "nobody");
}

#[test]
fn messages_are_short_and_show_what_is_in_them() {
    let text = |message: String| {
        let output = raw_block("codex", "PreToolUse", &message);
        String::from_utf8(output.stderr).unwrap()
    };
    let long = text("ü\u{1b}".repeat(10_000));
    assert!(long.chars().count() <= 4_001);
    assert!(!long.contains('\u{1b}'));
    assert!(text("line\n".repeat(1_000)).lines().count() <= 12);
    assert_eq!(
        text("a\r\n\n\u{202e}b\u{7}".to_owned()),
        "a\n<U+202E>b\\x07\n"
    );
}
