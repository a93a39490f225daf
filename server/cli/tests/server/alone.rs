//! Without a server that decides, the hook decides alone: as always where there
//! is none, and at most in default mode where there is one that should have.

use countersign_core::mode::ApprovalMode;
use countersign_core::state::{ProcessId, StateStore as _};
use countersign_ipc::peer::process_of;
use countersign_store::Store;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sandbox::{AUTO, CLAUDE, Ran, Sandbox, With as _};
use crate::support::{Agent, Listening};
use crate::{block_by, server, server_of, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("where_there_never_was_a_server_the_hook_decides", nobody),
        trial("what_a_dead_server_left_is_passed_over", leftovers),
        trial("a_server_that_cannot_be_reached_leaves_default_mode", deaf),
        trial("a_full_server_holds_no_hook_up", full),
        trial(
            "a_server_of_another_folder_that_is_deaf_changes_nothing",
            deaf_elsewhere,
        ),
        trial("a_server_that_refuses_leaves_its_mode", refuses),
        trial(
            "a_session_of_a_server_that_is_not_found_is_in_default_mode",
            pinned,
        ),
        trial(
            "an_event_of_such_a_session_is_noted_all_the_same",
            pinned_event,
        ),
        trial("a_server_of_another_version_is_not_asked", another_version),
        trial("what_nobody_can_read_is_blocked_without_asking", unreadable),
    ]
}

const EVENT: &str = "PreToolUse";

/// Allowed in auto mode, asked about in default mode.
fn edit(sandbox: &Sandbox) -> Value {
    sandbox.edit(CLAUDE, EVENT, "src/lib.rs")
}

fn decided(agent: &Agent, sandbox: &Sandbox) -> Ran {
    agent.hook(sandbox, CLAUDE, EVENT, &edit(sandbox))
}

fn nobody() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    // Neither is an empty folder of servers worth a word.
    let folder = sandbox.places().runtime_dir;
    assert!(!folder.exists());
    drop(server(&sandbox).start());
    assert!(folder.exists());
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    assert_eq!(sandbox.rows("decision").len(), 2);
    assert_eq!(sandbox.log_file(), "");
}

/// The process, after it ended.
fn ended_process() -> ProcessId {
    let mut child = std::process::Command::new("/bin/cat")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let process = process_of(child.id()).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    process
}

/// Puts down what a server would have, had it been this process.
fn announced_by(sandbox: &Sandbox, process: &ProcessId) -> String {
    let mut announcement = server(sandbox).start().announcement.clone();
    announcement.instance.process = process.clone();
    let instance = &announcement.instance;
    let name = format!("{}-{}.server.json", process.pid, &instance.key[..16]);
    let bytes = serde_json::to_vec(&announcement).unwrap();
    crate::distrust::write_private(&sandbox.places().runtime_dir.join(&name), &bytes);
    name
}

fn leftovers() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let name = announced_by(&sandbox, &ended_process());
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    let log = sandbox.log_file();
    assert!(log.contains(&name), "{log}");
    assert!(log.contains("its process does not run any more"), "{log}");
}

fn deaf() {
    for listening in [Listening::Never, Listening::NoLonger] {
        let sandbox = Sandbox::trusted(AUTO);
        let agent = Agent::start(&sandbox);
        let server = server(&sandbox).listening(listening).start();
        decided(&agent, &sandbox).assert_ask(CLAUDE, EVENT);
        let log = sandbox.log_file();
        let pid = server.process().pid;
        assert!(
            log.contains(&format!("the server of process {pid} is not asked")),
            "{log}"
        );
        assert!(
            log.contains("the mode is at most default; restart"),
            "{log}"
        );
        // Rules hold as ever.
        let call = sandbox.shell(CLAUDE, EVENT, "cargo test vines");
        let ran = agent.hook(&sandbox, CLAUDE, EVENT, &call);
        ran.assert_allow(CLAUDE, EVENT);
        // It is gone, and with it what a person may have chosen there.
        drop(server);
        decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    }
}

fn full() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let _server = server(&sandbox).listening(Listening::Full).start();
    // Well within the three seconds that it has: it was not waited for.
    let mut words = sandbox.hook_words(CLAUDE, EVENT);
    *words.iter_mut().find(|word| **word == "60").unwrap() = "5";
    let ran = agent.begin(&words, &edit(&sandbox).to_string()).ended();
    ran.assert_ask(CLAUDE, EVENT);
    let log = sandbox.log_file();
    assert!(log.contains("the server takes no connections"), "{log}");
}

fn deaf_elsewhere() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let _server = server_of(&sandbox, &sandbox.workspace.join("src"))
        .listening(Listening::Never)
        .start();
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
}

fn refuses() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let auto = server(&sandbox).start();
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    assert_eq!(auto.asked().len(), 1);
    // What it says is one line of the log.
    let log = sandbox.log_file();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("has no opinion"), "{log}");

    let _default = server(&sandbox)
        .with_root(&sandbox.workspace, ApprovalMode::Default)
        .start();
    decided(&agent, &sandbox).assert_ask(CLAUDE, EVENT);
    assert_eq!(auto.asked().len(), 1);
}

/// Writes down that the session belongs to a server of this process.
fn pin(sandbox: &Sandbox, payload: &Value, process: &ProcessId) {
    let bytes = payload.to_string().into_bytes();
    let event = countersign_agents::decode(CLAUDE.parse().unwrap(), EVENT, &bytes).unwrap();
    let store = Store::open(&sandbox.state_dir()).unwrap();
    store
        .transition(&mut |transaction| {
            let mut session = transaction.session(&event.key)?.unwrap();
            session.server = Some("0".repeat(32));
            session.server_process = Some(process.clone());
            transaction.put_session(&session)
        })
        .unwrap();
}

fn pinned() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    // It runs, but nothing of it is found; or it has been asked, and refused.
    let elsewhere = server_of(&sandbox, &sandbox.home).start();
    for process in [agent.process(), elsewhere.process()] {
        pin(&sandbox, &edit(&sandbox), &process);
        decided(&agent, &sandbox).assert_ask(CLAUDE, EVENT);
        let log = sandbox.log_file();
        assert!(
            log.contains(&format!(
                "(process {}) runs and was not reached",
                process.pid
            )),
            "{log}"
        );
    }
    pin(&sandbox, &edit(&sandbox), &ended_process());
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    // Another session is nobody's.
    pin(&sandbox, &edit(&sandbox), &agent.process());
    let other = edit(&sandbox).with("session_id", json!("another"));
    let ran = agent.hook(&sandbox, CLAUDE, EVENT, &other);
    ran.assert_allow(CLAUDE, EVENT);
}

fn pinned_event() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let call = sandbox.shell(CLAUDE, EVENT, "trellis build");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
    pin(&sandbox, &call, &agent.process());
    let result = sandbox.shell(CLAUDE, "PostToolUse", "trellis build");
    let ran = agent.hook(&sandbox, CLAUDE, "PostToolUse", &result);
    ran.assert_neutral();
    assert_eq!(sandbox.rows("answer")[0]["reason"], "proceed_once");
}

fn another_version() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).speaking(2).that(block_by("it")).start();
    decided(&agent, &sandbox).assert_allow(CLAUDE, EVENT);
    assert_eq!(server.asked().len(), 0);
    let log = sandbox.log_file();
    assert!(log.contains("speaks protocol 2 and not 1"), "{log}");
    assert!(log.contains("use one version of countersign"), "{log}");
}

fn unreadable() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(block_by("it")).start();
    let words = sandbox.hook_words(CLAUDE, EVENT);
    let payload = edit(&sandbox).without("tool_name").to_string();
    let ran = agent.begin(&words, &payload).ended();
    let message = ran.assert_block(EVENT);
    assert!(message.contains("tool_name"), "{message}");
    assert_eq!(server.asked().len(), 0);
    assert_eq!(sandbox.journal().len(), 1);
}
