//! Qwen Code's.

use super::{CalledBut, Means, Row, Silences, files, moved};

const USER: &str = "~/.qwen/settings.json";
const PROJECT: &str = "./.qwen/settings.json";
const FOLDERS: &str = "~/.qwen/trustedFolders.json";
const SYSTEM: &str = "~/machine/settings.json";
const DEFAULTS: &str = "~/machine/system-defaults.json";

const OFF: &str = r#"{ "disableAllHooks": true }"#;
const ON: &str = r#"{ "disableAllHooks": false }"#;
const SAFE: &str = r#"{ "env": { "QWEN_CODE_SAFE_MODE": "1" } }"#;
const SIMPLE: &str = r#"{ "env": { "QWEN_CODE_SIMPLE": "1" } }"#;
const SAFE_LINE: &str = "QWEN_CODE_SAFE_MODE=1\n";
const OTHER_LINE: &str = "A=1\n";
const ASKS: &str = r#"{ "security": { "folderTrust": { "enabled": true } } }"#;
const LEAVES_OUT: &str = r#"{ "advanced": { "excludedEnvVars": ["QWEN_CODE_SAFE_MODE"] } }"#;

/// The machine's files are elsewhere.
const MACHINE: &[(&str, &str)] = &[(
    "QWEN_CODE_SYSTEM_SETTINGS_PATH",
    "{home}/machine/settings.json",
)];

/// In a folder without trust it would run none of these.
const ALLOWED: &[&str] = &[
    "--allowed-tools",
    "run_shell_command",
    "--allowed-tools",
    "edit",
    "--allowed-tools",
    "write_file",
];

pub(super) const ROWS: &[Row] = &[
    files("user_off", Silences, &[(USER, OFF)]),
    files("project_off", Silences, &[(PROJECT, OFF)]),
    files("system_off", Silences, &[(SYSTEM, OFF)]).variables(MACHINE),
    files("defaults_off", Silences, &[(DEFAULTS, OFF)]).variables(MACHINE),
    files("user_off_system_on", Means, &[(USER, OFF), (SYSTEM, ON)]).variables(MACHINE),
    files(
        "defaults_off_user_on",
        Means,
        &[(DEFAULTS, OFF), (USER, ON)],
    )
    .variables(MACHINE),
    files(
        "what_older_versions_heed",
        Means,
        &[(USER, r#"{ "hooksConfig": { "enabled": false } }"#)],
    ),
    files("process_safe_mode", Silences, &[]).variables(&[("QWEN_CODE_SAFE_MODE", "1")]),
    files("process_simple", Silences, &[]).variables(&[("QWEN_CODE_SIMPLE", "on")]),
    files("user_env", Silences, &[(USER, SAFE)]),
    files("project_env", Silences, &[(PROJECT, SIMPLE)]),
    files("process_over_project_env", Means, &[(PROJECT, SAFE)])
        .variables(&[("QWEN_CODE_SAFE_MODE", "0")]),
    files("project_variables", Silences, &[("./.env", SAFE_LINE)]),
    files(
        "project_variables_of_its_own",
        Silences,
        &[("./.qwen/.env", SAFE_LINE)],
    ),
    files(
        "variables_above_the_project",
        Silences,
        &[("./../.env", SAFE_LINE)],
    ),
    files("user_variables", Silences, &[("~/.env", SAFE_LINE)]),
    files(
        "user_variables_of_its_own",
        Silences,
        &[("~/.qwen/.env", SAFE_LINE)],
    ),
    files(
        "only_the_nearest_variables",
        Means,
        &[("./.qwen/.env", OTHER_LINE), ("./.env", SAFE_LINE)],
    ),
    files(
        "variables_left_out",
        Means,
        &[("./.env", SAFE_LINE), (USER, LEAVES_OUT)],
    ),
    files(
        "user_variables_move_settings",
        Silences,
        &[("~/.env", "QWEN_HOME={home}/elsewhere\n")],
    ),
    files(
        "project_variables_do_not",
        Means,
        &[("./.env", "QWEN_HOME={home}/elsewhere\n")],
    ),
    files(
        "trusted_project_off",
        Silences,
        &[
            (USER, ASKS),
            (FOLDERS, r#"{ "{project}": "TRUST_FOLDER" }"#),
            (PROJECT, OFF),
        ],
    ),
    files(
        "untrusted_project_off",
        Means,
        &[
            (USER, ASKS),
            (FOLDERS, r#"{ "{project}": "DO_NOT_TRUST" }"#),
            (PROJECT, OFF),
        ],
    )
    .words(ALLOWED),
    files(
        "unknown_project_off",
        CalledBut("once Qwen Code trusts this folder"),
        &[(USER, ASKS), (PROJECT, OFF), ("./.env", SAFE_LINE)],
    )
    .words(ALLOWED),
    moved("hooks_in_project", Means, PROJECT),
    moved("hooks_in_unknown_project", Silences, PROJECT)
        .files(&[(USER, ASKS)])
        .words(ALLOWED),
];
