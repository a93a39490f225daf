//! Denials by the classifier, caps, and one-time grants, as an editor sees
//! them.

use std::time::Duration;

use countersign_core::classify::Verdict;
use countersign_core::state::RecordKind;
use serde_json::{Value, json};

use super::hook::Outcome;
use super::screen::{NOT_FOUND, REFUSED, Screen, answer};
use super::world::{Setup, World, block, unavailable};

fn denied(world: &World, session: &str, command: &str) -> Outcome {
    let outcome = world.bash(session, command).outcome();
    assert_eq!(outcome.said(), "block classifier_blocked");
    outcome
}

fn counters(world: &World, screen: &mut Screen, session: &str) -> [u64; 4] {
    let sessions = screen.request("countersign/sessions", Value::Null);
    let sessions = sessions["sessions"].as_array().unwrap().clone();
    let found = sessions.iter().find(|one| one["session"] == session);
    let counters =
        &found.unwrap_or_else(|| panic!("no {session} in {}", world.workspace))["counters"];
    [
        "consecutiveBlock",
        "consecutiveUnavailable",
        "totalBlock",
        "totalUnavailable",
    ]
    .map(|name| counters[name].as_u64().unwrap())
}

#[test]
fn a_denial_is_no_approval_and_is_told_with_counters_and_model() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.vscode();
    screen.notify(
        "countersign/toolCall",
        json!({
            "agent": "generic",
            "session": "s1",
            "callId": "c1",
            "cwd": world.workspace,
            "tool": "run_shell_command",
            "input": { "command": "git push" },
        }),
    );
    let decision = screen.expect_notification("countersign/decision", |_| true);
    assert_eq!(decision["callId"], "c1");
    assert_eq!(decision["decision"], "block");
    assert_eq!(decision["reason"], "classifier_blocked");
    assert!(
        decision["message"]
            .as_str()
            .unwrap()
            .starts_with("Blocked by auto mode policy: sends")
    );
    assert_eq!(
        decision["model"],
        json!({ "stage": "fast", "model": "scripted", "requestId": "request-1", "messageId": "message-1" })
    );
    assert_eq!(
        decision["counters"],
        json!({ "consecutiveBlock": 1, "consecutiveUnavailable": 0, "totalBlock": 1, "totalUnavailable": 0 })
    );
    assert_eq!(decision.get("asked"), None);
    assert_eq!(decision.get("capKind"), None);
    assert!(world.service.pending().is_empty());
}

#[test]
fn three_blocks_in_a_row_ask_and_an_approval_clears_only_the_row() {
    let world = World::new(Setup::judged(vec![block(), block(), block(), block()]));
    let mut screen = world.vscode();
    for n in 0..3 {
        denied(&world, "s1", &format!("git push origin v{n}"));
    }
    let status = screen.request("countersign/status", Value::Null);
    assert_eq!(status["sessions"][0]["armed"], "consecutive_block");
    let hook = world.bash("s1", "git fetch");
    let approval = screen.approval();
    assert_eq!(approval["reason"], "consecutive_block");
    assert_eq!(approval["capKind"], "consecutive");
    assert_eq!(approval["counters"]["consecutiveBlock"], 3);
    assert_eq!(
        approval["limits"],
        json!({ "consecutiveBlock": 3, "consecutiveUnavailable": 2, "total": 20 })
    );
    assert_eq!(
        approval["suggestions"],
        json!([]),
        "nothing is remembered at a cap"
    );
    let mut foreign = answer(&approval, "remember");
    foreign["rules"] = json!(["Bash(git fetch)"]);
    assert_eq!(screen.resolve(&foreign), Err(REFUSED));
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(counters(&world, &mut screen, "s1"), [0, 0, 3, 0]);
    denied(&world, "s1", "git push origin v4");
    assert_eq!(counters(&world, &mut screen, "s1"), [1, 0, 4, 0]);
}

#[test]
fn a_rejection_at_a_cap_changes_no_counter_and_the_next_call_asks_again() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let mut screen = world.vscode();
    for n in 0..3 {
        denied(&world, "s1", &format!("git push origin v{n}"));
    }
    for command in ["git fetch", "git pull"] {
        let hook = world.bash("s1", command);
        let approval = screen.approval();
        assert_eq!(approval["capKind"], "consecutive");
        screen.choose(&approval, "deny");
        assert_eq!(hook.said(), "block person");
        assert_eq!(counters(&world, &mut screen, "s1"), [3, 0, 3, 0]);
    }
}

#[test]
fn the_total_cap_asks_with_its_own_reason_and_an_approval_clears_everything() {
    let mut verdicts = Vec::new();
    for _ in 0..10 {
        verdicts.extend([block(), block(), Verdict::Allow]);
    }
    let world = World::new(Setup::judged(verdicts));
    let mut screen = world.vscode();
    for n in 0..29 {
        let outcome = world.bash("s1", &format!("git push origin v{n}")).outcome();
        let expected = if n % 3 == 2 { "allow" } else { "block" };
        assert_eq!(outcome.decision, expected, "call {n}");
    }
    let hook = world.bash("s1", "git fetch");
    let approval = screen.approval();
    assert_eq!(approval["reason"], "total_denial");
    assert_eq!(approval["capKind"], "total");
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(counters(&world, &mut screen, "s1"), [0, 0, 0, 0]);
}

#[test]
fn a_classifier_that_gives_no_answer_denies_and_after_two_asks() {
    let world = World::new(Setup::judged(vec![unavailable(), unavailable()]));
    let mut screen = world.vscode();
    for n in 0..2 {
        let outcome = world.bash("s1", &format!("git push origin v{n}")).outcome();
        assert_eq!(outcome.said(), "block classifier_unavailable");
    }
    let hook = world.bash("s1", "git fetch");
    let approval = screen.approval();
    assert_eq!(approval["reason"], "consecutive_unavailable");
    assert_eq!(approval["capKind"], "consecutive");
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(counters(&world, &mut screen, "s1"), [0, 0, 0, 2]);
}

#[test]
fn a_classifier_that_thinks_longer_than_the_agent_waits_gave_no_answer() {
    let world = World::new(Setup {
        thinks: true,
        ..Setup::judged(Vec::new())
    });
    let mut screen = world.vscode();
    let hook = world.bash_within(Duration::from_millis(200), "s1", "git push");
    assert_eq!(hook.said(), "block classifier_unavailable");
    assert_eq!(counters(&world, &mut screen, "s1"), [0, 1, 0, 1]);
}

#[test]
fn a_question_that_the_agent_gave_up_counts_for_nothing() {
    let world = World::new(Setup {
        thinks: true,
        ..Setup::judged(Vec::new())
    });
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "git push");
    hook.gives_up();
    assert_eq!(hook.said(), "block person");
    assert_eq!(world.status(&mut screen)["sessions"], json!([]));
    assert_eq!(world.rows(RecordKind::Decision), []);
}

#[test]
fn where_the_settings_say_so_a_missing_answer_asks_and_still_counts() {
    let settings = json!({ "autoMode": { "classifier": { "onUnavailable": "ask" } } });
    let world = World::new(Setup {
        verdicts: Some(vec![unavailable()]),
        ..Setup::auto(settings)
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    assert_eq!(approval["reason"], "classifier_unavailable");
    assert_eq!(approval.get("capKind"), None);
    assert_eq!(approval["counters"]["consecutiveUnavailable"], 1);
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(counters(&world, &mut screen, "s1"), [0, 1, 0, 1]);
}

#[test]
fn approving_at_a_cap_with_a_switch_to_default_mode_resets_and_switches() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let mut screen = world.vscode();
    for n in 0..3 {
        denied(&world, "s1", &format!("git push origin v{n}"));
    }
    let hook = world.bash("s1", "git fetch");
    let approval = screen.approval();
    assert_eq!(approval["mode"], "auto");
    screen.choose(&approval, "approve_and_switch_to_default");
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(counters(&world, &mut screen, "s1"), [0, 0, 0, 0]);
    let sessions = screen.request("countersign/sessions", Value::Null);
    assert_eq!(sessions["sessions"][0]["mode"], "default");
    let next = world.bash("s1", "git pull");
    let approval = screen.approval();
    assert_eq!(approval["mode"], "default");
    assert_eq!(approval["reason"], "approval_mode");
    screen.choose(&approval, "deny");
    assert_eq!(next.said(), "block person");
}

#[test]
fn a_denied_call_can_be_granted_once() {
    let world = World::new(Setup::judged(vec![block(), block()]));
    let mut screen = world.vscode();
    let denial = denied(&world, "s1", "git push");
    screen.request("countersign/grant", json!({ "id": denial.id }));
    assert_eq!(world.bash("s1", "git push").said(), "allow grant");
    assert_eq!(
        counters(&world, &mut screen, "s1"),
        [1, 0, 1, 0],
        "a grant changes no counter"
    );
    denied(&world, "s1", "git push");
    let again = screen.try_request("countersign/grant", json!({ "id": denial.id }));
    assert_eq!(
        again.unwrap_err().code,
        NOT_FOUND,
        "the same denial is granted once"
    );
    let trust = world.rows(RecordKind::Trust);
    assert_eq!(trust.len(), 1, "what was granted is on record");
    assert_eq!(trust[0].source.as_deref(), Some("vscode"));
}

#[test]
fn both_events_of_a_granted_call_are_allowed() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.vscode();
    let denial = denied(&world, "s1", "git push");
    screen.request("countersign/grant", json!({ "id": denial.id }));
    let call = json!({ "tool_name": "Bash", "tool_input": { "command": "git push" } });
    assert_eq!(
        world.hook("s1", "PreToolUse", call.clone()).said(),
        "allow grant"
    );
    assert_eq!(
        world.hook("s1", "PermissionRequest", call).said(),
        "allow grant"
    );
    denied(&world, "s1", "git push");
}

#[test]
fn a_grant_is_for_this_session_these_arguments_and_these_files_only() {
    let world = World::new(Setup::judged(Vec::new()));
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let denial = denied(&world, "s1", "sh ./deploy.sh");
    screen.request("countersign/grant", json!({ "id": denial.id }));
    denied(&world, "s1", "sh ./deploy.sh --all");
    std::fs::write(&script, "echo two\n").unwrap();
    let after = world.bash("s1", "sh ./deploy.sh").outcome();
    assert_eq!(
        after.said(),
        "block classifier_blocked",
        "the file is another one"
    );
    std::fs::write(&script, "echo one\n").unwrap();
    // Three blocks in a row: a grant comes before the cap.
    assert_eq!(world.bash("s1", "sh ./deploy.sh").said(), "allow grant");
}

#[test]
fn a_grant_of_one_session_is_none_of_another() {
    let world = World::new(Setup::judged(Vec::new()));
    let mut screen = world.vscode();
    let denial = denied(&world, "s1", "git push");
    screen.request("countersign/grant", json!({ "id": denial.id }));
    denied(&world, "s2", "git push");
    assert_eq!(world.bash("s1", "git push").said(), "allow grant");
}

#[test]
fn a_denial_whose_file_changed_is_not_granted() {
    let world = World::new(Setup::judged(Vec::new()));
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let denial = denied(&world, "s1", "sh ./deploy.sh");
    std::fs::write(&script, "echo two\n").unwrap();
    let refused = screen.try_request("countersign/grant", json!({ "id": denial.id }));
    assert!(
        refused
            .unwrap_err()
            .message
            .contains("changed since it was denied")
    );
    denied(&world, "s1", "sh ./deploy.sh");
}

#[test]
fn what_a_rule_plan_mode_the_guard_or_a_person_blocked_is_never_granted() {
    let world = World::new(Setup {
        verdicts: Some(Vec::new()),
        ..Setup::auto(json!({ "deny": ["Bash(git push)"], "ask": ["Bash(git fetch)"] }))
    });
    let mut screen = world.vscode();
    let by_rule = world.bash("s1", "git push").outcome();
    assert_eq!(by_rule.said(), "block rule_denied");
    let by_guard = world.bash("s1", "countersign trust").outcome();
    assert_eq!(by_guard.said(), "block static_blocked");
    let in_plan = world
        .hook(
            "s1",
            "PreToolUse",
            json!({
                "tool_name": "Bash",
                "tool_input": { "command": "git pull" },
                "permission_mode": "plan",
            }),
        )
        .outcome();
    assert_eq!(in_plan.said(), "block plan_mode");
    let asked = world.bash("s1", "git fetch");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    let by_person = asked.outcome();
    for outcome in [by_rule, by_guard, in_plan, by_person] {
        assert!(!outcome.id.is_empty());
        let refused = screen.try_request("countersign/grant", json!({ "id": outcome.id }));
        assert_eq!(refused.unwrap_err().code, NOT_FOUND, "{outcome:?}");
    }
    for id in ["", "no such call", &"f".repeat(100_000)] {
        let refused = screen.try_request("countersign/grant", json!({ "id": id }));
        assert_eq!(refused.unwrap_err().code, NOT_FOUND);
    }
    assert_eq!(world.rows(RecordKind::Trust).len(), 0);
}
