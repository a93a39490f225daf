use countersign_core::rules::{Reading, RuleList, Scope};
use countersign_settings::{Effective, ImportFrom};

use crate::sandbox::{Sandbox, rules, scope, texts};

fn reading(effective: &Effective, text: &str) -> Reading {
    effective
        .rules
        .iter()
        .find(|(_, rule, _)| rule == text)
        .map(|(_, _, origin)| origin.reading)
        .unwrap()
}

fn with_files() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.at_home(
        ".qwen/settings.json",
        r#"{"permissions": {"allow": ["ShellTool(git status)"], "deny": ["Bash(qd)"],
            "autoMode": {"hints": {"allow": ["qwen allow"], "softDeny": ["qwen soft"]}, "environment": ["not this"], "classifyAllShell": true}},
            "tools": {"approvalMode": "yolo"}}"#,
    );
    sandbox.at_home(
        ".claude/settings.json",
        r#"{"permissions": {"allow": ["Bash(npm test)"], "ask": ["Bash(ca)"], "defaultMode": "bypassPermissions"},
            "autoMode": {"allow": ["$defaults", "claude allow"], "hard_deny": ["claude hard"]}, "env": {"A": "b"}}"#,
    );
    sandbox.in_workspace(
        ".qwen/settings.json",
        r#"{"permissions": {"allow": ["Bash(wq)"]}}"#,
    );
    sandbox.in_workspace(
        ".qwen/settings.local.json",
        r#"{"permissions": {"deny": ["Bash(wql)"]}}"#,
    );
    sandbox.in_workspace(
        ".claude/settings.json",
        r#"{"permissions": {"deny": ["Read(./.env)"], "allow": ["Bash(wc)"]}}"#,
    );
    sandbox.in_workspace(
        ".claude/settings.local.json",
        r#"{"permissions": {"ask": ["Bash(wcl)"]}, "autoMode": {"soft_deny": ["claude soft"]}}"#,
    );
    sandbox
}

#[test]
fn nothing_is_imported_unless_the_user_says_so() {
    let sandbox = with_files();
    assert!(sandbox.load().rules.is_empty());
    sandbox.workspace(r#"{"import": ["qwen", "claude"]}"#);
    assert!(sandbox.load().rules.is_empty());
}

#[test]
fn lists_and_hints_are_taken_over_and_nothing_else() {
    let sandbox = with_files();
    sandbox.user(r#"{"import": ["qwen", "claude"]}"#);
    sandbox.trust();
    let effective = sandbox.load();
    assert_eq!(effective.import, [ImportFrom::Qwen, ImportFrom::Claude]);
    assert_eq!(
        rules(&effective, RuleList::Deny),
        ["Bash(qd)", "Bash(wql)", "Read(./.env)"]
    );
    assert_eq!(rules(&effective, RuleList::Ask), ["Bash(ca)", "Bash(wcl)"]);
    assert_eq!(
        rules(&effective, RuleList::Allow),
        ["ShellTool(git status)", "Bash(npm test)"]
    );
    assert_eq!(effective.hints.allow, ["qwen allow", "claude allow"]);
    assert_eq!(effective.hints.soft_deny, ["qwen soft", "claude soft"]);
    assert_eq!(effective.hints.hard_deny, ["claude hard"]);
    assert!(effective.environment.is_empty());
    assert!(!effective.classify_all_shell);
    assert_eq!(effective.approval_mode, None);
    assert_eq!(effective.problems, []);

    assert_eq!(reading(&effective, "Bash(qd)"), Reading::Qwen);
    assert_eq!(scope(&effective, "Bash(qd)"), Scope::User);
    assert_eq!(reading(&effective, "Bash(wcl)"), Reading::Claude);
    assert_eq!(scope(&effective, "Bash(wcl)"), Scope::Workspace);
    assert_eq!(texts(&effective.pending_consent), ["Bash(wq)", "Bash(wc)"]);
    assert_eq!(effective.pending_consent[0].reading, Reading::Qwen);
}

#[test]
fn the_same_text_read_differently_is_two_rules() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"import": ["qwen"], "permissions": {"deny": ["Bash(git push)"]}}"#);
    sandbox.at_home(
        ".qwen/settings.json",
        r#"{"permissions": {"deny": ["Bash(git push)"]}}"#,
    );
    let effective = sandbox.load();
    let readings: Vec<_> = effective
        .rules
        .iter()
        .map(|(_, _, origin)| origin.reading)
        .collect();
    assert_eq!(readings, [Reading::Countersign, Reading::Qwen]);
}

#[test]
fn a_broken_import_fails_closed_and_keeps_its_last_good_content() {
    let sandbox = with_files();
    sandbox.user(r#"{"import": ["claude"]}"#);
    sandbox.at_home(".claude/settings.json", "{");
    assert!(sandbox.load().degraded.is_some());
    sandbox.at_home(
        ".claude/settings.json",
        r#"{"permissions": {"deny": ["Bash(a)"]}}"#,
    );
    assert_eq!(sandbox.load().degraded, None);
    sandbox.at_home(".claude/settings.json", "{");
    let effective = sandbox.load();
    assert_eq!(effective.degraded, None);
    assert!(rules(&effective, RuleList::Deny).contains(&"Bash(a)"));
}

#[test]
fn imported_denies_of_a_workspace_are_kept_while_the_import_is_on() {
    let sandbox = with_files();
    sandbox.user(r#"{"import": ["claude"]}"#);
    sandbox.load();
    sandbox.in_workspace(".claude/settings.json", "{}");
    assert_eq!(texts(&sandbox.load().kept_tightening), ["Read(./.env)"]);
    sandbox.user("{}");
    assert!(sandbox.load().rules.is_empty());
}

#[test]
fn a_crowd_of_files_does_not_hide_the_well_known_ones() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"import": ["qwen"]}"#);
    for at in 0..40 {
        sandbox.in_workspace(&format!(".qwen/settings-{at}.json"), "{}");
    }
    sandbox.in_workspace(
        ".qwen/settings.json",
        r#"{"permissions": {"deny": ["Bash(a)"]}}"#,
    );
    assert_eq!(rules(&sandbox.load(), RuleList::Deny), ["Bash(a)"]);
}

#[test]
fn a_folder_of_another_agent_is_not_read_through_a_link() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"import": ["qwen"]}"#);
    let elsewhere = sandbox.root.join("elsewhere");
    crate::sandbox::write(
        &elsewhere.join("settings.json"),
        r#"{"permissions": {"deny": ["Bash(a)"]}}"#,
    );
    std::os::unix::fs::symlink(&elsewhere, sandbox.workspace.join(".qwen")).unwrap();
    let effective = sandbox.load();
    assert!(effective.rules.is_empty());
    assert!(effective.degraded.is_some());
}
