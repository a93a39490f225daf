//! Trust in a workspace, and consent to what its settings would loosen: asked
//! once, in the editor, about exactly what is shown.

use std::fs;

use countersign_core::state::RecordKind;
use countersign_settings::TrustStore;
use countersign_test_support::lsp::PROMPT;
use serde_json::{Value, json};

use super::screen::{CHANGED, REFUSED, Screen};
use super::world::{Setup, World, eventually, write};

fn untrusted() -> World {
    World::new(Setup {
        trusted: false,
        ..Setup::default()
    })
}

fn with_settings(settings: &Value) -> World {
    World::new(Setup {
        workspace: Some(settings.to_string()),
        ..Setup::default()
    })
}

fn is_trusted(world: &World) -> bool {
    TrustStore::new(&world.places)
        .is_trusted(&world.workspace)
        .unwrap()
}

fn workspace(world: &World, screen: &mut Screen) -> Value {
    world.status(screen)["workspaces"][0].clone()
}

/// The prompts of an untrusted workspace with a call that waits, in either
/// order: about trust, and about the call.
fn trust_and_call(screen: &mut Screen) -> super::screen::Prompt {
    let prompt = screen.prompt();
    if prompt.text.contains("Trust ") {
        return prompt;
    }
    screen.click(&prompt, "Deny");
    screen.prompt()
}

#[test]
fn where_an_agent_works_trust_is_asked_once() {
    let world = untrusted();
    let mut screen = world.plain();
    assert_eq!(
        world.tool("s1", "Glob", json!({ "pattern": "*" })).said(),
        "allow safe_tool"
    );
    let prompt = trust_and_call(&mut screen);
    assert_eq!(prompt.titles, ["Not now", "Trust this workspace"]);
    assert!(prompt.text.contains(world.workspace.as_str()));
    screen.click(&prompt, "Not now");
    for session in ["s1", "s2", "s3"] {
        assert_eq!(
            world
                .tool(session, "Glob", json!({ "pattern": "*" }))
                .said(),
            "allow safe_tool"
        );
    }
    let hook = world.bash("s4", "git push");
    let prompt = screen.prompt();
    assert!(
        prompt.text.contains("git push"),
        "trust is not asked again: {prompt:?}"
    );
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
    assert!(!is_trusted(&world));
}

#[test]
fn trust_is_given_by_the_click_and_auto_mode_explained_after_it() {
    let world = untrusted();
    let mut screen = world.plain();
    world
        .tool("s1", "Glob", json!({ "pattern": "*" }))
        .outcome();
    let prompt = screen.prompt();
    assert!(!is_trusted(&world));
    screen.agree(&prompt, "Trust this workspace");
    let notice = screen.prompt();
    assert!(is_trusted(&world));
    assert_eq!(notice.titles, ["Cancel", "Use auto mode"]);
    screen.click(&notice, "Cancel");
    assert_eq!(workspace(&world, &mut screen)["trusted"], true);
    let rows = world.rows(RecordKind::Trust);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].source.as_deref(), Some("standard_prompt"));
}

#[test]
fn an_editor_that_draws_says_who_is_trusted() {
    let world = untrusted();
    let mut screen = world.vscode();
    assert_eq!(workspace(&world, &mut screen)["trusted"], false);
    screen.request(
        "countersign/trust",
        json!({ "folder": world.workspace, "trusted": true }),
    );
    assert_eq!(workspace(&world, &mut screen)["trusted"], true);
    screen.request(
        "countersign/trust",
        json!({ "folder": world.workspace, "trusted": false }),
    );
    assert_eq!(workspace(&world, &mut screen)["trusted"], false);
    let nowhere = json!({ "folder": "/nowhere/at/all", "trusted": true });
    let refused = screen
        .try_request("countersign/trust", nowhere)
        .unwrap_err();
    assert_eq!(refused.code, REFUSED);
    world
        .tool("s1", "Glob", json!({ "pattern": "*" }))
        .outcome();
    world.status(&mut screen);
    let unread = screen.unread();
    assert!(
        !unread.iter().any(|message| message["method"] == PROMPT),
        "it asks by itself"
    );
}

#[test]
fn what_a_workspace_loosens_counts_only_after_exactly_that_was_accepted() {
    let world = with_settings(&json!({ "permissions": { "allow": ["Bash(git push)"] } }));
    let mut screen = world.vscode();
    let shown = workspace(&world, &mut screen);
    assert_eq!(shown["pending"][0]["key"], "permissions.allow");
    assert_eq!(shown["pending"][0]["text"], "Bash(git push)");
    assert!(
        shown["pending"][0]["place"]
            .as_str()
            .unwrap()
            .ends_with("settings.json:1")
    );
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person", "not accepted yet");
    let accept = |digest: &Value, what: &str| json!({ "folder": world.workspace, "digest": digest, "what": what });
    for (digest, code) in [
        (json!("0".repeat(64)), CHANGED),
        (json!("f"), -32_602),
        (json!(""), -32_602),
        (json!("0".repeat(100_000)), -32_602),
    ] {
        let refused = screen.try_request("countersign/consent", accept(&digest, "loosening"));
        assert_eq!(refused.unwrap_err().code, code);
    }
    // What was shown is not what is there any more.
    write(
        &world.workspace_file(),
        &json!({ "permissions": { "allow": ["Bash(git push)", "Bash(curl *)"] } }).to_string(),
    );
    let refused = screen.try_request(
        "countersign/consent",
        accept(&shown["consentDigest"], "loosening"),
    );
    assert_eq!(refused.unwrap_err().code, CHANGED);
    write(
        &world.workspace_file(),
        &json!({ "permissions": { "allow": ["Bash(git push)"] } }).to_string(),
    );
    screen.request(
        "countersign/consent",
        accept(&shown["consentDigest"], "loosening"),
    );
    assert_eq!(world.bash("s2", "git push").said(), "allow rule");
    assert_eq!(workspace(&world, &mut screen)["pending"], json!([]));
    assert_eq!(workspace(&world, &mut screen)["consentDigest"], Value::Null);
}

#[test]
fn a_plain_editor_shows_the_difference_and_accepts_by_the_click() {
    let world = with_settings(&json!({ "permissions": { "allow": ["Bash(git push)"] } }));
    let mut screen = world.plain();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Not now", "Accept exactly this"]);
    assert!(
        prompt
            .text
            .contains("+ permissions.allow: `Bash(git push)`"),
        "{prompt:?}"
    );
    screen.agree(&prompt, "Accept exactly this");
    eventually("the consent", || {
        world
            .service
            .settings(&world.workspace)
            .pending_consent
            .is_empty()
    });
    assert_eq!(world.bash("s1", "git push").said(), "allow rule");
}

#[test]
fn a_click_accepts_nothing_that_was_not_in_its_prompt() {
    let world = with_settings(&json!({ "permissions": { "allow": ["Bash(git push)"] } }));
    let mut screen = world.plain();
    let prompt = screen.prompt();
    write(
        &world.workspace_file(),
        &json!({ "permissions": { "allow": ["Bash(git push)", "Bash(git fetch)"] } }).to_string(),
    );
    screen.agree(&prompt, "Accept exactly this");
    screen.message("what was shown is not what the settings say now");
    assert_eq!(
        world
            .service
            .settings(&world.workspace)
            .pending_consent
            .len(),
        2
    );
    // The whole difference is asked about anew, by itself or on demand.
    screen.command("consent", json!([])).unwrap();
    let prompt = screen.prompt();
    assert!(
        prompt
            .text
            .contains("+ permissions.allow: `Bash(git fetch)`"),
        "{prompt:?}"
    );
    screen.click(&prompt, "Not now");
    assert_eq!(
        world
            .service
            .settings(&world.workspace)
            .pending_consent
            .len(),
        2
    );
    screen.allow(PROMPT);
}

#[test]
fn a_long_difference_is_shown_whole_before_it_can_be_accepted() {
    let rules: Vec<String> = (0..60)
        .map(|n| format!("Bash(git push origin vine-{n})"))
        .collect();
    let world = with_settings(&json!({ "permissions": { "allow": rules } }));
    let mut screen = world.plain_with(json!({ "capabilities": {
        "window": { "showDocument": { "support": true } },
    }}));
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Not now", "Show"]);
    screen.click(&prompt, "Show");
    let (id, shown) = screen.expect_request("window/showDocument");
    let path = shown["uri"]
        .as_str()
        .unwrap()
        .strip_prefix("file://")
        .unwrap()
        .to_owned();
    let text = fs::read_to_string(path).unwrap();
    for rule in &rules {
        assert!(text.contains(rule));
    }
    screen.answer(&id, json!({ "success": true }));
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Not now", "Accept exactly this"]);
    screen.agree(&prompt, "Accept exactly this");
    eventually("the consent", || {
        world
            .service
            .settings(&world.workspace)
            .pending_consent
            .is_empty()
    });
}

#[test]
fn a_restriction_that_left_the_settings_holds_until_its_removal_is_confirmed() {
    let world = with_settings(&json!({ "permissions": { "deny": ["Bash(git push)"] } }));
    let mut screen = world.vscode();
    assert_eq!(world.bash("s1", "git push").said(), "block rule_denied");
    write(&world.workspace_file(), "{}");
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block rule_denied",
        "it is kept"
    );
    let shown = workspace(&world, &mut screen);
    assert_eq!(shown["removed"][0]["text"], "Bash(git push)");
    let confirm =
        |digest: &Value| json!({ "folder": world.workspace, "digest": digest, "what": "removal" });
    let wrong = confirm(&json!("0".repeat(64)));
    let refused = screen
        .try_request("countersign/consent", wrong)
        .unwrap_err();
    assert_eq!(refused.code, CHANGED);
    screen.request("countersign/consent", confirm(&shown["removalDigest"]));
    assert_eq!(workspace(&world, &mut screen)["removed"], json!([]));
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_plain_editor_confirms_a_removal_by_the_click() {
    let world = with_settings(&json!({ "permissions": { "deny": ["Bash(git push)"] } }));
    let mut screen = world.plain();
    assert_eq!(world.bash("s1", "git push").said(), "block rule_denied");
    write(&world.workspace_file(), "{}");
    assert_eq!(world.bash("s1", "git push").said(), "block rule_denied");
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Not now", "Drop these restrictions"]);
    assert!(
        prompt.text.contains("- permissions.deny: `Bash(git push)`"),
        "{prompt:?}"
    );
    screen.agree(&prompt, "Drop these restrictions");
    eventually("the removal", || {
        world
            .service
            .settings(&world.workspace)
            .kept_tightening
            .is_empty()
    });
}
