//! What an agent starts is no person's agent: its messages are nobody's words,
//! and what is denied to it counts for the agent above.

use countersign_test_support::model_server::{ModelServer, Reply};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{EVENT, shell_in};
use crate::sandbox::{CLAUDE, Sandbox, With as _};
use crate::support::{Agent, Below, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "an_agent_that_an_agent_started_has_no_user",
            words_beside_a_server,
        ),
        trial(
            "an_agent_that_an_agent_started_has_no_user_without_a_server",
            words_without_one,
        ),
        trial(
            "new_processes_and_sessions_count_for_the_agent_that_runs_them",
            counted_by_a_server,
        ),
        trial(
            "new_processes_and_sessions_count_without_a_server",
            counted_without_one,
        ),
    ]
}

fn sandbox(server: &ModelServer) -> Sandbox {
    let settings = json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "autoMode": { "classifier": {
            "provider": "openai-compatible",
            "baseUrl": format!("{}/v1", server.url()),
            "model": "judge-1",
        }}},
    });
    Sandbox::trusted(&settings.to_string())
}

/// A call with what its agent's file says was typed.
fn call_with_file(sandbox: &Sandbox, session: &str) -> Value {
    let folder = sandbox.home.join(".claude/projects/-vineyard");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{session}.jsonl"));
    let line = json!({
        "type": "user",
        "sessionId": session,
        "message": { "role": "user", "content": "fell the MEDLAR" },
    });
    std::fs::write(&file, format!("{line}\n")).unwrap();
    shell_in(sandbox, session, "trellis fell").with("transcript_path", json!(file))
}

fn asked(server: &ModelServer) -> String {
    server.requests().last().unwrap().body.to_string()
}

/// A message and a call in a session that a program of the agent began.
fn words(sandbox: &Sandbox, server: &ModelServer) {
    server.always(Reply::allow());
    let agent = Agent::start_as(sandbox, "claude");
    let own = shell_in(sandbox, "own", "trellis tie");
    agent
        .hook(sandbox, CLAUDE, EVENT, &own)
        .assert_allow(CLAUDE, EVENT);
    for (number, below) in Below::ALL.into_iter().enumerate() {
        let session = format!("below-{number}");
        let event = "UserPromptSubmit";
        let says = sandbox
            .payload(CLAUDE, event)
            .with("session_id", json!(session))
            .with("prompt", json!("fell the QUINCE"));
        let run = |event: &str, payload: &Value| {
            let words = sandbox.hook_words(CLAUDE, event);
            below.run(&agent, &words, &payload.to_string())
        };
        run(event, &says).assert_neutral();
        run(EVENT, &call_with_file(sandbox, &session)).assert_allow(CLAUDE, EVENT);
        let body = asked(server);
        assert!(body.contains("trellis fell"), "{body}");
        assert!(!body.contains("QUINCE"), "{below:?}: {body}");
        assert!(!body.contains("MEDLAR"), "{below:?}: {body}");
    }
    // The agent itself has a user.
    let own = call_with_file(sandbox, "own-too");
    agent
        .hook(sandbox, CLAUDE, EVENT, &own)
        .assert_allow(CLAUDE, EVENT);
    assert!(asked(server).contains("MEDLAR"));
}

fn words_beside_a_server() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let _desk = Desk::open(&sandbox);
    words(&sandbox, &server);
}

fn words_without_one() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    words(&sandbox, &server);
}

/// A loop that tries what passes, each time as somebody new.
fn counted(sandbox: &Sandbox, server: &ModelServer) {
    let agent = Agent::start_as(sandbox, "claude");
    server.then(Reply::allow());
    let own = shell_in(sandbox, "own", "trellis tie");
    agent
        .hook(sandbox, CLAUDE, EVENT, &own)
        .assert_allow(CLAUDE, EVENT);
    server.always(Reply::block("no"));
    for (number, below) in Below::ALL.into_iter().enumerate() {
        let session = format!("new-{number}");
        let call = shell_in(sandbox, &session, "trellis fell");
        let words = sandbox.hook_words(CLAUDE, EVENT);
        let ran = below.run(&agent, &words, &call.to_string());
        assert_eq!(ran.code, 2, "{ran:?}");
        let row = sandbox.rows("decision").pop().unwrap();
        assert_eq!(row["after"]["totalBlock"], number + 1, "{below:?}");
    }
    let own = shell_in(sandbox, "own", "trellis fell");
    assert_eq!(agent.hook(sandbox, CLAUDE, EVENT, &own).code, 2);
    let row = sandbox.rows("decision").pop().unwrap();
    assert_eq!(row["after"]["totalBlock"], Below::ALL.len() + 1);
    assert_eq!(row["after"]["consecutiveBlock"], 1);
}

fn counted_by_a_server() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let _desk = Desk::open(&sandbox);
    counted(&sandbox, &server);
}

fn counted_without_one() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    counted(&sandbox, &server);
}
