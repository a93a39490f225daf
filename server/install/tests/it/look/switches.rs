//! What switches hooks off as a whole, by name, or for all but the machine's.

use countersign_core::agent::Agent;

use crate::user::User;

const OFF: &str = "{ \"disableAllHooks\": true }";

const MANAGED: &str = "/machine/etc/claude-code/managed-settings.json";

fn drop_in(name: &str) -> String {
    format!("/machine/etc/claude-code/managed-settings.d/{name}")
}

fn claude() -> User {
    User::new(Agent::ClaudeCode)
}

#[test]
fn a_switch_counts_in_every_file_and_the_strongest_wins() {
    for file in [
        "/work/shop/.claude/settings.json",
        "/work/shop/.claude/settings.local.json",
        MANAGED,
        &drop_in("10-hooks.json"),
    ] {
        claude()
            .file(file, OFF)
            .assert_unguarded("`disableAllHooks` is true");
    }
    let on = "{ \"disableAllHooks\": false }";
    for (off, stronger) in [
        (
            "/work/shop/.claude/settings.json",
            "/work/shop/.claude/settings.local.json",
        ),
        ("/work/shop/.claude/settings.local.json", MANAGED),
        (MANAGED, &drop_in("10-a.json")),
        (&drop_in("10-a.json"), &drop_in("20-b.json")),
    ] {
        claude().file(off, OFF).file(stronger, on).assert_guarded();
        claude()
            .file(off, on)
            .file(stronger, OFF)
            .assert_unguarded("`disableAllHooks` is true");
    }
}

#[test]
fn what_is_not_the_machines_does_not_reach_its_hooks() {
    let managed = || claude().moved(&drop_in("50-countersign.json"));
    managed().assert_guarded();
    managed()
        .file("/home/ada/.claude/settings.json", OFF)
        .assert_warned("only the machine's own hooks");
    managed()
        .file(MANAGED, OFF)
        .assert_unguarded("`disableAllHooks` is true");
    managed()
        .variable("CLAUDE_CODE_SIMPLE", "1")
        .assert_warned("only the machine's own hooks");
    managed()
        .file(MANAGED, "{ \"allowManagedHooksOnly\": true }")
        .assert_guarded();
}

#[test]
fn an_administrator_may_leave_only_the_machines_hooks() {
    let said = "only the machine's own hooks";
    for value in [
        "\"allowManagedHooksOnly\": true",
        // What is neither is taken for the stricter.
        "\"allowManagedHooksOnly\": \"yes\"",
        "\"strictPluginOnlyCustomization\": true",
        "\"strictPluginOnlyCustomization\": [\"skills\", \"hooks\"]",
        "\"strictPluginOnlyCustomization\": \"hooks\"",
    ] {
        let text = format!("{{ {value} }}");
        claude().file(MANAGED, &text).assert_unguarded(said);
        claude()
            .file(&drop_in("a.json"), &text)
            .assert_unguarded(said);
        // Nobody else can say so.
        claude()
            .file("/work/shop/.claude/settings.json", &text)
            .assert_guarded();
    }
    for value in [
        "\"allowManagedHooksOnly\": \"false\"",
        "\"allowManagedHooksOnly\": null",
        "\"strictPluginOnlyCustomization\": [\"skills\"]",
    ] {
        claude()
            .file(MANAGED, &format!("{{ {value} }}"))
            .assert_guarded();
    }
    claude()
        .file(
            MANAGED,
            "{ \"strictPluginOnlyCustomization\": [\"hooks\"] }",
        )
        .file(
            &drop_in("a.json"),
            "{ \"strictPluginOnlyCustomization\": [\"skills\"] }",
        )
        .assert_unguarded(said);
    claude()
        .file(MANAGED, "{ \"allowManagedHooksOnly\": true }")
        .file(&drop_in("a.json"), "{ \"allowManagedHooksOnly\": false }")
        .assert_guarded();
    let codex = || User::new(Agent::Codex);
    let only = "allow_managed_hooks_only = true\n";
    codex()
        .file("/machine/etc/codex/requirements.toml", only)
        .assert_unguarded(said);
    codex()
        .file("/machine/etc/codex/managed_config.toml", only)
        .assert_guarded();
}

#[test]
fn what_was_distributed_to_a_mac_is_named() {
    let report = claude()
        .file(
            "/machine/Library/Managed Preferences/com.anthropic.claudecode.plist",
            "bplist00",
        )
        .look();
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.text.contains("it is not looked at here")),
        "{report:#?}"
    );
}

#[test]
fn each_agent_has_its_own_switches() {
    User::new(Agent::Qwen)
        .file("/work/shop/.qwen/settings.json", OFF)
        .assert_unguarded("`disableAllHooks` is true");
    let gemini = || User::new(Agent::Gemini);
    let project = "/work/shop/.gemini/settings.json";
    gemini()
        .file(project, "{\"hooksConfig\":{\"enabled\":false}}")
        .assert_unguarded("`hooksConfig.enabled` is false");
    gemini()
        .file(
            project,
            "{\"hooksConfig\":{\"disabled\":[\"countersign\"]}}",
        )
        .assert_unguarded("disabled in /work/shop");
    User::new(Agent::Vscode)
        .file(
            "/home/ada/.config/Code/User/settings.json",
            "{ // mine\n \"chat.hookFilesLocations\": { \"~/.copilot/hooks\": false } }",
        )
        .assert_unguarded("`chat.hookFilesLocations`");
}

#[test]
fn a_switch_that_newer_versions_do_not_heed_counts_for_older_ones() {
    for (agent, file, text, old, part) in [
        (
            Agent::Gemini,
            "/work/shop/.gemini/settings.json",
            "{\"tools\":{\"enableHooks\":false}}",
            (0, 26, 0),
            "`tools.enableHooks` is false",
        ),
        (
            Agent::Gemini,
            "/work/shop/.gemini/settings.json",
            "{\"hooks\":{\"disabled\":[\"countersign\"]}}",
            (0, 26, 0),
            "disabled in /work/shop",
        ),
        (
            Agent::Qwen,
            "/home/ada/.qwen/.env",
            "",
            (0, 24, 0),
            "`hooksConfig.enabled` is false",
        ),
    ] {
        let mut user = User::new(agent).file(file, text);
        if agent == Agent::Qwen {
            user.files[0].1 =
                user.files[0]
                    .1
                    .replacen('{', "{ \"hooksConfig\": { \"enabled\": false },", 1);
        }
        user.assert_guarded();
        let mut user = user.version(old.0, old.1, old.2);
        user.assert_unguarded(part);
        user.version = None;
        user.assert_unguarded(part);
    }
}

#[test]
fn the_machines_defaults_are_the_weakest_and_its_settings_the_strongest() {
    for (agent, name, off, on, part) in [
        (
            Agent::Qwen,
            "qwen-code",
            OFF,
            "{ \"disableAllHooks\": false }",
            "`disableAllHooks` is true",
        ),
        (
            Agent::Gemini,
            "gemini-cli",
            "{\"hooksConfig\":{\"enabled\":false}}",
            "{\"hooksConfig\":{\"enabled\":true}}",
            "`hooksConfig.enabled` is false",
        ),
    ] {
        let defaults = format!("/machine/etc/{name}/system-defaults.json");
        let settings = format!("/machine/etc/{name}/settings.json");
        let project = format!("/work/shop/.{agent}/settings.json");
        for file in [&defaults, &settings] {
            User::new(agent).file(file, off).assert_unguarded(part);
            User::new(agent).moved(file).assert_guarded();
        }
        for (weaker, stronger) in [(&defaults, &project), (&project, &settings)] {
            User::new(agent)
                .file(weaker, off)
                .file(stronger, on)
                .assert_guarded();
        }
        let (settings_at, defaults_at) = match agent {
            Agent::Qwen => (
                "QWEN_CODE_SYSTEM_SETTINGS_PATH",
                "QWEN_CODE_SYSTEM_DEFAULTS_PATH",
            ),
            _ => (
                "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
                "GEMINI_CLI_SYSTEM_DEFAULTS_PATH",
            ),
        };
        User::new(agent)
            .variable(settings_at, "/opt/agents/settings.json")
            .file("/opt/agents/system-defaults.json", off)
            .assert_unguarded(part);
        User::new(agent)
            .variable(defaults_at, "/opt/defaults.json")
            .file("/opt/defaults.json", off)
            .assert_unguarded(part);
    }
}

#[test]
fn codexs_files_count_in_its_order() {
    let off = "[features]\nhooks = false\n";
    let on = "[features]\nhooks = true\n";
    let machine = |name: &str| format!("/machine/etc/codex/{name}");
    let part = "`features.hooks` is false";
    for name in ["config.toml", "managed_config.toml", "requirements.toml"] {
        User::new(Agent::Codex)
            .file(&machine(name), off)
            .assert_unguarded(part);
    }
    let with = |text: &str| {
        let mut user = User::new(Agent::Codex);
        user.files[1].1.push_str(text);
        user
    };
    with(off).assert_unguarded(part);
    with(&off.replace("hooks", "codex_hooks")).assert_unguarded("`features.codex_hooks`");
    with(on).file(&machine("config.toml"), off).assert_guarded();
    with(off)
        .file(&machine("managed_config.toml"), on)
        .assert_guarded();
    with(off)
        .file(&machine("managed_config.toml"), off)
        .file(&machine("requirements.toml"), on)
        .assert_guarded();
}
