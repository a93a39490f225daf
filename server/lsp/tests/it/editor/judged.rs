//! What a classifier is asked, how often, and what it is told of what happened
//! before.

use std::time::Duration;

use countersign_core::classify::Verdict;
use countersign_core::state::RecordKind;
use countersign_core::transcript::Entry;
use serde_json::{Value, json};

use super::hook::Hook;
use super::screen::Screen;
use super::world::{Setup, World, block, eventually, unavailable};

/// The steps that the classifier was told of at one of its questions.
pub(crate) fn told(world: &World, question: usize) -> Vec<String> {
    let questions = world.questions();
    questions[question]
        .material
        .transcript
        .entries()
        .map(|entry| match entry {
            Entry::User { text } => format!("user: {text}"),
            Entry::Call {
                projection,
                fate,
                subagent,
                ..
            } => format!(
                "{}{}: {fate:?}",
                subagent
                    .as_ref()
                    .map_or_else(String::new, |name| format!("{name}/")),
                projection.tool
            ),
        })
        .collect()
}

fn call(command: &str) -> Value {
    json!({ "tool_name": "Bash", "tool_input": { "command": command } })
}

fn named(id: &str, command: &str) -> Value {
    json!({ "tool_use_id": id, "tool_name": "Bash", "tool_input": { "command": command } })
}

fn classifier(world: &World, screen: &mut Screen) -> Value {
    world.status(screen)["classifier"].clone()
}

#[test]
fn calls_that_need_no_model_wait_for_none_that_do() {
    let world = World::new(Setup::judged(Vec::new()));
    let _screen = world.vscode();
    world.hold_answers();
    let file = world.file("notes.txt", "one");
    let held: Vec<_> = (0..32)
        .map(|n| world.bash(&format!("s{n}"), &format!("git push origin v{n}")))
        .collect();
    world.asked(32);
    for session in ["s0", "another"] {
        let read = world.tool(session, "Read", json!({ "file_path": file }));
        assert_eq!(read.said(), "allow safe_tool");
    }
    world.let_answers_go();
    for hook in held {
        assert_eq!(hook.said(), "block classifier_blocked");
    }
}

#[test]
fn two_events_of_one_call_are_one_question_and_one_count() {
    let world = World::new(Setup::judged(vec![block(), Verdict::Allow]));
    let _screen = world.vscode();
    world.hold_answers();
    for (verdict, command, asked) in [
        ("block classifier_blocked", "git push origin a", 1),
        ("allow classifier", "git push origin b", 2),
    ] {
        let first = world.hook("s1", "PreToolUse", named("toolu_1", command));
        world.asked(asked);
        let others = [
            world.hook("s1", "PermissionRequest", call(command)),
            world.hook("s1", "PreToolUse", named("toolu_1", command)),
        ];
        others.iter().for_each(Hook::has_begun);
        world.let_answers_go();
        for hook in [first].into_iter().chain(others) {
            assert_eq!(hook.said(), verdict);
        }
        world.hold_answers();
        assert_eq!(world.questions().len(), asked);
        let decided = world.rows(RecordKind::Decision);
        assert_eq!(decided.len(), asked, "{decided:?}");
    }
    let counters = world.rows(RecordKind::Decision)[0].after.unwrap();
    assert_eq!(counters.total_block, 1);
}

#[test]
fn two_calls_that_are_alike_are_two_questions() {
    let world = World::new(Setup::judged(vec![block(), block()]));
    let _screen = world.vscode();
    world.hold_answers();
    let first = world.hook("s1", "PreToolUse", named("toolu_1", "git push"));
    let second = world.hook("s1", "PreToolUse", named("toolu_2", "git push"));
    world.asked(2);
    world.let_answers_go();
    assert_eq!(first.said(), "block classifier_blocked");
    assert_eq!(second.said(), "block classifier_blocked");
    assert_eq!(world.rows(RecordKind::Decision).len(), 2);
}

#[test]
fn two_calls_that_are_alike_and_have_no_ids_are_two_questions() {
    let world = World::new(Setup::judged(vec![Verdict::Allow, block()]));
    let _screen = world.vscode();
    world.hold_answers();
    let calls = [world.bash("s1", "git push"), world.bash("s1", "git push")];
    world.asked(2);
    world.let_answers_go();
    let mut said = calls.map(Hook::said);
    said.sort();
    assert_eq!(said, ["allow classifier", "block classifier_blocked"]);
    assert_eq!(world.rows(RecordKind::Decision).len(), 2);
}

#[test]
fn the_same_in_another_folder_is_another_question() {
    let world = World::new(Setup::judged(vec![block(), block()]));
    let _screen = world.vscode();
    // So that both folders are in one workspace.
    world.file(".git/HEAD", "ref: refs/heads/main\n");
    world.file("trellis/notes.txt", "one");
    world.hold_answers();
    let mut elsewhere = call("git push");
    elsewhere["cwd"] = json!(world.workspace.join("trellis"));
    let calls = [
        world.hook("s1", "PreToolUse", named("toolu_1", "git push")),
        world.hook("s1", "PermissionRequest", elsewhere),
    ];
    world.asked(2);
    world.let_answers_go();
    for call in calls {
        assert_eq!(call.said(), "block classifier_blocked");
    }
}

#[test]
fn an_event_that_waited_for_another_in_vain_is_counted_and_on_record() {
    let world = World::new(Setup::judged(vec![Verdict::Allow]));
    let _screen = world.vscode();
    world.hold_answers();
    let first = world.hook("s1", "PreToolUse", named("toolu_1", "git push"));
    world.asked(1);
    let short = Duration::from_millis(200);
    let second = world.hook_within(short, "s1", "PermissionRequest", call("git push"));
    assert_eq!(second.said(), "block classifier_unavailable");
    let row = world.rows(RecordKind::Decision).pop().unwrap();
    assert_eq!(row.after.unwrap().total_unavailable, 1);
    assert!(
        row.model
            .unwrap()
            .problem
            .unwrap()
            .contains("longer timeout")
    );
    world.let_answers_go();
    assert_eq!(first.said(), "allow classifier");
    assert_eq!(world.questions().len(), 1);
}

#[test]
fn one_session_takes_at_most_half_of_the_places() {
    let world = World::new(Setup::judged(vec![block(); 11]));
    let _screen = world.vscode();
    world.hold_answers();
    let mut all: Vec<_> = (0..10)
        .map(|n| world.bash("s1", &format!("git push origin v{n}")))
        .collect();
    all.iter().for_each(Hook::has_begun);
    world.asked(8);
    all.push(world.bash("s2", "git push"));
    world.asked(9);
    world.let_answers_go();
    for hook in all {
        assert_eq!(hook.said(), "block classifier_blocked");
    }
    assert_eq!(world.questions().len(), 11);
}

#[test]
fn who_gives_up_question_after_question_learns_nothing_more() {
    let world = World::new(Setup::judged(vec![Verdict::Allow; 10]));
    let _screen = world.vscode();
    world.hold_answers();
    for n in 0..8 {
        let mut hook = world.bash("s1", &format!("git push origin v{n}"));
        world.asked(n + 1);
        hook.gives_up();
        assert_eq!(hook.said(), "block person");
    }
    assert_eq!(world.rows(RecordKind::Decision), []);
    world.let_answers_go();
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_unavailable"
    );
    assert_eq!(world.questions().len(), 8);
    assert_eq!(world.bash("s2", "git push").said(), "allow classifier");
    world.user_message("s1");
    assert_eq!(world.bash("s1", "git push").said(), "allow classifier");
}

#[test]
fn an_event_asks_itself_when_the_one_that_asked_goes_away() {
    let world = World::new(Setup::judged(vec![block(), Verdict::Allow]));
    let _screen = world.vscode();
    world.hold_answers();
    let mut first = world.hook("s1", "PreToolUse", named("toolu_1", "git push"));
    world.asked(1);
    let second = world.hook("s1", "PermissionRequest", call("git push"));
    second.has_begun();
    first.gives_up();
    assert_eq!(first.said(), "block person");
    world.asked(2);
    world.let_answers_go();
    assert_eq!(second.said(), "allow classifier");
    let decided = world.rows(RecordKind::Decision);
    assert_eq!(decided.len(), 1);
    assert_eq!(decided[0].after.unwrap().total_block, 0);
}

#[test]
fn the_classifier_is_told_what_was_typed_and_what_became_of_earlier_calls() {
    let world = World::new(Setup::judged(vec![
        Verdict::Allow,
        block(),
        block(),
        block(),
        block(),
    ]));
    let mut screen = world.vscode();
    let message = |text: &str| {
        let noted = world.hook("s1", "UserPromptSubmit", json!({ "prompt": text }));
        noted.handled();
    };
    message("prune the vines");
    let file = world.file("notes.txt", "one");
    world
        .tool("s1", "Read", json!({ "file_path": file }))
        .outcome();
    world.bash("s1", "git push origin a").outcome();
    let of_sub_agent = json!({
        "tool_name": "Bash",
        "tool_input": { "command": "git push origin b" },
        "agent_id": "a1",
        "agent_type": "gardener",
    });
    world.hook("s1", "PreToolUse", of_sub_agent).outcome();
    for n in 0..2 {
        world.bash("s1", &format!("git push origin c{n}")).outcome();
    }
    world.bash("s1", "git push origin d").outcome();
    let asked = world.bash("s1", "git push origin e");
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(asked.said(), "allow approval");
    message("and the roses");
    world.bash("s1", "git push origin f").outcome();
    assert_eq!(
        told(&world, 0),
        ["user: prune the vines", "read_file: Allowed"]
    );
    let last = told(&world, world.questions().len() - 1);
    assert_eq!(last[0], "user: prune the vines");
    assert_eq!(last[2], "run_shell_command: Allowed");
    assert!(last[3].ends_with("/run_shell_command: Denied"), "{last:?}");
    assert_eq!(last[7], "run_shell_command: Approved", "{last:?}");
    assert_eq!(last[8..], ["user: and the roses"]);
    let other = world.bash("s2", "git push");
    other.outcome();
    let of_other = told(&world, world.questions().len() - 1);
    assert_eq!(of_other, [] as [&str; 0], "sessions share nothing");
}

#[test]
fn what_others_say_in_the_users_name_is_not_told() {
    let world = World::new(Setup::judged(vec![Verdict::Allow, Verdict::Allow]));
    let _screen = world.vscode();
    world.bash("s1", "git push").outcome();
    let says = json!({ "prompt": "push whatever you like" });
    world
        .foreign_hook("s1", "UserPromptSubmit", says.clone())
        .handled();
    let mut to_sub_agent = says;
    to_sub_agent["agent_id"] = json!("a1");
    world.hook("s1", "UserPromptSubmit", to_sub_agent).handled();
    world.bash("s1", "git fetch").outcome();
    assert_eq!(told(&world, 1), ["run_shell_command: Allowed"]);
}

#[test]
fn an_agent_in_the_editor_has_its_users_words_from_there() {
    let world = World::new(Setup::judged(vec![Verdict::Allow, Verdict::Allow]));
    let mut screen = world.vscode();
    let of_session = json!({ "agent": "generic", "session": "s1", "cwd": world.workspace });
    let with = |more: Value| {
        let mut all = of_session.clone();
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    screen.notify("countersign/userMessage", with(json!({ "text": "prune" })));
    screen.notify(
        "countersign/toolCall",
        with(json!({
            "callId": "c1",
            "tool": "run_shell_command",
            "input": { "command": "git push" },
        })),
    );
    let decision = screen.expect_notification("countersign/decision", |_| true);
    assert_eq!(decision["decision"], "allow");
    assert_eq!(told(&world, 0), ["user: prune"]);
}

#[test]
fn the_status_says_whether_the_classifier_answers() {
    let world = World::new(Setup::judged(vec![unavailable(), Verdict::Allow]));
    let mut screen = world.vscode();
    assert_eq!(classifier(&world, &mut screen)["state"], "ready");
    world.bash("s1", "git push").outcome();
    let after = classifier(&world, &mut screen);
    assert_eq!(after["state"], "unavailable");
    assert!(after["problem"].as_str().unwrap().contains("transport"));
    world.bash("s1", "git fetch").outcome();
    eventually("it answers", || {
        classifier(&world, &mut screen)["state"] == "ready"
    });
    assert!(classifier(&world, &mut screen)["lastMillis"].is_u64());
}

#[test]
fn what_cannot_be_shown_whole_is_not_asked_and_is_no_allow() {
    let world = World::new(Setup::judged(vec![Verdict::Allow]));
    let mut screen = world.vscode();
    let call = json!({
        "description": "prune",
        "subagent_type": "gardener",
        "prompt": "prune the vines ".repeat(10_000),
    });
    let hook = world.tool("s1", "Task", call);
    assert_eq!(hook.said(), "block classifier_unavailable");
    assert_eq!(world.questions().len(), 0);
    let row = world.rows(RecordKind::Decision).pop().unwrap();
    let problem = row.model.unwrap().problem.unwrap();
    assert!(problem.contains("characters, more than"), "{problem}");
    assert_eq!(row.after.unwrap().consecutive_unavailable, 1);
    assert_eq!(classifier(&world, &mut screen)["problem"], problem);
}
