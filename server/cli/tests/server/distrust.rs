//! Servers that a hook does not ask, and announcements that it does not
//! believe: those that a guarded call could have made.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use camino::Utf8Path;
use libtest_mimic::Trial;

use crate::sandbox::{AUTO, CLAUDE, Sandbox};
use crate::support::{Agent, Behaviour, StandIn};
use crate::{server, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_server_below_an_agent_is_not_asked", below_an_agent),
        trial(
            "a_server_that_the_caller_started_is_not_asked",
            below_the_caller,
        ),
        trial(
            "a_server_that_takes_its_process_from_another_is_not_asked",
            another_process,
        ),
        trial(
            "an_announcement_that_is_not_a_private_file_is_ignored",
            announcements,
        ),
        trial("a_folder_of_servers_that_is_not_private_is_ignored", folder),
        trial("the_folder_of_servers_is_no_variables_to_say", variables),
    ]
}

const EVENT: &str = "PreToolUse";

pub(crate) fn write_private(path: &Utf8Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// What would let everything through.
fn allows_all() -> Behaviour {
    Behaviour::Answer {
        exit: 0,
        stdout: "{}\n".to_owned(),
        stderr: "from the server".to_owned(),
    }
}

/// The hook decides by itself, and says in its log why.
#[track_caller]
fn assert_alone(agent: &Agent, sandbox: &Sandbox, because: &[&str]) {
    let denied = sandbox.shell(CLAUDE, EVENT, "uproot all");
    let ran = agent.hook(sandbox, CLAUDE, EVENT, &denied);
    let message = ran.assert_block(EVENT);
    assert!(message.contains("a permission rule"), "{message}");
    let edit = sandbox.edit(CLAUDE, EVENT, "src/lib.rs");
    let ran = agent.hook(sandbox, CLAUDE, EVENT, &edit);
    ran.assert_allow(CLAUDE, EVENT);
    let log = sandbox.log_file();
    for part in because {
        assert!(log.contains(part), "no `{part}` in {log}");
    }
}

fn below_an_agent() {
    for name in ["claude", "/usr/local/bin/codex"] {
        let sandbox = Sandbox::trusted(AUTO);
        let agent = Agent::start(&sandbox);
        let mut other: Option<Child> = None;
        let server = server(&sandbox).that(allows_all()).start_by(|words| {
            let mut command = Command::new("/bin/sh");
            // The last command of a script would replace the shell.
            command
                .arg0(name)
                .args(["-c", "\"$@\"; exit $?", "sh"])
                .args(words);
            other = Some(command.spawn().unwrap());
        });
        assert_alone(&agent, &sandbox, &["a server is not asked", "runs under c"]);
        assert_eq!(server.asked().len(), 0);
        drop(server);
        other.unwrap().wait().unwrap();
    }
}

fn below_the_caller() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox)
        .that(allows_all())
        .start_by(|words| drop(agent.begin(words, "")));
    let because = "belongs to the agent that made the call";
    assert_alone(&agent, &sandbox, &["a server is not asked", because]);
    assert_eq!(server.asked().len(), 0);
    // Another agent may: it is no server of its own.
    let other = Agent::start(&sandbox);
    let call = sandbox.shell(CLAUDE, EVENT, "uproot all");
    let ran = other.hook(&sandbox, CLAUDE, EVENT, &call);
    assert_eq!(ran.stderr, "from the server");
}

/// What the files of a server are called.
fn name(server: &StandIn, pid: u32, ending: &str) -> String {
    format!("{pid}-{}{ending}", &server.instance().key[..16])
}

fn another_process() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    // A server of the agent's, announced as another server's process.
    let own = server(&sandbox)
        .that(allows_all())
        .start_by(|words| drop(agent.begin(words, "")));
    let foreign = crate::server_of(&sandbox, &sandbox.home).start();
    let folder = sandbox.places().runtime_dir;
    let mut forged = own.announcement.clone();
    forged.instance.process = foreign.process();
    let pid = foreign.process().pid;
    let socket = name(&own, own.process().pid, ".sock");
    fs::rename(folder.join(socket), folder.join(name(&own, pid, ".sock"))).unwrap();
    write_private(
        &folder.join(name(&own, pid, ".server.json")),
        &serde_json::to_vec(&forged).unwrap(),
    );
    let call = sandbox.shell(CLAUDE, EVENT, "uproot all");
    let ran = agent.hook(&sandbox, CLAUDE, EVENT, &call);
    ran.assert_block(EVENT);
    let log = sandbox.log_file();
    let because = format!("listens there and not process {pid}");
    assert!(log.contains(&because), "{log}");
    assert!(log.contains("remove it"), "{log}");
    assert_eq!(own.asked().len(), 0);
}

fn announcements() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(allows_all()).start();
    let file =
        sandbox
            .places()
            .runtime_dir
            .join(name(&server, server.process().pid, ".server.json"));
    let bytes = fs::read(&file).unwrap();
    let elsewhere = sandbox.workspace.join("mine.json");
    write_private(&elsewhere, &bytes);

    fs::remove_file(&file).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert_alone(&agent, &sandbox, &["is ignored: it is a link"]);

    fs::remove_file(&file).unwrap();
    fs::hard_link(&elsewhere, &file).unwrap();
    assert_alone(&agent, &sandbox, &["it has not exactly one name"]);

    fs::remove_file(&file).unwrap();
    fs::write(&file, &bytes).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert_alone(&agent, &sandbox, &["is ignored: others have access"]);

    write_private(&file, &bytes[..bytes.len() / 2]);
    assert_alone(&agent, &sandbox, &["is ignored: it holds"]);

    write_private(&file, &vec![b' '; 1024 * 1024]);
    assert_alone(&agent, &sandbox, &["it is longer than"]);
    assert_eq!(server.asked().len(), 0);

    // The same as it should be.
    write_private(&file, &bytes);
    let call = sandbox.shell(CLAUDE, EVENT, "uproot all");
    let ran = agent.hook(&sandbox, CLAUDE, EVENT, &call);
    assert_eq!(ran.stderr, "from the server");
}

fn folder() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(allows_all()).start();
    let folder = sandbox.places().runtime_dir;
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert_alone(
        &agent,
        &sandbox,
        &["is not private to the user", "`chmod 700`"],
    );

    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let moved = sandbox.workspace.join("run");
    fs::rename(&folder, &moved).unwrap();
    symlink(&moved, &folder).unwrap();
    assert_alone(&agent, &sandbox, &["it is a link or no folder; remove it"]);
    assert_eq!(server.asked().len(), 0);
}

fn variables() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let rogue = Sandbox::new();
    let server = crate::server_of(&rogue, &sandbox.workspace)
        .that(allows_all())
        .start();
    let run = rogue.places().runtime_dir;
    let variables = [
        format!("HOME={}", rogue.home),
        format!("XDG_RUNTIME_DIR={run}"),
        format!("TMPDIR={run}"),
        format!("COUNTERSIGN_HOME={}", rogue.home),
    ];
    let mut words = vec!["/usr/bin/env"];
    words.extend(variables.iter().map(String::as_str));
    let hook = sandbox.hook_words(CLAUDE, EVENT);
    words.extend(hook);
    let call = sandbox.shell(CLAUDE, EVENT, "uproot all").to_string();
    agent.begin(&words, &call).ended().assert_block(EVENT);
    assert_eq!(server.asked().len(), 0);
}
