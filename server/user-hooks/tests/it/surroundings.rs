use std::os::unix::fs::{PermissionsExt as _, symlink};

use countersign_engine::observer::HookResult;
use countersign_settings::HookEvent;
use countersign_user_hooks::Said;

use crate::desk::Desk;

const DENY: &str = "#!/bin/sh\nexit 2\n";

fn script(path: &camino::Utf8Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).unwrap();
}

#[test]
fn a_hook_finds_nothing_of_this_process_around_itself() {
    let desk = Desk::new();
    let (environment, folder) = (desk.scratch("environment"), desk.scratch("folder"));
    desk.commands(
        HookEvent::Notification,
        &[&format!("/usr/bin/env > {environment}; pwd > {folder}")],
    );
    desk.fire(HookEvent::Notification);
    let environment = std::fs::read_to_string(environment).unwrap();
    let known = [
        "PATH",
        "HOME",
        "LANG",
        "SHELL",
        "USER",
        "LOGNAME",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "COUNTERSIGN_HOOK",
        "COUNTERSIGN_WORKSPACE",
        // The shell's own.
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    ];
    for line in environment.lines() {
        let (name, _) = line.split_once('=').unwrap();
        assert!(known.contains(&name), "{line}");
    }
    // Cargo sets this one for every test.
    assert!(!environment.contains("CARGO_MANIFEST_DIR"));
    assert!(environment.contains(&format!("COUNTERSIGN_WORKSPACE={}\n", desk.workspace)));
    assert!(environment.contains(&format!("HOME={}\n", desk.places.home)));
    assert!(environment.contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"));
    let folder = std::fs::read_to_string(folder).unwrap();
    assert_eq!(folder.trim(), desk.places.home);
}

#[test]
fn a_users_hook_that_names_what_an_agent_may_write_is_not_run() {
    let desk = Desk::new();
    let inside = desk.workspace.join("tools/hook.sh");
    script(&inside, DENY);
    symlink(&inside, desk.places.home.join("linked.sh")).unwrap();
    symlink("/bin/false", desk.workspace.join("out")).unwrap();
    for command in [
        inside.to_string(),
        format!("sh '{inside}'"),
        "$COUNTERSIGN_WORKSPACE/tools/hook.sh".to_owned(),
        "./work/app/tools/hook.sh".to_owned(),
        "~/work/app/tools/hook.sh".to_owned(),
        "cd ~/work/app && tools/hook.sh".to_owned(),
        "./linked.sh".to_owned(),
        format!("{}/out", desk.workspace),
        format!("sh -c 'sh {inside}'"),
    ] {
        desk.commands(HookEvent::PermissionRequest, &[&command]);
        let done = desk.fire(HookEvent::PermissionRequest);
        assert_eq!(done.said, Said::Nothing, "{command}");
        let report = &done.reports[0];
        assert_eq!(report.run.result, HookResult::Failed, "{command}");
        let problem = report.problem.as_deref().unwrap();
        assert!(problem.contains("where an agent may write"), "{problem}");
    }
}

#[test]
fn a_users_hook_beside_the_users_settings_runs() {
    let desk = Desk::new();
    script(&desk.places.config_dir.join("hooks/deny.sh"), DENY);
    for command in [
        "~/.config/countersign/hooks/deny.sh".to_owned(),
        format!("{}/hooks/deny.sh", desk.places.config_dir),
    ] {
        desk.commands(HookEvent::PermissionRequest, &[&command]);
        let done = desk.fire(HookEvent::PermissionRequest);
        assert_eq!(done.said, Said::Deny { message: None }, "{done:?}");
    }
}

#[test]
fn a_program_of_the_workspace_is_not_found_by_its_name() {
    let desk = Desk::new();
    script(&desk.workspace.join("deny"), DENY);
    script(&desk.places.home.join("deny"), DENY);
    desk.commands(HookEvent::PermissionRequest, &["deny"]);
    let done = desk.fire(HookEvent::PermissionRequest);
    assert_eq!(done.said, Said::Nothing);
    assert_eq!(done.reports[0].run.status, Some(127));
}

#[test]
fn a_workspace_hook_runs_only_while_its_files_are_those_that_were_accepted() {
    let desk = Desk::new();
    let file = desk.workspace.join(".countersign/hooks/deny.sh");
    script(&file, DENY);
    desk.workspace_commands(
        HookEvent::PermissionRequest,
        &["\"$COUNTERSIGN_WORKSPACE\"/.countersign/hooks/deny.sh"],
    );
    let firing = desk.firing(HookEvent::PermissionRequest);
    let hooks = firing.hooks.clone();
    let done = desk.fire(HookEvent::PermissionRequest);
    assert_eq!(done.said, Said::Deny { message: None }, "{done:?}");

    script(&file, "#!/bin/sh\ntouch ran\nexit 2\n");
    assert!(desk.firing(HookEvent::PermissionRequest).hooks.is_empty());
    // Changed between reading the settings and running.
    let firing = desk.firing_of(HookEvent::PermissionRequest, hooks);
    let done = crate::desk::wait(countersign_user_hooks::run(
        firing,
        countersign_user_hooks::Tools::new(crate::desk::nothing),
    ));
    assert_eq!(done.said, Said::Nothing);
    let problem = done.reports[0].problem.as_deref().unwrap();
    assert!(
        problem.contains("not the one that was accepted"),
        "{problem}"
    );
    assert!(!desk.places.home.join("ran").exists());
}
