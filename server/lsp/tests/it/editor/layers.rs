//! Settings that an editor sends: whose they are, and that they never loosen
//! what only a person may.

use serde_json::{Value, json};

use super::screen::Screen;
use super::world::{Setup, World, eventually};

fn denies(world: &World, screen: &mut Screen, session: &str, command: &str) {
    let hook = world.bash(session, command);
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person", "{command} is asked about");
}

fn configure(world: &World, screen: &mut Screen, settings: Value) {
    screen.notify(
        "workspace/didChangeConfiguration",
        json!({ "settings": settings }),
    );
    // What is answered after it was read after it.
    screen.command("showPending", json!([])).unwrap();
    world.status(screen);
}

#[test]
fn the_settings_of_a_plain_editor_are_the_workspace_s_and_loosen_only_with_consent() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let settings = json!({ "countersign": { "permissions": {
        "allow": ["Bash(git push)"],
        "deny": ["Bash(git fetch)"],
    }}});
    configure(&world, &mut screen, settings);
    assert_eq!(
        world.bash("s1", "git fetch").said(),
        "block rule_denied",
        "at once"
    );
    let hook = world.bash("s1", "git push");
    let mut prompts = [screen.prompt()];
    // Consent is asked for by itself; the call may come before it.
    if !prompts[0].text.contains("would loosen") {
        screen.click(&prompts[0], "Deny");
        assert_eq!(hook.said(), "block person");
        prompts = [screen.prompt()];
    } else {
        let consent = &prompts[0];
        screen.click(consent, "Not now");
        let call = screen.prompt();
        screen.click(&call, "Deny");
        assert_eq!(hook.said(), "block person");
        screen.command("consent", json!([])).unwrap();
        prompts = [screen.prompt()];
    }
    assert!(
        prompts[0]
            .text
            .contains("+ permissions.allow: `Bash(git push)`"),
        "{prompts:?}"
    );
    screen.agree(&prompts[0], "Accept exactly this");
    eventually("the consent", || {
        world
            .service
            .settings(&world.workspace)
            .pending_consent
            .is_empty()
    });
    assert_eq!(world.bash("s2", "git push").said(), "allow rule");
}

#[test]
fn a_plain_editor_s_settings_choose_no_looser_mode_and_acknowledge_nothing() {
    for mode in ["auto-edit", "auto", "yolo"] {
        let world = World::new(Setup::default());
        let settings = json!({
            "tools": { "approvalMode": mode },
            "ui": { "autoModeAcknowledged": true },
            "permissions": { "autoMode": { "denialLimits": { "total": 1_000 } } },
        });
        let mut screen = world.plain_with(json!({
            "capabilities": {},
            "initializationOptions": settings,
        }));
        assert_eq!(world.status(&mut screen)["mode"], "default", "{mode}");
        configure(&world, &mut screen, json!({ "countersign": settings }));
        assert_eq!(world.status(&mut screen)["mode"], "default", "{mode}");
        assert!(!world.places.user_file().exists());
    }
}

#[test]
fn a_plain_editor_s_settings_may_choose_a_stricter_mode() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    configure(
        &world,
        &mut screen,
        json!({ "countersign": { "tools": { "approvalMode": "plan" } } }),
    );
    assert_eq!(world.status(&mut screen)["mode"], "plan");
    assert_eq!(world.bash("s1", "git push").said(), "block plan_mode");
}

#[test]
fn our_extension_tells_the_user_s_settings_from_the_workspace_s() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode_with(
        json!({ "kind": "vscode", "documents": true }),
        json!({
            "user": { "permissions": { "allow": ["Bash(git push)"] } },
            "workspace": { "permissions": {
                "allow": ["Bash(git pull)"],
                "deny": ["Bash(git fetch)"],
            }},
        }),
    );
    assert_eq!(
        world.bash("s1", "git push").said(),
        "allow rule",
        "the user's"
    );
    assert_eq!(
        world.bash("s1", "git fetch").said(),
        "block rule_denied",
        "tightens"
    );
    denies(&world, &mut screen, "s1", "git pull");
    let status = world.status(&mut screen);
    let pending = status["workspaces"][0]["pending"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0]["text"], "Bash(git pull)");
}

#[test]
fn changed_settings_hold_from_the_next_call_on() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    denies(&world, &mut screen, "s1", "git push");
    let allow = json!({ "user": { "permissions": { "allow": ["Bash(git push)"] } } });
    configure(&world, &mut screen, allow);
    assert_eq!(world.bash("s2", "git push").said(), "allow rule");
    configure(&world, &mut screen, json!({ "user": {}, "workspace": {} }));
    denies(&world, &mut screen, "s3", "git push");
}

#[test]
fn the_user_s_settings_of_the_editor_never_start_in_yolo() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode_with(
        json!({ "kind": "vscode" }),
        json!({ "user": { "tools": { "approvalMode": "yolo" } } }),
    );
    assert_ne!(world.status(&mut screen)["mode"], "yolo");
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn an_editor_that_does_not_trust_the_workspace_beats_what_is_stored() {
    let not = json!({ "kind": "vscode", "trusted": false });
    let plainly = json!({ "kind": "vscode" });
    for (declaration, options) in [
        (not, Value::Null),
        (plainly, json!({ "trusted": false, "user": {} })),
    ] {
        let world = World::new(Setup::auto(json!({})));
        let mut screen = world.vscode_with(declaration, options);
        let status = world.status(&mut screen);
        assert_eq!(status["workspaces"][0]["trusted"], false);
        assert_eq!(status["mode"], "default");
        let loose = json!({ "mode": "auto", "acknowledged": true });
        assert!(screen.try_request("countersign/setMode", loose).is_err());
        configure(&world, &mut screen, json!({ "trusted": true }));
        let status = world.status(&mut screen);
        assert_eq!(status["workspaces"][0]["trusted"], true);
        assert_eq!(status["mode"], "auto");
    }
}

#[test]
fn an_editor_that_trusts_the_workspace_needs_no_prompt() {
    let world = World::new(Setup {
        trusted: false,
        ..Setup::auto(json!({}))
    });
    let mut screen = world.vscode_with(json!({ "kind": "vscode", "trusted": true }), Value::Null);
    let status = world.status(&mut screen);
    assert_eq!(status["workspaces"][0]["trusted"], true);
    assert_eq!(status["mode"], "auto");
}

#[test]
fn a_plain_editor_cannot_say_that_the_workspace_is_trusted() {
    let world = World::new(Setup {
        trusted: false,
        ..Setup::auto(json!({}))
    });
    let mut screen = world.plain_with(json!({
        "capabilities": {},
        "initializationOptions": { "trusted": true, "user": { "permissions": { "allow": ["Bash(git push)"] } } },
    }));
    let status = world.status(&mut screen);
    assert_eq!(status["workspaces"][0]["trusted"], false);
    configure(&world, &mut screen, json!({ "trusted": true }));
    assert_eq!(world.status(&mut screen)["workspaces"][0]["trusted"], false);
    assert_eq!(world.status(&mut screen)["mode"], "default");
}

#[test]
fn settings_that_are_none_change_nothing_and_break_nothing() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for nonsense in [
        json!(null),
        json!(7),
        json!("auto"),
        json!([]),
        json!({ "user": 7, "workspace": "x", "trusted": "yes" }),
        json!({ "user": { "permissions": { "allow": "Bash" } } }),
        json!({ "user": { "permissions": [1, 2] } }),
        json!({ "countersign": null }),
    ] {
        configure(&world, &mut screen, nonsense.clone());
        assert_eq!(world.status(&mut screen)["mode"], "default", "{nonsense}");
    }
    denies(&world, &mut screen, "s1", "git push");
}

#[test]
fn a_folder_that_is_opened_is_guarded_and_one_that_is_closed_is_left() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let other = world.workspace.parent().unwrap().join("cellar");
    std::fs::create_dir_all(&other).unwrap();
    let call = |world: &World| {
        let call = json!({
            "tool_name": "Bash",
            "tool_input": { "command": "git push" },
            "cwd": other,
        });
        world.hook("s1", "PreToolUse", call)
    };
    let elsewhere = call(&world).handled();
    assert!(
        matches!(elsewhere, countersign_service::Handled::NotOwner(_)),
        "{elsewhere:?}"
    );
    let folder = json!([{ "uri": super::world::uri(&other), "name": "cellar" }]);
    screen.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": { "added": folder, "removed": [] } }),
    );
    eventually("the folder", || world.service.roots().len() == 2);
    let hook = call(&world);
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
    screen.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": { "added": [], "removed": folder } }),
    );
    eventually("the folder is closed", || world.service.roots().len() == 1);
}
