//! Agents inside the editor: their calls are decided in the order sent, and
//! what cannot be understood is a block that says what is wrong.

use countersign_core::state::RecordKind;
use serde_json::{Value, json};

use super::screen::Screen;
use super::world::{Setup, World, block, eventually};

fn call(world: &World, session: &str, id: &str, command: &str) -> Value {
    json!({
        "agent": "generic",
        "session": session,
        "callId": id,
        "cwd": world.workspace,
        "tool": "run_shell_command",
        "input": { "command": command },
    })
}

fn decision(screen: &mut Screen, id: &str) -> Value {
    screen.expect_notification("countersign/decision", |params| params["callId"] == id)
}

fn event(world: &World, session: &str) -> Value {
    json!({ "agent": "generic", "session": session, "cwd": world.workspace, "text": "go on" })
}

#[test]
fn calls_are_decided_in_the_order_sent() {
    let user = json!({ "permissions": { "allow": ["Bash(git status)"] } });
    let world = World::new(Setup {
        user: Some(user.to_string()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    for n in 0..20 {
        screen.notify(
            "countersign/toolCall",
            call(&world, "s1", &format!("c{n}"), "git status"),
        );
    }
    for n in 0..20 {
        let answer = decision(&mut screen, &format!("c{n}"));
        assert_eq!(answer["decision"], "allow");
        assert_eq!(answer["reason"], "rule");
        assert_eq!(answer["agent"], "generic");
        assert_eq!(answer["session"], "s1");
    }
    eventually("20 rows", || world.rows(RecordKind::Decision).len() == 20);
    let order: Vec<String> = world
        .rows(RecordKind::Decision)
        .into_iter()
        .map(|row| row.agent_call.unwrap())
        .collect();
    let sent: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
    assert_eq!(order, sent);
}

#[test]
fn denials_count_in_the_order_sent_and_the_cap_asks_at_the_right_call() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let mut screen = world.vscode();
    for n in 0..3 {
        let command = format!("git push origin v{n}");
        screen.notify(
            "countersign/toolCall",
            call(&world, "s1", &format!("c{n}"), &command),
        );
        let answer = decision(&mut screen, &format!("c{n}"));
        assert_eq!(answer["reason"], "classifier_blocked");
        assert_eq!(answer["counters"]["consecutiveBlock"], n + 1);
    }
    screen.notify(
        "countersign/toolCall",
        call(&world, "s1", "c3", "git fetch"),
    );
    let approval = screen.approval();
    assert_eq!(approval["reason"], "consecutive_block");
    screen.choose(&approval, "approve");
    let answer = decision(&mut screen, "c3");
    assert_eq!(answer["decision"], "allow");
    assert_eq!(answer["reason"], "approval");
    assert_eq!(answer["asked"], "consecutive_block");
    assert_eq!(answer["capKind"], "consecutive");
    assert_eq!(answer["id"], approval["id"]);
}

#[test]
fn the_counters_of_an_answer_are_those_after_it() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let mut screen = world.vscode();
    for n in 0..3 {
        let command = format!("git push origin v{n}");
        screen.notify(
            "countersign/toolCall",
            call(&world, "s1", &format!("c{n}"), &command),
        );
        decision(&mut screen, &format!("c{n}"));
    }
    screen.notify(
        "countersign/toolCall",
        call(&world, "s1", "c3", "git fetch"),
    );
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    let answer = decision(&mut screen, "c3");
    assert_eq!(
        answer["counters"],
        json!({ "consecutiveBlock": 0, "consecutiveUnavailable": 0, "totalBlock": 3, "totalUnavailable": 0 })
    );
}

#[test]
fn a_call_that_waits_for_a_person_holds_up_no_other() {
    let user = json!({ "permissions": { "allow": ["Bash(git status)"] } });
    let world = World::new(Setup {
        user: Some(user.to_string()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    screen.notify(
        "countersign/toolCall",
        call(&world, "s1", "waits", "git push"),
    );
    let approval = screen.approval();
    screen.notify(
        "countersign/toolCall",
        call(&world, "s1", "quick", "git status"),
    );
    assert_eq!(decision(&mut screen, "quick")["decision"], "allow");
    screen.choose(&approval, "deny");
    assert_eq!(decision(&mut screen, "waits")["reason"], "person");
}

#[test]
fn a_cancelled_call_closes_its_prompt_and_is_blocked() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    screen.notify("countersign/toolCall", call(&world, "s1", "c1", "git push"));
    let approval = screen.approval();
    for foreign in [
        json!({ "agent": "generic", "session": "s2", "callId": "c1" }),
        json!({ "agent": "generic", "session": "s1", "callId": "c2" }),
        json!({ "agent": "qwen", "session": "s1", "callId": "c1" }),
    ] {
        screen.notify("countersign/cancelToolCall", foreign);
    }
    world.status(&mut screen);
    assert_eq!(world.service.pending().len(), 1);
    let cancel = json!({ "agent": "generic", "session": "s1", "callId": "c1" });
    screen.notify("countersign/cancelToolCall", cancel.clone());
    assert_eq!(screen.resolved(&approval), "aborted");
    assert_eq!(decision(&mut screen, "c1")["decision"], "block");
    screen.notify("countersign/cancelToolCall", cancel);
}

#[test]
fn a_result_settles_its_call_and_one_without_a_decision_raises_the_alarm() {
    let user = json!({ "permissions": { "allow": ["Bash(git status)"] } });
    let world = World::new(Setup {
        user: Some(user.to_string()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    screen.notify(
        "countersign/toolCall",
        call(&world, "s1", "c1", "git status"),
    );
    decision(&mut screen, "c1");
    screen.notify(
        "countersign/toolResult",
        call(&world, "s1", "c1", "git status"),
    );
    eventually("the result", || world.rows(RecordKind::Result).len() == 1);
    screen.notify(
        "countersign/toolResult",
        call(&world, "s1", "c2", "git push"),
    );
    screen.message("UNGUARDED");
    eventually("the alarm", || world.rows(RecordKind::Unguarded).len() == 1);
}

#[test]
fn a_message_of_the_user_lets_what_was_rejected_be_asked_again() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    screen.notify("countersign/toolCall", call(&world, "s1", "c1", "git push"));
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    decision(&mut screen, "c1");
    screen.notify("countersign/toolCall", call(&world, "s1", "c2", "git push"));
    let again = decision(&mut screen, "c2");
    assert!(
        again["message"]
            .as_str()
            .unwrap()
            .contains("rejected a moment ago")
    );
    screen.notify("countersign/userMessage", event(&world, "s1"));
    screen.notify("countersign/toolCall", call(&world, "s1", "c3", "git push"));
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(decision(&mut screen, "c3")["decision"], "allow");
}

#[test]
fn the_end_of_a_session_clears_no_counter() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.vscode();
    screen.notify("countersign/sessionStart", event(&world, "s1"));
    screen.notify("countersign/toolCall", call(&world, "s1", "c1", "git push"));
    decision(&mut screen, "c1");
    screen.notify("countersign/sessionEnd", event(&world, "s1"));
    let status = screen.status_when(|status| status["sessions"][0]["ended"] == true);
    assert_eq!(status["sessions"][0]["counters"]["totalBlock"], 1);
    screen.notify("countersign/sessionStart", event(&world, "s1"));
    let status = screen.status_when(|status| status["sessions"][0]["ended"] == false);
    assert_eq!(status["sessions"][0]["counters"]["totalBlock"], 1);
}

#[test]
fn a_call_that_is_not_understood_is_a_block_that_names_the_field() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let good = call(&world, "s1", "c1", "git push");
    for (n, (field, value, says)) in [
        ("agent", json!("nobody"), "nobody"),
        ("session", json!(""), "session"),
        ("session", json!("s".repeat(10_000)), "session"),
        ("session", json!("s\n1"), "session"),
        ("cwd", json!("relative/path"), "cwd"),
        ("cwd", json!(""), "cwd"),
        ("input", json!({}), "command"),
        ("input", json!({ "command": 7 }), "command"),
        (
            "input",
            json!({ "command": "x".repeat(5 * 1024 * 1024) }),
            "bytes",
        ),
        ("input", Value::Null, "input"),
        ("input", json!("git push"), "input"),
        ("tool", json!(""), "tool"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut bad = good.clone();
        bad["callId"] = json!(format!("bad{n}"));
        bad[field] = value.clone();
        screen.notify("countersign/toolCall", bad);
        let answer = decision(&mut screen, &format!("bad{n}"));
        assert_eq!(answer["decision"], "block", "{field}: {value}");
        assert_eq!(answer["reason"], "invalid_call", "{field}: {value}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(says), "{field}: {value}: {message}");
        assert_eq!(answer.get("id"), None);
    }
    assert!(world.service.pending().is_empty());
}

#[test]
fn a_tool_that_nobody_knows_is_asked_about_and_never_safe() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for (n, tool) in ["teleport", "Read_File", "read_file ", "mcp__vines__prune"]
        .iter()
        .enumerate()
    {
        let mut strange = call(&world, "s1", &format!("c{n}"), "");
        strange["tool"] = json!(tool);
        strange["input"] = json!({ "path": "notes.txt" });
        screen.notify("countersign/toolCall", strange);
        let approval = screen.approval();
        screen.choose(&approval, "approve");
        assert_eq!(
            decision(&mut screen, &format!("c{n}"))["reason"],
            "approval",
            "{tool}"
        );
    }
}

#[test]
fn of_257_calls_under_way_the_last_is_blocked_and_the_others_can_be_cancelled() {
    let world = World::new(Setup {
        thinks: true,
        ..Setup::judged(Vec::new())
    });
    let mut screen = world.vscode();
    let id = |n: usize| format!("c{n}");
    for n in 0..257 {
        let session = format!("s{}", n % 100);
        let command = format!("git push origin v{n}");
        screen.notify(
            "countersign/toolCall",
            call(&world, &session, &id(n), &command),
        );
    }
    let last = decision(&mut screen, &id(256));
    assert_eq!(last["decision"], "block");
    assert_eq!(last["reason"], "invalid_call");
    let message = last["message"].as_str().unwrap();
    assert!(
        message.contains("more than 256 calls are under way"),
        "{message}"
    );
    for n in 0..256 {
        let session = format!("s{}", n % 100);
        let cancel = json!({ "agent": "generic", "session": session, "callId": id(n) });
        screen.notify("countersign/cancelToolCall", cancel);
    }
    for n in 0..256 {
        assert_eq!(decision(&mut screen, &id(n))["decision"], "block");
    }
    // A question that was cancelled is not concluded: it counts for nothing.
    assert_eq!(world.rows(RecordKind::Decision), []);
    screen.notify(
        "countersign/toolCall",
        call(&world, "s1", "again", "git push"),
    );
    let cancel = json!({ "agent": "generic", "session": "s1", "callId": "again" });
    screen.notify("countersign/cancelToolCall", cancel);
    assert_eq!(decision(&mut screen, "again")["reason"], "person");
}

#[test]
fn many_calls_at_once_that_need_a_person_are_denied_beyond_what_one_can_answer() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for n in 0..200 {
        let session = format!("s{}", n % 100);
        let command = format!("git push origin v{n}");
        screen.notify(
            "countersign/toolCall",
            call(&world, &session, &format!("c{n}"), &command),
        );
    }
    for _ in 0..200 - 32 {
        let answer = screen.expect_notification("countersign/decision", |_| true);
        assert_eq!(answer["decision"], "block");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("too many approvals"), "{message}");
    }
    for _ in 0..32 {
        let approval = screen.approval();
        screen.choose(&approval, "deny");
        let answer = screen.expect_notification("countersign/decision", |_| true);
        assert_eq!(answer["reason"], "person");
    }
}

#[test]
fn an_agents_own_dialog_is_left_alone() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut question = call(&world, "s1", "c1", "");
    question["tool"] = json!("ask_user_question");
    question["input"] = json!({ "questions": [] });
    screen.notify("countersign/toolCall", question);
    let answer = decision(&mut screen, "c1");
    assert_eq!(answer["decision"], "none");
    assert_eq!(answer["reason"], "no_opinion");
}

#[test]
fn the_time_that_an_agent_waits_is_its_own_and_bounded() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut short = call(&world, "s1", "c1", "git push");
    short["timeoutMs"] = json!(200);
    screen.notify("countersign/toolCall", short);
    let approval = screen.approval();
    assert_eq!(screen.resolved(&approval), "timeout");
    assert_eq!(decision(&mut screen, "c1")["reason"], "timeout");
    let mut long = call(&world, "s1", "c2", "git push");
    long["timeoutMs"] = json!(u64::MAX);
    screen.notify("countersign/toolCall", long);
    let approval = screen.approval();
    let time = approval["deadline"].as_i64().unwrap() - approval["askedAt"].as_i64().unwrap();
    assert!(time <= 10 * 60 * 1_000, "{time} ms");
    screen.choose(&approval, "deny");
    decision(&mut screen, "c2");
}

#[test]
fn the_agent_s_plan_mode_blocks_what_changes_something() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut planned = call(&world, "s1", "c1", "git push");
    planned["planMode"] = json!(true);
    screen.notify("countersign/toolCall", planned);
    assert_eq!(decision(&mut screen, "c1")["reason"], "plan_mode");
}
