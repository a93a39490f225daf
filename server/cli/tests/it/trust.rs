//! `countersign trust` under an agent. What it does for a person is tested in
//! the settings crate: a test cannot be one.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use countersign_settings::TrustStore;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{AUTO, Ran, Sandbox, feed, finish, through};

/// The command as a child of a shell that is taken for the agent.
fn below(agent: &str, sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let words = [
        &[
            crate::support::PROGRAM,
            "--home",
            sandbox.home.as_str(),
            "trust",
        ],
        arguments,
    ]
    .concat();
    let mut command = through(&["/bin/sh", "-c", "\"$@\"; exit $?", "sh"], &words);
    command.arg0(agent).current_dir(&sandbox.workspace);
    command
}

fn is_trusted(sandbox: &Sandbox) -> bool {
    TrustStore::new(&sandbox.places())
        .is_trusted(&sandbox.workspace)
        .unwrap()
}

#[track_caller]
fn assert_refused(ran: &Ran, agent: &str) {
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("trust is for a person"), "{ran:?}");
    assert!(ran.stderr.contains(agent), "{ran:?}");
    assert!(ran.stderr.contains("in a terminal of your own"), "{ran:?}");
}

#[test]
fn trust_refuses_under_every_agent() {
    for (program, agent) in [
        ("claude", "claude-code"),
        ("qwen", "qwen"),
        ("/opt/bin/codex", "codex"),
        ("gemini", "gemini"),
        ("opencode", "opencode"),
        ("cursor-agent", "cursor"),
        ("aider", "aider"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.settings(AUTO);
        assert_refused(
            &feed(&mut below(program, &sandbox, &[]), b"yes\nyes\nyes\n"),
            agent,
        );
        assert!(!is_trusted(&sandbox));
        assert!(!sandbox.state_dir().exists(), "nothing was written");
    }
}

#[test]
fn taking_trust_back_is_for_a_person_too() {
    let sandbox = Sandbox::trusted(AUTO);
    assert_refused(
        &feed(&mut below("claude", &sandbox, &["--revoke"]), b"yes\n"),
        "claude-code",
    );
    assert!(is_trusted(&sandbox));
}

#[test]
fn looking_is_free() {
    let sandbox = Sandbox::new();
    let ran = feed(&mut below("claude", &sandbox, &["--show"]), b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("not trusted"), "{ran:?}");
    sandbox.trust();
    let ran = feed(&mut below("claude", &sandbox, &["--show"]), b"");
    assert!(ran.stdout.ends_with(": trusted\n"), "{ran:?}");
}

#[test]
fn a_terminal_that_the_agent_opened_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.settings(AUTO);
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut typing = File::from(controller);
    typing.write_all(b"yes\nyes\nyes\n").unwrap();
    let child = below("claude", &sandbox, &[])
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_refused(&finish(child), "claude-code");
    assert!(!is_trusted(&sandbox));
}

#[test]
fn a_folder_that_is_no_workspace_is_not_trusted() {
    let sandbox = Sandbox::new();
    let ran = feed(&mut below("claude", &sandbox, &["/"]), b"yes\n");
    ran.assert_failure(1, &["is no workspace"]);
}
