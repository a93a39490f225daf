//! One span for each call, and children for its parts.

use std::time::{Duration, SystemTime};

use countersign_core::approval::{Answer, AnswerSource, NotAsked};
use countersign_core::classify::Verdict;
use countersign_core::denials::DenialLimits;
use countersign_core::state::CallEvent;
use countersign_engine::events::AgentEvent;
use countersign_engine::observer::{HookResult, HookRun};
use countersign_engine::request::Asking;
use countersign_telemetry::names::{self, BLOCKED_ON_USER, CALL};
use serde_json::json;

use crate::collector::{Behaviour, Collector};
use crate::desk::{Desk, PROTOCOLS, blocked};
use crate::received::said;

const COMMAND: &str = "curl https://example.com/x";

fn names_of(spans: &[&opentelemetry_proto::tonic::trace::v1::Span]) -> Vec<String> {
    let mut names: Vec<String> = spans.iter().map(|span| span.name.clone()).collect();
    names.sort();
    names
}

#[test]
fn a_call_has_a_child_for_every_part_that_was_at_work() {
    let desk = Desk::new(PROTOCOLS[0]);
    desk.run("s", "ls", &Verdict::Allow);
    let received = desk.finish();
    let call = received.only(CALL);
    assert!(call.parent_span_id.is_empty());
    let below = received.below(call);
    assert_eq!(names_of(&below), [names::RULES, names::STATIC_ANALYSIS]);
    let analysis = received.only(names::STATIC_ANALYSIS);
    assert_eq!(
        said(&analysis.attributes, names::VERDICT).as_deref(),
        Some("read_only")
    );
    for part in below {
        assert!(part.start_time_unix_nano >= call.start_time_unix_nano);
        assert!(part.end_time_unix_nano <= call.end_time_unix_nano);
    }
    let desk = Desk::new(PROTOCOLS[1]);
    let denied = desk.run("s", COMMAND, &blocked());
    desk.engine.hook_ran(&HookRun {
        call: Some(denied.outcome.call),
        event: "PermissionDenied",
        kind: "command",
        scope: "user",
        result: HookResult::Timeout,
        status: None,
        began: SystemTime::now(),
        took: Duration::from_millis(3),
    });
    let received = desk.finish();
    let below = received.below(received.only(CALL));
    let expected = [
        names::CLASSIFIER,
        names::CLASSIFIER,
        names::HOOK,
        names::RULES,
        names::STATIC_ANALYSIS,
    ];
    assert_eq!(names_of(&below), expected);
    let hook = received.only(names::HOOK);
    assert_eq!(
        said(&hook.attributes, names::HOOK_RESULT).as_deref(),
        Some("timeout")
    );
    assert_eq!(
        hook.end_time_unix_nano - hook.start_time_unix_nano,
        3_000_000
    );
}

#[test]
fn the_trace_of_the_agent_goes_on_and_cannot_switch_the_export_off() {
    let mut desk = Desk::new(PROTOCOLS[0]);
    // The agent says that it does not sample.
    let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    desk.trace = Some(given.parse().unwrap());
    desk.run("s", "ls", &Verdict::Allow);
    let received = desk.finish();
    let call = received.only(CALL);
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    assert_eq!(hex(&call.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&call.parent_span_id), "b7ad6b7169203331");
    assert_ne!(call.span_id, call.parent_span_id);
    for part in received.below(call) {
        assert_eq!(part.trace_id, call.trace_id);
    }
}

#[test]
fn a_later_event_of_a_call_has_no_span_of_its_own() {
    let mut desk = Desk::new(PROTOCOLS[0]);
    desk.run("s", "ls", &Verdict::Allow);
    desk.event = CallEvent::PermissionRequest;
    let again = desk.run("s", "ls", &Verdict::Allow);
    assert!(again.outcome.joined);
    let received = desk.finish();
    received.only(CALL);
    assert_eq!(received.points("countersign.decisions")[0].value, 1);
}

#[test]
fn every_wait_for_a_person_begins_and_ends() {
    let ask = json!({"permissions": {"ask": ["Bash(ls)"]}});
    let cancel = Answer::Cancel { message: None };
    let not_asked = Answer::NotAsked {
        because: NotAsked::Paused,
    };
    for (answer, source, decision, exactly) in [
        (
            Answer::ProceedOnce,
            AnswerSource::Neovim,
            "proceed_once",
            "proceed_once",
        ),
        (
            Answer::ProceedAlways,
            AnswerSource::Vscode,
            "proceed_always",
            "proceed_always",
        ),
        (
            Answer::ProceedOnceAndSwitchToDefault,
            AnswerSource::OtherEditor,
            "proceed_once_and_switch_to_default",
            "proceed_once_and_switch_to_default",
        ),
        (cancel, AnswerSource::StandardPrompt, "cancel", "cancel"),
        (
            Answer::Dismissed,
            AnswerSource::Vscode,
            "cancel",
            "dismissed",
        ),
        (Answer::Timeout, AnswerSource::None, "timeout", "timeout"),
        (Answer::Aborted, AnswerSource::None, "aborted", "aborted"),
        (
            Answer::NoSurface,
            AnswerSource::None,
            "aborted",
            "no_surface",
        ),
        (not_asked, AnswerSource::None, "aborted", "not_asked"),
    ] {
        let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
        let desk = Desk::with(&setup, &ask);
        let asked = desk.run("s", "ls", &Verdict::Allow);
        desk.answer(&asked, &answer, source);
        let received = desk.finish();
        let wait = received.only(BLOCKED_ON_USER);
        let said_of = |name| said(&wait.attributes, name).unwrap();
        assert_eq!(said_of(names::DECISION), decision);
        assert_eq!(said_of(names::ANSWER), exactly);
        assert_eq!(said_of(names::SOURCE), source.as_str());
        let outcome = said(&received.only(CALL).attributes, names::OUTCOME);
        let expected = if answer.proceeds() { "allow" } else { "block" };
        assert_eq!(outcome.as_deref(), Some(expected));
    }
}

#[test]
fn where_nobody_can_be_asked_the_wait_is_there_without_length() {
    let ask = json!({"permissions": {"ask": ["Bash(ls)"]}});
    let setup = Collector::new(PROTOCOLS[1], Behaviour::Takes).into();
    let mut desk = Desk::with(&setup, &ask);
    desk.asking = Asking::Nobody;
    desk.run("s", "ls", &Verdict::Allow);
    let received = desk.finish();
    let (call, wait) = (received.only(CALL), received.only(BLOCKED_ON_USER));
    assert_eq!(wait.parent_span_id, call.span_id);
    assert_eq!(wait.start_time_unix_nano, wait.end_time_unix_nano);
    assert_eq!(
        said(&wait.attributes, names::ANSWER).as_deref(),
        Some("no_surface")
    );
    assert_eq!(
        said(&wait.attributes, names::SOURCE).as_deref(),
        Some("none")
    );
    assert_eq!(
        said(&call.attributes, names::CALL_DECISION).as_deref(),
        Some("ask")
    );
    assert_eq!(
        said(&call.attributes, names::OUTCOME).as_deref(),
        Some("block")
    );
}

#[test]
fn the_agents_own_prompt_ends_with_what_the_agent_reports() {
    let ask = json!({"permissions": {"ask": ["Bash(ls)"]}});
    let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
    let mut desk = Desk::with(&setup, &ask);
    desk.asking = Asking::Delegate;
    let asked = desk.run("s", "ls", &Verdict::Allow);
    let result = AgentEvent::Result {
        call: &asked.call,
        failed: false,
    };
    let process = desk.process();
    let limits = DenialLimits::default();
    desk.engine
        .note(&asked.outcome.key, result, Some(&process), limits)
        .unwrap();
    let received = desk.finish();
    let wait = received.only(BLOCKED_ON_USER);
    assert_eq!(
        said(&wait.attributes, names::SOURCE).as_deref(),
        Some("agent")
    );
    assert_eq!(
        said(&wait.attributes, names::DECISION).as_deref(),
        Some("proceed_once")
    );
}

#[test]
fn what_is_void_or_never_answered_ends_too() {
    let ask = json!({"permissions": {"ask": ["Bash(ls)"]}});
    let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
    let desk = Desk::with(&setup, &ask);
    let void = desk.run("s", "ls", &Verdict::Allow);
    desk.void(&void);
    desk.run("t", "ls", &Verdict::Allow);
    let received = desk.finish();
    let mut answers: Vec<_> = received
        .named(BLOCKED_ON_USER)
        .iter()
        .filter_map(|wait| said(&wait.attributes, names::ANSWER))
        .collect();
    answers.sort();
    assert_eq!(answers, ["unfinished", "void"]);
    assert_eq!(received.named(CALL).len(), 2);
}

#[test]
fn a_tool_that_ran_unguarded_is_an_error_in_the_logs() {
    let desk = Desk::new(PROTOCOLS[0]);
    let decided = desk.run("s", "ls", &Verdict::Allow);
    let other = desk.shell("s", "ls -a");
    let result = AgentEvent::Result {
        call: &other,
        failed: false,
    };
    let process = desk.process();
    let limits = DenialLimits::default();
    desk.engine
        .note(&decided.outcome.key, result, Some(&process), limits)
        .unwrap();
    let received = desk.finish();
    let logs = received.log(names::LOG_UNGUARDED);
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].severity_text, "ERROR");
    assert_eq!(received.points("countersign.unguarded")[0].value, 1);
}

#[test]
fn the_logs_are_the_lines_of_the_one_formatter_and_belong_to_their_calls() {
    let desk = Desk::new(PROTOCOLS[1]);
    desk.run("s", COMMAND, &blocked());
    let received = desk.finish();
    let logs = received.log(names::LOG_BLOCKED);
    let body = logs[0].body.clone().unwrap().value.unwrap();
    let opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(body) = body else {
        panic!("{body:?}");
    };
    assert_eq!(
        body,
        "Auto mode blocked (classifier_blocked): tool=run_shell_command, consecutiveBlock=1, \
         consecutiveUnavailable=0, totalBlock=1, totalUnavailable=0"
    );
    let call = received.only(CALL);
    assert_eq!(
        (&logs[0].trace_id, &logs[0].span_id),
        (&call.trace_id, &call.span_id)
    );
}
