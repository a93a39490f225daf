use countersign_core::mode::ApprovalMode;
use countersign_core::policy::{OnUnavailable, StaticAnalysis};
use countersign_core::rules::{RuleList, Scope};
use countersign_settings::{EditorLayers, Loader, Severity, load};
use serde_json::json;

use crate::sandbox::{Sandbox, problems, rules, scope};

#[test]
fn nothing_anywhere_gives_the_defaults() {
    let sandbox = Sandbox::new();
    let effective = sandbox.load();
    assert!(effective.rules.is_empty());
    assert!(effective.problems.is_empty(), "{:?}", effective.problems);
    assert_eq!(effective.degraded, None);
    assert!(!effective.trusted);
    assert_eq!(effective.starting_mode(), ApprovalMode::Default);
    assert!(effective.review_credential_reads);
    assert!(!effective.classify_all_shell);
    assert_eq!(effective.static_analysis, StaticAnalysis::Contained);
    assert_eq!(effective.on_unavailable, OnUnavailable::Block);
    assert_eq!(effective.classifier, None);
    assert!(effective.mcp_forwarding.is_empty());
    assert_eq!(
        effective.limits,
        countersign_core::denials::DenialLimits::default()
    );
    assert!(
        !sandbox.places.state_dir.exists(),
        "a mere look leaves no trace"
    );
}

#[test]
fn lists_are_united_and_the_strongest_place_stays() {
    let sandbox = Sandbox::new();
    sandbox.system("{\n \"permissions\": {\"deny\": [\"Bash(sudo *)\"]}\n}");
    sandbox.user("{\"permissions\": {\"deny\": [\"Bash(rm *)\",\n \"Bash(sudo *)\"], \"allow\": [\"Bash(ls)\"]}}");
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(rm *)", "Bash(dd *)"]}}"#);
    let effective = sandbox.load_with(&EditorLayers {
        user: Some(json!({"permissions": {"allow": ["Bash(pwd)"]}})),
        workspace: Some(json!({"permissions": {"ask": ["Bash(git push *)"]}})),
        trusted: None,
    });
    assert_eq!(
        rules(&effective, RuleList::Deny),
        ["Bash(sudo *)", "Bash(rm *)", "Bash(dd *)"]
    );
    assert_eq!(
        rules(&effective, RuleList::Allow),
        ["Bash(ls)", "Bash(pwd)"]
    );
    assert_eq!(scope(&effective, "Bash(sudo *)"), Scope::System);
    assert_eq!(scope(&effective, "Bash(rm *)"), Scope::User);
    assert_eq!(scope(&effective, "Bash(dd *)"), Scope::Workspace);
    assert_eq!(scope(&effective, "Bash(pwd)"), Scope::EditorUser);
    assert_eq!(
        scope(&effective, "Bash(git push *)"),
        Scope::EditorWorkspace
    );
    let (_, _, origin) = &effective.rules[0];
    assert_eq!(origin.file.as_ref(), Some(&sandbox.places.system));
    assert_eq!(origin.line, Some(2));
}

#[test]
fn a_root_relative_rule_of_another_root_is_another_rule() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"permissions": {"deny": ["Read(/secret/**)"]}}"#);
    sandbox.workspace(r#"{"permissions": {"deny": ["Read(/secret/**)"]}}"#);
    let effective = sandbox.load();
    let roots: Vec<_> = effective
        .rules
        .iter()
        .map(|(_, _, origin)| &origin.root)
        .collect();
    assert_eq!(roots, [&sandbox.places.home, &sandbox.workspace]);
}

#[test]
fn the_strongest_mode_counts_and_the_strictest_flag() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.system(r#"{"tools": {"approvalMode": "auto-edit"}, "permissions": {"autoMode": {"denialLimits": {"total": 30}}}}"#);
    sandbox.user(r#"{"tools": {"approvalMode": "auto"}, "permissions": {"autoMode": {"reviewCredentialReads": false, "denialLimits": {"total": 40, "consecutiveBlock": 5}}}}"#);
    let effective = sandbox.load();
    assert_eq!(effective.starting_mode(), ApprovalMode::AutoEdit);
    assert_eq!(
        effective.approval_mode.as_ref().unwrap().1.scope,
        Scope::System
    );
    assert!(!effective.review_credential_reads);
    assert_eq!(effective.limits.total, 30);
    assert_eq!(effective.limits.consecutive_block, 5);
    assert_eq!(effective.limits.consecutive_unavailable, 2);
}

#[test]
fn auto_starts_only_once_it_was_acknowledged() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    assert_eq!(sandbox.load().starting_mode(), ApprovalMode::Default);
    sandbox.workspace(r#"{"ui": {"autoModeAcknowledged": true}}"#);
    assert_eq!(sandbox.load().starting_mode(), ApprovalMode::Default);
    sandbox.user(r#"{"ui": {"autoModeAcknowledged": true}}"#);
    assert_eq!(sandbox.load().starting_mode(), ApprovalMode::Auto);
    sandbox.store().untrust(&sandbox.workspace).unwrap();
    assert_eq!(sandbox.load().starting_mode(), ApprovalMode::Default);
}

#[test]
fn yolo_is_no_setting() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(r#"{"tools": {"approvalMode": "yolo"}}"#);
    let effective = sandbox.load();
    assert_eq!(effective.starting_mode(), ApprovalMode::Default);
    assert!(
        problems(&effective)[0]
            .contains("expected one of plan, default, auto-edit, auto, found `yolo`")
    );
}

#[test]
fn a_workspace_lowers_what_it_may_and_is_told_about_the_rest() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(r#"{"tools": {"approvalMode": "auto"}}"#);
    sandbox.workspace(
        r#"{
  "tools": {"approvalMode": "plan"},
  "permissions": {"autoMode": {
    "denialLimits": {"total": 5, "consecutiveBlock": 9},
    "staticAnalysis": "read-only",
    "classifyAllShell": true,
    "reviewCredentialReads": false
  }},
  "protectedPaths": {"add": ["infra/**"], "remove": [".git"]},
  "contextFiles": ["TEAM.md"],
  "import": ["claude"]
}"#,
    );
    let effective = sandbox.load();
    assert_eq!(effective.starting_mode(), ApprovalMode::Plan);
    assert_eq!(
        (effective.limits.total, effective.limits.consecutive_block),
        (5, 3)
    );
    assert_eq!(effective.static_analysis, StaticAnalysis::ReadOnly);
    assert!(effective.classify_all_shell);
    assert!(effective.review_credential_reads);
    assert_eq!(effective.protected_add, ["infra/**"]);
    assert!(effective.protected_remove.is_empty());
    assert_eq!(effective.context_files, ["TEAM.md"]);
    assert!(effective.import.is_empty());
    let problems = problems(&effective).join("\n");
    let file = sandbox.workspace_file();
    for expected in [
        format!(
            "{file}:4:54: permissions.autoMode.denialLimits.consecutiveBlock: a workspace may only make it stricter; 9 is ignored and 3 holds"
        ),
        format!(
            "{file}:7:30: permissions.autoMode.reviewCredentialReads: a workspace may only make it stricter"
        ),
        format!("{file}:9:54: protectedPaths.remove: not read from a workspace"),
        format!("{file}:11:14: import: not read from a workspace"),
    ] {
        assert!(
            problems.contains(&expected),
            "{expected} is not in\n{problems}"
        );
    }
}

#[test]
fn hints_keep_their_limits() {
    let sandbox = Sandbox::new();
    let long = "é".repeat(300);
    let many: Vec<String> = (0..60).map(|at| format!("hint {at}")).collect();
    sandbox.user(
        &json!({"permissions": {"autoMode": {
            "hints": {"allow": [long], "softDeny": many[..30], "deny": many[30..], "hardDeny": many},
            "environment": many,
        }}})
        .to_string(),
    );
    let effective = sandbox.load();
    assert_eq!(effective.hints.allow[0].chars().count(), 200);
    assert_eq!(effective.hints.soft_deny, many[..50]);
    assert_eq!(effective.hints.hard_deny, many[..50]);
    assert_eq!(effective.environment, many[..20]);
    assert_eq!(effective.problems.len(), 4, "{:?}", effective.problems);
}

#[test]
fn a_hint_that_is_cut_is_told_with_its_place() {
    let sandbox = Sandbox::new();
    let (fits, long) = ("é".repeat(200), "é".repeat(201));
    sandbox.user(&format!(
        "{{\"permissions\": {{\"autoMode\": {{\"hints\": {{\"deny\": [\n  \"{fits}\",\n  \"{long}\"]}}}}}}}}"
    ));
    let effective = sandbox.load();
    assert_eq!(effective.hints.soft_deny, [fits], "what is cut to it is it");
    assert_eq!(effective.problems.len(), 1, "{:?}", effective.problems);
    let problem = &effective.problems[0];
    assert_eq!(problem.severity, Severity::Warning);
    assert_eq!((problem.line, problem.column), (Some(3), Some(3)));
    assert!(problem.message.contains("longer than 200 characters"));
}

#[test]
fn of_too_many_hints_the_strongest_layers_stay() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    let named = |name: &str, count| -> Vec<String> {
        (0..count).map(|at| format!("{name} {at}")).collect()
    };
    let lists = |name: &str, count| {
        let all = named(name, count);
        json!({"permissions": {"autoMode": {
            "hints": {"allow": all, "hardDeny": all, "deny": all},
            "environment": all,
        }}})
    };
    sandbox.system(&lists("machine", 10).to_string());
    sandbox.user(&lists("user", 5).to_string());
    sandbox.workspace(&lists("workspace", 60).to_string());
    let shown = sandbox.load();
    sandbox
        .store()
        .consent(&sandbox.workspace, &shown.loosening, shown.consent_digest())
        .unwrap();
    let effective = sandbox.load();
    let expected = |most: usize| -> Vec<String> {
        let mut all = named("machine", 10);
        all.extend(named("user", 5));
        all.extend(named("workspace", most - 15));
        all
    };
    assert_eq!(effective.hints.allow, expected(50));
    assert_eq!(effective.hints.hard_deny, expected(50));
    assert_eq!(effective.hints.soft_deny, expected(50));
    assert_eq!(effective.environment, expected(20));
    assert_eq!(effective.problems.len(), 4, "{:?}", effective.problems);
}

#[test]
fn the_users_hints_stay_when_a_workspace_floods_the_list() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"permissions": {"autoMode": {"hints": {"deny": ["mine"]}}}}"#);
    let flood: Vec<String> = (0..500).map(|at| format!("noise {at}")).collect();
    sandbox.workspace(
        &json!({"permissions": {"autoMode": {"hints": {"softDeny": flood, "deny": flood}}}})
            .to_string(),
    );
    assert!(sandbox.load().hints.soft_deny.contains(&"mine".to_owned()));
}

#[test]
fn a_change_counts_at_the_next_load() {
    let sandbox = Sandbox::new();
    let mut loader = Loader::new(sandbox.places.clone());
    let editor = EditorLayers::default();
    let deny = |loader: &mut Loader| {
        let effective = loader.load(Some(&sandbox.workspace), &editor);
        rules(&effective, RuleList::Deny).len()
    };
    assert_eq!(deny(&mut loader), 0);
    sandbox.user(r#"{"permissions": {"deny": ["Bash(a)"]}}"#);
    assert_eq!(deny(&mut loader), 1);
    // As long as before and within the same tick of the clock.
    sandbox.user(r#"{"permissions": {"deny": ["a","b"]  }}"#);
    assert_eq!(deny(&mut loader), 2);
    sandbox.workspace(r#"{"permissions": {"deny": ["c"]}}"#);
    assert_eq!(deny(&mut loader), 3);
    std::fs::remove_file(sandbox.places.user_file()).unwrap();
    assert_eq!(deny(&mut loader), 1);
    let changed = EditorLayers {
        user: Some(json!({"permissions": {"deny": ["d"]}})),
        ..EditorLayers::default()
    };
    let effective = loader.load(Some(&sandbox.workspace), &changed);
    assert_eq!(rules(&effective, RuleList::Deny), ["d", "c"]);
}

#[test]
fn without_a_workspace_only_the_user_counts_and_nothing_is_trusted() {
    let sandbox = Sandbox::new();
    sandbox.user(r#"{"permissions": {"deny": ["Bash(a)"]}, "tools": {"approvalMode": "auto"}}"#);
    let effective = load(&sandbox.places, None, &EditorLayers::default());
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)"]);
    assert_eq!(effective.starting_mode(), ApprovalMode::Default);
    let missing = load(
        &sandbox.places,
        Some(&sandbox.root.join("nowhere")),
        &EditorLayers::default(),
    );
    assert!(!missing.trusted);
    assert!(problems(&missing)[0].contains("the workspace folder cannot be read"));
}
