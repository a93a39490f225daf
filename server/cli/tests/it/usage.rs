//! Versions, the schema, and what a wrong command line is told.

use std::fs;

use countersign_settings::DESCRIPTORS;
use serde_json::Value;

use crate::support::{PROGRAM, Sandbox, feed, through};

#[test]
fn the_version_is_the_packages() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&["version"]);
    assert_eq!(
        text.stdout,
        format!("countersign {}\n", env!("CARGO_PKG_VERSION"))
    );
    let json = sandbox.run(&["version", "--json"]);
    let version: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(version["name"], "countersign");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(sandbox.run(&["--version"]).code, 0);
    assert!(!sandbox.home.exists());
}

#[test]
fn the_schema_knows_every_documented_setting() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["schema"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    let page = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/settings.md"
    ))
    .unwrap();
    let documented: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(documented.len(), DESCRIPTORS.len(), "{documented:?}");
    for key in documented {
        let node = key
            .split('.')
            .fold(&schema, |node, name| &node["properties"][name]);
        assert!(node.is_object(), "{key} is not in the schema");
        assert!(
            node["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{key} is not described"
        );
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_wrong_command_line_is_exit_status_2() {
    let sandbox = Sandbox::new();
    for (arguments, part) in [
        (&[][..], "Usage"),
        (&["prune"][..], "prune"),
        (&["check"][..], "COMMAND"),
        (&["check", "cargo"][..], "cargo"),
        (&["check", "--batch", "--", "cargo"][..], "--batch"),
        (
            &["check", "--workspace", "x", "--", "cargo"][..],
            "--workspace",
        ),
        (&["check", "--workspace", "x"][..], "--batch"),
        (&["log", "--since=yesterday"][..], "`yesterday`"),
        (&["log", "--until=-1h"][..], "7d"),
        (&["log", "--since=3x"][..], "2026-11-21T09:00:00Z"),
        (&["log", "verify", "--anchor", "6"][..], "SEQ:HASH"),
        (&["log", "verify", "--anchor", "6:xyz"][..], "`6:xyz`"),
        (&["log", "verify", "--anchor", ""][..], "SEQ:HASH"),
        (&["log", "--agent", "vintner"][..], "vintner"),
        (&["log", "--decision", "perhaps"][..], "perhaps"),
        (&["log", "-n", "many"][..], "many"),
        (&["log", "--colour"][..], "--colour"),
        (&["trust", "--show", "--revoke"][..], "--revoke"),
        (&["version", "--short"][..], "--short"),
    ] {
        sandbox.run(arguments).assert_failure(2, &[part]);
    }
    assert!(!sandbox.home.exists());
}

#[test]
fn failures_name_the_thing_and_the_remedy() {
    let sandbox = Sandbox::new();
    let relative = feed(&mut through(&[PROGRAM], &["--home", "here", "log"]), b"");
    assert_ne!(relative.code, 0);
    assert!(
        relative.stderr.contains("`here`") && relative.stderr.contains("absolute"),
        "{relative:?}"
    );
    let hook = sandbox.run(&["hook", "claude-code", "--event", "PreToolUse"]);
    assert_ne!(hook.code, 0, "a hook behind other options is no hook");
}

#[test]
fn help_names_every_command_and_exit_code() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["--help"]);
    assert_eq!(ran.code, 0);
    for part in [
        "check",
        "doctor",
        "eval",
        "log",
        "demo",
        "trust",
        "install",
        "uninstall",
        "status",
        "schema",
        "version",
        "hook",
        "--home",
        "Exit codes",
        "3 review",
        "4 block",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
}
