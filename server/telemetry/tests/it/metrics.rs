//! Metrics: what is counted, over which labels.

use std::time::{Duration, SystemTime};

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::Subject;
use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason;
use countersign_core::tool::Tool;
use countersign_engine::observer::{HookResult, HookRun};
use serde_json::json;

use crate::collector::{Behaviour, Collector};
use crate::desk::{Desk, PROTOCOLS, blocked};
use crate::received::Received;

const COMMAND: &str = "curl https://example.com/x";

/// The values of a metric's points by some of their labels.
fn by(received: &Received, metric: &str, labels: &[&str]) -> Vec<(Vec<String>, u64)> {
    let mut all: Vec<_> = received
        .points(metric)
        .into_iter()
        .map(|point| {
            let of = |label: &&str| point.labels.get(*label).cloned().unwrap_or_default();
            (labels.iter().map(of).collect(), point.value)
        })
        .collect();
    all.sort();
    all
}

fn row(labels: &[&str], value: u64) -> (Vec<String>, u64) {
    (
        labels.iter().map(|label| (*label).to_owned()).collect(),
        value,
    )
}

#[test]
fn decisions_denials_fallbacks_answers_and_models_are_counted() {
    for protocol in PROTOCOLS {
        let ask = json!({"permissions": {"ask": ["Bash(git push *)"]}});
        let desk = Desk::with(&Collector::new(protocol, Behaviour::Takes).into(), &ask);
        desk.run("s", "ls", &Verdict::Allow);
        desk.run("s", COMMAND, &Verdict::Allow);
        desk.run("s", COMMAND, &blocked());
        desk.run(
            "s",
            COMMAND,
            &Verdict::Unavailable(UnavailableReason::Timeout),
        );
        let mcp = Tool::from_canonical("mcp__a__b");
        desk.decide(desk.call("s", mcp, Subject::Other), Some(&Verdict::Allow));
        let asked = desk.run("s", "git push origin x", &Verdict::Allow);
        desk.run("s", "git push origin y", &Verdict::Allow);
        desk.answer(&asked, &Answer::ProceedOnce, AnswerSource::Vscode);
        desk.engine.hook_ran(&HookRun {
            call: None,
            event: "SessionStart",
            kind: "http",
            scope: "user",
            result: HookResult::Silent,
            status: Some(204),
            began: SystemTime::now(),
            took: Duration::from_millis(20),
        });
        let received = desk.finish();
        let decisions = [
            "countersign.decision",
            "countersign.via",
            "countersign.tool",
        ];
        assert_eq!(
            by(&received, "countersign.decisions", &decisions),
            [
                row(&["allow", "classifier", "mcp"], 1),
                row(&["allow", "classifier", "run_shell_command"], 1),
                row(&["allow", "static", "run_shell_command"], 1),
                row(&["ask", "none", "run_shell_command"], 2),
                row(&["block", "none", "run_shell_command"], 2),
            ]
        );
        assert_eq!(
            by(
                &received,
                "countersign.denials",
                &["countersign.reason", "countersign.agent"]
            ),
            [
                row(&["classifier_blocked", "claude-code"], 1),
                row(&["classifier_unavailable", "claude-code"], 1),
            ]
        );
        assert_eq!(
            by(&received, "countersign.fallbacks", &["countersign.reason"]),
            [row(&["ask_rule"], 2)]
        );
        assert_eq!(
            by(&received, "countersign.approvals.pending", &[]),
            [row(&[], 1)]
        );
        assert_eq!(
            by(
                &received,
                "countersign.approval.duration",
                &["trigger", "decision", "source"]
            ),
            [row(&["ask_rule", "proceed_once", "vscode"], 1)]
        );
        let stages = [
            "countersign.classifier.stage",
            "gen_ai.request.model",
            "error.type",
        ];
        assert_eq!(
            by(&received, "gen_ai.client.operation.duration", &stages),
            [
                row(&["fast", "guard-large", ""], 1),
                row(&["fast", "guard-large", ""], 2),
                row(&["fast", "guard-large", "timeout"], 1),
                row(&["thinking", "guard-large", ""], 1),
            ]
        );
        let tokens = received.points("gen_ai.client.token.usage");
        let input: f64 = tokens
            .iter()
            .filter(|point| point.labels["gen_ai.token.type"] == "input")
            .map(|point| point.sum)
            .sum();
        assert!((input - 4.0 * 1_200.0).abs() < 0.5, "{input}");
        assert_eq!(
            by(
                &received,
                "countersign.hook.duration",
                &["hook_event", "countersign.hook.result"]
            ),
            [row(&["SessionStart", "silent"], 1)]
        );
        let durations = received.points("countersign.decision.duration");
        assert_eq!(durations.iter().map(|point| point.value).sum::<u64>(), 7);
        assert!(durations.iter().all(|point| point.bounds == 20));
    }
}

#[test]
fn names_of_tools_and_models_that_anybody_chooses_are_no_labels() {
    let desk = Desk::new(PROTOCOLS[0]);
    for number in 0..50 {
        for name in [
            format!("tool_{number}"),
            format!("mcp__server{number}__tool"),
        ] {
            let call = desk.call("s", Tool::from_canonical(&name), Subject::Other);
            desk.decide(call, Some(&Verdict::Allow));
        }
    }
    let received = desk.finish();
    let decisions = by(&received, "countersign.decisions", &["countersign.tool"]);
    assert_eq!(decisions, [row(&["mcp"], 50), row(&["other"], 50)]);
    for metric in &received.metrics {
        assert!(received.points(&metric.name).len() <= 4, "{}", metric.name);
    }
}

#[test]
fn the_user_says_what_the_machine_is_called() {
    let setup = crate::desk::Setup::from(Collector::new(PROTOCOLS[0], Behaviour::Takes))
        .and("OTEL_RESOURCE_ATTRIBUTES", "team=guards")
        .and("OTEL_SERVICE_NAME", "mine");
    let desk = Desk::with(&setup, &json!({}));
    desk.run("s", "ls", &Verdict::Allow);
    let received = desk.finish();
    assert_eq!(received.resource["service.name"], "mine");
    assert_eq!(received.resource["team"], "guards");
    assert_eq!(
        received.resource["service.version"],
        env!("CARGO_PKG_VERSION")
    );
}
