//! `countersign eval`: our own cases, what they come to with a scripted model,
//! and runs that are cut short.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_test_support::model_server::{ModelServer, Reply};
use serde_json::{Value, json};

use crate::person::with_model;
use crate::support::{AUTO, Ran, Sandbox, feed, start};

fn corpus() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpora/eval.jsonl")
}

fn lines(file: &Utf8Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sandbox(server: &ModelServer) -> Sandbox {
    Sandbox::trusted(&with_model(&format!("{}/v1", server.url()), ""))
}

/// A file of cases in the sandbox.
fn cases(sandbox: &Sandbox, cases: &[Value]) -> String {
    let text: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let file = sandbox.file("cases.jsonl");
    fs::write(&file, text).unwrap();
    file
}

fn case(id: &str, expect: &str) -> Value {
    json!({
        "id": id,
        "category": "plants",
        "expect": expect,
        "tool": "run_shell_command",
        "input": { "command": format!("trellis {id}") },
    })
}

fn json_of(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn our_cases_are_sixty_balanced_and_each_of_its_own() {
    let cases = lines(&corpus());
    assert_eq!(cases.len(), 60);
    let mut ids = HashSet::new();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in &cases {
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        assert!(ids.insert(text("id")), "{} twice", case["id"]);
        assert!(!text("note").is_empty());
        *counts
            .entry((text("category"), text("expect")))
            .or_default() += 1;
    }
    let counts: Vec<(&str, &str, usize)> = counts
        .iter()
        .map(|((category, expect), count)| (category.as_str(), expect.as_str(), *count))
        .collect();
    assert_eq!(
        counts,
        [
            ("hard-block", "block", 6),
            ("injection", "allow", 2),
            ("injection", "block", 6),
            ("local-work", "allow", 7),
            ("mcp", "allow", 4),
            ("mcp", "block", 4),
            ("outside-workspace", "allow", 3),
            ("outside-workspace", "block", 3),
            ("protected-file", "allow", 2),
            ("protected-file", "block", 1),
            ("safe-alternative", "allow", 2),
            ("soft-asked", "allow", 8),
            ("soft-unasked", "block", 8),
            ("subagent", "allow", 1),
            ("subagent", "block", 1),
            ("web", "allow", 1),
            ("web", "block", 1),
        ]
    );
}

#[test]
fn pairs_differ_only_in_what_the_user_said() {
    let cases = lines(&corpus());
    let mut pairs = 0;
    for asked in cases.iter().filter(|case| case["category"] == "soft-asked") {
        let id = asked["id"].as_str().unwrap().replace("-asked", "-unasked");
        let unasked = cases.iter().find(|case| case["id"] == id).unwrap();
        for key in ["tool", "input", "cwd"] {
            assert_eq!(asked[key], unasked[key], "{id}");
        }
        assert_ne!(asked["user"], unasked["user"], "{id}");
        pairs += 1;
    }
    assert_eq!(pairs, 8);
}

#[test]
fn our_cases_with_a_model_that_knows_the_labels_but_two() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let wrong = ["local-git-history", "web-metadata-address"];
    let mut questions = 0;
    for case in lines(&corpus()) {
        let is_wrong = wrong.contains(&case["id"].as_str().unwrap());
        if (case["expect"] == "allow") == is_wrong {
            server.then(Reply::block("first look"));
            server.then(Reply::block("it | hurts"));
            questions += 2;
        } else {
            server.then(Reply::allow());
            questions += 1;
        }
    }
    let (output, report) = (sandbox.file("answers.jsonl"), sandbox.file("report.md"));
    let corpus = corpus();
    let mut arguments = vec!["eval", corpus.as_str(), "--concurrency", "1", "--json"];
    arguments.extend(["--output", &output, "--report", &report, "--stage", "both"]);
    arguments.extend([
        "--price-input",
        "2",
        "--price-cached",
        "1",
        "--price-output",
        "10",
    ]);
    let summary = json_of(&sandbox.run(&arguments));
    assert_eq!(server.requests().len(), questions);
    assert_eq!(
        summary["matrix"],
        json!({
            "allow": { "allow": 29, "block": 1, "ask": 0, "unavailable": 0 },
            "block": { "allow": 1, "block": 29, "ask": 0, "unavailable": 0 },
        })
    );
    for stage in ["stage1", "pipeline"] {
        for kind in ["falsePositive", "falseNegative"] {
            let rate = &summary[stage][kind];
            assert_eq!((&rate["count"], &rate["of"]), (&json!(1), &json!(30)));
            let high = rate["high"].as_f64().unwrap();
            assert!((high - 0.167).abs() < 0.001, "{rate}");
        }
    }
    let wrongly: Vec<&Value> = summary["wrong"].as_array().unwrap().iter().collect();
    let ids: Vec<&Value> = wrongly.iter().map(|wrong| &wrong["id"]).collect();
    assert_eq!(ids, wrong);
    assert_eq!(wrongly[0]["reason"], "it | hurts");
    assert_eq!(summary["latencyMillis"]["fast"]["count"], 60);
    assert_eq!(summary["latencyMillis"]["thinking"]["count"], 30);
    assert_eq!(summary["tokens"]["input"], 1_200 * questions);
    let expected =
        (200.0 * 2.0 + 1_000.0 + 17.0 * 10.0) * f64::from(u32::try_from(questions).unwrap()) / 1e6;
    assert!((summary["cost"].as_f64().unwrap() - expected).abs() < 1e-9);
    assert_eq!(summary["bar"]["pipelineFalsePositive"], 0.004);

    assert_eq!(lines(Utf8Path::new(&output)).len(), 60);
    let report = fs::read_to_string(report).unwrap();
    for part in [
        "# Evaluation of scripted-model",
        "8.5 %",
        "17.0 %",
        "local-git-history",
        "hurts",
    ] {
        assert!(report.contains(part), "no `{part}` in {report}");
    }

    // Everything is known now.
    let mut again = vec!["eval", corpus.as_str(), "--output", &output];
    let ran = sandbox.run(&again);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    for part in [
        "60 of them answered in an earlier run",
        "1 of 30: 3.3 % (0.6 to 16.7 %)",
        "local-git-history",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "colours are for terminals");
    assert_eq!(server.requests().len(), questions);
    again.push("--json");
    assert_eq!(json_of(&sandbox.run(&again))["earlier"], 60);
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let all: Vec<Value> = (0..6)
        .map(|number| case(&format!("c{number}"), "allow"))
        .collect();
    let file = cases(&sandbox, &all);
    let output = sandbox.file("answers.jsonl");
    let arguments = [
        "eval",
        &file,
        "--output",
        &output,
        "--concurrency",
        "1",
        "--json",
    ];
    for _ in 0..3 {
        server.then(Reply::allow());
    }
    server.then(Reply::never());
    server.always(Reply::allow());
    let mut child = start(&mut sandbox.command(&arguments));
    server.wait_until(|seen| seen.answered == 3 && seen.under_way == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lines(Utf8Path::new(&output)).len(), 3);
    // What a kill may leave behind.
    let mut left = fs::read(&output).unwrap();
    left.extend_from_slice(b"{\"id\":\"c3\",\"ca");
    fs::write(&output, left).unwrap();

    let before = server.requests().len();
    let summary = json_of(&sandbox.run(&arguments));
    assert_eq!(
        (&summary["cases"], &summary["earlier"]),
        (&json!(6), &json!(3))
    );
    assert_eq!(server.requests().len(), before + 3);
    assert_eq!(lines(Utf8Path::new(&output)).len(), 6);

    // Another call, another label: only the call is asked anew.
    let mut changed = all;
    changed[0]["input"]["command"] = json!("trellis other");
    changed[1]["expect"] = json!("block");
    cases(&sandbox, &changed);
    let summary = json_of(&sandbox.run(&arguments));
    assert_eq!(summary["earlier"], 5);
    assert_eq!(summary["matrix"]["block"]["allow"], 1);
}

#[test]
fn several_cases_are_asked_at_a_time() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let gate = countersign_test_support::model_server::Gate::new();
    server.always(Reply::allow().held(&gate));
    let all: Vec<Value> = (0..9)
        .map(|number| case(&format!("c{number}"), "allow"))
        .collect();
    let file = cases(&sandbox, &all);
    let child = start(&mut sandbox.command(&["eval", &file, "--concurrency", "3"]));
    let seen = server.wait_until(|seen| seen.under_way >= 3);
    assert_eq!(seen.under_way, 3);
    gate.open();
    let ran = crate::support::finish(child);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.requests().len(), 9);
}

#[test]
fn no_answer_is_never_a_right_one() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let file = cases(&sandbox, &[case("a", "block"), case("b", "block")]);
    server.then(Reply::unauthorized());
    server.always(Reply::block("no"));
    let output = sandbox.file("answers.jsonl");
    let arguments = [
        "eval",
        &file,
        "--concurrency",
        "1",
        "--json",
        "--output",
        &output,
    ];
    let summary = json_of(&sandbox.run(&arguments));
    assert_eq!(summary["matrix"]["block"]["unavailable"], 1);
    assert_eq!(summary["pipeline"]["falseNegative"]["of"], 1);
    assert_eq!(summary["categories"]["plants"]["right"], 1);
    // It is asked again.
    let summary = json_of(&sandbox.run(&arguments));
    assert_eq!(summary["earlier"], 1);
    assert_eq!(summary["matrix"]["block"]["block"], 2);
}

#[test]
fn a_run_without_any_answer_is_a_failure_that_names_its_problem() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    server.always(Reply::unauthorized());
    let file = cases(&sandbox, &[case("a", "allow"), case("b", "block")]);
    let ran = sandbox.run(&["eval", &file]);
    ran.assert_failure(1, &["no case was answered", "401", "countersign doctor"]);
    assert!(ran.stdout.contains("2 × no answer"), "{ran:?}");
}

#[test]
fn a_bad_line_stops_everything_before_it_begins() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server);
    let file = cases(&sandbox, &[case("a", "allow"), case("b", "perhaps")]);
    let output = sandbox.file("answers.jsonl");
    let ran = sandbox.run(&["eval", &file, "--output", &output]);
    ran.assert_failure(1, &[&format!("{file}:2"), "perhaps"]);
    assert!(server.requests().is_empty());
    assert!(!fs::exists(&output).unwrap());
    let ran = sandbox.run(&["eval", "/nowhere/cases.jsonl"]);
    ran.assert_failure(1, &["/nowhere/cases.jsonl"]);
}

#[test]
fn without_a_classifier_it_says_what_to_set() {
    let sandbox = Sandbox::trusted(AUTO);
    let ran = sandbox.run(&["eval", corpus().as_str()]);
    ran.assert_failure(
        1,
        &[
            "no classifier is configured",
            "permissions.autoMode.classifier.model",
        ],
    );
}

#[test]
fn a_wrong_command_line_is_exit_status_2() {
    let sandbox = Sandbox::new();
    for (arguments, part) in [
        (&["eval"][..], "CASES"),
        (&["eval", "x", "--concurrency", "0"][..], "--concurrency"),
        (&["eval", "x", "--concurrency", "1000"][..], "--concurrency"),
        (&["eval", "x", "--stage", "third"][..], "third"),
        (&["eval", "x", "--price-input", "1"][..], "--price-output"),
        (&["eval", "x", "--price-cached", "1"][..], "--price-input"),
        (
            &["eval", "x", "--price-input=-1", "--price-output=1"][..],
            "-1",
        ),
        (&["check", "--batch", "--with-model"][..], "--with-model"),
    ] {
        sandbox.run(arguments).assert_failure(2, &[part]);
    }
}

#[test]
fn a_guarded_call_may_not_send_cases_away() {
    let sandbox = Sandbox::trusted(AUTO);
    for command in [
        "countersign eval cases.jsonl",
        "countersign --home /tmp/x eval cases.jsonl",
    ] {
        let ran = feed(
            &mut sandbox.command(&["check", "--json", "--", command]),
            b"",
        );
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.stdout.contains("static_blocked"), "{ran:?}");
    }
    for command in ["countersign doctor", "countersign doctor --json"] {
        let ran = feed(
            &mut sandbox.command(&["check", "--json", "--", command]),
            b"",
        );
        assert!(!ran.stdout.contains("static_blocked"), "{ran:?}");
    }
}
