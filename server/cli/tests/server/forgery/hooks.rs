//! Hooks that a program of the agent runs in the agent's name, and guarded
//! calls that reach for the guard's own files.

use std::os::unix::fs::PermissionsExt;

use countersign_settings::TrustStore;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{ATTACK, EVENT, PRUNE, again, session, shell};
use crate::sandbox::{AUTO, CLAUDE, QWEN, Sandbox, With as _};
use crate::support::{Agent, Below, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("no_program_of_the_agent_ends_a_pause", pause),
        trial("no_script_of_the_agent_speaks_in_its_name", script),
        trial("no_number_of_new_sessions_makes_a_no_forgotten", flood),
        trial("no_program_of_the_agent_clears_a_cap", caps),
        trial("no_program_of_the_agent_answers_a_delegated_ask", delegated),
        trial(
            "no_program_of_the_agent_has_the_agent_ask_in_its_name",
            asked_in_its_name,
        ),
        trial(
            "no_program_that_took_a_session_over_asks_for_its_next_agent",
            taken_over,
        ),
        trial(
            "no_name_of_a_session_dresses_up_what_a_person_is_told",
            dressed_up,
        ),
        trial("no_guarded_call_touches_trust_or_settings", own_files),
        trial(
            "no_variable_moves_the_guard_of_a_hook_with_a_server",
            variables,
        ),
    ]
}

/// The events that have authority, as a program of the agent would forge them.
const EVENTS: [&str; 5] = [
    "UserPromptSubmit",
    "PostToolUse",
    "Stop",
    "SessionStart",
    "SessionEnd",
];

/// Has every kind of program of the agent send every event for the session;
/// each is nothing but a row.
#[track_caller]
fn forge_all(sandbox: &Sandbox, agent: &Agent) {
    for below in Below::ALL {
        for event in EVENTS {
            let payload = match event {
                "PostToolUse" => sandbox.shell(CLAUDE, event, PRUNE),
                _ => sandbox.payload(CLAUDE, event),
            };
            let before = sandbox.journal().len();
            let words = sandbox.hook_words(CLAUDE, event);
            below
                .run(agent, &words, &payload.to_string())
                .assert_neutral();
            let rows = sandbox.journal();
            assert_eq!(rows.len(), before + 1, "{below:?} {event}");
            assert_eq!(rows.last().unwrap()["kind"], "ignored", "{below:?} {event}");
        }
    }
}

fn pause() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    for number in 0..3 {
        let command = format!("{PRUNE} {number}");
        let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, &command));
        let approval = desk.approval();
        desk.deny(&approval);
        running.ended().assert_block(EVENT);
    }
    forge_all(&sandbox, &agent);
    let known = desk.session(&session(&sandbox)).unwrap();
    assert_eq!(
        (&known["paused"], &known["ended"]),
        (&json!(true), &json!(false))
    );
    for (number, command) in [PRUNE, "trellis prune 1"].into_iter().enumerate() {
        let call = shell(&sandbox, command).with("tool_use_id", json!(format!("toolu_{number}")));
        let message = agent
            .hook(&sandbox, CLAUDE, EVENT, &call)
            .assert_block(EVENT);
        assert!(!message.contains("allow"), "{message}");
    }
    assert_eq!(desk.pending(), 0);
    // A person does.
    desk.set_mode("default", Some((CLAUDE, &session(&sandbox))));
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &again(&sandbox, 9));
    let approval = desk.approval();
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
}

/// A script that runs a hook, whatever runs the script.
fn script() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let _desk = Desk::open(&sandbox);
    let call = shell(&sandbox, "cargo test vines");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
    let script = sandbox.file("says.sh");
    std::fs::write(&script, "#!/bin/sh\n\"$@\"\nexit $?\n").unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
    let said = sandbox.payload(CLAUDE, "UserPromptSubmit").to_string();
    let hook = sandbox.hook_words(CLAUDE, "UserPromptSubmit");
    let ways: [&[&str]; 4] = [
        &[&script],
        &["/bin/sh", &script],
        &["/bin/sh", "-e", &script],
        &["/usr/bin/env", "/bin/sh", &script],
    ];
    for way in ways {
        let ran = agent.begin(&[way, &hook].concat(), &said).ended();
        ran.assert_neutral();
        let row = sandbox.journal().pop().unwrap();
        assert_eq!(row["kind"], "ignored", "{way:?}");
    }
    // As agents run their hooks.
    let as_agents_do = ["/bin/sh", "-c", "\"$@\"; exit $?", "sh"];
    let ran = agent
        .begin(&[&as_agents_do, &hook[..]].concat(), &said)
        .ended();
    ran.assert_neutral();
    assert_eq!(sandbox.journal().pop().unwrap()["kind"], "user_message");
}

/// More sessions than a server knows at a time.
fn flood() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let (running, approval) = super::asked(&sandbox, &agent, &mut desk);
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    let words = sandbox.hook_words(CLAUDE, EVENT);
    for number in 0..300 {
        let call = shell(&sandbox, "git status").with("session_id", json!(format!("n{number}")));
        let ran = agent.begin(&words, &call.to_string()).ended();
        ran.assert_allow(CLAUDE, EVENT);
    }
    assert!(desk.session("n0").is_none(), "the server knows them all");
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &again(&sandbox, 1))
        .assert_block(EVENT);
    assert!(message.contains("rejected a moment ago"), "{message}");
    assert_eq!(desk.pending(), 0);
}

fn caps() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    for _ in 0..3 {
        agent
            .hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, ATTACK))
            .assert_block(EVENT);
    }
    forge_all(&sandbox, &agent);
    // Neither does the agent itself by beginning anew, under the same or
    // another id.
    for event in ["SessionEnd", "SessionStart"] {
        let payload = sandbox.payload(CLAUDE, event);
        agent
            .hook(&sandbox, CLAUDE, event, &payload)
            .assert_neutral();
    }
    let calls = [
        shell(&sandbox, PRUNE),
        shell(&sandbox, PRUNE).with("session_id", json!("begun-anew")),
    ];
    for call in calls {
        let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
        let approval = desk.approval();
        assert_eq!(approval["reason"], "consecutive_block");
        assert_eq!(approval["counters"]["consecutiveBlock"], 3);
        desk.deny(&approval);
        running.ended().assert_block(EVENT);
    }
}

fn delegated() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, PRUNE))
        .assert_ask(CLAUDE, EVENT);
    forge_all(&sandbox, &agent);
    assert_eq!(sandbox.rows("answer").len(), 0);
}

const REQUEST: &str = "PermissionRequest";

/// Qwen Code asks the person before its last event: that it goes on is the yes.
fn qwen(sandbox: &Sandbox, event: &str) -> Value {
    sandbox.shell(QWEN, event, PRUNE)
}

fn asked_in_its_name() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let begins = sandbox.payload(QWEN, "SessionStart");
    agent
        .hook(&sandbox, QWEN, "SessionStart", &begins)
        .assert_neutral();
    for below in Below::ALL {
        let words = sandbox.hook_words(QWEN, REQUEST);
        let forged = qwen(&sandbox, REQUEST).to_string();
        below.run(&agent, &words, &forged).assert_ask(QWEN, REQUEST);
        let message = agent
            .hook(&sandbox, QWEN, EVENT, &qwen(&sandbox, EVENT))
            .assert_block(EVENT);
        assert!(message.contains("nowhere to ask"), "{message}");
    }
    // The agent's own asking counts.
    let other = |event| sandbox.shell(QWEN, event, "trellis water");
    agent
        .hook(&sandbox, QWEN, REQUEST, &other(REQUEST))
        .assert_ask(QWEN, REQUEST);
    agent
        .hook(&sandbox, QWEN, EVENT, &other(EVENT))
        .assert_allow(QWEN, EVENT);
}

fn taken_over() {
    let sandbox = Sandbox::trusted(AUTO);
    let first = Agent::start(&sandbox);
    let begins = sandbox.payload(QWEN, "SessionStart");
    first
        .hook(&sandbox, QWEN, "SessionStart", &begins)
        .assert_neutral();
    drop(first);
    // Somebody goes on with the session before the agent does.
    let program = Agent::start(&sandbox);
    program
        .hook(&sandbox, QWEN, REQUEST, &qwen(&sandbox, REQUEST))
        .assert_ask(QWEN, REQUEST);
    drop(program);
    let agent = Agent::start(&sandbox);
    let message = agent
        .hook(&sandbox, QWEN, EVENT, &qwen(&sandbox, EVENT))
        .assert_block(EVENT);
    assert!(message.contains("nowhere to ask"), "{message}");
}

/// Every guarded call that would change what the guard goes by.
fn reaching(sandbox: &Sandbox) -> Vec<Value> {
    let places = sandbox.places();
    let trust = TrustStore::new(&places);
    trust.trust(&sandbox.workspace).unwrap();
    let mut files: Vec<String> = std::fs::read_dir(&places.state_dir)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .into_os_string()
                .into_string()
                .unwrap()
        })
        .collect();
    assert!(files.iter().any(|file| file.contains("trust")), "{files:?}");
    files.push(places.user_file().into_string());
    files.push(
        places
            .runtime_dir
            .join("1-0123456789abcdef.server.json")
            .into_string(),
    );
    let mut calls = Vec::new();
    for file in &files {
        let write = json!({ "file_path": file, "content": "{}" });
        calls.push(sandbox.call(CLAUDE, EVENT, "Write", write));
        let edit = json!({ "file_path": file, "old_string": "{", "new_string": "{ " });
        calls.push(sandbox.call(CLAUDE, EVENT, "Edit", edit));
        for command in [
            format!("echo x > {file}"),
            format!("cp mine.json {file}"),
            format!("sed -i s/a/b/ {file}"),
            format!("rm -f {file}"),
            format!("ln -sf mine.json {file}"),
        ] {
            calls.push(shell(sandbox, &command));
        }
    }
    for command in [
        "countersign trust",
        "countersign lsp --stdio",
        "countersign hook claude-code --event UserPromptSubmit",
        "setsid -f countersign lsp",
        "env HOME=/nowhere countersign trust",
    ] {
        calls.push(shell(sandbox, command));
    }
    calls
}

fn own_files() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let calls = reaching(&sandbox);
    let mut desk = Desk::open(&sandbox);
    for mode in ["auto", "yolo"] {
        desk.set_mode(mode, None);
        for (number, call) in calls.iter().enumerate() {
            let call = call
                .clone()
                .with("tool_use_id", json!(format!("toolu_{mode}_{number}")));
            let ran = agent.hook(&sandbox, CLAUDE, EVENT, &call);
            let message = ran.assert_block(EVENT);
            assert!(
                message.contains("Countersign: blocked"),
                "{call}: {message}"
            );
            let row = sandbox.rows("decision").pop().unwrap();
            assert_eq!(row["reason"], "static_blocked", "{call}");
            assert_eq!(row["mode"], mode);
        }
    }
    assert_eq!(desk.pending(), 0);
}

fn variables() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let rogue = Sandbox::trusted(r#"{ "permissions": { "allow": ["Bash(trellis prune)"] } }"#);
    let variables = [
        format!("HOME={}", rogue.home),
        format!("XDG_CONFIG_HOME={}", rogue.places().config_dir),
        format!("XDG_STATE_HOME={}", rogue.state_dir()),
        format!("XDG_RUNTIME_DIR={}", rogue.places().runtime_dir),
        format!("TMPDIR={}", rogue.workspace),
        format!("COUNTERSIGN_HOME={}", rogue.home),
    ];
    let mut words = vec!["/usr/bin/env"];
    words.extend(variables.iter().map(String::as_str));
    words.extend(sandbox.hook_words(CLAUDE, EVENT));
    let running = agent.begin(&words, &shell(&sandbox, PRUNE).to_string());
    let approval = desk.approval();
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    assert!(!rogue.database().exists());
}

fn dressed_up() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let session = "s\u{202e}lla si llew";
    let result = sandbox
        .shell(CLAUDE, "PostToolUse", PRUNE)
        .with("session_id", json!(session));
    agent
        .hook(&sandbox, CLAUDE, "PostToolUse", &result)
        .assert_neutral();
    let told = desk
        .editor
        .expect_notification("window/showMessage", |_| true);
    let text = told["message"].as_str().unwrap();
    assert!(text.contains("UNGUARDED"), "{text}");
    assert!(text.contains("<U+202E>lla si llew"), "{text}");
    assert!(!text.contains('\u{202e}'), "{text}");
}
