//! Codex's. What an administrator says stands below `/etc`, where no test writes;
//! `server/install/tests/it/look` has what was measured of it.

use super::{CalledBut, Means, NotCalledAs, Row, Silences, files, moved};

const USER: &str = "~/.codex/config.toml";
const PROJECT: &str = "./.codex/config.toml";
const QUIET: &str = "~/.codex/quiet.config.toml";

const OFF: &str = "\n[features]\nhooks = false\n";
const TRUSTED: &str = "\n[projects.\"{project}\"]\ntrust_level = \"trusted\"\n";
const UNTRUSTED: &str = "\n[projects.\"{project}\"]\ntrust_level = \"untrusted\"\n";
const ONE_OFF: &str =
    "[hooks.state.\"{home}/.codex/hooks.json:pre_tool_use:0:0\"]\nenabled = false\n";

pub(super) const ROWS: &[Row] = &[
    files("user_off", Silences, &[(USER, OFF)]),
    files(
        "user_off_by_its_old_name",
        Silences,
        &[(USER, "\n[features]\ncodex_hooks = false\n")],
    ),
    files(
        "trusted_project_off",
        Silences,
        &[(USER, TRUSTED), (PROJECT, OFF)],
    ),
    files(
        "untrusted_project_off",
        Means,
        &[(USER, UNTRUSTED), (PROJECT, OFF)],
    ),
    files(
        "unknown_project_off",
        CalledBut("once Codex trusts this folder"),
        &[(PROJECT, OFF)],
    ),
    files(
        "profile_off_and_another_session",
        CalledBut("--profile quiet"),
        &[(QUIET, OFF)],
    ),
    files(
        "profile_off",
        NotCalledAs("--profile quiet"),
        &[(QUIET, OFF)],
    )
    .words(&["--profile", "quiet"]),
    files(
        "profile_with_one_hook_off",
        NotCalledAs("--profile quiet"),
        &[(QUIET, ONE_OFF)],
    )
    .words(&["--profile", "quiet"]),
    files(
        "project_with_one_hook_off",
        Means,
        &[(USER, TRUSTED), (PROJECT, ONE_OFF)],
    ),
    files(
        "what_only_the_machine_says",
        Means,
        &[
            ("~/.codex/managed_config.toml", OFF),
            (
                "~/.codex/requirements.toml",
                "allow_managed_hooks_only = true\n",
            ),
        ],
    ),
    moved("hooks_in_unknown_project", Silences, "./.codex/hooks.json")
        .words(&["--dangerously-bypass-hook-trust"]),
];
