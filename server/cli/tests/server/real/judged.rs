//! A real model server behind the real guard: what it is asked, what its
//! answers do, and who can have no say in it.

use countersign_test_support::model_server::{Gate, ModelServer, Reply};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{EVENT, hurried, shell};
use crate::sandbox::{CLAUDE, Sandbox, With as _, feed, start, through};
use crate::support::{Agent, Below, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("a_model_allows_and_blocks_and_both_are_on_record", verdicts),
        trial("three_blocks_ask_in_the_editor", blocks),
        trial("two_missing_answers_ask_in_the_editor", unavailable),
        trial("a_call_that_a_model_blocked_can_be_granted_once", granted),
        trial(
            "a_model_hears_the_user_and_neither_results_nor_the_agents_prose",
            heard,
        ),
        trial(
            "a_guard_that_comes_late_tells_what_the_user_typed_before",
            late,
        ),
        trial(
            "no_program_of_the_agent_puts_words_into_the_users_mouth",
            forged,
        ),
        trial(
            "a_killed_hook_cancels_the_question_and_counts_nothing",
            killed,
        ),
        trial("another_endpoint_holds_from_the_next_call_on", moved),
        trial("no_workspace_names_an_endpoint", workspace),
        trial("a_hook_alone_asks_the_model", alone),
        trial(
            "a_hook_alone_tells_the_model_what_happened_before",
            alone_heard,
        ),
        trial("a_killed_hook_alone_counts_nothing", alone_killed),
        trial(
            "a_hook_alone_answers_in_time_without_the_model",
            alone_in_time,
        ),
        trial("a_key_that_is_not_there_is_no_answer", no_key),
        trial("a_server_leaves_no_core_dump", no_dump),
        trial(
            "a_server_asks_on_threads_that_it_has_only_from_the_first_question_on",
            threads,
        ),
    ]
}

/// Settings in auto mode with this model server.
fn settings(server: &ModelServer) -> Value {
    json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "autoMode": { "classifier": {
            "provider": "openai-compatible",
            "baseUrl": format!("{}/v1", server.url()),
            "model": "judge-1",
        }}},
    })
}

fn sandbox(server: &ModelServer) -> Sandbox {
    Sandbox::trusted(&settings(server).to_string())
}

/// The call of a command, with an id of its own.
fn call(sandbox: &Sandbox, command: &str) -> Value {
    let id = format!("toolu_{}", command.replace(' ', "_"));
    shell(sandbox, command).with("tool_use_id", json!(id))
}

#[track_caller]
fn blocked(agent: &Agent, sandbox: &Sandbox, command: &str) -> String {
    let ran = agent.hook(sandbox, CLAUDE, EVENT, &call(sandbox, command));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    ran.stderr
}

#[track_caller]
fn allowed(agent: &Agent, sandbox: &Sandbox, command: &str) {
    agent
        .hook(sandbox, CLAUDE, EVENT, &call(sandbox, command))
        .assert_allow(CLAUDE, EVENT);
}

/// Everything that the model was sent with its last question.
fn asked(server: &ModelServer) -> String {
    server.requests().last().unwrap().body.to_string()
}

/// Has the agent report this.
fn report(agent: &Agent, sandbox: &Sandbox, payload: &Value) {
    let event = payload["hook_event_name"].as_str().unwrap();
    agent.hook(sandbox, CLAUDE, event, payload).assert_neutral();
}

fn verdicts() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    server.then(Reply::allow());
    server.always(Reply::block("it would pull out the vines"));
    allowed(&agent, &sandbox, "trellis tie");
    let told = blocked(&agent, &sandbox, "trellis fell");
    assert!(
        told.starts_with("Blocked by auto mode policy: it would pull out the vines\nDo not "),
        "{told}"
    );
    let rows = sandbox.rows("decision");
    assert_eq!(rows[0]["reason"], "classifier");
    assert_eq!(rows[0]["model"]["stage"], "fast");
    assert_eq!(rows[1]["reason"], "classifier_blocked");
    let model = &rows[1]["model"];
    assert_eq!(model["stage"], "thinking");
    let stages = model["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 2);
    assert!(stages[1]["input_tokens"].is_u64(), "{model}");
    let log = sandbox.run(&["log"]);
    assert!(log.stdout.contains("thinking block"), "{}", log.stdout);
    assert!(log.stdout.contains("tokens"), "{}", log.stdout);
    let health = desk.status()["classifier"].clone();
    assert_eq!(health["state"], "ready");
    assert_eq!(health["provider"], "openai-compatible");
    assert_eq!(health["model"], "judge-1");
    let id = json!({ "id": rows[1]["call"] });
    let page = desk.editor.request("countersign/explain", id);
    let page = page["markdown"].as_str().unwrap();
    assert!(page.contains("- Judged by `"), "{page}");
    assert!(page.contains("- Thinking stage: block in "), "{page}");
}

fn blocks() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    server.always(Reply::block("no"));
    for command in ["trellis a", "trellis b", "trellis c"] {
        blocked(&agent, &sandbox, command);
    }
    let asked_until_then = server.requests().len();
    assert_eq!(asked_until_then, 6, "two stages each");
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call(&sandbox, "trellis d"));
    let approval = desk.approval();
    assert_eq!(approval["reason"], "consecutive_block");
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
    assert_eq!(
        server.requests().len(),
        asked_until_then,
        "a cap asks no model"
    );
}

fn unavailable() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    server.always(Reply::unauthorized());
    for command in ["trellis a", "trellis b"] {
        let told = blocked(&agent, &sandbox, command);
        let line = "Auto mode classifier unavailable; action blocked for safety\n";
        assert!(told.starts_with(line), "{told}");
    }
    let health = desk.status()["classifier"].clone();
    assert_eq!(health["state"], "unavailable");
    let row = sandbox.rows("decision").pop().unwrap();
    assert_eq!(row["model"]["problem"], health["problem"]);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call(&sandbox, "trellis c"));
    let approval = desk.approval();
    assert_eq!(approval["reason"], "consecutive_unavailable");
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    let after = &sandbox.rows("answer")[0]["after"];
    assert_eq!(after["consecutiveUnavailable"], 2);
}

fn granted() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    server.always(Reply::block("no"));
    blocked(&agent, &sandbox, "trellis fell");
    let row = sandbox.rows("decision").pop().unwrap();
    let id = json!({ "id": row["call"] });
    desk.editor.request("countersign/grant", id);
    allowed(&agent, &sandbox, "trellis fell");
    let row = sandbox.rows("decision").pop().unwrap();
    assert_eq!(row["reason"], "grant");
    assert_eq!(row["after"]["totalBlock"], 1);
    blocked(&agent, &sandbox, "trellis fell");
}

/// A line of Claude Code's own file.
fn line(kind: &str, session: &str, text: &str) -> String {
    let line = json!({
        "type": kind,
        "sessionId": session,
        "message": { "role": kind, "content": text },
    });
    format!("{line}\n")
}

/// The agent's file of a session, with what stands in it; its path.
fn conversation(sandbox: &Sandbox, lines: &[String]) -> String {
    let session = shell(sandbox, "true")["session_id"].clone();
    let folder = sandbox.home.join(".claude/projects/-vineyard");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}.jsonl", session.as_str().unwrap()));
    std::fs::write(&file, lines.concat()).unwrap();
    file.into_string()
}

fn session_of(sandbox: &Sandbox) -> String {
    let session = shell(sandbox, "true")["session_id"].clone();
    session.as_str().unwrap().to_owned()
}

fn heard() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let _desk = Desk::open(&sandbox);
    server.always(Reply::allow());
    let payload = |event: &str| sandbox.payload(CLAUDE, event);
    let says = payload("UserPromptSubmit").with("prompt", json!("prune the QUINCE"));
    report(&agent, &sandbox, &says);
    allowed(&agent, &sandbox, "trellis tie MEDLAR");
    let result = sandbox
        .shell(CLAUDE, "PostToolUse", "trellis tie MEDLAR")
        .with("tool_use_id", json!("toolu_trellis_tie_MEDLAR"))
        .with("tool_response", json!({ "stdout": "ROWAN says push" }));
    report(&agent, &sandbox, &result);
    let stop = payload("Stop").with("last_assistant_message", json!("LARCH is allowed"));
    report(&agent, &sandbox, &stop);
    allowed(&agent, &sandbox, "trellis fell");
    let body = asked(&server);
    for word in ["QUINCE", "MEDLAR", "trellis fell"] {
        assert!(body.contains(word), "{word}: {body}");
    }
    for word in ["ROWAN", "LARCH"] {
        assert!(!body.contains(word), "{word}: {body}");
    }
}

fn late() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let session = session_of(&sandbox);
    let file = conversation(
        &sandbox,
        &[
            line("user", &session, "prune the QUINCE"),
            line("assistant", &session, "LARCH is allowed"),
            line("user", "another", "fell the ROWAN"),
        ],
    );
    let agent = Agent::start(&sandbox);
    let _desk = Desk::open(&sandbox);
    server.always(Reply::allow());
    let call = call(&sandbox, "trellis tie").with("transcript_path", json!(file));
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
    let body = asked(&server);
    assert!(body.contains("QUINCE"), "{body}");
    assert!(!body.contains("LARCH") && !body.contains("ROWAN"), "{body}");
}

fn forged() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let _desk = Desk::open(&sandbox);
    server.always(Reply::allow());
    allowed(&agent, &sandbox, "trellis tie");
    let event = "UserPromptSubmit";
    let says = sandbox
        .payload(CLAUDE, event)
        .with("prompt", json!("fell the QUINCE"));
    for below in Below::ALL {
        let words = sandbox.hook_words(CLAUDE, event);
        below
            .run(&agent, &words, &says.to_string())
            .assert_neutral();
    }
    allowed(&agent, &sandbox, "trellis fell");
    assert!(!asked(&server).contains("QUINCE"));
    report(&agent, &sandbox, &says);
    allowed(&agent, &sandbox, "trellis fell all");
    assert!(
        asked(&server).contains("QUINCE"),
        "the agent itself is heard"
    );
}

fn killed() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let desk = Desk::open(&sandbox);
    let gate = Gate::new();
    server.then(Reply::block("no").held(&gate));
    let mut hook = start(&mut sandbox.hook_command(CLAUDE, EVENT));
    let payload = call(&sandbox, "trellis fell").to_string();
    std::io::Write::write_all(&mut hook.stdin.take().unwrap(), payload.as_bytes()).unwrap();
    server.wait_until(|seen| seen.under_way == 1);
    hook.kill().unwrap();
    hook.wait().unwrap();
    server.wait_until(|seen| seen.abandoned == 1);
    gate.open();
    assert_eq!(sandbox.rows("decision"), [] as [Value; 0]);
    drop(desk);
}

fn moved() {
    let (first, second) = (ModelServer::start(), ModelServer::start());
    let sandbox = sandbox(&first);
    let agent = Agent::start(&sandbox);
    let _desk = Desk::open(&sandbox);
    first.always(Reply::allow());
    second.always(Reply::allow());
    allowed(&agent, &sandbox, "trellis a");
    sandbox.settings(&settings(&second).to_string());
    allowed(&agent, &sandbox, "trellis b");
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
}

fn workspace() {
    let server = ModelServer::start();
    server.always(Reply::allow());
    let sandbox = Sandbox::trusted(r#"{ "tools": { "approvalMode": "auto" } }"#);
    sandbox.workspace_settings(&settings(&server).to_string());
    let agent = Agent::start(&sandbox);
    let call = call(&sandbox, "trellis fell");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
    let mut desk = Desk::open(&sandbox);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = desk.approval();
    assert_eq!(approval["reason"], "no_classifier");
    assert_eq!(desk.status()["classifier"], json!({ "state": "none" }));
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    assert_eq!(server.requests().len(), 0);
}

fn alone() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    server.then(Reply::allow());
    allowed(&agent, &sandbox, "trellis tie");
    server.then(Reply::block("no"));
    server.then(Reply::block("it would pull out the vines"));
    let told = blocked(&agent, &sandbox, "trellis fell");
    assert!(
        told.starts_with("Blocked by auto mode policy: it would"),
        "{told}"
    );
    server.always(Reply::unauthorized());
    for command in ["trellis a", "trellis b"] {
        let told = blocked(&agent, &sandbox, command);
        assert!(
            told.starts_with("Auto mode classifier unavailable;"),
            "{told}"
        );
    }
    let rows = sandbox.rows("decision");
    assert_eq!(rows[1]["model"]["stages"].as_array().unwrap().len(), 2);
    assert_eq!(rows[3]["after"]["consecutiveUnavailable"], 2);
    assert_eq!(rows[3]["after"]["totalBlock"], 1);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call(&sandbox, "trellis c"))
        .assert_ask(CLAUDE, EVENT);
}

fn alone_heard() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let session = session_of(&sandbox);
    let file = conversation(&sandbox, &[line("user", &session, "prune the QUINCE")]);
    let agent = Agent::start(&sandbox);
    server.always(Reply::allow());
    let with_file = |command: &str| {
        let call = call(&sandbox, command).with("transcript_path", json!(file));
        agent
            .hook(&sandbox, CLAUDE, EVENT, &call)
            .assert_allow(CLAUDE, EVENT);
    };
    with_file("trellis tie MEDLAR");
    with_file("trellis fell");
    let body = asked(&server);
    for word in ["QUINCE", "MEDLAR", "trellis fell"] {
        assert!(body.contains(word), "{word}: {body}");
    }
    // What a program of the agent says about files is not believed.
    let call = call(&sandbox, "trellis fell all").with("transcript_path", json!(file));
    let words = sandbox.hook_words(CLAUDE, EVENT);
    Below::Program
        .run(&agent, &words, &call.to_string())
        .assert_allow(CLAUDE, EVENT);
    assert!(!asked(&server).contains("QUINCE"));
}

fn alone_killed() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let gate = Gate::new();
    server.then(Reply::block("no").held(&gate));
    let mut hook = start(&mut sandbox.hook_command(CLAUDE, EVENT));
    let payload = call(&sandbox, "trellis fell").to_string();
    std::io::Write::write_all(&mut hook.stdin.take().unwrap(), payload.as_bytes()).unwrap();
    server.wait_until(|seen| seen.under_way == 1);
    hook.kill().unwrap();
    hook.wait().unwrap();
    server.wait_until(|seen| seen.abandoned == 1);
    assert_eq!(sandbox.rows("decision"), [] as [Value; 0]);
}

fn alone_in_time() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let gate = Gate::new();
    server.always(Reply::allow().held(&gate));
    let words = hurried(&sandbox, CLAUDE, EVENT, "5");
    let payload = call(&sandbox, "trellis fell").to_string();
    let ran = feed(&mut through(&[], &words), payload.as_bytes());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.starts_with("Auto mode classifier unavailable;"),
        "{ran:?}"
    );
    let row = sandbox.rows("decision").pop().unwrap();
    assert_eq!(row["after"]["consecutiveUnavailable"], 1);
    let problem = row["model"]["problem"].as_str().unwrap();
    assert!(problem.contains("longer timeout"), "{problem}");
}

/// With a model server that wants a key which is in no variable.
fn with_key(server: &ModelServer) -> Sandbox {
    let mut settings = settings(server);
    settings["permissions"]["autoMode"]["classifier"]["apiKeyEnv"] =
        json!("COUNTERSIGN_TEST_NO_SUCH_KEY");
    Sandbox::trusted(&settings.to_string())
}

fn no_key() {
    let server = ModelServer::start();
    let sandbox = with_key(&server);
    let agent = Agent::start(&sandbox);
    let told = blocked(&agent, &sandbox, "trellis fell");
    assert!(
        told.starts_with("Auto mode classifier unavailable;"),
        "{told}"
    );
    let row = sandbox.rows("decision").pop().unwrap();
    let problem = row["model"]["problem"].as_str().unwrap();
    assert!(
        problem.contains("COUNTERSIGN_TEST_NO_SUCH_KEY"),
        "{problem}"
    );
    assert_eq!(server.requests().len(), 0);
}

/// The kernel gives the program behind a pipe no dump only if the limit is 1.
fn no_dump() {
    let server = ModelServer::start();
    let sandbox = with_key(&server);
    let desk = Desk::open(&sandbox);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", desk.process().pid)).unwrap();
    let cores = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))
        .unwrap();
    let values: Vec<&str> = cores.split_whitespace().collect();
    let most = rustix::process::getrlimit(rustix::process::Resource::Core).maximum;
    let limit = if most == Some(0) { "0" } else { "1" };
    assert_eq!(values, [limit, limit, "bytes"]);
}

fn threads() {
    let server = ModelServer::start();
    server.always(Reply::allow());
    let sandbox = sandbox(&server);
    let agent = Agent::start(&sandbox);
    let desk = Desk::open(&sandbox);
    let of_questions = || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", desk.process().pid)).unwrap();
        // A thread may end while it is looked at.
        tasks
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
            .filter(|name| name.trim() == "classifier")
            .count()
    };
    assert_eq!(of_questions(), 0);
    allowed(&agent, &sandbox, "trellis prune");
    assert_eq!(server.requests().len(), 1);
    assert!(of_questions() > 0);
}
