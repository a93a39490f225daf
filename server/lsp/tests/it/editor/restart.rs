//! A server that ends and comes back: what counts against the agent is kept,
//! and nothing that a person loosened.

use countersign_core::state::RecordKind;
use serde_json::{Value, json};

use super::screen::{NOT_FOUND, Screen, answer};
use super::world::{Setup, World, block};

fn blocking() -> Setup {
    Setup::judged(Vec::new())
}

/// A call is asked about and denied; for what.
fn asked(world: &World, screen: &mut Screen, command: &str) -> Value {
    let hook = world.bash("s1", command);
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
    approval
}

#[test]
fn an_armed_cap_is_armed_after_a_restart() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let screen = world.vscode();
    for n in 0..3 {
        let outcome = world.bash("s1", &format!("git push origin v{n}")).outcome();
        assert_eq!(outcome.said(), "block classifier_blocked");
    }
    drop(screen);
    let world = world.restarted(blocking());
    let mut screen = world.vscode();
    let approval = asked(&world, &mut screen, "git fetch");
    assert_eq!(approval["reason"], "consecutive_block");
    assert_eq!(approval["counters"]["totalBlock"], 3);
}

#[test]
fn a_grant_ends_with_the_server_that_gave_it() {
    let world = World::new(blocking());
    let mut screen = world.vscode();
    let denial = world.bash("s1", "git push").outcome();
    screen.request("countersign/grant", json!({ "id": denial.id }));
    drop(screen);
    let world = world.restarted(blocking());
    let mut screen = world.vscode();
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_blocked"
    );
    let late = screen.try_request("countersign/grant", json!({ "id": denial.id }));
    assert_eq!(
        late.unwrap_err().code,
        NOT_FOUND,
        "that denial was the old server's"
    );
}

#[test]
fn yolo_and_rules_of_a_session_end_with_the_server() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let rules = json!({ "rules": approval["suggestions"], "scope": "session" });
    screen.choose_with(&approval, "remember", rules);
    assert_eq!(hook.said(), "allow approval");
    screen.request(
        "countersign/setMode",
        json!({
            "mode": "yolo",
            "confirmed": true,
            "session": { "agent": "claude-code", "session": "s1" },
        }),
    );
    assert_eq!(world.bash("s1", "git fetch").said(), "allow yolo");
    drop(screen);
    let world = world.restarted(Setup::default());
    let mut screen = world.vscode();
    assert_eq!(asked(&world, &mut screen, "git push")["mode"], "default");
    assert_eq!(asked(&world, &mut screen, "git fetch")["mode"], "default");
}

#[test]
fn a_stricter_mode_that_a_person_chose_for_a_session_holds_after_a_restart() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    asked(&world, &mut screen, "git push");
    let session = json!({ "agent": "claude-code", "session": "s1" });
    let plan = json!({ "mode": "plan", "session": session });
    screen.request("countersign/setMode", plan);
    assert_eq!(world.bash("s1", "git fetch").said(), "block plan_mode");
    drop(screen);
    let world = world.restarted(Setup::default());
    let mut screen = world.vscode();
    assert_eq!(world.bash("s1", "git fetch").said(), "block plan_mode");
    let default = json!({ "mode": "default", "session": session });
    screen.request("countersign/setMode", default);
    assert_eq!(asked(&world, &mut screen, "git fetch")["mode"], "default");
}

#[test]
fn an_approval_of_an_earlier_server_is_nobody_s() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let old = screen.approval();
    screen.allow("countersign/approvalResolved");
    screen.die();
    assert_eq!(hook.said(), "block no_surface");
    drop(screen);
    let world = world.restarted(Setup::default());
    let mut screen = world.vscode();
    assert_eq!(screen.resolve(&answer(&old, "approve")), Err(NOT_FOUND));
    world.expect_ignored("no open approval");
    let hook = world.bash("s1", "git push");
    let new = screen.approval();
    assert_ne!(new["id"], old["id"]);
    let mut replayed = answer(&new, "approve");
    replayed["nonce"] = old["nonce"].clone();
    assert!(screen.resolve(&replayed).is_err(), "the old nonce");
    screen.choose(&new, "deny");
    assert_eq!(hook.said(), "block person");
    let answers = world.rows(RecordKind::Answer);
    assert!(
        answers
            .iter()
            .all(|row| row.decision.as_deref() == Some("block"))
    );
}
