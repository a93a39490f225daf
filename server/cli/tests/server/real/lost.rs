//! Editors and servers that die, hang, are ended or lose their files: a call
//! that waits is blocked, and the next one finds its way.

use std::fs;
use std::time::{Duration, Instant};

use countersign_ipc::alive;
use libtest_mimic::Trial;
use rustix::process::Signal;

use super::{BUILD, EVENT, hurried, shell};
use crate::sandbox::{AUTO, CLAUDE, DECIDING, Sandbox, until};
use crate::support::{Agent, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "an_editor_that_dies_mid_prompt_is_a_block_at_once",
            editor_dies,
        ),
        trial("a_server_that_is_killed_mid_prompt_is_a_block", killed),
        trial("a_server_that_hangs_holds_nobody_beyond_its_time", hung),
        trial("a_server_that_is_asked_to_end_leaves_nothing", asked_to_end),
        trial(
            "a_prompt_that_is_open_then_is_a_block_that_says_so",
            ended_mid_prompt,
        ),
        trial(
            "an_announcement_that_is_removed_comes_back",
            announcement_back,
        ),
        trial("a_socket_that_is_removed_comes_back", socket_back),
        trial("a_folder_that_is_removed_comes_back", folder_back),
    ]
}

/// A call of every kind of hook that waits for the person, what is done then,
/// and what each agent is told.
#[track_caller]
fn all_blocked(sandbox: &Sandbox, desk: &mut Desk, then: impl FnOnce(&mut Desk)) -> Vec<String> {
    let agent = Agent::start(sandbox);
    let hooks: Vec<_> = DECIDING
        .iter()
        .map(|(name, event)| {
            let payload = sandbox.shell(name, event, &format!("{BUILD} {name} {event}"));
            (*event, agent.begin_hook(sandbox, name, event, &payload))
        })
        .collect();
    for _ in &hooks {
        desk.approval();
    }
    let start = Instant::now();
    then(desk);
    let said = hooks
        .into_iter()
        .map(|(event, running)| running.ended().assert_block(event))
        .collect();
    // Of the 54 s that each has.
    assert!(start.elapsed() < Duration::from_secs(40));
    said
}

fn editor_dies() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let said = all_blocked(&sandbox, &mut desk, |desk| desk.editor.die());
    for message in said {
        assert!(message.contains("nowhere to ask"), "{message}");
    }
    until("the server ends with its editor", || !alive(desk.process()));
    let rows = sandbox.rows("answer");
    assert!(
        rows.iter().all(|row| row["reason"] == "no_surface"),
        "{rows:?}"
    );
    assert_eq!(rows.len(), DECIDING.len());
}

fn killed() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let said = all_blocked(&sandbox, &mut desk, |desk| desk.end(Signal::KILL));
    for message in said {
        assert!(message.contains("was lost while it decided"), "{message}");
    }
    assert_eq!(sandbox.rows("decision").len(), DECIDING.len());
    assert_eq!(sandbox.rows("answer").len(), 0);
    sandbox.assert_verified();
}

fn hung() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let desk = Desk::open(&sandbox);
    desk.stop();
    let hooks: Vec<_> = DECIDING
        .iter()
        .map(|(name, event)| {
            // Allowed by a rule, were anybody there.
            let payload = sandbox.shell(name, event, "cargo test vines").to_string();
            let words = hurried(&sandbox, name, event, "5");
            (*event, agent.begin(&words, &payload))
        })
        .collect();
    for (event, running) in hooks {
        let message = running.ended().assert_block(event);
        assert!(message.contains("did not answer in time"), "{message}");
    }
    desk.go_on();
    let call = shell(&sandbox, "cargo test grapes");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
}

fn asked_to_end() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let sandbox = Sandbox::trusted(AUTO);
        let agent = Agent::start(&sandbox);
        let desk = Desk::open(&sandbox);
        let files = [desk.file(".server.json"), desk.file(".sock")];
        assert!(files.iter().all(|file| file.exists()));
        let call = shell(&sandbox, "cargo test vines");
        agent
            .hook(&sandbox, CLAUDE, EVENT, &call)
            .assert_allow(CLAUDE, EVENT);
        desk.end(signal);
        assert!(files.iter().all(|file| !file.exists()), "{signal:?}");
        let left: Vec<_> = fs::read_dir(sandbox.places().runtime_dir)
            .unwrap()
            .collect();
        assert!(left.is_empty(), "{left:?}");
        // What was allowed last is on record.
        assert_eq!(sandbox.rows("decision").len(), 1, "{signal:?}");
        sandbox.assert_verified();
        assert_eq!(desk.log(), "");
    }
}

fn ended_mid_prompt() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let said = all_blocked(&sandbox, &mut desk, |desk| desk.end(Signal::TERM));
    for message in said {
        assert!(message.contains("nowhere to ask"), "{message}");
    }
    assert_eq!(sandbox.rows("answer").len(), DECIDING.len());
    sandbox.assert_verified();
}

/// A hook is answered by the server again.
#[track_caller]
fn assert_asked_again(sandbox: &Sandbox, desk: &mut Desk) {
    desk.wait_until_announced(&sandbox.workspace);
    let agent = Agent::start(sandbox);
    let running = agent.begin_hook(sandbox, CLAUDE, EVENT, &shell(sandbox, BUILD));
    let approval = desk.approval();
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
}

fn announcement_back() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    fs::remove_file(desk.file(".server.json")).unwrap();
    assert_asked_again(&sandbox, &mut desk);
}

fn socket_back() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    fs::remove_file(&socket).unwrap();
    until("the socket is made anew", || socket.exists());
    assert_asked_again(&sandbox, &mut desk);
}

fn folder_back() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let folder = sandbox.places().runtime_dir;
    fs::rename(&folder, folder.with_file_name("elsewhere")).unwrap();
    assert_asked_again(&sandbox, &mut desk);
}
