use std::os::unix::fs::{PermissionsExt as _, symlink};

use countersign_core::rules::RuleList;
use countersign_settings::{EditError, RuleFile, acknowledge_auto, add_rule};

use crate::sandbox::{Sandbox, rules, write};

#[test]
fn the_acknowledgement_keeps_comments_and_is_read_back() {
    let sandbox = Sandbox::new();
    sandbox
        .user("// mine\n{\n  \"permissions\": {\n    \"deny\": [\"Bash(a)\"] // never\n  },\n}\n");
    acknowledge_auto(&sandbox.places).unwrap();
    let text = std::fs::read_to_string(sandbox.places.user_file()).unwrap();
    assert!(
        text.contains("// mine") && text.contains("// never"),
        "{text}"
    );
    let effective = sandbox.load();
    assert!(effective.auto_acknowledged);
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)"]);
    acknowledge_auto(&sandbox.places).unwrap();
    assert_eq!(
        std::fs::read_to_string(sandbox.places.user_file()).unwrap(),
        text
    );
}

#[test]
fn a_first_settings_file_is_private_and_complete() {
    let sandbox = Sandbox::new();
    acknowledge_auto(&sandbox.places).unwrap();
    assert!(sandbox.load().auto_acknowledged);
    let mode = std::fs::metadata(sandbox.places.user_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn rules_go_where_they_belong_once() {
    let sandbox = Sandbox::new();
    sandbox.user("{\n  \"permissions\": {\n    // mine\n    \"allow\": [\"Bash(ls)\"]\n  }\n}\n");
    for _ in 0..2 {
        add_rule(
            &sandbox.places,
            RuleFile::User,
            RuleList::Allow,
            "Bash(cargo test *)",
        )
        .unwrap();
        add_rule(
            &sandbox.places,
            RuleFile::Workspace(&sandbox.workspace),
            RuleList::Deny,
            "Bash(echo \"x\\y\")",
        )
        .unwrap();
    }
    let effective = sandbox.load();
    assert_eq!(
        rules(&effective, RuleList::Allow),
        ["Bash(ls)", "Bash(cargo test *)"]
    );
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(echo \"x\\y\")"]);
    let text = std::fs::read_to_string(sandbox.places.user_file()).unwrap();
    assert!(text.contains("// mine"));
}

#[test]
fn a_broken_file_is_left_alone() {
    let sandbox = Sandbox::new();
    for broken in [
        "{",
        r#"{"permissions": 3}"#,
        r#"{"permissions": {"allow": {}}}"#,
        r#"{"permissions": {}, "permissions": {}}"#,
    ] {
        sandbox.user(broken);
        let result = add_rule(&sandbox.places, RuleFile::User, RuleList::Allow, "Bash(ls)");
        assert!(matches!(result, Err(EditError::Broken { .. })), "{broken}");
        assert_eq!(
            std::fs::read_to_string(sandbox.places.user_file()).unwrap(),
            broken
        );
    }
}

#[test]
fn links_of_the_user_stay_and_links_of_a_workspace_are_refused() {
    let sandbox = Sandbox::new();
    let dotfiles = sandbox.root.join("dotfiles/countersign.json");
    write(&dotfiles, "{}");
    std::fs::create_dir_all(&sandbox.places.config_dir).unwrap();
    symlink(&dotfiles, sandbox.places.user_file()).unwrap();
    acknowledge_auto(&sandbox.places).unwrap();
    assert!(sandbox.places.user_file().is_symlink());
    assert!(
        std::fs::read_to_string(&dotfiles)
            .unwrap()
            .contains("autoModeAcknowledged")
    );

    let victim = sandbox.root.join("victim.json");
    write(&victim, "{}");
    std::fs::create_dir(sandbox.workspace.join(".countersign")).unwrap();
    symlink(&victim, sandbox.workspace_file()).unwrap();
    let file = RuleFile::Workspace(&sandbox.workspace);
    assert!(add_rule(&sandbox.places, file, RuleList::Deny, "Bash(a)").is_err());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "{}");
}
