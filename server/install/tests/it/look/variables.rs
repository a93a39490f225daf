//! Variables that switch hooks off.

use countersign_core::agent::Agent;

use crate::user::User;

/// With an `env` in the user's settings.
fn with_env(agent: Agent, env: &str) -> User {
    let mut user = User::new(agent);
    user.files[0].1 = user.files[0]
        .1
        .replacen('{', &format!("{{ \"env\": {{ {env} }},"), 1);
    user
}

#[test]
fn claude_code_heeds_those_of_the_user_and_the_machine() {
    let claude = || User::new(Agent::ClaudeCode);
    for name in ["CLAUDE_CODE_SAFE_MODE", "CLAUDE_CODE_SIMPLE"] {
        let env = format!("{{ \"env\": {{ \"{name}\": \"1\" }} }}");
        claude()
            .variable(name, "1")
            .assert_unguarded(&format!("{name} is set in this environment"));
        with_env(Agent::ClaudeCode, &format!("\"{name}\": \"Yes\""))
            .assert_unguarded(&format!("`env.{name}` is on in /home/ada"));
        with_env(Agent::ClaudeCode, &format!("\"{name}\": true"))
            .assert_unguarded(&format!("`env.{name}` is on in /home/ada"));
        claude()
            .file("/home/ada/.claude.json", &env)
            .assert_unguarded("is on in /home/ada/.claude.json");
        for file in ["managed-settings.json", "managed-settings.d/a.json"] {
            claude()
                .file(&format!("/machine/etc/claude-code/{file}"), &env)
                .assert_unguarded("is on in /machine/etc/claude-code");
        }
        for file in ["settings.json", "settings.local.json"] {
            claude()
                .file(&format!("/work/shop/.claude/{file}"), &env)
                .assert_guarded();
        }
        // The stronger file, and every file before the process.
        with_env(Agent::ClaudeCode, &format!("\"{name}\": \"0\""))
            .variable(name, "1")
            .file("/home/ada/.claude.json", &env)
            .assert_guarded();
    }
    claude()
        .variable("CLAUDE_CODE_SIMPLE", "maybe")
        .assert_guarded();
}

#[test]
fn a_variable_may_move_claude_codes_settings_away() {
    with_env(Agent::ClaudeCode, "\"CLAUDE_CONFIG_DIR\": \"/elsewhere\"")
        .assert_unguarded("moves the settings to /elsewhere");
    with_env(
        Agent::ClaudeCode,
        "\"CLAUDE_CONFIG_DIR\": \"/home/ada/.claude\"",
    )
    .assert_guarded();
}

#[test]
fn qwen_code_heeds_those_of_the_project_too() {
    let qwen = || User::new(Agent::Qwen);
    for name in ["QWEN_CODE_SAFE_MODE", "QWEN_CODE_SIMPLE"] {
        let env = format!("{{ \"env\": {{ \"{name}\": \"1\" }} }}");
        qwen()
            .variable(name, "1")
            .assert_unguarded(&format!("{name} is set in this environment"));
        with_env(Agent::Qwen, &format!("\"{name}\": \"on\""))
            .assert_unguarded(&format!("`env.{name}` is on in /home/ada"));
        // Only texts are taken.
        with_env(Agent::Qwen, &format!("\"{name}\": true")).assert_guarded();
        qwen()
            .file("/work/shop/.qwen/settings.json", &env)
            .assert_unguarded(&format!("`env.{name}` is on in /work/shop"));
        for file in [
            "/home/ada/.env",
            "/home/ada/.qwen/.env",
            "/work/.env",
            "/work/shop/.env",
            "/work/shop/.qwen/.env",
        ] {
            qwen()
                .file(file, &format!("# mine\nexport {name}='yes' # x\n"))
                .assert_unguarded(&format!("{name} is set in {file}"));
        }
    }
}

#[test]
fn the_first_file_of_variables_counts_for_qwen_code() {
    let qwen = || User::new(Agent::Qwen);
    let on = "QWEN_CODE_SIMPLE=1\n";
    for (nearer, farther) in [
        ("/work/shop/.env", "/work/.env"),
        ("/work/shop/.qwen/.env", "/work/shop/.env"),
    ] {
        qwen()
            .file(nearer, "A=1\n")
            .file(farther, on)
            .assert_guarded();
    }
    // Those at home are always read.
    qwen()
        .file("/work/shop/.env", "A=1\n")
        .file("/home/ada/.env", on)
        .assert_unguarded("/home/ada/.env");
    // What says no counts too.
    with_env(Agent::Qwen, "\"QWEN_CODE_SIMPLE\": \"1\"")
        .file("/work/shop/.env", "QWEN_CODE_SIMPLE=0\n")
        .assert_guarded();
    qwen()
        .variable("QWEN_CODE_SIMPLE", "0")
        .file("/work/shop/.env", on)
        .assert_guarded();
    let left_out = "{ \"advanced\": { \"excludedEnvVars\": [\"QWEN_CODE_SIMPLE\"] },";
    let mut user = qwen().file("/work/shop/.env", on);
    user.files[0].1 = user.files[0].1.replacen('{', left_out, 1);
    user.assert_guarded();
    user.files[1].0 = "/work/shop/.qwen/.env".to_owned();
    user.assert_unguarded("/work/shop/.qwen/.env");
    // A folder without trust has no say.
    let asks = "{ \"security\": { \"folderTrust\": { \"enabled\": true } },";
    let mut user = qwen().file("/work/shop/.env", on);
    user.files[0].1 = user.files[0].1.replacen('{', asks, 1);
    user.assert_warned("once Qwen Code trusts this folder");
}

#[test]
fn a_file_of_variables_may_move_qwen_codes_settings_away() {
    let qwen = || User::new(Agent::Qwen);
    qwen()
        .file("/home/ada/.env", "QWEN_HOME=/elsewhere\n")
        .assert_unguarded("moves the settings to /elsewhere");
    qwen()
        .file("/work/shop/.env", "QWEN_HOME=/elsewhere\n")
        .assert_guarded();
    qwen()
        .file(
            "/home/ada/.qwen/.env",
            "QWEN_CODE_SYSTEM_SETTINGS_PATH=/opt/settings.json\n",
        )
        .assert_warned("which was not looked at");
}
