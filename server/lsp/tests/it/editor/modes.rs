//! Modes: tightening is free, loosening is a person's click, and auto mode is
//! explained before its first use.

use std::fs;

use serde_json::{Value, json};

use super::screen::{NOT_FOUND, REFUSED, Screen};
use super::world::{Setup, World, eventually};

fn mode(world: &World, screen: &mut Screen) -> String {
    world.status(screen)["mode"].as_str().unwrap().to_owned()
}

fn acknowledged(world: &World) -> bool {
    fs::read_to_string(world.places.user_file())
        .is_ok_and(|text| text.contains("\"autoModeAcknowledged\": true"))
}

fn user(permissions: Value) -> Setup {
    Setup {
        user: Some(json!({ "permissions": permissions }).to_string()),
        ..Setup::default()
    }
}

#[test]
fn auto_mode_is_explained_with_the_rules_that_it_sets_aside_and_used_after_the_click() {
    let world = World::new(user(
        json!({ "allow": ["Bash(npm run *)", "Bash(git status)"] }),
    ));
    let mut screen = world.plain();
    screen.command("setMode", json!(["auto"])).unwrap();
    let notice = screen.prompt();
    assert_eq!(notice.titles, ["Cancel", "Use auto mode"]);
    assert!(notice.text.contains("Deny rules always hold"), "{notice:?}");
    assert!(notice.text.contains("Bash(npm run *)"), "{notice:?}");
    assert!(!notice.text.contains("git status"), "{notice:?}");
    for reply in [json!({ "title": "Cancel" }), Value::Null] {
        assert_eq!(mode(&world, &mut screen), "default");
        assert!(!acknowledged(&world));
        screen.answer(&notice.id, reply);
        screen.command("setMode", json!(["auto"])).unwrap();
        let again = screen.prompt();
        screen.click(&again, "Cancel");
    }
    screen.command("setMode", json!(["auto"])).unwrap();
    let notice = screen.prompt();
    screen.click(&notice, "Use auto mode");
    eventually("auto mode", || mode(&world, &mut screen) == "auto");
    assert!(acknowledged(&world));
}

#[test]
fn yolo_is_confirmed_each_time_and_never_stored() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    assert!(
        prompt
            .text
            .contains("yolo runs everything that no deny rule stops")
    );
    screen.click(&prompt, "Cancel");
    assert_eq!(mode(&world, &mut screen), "default");
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    screen.click(&prompt, "Use yolo mode");
    eventually("yolo", || mode(&world, &mut screen) == "yolo");
    assert_eq!(world.bash("s1", "git push").said(), "allow yolo");
    assert_eq!(
        world.bash("s1", "countersign trust").said(),
        "block static_blocked"
    );
    assert!(!world.places.user_file().exists(), "it is in no file");
    screen.command("setMode", json!(["default"])).unwrap();
    eventually("default", || mode(&world, &mut screen) == "default");
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    screen.click(&prompt, "Cancel");
}

#[test]
fn a_stricter_mode_needs_no_prompt() {
    let world = World::new(Setup::auto(json!({})));
    let mut screen = world.plain();
    for stricter in ["auto-edit", "default", "plan"] {
        screen.command("setMode", json!([stricter])).unwrap();
        eventually(stricter, || mode(&world, &mut screen) == stricter);
    }
    assert_eq!(world.bash("s1", "git push").said(), "block plan_mode");
    screen.command("setMode", json!(["default"])).unwrap();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Cancel", "Use default mode"]);
    screen.click(&prompt, "Cancel");
    assert_eq!(mode(&world, &mut screen), "plan");
}

#[test]
fn in_an_untrusted_workspace_a_loose_mode_is_refused_and_trust_is_offered() {
    let world = World::new(Setup {
        trusted: false,
        ..Setup::default()
    });
    let mut screen = world.plain();
    screen.command("setMode", json!(["auto"])).unwrap();
    let prompt = screen.prompt();
    screen.click(&prompt, "Use auto mode");
    screen.message("it is not trusted; trust it first");
    let trust = screen.prompt();
    assert_eq!(trust.titles, ["Not now", "Trust this workspace"]);
    assert!(trust.text.contains(world.workspace.as_str()));
    assert_eq!(mode(&world, &mut screen), "default");
    assert!(
        !acknowledged(&world),
        "what is refused acknowledges nothing"
    );
    screen.click(&trust, "Trust this workspace");
    let notice = screen.prompt();
    assert_eq!(notice.titles, ["Cancel", "Use auto mode"]);
    screen.click(&notice, "Use auto mode");
    eventually("auto mode", || mode(&world, &mut screen) == "auto");
}

#[test]
fn a_mode_that_was_chosen_is_not_in_force_where_it_must_not_be() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let yolo = json!({ "mode": "yolo", "confirmed": true });
    assert_eq!(
        screen.request("countersign/setMode", yolo)["result"],
        "done"
    );
    assert_eq!(world.bash("s1", "git push").said(), "allow yolo");
    let untrust = json!({ "folder": world.workspace, "trusted": false });
    screen.request("countersign/trust", untrust);
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    assert_eq!(approval["mode"], "default");
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn an_editor_that_draws_is_told_what_to_show_before_auto_mode() {
    let world = World::new(user(json!({ "allow": ["Bash(npm run *)"] })));
    let mut screen = world.vscode();
    let needs = screen.request("countersign/setMode", json!({ "mode": "auto" }));
    assert_eq!(needs["result"], "needsNotice");
    let set_aside = needs["setAside"].as_array().unwrap();
    assert_eq!(set_aside.len(), 1);
    assert!(set_aside[0].as_str().unwrap().contains("Bash(npm run *)"));
    assert!(needs["text"].as_str().unwrap().contains("auto mode"));
    let only_confirmed = json!({ "mode": "auto", "confirmed": true });
    assert_eq!(
        screen.request("countersign/setMode", only_confirmed)["result"],
        "needsNotice"
    );
    assert!(!acknowledged(&world));
    let accepted = json!({ "mode": "auto", "acknowledged": true });
    assert_eq!(
        screen.request("countersign/setMode", accepted)["result"],
        "done"
    );
    assert!(acknowledged(&world));
    assert_eq!(mode(&world, &mut screen), "auto");
    assert_eq!(
        screen.request("countersign/setMode", json!({ "mode": "plan" }))["result"],
        "done"
    );
    assert_eq!(
        screen.request("countersign/setMode", json!({ "mode": "auto" }))["result"],
        "done"
    );
}

#[test]
fn an_editor_that_draws_must_have_yolo_confirmed() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let needs = screen.request("countersign/setMode", json!({ "mode": "yolo" }));
    assert_eq!(needs["result"], "needsConfirmation");
    assert!(needs["text"].as_str().unwrap().contains("yolo"));
    let only_acknowledged = json!({ "mode": "yolo", "acknowledged": true });
    let needs = screen.request("countersign/setMode", only_acknowledged);
    assert_eq!(needs["result"], "needsConfirmation");
    assert_eq!(mode(&world, &mut screen), "default");
}

#[test]
fn an_editor_that_draws_is_refused_a_loose_mode_in_an_untrusted_workspace() {
    let world = World::new(Setup {
        trusted: false,
        ..Setup::default()
    });
    let mut screen = world.vscode();
    for loose in ["auto-edit", "auto", "yolo"] {
        let all = json!({ "mode": loose, "acknowledged": true, "confirmed": true });
        let refused = screen.try_request("countersign/setMode", all).unwrap_err();
        assert_eq!(refused.code, REFUSED, "{loose}");
        assert!(refused.message.contains("not trusted"), "{loose}");
    }
    assert!(!acknowledged(&world));
    assert_eq!(
        screen.request("countersign/setMode", json!({ "mode": "plan" }))["result"],
        "done"
    );
    let unknown = json!({ "mode": "plan", "session": { "agent": "codex", "session": "x" } });
    let refused = screen
        .try_request("countersign/setMode", unknown)
        .unwrap_err();
    assert_eq!(refused.code, NOT_FOUND);
    for bad in [
        json!({ "mode": "loose" }),
        json!({ "mode": "" }),
        json!({ "mode": 1 }),
    ] {
        let refused = screen.try_request("countersign/setMode", bad).unwrap_err();
        assert_eq!(refused.code, -32_602);
    }
}

#[test]
fn a_mode_can_be_set_for_one_session() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for session in ["s1", "s2"] {
        let hook = world.bash(session, "git push");
        let approval = screen.approval();
        screen.choose(&approval, "deny");
        assert_eq!(hook.said(), "block person");
    }
    let session = json!({ "agent": "claude-code", "session": "s1" });
    let yolo = json!({ "mode": "yolo", "confirmed": true, "session": session });
    screen.request("countersign/setMode", yolo);
    assert_eq!(world.bash("s1", "git fetch").said(), "allow yolo");
    let hook = world.bash("s2", "git fetch");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
    assert_eq!(mode(&world, &mut screen), "default", "that of new sessions");
}

#[test]
fn a_person_who_made_a_session_stricter_can_loosen_it_again() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let session = json!({ "agent": "claude-code", "session": "s1" });
    let set = |screen: &mut Screen, mode: &str| {
        let all = json!({
            "mode": mode,
            "session": session,
            "acknowledged": true,
            "confirmed": true,
        });
        assert_eq!(screen.request("countersign/setMode", all)["result"], "done");
    };
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "approve_and_switch_to_default");
    assert_eq!(hook.said(), "allow approval");
    for _ in 0..2 {
        set(&mut screen, "plan");
        assert_eq!(world.bash("s1", "git fetch").said(), "block plan_mode");
        set(&mut screen, "yolo");
        assert_eq!(world.bash("s1", "git fetch").said(), "allow yolo");
        set(&mut screen, "default");
        let hook = world.bash("s1", "git fetch");
        let approval = screen.approval();
        assert_eq!(approval["mode"], "default");
        screen.choose(&approval, "approve");
        assert_eq!(hook.said(), "allow approval");
        set(&mut screen, "yolo");
        assert_eq!(world.bash("s1", "git fetch").said(), "allow yolo");
    }
    // For all sessions counts for this one too.
    let all = json!({ "mode": "plan" });
    screen.request("countersign/setMode", all);
    assert_eq!(world.bash("s1", "git fetch").said(), "block plan_mode");
    let all = json!({ "mode": "yolo", "confirmed": true });
    screen.request("countersign/setMode", all);
    assert_eq!(world.bash("s1", "git fetch").said(), "allow yolo");
}

#[test]
fn the_agents_own_plan_mode_tightens_and_resets_nothing() {
    let world = World::new(Setup::judged(vec![super::world::block()]));
    let mut screen = world.vscode();
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_blocked"
    );
    let planning = json!({
        "tool_name": "Bash",
        "tool_input": { "command": "git fetch" },
        "permission_mode": "plan",
    });
    assert_eq!(
        world.hook("s1", "PreToolUse", planning).said(),
        "block plan_mode"
    );
    let status = world.status(&mut screen);
    assert_eq!(status["sessions"][0]["counters"]["totalBlock"], 1);
}
