//! Folders that the agent does not trust.

use countersign_core::agent::Agent;

use crate::user::User;

const OFF: &str = "{ \"disableAllHooks\": true }";

fn qwen(rules: &str) -> User {
    let mut user = User::new(Agent::Qwen);
    let asks = "{ \"security\": { \"folderTrust\": { \"enabled\": true } },";
    user.files[0].1 = user.files[0].1.replacen('{', asks, 1);
    user.file("/home/ada/.qwen/trustedFolders.json", rules)
}

#[test]
fn what_came_with_a_project_does_not_count_in_a_folder_without_trust() {
    let project = "/work/shop/.qwen/settings.json";
    let off = "`disableAllHooks` is true in /work/shop";
    for rules in [
        "{ \"/work/shop\": \"TRUST_FOLDER\" }",
        "{ \"/work/any\": \"TRUST_PARENT\" }",
        "{ \"/work\": \"DO_NOT_TRUST\", \"/work/shop\": \"TRUST_FOLDER\" }",
    ] {
        qwen(rules).file(project, OFF).assert_unguarded(off);
    }
    for rules in [
        "{ \"/work/shop\": \"DO_NOT_TRUST\" }",
        "{ \"/work/shop\": \"DO_NOT_TRUST\", \"/work\": \"TRUST_FOLDER\" }",
        "{ \"/work/shop\": \"DO_NOT_TRUST\", \"/work/shop/x\": \"TRUST_PARENT\" }",
    ] {
        qwen(rules).file(project, OFF).assert_guarded();
    }
    qwen("{ \"/work/shopping\": \"TRUST_FOLDER\" }")
        .file(project, OFF)
        .assert_warned("once Qwen Code trusts this folder");
    // Without the question every folder is trusted.
    User::new(Agent::Qwen)
        .file(
            "/home/ada/.qwen/trustedFolders.json",
            "{ \"/work/shop\": \"DO_NOT_TRUST\" }",
        )
        .file(project, OFF)
        .assert_unguarded(off);
}

#[test]
fn hooks_of_a_project_are_not_called_in_a_folder_without_trust() {
    let hooks = "/work/shop/.qwen/settings.json";
    let part = "does not trust /work/shop, and calls no hook of the project";
    let asks = "{ \"security\": { \"folderTrust\": { \"enabled\": true } } }";
    let own = "/home/ada/.qwen/settings.json";
    let mut user = User::new(Agent::Qwen).moved(hooks).file(own, asks);
    user.assert_unguarded(part);
    user = user.file(
        "/home/ada/.qwen/trustedFolders.json",
        "{ \"/work/shop\": \"TRUST_FOLDER\" }",
    );
    user.assert_guarded();
    // Those of the user are.
    let mut both = User::new(Agent::Qwen);
    both.files[0].1 = both.files[0]
        .1
        .replacen('{', &asks.replacen("} } }", "} },", 1), 1);
    let text = both.files[0].1.clone();
    both.file(hooks, &text).assert_warned(part);
}

#[test]
fn gemini_calls_no_hook_in_a_folder_that_it_does_not_trust() {
    let gemini = || User::new(Agent::Gemini);
    let rules = "/home/ada/.gemini/trustedFolders.json";
    let part = "does not trust /work/shop";
    gemini().assert_guarded();
    gemini()
        .file(rules, "{ \"/work/shop\": \"TRUST_FOLDER\" }")
        .assert_guarded();
    let distrusted = || gemini().file(rules, "{ \"/work/shop\": \"DO_NOT_TRUST\" }");
    distrusted().assert_unguarded(part);
    distrusted()
        .variable("GEMINI_CLI_TRUST_WORKSPACE", "true")
        .assert_guarded();
    gemini()
        .variable("GEMINI_CLI_TRUST_WORKSPACE", "false")
        .assert_unguarded(part);
    gemini()
        .variable("GEMINI_RESTRICTED_MODE", "true")
        .assert_unguarded(part);
    let mut off = distrusted();
    off.files[0].1 = off.files[0].1.replacen(
        '{',
        "{ \"security\": { \"folderTrust\": { \"enabled\": false } },",
        1,
    );
    off.assert_guarded();
}

#[test]
fn codex_reads_nothing_of_a_project_that_it_does_not_trust() {
    let with = |level: &str| {
        let mut user = User::new(Agent::Codex);
        let trust = format!("\n[projects.\"/work/shop\"]\ntrust_level = \"{level}\"\n");
        user.files[1].1.push_str(&trust);
        user
    };
    let project = "/work/shop/.codex/config.toml";
    let off = "[features]\nhooks = false\n";
    with("trusted")
        .file(project, off)
        .assert_unguarded("`features.hooks` is false in /work/shop");
    with("untrusted").file(project, off).assert_guarded();
    User::new(Agent::Codex)
        .file(project, off)
        .assert_warned("once Codex trusts this folder");
    // Hooks of the project alone.
    let hooks = "/work/shop/.codex/hooks.json";
    let part = "does not trust /work/shop, and calls no hook of the project";
    with("untrusted").moved(hooks).assert_unguarded(part);
    User::new(Agent::Codex).moved(hooks).assert_unguarded(part);
    let trusted = with("trusted").moved(hooks).look();
    assert!(
        !trusted
            .findings
            .iter()
            .any(|finding| finding.text.contains("does not trust")),
        "{trusted:#?}"
    );
}
