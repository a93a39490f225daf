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
    screen.agree(&notice, "Use auto mode");
    eventually("auto mode", || mode(&world, &mut screen) == "auto");
    assert!(acknowledged(&world));
}

/// A session of this name, in the mode in which sessions begin.
fn begin(world: &World, session: &str) {
    let look = json!({ "pattern": "*" });
    assert_eq!(world.tool(session, "Glob", look).said(), "allow safe_tool");
}

fn named(session: &str) -> Value {
    json!({ "agent": "claude-code", "session": session })
}

fn mode_of(world: &World, session: &str) -> &'static str {
    let sessions = world.service.sessions();
    let found = sessions.iter().find(|one| one.key.session == session);
    found.expect("the session is known").mode.as_str()
}

#[test]
fn yolo_is_confirmed_each_time_and_never_stored() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    begin(&world, "s1");
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    for words in [
        "yolo runs everything that no deny rule stops",
        "for session `s1` of claude-code",
    ] {
        assert!(prompt.text.contains(words), "{prompt:?}");
    }
    screen.click(&prompt, "Cancel");
    assert_eq!(mode_of(&world, "s1"), "default");
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    screen.agree(&prompt, "Use yolo mode");
    eventually("yolo", || mode_of(&world, "s1") == "yolo");
    assert_eq!(world.bash("s1", "git push").said(), "allow yolo");
    assert_eq!(
        world.bash("s1", "countersign trust").said(),
        "block static_blocked"
    );
    assert_eq!(mode(&world, &mut screen), "default", "that of new sessions");
    assert!(!world.places.user_file().exists(), "it is in no file");
    screen
        .command("setMode", json!(["default", named("s1")]))
        .unwrap();
    eventually("default", || mode_of(&world, "s1") == "default");
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    screen.click(&prompt, "Cancel");
}

#[test]
fn yolo_is_for_one_session_that_is_named_or_the_only_one() {
    const INVALID: i64 = -32_602;
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    assert_eq!(screen.command("setMode", json!(["yolo"])), Err(INVALID));
    begin(&world, "s1");
    begin(&world, "s2");
    assert_eq!(screen.command("setMode", json!(["yolo"])), Err(INVALID));
    assert_eq!(
        screen.command("setMode", json!(["yolo", named("s3")])),
        Err(NOT_FOUND)
    );
    let ended = world.hook("s1", "SessionEnd", json!({ "reason": "exit" }));
    let _ = ended.handled();
    screen.command("setMode", json!(["yolo"])).unwrap();
    let prompt = screen.prompt();
    assert!(prompt.text.contains("session `s2`"), "{prompt:?}");
    screen.agree(&prompt, "Use yolo mode");
    eventually("yolo", || mode_of(&world, "s2") == "yolo");
    assert_eq!(mode(&world, &mut screen), "default");
}

/// A world in auto mode with two sessions, the first of which a person put into
/// plan mode.
fn one_in_plan() -> (World, Screen) {
    let world = World::new(Setup::auto(json!({})));
    let mut screen = world.plain();
    begin(&world, "s1");
    begin(&world, "s2");
    screen
        .command("setMode", json!(["plan", named("s1")]))
        .unwrap();
    eventually("plan", || mode_of(&world, "s1") == "plan");
    (world, screen)
}

#[test]
fn no_command_loosens_a_session_that_a_person_made_stricter() {
    // What holds for new sessions is auto; that session it would loosen.
    for mode in ["auto", "auto-edit", "default"] {
        for arguments in [json!([mode]), json!([mode, named("s1")])] {
            let (world, mut screen) = one_in_plan();
            screen.command("setMode", arguments).unwrap();
            let prompt = screen.prompt();
            assert_eq!(prompt.titles[1], format!("Use {mode} mode"));
            screen.click(&prompt, "Cancel");
            assert_eq!(world.bash("s1", "git push").said(), "block plan_mode");
            assert_eq!(mode_of(&world, "s1"), "plan");
            assert_eq!(mode_of(&world, "s2"), "auto");
        }
    }
}

#[test]
fn beside_a_stricter_session_another_is_made_stricter_without_a_question() {
    let (world, mut screen) = one_in_plan();
    screen
        .command("setMode", json!(["default", named("s2")]))
        .unwrap();
    eventually("default", || mode_of(&world, "s2") == "default");
    screen.command("setMode", json!(["plan"])).unwrap();
    eventually("plan", || mode_of(&world, "s2") == "plan");
}

#[test]
fn a_yes_before_anybody_can_have_read_the_question_is_asked_again() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    screen.command("setMode", json!(["auto"])).unwrap();
    let prompt = screen.prompt();
    // Answered as the request comes in, as by something that waits for it.
    screen.click(&prompt, "Use auto mode");
    let again = screen.prompt();
    assert_eq!(again.text, prompt.text);
    assert_eq!(mode(&world, &mut screen), "default");
    assert!(!acknowledged(&world));
    screen.agree(&again, "Use auto mode");
    eventually("auto mode", || mode(&world, &mut screen) == "auto");
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
    screen.agree(&prompt, "Use auto mode");
    screen.message("it is not trusted; trust it first");
    let trust = screen.prompt();
    assert_eq!(trust.titles, ["Not now", "Trust this workspace"]);
    assert!(trust.text.contains(world.workspace.as_str()));
    assert_eq!(mode(&world, &mut screen), "default");
    assert!(
        !acknowledged(&world),
        "what is refused acknowledges nothing"
    );
    screen.agree(&trust, "Trust this workspace");
    let notice = screen.prompt();
    assert_eq!(notice.titles, ["Cancel", "Use auto mode"]);
    screen.agree(&notice, "Use auto mode");
    eventually("auto mode", || mode(&world, &mut screen) == "auto");
}

#[test]
fn a_mode_that_was_chosen_is_not_in_force_where_it_must_not_be() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    begin(&world, "s1");
    let yolo = json!({ "mode": "yolo", "confirmed": true, "session": named("s1") });
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
    begin(&world, "s1");
    let yolo = json!({ "mode": "yolo", "session": named("s1") });
    let needs = screen.request("countersign/setMode", yolo);
    assert_eq!(needs["result"], "needsConfirmation");
    assert!(needs["text"].as_str().unwrap().contains("yolo"));
    let only_acknowledged = json!({ "mode": "yolo", "acknowledged": true, "session": named("s1") });
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
    begin(&world, "s1");
    for loose in ["auto-edit", "auto", "yolo"] {
        let all = json!({
            "mode": loose,
            "acknowledged": true,
            "confirmed": true,
            "session": named("s1"),
        });
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
    let all = json!({ "mode": "yolo", "confirmed": true, "session": session });
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

/// What a client of ours confirmed before there was a session.
fn yolo_for_the_next(screen: &mut Screen) {
    let asked = json!({ "mode": "yolo", "confirmed": true });
    let set: Value = screen.0.request("countersign/setMode", asked);
    assert_eq!(set["result"], "done");
}

#[test]
fn yolo_without_a_session_is_for_the_next_one_and_for_no_other() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    yolo_for_the_next(&mut screen);
    assert_eq!(mode(&world, &mut screen), "yolo");
    assert_eq!(world.bash("s1", "git push").said(), "allow yolo");
    assert_eq!(mode(&world, &mut screen), "default");
    let second = world.bash("s2", "git push");
    let asked = screen.approval();
    screen.choose(&asked, "deny");
    assert_eq!(second.said(), "block person");
}

#[test]
fn who_chooses_another_mode_before_the_next_session_has_taken_yolo_back() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    yolo_for_the_next(&mut screen);
    let set: Value = screen
        .0
        .request("countersign/setMode", json!({ "mode": "plan" }));
    assert_eq!(set["result"], "done");
    assert_eq!(mode(&world, &mut screen), "plan");
    assert_eq!(world.bash("s1", "git push").said(), "block plan_mode");
}

#[test]
fn yolo_for_the_next_session_makes_no_other_mode_less_loose() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    yolo_for_the_next(&mut screen);
    // Sessions begin in default mode, but for the next one.
    screen.command("setMode", json!(["auto-edit"])).unwrap();
    let prompt = screen.prompt();
    screen.click(&prompt, "Cancel");
    assert_eq!(mode(&world, &mut screen), "yolo");
}
