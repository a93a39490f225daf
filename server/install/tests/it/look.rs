//! What counts as no guard.

mod folders;
mod profiles;
mod switches;
mod variables;

use countersign_core::agent::Agent;
use countersign_install::{Binary, LayerKind, Standing, Version};

use crate::support::IN_JSON;
use crate::user::User;

#[test]
fn what_install_writes_guards() {
    for agent in IN_JSON.into_iter().chain([Agent::Opencode]) {
        let user = User::new(agent);
        user.assert_guarded();
        let report = user.look();
        assert!(report.hooks.iter().any(|hook| hook.decides));
        assert!(report.hooks.iter().all(|hook| hook.is_sound));
    }
}

#[test]
fn an_agent_without_a_hook_is_told_apart_from_one_that_is_not_there() {
    let mut user = User::new(Agent::Gemini);
    user.files.clear();
    assert_eq!(user.look().standing, Standing::NotInstalled);
}

#[test]
fn codex_runs_only_what_is_trusted() {
    let user = User::new(Agent::Codex);
    let config = user.files[1].1.clone();
    let with = |text: &str| {
        let mut user = User::new(Agent::Codex);
        user.files[1].1 = text.to_owned();
        user
    };
    with("").assert_unguarded("not trusted");
    with(&config.replace("sha256:", "sha256:0")).assert_unguarded("changed since it was trusted");
    User::new(Agent::Codex)
        .change("--timeout 600", "--timeout 599")
        .assert_unguarded("changed since it was trusted");
    with(&format!("{config}\n[features]\nhooks = false\n"))
        .assert_unguarded("`features.hooks` is false");
    let off = config.replacen("trusted_hash", "enabled = false\ntrusted_hash", 1);
    with(&off).assert_unguarded("switched off");
    User::new(Agent::Codex)
        .file(
            "/machine/etc/codex/requirements.toml",
            "allow_managed_hooks_only = true\n",
        )
        .assert_unguarded("only the machine's own hooks");
}

#[test]
fn a_hook_that_leaves_tools_out_guards_not_all() {
    let claude = || User::new(Agent::ClaudeCode);
    claude()
        .change(
            "\"PreToolUse\": [\n      {",
            "\"PreToolUse\": [\n      {\n        \"matcher\": \"Bash|Edit\",",
        )
        .assert_unguarded("\"Bash|Edit\" leaves tools out");
    for (field, part) in [
        ("\"async\": true", "`async`"),
        ("\"if\": \"Bash(git *)\"", "`if`"),
    ] {
        claude()
            .change(
                "\"type\": \"command\",",
                &format!("\"type\": \"command\", {field},"),
            )
            .assert_unguarded(part);
    }
    claude()
        .change("\"type\": \"command\"", "\"type\": \"prompt\"")
        .assert_unguarded("`type`");
    claude()
        .change("\"PreToolUse\"", "\"PostToolUse2\"")
        .assert_unguarded("no event of that name");
    User::new(Agent::Cursor)
        .change("\"beforeMCPExecution\"", "\"afterMCPExecution\"")
        .assert_unguarded("beforeMCPExecution has no hook");
    User::new(Agent::Cursor)
        .change("\"failClosed\": true", "\"failClosed\": false")
        .assert_warned("`failClosed`");
}

#[test]
fn a_hook_that_is_too_slow_for_its_agent_guards_nothing() {
    User::new(Agent::ClaudeCode)
        .change("\"timeout\": 600", "\"timeout\": 60")
        .assert_unguarded("waits 60 s, the hook takes up to 600 s");
    User::new(Agent::Gemini)
        .change("\"timeout\": 600000", "\"timeout\": 600")
        .assert_unguarded("counts milliseconds");
    User::new(Agent::Qwen)
        .change("\"timeout\": 600", "\"timeout\": 1000")
        .assert_unguarded("waits 1 s");
    User::new(Agent::Vscode)
        .change("\"timeout\": 600,", "")
        .change("\"timeoutSec\": 600", "\"x\": 1")
        .assert_unguarded("waits 30 s");
    User::new(Agent::ClaudeCode)
        .change("--timeout 600", "--timeout 20")
        .assert_warned("little time");
}

#[test]
fn a_command_that_is_not_simply_this_hook_guards_nothing() {
    let claude = || User::new(Agent::ClaudeCode);
    claude()
        .change("--timeout 600\"", "--timeout 600 || true\"")
        .assert_unguarded("does more than call");
    claude()
        .change("hook claude-code", "hook qwen")
        .assert_unguarded("\"qwen\" calls it");
    claude()
        .change("--event PreToolUse", "--event PostToolUse")
        .assert_unguarded("told of the event \"PostToolUse\"");
    let mut missing = claude();
    missing.binary = |_| Binary::Missing;
    missing.assert_unguarded("there is no /usr/local/bin/countersign");
    missing.binary = |_| Binary::NotRunnable;
    missing.assert_unguarded("cannot be run");
    missing.binary = |_| Binary::Relative;
    missing.assert_unguarded("whatever folder");
    missing.binary = |word| Binary::Other(word.into());
    missing.assert_warned("another binary");
    claude()
        .change("/usr/local/bin/countersign hook", "nice countersign hook")
        .assert_warned("starts the hook");
}

#[test]
fn an_event_that_is_too_new_for_the_version_takes_all_hooks_along() {
    let mut user = User::new(Agent::ClaudeCode);
    user.version = Some(Version::new(2, 1, 44));
    user.assert_unguarded("may leave out every hook of the file");
}

#[test]
fn a_file_that_cannot_be_read_guards_nothing() {
    let mut user = User::new(Agent::ClaudeCode);
    user.files[0].1.push('}');
    user.assert_unguarded("settings.json cannot be read");
    User::new(Agent::ClaudeCode)
        .file("/work/shop/.claude/settings.json", "{")
        .assert_warned("cannot be read");
}

#[test]
fn a_hook_that_is_there_twice_is_told() {
    let text = User::new(Agent::ClaudeCode).files[0].1.clone();
    User::new(Agent::ClaudeCode)
        .file("/work/shop/.claude/settings.json", &text)
        .assert_warned("twice");
    let report = User::new(Agent::ClaudeCode)
        .file("/work/shop/.claude/settings.json", &text)
        .look();
    assert!(
        report
            .hooks
            .iter()
            .any(|hook| hook.layer == LayerKind::Project)
    );
}

#[test]
fn a_plugin_that_was_changed_guards_nothing() {
    User::new(Agent::Opencode)
        .change("SIGKILL", "SIGCONT")
        .assert_unguarded("not the plugin of this version");
    let mut other = User::new(Agent::Opencode);
    other.binary = |word| Binary::Other(word.into());
    other.assert_warned("another binary");
    let mut mine = User::new(Agent::Opencode);
    mine.files[0].1 = "export const Mine = 1\n".to_owned();
    mine.assert_unguarded("did not write");
}

#[test]
fn a_value_of_a_wrong_kind_takes_the_whole_file_along() {
    let user = User::new(Agent::ClaudeCode);
    let text = user.files[0].1.clone();
    let with = |value: &str| {
        let mut user = User::new(Agent::ClaudeCode);
        user.files[0].1 = text.replacen('{', &format!("{{ {value},"), 1);
        user
    };
    with("\"permissions\": { \"allow\": \"Bash\" }")
        .assert_unguarded("`permissions.allow` is not a list");
    with("\"env\": null").assert_unguarded("`env` is not an object");
    with("\"unheardOf\": 5").assert_guarded();
    with("\"hooks2\": {}")
        .change("\"timeout\": 30", "\"timeout\": \"30\"")
        .assert_unguarded("a `timeout` of a hook at");
    // A project's file that is left out switches nothing off.
    User::new(Agent::ClaudeCode)
        .file(
            "/work/shop/.claude/settings.json",
            "{ \"disableAllHooks\": true, \"permissions\": 1 }",
        )
        .assert_warned("`permissions` is not an object");
}
