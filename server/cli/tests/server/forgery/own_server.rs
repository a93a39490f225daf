//! A server that the agent starts, or pretends to be, to answer itself.

use std::fs;
use std::os::unix::fs::chown;

use camino::Utf8PathBuf;
use countersign_ipc::discovery::Announcement;
use countersign_ipc::wire::{Reply, encode_reply};
use countersign_settings::TrustStore;
use libtest_mimic::Trial;
use rustix::fs::Mode;
use serde_json::{Value, json};

use super::{EVENT, PRUNE, is_trusted, shell};
use crate::sandbox::{AUTO, CLAUDE, Sandbox, With as _, until};
use crate::support::{Agent, Below, Desk, listens, own_program};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "a_server_below_an_agent_decides_shows_and_changes_nothing",
            refused,
        ),
        trial(
            "a_server_of_an_unknown_agent_is_not_asked_by_its_hooks",
            unknown_agent,
        ),
        trial(
            "a_server_that_got_away_from_its_agent_takes_no_session",
            got_away,
        ),
        trial(
            "a_server_that_got_away_from_its_agent_only_tightens",
            only_tightens,
        ),
        trial(
            "a_listener_in_the_servers_place_is_not_told_anything",
            listener,
        ),
        trial("a_pipe_in_the_announcements_place_holds_nobody_up", pipe),
        trial(
            "an_announcement_of_another_user_is_not_believed",
            other_user,
        ),
        trial("an_announcement_of_other_folders_is_put_right", rewritten),
    ]
}

/// A workspace inside of the sandbox's, with a longer path.
fn nested(sandbox: &Sandbox) -> Utf8PathBuf {
    let folder = sandbox.workspace.join("nested");
    fs::create_dir_all(folder.join(".git")).unwrap();
    folder
}

fn below(sandbox: &Sandbox, session: &str, command: &str) -> Value {
    shell(sandbox, command)
        .with("session_id", json!(session))
        .with("cwd", json!(nested(sandbox)))
}

fn refused() {
    let sandbox = Sandbox::new();
    sandbox.settings(r#"{ "permissions": { "ask": ["Bash(git push *)"] } }"#);
    let settings = fs::read(sandbox.places().user_file()).unwrap();
    let agent = Agent::start(&sandbox);
    let folder = nested(&sandbox);
    let program = own_program();
    let mut desk = Desk::started_by(&sandbox, &folder, |words| {
        let words = Below::Named("claude").words(&program, words);
        drop(agent.begin(&words, ""));
    });
    let status = desk.status();
    assert_eq!(status["health"], "error");
    let why = status["degraded"].to_string();
    assert!(why.contains("claude-code (process "), "{why}");
    assert!(why.contains("decides and shows nothing"), "{why}");
    desk.editor
        .expect_notification("window/showMessage", |shown| {
            shown["message"]
                .as_str()
                .unwrap()
                .contains("does not guard")
        });
    // It is nowhere to be found.
    assert_eq!(desk.announcement(), None);
    let call = below(&sandbox, "s", PRUNE);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
    // It takes no act of a person.
    let name = json!({ "agent": CLAUDE, "session": "s" });
    for (method, parameters) in [
        ("setMode", json!({ "mode": "plan" })),
        ("setMode", json!({ "mode": "auto", "acknowledged": true })),
        ("setMode", json!({ "mode": "yolo", "confirmed": true })),
        (
            "trust",
            json!({ "folder": sandbox.workspace, "trusted": true }),
        ),
        ("trust", json!({ "folder": folder, "trusted": true })),
        ("resetCounters", json!({ "session": name })),
        ("grant", json!({ "id": "any" })),
        (
            "consent",
            json!({ "folder": folder, "digest": "0".repeat(64), "what": "loosening" }),
        ),
        (
            "consent",
            json!({ "folder": folder, "digest": "0".repeat(64), "what": "removal" }),
        ),
    ] {
        let answered = desk
            .editor
            .try_request(&format!("countersign/{method}"), parameters);
        let error = answered.expect_err(method);
        assert!(
            error.message.contains("an agent starts"),
            "{method}: {error:?}"
        );
    }
    // It decides nothing for an agent that speaks to it directly either.
    desk.editor.notify(
        "countersign/toolCall",
        json!({
            "agent": "generic", "session": "s", "callId": "c", "cwd": folder,
            "tool": "run_shell_command", "input": { "command": "ls" },
        }),
    );
    let decision = desk
        .editor
        .expect_notification("countersign/decision", |_| true);
    assert_eq!(decision["decision"], "block", "{decision}");
    assert!(!is_trusted(&sandbox));
    let trust = TrustStore::new(&sandbox.places());
    assert!(!trust.is_trusted(&folder).unwrap());
    assert_eq!(fs::read(sandbox.places().user_file()).unwrap(), settings);
    let rows = sandbox.journal();
    assert!(rows.iter().all(|row| row["kind"] != "trust"), "{rows:?}");
}

/// A stand-in agent has a name that nobody knows.
fn unknown_agent() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let folder = nested(&sandbox);
    TrustStore::new(&sandbox.places()).trust(&folder).unwrap();
    let mut own = Desk::started_by(&sandbox, &folder, |words| drop(agent.begin(words, "")));
    own.wait_until_announced(&folder);
    own.set_mode("yolo", None);
    agent
        .hook(&sandbox, CLAUDE, EVENT, &below(&sandbox, "s", PRUNE))
        .assert_ask(CLAUDE, EVENT);
    let log = sandbox.log_file();
    assert!(
        log.contains("belongs to the agent that made the call"),
        "{log}"
    );
    assert_eq!(own.pending(), 0);
    // With a person's server beside it, that one is asked.
    let mut desk = Desk::open(&sandbox);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &below(&sandbox, "t", PRUNE));
    let approval = desk.approval();
    assert_eq!(own.pending(), 0);
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

/// A server that the agent started and left, so that nothing is above it.
fn away(sandbox: &Sandbox, agent: &Agent, folder: &camino::Utf8Path) -> Desk {
    let server = Desk::started_by(sandbox, folder, |words| {
        let script = "\"$@\" </dev/null >/dev/null 2>&1 &";
        let leaving = [&["/usr/bin/setsid", "/bin/sh", "-c", script, "sh"], words].concat();
        agent.begin(&leaving, "").ended();
    });
    server.wait_until_announced(folder);
    server
}

fn got_away() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let folder = nested(&sandbox);
    TrustStore::new(&sandbox.places()).trust(&folder).unwrap();
    let mut desk = Desk::open(&sandbox);
    agent
        .hook(
            &sandbox,
            CLAUDE,
            EVENT,
            &below(&sandbox, "begun", "cargo test vines"),
        )
        .assert_allow(CLAUDE, EVENT);
    desk.set_mode("default", Some((CLAUDE, "begun")));
    let mut own = away(&sandbox, &agent, &folder);
    own.set_mode("yolo", None);
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &below(&sandbox, "begun", PRUNE));
    let approval = desk.approval();
    assert_eq!(approval["mode"], "default");
    assert_eq!(own.pending(), 0);
    let foreign = own.answer(&approval, json!({ "choice": "approve" }));
    assert!(foreign.is_err(), "{foreign:?}");
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

fn only_tightens() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let folder = nested(&sandbox);
    TrustStore::new(&sandbox.places()).trust(&folder).unwrap();
    let mut desk = Desk::open(&sandbox);
    desk.set_mode("plan", None);
    until("the mode is announced", || {
        let roots = desk.announcement().unwrap().roots;
        roots[0].mode.to_string() == "plan"
    });
    let mut own = away(&sandbox, &agent, &folder);
    own.set_mode("yolo", None);
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &below(&sandbox, "new", PRUNE))
        .assert_block(EVENT);
    assert!(message.contains("plan"), "{message}");
}

fn listener() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    let allow = encode_reply(&Reply::Answer {
        exit: 0,
        stdout: String::new(),
        stderr: "from the listener".to_owned(),
    })
    .unwrap();
    // The server cannot put it right as long as it does not run.
    desk.stop();
    fs::remove_file(&socket).unwrap();
    listens(&agent, &socket, &allow);
    let edit = sandbox.edit(CLAUDE, EVENT, "src/lib.rs");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &edit)
        .assert_ask(CLAUDE, EVENT);
    let log = sandbox.log_file();
    let because = format!("listens there and not process {}", desk.process().pid);
    assert!(log.contains(&because), "{log}");
    assert!(log.contains("the mode is at most default"), "{log}");
    desk.go_on();
    let call = shell(&sandbox, PRUNE).with("session_id", json!("later"));
    until("the server takes its place again", || {
        desk.announcement()
            .is_some_and(|announced| countersign_listens(&desk, &announced))
    });
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    let approval = desk.approval();
    desk.approve(&approval);
    running.ended().assert_allow(CLAUDE, EVENT);
}

/// Whether it is the server that is at the socket's other end.
fn countersign_listens(desk: &Desk, announced: &Announcement) -> bool {
    std::os::unix::net::UnixStream::connect(desk.file_of(announced, ".sock"))
        .ok()
        .and_then(|stream| countersign_ipc::peer::peer_of(stream).ok())
        .is_some_and(|peer| peer.pid == desk.process().pid)
}

/// A server that a hook would ask, and does not: it decides by itself.
#[track_caller]
fn assert_alone(sandbox: &Sandbox, agent: &Agent, desk: &mut Desk, because: &str) {
    let session = because.replace(' ', "-");
    let call = shell(sandbox, PRUNE).with("session_id", json!(session));
    agent
        .hook(sandbox, CLAUDE, EVENT, &call)
        .assert_ask(CLAUDE, EVENT);
    let log = sandbox.log_file();
    assert!(log.contains(because), "no `{because}` in {log}");
    desk.go_on();
    assert_eq!(desk.pending(), 0);
    until("the announcement is put right", || {
        desk.announcement().is_some()
    });
    let running = agent.begin_hook(sandbox, CLAUDE, EVENT, &call);
    let approval = desk.approval();
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

fn pipe() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let file = desk.file(".server.json");
    desk.stop();
    fs::remove_file(&file).unwrap();
    let kind = rustix::fs::FileType::Fifo;
    let private = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, file.as_std_path(), kind, private, 0).unwrap();
    assert_alone(&sandbox, &agent, &mut desk, "it is no plain file");
}

fn other_user() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let file = desk.file(".server.json");
    desk.stop();
    if rustix::process::geteuid().is_root() {
        chown(&file, Some(65_534), None).unwrap();
        assert_alone(&sandbox, &agent, &mut desk, "it belongs to another user");
    } else {
        // Nobody else can give a file away; that others may write it is the same.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        fs::set_permissions(&file, open).unwrap();
        assert_alone(&sandbox, &agent, &mut desk, "others have access");
    }
}

/// Whoever runs as the user can say other folders for a server; not for long.
fn rewritten() {
    let sandbox = Sandbox::trusted(AUTO);
    let desk = Desk::open(&sandbox);
    let mut forged = desk.announcement().unwrap();
    forged.roots.clear();
    let bytes = serde_json::to_vec(&forged).unwrap();
    crate::distrust::write_private(&desk.file(".server.json"), &bytes);
    desk.wait_until_announced(&sandbox.workspace);
}
