//! Editors without anything of ours, and what they do with prompts: each habit
//! has its outcome, and none of them is a yes.

use std::time::{Duration, Instant};

use countersign_core::state::RecordKind;
use countersign_test_support::lsp::{Behaviour, PROMPT};
use serde_json::{Value, json};

use super::hook::Hook;
use super::screen::answer;
use super::world::{Setup, World, open};

#[test]
fn an_editor_that_never_answers_times_out_and_the_next_prompt_comes() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    // Long enough that a busy machine shows the prompt before.
    let first = world.bash_within(Duration::from_secs(2), "s1", "git push");
    let never_answered = screen.prompt();
    let second = world.bash("s2", "git fetch");
    assert_eq!(first.said(), "block timeout");
    let prompt = screen.prompt();
    assert!(prompt.text.contains("git fetch"));
    // The person clicks in the old prompt after all.
    screen.click(&never_answered, "Approve once");
    screen.message("no open approval");
    world.expect_ignored("no open approval");
    assert_eq!(
        screen.approve(prompt, "Approve once", second).said(),
        "allow approval"
    );
    assert_eq!(world.rows(RecordKind::Answer).len(), 2);
}

#[test]
fn a_prompt_about_trust_that_is_never_answered_holds_up_no_approval() {
    let world = World::new(Setup {
        trusted: false,
        ..Setup::default()
    });
    let mut screen = world.plain();
    let look = json!({ "pattern": "*" });
    assert_eq!(world.tool("s1", "Glob", look).said(), "allow safe_tool");
    let trust = screen.prompt();
    assert!(trust.text.contains("Trust "));
    for session in ["s1", "s2"] {
        let hook = world.bash(session, "git push");
        let prompt = screen.prompt();
        assert!(prompt.text.contains("git push"), "{prompt:?}");
        assert_eq!(
            screen.approve(prompt, "Approve once", hook).said(),
            "allow approval"
        );
    }
    // It is still on the screen, and what is clicked there counts.
    screen.agree(&trust, "Trust this workspace");
    let notice = screen.prompt();
    assert_eq!(notice.titles, ["Cancel", "Use auto mode"]);
    assert!(world.service.settings(&world.workspace).trusted);
    screen.click(&notice, "Cancel");
}

#[test]
fn a_prompt_that_a_person_asked_for_and_left_open_holds_up_no_approval() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    screen.command("setMode", json!(["auto"])).unwrap();
    let left = screen.prompt();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    assert!(prompt.text.contains("git push"), "{prompt:?}");
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
    screen.click(&left, "Cancel");
    assert_eq!(world.status(&mut screen)["mode"], "default");
}

#[test]
fn an_editor_that_declares_nothing_in_our_name_is_asked_by_prompts() {
    for nothing in [Value::Null, json!(false)] {
        let world = World::new(Setup::default());
        let mut screen = world.plain_with(json!({
            "capabilities": { "experimental": { "countersign": nothing } },
        }));
        let hook = world.bash("s1", "git push");
        let prompt = screen.prompt();
        screen.click(&prompt, "Deny");
        assert_eq!(hook.said(), "block person");
    }
}

#[test]
fn an_editor_that_answers_null_to_everything_denies() {
    let world = World::new(Setup::default());
    let screen = world.plain();
    screen.behave("*", Behaviour::AnswersNull);
    let outcome = world.bash("s1", "git push").outcome();
    assert_eq!(outcome.said(), "block person");
    assert!(outcome.detail.contains("closed without an answer"));
    assert_eq!(
        world.rows(RecordKind::Answer)[0].reason.as_deref(),
        Some("dismissed")
    );
}

#[test]
fn an_editor_without_prompts_asks_nobody_any_more() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hooks = [world.bash("s1", "git push"), world.bash("s2", "git push")];
    open(&world, 2);
    let prompt = screen.prompt();
    screen.answer_error(&prompt.id, -32_601, "method not found");
    for hook in hooks {
        assert_eq!(hook.said(), "block no_surface");
    }
    // From now on the agent's own prompt is used, and who has none is denied.
    assert_eq!(world.bash("s1", "git fetch").said(), "ask approval_mode");
    screen.notify(
        "countersign/toolCall",
        json!({
            "agent": "generic",
            "session": "s3",
            "callId": "c1",
            "cwd": world.workspace,
            "tool": "run_shell_command",
            "input": { "command": "git fetch" },
        }),
    );
    let decision = screen.expect_notification("countersign/decision", |_| true);
    assert_eq!(decision["decision"], "block");
    assert_eq!(decision["reason"], "no_surface");
}

/// Helix declares prompts since it has them, and older ones are in use.
#[test]
fn a_helix_without_prompts_leaves_asking_to_the_agent_from_the_first_call_on() {
    let helix = |window: Value| {
        json!({
            "clientInfo": { "name": "helix", "version": "25.07.1" },
            "capabilities": { "window": window },
        })
    };
    let world = World::new(Setup::default());
    let screen = world.plain_with(helix(json!({ "workDoneProgress": true })));
    assert_eq!(world.bash("s1", "git push").said(), "ask approval_mode");
    drop(screen);

    let world = World::new(Setup::default());
    let mut screen = world.plain_with(helix(json!({
        "showMessage": { "messageActionItem": { "additionalPropertiesSupport": true } },
    })));
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn the_second_of_two_answers_changes_nothing() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    screen.click(&prompt, "Deny");
    screen.click(&prompt, "Approve once");
    assert_eq!(hook.said(), "block person");
    let hook = world.bash("s1", "git fetch");
    let prompt = screen.prompt();
    assert_eq!(
        screen.approve(prompt, "Approve once", hook).said(),
        "allow approval"
    );
    let answers = world.rows(RecordKind::Answer);
    assert_eq!(answers.len(), 2);
}

#[test]
fn when_the_editor_dies_its_waiting_calls_are_blocked_at_once() {
    for plain in [true, false] {
        let world = World::new(Setup::default());
        let mut screen = if plain { world.plain() } else { world.vscode() };
        let hooks = [world.bash("s1", "git push"), world.bash("s2", "git push")];
        open(&world, 2);
        if plain {
            screen.prompt();
        } else {
            screen.approval();
            screen.approval();
        }
        let before = Instant::now();
        screen.die();
        for hook in hooks {
            assert_eq!(hook.said(), "block no_surface");
        }
        assert!(
            before.elapsed() < Duration::from_secs(30),
            "long before the deadline"
        );
        assert_eq!(world.bash("s1", "git fetch").said(), "ask approval_mode");
    }
}

#[test]
fn when_the_editor_shuts_down_its_waiting_calls_are_blocked_at_once() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.shut_down_and_exit();
    assert_eq!(hook.said(), "block no_surface");
    let id = approval["id"].clone();
    // It may still have been told.
    screen.allow("countersign/approvalResolved");
    assert!(world.service.pending_of(id.as_str().unwrap()).is_none());
}

#[test]
fn a_title_that_was_not_offered_is_no_answer() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    for (n, reply) in [
        json!({ "title": "Yes" }),
        json!({ "title": "approve once" }),
        json!({ "title": "Approve once " }),
        json!({ "title": "" }),
        json!({ "title": 1 }),
        json!({}),
        json!("Approve once"),
        json!(true),
        json!([{ "title": "Approve once" }]),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = world.bash(&format!("s{n}"), "git push");
        let prompt = screen.prompt();
        screen.answer(&prompt.id, reply.clone());
        assert_eq!(hook.said(), "block person", "{reply}");
    }
}

#[test]
fn an_error_for_an_answer_is_no_answer() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    for (n, code) in [-32_603, -32_800, -32_602, 0].into_iter().enumerate() {
        let hook = world.bash(&format!("s{n}"), "git push");
        let prompt = screen.prompt();
        screen.answer_error(&prompt.id, code, "Approve once");
        assert_eq!(hook.said(), "block person");
    }
    let hook = world.bash("s9", "git push");
    let prompt = screen.prompt();
    assert_eq!(
        screen.approve(prompt, "Approve once", hook).said(),
        "allow approval"
    );
}

#[test]
fn a_click_faster_than_anybody_reads_approves_nothing_and_is_not_asked_in_a_hurry() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    screen.behave(PROMPT, Behaviour::Chooses("Approve once".to_owned()));
    // The last click may come when the call is blocked already, and is told so.
    screen.allow("window/showMessage");
    let hook = world.bash_within(Duration::from_secs(2), "s1", "git push");
    assert_eq!(hook.said(), "block timeout");
    let prompts = screen.behaved(PROMPT, 1).len();
    assert!(prompts <= 5, "{prompts} prompts in two seconds");
}

#[test]
fn a_flood_with_32_approvals_open_loses_none_of_them() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hooks: Vec<Hook> = (0..32)
        .map(|n| world.bash(&format!("s{}", n / 8), &format!("git push origin v{n}")))
        .collect();
    let approvals: Vec<Value> = (0..32).map(|_| screen.approval()).collect();
    screen.flood("file:///flood", 500);
    let begun: Vec<i64> = approvals
        .iter()
        .map(|approval| {
            screen.flood("file:///flood", 10);
            screen.begin_request("countersign/resolveApproval", answer(approval, "deny"))
        })
        .collect();
    for (id, approval) in begun.into_iter().zip(&approvals) {
        assert_eq!(screen.response(id).unwrap()["decision"], "block");
        assert_eq!(screen.resolved(approval), "cancel");
    }
    for hook in hooks {
        assert_eq!(hook.said(), "block person");
    }
}

#[test]
fn a_plain_editor_that_floods_before_each_answer_answers_all_of_them() {
    let world = World::new(Setup::default());
    let screen = world.plain();
    let hooks: Vec<Hook> = (0..8)
        .map(|n| world.bash(&format!("s{n}"), &format!("git push origin v{n}")))
        .collect();
    open(&world, 8);
    screen.behave(PROMPT, Behaviour::FloodsAndChooses("Deny".to_owned()));
    // The first prompt is there already, or comes to the behaviour.
    let first = screen.unread();
    for message in first.iter().filter(|message| message["method"] == PROMPT) {
        screen.answer(&message["id"], json!({ "title": "Deny" }));
    }
    for hook in hooks {
        assert_eq!(hook.said(), "block person");
    }
    let mut screen = screen;
    screen.allow(PROMPT);
}

#[test]
fn an_editor_that_does_not_read_holds_up_no_deadline() {
    let world = World::new(Setup::default());
    let screen = world.vscode();
    screen.stop_reading();
    let hooks: Vec<Hook> = (0..8)
        .map(|n| {
            let command = format!("ship {}", format!("{n}").repeat(60_000));
            world.bash_within(Duration::from_millis(500), &format!("s{n}"), &command)
        })
        .collect();
    for hook in hooks {
        assert_eq!(hook.said(), "block timeout");
    }
    let mut screen = screen;
    screen.allow("countersign/approvalRequested");
    screen.allow("countersign/approvalResolved");
    screen.read_on();
    assert_eq!(world.status(&mut screen)["pending"], 0);
}
