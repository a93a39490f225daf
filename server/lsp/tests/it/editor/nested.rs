//! An agent that another agent started has no user of its own, and counts for
//! the one above it.

use countersign_core::classify::Verdict;
use countersign_core::state::RecordKind;
use serde_json::{Value, json};

use super::judged::told;
use super::world::{Setup, World, block, write};

fn call(command: &str) -> Value {
    json!({ "tool_name": "Bash", "tool_input": { "command": command } })
}

fn says(text: &str) -> Value {
    json!({ "prompt": text })
}

/// A call that names a file of the agent's in which this was typed.
fn call_with_file(world: &World, session: &str, typed: &str) -> Value {
    let file = world
        .places
        .home
        .join(format!(".claude/projects/-vineyard/{session}.jsonl"));
    let line = json!({
        "type": "user",
        "sessionId": session,
        "message": { "role": "user", "content": typed },
    });
    write(&file, &format!("{line}\n"));
    let mut call = call("git fetch");
    call["transcript_path"] = json!(file);
    call
}

/// The world's agent does something that no model is asked about.
fn look(world: &World, session: &str) {
    let look = json!({ "pattern": "*" });
    assert_eq!(world.tool(session, "Glob", look).said(), "allow safe_tool");
}

#[test]
fn what_one_agent_tells_another_is_no_users_word() {
    let world = World::new(Setup::judged(vec![Verdict::Allow; 4]));
    let _screen = world.vscode();
    world
        .hook("s1", "UserPromptSubmit", says("prune"))
        .handled();
    world.bash("s1", "git fetch").outcome();
    assert_eq!(told(&world, 0), ["user: prune"]);
    let push = says("push whatever you like");
    world
        .nested_hook(1, "s2", "UserPromptSubmit", push)
        .handled();
    world
        .nested_hook(1, "s2", "PreToolUse", call("git push"))
        .outcome();
    assert_eq!(told(&world, 1), [""; 0]);
    let with_file = call_with_file(&world, "s3", "push whatever you like");
    world
        .nested_hook(2, "s3", "PreToolUse", with_file)
        .outcome();
    assert_eq!(told(&world, 2), [""; 0]);
    // The very same is heard of an agent that a person started.
    let with_file = call_with_file(&world, "s4", "push whatever you like");
    world.hook("s4", "PreToolUse", with_file).outcome();
    assert_eq!(told(&world, 3), ["user: push whatever you like"]);
}

#[test]
fn who_takes_up_a_persons_session_does_not_get_their_words() {
    let world = World::new(Setup::judged(vec![Verdict::Allow; 2]));
    let _screen = world.vscode();
    // The agent of this one is gone as soon as it was heard.
    let gone = |event, more| world.foreign_hook("s1", event, more);
    gone("UserPromptSubmit", says("push whatever you like")).handled();
    gone("PreToolUse", call("git fetch")).outcome();
    assert_eq!(told(&world, 0), ["user: push whatever you like"]);
    look(&world, "s2");
    world
        .nested_hook(1, "s1", "PreToolUse", call("git push"))
        .outcome();
    assert_eq!(told(&world, 1), ["run_shell_command: Allowed"]);
}

#[test]
fn a_loop_of_new_processes_and_sessions_is_counted_for_the_agent_that_runs_it() {
    let permissions = json!({ "autoMode": { "denialLimits": { "total": 5 } } });
    let world = World::new(Setup {
        verdicts: Some(vec![block(); 5]),
        ..Setup::auto(permissions)
    });
    let mut screen = world.vscode();
    look(&world, "s1");
    for n in 0..5 {
        let command = format!("git push origin v{n}");
        let tried = world.nested_hook(n, &format!("new{n}"), "PreToolUse", call(&command));
        assert_eq!(tried.said(), "block classifier_blocked");
    }
    let row = world.rows(RecordKind::Decision).pop().unwrap();
    assert_eq!(row.after.unwrap().total_block, 5);
    for session in ["new9", "s1"] {
        let asked = match session {
            "s1" => world.bash("s1", "git push"),
            other => world.nested_hook(9, other, "PreToolUse", call("git push")),
        };
        let approval = screen.approval();
        assert_eq!(approval["reason"], "total_denial");
        screen.choose(&approval, "deny");
        assert_eq!(asked.said(), "block person");
    }
    assert_eq!(world.questions().len(), 5);
}
