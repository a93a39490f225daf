//! A person is asked in the editor, and the agent hears what they said.

use libtest_mimic::Trial;
use serde_json::json;

use super::{BUILD, EVENT, hurried, shell};
use crate::sandbox::{AUTO, CLAUDE, DECIDING, Sandbox, With as _};
use crate::support::{Agent, Desk, Running};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("a_yes_in_the_editor_is_the_agents_allow", approved),
        trial("a_no_reaches_the_agent_with_its_message", denied),
        trial("a_hook_holds_until_its_deadline_and_then_blocks", timed_out),
        trial(
            "a_person_who_is_there_is_asked_for_every_agent",
            no_delegation,
        ),
        trial("a_rule_for_the_session_holds_for_its_next_call", remembered),
        trial("a_person_loosens_the_mode_of_one_session", one_session),
        trial("two_events_of_a_call_are_one_prompt", joined),
        trial("an_agent_that_gives_up_takes_its_prompt_along", gave_up),
        trial("what_was_rejected_is_not_asked_again", rejected),
    ]
}

/// A hook of every agent and event, each of which waits for the person.
fn all_waiting(sandbox: &Sandbox, agent: &Agent) -> Vec<(&'static str, &'static str, Running)> {
    DECIDING
        .iter()
        .map(|(name, event)| {
            let payload = sandbox.shell(name, event, &format!("{BUILD} {name} {event}"));
            let running = agent.begin_hook(sandbox, name, event, &payload);
            (*name, *event, running)
        })
        .collect()
}

fn approved() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let hooks = all_waiting(&sandbox, &agent);
    for (name, event, running) in hooks {
        let approval = desk.approval_of(&format!("{BUILD} {name} {event}"));
        assert_eq!(approval["reason"], "no_classifier");
        desk.approve(&approval);
        running.ended().assert_allow(name, event);
    }
    let answers = sandbox.rows("answer");
    assert_eq!(answers.len(), DECIDING.len());
    for answer in answers {
        assert_eq!(answer["reason"], "proceed_once");
        assert_eq!(answer["source"], "vscode");
    }
    sandbox.assert_verified();
}

fn denied() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let hooks = all_waiting(&sandbox, &agent);
    for (name, event, running) in hooks {
        let approval = desk.approval_of(&format!("{BUILD} {name} {event}"));
        let no = json!({ "choice": "deny", "message": "first write the tests" });
        let answered = desk.answer(&approval, no);
        assert_eq!(answered, Ok(json!({ "decision": "block" })));
        let message = running.ended().assert_block(event);
        assert!(message.contains("first write the tests"), "{message}");
    }
}

fn timed_out() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let hooks: Vec<_> = DECIDING
        .iter()
        .map(|(name, event)| {
            let payload = sandbox.shell(name, event, &format!("{BUILD} {name} {event}"));
            let words = hurried(&sandbox, name, event, "10");
            (*event, agent.begin(&words, &payload.to_string()))
        })
        .collect();
    desk.wait_for_pending(DECIDING.len());
    for (event, running) in hooks {
        let message = running.ended().assert_block(event);
        assert!(message.contains("nobody answered"), "{message}");
    }
    assert_eq!(desk.pending(), 0);
    for _ in DECIDING {
        let late = desk.approval();
        assert!(desk.answer(&late, json!({ "choice": "approve" })).is_err());
    }
    let rows = sandbox.rows("answer");
    assert_eq!(rows.len(), DECIDING.len());
    assert!(
        rows.iter().all(|row| row["reason"] == "timeout"),
        "{rows:?}"
    );
}

/// Without a server, Claude Code and Codex would be left to their own prompts.
fn no_delegation() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let call = shell(&sandbox, BUILD);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
    let mut desk = Desk::open(&sandbox);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = desk.approval();
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
}

fn remembered() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, BUILD));
    let approval = desk.approval();
    let rules = approval["suggestions"].clone();
    assert_eq!(rules, json!([format!("Bash({BUILD})")]));
    let yes = json!({ "choice": "remember", "rules": rules, "scope": "session" });
    let answered = desk.answer(&approval, yes);
    assert_eq!(answered, Ok(json!({ "decision": "allow" })));
    running.ended().assert_allow(CLAUDE, EVENT);
    let again = shell(&sandbox, BUILD).with("tool_use_id", json!("toolu_again"));
    agent
        .hook(&sandbox, CLAUDE, EVENT, &again)
        .assert_allow(CLAUDE, EVENT);
    // Of this session, and not of another one.
    let other = super::shell_in(&sandbox, "another", BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &other);
    let approval = desk.approval();
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

/// A looser mode of one session is nothing that the mode of the others undoes.
fn one_session() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let begins = super::shell_in(&sandbox, "loose", "cargo test vines");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &begins)
        .assert_allow(CLAUDE, EVENT);
    desk.set_mode("yolo", Some((CLAUDE, "loose")));
    let call = super::shell_in(&sandbox, "loose", BUILD);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
    let other = super::shell_in(&sandbox, "another", BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &other);
    let approval = desk.approval();
    assert_eq!(approval["mode"], "auto");
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

fn joined() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let before = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, BUILD));
    let approval = desk.approval();
    let request = sandbox.shell(CLAUDE, "PermissionRequest", BUILD);
    let prompt = agent.begin_hook(&sandbox, CLAUDE, "PermissionRequest", &request);
    desk.approve(&approval);
    before.ended().assert_allow(CLAUDE, EVENT);
    prompt.ended().assert_allow(CLAUDE, "PermissionRequest");
    assert_eq!(sandbox.rows("decision").len(), 1);
    assert_eq!(sandbox.rows("answer").len(), 1);
}

fn gave_up() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    // Ends when it is told to, long before its hook would.
    let given_up = sandbox.home.join("given-up");
    let script = "exec 3<&0; file=$1; shift; \"$@\" <&3 & \
                  until [ -e \"$file\" ]; do sleep 0.02; done; kill -KILL $!; wait";
    let mut words = vec!["/bin/sh", "-c", script, "sh", given_up.as_str()];
    words.extend(sandbox.hook_words(CLAUDE, EVENT));
    let running = agent.begin(&words, &shell(&sandbox, BUILD).to_string());
    let approval = desk.approval();
    std::fs::write(&given_up, "").unwrap();
    running.ended();
    desk.wait_for_pending(0);
    let late = desk.answer(&approval, json!({ "choice": "approve" }));
    assert!(late.is_err(), "{late:?}");
    assert_eq!(sandbox.rows("answer")[0]["reason"], "aborted");
    assert_eq!(sandbox.rows("ignored").len(), 1);
}

fn rejected() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let call = shell(&sandbox, BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = desk.approval();
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_block(EVENT);
    assert!(message.contains("rejected a moment ago"), "{message}");
    // A message of the user is another matter.
    let said = sandbox.payload(CLAUDE, "UserPromptSubmit");
    agent
        .hook(&sandbox, CLAUDE, "UserPromptSubmit", &said)
        .assert_neutral();
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = desk.approval();
    assert_eq!(approval["askedBefore"], 1);
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
}
