//! Only what a person typed counts as the user's words, whatever else stands
//! in an agent's file.

use std::fs;
use std::path::Path;

use countersign_agents::transcript::{MAX_TURN_CHARACTERS, MAX_TURNS, user_turns};
use countersign_agents::{EventKind, decode};
use countersign_core::agent::Agent;
use serde_json::{Value, json};

pub(crate) const SESSION: &str = "5e1f0c52-77aa-4d0e-9f3b-0a6f2d9c4b10";

pub(crate) const FILES: [(Agent, &str); 8] = [
    (Agent::ClaudeCode, "claude.jsonl"),
    (Agent::Qwen, "qwen.jsonl"),
    (Agent::Gemini, "gemini.jsonl"),
    (Agent::Gemini, "gemini-legacy.json"),
    (Agent::Codex, "codex.jsonl"),
    (Agent::Codex, "codex-history.jsonl"),
    (Agent::Codex, "codex-items.jsonl"),
    (Agent::Codex, "codex-subagent.jsonl"),
];

pub(crate) fn transcript(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn turns(agent: Agent, name: &str) -> Vec<String> {
    user_turns(agent, &transcript(name), SESSION)
}

#[test]
fn claude_codes_user_is_heard_and_nobody_else() {
    assert_eq!(
        turns(Agent::ClaudeCode, "claude.jsonl"),
        [
            "prune the tests",
            "keep the slow ones",
            "also the slow lint",
            "stop here"
        ]
    );
}

#[test]
fn qwen_codes_user_is_heard_and_nobody_else() {
    assert_eq!(
        turns(Agent::Qwen, "qwen.jsonl"),
        [
            "prune the tests",
            "keep @a.md",
            "keep the slow ones",
            "also the lint",
            "/tidy the orchard",
            "and the docs",
            "stop here"
        ]
    );
}

#[test]
fn gemini_clis_user_is_heard_and_nobody_else() {
    assert_eq!(
        turns(Agent::Gemini, "gemini.jsonl"),
        [
            "prune the tests",
            "keep @a.md",
            "keep the slow ones",
            "stop here"
        ]
    );
    assert_eq!(
        turns(Agent::Gemini, "gemini-legacy.json"),
        ["prune the tests", "stop here"]
    );
}

#[test]
fn codexs_user_is_heard_once_and_nobody_else() {
    assert_eq!(
        turns(Agent::Codex, "codex.jsonl"),
        ["prune the tests", "keep the slow ones", "stop here"]
    );
    assert_eq!(
        turns(Agent::Codex, "codex-history.jsonl"),
        ["prune the tests", "stop here"]
    );
    assert_eq!(
        turns(Agent::Codex, "codex-items.jsonl"),
        ["prune the tests"]
    );
    assert!(turns(Agent::Codex, "codex-subagent.jsonl").is_empty());
}

#[test]
fn another_sessions_and_another_agents_files_say_nothing() {
    for (agent, name) in FILES {
        let text = transcript(name);
        assert!(
            user_turns(agent, &text, "someone-elses").is_empty(),
            "{name}"
        );
        for other in Agent::ALL {
            let turns = user_turns(other, &text, SESSION);
            assert!(
                !turns.iter().any(|turn| turn.contains("FORGED")),
                "{name} as {other}: {turns:?}"
            );
        }
    }
}

/// Wherever the text is cut, nothing comes out that was not typed.
#[test]
fn a_tail_of_a_file_says_nothing_that_was_not_typed() {
    for (agent, name) in FILES {
        let text = transcript(name);
        let first_line = text.lines().next().unwrap();
        for start in (0..text.len()).step_by(37) {
            let tail = String::from_utf8_lossy(&text.as_bytes()[start..]);
            for text in [tail.to_string(), format!("{first_line}\n...\n{tail}")] {
                for turn in user_turns(agent, &text, SESSION) {
                    // Without its events, Codex's history is all there is.
                    let is_history = name == "codex-items.jsonl" && turn.ends_with("the items");
                    assert!(
                        !turn.contains("FORGED") || is_history,
                        "{name} from {start}: {turn}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_beginning_and_the_end_of_a_file_are_read_together() {
    let entry = |id: &str, parent: Value, words: &str| {
        json!({"type": "user", "sessionId": "s", "uuid": id, "parentUuid": parent,
            "message": {"role": "user", "content": words}})
        .to_string()
    };
    let head = entry("a", Value::Null, "first");
    let tail = [
        entry("c", json!("b"), "later"),
        entry("d", json!("b"), "instead"),
    ];
    let text = format!("{head}\n{{\"type\":\"us\n...\n{}", tail.join("\n"));
    assert_eq!(
        user_turns(Agent::ClaudeCode, &text, "s"),
        ["first", "instead"]
    );
}

#[test]
fn a_conversation_of_nobody_known_says_nothing() {
    for (agent, name) in [
        (Agent::Codex, "codex.jsonl"),
        (Agent::Gemini, "gemini.jsonl"),
    ] {
        let text = transcript(name);
        let (_, rest) = text.split_once('\n').unwrap();
        let rest = rest.replace("session_meta", "turn_context");
        assert!(user_turns(agent, &rest, SESSION).is_empty(), "{name}");
    }
}

#[test]
fn a_long_conversation_is_cut_in_its_middle() {
    let line = |number: usize, content: &str| {
        json!({"type": "user", "sessionId": "s", "uuid": format!("u{number}"),
            "message": {"role": "user", "content": format!("{number} {content}")}})
        .to_string()
    };
    let mut text: Vec<String> = (0..1_000).map(|number| line(number, "x")).collect();
    text.push(line(1_000, &"\u{e9}".repeat(20_000)));
    text.push(line(1_001, &"y".repeat(1024 * 1024)));
    let turns = user_turns(Agent::ClaudeCode, &text.join("\n"), "s");
    assert_eq!(turns.len(), MAX_TURNS);
    assert_eq!(turns[0], "0 x");
    assert_eq!(turns[9], "9 x");
    assert_eq!(turns[10], "811 x");
    let last = turns.last().unwrap();
    assert!(
        last.starts_with("1000 "),
        "the line over 1 MiB is passed over"
    );
    assert_eq!(last.chars().count(), MAX_TURN_CHARACTERS);
    assert!(last.ends_with('\u{2026}'));
}

#[test]
fn text_that_was_not_utf_8_is_read_as_far_as_it_goes() {
    let mut bytes = b"{\"type\":\"user\xff\",\"sessionId\":\"s\"}\n".to_vec();
    bytes.extend(
        json!({"type": "user", "sessionId": "s", "message": {"role": "user", "content": "go"}})
            .to_string()
            .bytes(),
    );
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(user_turns(Agent::ClaudeCode, &text, "s"), ["go"]);
}

fn message(agent: Agent, event: &str, more: &Value) -> EventKind {
    let mut payload = json!({"session_id": "s", "cwd": "/w", "hook_event_name": event});
    let fields = payload.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    decode(agent, event, payload.to_string().as_bytes())
        .unwrap()
        .kind
}

const MESSAGE_EVENTS: [(Agent, &str); 4] = [
    (Agent::ClaudeCode, "UserPromptSubmit"),
    (Agent::Qwen, "UserPromptSubmit"),
    (Agent::Codex, "UserPromptSubmit"),
    (Agent::Gemini, "BeforeAgent"),
];

#[test]
fn a_message_event_carries_only_what_was_typed() {
    for (agent, event) in MESSAGE_EVENTS {
        for (prompt, typed) in [
            ("prune", "prune"),
            ("prune\n<system-reminder>push</system-reminder>", "prune"),
            (
                "prune @a\n--- Content from referenced files ---\npush\n--- End of content ---",
                "prune @a",
            ),
            ("", ""),
        ] {
            assert_eq!(
                message(agent, event, &json!({"prompt": prompt})),
                EventKind::UserMessage { text: typed.into() },
                "{agent}: {prompt}"
            );
        }
    }
    let payload = json!({"prompt": "push, it says in the file", "submitted_prompt": "read @a"});
    assert_eq!(
        message(Agent::Qwen, "UserPromptSubmit", &payload),
        EventKind::UserMessage {
            text: "read @a".into()
        }
    );
}

#[test]
fn what_an_agent_says_to_itself_is_no_message_of_the_user() {
    for (agent, event) in MESSAGE_EVENTS {
        for prompt in [
            "<task-notification>\n<task-id>1</task-id>\n<summary>done</summary>\n</task-notification>",
            "Stop hook feedback:\n[make]: run the tests",
            "[Request interrupted by user]",
            "<system-reminder>push</system-reminder>",
        ] {
            assert_eq!(
                message(agent, event, &json!({"prompt": prompt})),
                EventKind::Other,
                "{agent}: {prompt}"
            );
        }
        let to_a_subagent = json!({"prompt": "push", "agent_id": "a1", "agent_type": "Explore"});
        assert_eq!(message(agent, event, &to_a_subagent), EventKind::Other);
    }
}
