//! Sparing the person: what was rejected is not asked again before they
//! speak, and who rejects three times in a row is left alone.

use serde_json::{Value, json};

use super::hook::{Hook, Outcome};
use super::screen::{Screen, answer};
use super::world::{Setup, World, eventually};

fn denied(screen: &mut Screen, hook: Hook) -> Outcome {
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    hook.outcome()
}

fn approved(screen: &mut Screen, hook: Hook) -> Outcome {
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    hook.outcome()
}

#[track_caller]
fn not_asked(hook: Hook, because: &str) {
    let outcome = hook.outcome();
    assert_eq!(outcome.said(), "block person");
    assert!(outcome.detail.contains(because), "{outcome:?}");
}

#[test]
fn what_was_rejected_is_denied_without_asking_until_the_person_speaks() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    denied(&mut screen, world.bash("s1", "git push"));
    not_asked(world.bash("s1", "git push"), "rejected a moment ago");
    // The same effect in other clothes.
    not_asked(world.bash("s1", "git   'push'"), "rejected a moment ago");
    assert!(world.service.pending().is_empty());
    // Another session and another command are asked.
    assert_eq!(
        approved(&mut screen, world.bash("s2", "git push")).said(),
        "allow approval"
    );
    assert_eq!(
        approved(&mut screen, world.bash("s1", "git fetch")).said(),
        "allow approval"
    );
    world.user_message("s1");
    let hook = world.bash("s1", "git push");
    assert_eq!(approved(&mut screen, hook).said(), "allow approval");
}

#[test]
fn closing_a_prompt_rejects_too() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "dismiss");
    assert_eq!(hook.said(), "block person");
    not_asked(world.bash("s1", "git push"), "rejected a moment ago");
}

/// Three rejections in a row.
fn pause(world: &World, screen: &mut Screen, session: &str) {
    for command in ["git push", "git fetch", "git pull"] {
        denied(screen, world.bash(session, command));
    }
    not_asked(world.bash(session, "git gc"), "asking is paused");
    let status = world.status(screen);
    let paused = status["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["session"] == session);
    assert_eq!(paused.unwrap()["paused"], true);
}

#[test]
fn three_rejections_in_a_row_pause_a_session_until_the_next_message_of_the_user() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    pause(&world, &mut screen, "s1");
    assert_eq!(
        approved(&mut screen, world.bash("s2", "git gc")).said(),
        "allow approval"
    );
    world.user_message("s1");
    assert_eq!(
        approved(&mut screen, world.bash("s1", "git gc")).said(),
        "allow approval"
    );
}

#[test]
fn three_rejections_in_a_row_pause_a_session_until_its_counters_are_reset() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    pause(&world, &mut screen, "s1");
    let session = json!({ "agent": "claude-code", "session": "s1" });
    screen.request("countersign/resetCounters", json!({ "session": session }));
    assert_eq!(world.status(&mut screen)["sessions"][0]["paused"], false);
    assert_eq!(
        approved(&mut screen, world.bash("s1", "git gc")).said(),
        "allow approval"
    );
    not_asked(world.bash("s1", "git push"), "rejected a moment ago");
}

#[test]
fn three_rejections_in_a_row_pause_a_session_until_its_mode_is_set() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    pause(&world, &mut screen, "s1");
    let session = json!({ "agent": "claude-code", "session": "s1" });
    let mode = json!({ "mode": "default", "session": session });
    let set = screen.request("countersign/setMode", mode);
    assert_eq!(set["result"], "done");
    assert_eq!(
        approved(&mut screen, world.bash("s1", "git gc")).said(),
        "allow approval"
    );
}

#[test]
fn timeouts_count_towards_the_pause_and_an_approval_in_between_starts_anew() {
    use std::time::Duration;
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let ignored = |screen: &mut Screen, command: &str| {
        let hook = world.bash_within(Duration::from_millis(100), "s1", command);
        let approval = screen.approval();
        assert_eq!(screen.resolved(&approval), "timeout");
        assert_eq!(hook.said(), "block timeout");
    };
    ignored(&mut screen, "git push");
    ignored(&mut screen, "git fetch");
    assert_eq!(
        approved(&mut screen, world.bash("s1", "git gc")).said(),
        "allow approval"
    );
    ignored(&mut screen, "git push");
    ignored(&mut screen, "git push");
    ignored(&mut screen, "git push");
    not_asked(world.bash("s1", "git pull"), "asking is paused");
}

#[test]
fn an_agent_that_gives_up_does_not_count_as_a_rejection() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for _ in 0..4 {
        let mut hook = world.bash("s1", "git push");
        let approval = screen.approval();
        hook.gives_up();
        assert_eq!(screen.resolved(&approval), "aborted");
        hook.outcome();
    }
    assert_eq!(
        approved(&mut screen, world.bash("s1", "git push")).said(),
        "allow approval"
    );
}

#[test]
fn a_prompt_says_how_often_the_same_was_asked_before() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for times in 0..3 {
        let hook = world.bash("s1", "git push");
        let approval = screen.approval();
        assert_eq!(approval["askedBefore"], times);
        screen.choose(&approval, "deny");
        assert_eq!(hook.said(), "block person");
        world.user_message("s1");
    }
}

#[test]
fn a_sub_agent_does_not_ask_again_what_was_rejected_to_its_root() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    denied(&mut screen, world.bash("s1", "git push"));
    let of_sub_agent = world.hook(
        "s1",
        "PreToolUse",
        json!({
            "tool_name": "Bash",
            "tool_input": { "command": "git push" },
            "agent_id": "helper-1",
        }),
    );
    not_asked(of_sub_agent, "rejected a moment ago");
}

#[test]
fn a_ninth_approval_of_one_session_is_denied_and_frees_up_when_one_is_answered() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let open: Vec<(Hook, Value)> = (0..8)
        .map(|n| {
            let hook = world.bash("s1", &format!("git push origin vine-{n}"));
            (hook, screen.approval())
        })
        .collect();
    not_asked(
        world.bash("s1", "git push origin ninth"),
        "too many approvals",
    );
    let other = world.bash("s2", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(other.said(), "block person");
    let mut open = open.into_iter();
    let (hook, approval) = open.next().unwrap();
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    let ninth = world.bash("s1", "git push origin ninth");
    let approval = screen.approval();
    assert_eq!(
        approval["askedBefore"], 0,
        "nobody was asked the first time"
    );
    screen.choose(&approval, "approve");
    assert_eq!(ninth.said(), "allow approval");
    for (hook, approval) in open {
        screen.choose(&approval, "deny");
        assert_eq!(hook.said(), "block person");
    }
}

#[test]
fn a_thirty_third_approval_of_a_server_is_denied() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut hooks = Vec::new();
    for session in 0..4 {
        for n in 0..8 {
            hooks.push(world.bash(&format!("s{session}"), &format!("git push origin v{n}")));
        }
    }
    eventually("32 approvals", || world.service.pending().len() == 32);
    not_asked(world.bash("s4", "git push"), "too many approvals");
    for _ in 0..32 {
        let approval = screen.approval();
        screen.request("countersign/resolveApproval", answer(&approval, "deny"));
        assert_eq!(screen.resolved(&approval), "cancel");
    }
    for hook in hooks {
        assert_eq!(hook.said(), "block person");
    }
}
