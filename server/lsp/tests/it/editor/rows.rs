//! Rows of the state that somebody else wrote, while a person is asked and
//! after they answered: what was shown and what a verdict was about is the
//! server's own memory, and only what is the same as that counts.

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{
    CallEvent, CallState, ProcessId, Record, RecordKind, SessionState, StateStore as _,
};
use countersign_store::Store;
use serde_json::{Value, json};

use super::screen::{CHANGED, answer};
use super::world::{Setup, World, eventually};

/// What another program of the user does to the rows of session `s1`.
fn rewrite(
    world: &World,
    mut session: impl FnMut(&mut SessionState),
    mut call: impl FnMut(&mut CallState),
) {
    let key = key("s1");
    let store = Store::open(&world.places.state_dir).unwrap();
    store
        .transition(&mut |transaction| {
            if let Some(mut state) = transaction.session(&key)? {
                session(&mut state);
                transaction.put_session(&state)?;
            }
            for mut state in transaction.open_calls(&key)? {
                call(&mut state);
                transaction.put_call(&state)?;
            }
            Ok(())
        })
        .unwrap();
}

/// A session of Claude Code.
fn key(name: &str) -> SessionKey {
    SessionKey {
        agent: Agent::ClaudeCode,
        session: name.to_owned(),
        subagent: None,
    }
}

/// A hook that decides alone allows a call of another session in the workspace.
fn decided_alone(world: &World, name: &str, call: usize) {
    let store = Store::open(&world.places.state_dir).unwrap();
    let row = Record {
        key: Some(key(name)),
        call: Some(format!("{name}-{call}")),
        workspace: Some(world.workspace.clone()),
        decision: Some("allow".to_owned()),
        reason: Some("static".to_owned()),
        ..Record::of(RecordKind::Decision, world.service.now())
    };
    store
        .transition(&mut |transaction| transaction.append(&row))
        .unwrap();
}

fn calls(world: &World, call: impl FnMut(&mut CallState)) {
    rewrite(world, |_| {}, call);
}

#[test]
fn a_verdict_stands_for_the_call_that_it_was_about_and_for_no_other() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let first = world.bash("s1", "git fetch");
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(first.said(), "allow approval");

    // The row of the approved call now says that it was about another one.
    let other = world.tool("s1", "Bash", json!({ "command": "git push" }));
    let shown = screen.approval();
    let mut others = None;
    calls(&world, |call| {
        if call.id == shown["id"] {
            others = Some((call.digest, call.approval));
        }
    });
    screen.choose(&shown, "deny");
    assert_eq!(other.said(), "block person");
    let (digest, bound) = others.unwrap();
    world.user_message("s1");
    calls(&world, |call| {
        call.digest = digest;
        call.approval = bound;
        call.agent_call = None;
        call.events = vec![CallEvent::PermissionRequest];
    });
    let again = world.bash("s1", "git push");
    let asked = screen.approval();
    assert_ne!(asked["id"], approval["id"], "it is a call of its own");
    screen.choose(&asked, "deny");
    assert_eq!(again.said(), "block person");
}

#[test]
fn a_row_cannot_make_what_was_swapped_what_was_shown() {
    let world = World::new(Setup::default());
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let hook = world.bash("s1", "./deploy.sh");
    let first = screen.approval();
    std::fs::write(&script, "echo two\n").unwrap();
    // Exactly what the swapped file would be bound to.
    let beside = world.bash("s1", "./deploy.sh");
    let second = screen.approval();
    let mut bound = None;
    calls(&world, |call| {
        if call.id == second["id"] {
            bound = call.approval;
        }
    });
    assert!(bound.is_some());
    calls(&world, |call| call.approval = bound);
    assert_eq!(screen.resolve(&answer(&first, "approve")), Err(CHANGED));
    assert_eq!(screen.resolved(&first), "void");
    let third = screen.approval();
    screen.choose(&third, "deny");
    assert_eq!(hook.said(), "block person");
    screen.choose(&second, "deny");
    assert_eq!(beside.said(), "block person");
}

#[test]
fn a_session_that_is_decided_here_cannot_be_moved_away() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git fetch");
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    let mode: Value = screen.0.request(
        "countersign/setMode",
        json!({ "mode": "plan", "session": { "agent": "claude-code", "session": "s1" } }),
    );
    assert_eq!(mode["result"], "done");
    rewrite(
        &world,
        |session| {
            session.server = Some("0".repeat(32));
            session.server_process = Some(ProcessId {
                pid: 1,
                start: 0,
                boot: countersign_ipc::boot_id().unwrap_or_default(),
            });
            session.chosen = Some(ApprovalMode::Yolo);
        },
        |_| {},
    );
    assert_eq!(world.bash("s1", "git push").said(), "block plan_mode");
}

#[test]
fn an_approval_holds_what_redirects_read_and_where_the_folder_is() {
    let world = World::new(Setup::default());
    let input = world.file("input.sql", "select 1;\n");
    let mut screen = world.vscode();
    let hook = world.bash("s1", "frobnicate < input.sql");
    let first = screen.approval();
    std::fs::write(input, "drop table wine;\n").unwrap();
    assert_eq!(screen.resolve(&answer(&first, "approve")), Err(CHANGED));
    assert_eq!(screen.resolved(&first), "void");
    let second = screen.approval();
    screen.choose(&second, "approve");
    assert_eq!(hook.said(), "allow approval");
}

#[test]
fn a_yes_at_the_first_event_holds_at_the_second_only_for_the_same_files() {
    let world = World::new(Setup::default());
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let request = |event| {
        world.hook(
            "s1",
            event,
            json!({ "tool_name": "Bash", "tool_input": { "command": "./deploy.sh" } }),
        )
    };
    let first = request("PermissionRequest");
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(first.said(), "allow approval");
    std::fs::write(script, "echo two\n").unwrap();
    let second = request("PreToolUse");
    let asked = screen.approval();
    screen.choose(&asked, "deny");
    assert_eq!(second.said(), "block person");
}

#[test]
fn rows_of_others_are_shown_and_own_ones_are_not_told_twice() {
    let world = World::new(Setup::default());
    let _screen = world.vscode();
    world.follow();
    let is_shown = |name: &str| {
        let sessions = world.service.sessions();
        sessions.iter().any(|view| view.key.session == name)
    };
    // What was before the server looked for the first time is not shown.
    let mut call = 0;
    eventually("the first session of others", || {
        decided_alone(&world, "s2", call);
        call += 1;
        is_shown("s2")
    });
    // More than a session's story holds.
    for number in 0..120 {
        let command = format!("echo {number}");
        assert_eq!(world.bash("s1", &command).said(), "allow static");
    }
    decided_alone(&world, "s3", 0);
    eventually("the second session of others", || is_shown("s3"));
    let story = world.service.story(&key("s1"));
    assert_eq!(story.len(), 100);
    let told: Vec<&str> = story.iter().map(|call| call.subject.as_str()).collect();
    let own: Vec<String> = (20..120).map(|number| format!("echo {number}")).collect();
    assert_eq!(told, own);
    assert!(story.iter().all(|call| !call.elsewhere));
}
