//! `countersign doctor`: what works, what does not, and what to change; never
//! a key, and never a word to anybody when an agent runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use countersign_test_support::model_server::{MODEL, ModelServer, Reply};
use serde_json::Value;

use crate::person::with_model;
use crate::support::{AUTO, Ran, Sandbox};

const KEY: &str = "sk-not-a-real-key-0123456789abcdef";

fn sandbox(server: &ModelServer, more: &str) -> Sandbox {
    Sandbox::trusted(&with_model(&format!("{}/v1", server.url()), more))
}

/// What was found, by check; the strictest where there are several.
fn finding<'r>(report: &'r Value, check: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| finding["check"] == check)
        .max_by_key(|finding| match finding["status"].as_str().unwrap() {
            "broken" => 3,
            "warning" => 2,
            "skipped" => 1,
            _ => 0,
        })
        .unwrap_or_else(|| panic!("no {check} in {report}"))
}

#[track_caller]
fn assert_found(report: &Value, check: &str, status: &str, parts: &[&str]) {
    let finding = finding(report, check);
    assert_eq!(finding["status"], status, "{finding}");
    for part in parts {
        assert!(
            finding.to_string().contains(part),
            "no `{part}` in {finding}"
        );
    }
    assert_eq!(
        finding["change"].is_null(),
        matches!(status, "ok" | "skipped"),
        "{finding}"
    );
}

#[track_caller]
fn report(ran: &Ran, code: i32) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["ok"], code == 0);
    report
}

#[test]
fn an_endpoint_that_works_is_found_to_work() {
    let server = ModelServer::start();
    server.always(Reply::block("it deletes what cannot be had back"));
    let sandbox = sandbox(&server, "");
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        0,
    );
    for check in [
        "state",
        "workspace",
        "mode",
        "classifier",
        "key",
        "endpoint",
        "answers",
        "latency",
    ] {
        assert_found(&report, check, "ok", &[]);
    }
    assert_found(&report, "model", "ok", &[MODEL]);
    assert_found(&report, "settings", "warning", &["--home"]);
    assert!(!report["probe"]["styles"].as_array().unwrap().is_empty());

    let ran = sandbox.alone(&["doctor", "--agents-home", "none"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    for part in [
        "✓ endpoint",
        "✓ answers",
        "fast ",
        "json-schema",
        "! settings",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('✗'), "{ran:?}");
}

#[test]
fn a_key_that_is_refused_is_a_problem_and_is_never_shown() {
    let server = ModelServer::start();
    server.always(Reply::unauthorized());
    server.models(Reply::unauthorized());
    let sandbox = sandbox(&server, ", \"apiKeyEnv\": \"VINEYARD_KEY\"");
    for arguments in [
        &["doctor", "--agents-home", "none"][..],
        &["doctor", "--agents-home", "none", "--json"],
    ] {
        let ran = sandbox.alone_with(&[("VINEYARD_KEY", KEY)], arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.contains("VINEYARD_KEY is set"), "{ran:?}");
        assert!(ran.stdout.contains("401"), "{ran:?}");
        assert!(!ran.stdout.contains("not-a-real-key") && !ran.stderr.contains("not-a-real-key"));
    }
    let sent = server.requests();
    assert!(!sent.is_empty());
    assert!(
        sent.iter()
            .all(|request| { request.header("authorization") == Some(&format!("Bearer {KEY}")) })
    );
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server, ", \"apiKeyEnv\": \"VINEYARD_KEY\"");
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        1,
    );
    assert_found(
        &report,
        "key",
        "broken",
        &["VINEYARD_KEY is not set", "apiKeyEnv"],
    );
}

#[test]
fn an_endpoint_that_is_not_there_is_told_with_its_address() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server, "");
    let url = server.url();
    drop(server);
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        1,
    );
    assert_found(&report, "endpoint", "broken", &[&url]);
}

#[test]
fn a_model_that_the_endpoint_does_not_have_is_told_with_the_key_to_change() {
    let server = ModelServer::start();
    server.always(Reply::model_not_found());
    let settings = with_model(
        &format!("{}/v1", server.url()),
        ", \"fastModel\": \"missing\"",
    );
    let sandbox = Sandbox::trusted(&settings);
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        1,
    );
    let file = sandbox.places().user_file();
    assert_found(
        &report,
        "model",
        "broken",
        &[
            "missing",
            MODEL,
            "permissions.autoMode.classifier.model",
            file.as_str(),
        ],
    );
}

#[test]
fn without_a_classifier_all_is_well_and_it_says_what_to_set() {
    let sandbox = Sandbox::trusted(AUTO);
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        0,
    );
    assert_found(
        &report,
        "classifier",
        "warning",
        &[
            "none is configured",
            "permissions.autoMode.classifier.model",
        ],
    );
    assert_found(&report, "mode", "warning", &["no model judges"]);
    assert!(report["probe"].is_null());
    // Nobody is there to say yes.
    let before = fs::read_to_string(sandbox.places().user_file()).unwrap();
    let ran = sandbox.alone(&["doctor", "--agents-home", "none"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("[y/N]"), "{ran:?}");
    assert_eq!(
        fs::read_to_string(sandbox.places().user_file()).unwrap(),
        before
    );
}

#[test]
fn under_an_agent_it_only_reports() {
    let server = ModelServer::start();
    server.always(Reply::allow());
    let configured = sandbox(&server, "");
    let ran = configured.below_an_agent(&["doctor", "--agents-home", "none", "--json"]);
    let found = report(&ran, 0);
    assert_found(
        &found,
        "endpoint",
        "skipped",
        &["not contacted", "claude-code"],
    );
    assert_found(&found, "classifier", "ok", &[]);
    assert_eq!(
        configured
            .below_an_agent(&["doctor", "--agents-home", "none"])
            .code,
        0
    );
    assert!(server.requests().is_empty());
    assert_eq!(server.seen().connections, 0);

    let bare = Sandbox::trusted(AUTO);
    let before = fs::read_to_string(bare.places().user_file()).unwrap();
    let ran = bare.below_an_agent(&["doctor", "--agents-home", "none"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("[y/N]"), "{ran:?}");
    assert_eq!(
        fs::read_to_string(bare.places().user_file()).unwrap(),
        before
    );
}

#[test]
fn broken_settings_are_told_with_their_place() {
    let sandbox = Sandbox::trusted("{ \"permissions\": { \"allow\": [ }");
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        1,
    );
    assert_found(&report, "settings", "broken", &["settings.json"]);
}

#[test]
fn a_rule_that_cannot_be_read_is_told_with_what_is_wrong() {
    let sandbox = Sandbox::trusted(r#"{ "permissions": { "deny": ["Bash(uproot *"] } }"#);
    let report = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        1,
    );
    assert_found(&report, "settings", "broken", &["uproot", "mend"]);
}

#[test]
fn an_untrusted_workspace_and_a_shared_state_are_told() {
    let sandbox = Sandbox::new();
    sandbox.settings(AUTO);
    let found = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        0,
    );
    assert_found(
        &found,
        "workspace",
        "warning",
        &["not trusted", "countersign trust"],
    );
    assert_found(&found, "state", "ok", &["not there yet"]);
    fs::create_dir_all(sandbox.state_dir()).unwrap();
    fs::set_permissions(sandbox.state_dir(), fs::Permissions::from_mode(0o777)).unwrap();
    let found = report(
        &sandbox.alone(&["doctor", "--agents-home", "none", "--json"]),
        1,
    );
    assert_found(&found, "state", "broken", &["yours alone", "chmod 700"]);
}
