use countersign_core::rules::{RuleList, Scope};
use countersign_settings::{EditorLayers, Effective, StateFileError};
use serde_json::json;

use crate::sandbox::{Sandbox, rules, scope, texts};

fn accept(sandbox: &Sandbox) {
    let effective = sandbox.load();
    sandbox
        .store()
        .consent(
            &sandbox.workspace,
            &effective.loosening,
            effective.consent_digest(),
        )
        .unwrap();
}

const LOOSENING: &str = r#"{"permissions": {
    "allow": ["Bash(cargo test *)", "Bash(cargo fmt)"],
    "autoMode": {"hints": {"allow": ["tests are cheap"]}, "environment": ["a toy"]}
}}"#;

#[test]
fn leave_from_a_workspace_counts_after_trust_and_consent() {
    let sandbox = Sandbox::new();
    sandbox.workspace(LOOSENING);
    let untrusted = sandbox.load();
    assert!(untrusted.rules.is_empty());
    assert!(untrusted.pending_consent.is_empty() && untrusted.loosening.is_empty());

    sandbox.trust();
    let trusted = sandbox.load();
    assert!(
        trusted.rules.is_empty()
            && trusted.environment.is_empty()
            && trusted.hints.allow.is_empty()
    );
    assert_eq!(trusted.pending_consent.len(), 4);

    accept(&sandbox);
    let accepted = sandbox.load();
    assert_eq!(
        rules(&accepted, RuleList::Allow),
        ["Bash(cargo test *)", "Bash(cargo fmt)"]
    );
    assert_eq!(accepted.hints.allow, ["tests are cheap"]);
    assert_eq!(accepted.environment, ["a toy"]);
    assert!(accepted.pending_consent.is_empty());

    sandbox.store().untrust(&sandbox.workspace).unwrap();
    assert!(sandbox.load().rules.is_empty());
    sandbox.trust();
    assert!(
        sandbox.load().rules.is_empty(),
        "consent went with the trust"
    );
}

#[test]
fn a_change_suspends_what_is_new_and_shows_the_difference() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.workspace(LOOSENING);
    accept(&sandbox);
    sandbox.workspace(r#"{"permissions": {"allow": ["Bash(cargo fmt)", "Bash(cargo *)"]}}"#);
    let changed = sandbox.load();
    assert_eq!(rules(&changed, RuleList::Allow), ["Bash(cargo fmt)"]);
    assert_eq!(texts(&changed.pending_consent), ["Bash(cargo *)"]);
    assert_eq!(changed.pending_consent[0].line, Some(1));
    assert_eq!(
        texts(&changed.withdrawn),
        ["Bash(cargo test *)", "tests are cheap", "a toy"]
    );
    accept(&sandbox);
    sandbox.workspace(LOOSENING);
    let back = sandbox.load();
    assert_eq!(
        rules(&back, RuleList::Allow),
        ["Bash(cargo fmt)"],
        "the new set replaced the old one"
    );
}

#[test]
fn only_what_was_shown_is_accepted() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    sandbox.workspace(LOOSENING);
    sandbox.trust();
    let shown = sandbox.load();
    sandbox.workspace(r#"{"permissions": {"allow": ["Bash", "Bash(cargo fmt)"]}}"#);
    let now = sandbox.load();
    let digest = shown.consent_digest();
    assert!(matches!(
        store.consent(&sandbox.workspace, &now.loosening, digest),
        Err(StateFileError::Changed(_))
    ));
    store
        .consent(&sandbox.workspace, &shown.loosening, digest)
        .unwrap();
    assert_eq!(
        rules(&sandbox.load(), RuleList::Allow),
        ["Bash(cargo fmt)"],
        "what came after it was shown waits"
    );
    store.untrust(&sandbox.workspace).unwrap();
    assert!(matches!(
        store.consent(&sandbox.workspace, &shown.loosening, digest),
        Err(StateFileError::Untrusted(_))
    ));
}

#[test]
fn the_editors_settings_of_the_workspace_need_consent_too() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    let editor = EditorLayers {
        workspace: Some(json!({"permissions": {"allow": ["Bash(make)"]}})),
        ..EditorLayers::default()
    };
    let effective = sandbox.load_with(&editor);
    assert!(effective.rules.is_empty());
    assert_eq!(texts(&effective.pending_consent), ["Bash(make)"]);
    sandbox
        .store()
        .consent(
            &sandbox.workspace,
            &effective.loosening,
            effective.consent_digest(),
        )
        .unwrap();
    let accepted = sandbox.load_with(&editor);
    assert_eq!(scope(&accepted, "Bash(make)"), Scope::EditorWorkspace);
}

#[test]
fn nobody_is_asked_about_what_the_user_allows_anyway() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.user(r#"{"permissions": {"allow": ["Bash(make)"]}}"#);
    sandbox.workspace(r#"{"permissions": {"allow": ["Bash(make)"]}}"#);
    let effective = sandbox.load();
    assert!(effective.pending_consent.is_empty());
    assert_eq!(scope(&effective, "Bash(make)"), Scope::User);
}

fn confirm(sandbox: &Sandbox, shown: &Effective) {
    sandbox
        .store()
        .confirm_removal(
            &sandbox.workspace,
            &shown.kept_tightening,
            shown.removal_digest(),
        )
        .unwrap();
}

#[test]
fn a_deny_that_leaves_a_workspace_holds_until_a_person_confirms() {
    let sandbox = Sandbox::new();
    sandbox.workspace(
        r#"{"permissions": {"deny": ["Bash(a)"], "ask": ["Bash(b)"]}, "protectedPaths": {"add": ["infra/**"]}}"#,
    );
    sandbox.load();
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(c)"]}}"#);
    let kept = sandbox.load();
    assert_eq!(rules(&kept, RuleList::Deny), ["Bash(c)", "Bash(a)"]);
    assert_eq!(rules(&kept, RuleList::Ask), ["Bash(b)"]);
    assert_eq!(kept.protected_add, ["infra/**"]);
    assert_eq!(
        texts(&kept.kept_tightening),
        ["Bash(b)", "Bash(a)", "infra/**"]
    );

    std::fs::remove_dir_all(sandbox.workspace.join(".countersign")).unwrap();
    let gone = sandbox.load();
    assert_eq!(gone.rules.len(), 3);
    assert!(matches!(
        sandbox.store().confirm_removal(
            &sandbox.workspace,
            &gone.kept_tightening,
            kept.removal_digest(),
        ),
        Err(StateFileError::Changed(_)),
    ));
    confirm(&sandbox, &kept);
    assert_eq!(texts(&sandbox.load().kept_tightening), ["Bash(c)"]);
    confirm(&sandbox, &gone);
    let confirmed = sandbox.load();
    assert!(confirmed.rules.is_empty() && confirmed.kept_tightening.is_empty());
}

#[test]
fn what_came_back_is_not_forgotten_by_a_confirmation() {
    let sandbox = Sandbox::new();
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(a)", "Bash(b)"]}}"#);
    sandbox.load();
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(b)"]}}"#);
    let shown = sandbox.load();
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(a)"]}}"#);
    confirm(&sandbox, &shown);
    let effective = sandbox.load();
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)", "Bash(b)"]);
    sandbox.workspace("{}");
    assert_eq!(
        texts(&sandbox.load().kept_tightening),
        ["Bash(b)", "Bash(a)"]
    );
}

#[test]
fn a_damaged_memory_of_denies_degrades() {
    let sandbox = Sandbox::new();
    sandbox.workspace(r#"{"permissions": {"deny": ["Bash(a)"]}}"#);
    sandbox.load();
    let folder = sandbox.places.state_dir.join("workspaces");
    for entry in folder.read_dir_utf8().unwrap() {
        std::fs::write(entry.unwrap().path(), "{").unwrap();
    }
    assert!(sandbox.load().degraded.is_some());
}

#[test]
fn denies_that_an_editor_told_hold_without_it() {
    let sandbox = Sandbox::new();
    let editor = EditorLayers {
        workspace: Some(json!({"permissions": {"deny": ["Bash(a)"]}})),
        ..EditorLayers::default()
    };
    sandbox.load_with(&editor);
    let alone = sandbox.load();
    assert_eq!(rules(&alone, RuleList::Deny), ["Bash(a)"]);
    assert!(alone.kept_tightening.is_empty(), "nobody removed it");
    let removed = sandbox.load_with(&EditorLayers {
        workspace: Some(json!({})),
        ..EditorLayers::default()
    });
    assert_eq!(rules(&removed, RuleList::Deny), ["Bash(a)"]);
    assert_eq!(texts(&removed.kept_tightening), ["Bash(a)"]);
}
