use countersign_engine::observer::HookResult;
use countersign_settings::HookEvent;
use countersign_user_hooks::{Done, Said};
use serde_json::json;

use crate::desk::Desk;

const ALLOW: &str = r#"echo '{"decision": "allow"}'"#;
const DENY: &str = r#"echo '{"decision": "deny", "message": "not today"}'"#;

fn request(commands: &[&str]) -> Done {
    let desk = Desk::new();
    desk.commands(HookEvent::PermissionRequest, commands);
    desk.fire(HookEvent::PermissionRequest)
}

fn deny(message: &str) -> Said {
    Said::Deny {
        message: Some(message.to_owned()),
    }
}

#[test]
fn each_end_of_a_request_hook_means_what_the_documentation_says() {
    for (command, said, result, status) in [
        (ALLOW, Said::Allow, HookResult::Allow, Some(0)),
        (DENY, deny("not today"), HookResult::Deny, Some(0)),
        ("true", Said::Nothing, HookResult::Silent, Some(0)),
        ("echo done", Said::Nothing, HookResult::Silent, Some(0)),
        ("echo no >&2; exit 2", deny("no"), HookResult::Deny, Some(2)),
        (
            "exit 2",
            Said::Deny { message: None },
            HookResult::Deny,
            Some(2),
        ),
        (
            r#"echo '{"decision": "allow"}'; echo oops >&2; exit 1"#,
            Said::Nothing,
            HookResult::Warning,
            Some(1),
        ),
        ("exit 3", Said::Nothing, HookResult::Warning, Some(3)),
        (
            "no-such-program",
            Said::Nothing,
            HookResult::Warning,
            Some(127),
        ),
        ("kill -9 $$", Said::Nothing, HookResult::Failed, None),
        ("echo '{'", Said::Nothing, HookResult::Failed, Some(0)),
    ] {
        let done = request(&[command]);
        assert_eq!(done.said, said, "{command}");
        let report = &done.reports[0];
        assert_eq!(report.run.result, result, "{command}: {report:?}");
        assert_eq!(report.run.status, status, "{command}: {report:?}");
        let is_well = matches!(
            result,
            HookResult::Silent | HookResult::Allow | HookResult::Deny
        );
        assert_eq!(report.problem.is_none(), is_well, "{command}: {report:?}");
    }
}

#[test]
fn hooks_that_only_tell_say_nothing_whatever_they_print_and_other_ends_are_warnings() {
    for event in [
        HookEvent::PermissionDenied,
        HookEvent::Notification,
        HookEvent::SessionStart,
        HookEvent::SessionEnd,
    ] {
        let desk = Desk::new();
        desk.commands(event, &[ALLOW, "echo why >&2; exit 2", "exit 1"]);
        let mut done = desk.fire(event);
        assert_eq!(done.said, Said::Nothing);
        done.reports.sort_by_key(|report| report.run.status);
        let told: Vec<_> = done
            .reports
            .iter()
            .map(|report| (report.run.result, report.problem.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                (HookResult::Silent, None),
                (HookResult::Warning, Some("it ended with status 1")),
                (HookResult::Warning, Some("it ended with status 2: why")),
            ]
        );
        assert_eq!(done.reports[0].run.event, event.as_str());
    }
}

#[test]
fn any_no_wins_over_any_yes_and_waits_for_nobody() {
    assert_eq!(request(&[ALLOW, ALLOW]).said, Said::Allow);
    for order in [[ALLOW, DENY], [DENY, ALLOW]] {
        assert_eq!(request(&order).said, deny("not today"));
    }
    let begin = std::time::Instant::now();
    assert_eq!(request(&["sleep 50", DENY]).said, deny("not today"));
    assert!(begin.elapsed() < std::time::Duration::from_secs(25));
}

#[test]
fn a_yes_counts_only_if_every_hook_ended_well() {
    for other in ["exit 1", "kill -9 $$", "echo '{'"] {
        assert_eq!(request(&[ALLOW, other]).said, Said::Nothing, "{other}");
    }
    assert_eq!(request(&[ALLOW, "true"]).said, Said::Allow);
}

#[test]
fn a_workspace_hook_may_say_no_and_never_yes() {
    let desk = Desk::new();
    desk.workspace_commands(HookEvent::PermissionRequest, &[ALLOW]);
    let done = desk.fire(HookEvent::PermissionRequest);
    assert_eq!(done.said, Said::Nothing);
    assert_eq!(done.reports[0].run.scope, "workspace");
    assert_eq!(done.reports[0].run.result, HookResult::Failed);
    desk.workspace_commands(HookEvent::PermissionRequest, &[DENY]);
    let done = desk.fire(HookEvent::PermissionRequest);
    assert_eq!(done.said, deny("not today"));
}

#[test]
fn a_hook_is_told_everything_in_one_object() {
    let desk = Desk::new();
    let told = desk.scratch("told");
    desk.commands(HookEvent::Notification, &[&format!("cat > {told}")]);
    desk.fire(HookEvent::Notification);
    let told: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(told).unwrap()).unwrap();
    assert_eq!(
        told,
        json!({
            "hook_event_name": "Notification",
            "agent": "claude-code",
            "session": "s1",
            "session_id": "s1",
            "agent_id": null,
            "cwd": desk.workspace,
            "workspace": desk.workspace,
            "permission_mode": "auto",
            "message": "hello",
        })
    );
}

#[test]
fn what_a_hook_says_is_bounded_and_shows_no_control_characters() {
    let done = request(&[r"printf '\033]0;title\007\033[2Jgone\n%0100000d' 0 >&2; exit 2"]);
    let Said::Deny {
        message: Some(message),
    } = done.said
    else {
        panic!("{done:?}");
    };
    assert!(
        message.len() <= 1_000 && message.contains("gone"),
        "{message}"
    );
    assert!(!message.chars().any(char::is_control), "{message}");
}
