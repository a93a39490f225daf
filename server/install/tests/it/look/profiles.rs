//! Codex's profiles.

use countersign_core::agent::Agent;

use crate::support::HOME;
use crate::user::User;

const OFF: &str = "[features]\nhooks = false\n";

const QUIET: &str = "/home/ada/.codex/quiet.config.toml";

#[test]
fn a_profile_without_hooks_is_a_warning_that_names_it() {
    User::new(Agent::Codex)
        .file(QUIET, OFF)
        .assert_warned("sessions with `--profile quiet` call no hook");
    User::new(Agent::Codex)
        .file(QUIET, "[features]\nhooks = true\n")
        .assert_guarded();
    // A profile cannot undo what the machine pins.
    User::new(Agent::Codex)
        .file(QUIET, OFF)
        .file(
            "/machine/etc/codex/requirements.toml",
            "[features]\nhooks = true\n",
        )
        .assert_guarded();
    User::new(Agent::Codex)
        .file(
            QUIET,
            &format!(
                "[hooks.state.\"{HOME}/.codex/hooks.json:pre_tool_use:0:0\"]\nenabled = false\n"
            ),
        )
        .assert_warned("do not call the hook: it is switched off in");
}

#[test]
fn profiles_in_tables_count_for_versions_that_have_them() {
    let with = |text: &str| {
        let mut user = User::new(Agent::Codex);
        user.files[1].1.push_str(text);
        user
    };
    let table = "\n[profiles.quiet.features]\nhooks = false\n";
    with(table).assert_guarded();
    with(table)
        .version(0, 133, 0)
        .assert_warned("`profiles.quiet.features.hooks` is false");
    let mut chosen = with(table).version(0, 133, 0);
    chosen.files[1].1.insert_str(0, "profile = \"quiet\"\n");
    chosen.assert_unguarded("`profiles.quiet.features.hooks` is false");
}
