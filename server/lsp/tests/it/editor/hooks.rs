//! User hooks beside a real editor and in its place: what they are told, what
//! their answers do, and that nobody waits for them.

use std::fs;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use countersign_core::classify::Verdict;
use countersign_core::state::RecordKind;
use countersign_settings::{EditorLayers, Places, TrustStore};
use serde_json::{Value, json};

use super::screen::Screen;
use super::world::{Setup, World, block, eventually, unavailable, write};

/// The user's settings, with these hooks on these events.
fn with_hooks(setup: Setup, hooks: &[(&str, &str)]) -> Setup {
    let mut settings: Value = setup
        .user
        .as_deref()
        .map_or_else(|| json!({}), |text| serde_json::from_str(text).unwrap());
    for (event, command) in hooks {
        let hook = json!({ "hooks": [{ "type": "command", "command": command }] });
        let all = &mut settings["hooks"][event];
        match all.as_array_mut() {
            Some(all) => all.push(hook),
            None => *all = json!([hook]),
        }
    }
    Setup {
        user: Some(settings.to_string()),
        ..setup
    }
}

/// A hook that keeps what it is told in the home folder, one line each.
fn keeps(name: &str) -> String {
    format!("(cat; echo) >> {name}")
}

fn told(world: &World, name: &str) -> Vec<Value> {
    let file = world.places.home.join(name);
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn told_once(world: &World, name: &str) -> Value {
    eventually("the hook is told", || !told(world, name).is_empty());
    let all = told(world, name);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

const ALLOW: &str = r#"echo '{"decision": "allow"}'"#;
const DENY: &str = "echo 'not on my watch' >&2; exit 2";
const HANG: &str = "sleep 600";

fn counters(screen: &mut Screen, session: &str) -> Value {
    let sessions = screen.request("countersign/sessions", Value::Null);
    let sessions = sessions["sessions"].as_array().unwrap();
    let found = sessions.iter().find(|one| one["session"] == session);
    found.unwrap()["counters"].clone()
}

/// Three denials, after which the next call of the session asks at a cap.
fn arm_cap(world: &World, session: &str) {
    for n in 0..3 {
        let call = world.bash(session, &format!("git push origin v{n}"));
        assert_eq!(call.said(), "block classifier_blocked");
    }
}

fn cap_setup(hooks: &[(&str, &str)]) -> Setup {
    with_hooks(Setup::judged(vec![block(), block(), block()]), hooks)
}

/// An editor that has the folder open and cannot ask.
fn open_without_editor(world: &World) {
    let folders = [world.workspace.clone()];
    world.service.set_editor(&folders, EditorLayers::default());
}

fn answers(world: &World) -> Vec<(String, String)> {
    world
        .rows(RecordKind::Answer)
        .into_iter()
        .map(|row| (row.reason.unwrap(), row.source.unwrap()))
        .collect()
}

#[test]
fn a_denial_tells_its_hooks_every_field() {
    let kept = keeps("denied");
    let world = World::new(with_hooks(
        Setup::judged(vec![block(), unavailable()]),
        &[("PermissionDenied", &kept)],
    ));
    let _screen = world.vscode();
    let call = world.hook(
        "s1",
        "PreToolUse",
        json!({
            "tool_use_id": "toolu_1", "tool_name": "Bash",
            "tool_input": { "command": "git push", "description": "Publish" },
        }),
    );
    let outcome = call.outcome();
    assert_eq!(outcome.said(), "block classifier_blocked");
    assert_eq!(
        told_once(&world, "denied"),
        json!({
            "hook_event_name": "PermissionDenied",
            "agent": "claude-code",
            "session": "s1",
            "session_id": "s1",
            "agent_id": null,
            "cwd": world.workspace,
            "workspace": world.workspace,
            "permission_mode": "auto",
            "tool_name": "run_shell_command",
            "raw_tool_name": "Bash",
            "tool_input": { "command": "git push", "description": "Publish" },
            "tool_use_id": "toolu_1",
            "call": outcome.id,
            "reason": "classifier_blocked",
            "detail": "sends the code away",
            "counters": {
                "consecutiveBlock": 1, "consecutiveUnavailable": 0,
                "totalBlock": 1, "totalUnavailable": 0,
            },
            "model": "scripted",
        })
    );
    let call = world.bash("s1", "git fetch");
    assert_eq!(call.said(), "block classifier_unavailable");
    eventually("both are told", || told(&world, "denied").len() == 2);
    assert_eq!(
        told(&world, "denied")[1]["reason"],
        "classifier_unavailable"
    );
}

#[test]
fn only_the_classifiers_denials_are_told_as_such() {
    let kept = keeps("denied");
    let setup = Setup {
        verdicts: Some(vec![Verdict::Allow, block()]),
        ..Setup::auto(json!({
            "deny": ["Bash(git push *)"], "ask": ["Bash(git fetch *)"],
        }))
    };
    let world = World::new(with_hooks(setup, &[("PermissionDenied", &kept)]));
    let mut screen = world.vscode();
    assert_eq!(world.bash("s1", "git push x").said(), "block rule_denied");
    let own = json!({ "file_path": world.places.user_file(), "content": "{}" });
    assert_eq!(
        world.tool("s1", "Write", own).said(),
        "block static_blocked"
    );
    let asked = world.bash("s1", "git fetch all");
    let approval = screen.approval();
    screen.choose(&approval, "deny");
    assert_eq!(asked.said(), "block person");
    let planned = json!({
        "tool_name": "Bash", "tool_input": { "command": "git commit -m x" },
        "permission_mode": "plan",
    });
    let planned = world.hook("s1", "PreToolUse", planned);
    assert_eq!(planned.said(), "block plan_mode");
    assert_eq!(world.bash("s1", "git pull").said(), "allow classifier");
    // The last one is told, and no other before it.
    assert_eq!(
        world.bash("s1", "git pull x").said(),
        "block classifier_blocked"
    );
    assert_eq!(
        told_once(&world, "denied")["tool_input"]["command"],
        "git pull x"
    );
}

#[test]
fn a_hook_that_hangs_holds_up_no_denial_and_no_other_call() {
    let world = World::new(with_hooks(
        Setup::judged(Vec::new()),
        &[("PermissionDenied", HANG), ("SessionStart", HANG)],
    ));
    let _screen = world.vscode();
    let begin = Instant::now();
    let start = world.hook("s0", "SessionStart", json!({ "source": "startup" }));
    start.handled();
    for n in 0..3 {
        let call = world.bash("s0", &format!("git push x{n}"));
        assert_eq!(call.said(), "block classifier_blocked");
    }
    assert!(begin.elapsed() < Duration::from_secs(30));
    world.service.end_hooks(Duration::from_secs(20));
}

#[test]
fn a_hooks_yes_at_a_cap_does_to_the_counters_what_a_persons_does() {
    // The hooks know the call by its command.
    let said = format!("if grep -q 'git fetch'; then {ALLOW}; fi");
    let by_hook = World::new(cap_setup(&[("PermissionRequest", &said)]));
    let by_person = World::new(cap_setup(&[]));
    let mut after = Vec::new();
    for (world, is_person) in [(&by_hook, false), (&by_person, true)] {
        let mut screen = world.vscode();
        arm_cap(world, "s1");
        let hook = world.bash("s1", "git fetch");
        let approval = screen.approval();
        if is_person {
            screen.choose(&approval, "approve");
        } else {
            assert_eq!(screen.resolved(&approval), "proceed_once");
        }
        let outcome = hook.outcome();
        assert_eq!(outcome.said(), "allow approval");
        let row = world.rows(RecordKind::Answer).pop().unwrap();
        after.push((row.before, row.after, counters(&mut screen, "s1")));
        assert_eq!(outcome.detail.contains("hook"), !is_person);
    }
    assert_eq!(after[0], after[1]);
    assert_eq!(after[0].2["consecutiveBlock"], 0);
    assert_eq!(after[0].2["totalBlock"], 3);
    let source = |world| answers(world).pop().unwrap();
    assert_eq!(source(&by_hook), ("proceed_once".into(), "hook".into()));
    assert_eq!(source(&by_person), ("proceed_once".into(), "vscode".into()));
}

#[test]
fn a_workspace_hooks_yes_changes_nothing_and_its_no_counts() {
    for (command, says_no) in [(ALLOW, false), (DENY, true)] {
        let mut setup = cap_setup(&[]);
        setup.workspace = Some(
            json!({ "hooks": { "PermissionRequest": [
                { "hooks": [{ "type": "command", "command": command }] },
            ] } })
            .to_string(),
        );
        let world = World::new(setup);
        let loaded = world.service.settings(&world.workspace);
        TrustStore::new(&world.places)
            .consent(&world.workspace, &loaded.loosening, loaded.consent_digest())
            .unwrap();
        let mut screen = world.vscode();
        arm_cap(&world, "s1");
        let hook = world.bash("s1", "git fetch");
        let approval = screen.approval();
        if says_no {
            assert_eq!(screen.resolved(&approval), "cancel");
            assert_eq!(hook.said(), "block person");
        } else {
            screen.message("never yes");
            assert_eq!(world.service.pending().len(), 1, "it is still asked");
            screen.choose(&approval, "deny");
            assert_eq!(hook.said(), "block person");
        }
        assert_eq!(counters(&mut screen, "s1")["consecutiveBlock"], 3);
    }
}

#[test]
fn a_hooks_no_is_told_to_the_agent_and_closes_the_prompt() {
    let world = World::new(with_hooks(
        Setup::auto(json!({ "ask": ["Bash(git push *)"] })),
        &[("PermissionRequest", &format!("sleep 0.2; {DENY}"))],
    ));
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push x");
    let approval = screen.approval();
    let outcome = hook.outcome();
    assert_eq!(outcome.said(), "block person");
    assert_eq!(outcome.detail, "a user hook said no: not on my watch");
    assert_eq!(screen.resolved(&approval), "cancel");
    assert_eq!(answers(&world), [("cancel".into(), "hook".into())]);
}

#[test]
fn a_persons_answer_ends_the_hooks_that_are_still_asked() {
    let world = World::new(with_hooks(
        Setup::auto(json!({ "ask": ["Bash(git push *)"] })),
        &[("PermissionRequest", "echo $$ > own; sleep 600")],
    ));
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push x");
    let approval = screen.approval();
    let own = world.places.home.join("own");
    eventually("the hook runs", || {
        fs::read_to_string(&own).is_ok_and(|id| id.ends_with('\n'))
    });
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    let id = fs::read_to_string(own).unwrap();
    let stat = Utf8PathBuf::from(format!("/proc/{}/stat", id.trim()));
    eventually("the hook is gone", || {
        let stat = fs::read_to_string(&stat).unwrap_or_default();
        stat.rsplit_once(") ")
            .is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
    });
}

#[test]
fn a_hooks_yes_is_void_where_what_would_run_has_changed() {
    // The first time it changes the script and then says yes; then it says no.
    let command = format!(
        "if [ -e asked ]; then exit 2; fi; touch asked; \
         echo 'echo other' > work/vineyard/run.sh.new; \
         mv $HOME/work/vineyard/run.sh.new $HOME/work/vineyard/run.sh; {ALLOW}"
    );
    // What it names is where an agent may write: so it is the machine's way
    // that is spelled where nobody looks.
    let hidden = command.replace("work/vineyard", "w*k/v*d");
    let world = World::new(with_hooks(
        Setup::auto(json!({ "ask": ["Bash(sh run.sh)"] })),
        &[("PermissionRequest", &hidden)],
    ));
    world.file("run.sh", "echo one\n");
    world.file("run.sh.new", "");
    open_without_editor(&world);
    assert_eq!(world.bash("s1", "sh run.sh").said(), "block person");
    world.expect_ignored("changed");
    assert!(
        answers(&world).iter().all(|(answer, _)| answer == "cancel"),
        "{:?}",
        answers(&world)
    );
}

#[test]
fn without_an_editor_a_hook_answers_before_anybody_else() {
    let ask = || Setup::auto(json!({ "ask": ["Bash(git push *)"] }));
    let allow = World::new(with_hooks(ask(), &[("PermissionRequest", ALLOW)]));
    open_without_editor(&allow);
    assert_eq!(allow.bash("s1", "git push x").said(), "allow approval");
    assert_eq!(answers(&allow), [("proceed_once".into(), "hook".into())]);
    let deny = World::new(with_hooks(ask(), &[("PermissionRequest", DENY)]));
    open_without_editor(&deny);
    assert_eq!(deny.bash("s1", "git push x").said(), "block person");
}

#[test]
fn without_an_editor_and_an_answer_the_agents_own_prompt_asks_and_is_heard() {
    let (kept, waits) = (keeps("asked"), keeps("waits"));
    let world = World::new(with_hooks(
        Setup::auto(json!({ "ask": ["Bash(git push *)"] })),
        &[("PermissionRequest", &kept), ("Notification", &waits)],
    ));
    open_without_editor(&world);
    let call = json!({ "tool_use_id": "t1", "tool_name": "Bash",
        "tool_input": { "command": "git push x" } });
    let before = world.hook("s1", "PreToolUse", call.clone());
    assert_eq!(before.said(), "ask ask_rule");
    let asked = told_once(&world, "asked");
    assert_eq!(asked["reason"], "ask_rule");
    assert!(asked["effects"].is_array() && asked["suggestions"].is_array());
    let waits = told_once(&world, "waits");
    assert_eq!(waits["notification_type"], "permission_prompt");
    // The agent is about to prompt: the same call, about which hooks were asked.
    let prompts = world.hook("s1", "PermissionRequest", call.clone());
    assert_eq!(prompts.said(), "ask ask_rule");
    let mut ran = call;
    ran["tool_response"] = json!({ "stdout": "" });
    world.hook("s1", "PostToolUse", ran).handled();
    assert_eq!(answers(&world), [("proceed_once".into(), "agent".into())]);
    assert_eq!(told(&world, "asked").len(), 1);
}

#[test]
fn an_editor_that_goes_while_hooks_are_asked_leaves_the_call_to_them() {
    let world = World::new(with_hooks(
        Setup::auto(json!({ "ask": ["Bash(git push *)"] })),
        &[(
            "PermissionRequest",
            &format!("until [ -e gone ]; do sleep 0.02; done; {ALLOW}"),
        )],
    ));
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push x");
    screen.approval();
    drop(screen);
    eventually("the editor is gone", || !world.service.can_ask());
    write(&world.places.home.join("gone"), "");
    assert_eq!(hook.said(), "allow approval");
}

#[test]
fn a_failing_hook_is_on_record_and_shown_and_never_a_yes() {
    let world = World::new(with_hooks(
        Setup::auto(json!({ "ask": ["Bash(git push *)"] })),
        &[
            ("PermissionRequest", ALLOW),
            ("PermissionRequest", "echo '{\"decision\": \"allow\"'"),
        ],
    ));
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push x");
    let approval = screen.approval();
    let shown = screen.message("hook PermissionRequest");
    assert!(shown.contains("not an answer"), "{shown}");
    eventually("the status says so", || {
        let degraded = world.service.degraded();
        degraded.iter().any(|why| why.contains("a user hook fails"))
    });
    assert_eq!(world.service.pending().len(), 1);
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
    let rows = world.rows(RecordKind::Problem);
    assert_eq!(rows[0].source.as_deref(), Some("hook"));
    assert!(rows[0].call.is_some());
}

#[test]
fn sessions_tell_hooks_that_match_how_they_began() {
    let (starts, ends) = (keeps("starts"), keeps("ends"));
    let mut setup = with_hooks(
        Setup::auto(json!({})),
        &[("SessionStart", &starts), ("SessionEnd", &ends)],
    );
    let mut settings: Value = serde_json::from_str(&setup.user.take().unwrap()).unwrap();
    settings["hooks"]["SessionStart"][0]["matcher"] = json!("startup");
    setup.user = Some(settings.to_string());
    let world = World::new(setup);
    open_without_editor(&world);
    for source in ["resume", "startup"] {
        let start = world.hook("s1", "SessionStart", json!({ "source": source }));
        start.handled();
    }
    assert_eq!(told_once(&world, "starts")["source"], "startup");
    let foreign = world.foreign_hook("s1", "SessionEnd", json!({ "reason": "other" }));
    foreign.handled();
    let end = world.hook("s1", "SessionEnd", json!({ "reason": "logout" }));
    end.handled();
    let ended = told_once(&world, "ends");
    assert_eq!(
        (ended["reason"].as_str(), ended["session"].as_str()),
        (Some("logout"), Some("s1"))
    );
}

#[test]
fn one_switch_turns_all_of_them_off() {
    let kept = keeps("told");
    let mut setup = with_hooks(
        Setup::judged(vec![block()]),
        &[("PermissionDenied", &kept), ("PermissionRequest", ALLOW)],
    );
    let text = setup.user.take().unwrap();
    setup.user = Some(text.replacen('{', "{\"disableAllHooks\": true, ", 1));
    let world = World::new(setup);
    open_without_editor(&world);
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_blocked"
    );
    let file = Places::workspace_file(&world.workspace);
    write(&file, r#"{"permissions": {"ask": ["Bash(git fetch)"]}}"#);
    assert_eq!(world.bash("s1", "git fetch").said(), "ask ask_rule");
    world.service.end_hooks(Duration::from_secs(20));
    assert!(told(&world, "told").is_empty());
}
