//! `countersign check`: what would be decided, told to people and programs;
//! nothing is run and nothing is written.

use std::fs;

use countersign_settings::Places;
use serde_json::{Value, json};

use crate::support::{AUTO, Ran, Sandbox, feed};

fn report(sandbox: &Sandbox, command: &str, code: i32) -> Value {
    let ran = sandbox.run(&["check", "--json", "--", command]);
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn exit_codes_and_reports_say_the_same() {
    let sandbox = Sandbox::trusted(AUTO);
    for (command, code, verdict, reason) in [
        ("cargo test --workspace", 0, "allow", "rule"),
        ("git status && cargo test", 0, "allow", "rule"),
        ("trellis build", 3, "review", "no_classifier"),
        ("git push origin main", 3, "review", "ask_rule"),
        ("cargo test && trellis build", 3, "review", "no_classifier"),
        ("uproot vines", 4, "block", "rule_denied"),
        ("countersign trust", 4, "block", "static_blocked"),
        ("((((", 3, "review", "ask_rule"),
    ] {
        let report = report(&sandbox, command, code);
        assert_eq!(report["command"], command);
        assert_eq!(report["verdict"], verdict, "{report}");
        let (name, other) = if code == 0 {
            ("via", "reason")
        } else {
            ("reason", "via")
        };
        assert_eq!(report[name], reason, "{report}");
        assert_eq!(report[other], Value::Null);
        assert_eq!(report["mode"], "auto");
        assert_eq!(report["trusted"], true);
        assert_eq!(report["workspace"], sandbox.workspace.as_str());
        assert!(report["effects"].is_array());
        assert!(report["unproven"].is_array());
        assert!(!report["change"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_report_has_every_key_every_time() {
    let sandbox = Sandbox::trusted(AUTO);
    for (command, code) in [("cargo test", 0), ("trellis", 3), ("uproot vines", 4)] {
        let report = report(&sandbox, command, code);
        let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "change",
                "command",
                "detail",
                "effects",
                "mode",
                "parts",
                "problems",
                "reason",
                "settings",
                "trusted",
                "unproven",
                "verdict",
                "via",
                "workspace"
            ]
        );
    }
}

#[test]
fn what_a_command_would_do_is_told_with_its_place_in_the_text() {
    let sandbox = Sandbox::trusted(AUTO);
    let command = "echo new > notes.txt && trellis build";
    let report = report(&sandbox, command, 3);
    let effects = report["effects"].as_array().unwrap();
    assert_eq!(effects[0]["text"], "writes notes.txt");
    assert_eq!(effects[0]["matters"], false);
    assert_eq!(effects[0]["spans"], json!([[9, 20]]));
    assert_eq!(effects[1]["matters"], true);
    let unproven = report["unproven"].as_array().unwrap();
    assert!(!unproven.is_empty());
    for reason in unproven {
        assert!(reason["reason"].as_str().unwrap().contains("trellis"));
        assert!(reason["span"][0].as_u64().unwrap() >= 24, "{reason}");
    }
    let ran = sandbox.run(&["check", "--", command]);
    assert!(ran.stdout.contains("writes notes.txt"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains(&format!("\n  | {command}\n    {}^^^", " ".repeat(24))),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_contained_command_is_allowed_without_a_rule_and_each_part_says_why() {
    let sandbox = Sandbox::trusted(AUTO);
    let report = report(&sandbox, "pwd && echo new > notes.txt", 0);
    assert_eq!(report["via"], "static");
    assert_eq!(report["unproven"], json!([]));
    for part in report["parts"].as_array().unwrap() {
        assert_eq!(part["covered"], true, "{part}");
    }
}

#[test]
fn every_part_is_told_with_its_rule_and_place() {
    let sandbox = Sandbox::trusted(AUTO);
    let ran = sandbox.run(&["check", "--", "cargo test && trellis build"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
    for part in [
        "review  ",
        "✓ cargo test",
        "Bash(cargo test *)",
        "settings.json:5",
        "? trellis build",
        "not covered",
        "decided by no_classifier",
        "auto in ",
        ", trusted",
        "to change  ",
        "permissions.allow",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "colours are for terminals");
}

#[test]
fn several_arguments_are_one_command() {
    let sandbox = Sandbox::trusted(AUTO);
    let ran = sandbox.run(&["check", "--json", "--", "cargo", "test", "--quiet"]);
    assert_eq!(ran.code, 0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["command"], "cargo test --quiet");
}

#[test]
fn real_trust_counts_and_the_remedy_is_named() {
    let sandbox = Sandbox::new();
    sandbox.settings(AUTO);
    let report = report(&sandbox, "trellis build", 3);
    assert_eq!(report["mode"], "default");
    assert_eq!(report["trusted"], false);
    assert_eq!(report["reason"], "approval_mode");
    assert!(
        report["change"]
            .as_str()
            .unwrap()
            .contains("countersign trust")
    );
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let sandbox = Sandbox::trusted(AUTO);
    let ran = sandbox.run(&["check", "--", "trellis \u{1b}[2K\u{202e}build\nvines"]);
    assert!([3, 4].contains(&ran.code));
    assert!(
        !ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'),
        "{ran:?}"
    );
}

#[test]
fn nothing_is_written_and_nothing_is_run() {
    let sandbox = Sandbox::new();
    sandbox.settings(AUTO);
    let canary = sandbox.workspace.join("canary");
    for command in [
        "cargo test > canary",
        "touch canary",
        "$(touch canary)",
        "cargo test; `touch canary`",
    ] {
        sandbox.run(&["check", "--", command]);
        sandbox.run(&["check", "--json", "--", command]);
        let line = json!({ "id": 1, "command": command }).to_string();
        feed(&mut sandbox.command(&["check", "--batch"]), line.as_bytes());
    }
    assert!(!canary.exists());
    let mut left: Vec<String> = fs::read_dir(&sandbox.home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["config"]);
}

/// Runs a batch; gives back the lines and the exit status.
fn batch(sandbox: &Sandbox, arguments: &[&str], input: &str) -> (Vec<String>, i32) {
    let arguments = [&["check", "--batch"], arguments].concat();
    let Ran {
        code,
        stdout,
        stderr,
    } = feed(&mut sandbox.command(&arguments), input.as_bytes());
    assert_eq!(stderr, "");
    (stdout.lines().map(str::to_owned).collect(), code)
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A line without its time, after checking that it is one.
fn timeless(line: &str) -> String {
    let (before, time) = line
        .rsplit_once(",\"us\":")
        .unwrap_or_else(|| panic!("{line}"));
    assert!(
        time.strip_suffix('}').unwrap().parse::<u64>().is_ok(),
        "{line}"
    );
    before.to_owned()
}

#[test]
fn a_batch_answers_every_line_in_order_with_the_same_keys() {
    let sandbox = Sandbox::new();
    let input = lines(&[
        json!({ "id": "a", "command": "countersign trust" }),
        json!({ "id": 2, "command": "trellis build" }),
        json!({ "id": null, "command": "countersign version", "cwd": "src" }),
        json!({ "id": { "row": [1] }, "command": "(((" , "extra": 1 }),
    ]) + "\n   \n";
    let (answers, code) = batch(&sandbox, &[], &input);
    assert_eq!(code, 0);
    let told = r#""effects":["runs a program that is not known (countersign)","not proven: "#;
    assert!(answers[0].contains(told), "{}", answers[0]);
    let answers: Vec<String> = answers
        .iter()
        .map(|line| {
            let line = timeless(line);
            let (before, effects) = line.split_once(",\"effects\":").unwrap();
            let effects: Vec<String> = serde_json::from_str(effects).unwrap();
            assert!((1..=20).contains(&effects.len()), "{line}");
            before.to_owned()
        })
        .collect();
    assert_eq!(
        answers,
        [
            r#"{"id":"a","verdict":"block","via":null,"reason":"static_blocked""#,
            r#"{"id":2,"verdict":"review","via":null,"reason":"no_classifier""#,
            r#"{"id":null,"verdict":"review","via":null,"reason":"no_classifier""#,
            r#"{"id":{"row":[1]},"verdict":"review","via":null,"reason":"no_classifier""#,
        ]
    );
}

#[test]
fn bad_lines_are_reviews_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    let input = [
        "nonsense",
        r#"{"id":7}"#,
        r#"{"id":8,"command":["ls"]}"#,
        r#"{"id":9,"command":"ls","cwd":3}"#,
        r#"{"command":"ls"}"#,
        "[]",
        r#"{"id":10,"command":"countersign trust"}"#,
        "\u{0}",
    ]
    .join("\n");
    let (answers, code) = batch(&sandbox, &[], &input);
    assert_eq!(code, 1);
    let answers: Vec<Value> = answers
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 8);
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    let null = Value::Null;
    assert_eq!(
        ids,
        [
            &null,
            &json!(7),
            &json!(8),
            &json!(9),
            &null,
            &null,
            &json!(10),
            &null
        ]
    );
    for answer in &answers {
        if answer["id"] == 10 {
            assert_eq!(answer["verdict"], "block");
        } else {
            assert_eq!(answer["verdict"], "review");
            assert_eq!(answer["reason"], "invalid_call");
        }
    }
}

#[test]
fn a_batch_reads_no_settings_and_is_always_auto_and_trusted() {
    let sandbox = Sandbox::new();
    sandbox.settings(
        r#"{ "tools": { "approvalMode": "plan" }, "permissions": { "deny": ["Bash"] } }"#,
    );
    sandbox.workspace_settings(r#"{ "permissions": { "deny": ["Bash"] } }"#);
    let (answers, code) = batch(
        &sandbox,
        &[],
        &lines(&[json!({ "id": 1, "command": "trellis build" })]),
    );
    assert_eq!(code, 0);
    assert!(
        answers[0].contains(r#""reason":"no_classifier""#),
        "{answers:?}"
    );
}

#[test]
fn a_workspace_that_does_not_exist_is_an_empty_one() {
    let sandbox = Sandbox::new();
    let input = lines(&[
        json!({ "id": 1, "command": "trellis build" }),
        json!({ "id": 2, "command": "trellis build", "cwd": "below/it" }),
        json!({ "id": 3, "command": "trellis build > .countersign/settings.json" }),
        json!({ "id": 4, "command": "trellis build", "cwd": "/elsewhere" }),
    ]);
    for workspace in ["/nowhere/at/all", "not-here"] {
        let (answers, code) = batch(&sandbox, &["--workspace", workspace], &input);
        assert_eq!((answers.len(), code), (4, 0), "{answers:?}");
        assert!(answers[0].contains(r#""verdict":"review""#), "{answers:?}");
    }
    assert!(!sandbox.workspace.join("not-here").exists());
}

#[test]
fn a_row_may_name_its_folder() {
    let sandbox = Sandbox::new();
    // The real one: a batch knows no --home.
    let settings = Places::for_user().unwrap().config_dir;
    let command = "trellis build > settings.json";
    let input = lines(&[
        json!({ "id": 1, "command": command, "cwd": settings }),
        json!({ "id": 2, "command": command }),
        json!({ "id": 3, "command": command, "cwd": "src" }),
    ]);
    let (answers, code) = batch(&sandbox, &[], &input);
    assert_eq!(code, 0);
    assert!(
        answers[0].contains(r#""reason":"static_blocked""#),
        "{answers:?}"
    );
    for answer in &answers[1..] {
        assert!(answer.contains(r#""verdict":"review""#), "{answer}");
    }
    let (answers, _) = batch(&sandbox, &["--workspace", settings.as_str()], &input);
    assert!(
        answers[1].contains(r#""reason":"static_blocked""#),
        "{answers:?}"
    );
}

#[test]
fn rows_do_not_influence_each_other() {
    let sandbox = Sandbox::new();
    let one = json!({ "id": "x", "command": "trellis build" });
    let (alone, _) = batch(&sandbox, &[], &lines(std::slice::from_ref(&one)));
    let attack = json!({ "id": "y", "command": "countersign trust" });
    let many: Vec<Value> = std::iter::repeat_n(attack, 30).chain([one]).collect();
    let (answers, code) = batch(&sandbox, &[], &lines(&many));
    assert_eq!((answers.len(), code), (31, 0));
    assert_eq!(timeless(&answers[30]), timeless(&alone[0]));
}

#[test]
fn an_empty_batch_is_fine() {
    let sandbox = Sandbox::new();
    assert_eq!(batch(&sandbox, &[], ""), (Vec::new(), 0));
}
