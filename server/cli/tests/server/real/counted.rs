//! What is counted is counted the same with a server, without one, and across
//! servers that come and go. What a person chose goes with its server.

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{BUILD, EVENT, shell};
use crate::sandbox::{AUTO, CLAUDE, Sandbox, With as _, until};
use crate::support::{Agent, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("counters_are_the_same_with_and_without_a_server", same),
        trial("counters_outlive_a_server", outlive),
        trial("what_a_person_chose_ends_with_its_server", choices_end),
        trial("an_approval_ends_with_its_server", pending_ends),
        trial(
            "what_was_decided_without_a_server_is_shown_later",
            shown_later,
        ),
        trial(
            "what_a_hook_decides_alone_is_shown_while_it_happens",
            shown_now,
        ),
    ]
}

/// An attack on the guard itself, which every mode blocks and auto counts.
const ATTACK: &str = "countersign trust";

#[track_caller]
fn attack(agent: &Agent, sandbox: &Sandbox) {
    let call = shell(sandbox, ATTACK);
    agent
        .hook(sandbox, CLAUDE, EVENT, &call)
        .assert_block(EVENT);
}

/// What rows say of decisions and counters, without times and ids.
fn counted(sandbox: &Sandbox) -> Vec<Value> {
    let rows = sandbox.rows("decision");
    rows.iter()
        .map(|row| {
            json!([
                row["decision"],
                row["reason"],
                row["mode"],
                row["subject"],
                row["before"],
                row["after"],
            ])
        })
        .collect()
}

/// What the server says of a session from before it began.
#[track_caller]
fn taken_up(desk: &mut Desk, session: &str) -> Value {
    until("the session is shown", || desk.session(session).is_some());
    desk.session(session).unwrap()
}

fn same() {
    let run = |with_server: bool| {
        let sandbox = Sandbox::trusted(AUTO);
        let agent = Agent::start(&sandbox);
        let desk = with_server.then(|| Desk::open(&sandbox));
        for command in [
            "cargo test vines",
            ATTACK,
            "uproot all",
            "cargo test vines",
            ATTACK,
            ATTACK,
            "git status",
        ] {
            let call = shell(&sandbox, command);
            agent.hook(&sandbox, CLAUDE, EVENT, &call);
        }
        drop(desk);
        counted(&sandbox)
    };
    let (with, without) = (run(true), run(false));
    assert_eq!(with, without);
    assert_eq!(with[5][5]["consecutiveBlock"], 3, "{with:#?}");
}

fn outlive() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let session = shell(&sandbox, BUILD)["session_id"].clone();
    let first = Desk::open(&sandbox);
    attack(&agent, &sandbox);
    attack(&agent, &sandbox);
    first.end(Signal::KILL);
    drop(first);
    attack(&agent, &sandbox);
    let mut second = Desk::open(&sandbox);
    let status = taken_up(&mut second, session.as_str().unwrap());
    assert_eq!(status["counters"]["consecutiveBlock"], 3);
    assert_eq!(status["armed"], "consecutive_block");
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, BUILD));
    let approval = second.approval();
    assert_eq!(approval["reason"], "consecutive_block");
    assert_eq!(approval["suggestions"], json!([]));
    second.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
    let row = sandbox.rows("answer").pop().unwrap();
    assert_eq!(row["before"]["consecutiveBlock"], 3);
    assert_eq!(row["after"]["consecutiveBlock"], 0);
}

fn choices_end() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut first = Desk::open(&sandbox);
    let call = shell(&sandbox, BUILD);
    first.set_mode("yolo", None);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
    assert_eq!(sandbox.rows("decision")[0]["reason"], "yolo");
    first.end(Signal::KILL);
    drop(first);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
    let mut second = Desk::open(&sandbox);
    assert_eq!(second.status()["mode"], "auto");
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = second.approval();
    assert_eq!(approval["mode"], "auto");
    // A rule for the session goes the same way.
    let rule = approval["suggestions"][0].clone();
    let yes = json!({ "choice": "remember", "rules": [rule], "scope": "session" });
    assert_eq!(
        second.answer(&approval, yes),
        Ok(json!({ "decision": "allow" }))
    );
    running.ended().assert_allow(CLAUDE, EVENT);
    let again = call.clone().with("tool_use_id", json!("toolu_again"));
    agent
        .hook(&sandbox, CLAUDE, EVENT, &again)
        .assert_allow(CLAUDE, EVENT);
    second.end(Signal::KILL);
    drop(second);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
}

fn pending_ends() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut first = Desk::open(&sandbox);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, BUILD));
    let approval = first.approval();
    first.end(Signal::KILL);
    running.ended().assert_block(EVENT);
    drop(first);
    let mut second = Desk::open(&sandbox);
    assert_eq!(second.pending(), 0);
    let stale = second.answer(&approval, json!({ "choice": "approve" }));
    assert!(stale.is_err(), "{stale:?}");
    // It is asked anew, and not joined to what nobody can answer any more.
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, BUILD));
    let fresh = second.approval();
    assert_ne!(fresh["id"], approval["id"]);
    second.approve(&fresh);
    running.ended().assert_allow(CLAUDE, EVENT);
}

fn shown_later() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    attack(&agent, &sandbox);
    let session = shell(&sandbox, ATTACK)["session_id"].clone();
    let mut desk = Desk::open(&sandbox);
    let known = taken_up(&mut desk, session.as_str().unwrap());
    assert_eq!(known["elsewhere"], true);
    assert_eq!(known["counters"]["consecutiveBlock"], 1);
    // From its next call on it is this server's.
    attack(&agent, &sandbox);
    let known = desk.session(session.as_str().unwrap()).unwrap();
    assert_eq!(known["elsewhere"], false);
    assert_eq!(known["counters"]["consecutiveBlock"], 2);
}

fn shown_now() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    // Nobody can connect meanwhile, and the server cannot put that right.
    let socket = desk.file(".sock");
    desk.stop();
    std::fs::remove_file(&socket).unwrap();
    let call = super::shell_in(&sandbox, "alone", "cargo test vines");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
    desk.go_on();
    until("the call is shown", || desk.session("alone").is_some());
    assert_eq!(desk.session("alone").unwrap()["elsewhere"], true);
}
