//! Approvals through an editor that draws them itself: from asking to the
//! agent's answer, and everything that is no answer.

use std::time::{Duration, Instant};

use countersign_core::state::RecordKind;
use countersign_service::TOO_SOON;
use serde_json::{Value, json};

use super::screen::{NOT_FOUND, REFUSED, TOO_SOON_CODE, answer};
use super::world::{Setup, World, eventually};

#[test]
fn the_person_sees_the_whole_call_and_why() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let command = format!(
        "git push origin main {}; rm -r \u{202e}vines",
        "x".repeat(9_000)
    );
    let hook = world.bash("s1", &command);
    let approval = screen.approval();
    let text = approval["text"].as_str().unwrap();
    assert!(text.contains(&"x".repeat(9_000)), "nothing is cut");
    assert!(text.ends_with("rm -r <U+202E>vines"), "{text}");
    assert!(!text.contains('\u{202e}'), "bidi characters are escapes");
    assert_eq!(approval["agent"], "claude-code");
    assert_eq!(approval["session"], "s1");
    assert_eq!(approval["tool"], "run_shell_command");
    assert_eq!(approval["cwd"], world.workspace.as_str());
    assert_eq!(approval["workspace"], world.workspace.as_str());
    assert_eq!(approval["mode"], "default");
    assert_eq!(approval["reason"], "approval_mode");
    assert_eq!(approval["askedBefore"], 0);
    assert_eq!(approval["digest"].as_str().unwrap().len(), 64);
    assert_eq!(approval["nonce"].as_str().unwrap().len(), 32);
    assert!(approval["deadline"].as_i64() > approval["askedAt"].as_i64());
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn the_parts_of_a_compound_command_say_which_of_them_were_fine() {
    let permissions = json!({ "permissions": { "allow": ["Bash(git status)"] } });
    let world = World::new(Setup {
        user: Some(permissions.to_string()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git status && git push");
    let approval = screen.approval();
    let fine: Vec<_> = approval["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            (
                part["text"].as_str().unwrap(),
                part["fine"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(fine, [("git status", true), ("git push", false)]);
    assert_eq!(approval["suggestions"], json!(["Bash(git push)"]));
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn only_the_nonce_that_was_shown_answers_and_others_are_put_on_record() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "git push");
    let mut approval = screen.approval();
    let nonce = approval["nonce"].take();
    for (choice, wrong) in [
        ("approve", json!("0".repeat(32))),
        ("approve", json!("")),
        ("approve", approval["id"].clone()),
        ("deny", json!("0".repeat(32))),
        ("dismiss", json!("")),
    ] {
        approval["nonce"] = wrong;
        assert_eq!(screen.resolve(&answer(&approval, choice)), Err(REFUSED));
    }
    let without = json!({ "id": approval["id"], "choice": "approve" });
    let refused = screen.try_request("countersign/resolveApproval", without);
    assert_eq!(refused.unwrap_err().code, -32_602);
    world.expect_ignored("does not carry what its prompt was shown with");
    assert!(!hook.is_over());
    approval["nonce"] = nonce;
    assert_eq!(screen.choose(&approval, "approve")["decision"], "allow");
    assert_eq!(hook.said(), "allow approval");
}

#[test]
fn nothing_is_approved_in_the_first_half_second() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let before = Instant::now();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let mut answered = Err(TOO_SOON_CODE);
    for choice in ["approve", "approve_and_switch_to_default"] {
        // On a busy machine one of these may come late enough to count.
        if answered == Err(TOO_SOON_CODE) {
            answered = screen
                .try_request("countersign/resolveApproval", answer(&approval, choice))
                .map_err(|error| error.code);
        }
    }
    if answered == Err(TOO_SOON_CODE) {
        answered = screen.resolve(&answer(&approval, "approve"));
    }
    assert!(before.elapsed() >= TOO_SOON);
    assert_eq!(answered.unwrap()["decision"], "allow");
    screen.resolved(&approval);
    assert_eq!(hook.said(), "allow approval");
}

#[test]
fn a_denial_needs_no_half_second() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let denial = answer(&approval, "deny");
    let answered = screen.request("countersign/resolveApproval", denial);
    assert_eq!(answered["decision"], "block");
    assert_eq!(screen.resolved(&approval), "cancel");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn the_first_answer_wins_and_a_second_one_is_only_put_on_record() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    for choice in ["deny", "approve", "remember"] {
        assert_eq!(screen.resolve(&answer(&approval, choice)), Err(NOT_FOUND));
    }
    assert_eq!(hook.said(), "allow approval");
    eventually("three rows", || world.rows(RecordKind::Ignored).len() == 3);
    let answers = world.rows(RecordKind::Answer);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].source.as_deref(), Some("vscode"));
    assert_eq!(answers[0].reason.as_deref(), Some("proceed_once"));
}

#[test]
fn of_many_answers_at_once_exactly_one_counts() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let begun: Vec<_> = (0..16)
        .map(|_| screen.begin_request("countersign/resolveApproval", answer(&approval, "deny")))
        .collect();
    let taken = begun
        .into_iter()
        .filter(|id| screen.response(*id).is_ok())
        .count();
    assert_eq!(taken, 1);
    assert_eq!(screen.resolved(&approval), "cancel");
    assert_eq!(hook.said(), "block person");
    assert_eq!(world.rows(RecordKind::Answer).len(), 1);
}

#[test]
fn at_the_deadline_the_call_is_blocked_and_a_late_answer_changes_nothing() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash_within(Duration::from_millis(300), "s1", "git push");
    let approval = screen.approval();
    assert_eq!(screen.resolved(&approval), "timeout");
    let outcome = hook.outcome();
    assert_eq!(outcome.said(), "block timeout");
    assert_eq!(
        screen.resolve(&answer(&approval, "approve")),
        Err(NOT_FOUND)
    );
    world.expect_ignored("no open approval");
    assert_eq!(world.rows(RecordKind::Answer).len(), 1);
}

#[test]
fn an_answer_to_an_approval_that_never_was_is_put_on_record() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let foreign = json!({ "id": "f".repeat(32), "nonce": "0".repeat(32) });
    assert_eq!(screen.resolve(&answer(&foreign, "approve")), Err(NOT_FOUND));
    world.expect_ignored("no open approval");
    let huge = json!({ "id": "f".repeat(100_000), "nonce": "0".repeat(32) });
    assert_eq!(screen.resolve(&answer(&huge, "approve")), Err(NOT_FOUND));
    eventually("two rows", || world.rows(RecordKind::Ignored).len() == 2);
    for row in world.rows(RecordKind::Ignored) {
        assert!(
            row.call.unwrap().len() <= 100,
            "what is recorded is bounded"
        );
        assert!(
            row.detail.unwrap().len() <= 2_000,
            "what is recorded is bounded"
        );
    }
}

#[test]
fn the_agent_is_told_what_the_person_says_with_a_denial() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let message = json!({ "message": "push to the fork instead" });
    let result = screen.choose_with(&approval, "deny", message);
    assert_eq!(result["decision"], "block");
    let outcome = hook.outcome();
    assert_eq!(outcome.said(), "block person");
    assert!(outcome.detail.contains("push to the fork instead"));
}

#[test]
fn closing_the_prompt_is_a_denial() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let answered = screen.request("countersign/resolveApproval", answer(&approval, "dismiss"));
    assert_eq!(answered["decision"], "block");
    assert_eq!(screen.resolved(&approval), "dismissed");
    let outcome = hook.outcome();
    assert_eq!(outcome.said(), "block person");
    assert!(outcome.detail.contains("closed"));
}

#[test]
fn an_agent_that_gives_up_closes_the_prompt() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "git push");
    let approval = screen.approval();
    hook.gives_up();
    assert_eq!(screen.resolved(&approval), "aborted");
    assert_eq!(hook.outcome().decision, "block");
    assert_eq!(
        screen.resolve(&answer(&approval, "approve")),
        Err(NOT_FOUND)
    );
    assert!(world.service.pending().is_empty());
}

#[test]
fn two_events_of_one_call_are_one_approval_and_one_row() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let input = json!({ "command": "git push" });
    let first = world.hook(
        "s1",
        "PreToolUse",
        json!({ "tool_name": "Bash", "tool_input": input, "tool_use_id": "toolu_1" }),
    );
    let approval = screen.approval();
    let second = world.hook(
        "s1",
        "PermissionRequest",
        json!({ "tool_name": "Bash", "tool_input": input }),
    );
    screen.choose(&approval, "approve");
    assert_eq!(first.said(), "allow approval");
    assert_eq!(second.said(), "allow approval");
    assert_eq!(world.rows(RecordKind::Decision).len(), 1);
    assert_eq!(world.rows(RecordKind::Answer).len(), 1);
}

#[test]
fn what_was_approved_is_not_asked_about_again_before_it_runs() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let call = json!({ "tool_name": "Bash", "tool_input": { "command": "git push" } });
    let asked = world.hook("s1", "PermissionRequest", call.clone());
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(asked.said(), "allow approval");
    assert_eq!(
        world.hook("s1", "PreToolUse", call.clone()).said(),
        "allow approval"
    );
    assert_eq!(world.rows(RecordKind::Answer).len(), 1);
    // Once it ran, the same is another call.
    let mut ran = call.clone();
    ran["tool_response"] = json!({ "stdout": "" });
    world.hook("s1", "PostToolUse", ran).handled();
    let again = world.hook("s1", "PreToolUse", call);
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(again.said(), "block person");
}

#[test]
fn when_one_of_two_events_gives_up_the_other_still_gets_the_answer() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let call = json!({ "tool_name": "Bash", "tool_input": { "command": "git push" } });
    let first = world.hook("s1", "PreToolUse", call.clone());
    let approval = screen.approval();
    let mut second = world.hook("s1", "PermissionRequest", call);
    second.gives_up();
    assert_eq!(second.outcome().decision, "block");
    screen.choose(&approval, "approve");
    assert_eq!(first.said(), "allow approval");
}

#[test]
fn what_waits_can_be_fetched_by_an_editor_that_lost_its_prompts() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hooks = [world.bash("s1", "git push"), world.bash("s2", "git fetch")];
    let mut shown = vec![screen.approval(), screen.approval()];
    let fetched = screen.request("countersign/pendingApprovals", Value::Null);
    let mut fetched = fetched["approvals"].as_array().unwrap().clone();
    let by_id = |approval: &Value| approval["id"].as_str().unwrap().to_owned();
    shown.sort_by_key(by_id);
    fetched.sort_by_key(by_id);
    assert_eq!(shown, fetched);
    for approval in &shown {
        screen.choose(approval, "deny");
    }
    for hook in hooks {
        assert_eq!(hook.said(), "block person");
    }
}

#[test]
fn an_approval_is_for_one_call_and_the_next_is_asked_again() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for asked_before in 0..2 {
        let hook = world.bash("s1", "git push");
        let approval = screen.approval();
        assert_eq!(approval["askedBefore"], asked_before);
        screen.choose(&approval, "approve");
        assert_eq!(hook.said(), "allow approval");
    }
}

#[test]
fn a_choice_that_is_none_is_refused_and_the_approval_stays_open() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "git push");
    let approval = screen.approval();
    for choice in ["allow", "", "APPROVE", "approve "] {
        assert_eq!(screen.resolve(&answer(&approval, choice)), Err(-32_602));
    }
    assert!(!hook.is_over());
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}
