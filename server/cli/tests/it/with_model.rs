//! `countersign check --with-model`: what the classifier adds to the static
//! layers, with nothing recorded and nothing counted.

use std::fs;

use countersign_test_support::model_server::{ModelServer, Reply};
use serde_json::Value;

use crate::person::{WAYS_AWAY, with_model};
use crate::support::{AUTO, Sandbox};

fn sandbox(server: &ModelServer, more: &str) -> Sandbox {
    Sandbox::trusted(&with_model(&format!("{}/v1", server.url()), more))
}

fn report(sandbox: &Sandbox, command: &str, code: i32) -> Value {
    let ran = sandbox.alone(&["check", "--with-model", "--json", "--", command]);
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Nothing is left out, whatever is known.
#[track_caller]
fn assert_every_field(report: &Value) {
    let fields = |value: &Value| -> Vec<String> {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let model = [
        "message_id",
        "model",
        "problem",
        "provider",
        "recorded",
        "request_id",
        "requested",
        "stage",
        "stages",
    ];
    assert_eq!(fields(&report["model"]), model);
    for stage in report["model"]["stages"].as_array().unwrap() {
        let stage_fields = [
            "attempts",
            "cached_tokens",
            "input_tokens",
            "message_id",
            "millis",
            "output_tokens",
            "request_id",
            "stage",
            "verdict",
        ];
        assert_eq!(fields(stage), stage_fields);
    }
}

#[test]
fn the_model_decides_what_nothing_else_decides() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server, "");
    server.then(Reply::allow());
    let allowed = report(&sandbox, "trellis build", 0);
    assert_eq!(
        (&allowed["verdict"], &allowed["via"]),
        (&"allow".into(), &"classifier".into())
    );
    assert_every_field(&allowed);
    let stages = allowed["model"]["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 1);
    assert_eq!(stages[0]["verdict"], "allow");
    for key in [
        "millis",
        "attempts",
        "input_tokens",
        "output_tokens",
        "message_id",
    ] {
        assert!(!stages[0][key].is_null(), "no {key} in {allowed}");
    }

    server.then(Reply::block("x"));
    server.then(Reply::block("it deletes the user's work"));
    let blocked = report(&sandbox, "trellis build", 4);
    assert_eq!(blocked["reason"], "classifier_blocked");
    assert_eq!(blocked["detail"], "it deletes the user's work");
    assert_eq!(blocked["model"]["stages"].as_array().unwrap().len(), 2);

    server.then(Reply::block("x"));
    server.then(Reply::allow());
    assert_eq!(report(&sandbox, "trellis build", 0)["via"], "classifier");
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn no_answer_is_what_the_settings_say() {
    for (more, code, reason) in [
        ("", 4, "classifier_unavailable"),
        (", \"onUnavailable\": \"ask\"", 3, "classifier_unavailable"),
    ] {
        let server = ModelServer::start();
        server.always(Reply::unauthorized());
        let report = report(&sandbox(&server, more), "trellis build", code);
        assert_eq!(report["reason"], reason);
        assert!(
            !report["model"]["problem"].as_str().unwrap().is_empty(),
            "{report}"
        );
        assert!(!report["change"].as_str().unwrap().is_empty());
        assert_every_field(&report);
    }
}

#[test]
fn what_the_static_layers_decide_is_asked_of_no_model() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server, "");
    for (command, code) in [
        ("cargo test --lib", 0),
        ("git push origin main", 3),
        ("uproot vines", 4),
        ("countersign trust", 4),
    ] {
        let report = report(&sandbox, command, code);
        assert!(report["model"].is_null(), "{report}");
    }
    assert!(server.requests().is_empty());
    let ran = sandbox.alone(&["check", "--with-model", "--", "cargo test --lib"]);
    assert!(ran.stdout.contains("none was"), "{ran:?}");
}

#[test]
fn people_read_model_stages_latency_tokens_and_ids() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server, "");
    server.always(Reply::block("it deletes the user's work"));
    let ran = sandbox.alone(&["check", "--with-model", "--", "trellis build"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (4, ""), "{ran:?}");
    for part in [
        "block  it deletes the user's work",
        "scripted-model",
        "fast",
        "thinking",
        "1200 (1000 cached) + 17",
        "decided by classifier_blocked",
        "without a conversation",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
}

#[test]
fn nothing_is_written_or_counted_and_no_word_of_a_user_is_sent() {
    let server = ModelServer::start();
    let sandbox = sandbox(&server, "");
    server.always(Reply::block("no"));
    // More than the caps allow in a row.
    for _ in 0..4 {
        report(&sandbox, "trellis build", 4);
    }
    let left: Vec<String> = fs::read_dir(sandbox.state_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        !left.contains(&countersign_store::FILE_NAME.to_owned()),
        "{left:?}"
    );
    for request in server.requests() {
        let text = request.body.to_string();
        assert!(text.contains("trellis build"));
        assert!(!text.contains("{\\\"user\\\":\\\""), "{text}");
    }
}

#[test]
fn without_a_classifier_it_says_what_to_set() {
    let sandbox = Sandbox::trusted(AUTO);
    let ran = sandbox.alone(&["check", "--with-model", "--", "cargo test --lib"]);
    ran.assert_failure(
        1,
        &[
            "no classifier is configured",
            "permissions.autoMode.classifier.model",
            sandbox.places().user_file().as_str(),
            "countersign doctor",
        ],
    );
}

#[test]
fn an_agent_cannot_try_out_what_the_model_lets_through() {
    let server = ModelServer::start();
    server.always(Reply::allow());
    let sandbox = sandbox(&server, "");
    let ran = sandbox.below_an_agent(&["check", "--with-model", "--", "trellis build"]);
    ran.assert_failure(1, &["--with-model is for a person", "claude-code"]);
    assert!(server.requests().is_empty());
}

#[test]
fn who_leaves_its_agent_behind_is_no_person() {
    let server = ModelServer::start();
    server.always(Reply::allow());
    let sandbox = sandbox(&server, "");
    for through in WAYS_AWAY {
        let check = ["check", "--with-model", "--", "trellis build"];
        let said = sandbox.sent_away(through, &check);
        assert!(said.contains("--with-model is for a person"), "{said}");
        assert!(said.contains("run it from a shell"), "{said}");
        let said = sandbox.sent_away(through, &["trust"]);
        assert!(said.contains("trust is for a person"), "{said}");
    }
    assert!(server.requests().is_empty());
}
