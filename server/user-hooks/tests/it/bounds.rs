use std::sync::mpsc;
use std::time::{Duration, Instant};

use countersign_engine::observer::HookResult;
use countersign_settings::HookEvent;
use countersign_user_hooks::{Said, Tools, run};
use serde_json::json;

use crate::desk::{Desk, eventually, nothing, runner, runs, wait};

/// A program that starts another one that never ends, and never ends itself.
fn hanging(desk: &Desk) -> String {
    let (own, other) = (desk.scratch("own"), desk.scratch("other"));
    format!(
        "trap '' TERM INT HUP; sleep 600 & echo $! > {other}; echo $$ > {own}.new; \
         mv {own}.new {own}; while :; do sleep 600; done"
    )
}

fn ids(desk: &Desk) -> [String; 2] {
    ["own", "other"].map(|name| {
        let file = desk.scratch(name);
        let mut id = String::new();
        eventually("the hook runs", || {
            id = std::fs::read_to_string(&file).unwrap_or_default();
            id.ends_with('\n')
        });
        id.trim().to_owned()
    })
}

#[test]
fn a_hook_that_does_not_end_is_ended_with_everything_that_it_started() {
    let desk = Desk::new();
    desk.user(
        HookEvent::PermissionRequest,
        &json!([{ "hooks": [{ "type": "command", "command": hanging(&desk), "timeout": 1 }] }]),
    );
    let done = desk.fire(HookEvent::PermissionRequest);
    assert_eq!(done.said, Said::Nothing);
    let report = &done.reports[0];
    assert_eq!(report.run.result, HookResult::Timeout);
    assert_eq!(report.problem.as_deref(), Some("it did not end within 1 s"));
    for id in ids(&desk) {
        eventually("the process is gone", || !runs(&id));
    }
}

#[test]
fn the_deadline_of_the_call_comes_before_the_hooks_own_time() {
    let desk = Desk::new();
    desk.commands(HookEvent::PermissionRequest, &["sleep 50"]);
    let mut firing = desk.firing(HookEvent::PermissionRequest);
    let begin = Instant::now();
    firing.deadline = Some(begin + Duration::from_millis(50));
    let done = wait(run(firing, Tools::new(nothing)));
    assert_eq!(done.reports[0].run.result, HookResult::Timeout);
    assert!(begin.elapsed() < Duration::from_secs(25));
}

#[test]
fn a_hook_that_ends_takes_with_it_what_it_left_behind() {
    let desk = Desk::new();
    let other = desk.scratch("other");
    desk.commands(
        HookEvent::Notification,
        &[&format!("sleep 600 & echo $! > {other}")],
    );
    let begin = Instant::now();
    let done = desk.fire(HookEvent::Notification);
    assert_eq!(done.reports[0].run.result, HookResult::Silent, "{done:?}");
    assert!(begin.elapsed() < Duration::from_secs(25));
    let id = std::fs::read_to_string(other).unwrap();
    eventually("the process is gone", || !runs(id.trim()));
}

#[test]
fn who_gives_up_hooks_ends_them() {
    let desk = Desk::new();
    desk.commands(HookEvent::PermissionRequest, &[&hanging(&desk)]);
    let runner = runner();
    let (sender, done) = mpsc::channel();
    let running = runner.begin(desk.firing(HookEvent::PermissionRequest), move |ended| {
        let _ = sender.send(ended);
    });
    let ids = ids(&desk);
    running.end();
    for id in ids {
        eventually("the process is gone", || !runs(&id));
    }
    assert!(done.recv().is_err(), "nobody hears of it");
}

#[test]
fn the_end_of_the_server_ends_its_hooks() {
    let desk = Desk::new();
    desk.commands(HookEvent::Notification, &[&hanging(&desk)]);
    let runner = runner();
    let _running = runner.begin(desk.firing(HookEvent::Notification), |_| ());
    let ids = ids(&desk);
    runner.end(Duration::from_secs(20));
    for id in ids {
        eventually("the process is gone", || !runs(&id));
    }
}

#[test]
fn too_much_output_ends_a_hook_and_is_no_answer() {
    for command in [
        "yes",
        "yes >&2",
        r#"printf '{"decision": "allow", "x": "'; head -c 1048576 /dev/zero | tr '\0' a; echo '"}'"#,
    ] {
        let desk = Desk::new();
        desk.commands(HookEvent::PermissionRequest, &[command]);
        let done = desk.fire(HookEvent::PermissionRequest);
        assert_eq!(done.said, Said::Nothing, "{command}");
        let report = &done.reports[0];
        assert_eq!(report.run.result, HookResult::Failed, "{command}");
        assert_eq!(report.problem.as_deref(), Some("it wrote more than 1 MiB"));
    }
}

#[test]
fn a_hook_that_does_not_read_what_it_is_told_ends_all_the_same() {
    let desk = Desk::new();
    desk.commands(HookEvent::Notification, &["exec 0<&-; exit 0"]);
    let mut firing = desk.firing(HookEvent::Notification);
    let about = countersign_user_hooks::About {
        event: HookEvent::Notification,
        key: None,
        cwd: None,
        workspace: None,
        mode: None,
    };
    let long = "x".repeat(900_000);
    let payload = countersign_user_hooks::Payload::of_event(&about, &[("message", &long)]);
    firing.payload = std::sync::Arc::new(payload);
    let done = wait(run(firing, Tools::new(nothing)));
    assert_eq!(done.reports[0].run.result, HookResult::Silent);
}

#[test]
fn a_flood_of_events_starts_a_bounded_number_of_programs() {
    let desk = Desk::new();
    desk.commands(HookEvent::PermissionDenied, &["sleep 600"]);
    let runner = runner();
    let (sender, done) = mpsc::channel();
    for _ in 0..100 {
        let sender = sender.clone();
        let _running = runner.begin(desk.firing(HookEvent::PermissionDenied), move |ended| {
            let _ = sender.send(ended);
        });
    }
    // 8 run, 64 wait, and the others are told at once that they do not.
    for _ in 0..28 {
        let ended = done.recv_timeout(Duration::from_secs(30)).unwrap();
        let problem = ended.reports[0].problem.as_deref().unwrap();
        assert!(problem.contains("too many hooks"), "{problem}");
    }
    // One that somebody waits for is not held up by them.
    desk.commands(HookEvent::PermissionRequest, &["exit 2"]);
    let (sender, answered) = mpsc::channel();
    let _running = runner.begin(desk.firing(HookEvent::PermissionRequest), move |ended| {
        let _ = sender.send(ended.said);
    });
    let said = answered.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(said, Said::Deny { message: None });
    runner.end(Duration::from_secs(20));
}
