//! Several servers: one owns a session, the others only tighten and show.

use std::fs;

use countersign_settings::TrustStore;
use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{BUILD, EVENT, shell, shell_in};
use crate::sandbox::{AUTO, CLAUDE, Sandbox, With as _, until};
use crate::support::{Agent, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("a_session_stays_with_its_first_server", pinned),
        trial("a_session_goes_on_with_the_next_server", goes_on),
        trial("of_two_servers_the_stricter_mode_holds", strictest),
        trial(
            "of_two_servers_on_one_root_the_stricter_mode_holds",
            same_root,
        ),
        trial("what_another_server_owns_is_only_shown", only_shown),
    ]
}

/// A workspace of its own inside of the sandbox's.
fn nested(sandbox: &Sandbox) -> camino::Utf8PathBuf {
    let folder = sandbox.workspace.join("nested");
    fs::create_dir_all(folder.join(".git")).unwrap();
    TrustStore::new(&sandbox.places()).trust(&folder).unwrap();
    folder
}

/// A command in the nested workspace.
fn shell_below(sandbox: &Sandbox, session: &str, command: &str) -> Value {
    shell_in(sandbox, session, command).with("cwd", json!(nested(sandbox)))
}

fn pinned() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let folder = nested(&sandbox);
    let mut first = Desk::open(&sandbox);
    // The session begins where both will be.
    let begins = shell_below(&sandbox, "begun", "cargo test vines");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &begins)
        .assert_allow(CLAUDE, EVENT);
    let mut second = Desk::open_in(&sandbox, &folder);
    let call = shell_below(&sandbox, "begun", BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = first.approval();
    assert_eq!(second.pending(), 0);
    first.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
    // Another session is the nearer one's.
    let call = shell_below(&sandbox, "another", BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = second.approval();
    assert_eq!(first.pending(), 0);
    second.deny(&approval);
    running.ended().assert_block(EVENT);
}

fn goes_on() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let first = Desk::open(&sandbox);
    let begins = shell_below(&sandbox, "begun", "countersign trust");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &begins)
        .assert_block(EVENT);
    let mut second = Desk::open_in(&sandbox, &nested(&sandbox));
    first.end(Signal::KILL);
    drop(first);
    let call = shell_below(&sandbox, "begun", BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = second.approval();
    assert_eq!(approval["counters"]["consecutiveBlock"], 1);
    second.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
    // It stays there also when another one comes that is used later.
    let mut third = Desk::open(&sandbox);
    let call = shell_in(&sandbox, "begun", "trellis sell");
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = second.approval();
    assert_eq!(third.pending(), 0);
    second.deny(&approval);
    running.ended().assert_block(EVENT);
}

/// Waits until the server announces a mode for the folder.
#[track_caller]
fn wait_for_mode(desk: &Desk, folder: &camino::Utf8Path, mode: &str) {
    until("the mode is announced", || {
        desk.announcement().is_some_and(|server| {
            let mut roots = server.roots.iter();
            roots.any(|root| root.folder == folder && root.mode.to_string() == mode)
        })
    });
}

fn strictest() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let folder = nested(&sandbox);
    let mut outer = Desk::open(&sandbox);
    let mut inner = Desk::open_in(&sandbox, &folder);
    outer.set_mode("plan", None);
    wait_for_mode(&outer, &sandbox.workspace, "plan");
    // The nearer server decides, and what it is told only tightens.
    let call = shell_below(&sandbox, "one", BUILD);
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_block(EVENT);
    assert!(message.contains("plan"), "{message}");
    assert_eq!((outer.pending(), inner.pending()), (0, 0));
    // The other way about.
    outer.set_mode("auto", None);
    inner.set_mode("plan", None);
    wait_for_mode(&outer, &sandbox.workspace, "auto");
    wait_for_mode(&inner, &folder, "plan");
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_block(EVENT);
    assert!(message.contains("plan"), "{message}");
    // Outside of it, the inner one has no say.
    let call = shell_in(&sandbox, "two", BUILD);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = outer.approval();
    assert_eq!(approval["mode"], "auto");
    outer.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
}

fn same_root() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut one = Desk::open(&sandbox);
    let mut two = Desk::open(&sandbox);
    one.set_mode("plan", None);
    two.set_mode("auto-edit", None);
    wait_for_mode(&one, &sandbox.workspace, "plan");
    wait_for_mode(&two, &sandbox.workspace, "auto-edit");
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, BUILD))
        .assert_block(EVENT);
    assert!(message.contains("plan"), "{message}");
    assert_eq!(sandbox.rows("decision")[0]["mode"], "plan");
}

fn only_shown() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut owner = Desk::open(&sandbox);
    let call = shell_in(&sandbox, "owned", "countersign trust");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_block(EVENT);
    let mut other = Desk::open(&sandbox);
    until("the session is shown", || other.session("owned").is_some());
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell_in(&sandbox, "owned", BUILD));
    let approval = owner.approval();
    until("its counters are shown", || {
        let shown = other.session("owned").unwrap();
        shown["elsewhere"] == true && shown["counters"]["consecutiveBlock"] == 1
    });
    assert_eq!(owner.session("owned").unwrap()["elsewhere"], false);
    assert_eq!(other.pending(), 0);
    // What the owner showed is nothing that another one can answer.
    let foreign = other.answer(&approval, json!({ "choice": "approve" }));
    assert!(foreign.is_err(), "{foreign:?}");
    owner.deny(&approval);
    running.ended().assert_block(EVENT);
}
