//! Telemetry: from the user and the machine, as it is meant or not at all.

use countersign_settings::{ExportProtocol, TelemetrySettings, kept_secret};
use serde_json::json;

use crate::sandbox::{Sandbox, problems};

#[test]
fn every_value_of_the_user_arrives() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.load().telemetry, TelemetrySettings::default());
    let settings = json!({"telemetry": {
        "enabled": true,
        "endpoint": "https://collector.example:4317/",
        "protocol": "grpc",
        "headersEnv": "MY_HEADERS",
        "caFile": "~/ca.pem",
        "includeContent": true,
    }});
    sandbox.user(&settings.to_string());
    let effective = sandbox.load();
    assert_eq!(effective.problems, []);
    assert_eq!(
        effective.telemetry,
        TelemetrySettings {
            enabled: true,
            endpoint: Some("https://collector.example:4317".to_owned()),
            protocol: ExportProtocol::Grpc,
            headers_env: Some("MY_HEADERS".to_owned()),
            ca_file: Some(sandbox.places.home.join("ca.pem")),
            include_content: true,
        }
    );
}

#[test]
fn what_cannot_be_read_is_not_exported_to_another_place_or_with_more() {
    for (settings, enabled) in [
        (json!({"endpoint": "collector:4317"}), false),
        (json!({"endpoint": "https://user:pass@collector"}), false),
        (
            json!({"protocol": "http/json", "endpoint": "https://c"}),
            false,
        ),
        (json!({"headersEnv": "a=b"}), false),
        (json!({"enabled": "yes"}), false),
        (json!({"includeContent": "yes"}), true),
    ] {
        let sandbox = Sandbox::new();
        sandbox.user(&json!({"telemetry": settings}).to_string());
        let effective = sandbox.load();
        assert_eq!(effective.telemetry.enabled, enabled, "{settings}");
        assert!(!effective.telemetry.include_content, "{settings}");
        assert_eq!(effective.problems.len(), 1, "{settings}");
    }
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"telemetry": {"endpoint": 1}}"#);
    let problems = problems(&sandbox.load()).join("\n");
    assert!(
        problems.contains("nothing is exported until it is mended"),
        "{problems}"
    );
}

#[test]
fn a_workspace_has_no_say() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.workspace(
        &json!({"telemetry": {
            "endpoint": "https://evil.example",
            "includeContent": true,
            "enabled": false,
        }})
        .to_string(),
    );
    assert_eq!(sandbox.load().telemetry, TelemetrySettings::default());
}

#[test]
fn a_secret_is_made_once_and_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let folder = &sandbox.places.state_dir;
    let secret = kept_secret(folder, "telemetry.key").unwrap();
    assert_eq!(secret.len(), 64);
    assert_eq!(kept_secret(folder, "telemetry.key"), Ok(secret.clone()));
    let path = folder.join("telemetry.key");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&path, "damaged").unwrap();
    let anew = kept_secret(folder, "telemetry.key").unwrap();
    assert!(anew.len() == 64 && anew != secret);
}
