//! Claude Code's. What an administrator says stands below `/etc`, where no test
//! writes; `server/install/tests/it/look` has what was measured of it.

use super::{Means, Row, Silences, files, moved};

const USER: &str = "~/.claude/settings.json";
const PROJECT: &str = "./.claude/settings.json";
const LOCAL: &str = "./.claude/settings.local.json";

const OFF: &str = r#"{ "disableAllHooks": true }"#;
const ON: &str = r#"{ "disableAllHooks": false }"#;
const SAFE: &str = r#"{ "env": { "CLAUDE_CODE_SAFE_MODE": "1" } }"#;
const SIMPLE: &str = r#"{ "env": { "CLAUDE_CODE_SIMPLE": "1" } }"#;
const NOT_SAFE: &str = r#"{ "env": { "CLAUDE_CODE_SAFE_MODE": "0" } }"#;
const ELSEWHERE: &str = r#"{ "env": { "CLAUDE_CONFIG_DIR": "{home}/elsewhere" } }"#;

pub(super) const ROWS: &[Row] = &[
    files("user_off", Silences, &[(USER, OFF)]),
    files("project_off", Silences, &[(PROJECT, OFF)]),
    files("local_off", Silences, &[(LOCAL, OFF)]),
    files("user_off_project_on", Means, &[(USER, OFF), (PROJECT, ON)]),
    files(
        "project_off_local_on",
        Means,
        &[(PROJECT, OFF), (LOCAL, ON)],
    ),
    files(
        "what_only_an_administrator_says",
        Means,
        &[
            (USER, r#"{ "allowManagedHooksOnly": true }"#),
            (PROJECT, r#"{ "strictPluginOnlyCustomization": true }"#),
        ],
    ),
    files("process_safe_mode", Silences, &[]).variables(&[("CLAUDE_CODE_SAFE_MODE", "1")]),
    files("process_simple", Silences, &[]).variables(&[("CLAUDE_CODE_SIMPLE", "true")]),
    files("user_env_safe_mode", Silences, &[(USER, SAFE)]),
    files("user_env_simple", Silences, &[(USER, SIMPLE)]),
    files("state_env_safe_mode", Silences, &[("~/.claude.json", SAFE)]),
    files("user_env_over_process", Means, &[(USER, NOT_SAFE)])
        .variables(&[("CLAUDE_CODE_SAFE_MODE", "1")]),
    files(
        "user_env_over_state",
        Means,
        &[(USER, NOT_SAFE), ("~/.claude.json", SAFE)],
    ),
    files("project_env_safe_mode", Means, &[(PROJECT, SAFE)]),
    files("project_env_simple", Means, &[(PROJECT, SIMPLE)]),
    files("local_env_safe_mode", Means, &[(LOCAL, SAFE)]),
    files("local_env_simple", Means, &[(LOCAL, SIMPLE)]),
    files(
        "project_variables",
        Means,
        &[("./.env", "CLAUDE_CODE_SAFE_MODE=1\n")],
    ),
    files("user_env_moves_settings", Silences, &[(USER, ELSEWHERE)]),
    files("project_env_moves_settings", Means, &[(PROJECT, ELSEWHERE)]),
    files(
        "user_misfit",
        Silences,
        &[(USER, r#"{ "permissions": { "allow": "Bash" } }"#)],
    ),
    moved("hooks_in_project", Means, PROJECT),
    moved("hooks_in_local", Means, LOCAL),
];
