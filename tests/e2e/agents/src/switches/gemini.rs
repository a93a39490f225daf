//! Gemini CLI's. Its machine's files must lie where nobody else writes, which a
//! test's folder does not, and without trust in the folder it runs nothing here:
//! `server/install/tests/it/look` has both.

use super::{Means, Row, Silences, files, moved};

const USER: &str = "~/.gemini/settings.json";
const PROJECT: &str = "./.gemini/settings.json";

const OFF: &str = r#"{ "hooksConfig": { "enabled": false } }"#;
const ON: &str = r#"{ "hooksConfig": { "enabled": true } }"#;
const NAMED: &str = r#"{ "hooksConfig": { "disabled": ["countersign"] } }"#;

pub(super) const ROWS: &[Row] = &[
    files("user_off", Silences, &[(USER, OFF)]),
    files("project_off", Silences, &[(PROJECT, OFF)]),
    files("user_off_project_on", Means, &[(USER, OFF), (PROJECT, ON)]),
    files("user_off_by_name", Silences, &[(USER, NAMED)]),
    files("project_off_by_name", Silences, &[(PROJECT, NAMED)]),
    files(
        "what_older_versions_heed",
        Means,
        &[
            (USER, r#"{ "tools": { "enableHooks": false } }"#),
            (PROJECT, r#"{ "hooks": { "disabled": ["countersign"] } }"#),
        ],
    ),
    files(
        "settings_elsewhere",
        Means,
        &[("./.env", "GEMINI_CLI_HOME={home}/elsewhere\n")],
    ),
    moved("hooks_in_project", Means, PROJECT),
];
