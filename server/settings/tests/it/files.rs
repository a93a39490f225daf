use std::os::unix::fs::{PermissionsExt as _, symlink};

use countersign_core::mode::ApprovalMode;
use countersign_core::rules::RuleList;
use countersign_settings::{EditorLayers, Loader};
use serde_json::json;

use crate::sandbox::{Sandbox, problems, rules, write};

#[test]
fn comments_trailing_commas_and_a_mark_are_fine() {
    let sandbox = Sandbox::new();
    sandbox.user("\u{feff}// mine\n{\n  /* what never runs */\n  \"permissions\": {\"deny\": [\"Bash(a)\", ], },\n}\n");
    let effective = sandbox.load();
    assert!(effective.problems.is_empty(), "{:?}", effective.problems);
    assert_eq!(effective.rules[0].2.line, Some(4));
}

#[test]
fn a_broken_file_is_reported_and_degrades_if_there_was_no_good_one() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.system(r#"{"tools": {"approvalMode": "auto"}}"#);
    sandbox.user("{\n  \"permissions\": {\n    \"deny\": [\"Bash(a)\"\n  }\n}");
    let effective = sandbox.load();
    let file = sandbox.places.user_file();
    assert!(
        problems(&effective)[0].starts_with(&format!("{file}:4:3: ")),
        "{:?}",
        problems(&effective)
    );
    assert!(effective.degraded.as_ref().unwrap().contains(file.as_str()));
    assert_eq!(effective.starting_mode(), ApprovalMode::Default);
    assert_eq!(effective.cap(ApprovalMode::Yolo), ApprovalMode::Default);
    assert_eq!(effective.cap(ApprovalMode::Plan), ApprovalMode::Plan);
}

#[test]
fn the_last_good_content_stays_in_force_for_a_process_without_memory() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(r#"{"permissions": {"deny": ["Bash(a)"]}, "tools": {"approvalMode": "auto"}}"#);
    sandbox.load();
    for broken in ["{ \"permissions\": ", "", "// all gone\n", "[]", "\u{0}"] {
        sandbox.user(broken);
        let effective = sandbox.load();
        assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)"], "{broken:?}");
        assert_eq!(effective.degraded, None, "{broken:?}");
        assert_eq!(effective.starting_mode(), ApprovalMode::Auto);
        assert!(problems(&effective)[0].contains("its last good content holds"));
    }
    let kept = sandbox.places.state_dir.join("last-good");
    for entry in kept.read_dir_utf8().unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    sandbox.user("{}");
    assert!(sandbox.load().rules.is_empty());
    sandbox.user("{");
    assert!(
        sandbox.load().rules.is_empty(),
        "the last good one is the latest"
    );
}

#[test]
fn a_mere_look_keeps_nothing() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"permissions": {"deny": ["Bash(a)"]}}"#);
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(b)"]}}"#);
    let mut loader = Loader::reading_only(sandbox.places.clone());
    let effective = loader.load(Some(&sandbox.workspace), &EditorLayers::default());
    assert_eq!(effective.rules.len(), 2);
    assert!(!sandbox.places.state_dir.exists());
}

#[test]
fn a_state_folder_that_others_may_write_is_not_believed() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(r#"{"permissions": {"deny": ["Bash(a)"]}}"#);
    assert!(sandbox.load().trusted);
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&sandbox.places.state_dir, open).unwrap();
    let effective = sandbox.load();
    assert!(!effective.trusted);
    assert!(
        problems(&effective)
            .join("\n")
            .contains("is not private to the user")
    );
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)"]);
}

#[test]
fn wrong_types_name_the_field_and_the_rest_counts() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(
        r#"{
  "tools": {"approvalMode": 3},
  "permissions": {
    "deny": ["Bash(a)", "Bash(b)", 7, "Bash(c)"],
    "allow": "Bash(d)",
    "ask": "Bash(e)",
    "autoMode": {
      "classifyAllShell": "yes",
      "staticAnalysis": "all",
      "denialLimits": {"total": 0, "consecutiveBlock": 2.5}
    }
  },
  "permisions": {}
}"#,
    );
    let effective = sandbox.load();
    assert_eq!(
        rules(&effective, RuleList::Deny),
        ["Bash(a)", "Bash(b)", "Bash(c)"]
    );
    assert_eq!(rules(&effective, RuleList::Ask), ["Bash(e)"]);
    assert!(rules(&effective, RuleList::Allow).is_empty());
    assert!(effective.classify_all_shell);
    assert_eq!(
        effective.static_analysis,
        countersign_core::policy::StaticAnalysis::Off
    );
    assert_eq!(
        (effective.limits.total, effective.limits.consecutive_block),
        (1, 1)
    );
    assert_eq!(effective.starting_mode(), ApprovalMode::Default);
    assert!(
        effective.degraded.is_some(),
        "a deny rule could not be read"
    );
    let problems = problems(&effective).join("\n");
    let file = sandbox.places.user_file();
    for expected in [
        format!("{file}:4:36: permissions.deny[2]: expected a string, found a number"),
        format!("{file}:5:14: permissions.allow: expected a list, found a string"),
        format!(
            "{file}:6:12: permissions.ask: expected a list, found a string; it counts as a list of one"
        ),
        format!(
            "{file}:8:27: permissions.autoMode.classifyAllShell: expected true or false, found `yes`; true holds"
        ),
        format!(
            "{file}:10:33: permissions.autoMode.denialLimits.total: expected a whole number from 1 to 10000, found 0; 1 holds"
        ),
        format!("{file}:13:3: unknown setting `permisions` is ignored"),
    ] {
        assert!(
            problems.contains(&expected),
            "{expected} is not in\n{problems}"
        );
    }
}

#[test]
fn an_object_where_denies_should_be_degrades() {
    let sandbox = Sandbox::new();
    for text in [
        r#"{"permissions": []}"#,
        r#"{"permissions": {"deny": {"Bash": true}}}"#,
        r#"{"protectedPaths": "infra"}"#,
    ] {
        sandbox.user(text);
        assert!(sandbox.load().degraded.is_some(), "{text}");
    }
    let editor = EditorLayers {
        user: Some(json!("deny everything")),
        ..EditorLayers::default()
    };
    sandbox.user("{}");
    assert!(sandbox.load_with(&editor).degraded.is_some());
}

#[test]
fn null_states_nothing() {
    let sandbox = Sandbox::new();
    sandbox.user(
        r#"{"permissions": {"deny": null, "autoMode": null}, "tools": {"approvalMode": null}}"#,
    );
    let effective = sandbox.load();
    assert_eq!(effective.problems, []);
    assert_eq!(effective.degraded, None);
}

#[test]
fn a_key_that_stands_twice_counts_in_the_stricter_reading() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(
        r#"{
  "permissions": {"deny": ["Bash(a)"], "allow": ["Bash(x)", "Bash(y)"]},
  "tools": {"approvalMode": "plan", "approvalMode": "auto"},
  "permissions": {"deny": ["Bash(b)"], "allow": ["Bash(y)", "Bash(z)"]}
}"#,
    );
    let effective = sandbox.load();
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)", "Bash(b)"]);
    assert_eq!(rules(&effective, RuleList::Allow), ["Bash(y)"]);
    assert_eq!(effective.starting_mode(), ApprovalMode::Plan);
    let problems = problems(&effective).join("\n");
    assert!(
        problems.contains(":4:3: `permissions` stands here twice"),
        "{problems}"
    );
    assert!(
        problems.contains(":3:37: `tools.approvalMode` stands here twice"),
        "{problems}"
    );
}

#[test]
fn a_file_over_a_mebibyte_is_not_read() {
    let sandbox = Sandbox::new();
    let filler = " ".repeat(1024 * 1024);
    sandbox.user(&format!("{{{filler}}}"));
    let effective = sandbox.load();
    assert!(problems(&effective)[0].contains("larger than 1 MiB"));
    assert!(effective.degraded.is_some());
    sandbox.user(&format!("{{{}}}", " ".repeat(1024 * 1024 - 2)));
    assert_eq!(sandbox.load().degraded, None);
}

#[test]
fn one_long_line_of_rules_is_no_trouble() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    let rules: Vec<String> = (0..20_000).map(|at| format!("Bash(é{at})")).collect();
    sandbox.workspace(&json!({"permissions": {"deny": rules, "allow": rules}}).to_string());
    let effective = sandbox.load();
    assert_eq!(effective.rules.len(), 20_000);
    assert_eq!(effective.pending_consent.len(), 20_000);
}

#[test]
fn workspace_files_are_not_read_through_links() {
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.root.join("elsewhere");
    write(
        &elsewhere.join("settings.json"),
        r#"{"permissions": {"deny": ["Bash(a)"]}}"#,
    );
    symlink(&elsewhere, sandbox.workspace.join(".countersign")).unwrap();
    let effective = sandbox.load();
    assert!(effective.rules.is_empty());
    assert!(effective.degraded.is_some());
    assert!(
        problems(&effective)[0].contains("symbolic link"),
        "{:?}",
        problems(&effective)
    );

    std::fs::remove_file(sandbox.workspace.join(".countersign")).unwrap();
    std::fs::create_dir(sandbox.workspace.join(".countersign")).unwrap();
    symlink(elsewhere.join("settings.json"), sandbox.workspace_file()).unwrap();
    let effective = sandbox.load();
    assert!(effective.rules.is_empty());
    assert!(problems(&effective)[0].contains("symbolic link"));
}

#[test]
fn the_users_file_may_be_a_link_to_a_file_of_the_user() {
    let sandbox = Sandbox::new();
    let dotfiles = sandbox.root.join("dotfiles/countersign.json");
    write(&dotfiles, r#"{"permissions": {"deny": ["Bash(a)"]}}"#);
    std::fs::create_dir_all(&sandbox.places.config_dir).unwrap();
    symlink(&dotfiles, sandbox.places.user_file()).unwrap();
    assert_eq!(sandbox.load().rules.len(), 1);
    let everybody = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&dotfiles, everybody).unwrap();
    write(&dotfiles, "{}");
    let effective = sandbox.load();
    assert!(problems(&effective)[0].contains("everybody may write it"));
    assert_eq!(effective.rules.len(), 1, "the last good one");
}

#[test]
fn a_pipe_or_a_folder_is_not_waited_for() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(&sandbox.places.config_dir).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        sandbox.places.user_file().as_std_path(),
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    std::fs::create_dir_all(sandbox.workspace_file()).unwrap();
    let effective = sandbox.load();
    let problems = problems(&effective).join("\n");
    assert_eq!(
        problems.matches("not a regular file").count(),
        2,
        "{problems}"
    );
}

#[test]
fn text_that_is_not_utf8_is_broken() {
    let sandbox = Sandbox::new();
    sandbox.user("");
    std::fs::write(sandbox.places.user_file(), [b'{', 0xff, b'}']).unwrap();
    let effective = sandbox.load();
    assert!(problems(&effective)[0].contains("not UTF-8"));
    assert!(effective.degraded.is_some());
}
