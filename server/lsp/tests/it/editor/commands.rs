//! Commands: how a person acts from an editor without anything of ours. What
//! approves, grants or loosens only opens a prompt.

use std::time::Instant;

use countersign_core::state::RecordKind;
use countersign_service::TOO_SOON;
use countersign_test_support::lsp::PROMPT;
use serde_json::{Value, json};

use super::screen::{NOT_DECLARED, NOT_FOUND, Screen, TOO_SOON_CODE, answer};
use super::world::{Setup, World, block, eventually};

const INVALID: i64 = -32_602;

/// Nothing is asked, once everything that was said before is dealt with.
#[track_caller]
fn no_prompt(world: &World, screen: &mut Screen) {
    world.status(screen);
    let unread = screen.unread();
    assert!(
        !unread.iter().any(|message| message["method"] == PROMPT),
        "{unread:?}"
    );
}

#[test]
fn the_command_that_approves_opens_a_prompt_and_approves_nothing_by_itself() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let mut hook = world.bash("s1", "git push");
    let shown = screen.prompt();
    let id = world.service.pending()[0].id.clone();
    assert_eq!(screen.command("approve", json!([id])), Ok(Value::Null));
    let again = screen.prompt();
    assert_eq!(again.text, shown.text);
    assert!(!hook.is_over());
    // Closing what was replaced is no answer.
    screen.answer(&shown.id, Value::Null);
    assert_eq!(
        screen.approve(again, "Approve once", hook).said(),
        "allow approval"
    );
}

#[test]
fn a_denial_in_a_prompt_that_was_replaced_counts() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let shown = screen.prompt();
    let id = world.service.pending()[0].id.clone();
    screen.command("approve", json!([id])).unwrap();
    let again = screen.prompt();
    screen.click(&shown, "Deny");
    assert_eq!(hook.said(), "block person");
    screen.answer(&again.id, Value::Null);
    no_prompt(&world, &mut screen);
}

#[test]
fn the_command_that_denies_denies_at_once_with_a_message() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    let id = world.service.pending()[0].id.clone();
    screen.command("deny", json!([id, "not today"])).unwrap();
    let outcome = hook.outcome();
    assert_eq!(outcome.said(), "block person");
    assert!(outcome.detail.contains("not today"));
    assert_eq!(screen.command("deny", json!([id])), Err(NOT_FOUND));
    screen.answer(&prompt.id, Value::Null);
}

#[test]
fn the_command_that_approves_does_not_spare_looking_at_a_long_call() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", &format!("ship {}", "x".repeat(3_000)));
    let first = screen.prompt();
    assert_eq!(first.titles, ["Deny", "Show"]);
    let id = world.service.pending()[0].id.clone();
    screen.command("approve", json!([id])).unwrap();
    let again = screen.prompt();
    assert_eq!(again.titles, ["Deny", "Show"]);
    screen
        .command("remember", json!([id, "Bash(ship *)"]))
        .unwrap();
    let again = screen.prompt();
    assert_eq!(again.titles, ["Deny", "Show"]);
    screen.click(&again, "Deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn the_command_that_remembers_opens_a_prompt_and_takes_only_offered_rules() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    screen.prompt();
    let id = world.service.pending()[0].id.clone();
    assert_eq!(screen.command("remember", json!([id])), Err(INVALID));
    screen
        .command("remember", json!([id, "Bash(git push)"]))
        .unwrap();
    let prompt = screen.prompt();
    assert_eq!(
        prompt.titles,
        ["Deny", "Approve and remember", "Approve once"]
    );
    assert!(prompt.text.contains("Bash(git push)"));
    assert_eq!(
        screen.approve(prompt, "Approve and remember", hook).said(),
        "allow approval"
    );
    assert_eq!(world.bash("s1", "git push").said(), "allow rule");

    let hook = world.bash("s1", "git fetch");
    screen.prompt();
    let id = world.service.pending()[0].id.clone();
    screen
        .command("remember", json!([id, "Bash(git *)"]))
        .unwrap();
    let prompt = screen.prompt();
    screen.click(&prompt, "Approve and remember");
    screen.message("was not among those");
    assert_eq!(world.service.pending().len(), 1, "it stays open");
    screen.command("deny", json!([id])).unwrap();
    assert_eq!(hook.said(), "block person");
    no_prompt(&world, &mut screen);
}

#[test]
fn an_editor_that_draws_is_told_to_bring_the_approval_to_the_front() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    assert_eq!(approval["focus"], false);
    for (command, arguments) in [
        ("approve", json!([approval["id"]])),
        ("remember", json!([approval["id"], "Bash(git push)"])),
        ("showPending", json!([])),
    ] {
        screen.command(command, arguments).unwrap();
        let mut again = screen.approval();
        assert_eq!(again["focus"], true);
        again["focus"] = json!(false);
        assert_eq!(again, approval);
    }
    no_prompt(&world, &mut screen);
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn an_approval_that_is_brought_to_the_front_must_be_read_anew() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let approve = answer(&approval, "approve");
    // It is long enough there that a yes would count.
    std::thread::sleep(TOO_SOON);
    let before = Instant::now();
    screen.command("approve", json!([approval["id"]])).unwrap();
    let at_once = screen.try_request("countersign/resolveApproval", approve.clone());
    screen.approval();
    if let Err(error) = at_once {
        assert_eq!(error.code, TOO_SOON_CODE);
        screen.resolve(&approve).unwrap();
    }
    assert!(before.elapsed() >= TOO_SOON);
    screen.resolved(&approval);
    assert_eq!(hook.said(), "allow approval");
}

#[test]
fn a_denied_call_is_granted_by_a_click_and_not_by_the_command() {
    let world = World::new(Setup::judged(vec![block(), block()]));
    let mut screen = world.plain();
    let denial = world.bash("s1", "git push").outcome();
    assert_eq!(denial.said(), "block classifier_blocked");
    screen.command("grant", json!([denial.id])).unwrap();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["No", "Allow this exact call once"]);
    assert!(prompt.text.contains("git push"), "{prompt:?}");
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_blocked",
        "not yet"
    );
    screen.agree(&prompt, "Allow this exact call once");
    eventually("the grant", || world.rows(RecordKind::Trust).len() == 1);
    assert_eq!(world.bash("s1", "git push").said(), "allow grant");
    assert_eq!(screen.command("grant", json!(["f"])), Err(NOT_FOUND));
}

#[test]
fn a_denied_call_that_does_not_fit_into_a_prompt_is_shown_whole_before_it_is_granted() {
    let world = World::new(Setup::judged(vec![block(), block()]));
    let mut screen = world.plain_with(json!({ "capabilities": {
        "window": { "showDocument": { "support": true } },
    }}));
    let secret = format!("ghp_{}", "Ab1".repeat(12));
    let command = format!("echo {}; git push https://{secret}@host", "x".repeat(3_000));
    let denial = world.bash("s1", &command).outcome();
    assert_eq!(denial.said(), "block classifier_blocked");
    screen.command("grant", json!([denial.id])).unwrap();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["No", "Show"]);
    screen.click(&prompt, "Show");
    let (id, shown) = screen.expect_request("window/showDocument");
    let path = shown["uri"].as_str().unwrap().replace("file://", "");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(&command), "all of it, with nothing masked");
    screen.answer(&id, json!({ "success": true }));
    let confirm = screen.prompt();
    let yes = "Allow this exact call once";
    let titles = ["No", yes, "Read on, ask again in a minute"];
    assert_eq!(confirm.titles, titles);
    assert_eq!(world.rows(RecordKind::Trust).len(), 0);
    screen.agree(&confirm, yes);
    eventually("the grant", || world.rows(RecordKind::Trust).len() == 1);
    assert_eq!(world.bash("s1", &command).said(), "allow grant");
}

#[test]
fn a_tool_s_call_is_granted_only_after_its_input_was_shown() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.plain();
    let input = json!({ "title": "one", "body": { "deep": ["x"] } });
    let denial = world.tool("s1", "mcp__tracker__create", input).outcome();
    assert_eq!(denial.said(), "block classifier_blocked");
    screen.command("grant", json!([denial.id])).unwrap();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["No", "Show"]);
    screen.click(&prompt, "Show");
    let message = screen.message("the whole text is in ");
    let (_, path) = message.split_once("the whole text is in ").unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("\"deep\""), "{text}");
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["No", "Show"], "it was shown to nobody");
    screen.click(&prompt, "No");
    assert_eq!(world.rows(RecordKind::Trust).len(), 0);
}

#[test]
fn a_grant_that_is_declined_or_left_open_grants_nothing() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let mut screen = world.plain();
    let denial = world.bash("s1", "git push").outcome();
    for reply in [
        Value::Null,
        json!({ "title": "No" }),
        json!({ "title": "Yes" }),
    ] {
        screen.command("grant", json!([denial.id])).unwrap();
        let prompt = screen.prompt();
        screen.answer(&prompt.id, reply);
    }
    no_prompt(&world, &mut screen);
    assert_eq!(world.rows(RecordKind::Trust).len(), 0);
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_blocked"
    );
}

#[test]
fn what_cannot_be_granted_opens_no_prompt_that_offers_it() {
    let world = World::new(Setup::auto(json!({ "deny": ["Bash(git push)"] })));
    let mut screen = world.plain();
    let blocked = world.bash("s1", "git push").outcome();
    assert_eq!(blocked.said(), "block rule_denied");
    assert_eq!(screen.command("grant", json!([blocked.id])), Err(NOT_FOUND));
    no_prompt(&world, &mut screen);
}

#[test]
fn counters_are_reset_by_a_click_and_not_by_the_command() {
    let world = World::new(Setup::judged(vec![block(), block()]));
    let mut screen = world.plain();
    for command in ["git push", "git fetch"] {
        assert_eq!(world.bash("s1", command).said(), "block classifier_blocked");
    }
    let total = |world: &World, screen: &mut Screen| {
        world.status(screen)["sessions"][0]["counters"]["totalBlock"].clone()
    };
    screen.command("resetCounters", json!([])).unwrap();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Cancel", "Reset the counters"]);
    screen.click(&prompt, "Cancel");
    assert_eq!(total(&world, &mut screen), 2);
    screen
        .command(
            "resetCounters",
            json!([{ "agent": "claude-code", "session": "s1" }]),
        )
        .unwrap();
    let prompt = screen.prompt();
    assert_eq!(total(&world, &mut screen), 2);
    screen.agree(&prompt, "Reset the counters");
    eventually("the reset", || total(&world, &mut screen) == 0);
    assert_eq!(world.rows(RecordKind::Reset).len(), 1);
}

#[test]
fn a_person_s_requests_are_for_editors_that_declare_that_they_act_for_one() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.plain();
    let denial = world.bash("s1", "git push").outcome();
    for (method, parameters) in [
        ("pendingApprovals", Value::Null),
        ("setMode", json!({ "mode": "plan" })),
        ("setMode", json!({ "mode": "yolo", "confirmed": true })),
        ("grant", json!({ "id": denial.id })),
        ("resetCounters", json!({})),
        (
            "trust",
            json!({ "folder": world.workspace, "trusted": true }),
        ),
        (
            "consent",
            json!({ "folder": world.workspace, "digest": "0".repeat(64), "what": "loosening" }),
        ),
        (
            "resolveApproval",
            json!({ "id": denial.id, "nonce": "0".repeat(32), "choice": "approve" }),
        ),
    ] {
        let refused = screen.try_request(&format!("countersign/{method}"), parameters);
        let error = refused.unwrap_err();
        assert_eq!(error.code, NOT_DECLARED, "{method}");
        assert!(error.message.contains("countersign.server."), "{method}");
    }
    for (method, parameters) in [
        ("status", Value::Null),
        ("sessions", Value::Null),
        ("journal", json!({})),
        ("explain", json!({ "id": denial.id })),
    ] {
        screen.request(&format!("countersign/{method}"), parameters);
    }
    assert_eq!(world.rows(RecordKind::Trust).len(), 0);
    assert_eq!(world.status(&mut screen)["mode"], "auto");
}

#[test]
fn commands_with_arguments_that_are_none_do_nothing() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    for (command, arguments) in [
        ("approve", json!([])),
        ("approve", json!([7])),
        ("deny", json!([{}])),
        ("grant", json!([null])),
        ("setMode", json!([])),
        ("setMode", json!(["loose"])),
        (
            "setMode",
            json!(["auto", { "agent": "nobody", "session": "s1" }]),
        ),
        ("trust", json!(["/etc"])),
        ("consent", json!(["/"])),
        ("showSession", json!(["s1"])),
        ("yolo", json!([])),
    ] {
        assert_eq!(
            screen.command(command, arguments),
            Err(INVALID),
            "{command}"
        );
    }
    for command in ["approve", "deny", "grant", "explain", "showChange"] {
        assert_eq!(
            screen.command(command, json!(["nothing"])),
            Err(NOT_FOUND),
            "{command}"
        );
    }
    no_prompt(&world, &mut screen);
}

#[test]
fn a_session_s_argument_that_is_not_understood_does_not_mean_every_session() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.plain();
    world.bash("s1", "git push").outcome();
    assert_eq!(screen.command("resetCounters", json!(["s1"])), Err(INVALID));
    assert_eq!(
        screen.command("resetCounters", json!([{ "session": "s1" }])),
        Err(INVALID)
    );
    assert_eq!(
        screen.command("setMode", json!(["plan", "s1"])),
        Err(INVALID)
    );
    no_prompt(&world, &mut screen);
}
