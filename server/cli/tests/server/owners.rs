//! Which server owns a call, and what the others have to say: they tighten.

use std::os::unix::fs::symlink;

use countersign_core::mode::ApprovalMode;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sandbox::{AUTO, CLAUDE, Ran, Sandbox, With as _};
use crate::support::{Agent, Behaviour, Listening, StandIn};
use crate::{block_by, server, server_of, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("the_longest_root_owns_a_call", longest_root),
        trial("of_equal_roots_the_last_used_one_owns_a_call", last_used),
        trial("another_servers_stricter_mode_is_sent_along", strictest),
        trial("a_folder_is_the_same_by_every_name", linked),
        trial("where_one_server_refuses_the_next_is_asked", next),
        trial(
            "a_session_that_moved_away_is_asked_about_where_it_began",
            moved,
        ),
        trial("a_hook_follows_to_the_sessions_own_server", followed),
        trial(
            "servers_that_point_at_each_other_end_in_default_mode",
            pointing,
        ),
        trial("a_server_that_is_not_there_is_not_followed", not_there),
    ]
}

const EVENT: &str = "PreToolUse";

fn edit(sandbox: &Sandbox) -> Value {
    sandbox.edit(CLAUDE, EVENT, "src/lib.rs")
}

fn hook(agent: &Agent, sandbox: &Sandbox) -> Ran {
    agent.hook(sandbox, CLAUDE, EVENT, &edit(sandbox))
}

#[track_caller]
fn assert_by(ran: &Ran, name: &str) {
    assert_eq!(ran.stderr, format!("Countersign: blocked by {name}\n"));
}

fn times_asked(servers: &[&StandIn]) -> Vec<usize> {
    servers.iter().map(|server| server.asked().len()).collect()
}

fn longest_root() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let inner = server(&sandbox).that(block_by("the inner")).start();
    let outer = server_of(&sandbox, sandbox.workspace.parent().unwrap())
        .with_root(&sandbox.workspace.join("src"), ApprovalMode::Auto)
        .that(block_by("the outer"))
        .used_at(9)
        .start();
    assert_by(&hook(&agent, &sandbox), "the inner");
    let deeper = edit(&sandbox).with("cwd", json!(sandbox.file("src")));
    assert_by(&agent.hook(&sandbox, CLAUDE, EVENT, &deeper), "the outer");
    assert_eq!(times_asked(&[&inner, &outer]), [1, 1]);
}

fn last_used() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let servers: Vec<StandIn> = [("one", 5), ("two", 9), ("three", 7)]
        .into_iter()
        .map(|(name, at)| server(&sandbox).that(block_by(name)).used_at(at).start())
        .collect();
    assert_by(&hook(&agent, &sandbox), "two");
    let all: Vec<&StandIn> = servers.iter().collect();
    assert_eq!(times_asked(&all), [0, 1, 0]);
}

fn strictest() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let owner = server(&sandbox).that(block_by("the owner")).start();
    let sent = || {
        assert_by(&hook(&agent, &sandbox), "the owner");
        owner.asked().pop().unwrap().request.tighten
    };
    let root = sandbox.workspace.parent().unwrap();
    // Its own mode is its own to know: a person may have chosen another one
    // for this session.
    assert_eq!(sent(), None);
    // What another has in force for a folder beside this one is nothing here.
    let _beside = server_of(&sandbox, &sandbox.home)
        .with_root(&sandbox.home, ApprovalMode::Plan)
        .used_at(9)
        .start();
    assert_eq!(sent(), None);
    let above = server_of(&sandbox, root)
        .with_root(root, ApprovalMode::Default)
        .used_at(9)
        .start();
    assert_eq!(sent(), Some(ApprovalMode::Default));
    let _loose = server_of(&sandbox, root)
        .with_root(root, ApprovalMode::Yolo)
        .start();
    assert_eq!(sent(), Some(ApprovalMode::Default));
    drop(above);
    assert_eq!(sent(), Some(ApprovalMode::Yolo));
}

fn linked() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(block_by("it")).start();
    let other = server_of(&sandbox, &sandbox.home)
        .that(block_by("the other"))
        .used_at(9)
        .start();
    let link = sandbox.workspace.parent().unwrap().join("link");
    symlink(&sandbox.workspace, &link).unwrap();
    for cwd in [link.clone(), link.join("src/.."), link.join("src/../src")] {
        let payload = edit(&sandbox).with("cwd", json!(cwd));
        assert_by(&agent.hook(&sandbox, CLAUDE, EVENT, &payload), "it");
    }
    // As the owner: of those that are only tried, the one used last comes first.
    assert_eq!(server.asked().len(), 3);
    assert_eq!(other.asked().len(), 0);
}

fn next() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let refusing = server(&sandbox).used_at(9).start();
    let deaf = server(&sandbox)
        .used_at(8)
        .listening(Listening::NoLonger)
        .start();
    let deciding = server(&sandbox).used_at(7).that(block_by("it")).start();
    assert_by(&hook(&agent, &sandbox), "it");
    assert_eq!(times_asked(&[&refusing, &deaf, &deciding]), [1, 0, 1]);
    assert!(!sandbox.database().exists());
}

fn moved() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    // Of no server is the workspace.
    let others: Vec<StandIn> = (1..=4)
        .map(|at| {
            let folder = sandbox.home.join(at.to_string());
            server_of(&sandbox, &folder)
                .with_root(&folder, ApprovalMode::Plan)
                .used_at(at)
                .start()
        })
        .collect();
    let all: Vec<&StandIn> = others.iter().collect();
    // Nothing ties the session to any: decided as if there were none.
    hook(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    assert_eq!(times_asked(&all), [0, 1, 1, 1]);
    // One of them knows the session.
    others[1].behaves(block_by("its own"));
    assert_by(&hook(&agent, &sandbox), "its own");
    for other in &others[1..] {
        let asked = other.asked().pop().unwrap();
        assert_eq!(asked.request.tighten, None);
    }
    // One that serves the folder is asked alone.
    let owner = server(&sandbox).that(block_by("the owner")).start();
    assert_by(&hook(&agent, &sandbox), "the owner");
    assert_eq!(owner.asked().len(), 1);
    assert_eq!(times_asked(&all), [0; 4]);
}

fn followed() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let owner = server_of(&sandbox, &sandbox.home)
        .that(block_by("the owner"))
        .start();
    // Of two that were used at the same time, the one of the lower process
    // would be asked first, and process numbers begin anew.
    let first = server(&sandbox)
        .with_root(&sandbox.workspace, ApprovalMode::Default)
        .that(Behaviour::Elsewhere(owner.instance()))
        .used_at(9)
        .start();
    let other = server(&sandbox).start();
    assert_by(&hook(&agent, &sandbox), "the owner");
    assert_eq!(first.asked().len(), 1);
    assert_eq!(other.asked().len(), 0);
    let asked = owner.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].request.server, owner.instance().key);
    assert_eq!(asked[0].request.tighten, Some(ApprovalMode::Default));
    assert_eq!(asked[0].payload, edit(&sandbox).to_string().as_bytes());
    assert!(!sandbox.database().exists());
    // Lost there is lost.
    owner.behaves(Behaviour::Close);
    let message = hook(&agent, &sandbox).assert_block(EVENT);
    assert!(message.contains("was lost while it decided"), "{message}");
    assert!(!sandbox.database().exists());
}

fn pointing() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let one = server(&sandbox).used_at(9).start();
    let two = server(&sandbox)
        .that(Behaviour::Elsewhere(one.instance()))
        .start();
    one.behaves(Behaviour::Elsewhere(two.instance()));
    hook(&agent, &sandbox).assert_ask(CLAUDE, EVENT);
    assert_eq!(times_asked(&[&one, &two]), [2, 1]);
    let log = sandbox.log_file();
    assert!(log.contains("could not be asked"), "{log}");
    assert!(log.contains("the mode is at most default"), "{log}");
    assert_eq!(sandbox.rows("decision").len(), 1);
}

fn not_there() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let first = server(&sandbox).used_at(9).start();
    // It would decide, but the session is not its own.
    let other = server(&sandbox).that(block_by("another")).start();
    let refusing = server_of(&sandbox, &sandbox.home).start();
    let deaf = server_of(&sandbox, &sandbox.home)
        .listening(Listening::Never)
        .start();
    let below = server_of(&sandbox, &sandbox.home)
        .that(block_by("the caller's"))
        .start_by(|words| drop(agent.begin(words, "")));
    let mut another_key = other.instance();
    another_key.key = "0".repeat(32);
    let mut another_run = other.instance();
    another_run.process.start += 1;
    for instance in [
        refusing.instance(),
        deaf.instance(),
        below.instance(),
        another_key,
        another_run,
    ] {
        first.behaves(Behaviour::Elsewhere(instance.clone()));
        let ran = hook(&agent, &sandbox);
        ran.assert_ask(CLAUDE, EVENT);
        assert_eq!(first.asked().len(), 1);
        let log = sandbox.log_file();
        let own = format!(
            "own server (process {}) could not be asked",
            instance.process.pid
        );
        assert!(log.contains(&own), "{log}");
    }
    assert_eq!(times_asked(&[&other, &refusing, &below]), [0, 1, 0]);
}
