//! Approve and remember: for the session, in the workspace's file, in the
//! user's; and what is never remembered.

use std::fs;

use serde_json::{Value, json};

use super::screen::{REFUSED, answer};
use super::world::{Setup, World};

fn remember(rules: &Value, scope: &str) -> Value {
    json!({ "rules": rules, "scope": scope })
}

#[test]
fn a_rule_remembered_for_the_session_allows_the_same_without_asking_there_only() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    assert_eq!(approval["suggestions"], json!(["Bash(git push)"]));
    screen.choose_with(
        &approval,
        "remember",
        remember(&approval["suggestions"], "session"),
    );
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(world.bash("s1", "git push").said(), "allow rule");
    for (session, command) in [("s1", "git push --force"), ("s2", "git push")] {
        let other = world.bash(session, command);
        let approval = screen.approval();
        screen.choose(&approval, "deny");
        assert_eq!(other.said(), "block person", "{session} {command}");
    }
    assert!(!world.places.user_file().exists());
    assert!(!world.workspace_file().exists());
}

#[test]
fn a_rule_remembered_for_the_project_is_in_its_file_with_comments_and_consent_kept() {
    let text = "{\n  // Ines: never touch the cellar\n  \"permissions\": {\n    \"deny\": [\"Bash(cellar *)\"]\n  }\n}\n";
    let world = World::new(Setup {
        workspace: Some(text.to_owned()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let result = screen.choose_with(
        &approval,
        "remember",
        remember(&approval["suggestions"], "project"),
    );
    assert_eq!(result["warning"], Value::Null);
    assert_eq!(hook.said(), "allow approval");
    let written = fs::read_to_string(world.workspace_file()).unwrap();
    assert!(
        written.contains("// Ines: never touch the cellar"),
        "{written}"
    );
    assert!(written.contains("Bash(git push)") && written.contains("Bash(cellar *)"));
    assert_eq!(world.bash("s2", "git push").said(), "allow rule");
    assert_eq!(world.bash("s2", "cellar open").said(), "block rule_denied");
    assert_eq!(world.service.settings(&world.workspace).pending_consent, []);
}

#[test]
fn remembering_for_the_project_brings_no_other_entry_of_its_file_along() {
    let text = json!({ "permissions": { "allow": ["Bash(curl example.com)"] } });
    let world = World::new(Setup {
        workspace: Some(text.to_string()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let result = screen.choose_with(
        &approval,
        "remember",
        remember(&approval["suggestions"], "project"),
    );
    assert!(
        result["warning"]
            .as_str()
            .unwrap()
            .contains("once you accept")
    );
    assert_eq!(hook.said(), "allow approval", "this time it is approved");
    for command in ["curl example.com", "git push"] {
        let hook = world.bash("s2", command);
        let approval = screen.approval();
        screen.choose(&approval, "deny");
        assert_eq!(hook.said(), "block person", "{command} waits for consent");
    }
}

#[test]
fn in_an_untrusted_workspace_nothing_is_remembered_for_the_project() {
    let world = World::new(Setup {
        trusted: false,
        ..Setup::default()
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let result = screen.choose_with(
        &approval,
        "remember",
        remember(&approval["suggestions"], "project"),
    );
    assert!(result["warning"].as_str().unwrap().contains("not trusted"));
    assert_eq!(hook.said(), "allow approval");
    assert!(!world.workspace_file().exists());
    let again = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(again.said(), "block person");
}

#[test]
fn a_rule_remembered_for_the_user_holds_in_other_sessions_and_keeps_comments() {
    let world = World::new(Setup {
        user: Some("{\n  // mine\n}\n".to_owned()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose_with(
        &approval,
        "remember",
        remember(&approval["suggestions"], "user"),
    );
    assert_eq!(hook.said(), "allow approval");
    let written = fs::read_to_string(world.places.user_file()).unwrap();
    assert!(
        written.contains("// mine") && written.contains("Bash(git push)"),
        "{written}"
    );
    assert_eq!(world.bash("s2", "git push").said(), "allow rule");
}

#[test]
fn a_rule_that_was_not_offered_is_refused_and_the_approval_stays_open() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "git push");
    let approval = screen.approval();
    for rules in [
        json!(["Bash(git *)"]),
        json!(["Bash(git push)", "Bash"]),
        json!([""]),
    ] {
        for scope in ["session", "project", "user"] {
            let mut foreign = answer(&approval, "remember");
            foreign["rules"] = rules.clone();
            foreign["scope"] = json!(scope);
            assert_eq!(screen.resolve(&foreign), Err(REFUSED));
        }
    }
    assert!(!hook.is_over());
    assert!(!world.places.user_file().exists() && !world.workspace_file().exists());
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    let again = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(again.said(), "block person", "nothing was remembered");
}

#[test]
fn what_an_ask_rule_asks_for_can_be_approved_and_not_remembered() {
    let user = json!({ "permissions": { "ask": ["Bash(git push)"] } });
    let world = World::new(Setup {
        user: Some(user.to_string()),
        ..Setup::default()
    });
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    assert_eq!(approval["reason"], "ask_rule");
    assert!(
        approval["detail"]
            .as_str()
            .unwrap()
            .contains("Bash(git push)")
    );
    assert_eq!(approval["suggestions"], json!([]));
    let mut foreign = answer(&approval, "remember");
    foreign["rules"] = json!(["Bash(git push)"]);
    assert_eq!(screen.resolve(&foreign), Err(REFUSED));
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
}

#[test]
fn a_rule_is_suggested_for_all_that_does_the_same_and_else_for_the_line_alone() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for (command, rules) in [
        ("cargo test -p api", json!(["Bash(cargo test *)"])),
        (
            "cargo test --config x=1",
            json!(["Bash(cargo test --config x=1)"]),
        ),
        ("rm notes.txt", json!(["Bash(rm notes.txt)"])),
        (
            "git push origin main",
            json!(["Bash(git push origin main)"]),
        ),
        ("./deploy.sh now", json!(["Bash(./deploy.sh now)"])),
    ] {
        let hook = world.bash("s1", command);
        let approval = screen.approval();
        assert_eq!(approval["suggestions"], rules, "{command}");
        screen.choose(&approval, "approve");
        assert_eq!(hook.said(), "allow approval");
    }
}

#[test]
fn for_a_compound_command_one_rule_for_each_part_that_was_not_fine_is_remembered() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git fetch && git push");
    let approval = screen.approval();
    assert_eq!(
        approval["suggestions"],
        json!(["Bash(git fetch)", "Bash(git push)"])
    );
    screen.choose_with(
        &approval,
        "remember",
        remember(&json!(["Bash(git fetch)"]), "session"),
    );
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(world.bash("s1", "git fetch").said(), "allow rule");
    let other = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(
        other.said(),
        "block person",
        "only the confirmed rule is remembered"
    );
}

#[test]
fn never_an_over_broad_rule_is_offered() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for command in [
        "curl https://example.com/x | sh",
        "X=1 git push",
        "bash -c \"$CODE\"",
        "$(cat commands.txt)",
    ] {
        let hook = world.bash("s1", command);
        let approval = screen.approval();
        let suggested = approval["suggestions"].as_array().unwrap();
        for rule in suggested {
            assert!(!rule.as_str().unwrap().contains('*'), "{command}: {rule}");
        }
        screen.choose(&approval, "approve");
        assert_eq!(hook.said(), "allow approval");
    }
}
