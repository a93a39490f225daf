//! What the issue about telemetry of auto mode asks for, on exported data and
//! over both protocols.

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason;
use countersign_telemetry::names::{
    self, ATTRIBUTES, BLOCKED_ON_USER, CALL, CAP_KIND, CONSECUTIVE_DENIALS, FALLBACK_REASON,
    PERMISSION_DENIED, TOTAL_DENIALS,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use crate::collector::{Behaviour, Collector};
use crate::desk::{Desk, PROTOCOLS, blocked};
use crate::received::{Received, said};

const COMMAND: &str = "curl https://example.com/x";

fn attribute(span: &Span, name: &str) -> Option<String> {
    said(&span.attributes, name)
}

/// The call that was asked about, and its wait.
fn asked(received: &Received) -> (&Span, &Span) {
    let wait = received.only(BLOCKED_ON_USER);
    let of_call = |call: &&&Span| call.span_id == wait.parent_span_id;
    let calls = received.named(CALL);
    let call = calls.iter().find(of_call).unwrap();
    assert_eq!(call.trace_id, wait.trace_id);
    (call, wait)
}

fn limits(consecutive: u32, total: u32) -> Value {
    json!({"permissions": {
        "ask": ["Bash(git push *)"],
        "deny": ["Bash(never *)"],
        "autoMode": {"denialLimits": {"consecutiveBlock": consecutive, "total": total}},
    }})
}

/// Blocks, then a call that a cap sends to a person, who approves.
fn capped(desk: &Desk, blocks: u32) {
    for _ in 0..blocks {
        desk.run("s", COMMAND, &blocked());
    }
    let asked = desk.run("s", COMMAND, &Verdict::Allow);
    desk.answer(&asked, &Answer::ProceedOnce, AnswerSource::Vscode);
}

#[test]
fn the_total_cap_and_a_consecutive_cap_are_told_apart() {
    for protocol in PROTOCOLS {
        let collector = || Collector::new(protocol, Behaviour::Takes).into();
        for (limits, kind, reason) in [
            (limits(2, 20), "consecutive", "consecutive_block"),
            (limits(9, 2), "total", "total_denial"),
        ] {
            let desk = Desk::with(&collector(), &limits);
            capped(&desk, 2);
            let received = desk.finish();
            let (call, wait) = asked(&received);
            for span in [call, wait] {
                let said = |name| attribute(span, name);
                assert_eq!(said(CAP_KIND).as_deref(), Some(kind));
                assert_eq!(said(FALLBACK_REASON).as_deref(), Some(reason));
                assert_eq!(said(CONSECUTIVE_DENIALS).as_deref(), Some("2"));
                assert_eq!(said(TOTAL_DENIALS).as_deref(), Some("2"));
                assert_eq!(
                    said(names::TRIGGER).as_deref(),
                    Some("denial_cap_triggered")
                );
                assert_eq!(said(names::DENIAL_CAP_TRIGGERED).as_deref(), Some("true"));
            }
            assert_eq!(
                attribute(wait, names::DECISION).as_deref(),
                Some("proceed_once")
            );
            assert_eq!(attribute(wait, names::SOURCE).as_deref(), Some("vscode"));
            assert!(attribute(wait, names::DURATION_MS).is_some());
            assert_eq!(attribute(call, names::OUTCOME).as_deref(), Some("allow"));
            let resets = received.log(names::LOG_RESET);
            assert_eq!(resets.len(), 1);
            assert_eq!(resets[0].span_id, call.span_id);
        }
    }
}

#[test]
fn the_counter_of_unavailable_answers_is_told_where_its_cap_forced_the_ask() {
    let desk = Desk::new(PROTOCOLS[0]);
    desk.run("s", COMMAND, &blocked());
    for _ in 0..2 {
        desk.run(
            "s",
            COMMAND,
            &Verdict::Unavailable(UnavailableReason::Timeout),
        );
    }
    desk.run("s", COMMAND, &Verdict::Allow);
    let received = desk.finish();
    let (call, _) = asked(&received);
    let said = |name| attribute(call, name);
    assert_eq!(
        said(FALLBACK_REASON).as_deref(),
        Some("consecutive_unavailable")
    );
    assert_eq!(said(CAP_KIND).as_deref(), Some("consecutive"));
    assert_eq!(said(CONSECUTIVE_DENIALS).as_deref(), Some("2"));
    assert_eq!(said(TOTAL_DENIALS).as_deref(), Some("3"));
}

#[test]
fn an_ask_rule_is_told_from_a_denial_cap() {
    for protocol in PROTOCOLS {
        let setup = Collector::new(protocol, Behaviour::Takes).into();
        let desk = Desk::with(&setup, &limits(2, 20));
        desk.run("s", COMMAND, &blocked());
        desk.run("s", COMMAND, &blocked());
        // The cap is armed, and the rule comes first.
        let by_rule = desk.run("s", "git push origin x", &Verdict::Allow);
        let cancel = Answer::Cancel { message: None };
        desk.answer(&by_rule, &cancel, AnswerSource::StandardPrompt);
        let received = desk.finish();
        let (call, wait) = asked(&received);
        for span in [call, wait] {
            let said = |name| attribute(span, name);
            assert_eq!(said(FALLBACK_REASON).as_deref(), Some("ask_rule"));
            assert_eq!(said(names::TRIGGER).as_deref(), Some("ask_rule"));
            assert_eq!(said(CAP_KIND), None);
            assert_eq!(said(names::DENIAL_CAP_TRIGGERED), None);
            assert_eq!(said(CONSECUTIVE_DENIALS).as_deref(), Some("2"));
        }
        assert_eq!(attribute(wait, names::DECISION).as_deref(), Some("cancel"));
        assert_eq!(attribute(call, names::OUTCOME).as_deref(), Some("block"));
    }
}

#[test]
fn permission_denied_appears_for_denials_of_the_classifier_only() {
    let setup = Collector::new(PROTOCOLS[1], Behaviour::Takes).into();
    let desk = Desk::with(&setup, &limits(3, 3));
    let unavailable = Verdict::Unavailable(UnavailableReason::Schema);
    desk.run("s", COMMAND, &blocked());
    desk.run("s", COMMAND, &unavailable);
    desk.run("s", COMMAND, &Verdict::Allow);
    desk.run("s", "never this", &Verdict::Allow);
    desk.run("s", "git push origin x", &Verdict::Allow);
    desk.run("s", COMMAND, &blocked());
    // The total cap.
    desk.run("s", COMMAND, &blocked());
    let received = desk.finish();
    let mut told = Vec::new();
    for span in received.named(CALL) {
        let of = |name| attribute(span, name).unwrap_or_default();
        let denied = span
            .events
            .iter()
            .any(|event| event.name == PERMISSION_DENIED);
        told.push((of(names::CALL_DECISION), of(names::REASON), denied));
    }
    told.sort();
    let expected = [
        ("allow", "", false),
        ("ask", "ask_rule", false),
        ("ask", "total_denial", false),
        ("block", "classifier_blocked", true),
        ("block", "classifier_blocked", true),
        ("block", "classifier_unavailable", true),
        ("block", "rule_denied", false),
    ];
    let expected = expected.map(|(a, b, denied)| (a.to_owned(), b.to_owned(), denied));
    assert_eq!(told, expected);
}

#[test]
fn every_decision_in_auto_mode_has_its_counters_and_only_an_ask_a_reason_to_fall_back() {
    let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
    let desk = Desk::with(&setup, &limits(3, 20));
    desk.run("s", "ls", &Verdict::Allow);
    desk.run("s", COMMAND, &blocked());
    desk.run("s", COMMAND, &Verdict::Allow);
    let received = desk.finish();
    let calls = received.named(CALL);
    assert_eq!(calls.len(), 3);
    let counters: Vec<_> = calls
        .iter()
        .map(|call| {
            let of = |name| attribute(call, name).unwrap();
            assert_eq!(attribute(call, FALLBACK_REASON), None);
            (of(CONSECUTIVE_DENIALS), of(TOTAL_DENIALS))
        })
        .collect();
    // After applying: an allow of the classifier ends the row.
    let expected = [("0", "0"), ("1", "1"), ("0", "1")];
    assert_eq!(
        counters,
        expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    let default = json!({"tools": {"approvalMode": "default"}});
    let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
    let desk = Desk::with(&setup, &default);
    desk.run("s", COMMAND, &Verdict::Allow);
    let received = desk.finish();
    let (call, wait) = asked(&received);
    for name in [
        CONSECUTIVE_DENIALS,
        TOTAL_DENIALS,
        FALLBACK_REASON,
        CAP_KIND,
    ] {
        assert_eq!((attribute(call, name), attribute(wait, name)), (None, None));
    }
    assert_eq!(
        attribute(wait, names::TRIGGER).as_deref(),
        Some("approval_mode")
    );
}

#[test]
fn the_classifiers_stage_model_and_ids_are_told() {
    let desk = Desk::new(PROTOCOLS[1]);
    desk.run("s", COMMAND, &blocked());
    let received = desk.finish();
    let call = received.only(CALL);
    let stages = received.named(names::CLASSIFIER);
    assert_eq!(stages.len(), 2);
    for (span, stage) in stages.into_iter().zip(["fast", "thinking"]) {
        assert_eq!(span.parent_span_id, call.span_id);
        let said = |name| attribute(span, name).unwrap();
        assert_eq!(said(names::STAGE), stage);
        assert_eq!(said("gen_ai.request.model"), "guard-large");
        assert_eq!(said("gen_ai.response.model"), "guard-large-2026");
        assert_eq!(said("gen_ai.response.id"), format!("msg_{stage}"));
        assert_eq!(said("gen_ai.usage.input_tokens"), "1200");
        assert_eq!(said("gen_ai.usage.output_tokens"), "20");
        assert_eq!(said("gen_ai.provider.name"), "openai");
        assert_eq!(said(names::REQUEST_ID), format!("req_{stage}"));
        assert_eq!(said(names::STAGE_VERDICT), "block");
    }
}

#[test]
fn the_names_of_the_issue_are_the_names() {
    for name in [
        "qwen-code.auto_mode.fallback_reason",
        "qwen-code.auto_mode.cap_kind",
        "qwen-code.auto_mode.consecutive_denials",
        "qwen-code.auto_mode.total_denials",
        "denial_cap_triggered",
    ] {
        assert!(ATTRIBUTES.iter().any(|known| known.name == name), "{name}");
    }
}
