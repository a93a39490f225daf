//! The agent's own PATH says which program a name means.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{AUTO, CLAUDE, Sandbox, feed};

#[test]
fn a_name_that_leads_into_the_workspace_is_not_allowed_as_what_it_seems() {
    let sandbox = Sandbox::trusted(AUTO);
    let folder = sandbox.workspace.join("odd");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("wc"), "").unwrap();
    fs::set_permissions(folder.join("wc"), Permissions::from_mode(0o755)).unwrap();
    let event = "PreToolUse";
    let call = sandbox.shell(CLAUDE, event, "wc -l src/lib.rs").to_string();
    let hook = |path: String| {
        let mut hook = sandbox.hook_command(CLAUDE, event);
        feed(hook.env("PATH", path), call.as_bytes())
    };
    hook("/usr/bin:/bin".to_owned()).assert_allow(CLAUDE, event);
    for path in [format!("{folder}:/usr/bin:/bin"), "odd:/usr/bin".to_owned()] {
        hook(path).assert_ask(CLAUDE, event);
    }
}

#[test]
fn a_path_of_any_length_is_no_way_around() {
    let sandbox = Sandbox::trusted(AUTO);
    let event = "PreToolUse";
    for path in [
        "a:".repeat(60_000),
        ":".repeat(100_000),
        "\u{fffd}".to_owned(),
    ] {
        for (command, is_allowed) in [("wc -l src/lib.rs", true), ("uproot vines", false)] {
            let call = sandbox.shell(CLAUDE, event, command).to_string();
            let mut hook = sandbox.hook_command(CLAUDE, event);
            let ran = feed(hook.env("PATH", &path), call.as_bytes());
            if is_allowed {
                ran.assert_allow(CLAUDE, event);
            } else {
                ran.assert_block(event);
            }
        }
    }
}
