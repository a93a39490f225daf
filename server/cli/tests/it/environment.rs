//! The agent's own environment says which program a name means, and which shell
//! reads the command.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{AUTO, CLAUDE, CODEX, QWEN, Sandbox, feed};

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
fn a_path_that_is_not_wholly_known_is_no_way_around() {
    let sandbox = Sandbox::trusted(AUTO);
    let event = "PreToolUse";
    let folder = sandbox.workspace.join("odd");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("wc"), "").unwrap();
    fs::set_permissions(folder.join("wc"), Permissions::from_mode(0o755)).unwrap();
    let odd = format!("{folder}:/usr/bin").into_bytes();
    for path in [
        [&b"/a:".repeat(300), &*odd].concat(),
        [&b"/a".repeat(5_000), &b":"[..], &odd].concat(),
        [&b"/not\xfftext:"[..], &odd].concat(),
        b"/not\xfftext:/usr/bin".to_vec(),
        b":".repeat(100_000),
    ] {
        let path = OsStr::from_bytes(&path);
        let hook = |command: &str| {
            let call = sandbox.shell(CLAUDE, event, command).to_string();
            let mut hook = sandbox.hook_command(CLAUDE, event);
            feed(hook.env("PATH", path), call.as_bytes())
        };
        hook("wc -l src/lib.rs").assert_ask(CLAUDE, event);
        hook("uproot vines").assert_block(event);
    }
}

#[test]
fn what_the_users_zsh_reads_otherwise_is_not_allowed_as_what_bash_reads() {
    let sandbox = Sandbox::trusted(AUTO);
    // With zsh it names the program of that name.
    let command = "echo =wc";
    for (agent, event, is_asked) in [
        (CLAUDE, "PreToolUse", true),
        (CODEX, "PermissionRequest", true),
        // It runs bash, whatever the user's shell is.
        (QWEN, "PermissionRequest", false),
    ] {
        let call = sandbox.shell(agent, event, command).to_string();
        let hook = |shell: &[u8]| {
            let mut hook = sandbox.hook_command(agent, event);
            feed(hook.env("SHELL", OsStr::from_bytes(shell)), call.as_bytes())
        };
        hook(b"/bin/bash").assert_allow(agent, event);
        for zsh in [&b"/opt/local/bin/zsh"[..], b"/not\xfftext/zsh"] {
            let with_zsh = hook(zsh);
            if is_asked {
                with_zsh.assert_ask(agent, event);
            } else {
                with_zsh.assert_allow(agent, event);
            }
        }
    }
}
