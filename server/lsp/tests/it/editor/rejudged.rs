//! A model's yes is about what was there when it was asked: where that is not
//! so any more when it comes, the call is decided anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_core::classify::Verdict;
use countersign_core::state::RecordKind;
use serde_json::json;

use super::world::{Setup, World, block, eventually, write};

/// A world in which a command runs a script of the workspace, and what happens
/// while a model is asked about it.
fn world(
    verdicts: Vec<Verdict>,
    mut meanwhile: impl FnMut(&Files, usize) + Send + 'static,
) -> World {
    let place = Arc::new(std::sync::OnceLock::<Files>::new());
    let told = Arc::clone(&place);
    let world = World::new(Setup {
        meanwhile: Some(Box::new(move |number| {
            meanwhile(told.get().unwrap(), number);
        })),
        ..Setup::judged(verdicts)
    });
    let script = world.file("prune.sh", "echo one\n");
    let settings = world.places.user_file();
    assert!(place.set(Files { script, settings }).is_ok());
    world
}

/// The files of a world that change.
struct Files {
    script: camino::Utf8PathBuf,
    settings: camino::Utf8PathBuf,
}

const RUN: &str = "bash prune.sh";

#[test]
fn a_script_that_changes_while_the_model_thinks_is_put_to_it_once_more() {
    let world = world(vec![Verdict::Allow, block()], |files, number| {
        if number == 1 {
            write(&files.script, "echo something else\n");
        }
    });
    let _screen = world.vscode();
    assert_eq!(world.bash("s1", RUN).said(), "block classifier_blocked");
    assert_eq!(world.questions().len(), 2);
    let rows = world.rows(RecordKind::Decision);
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[test]
fn what_keeps_changing_is_no_allow_and_counted() {
    let world = world(vec![Verdict::Allow; 8], |files, number| {
        write(&files.script, &format!("echo {number}\n"));
    });
    let _screen = world.vscode();
    assert_eq!(world.bash("s1", RUN).said(), "block classifier_unavailable");
    assert_eq!(world.questions().len(), 4);
    let row = world.rows(RecordKind::Decision).pop().unwrap();
    assert_eq!(row.after.unwrap().total_unavailable, 1);
    assert!(
        row.model
            .unwrap()
            .problem
            .unwrap()
            .contains("kept changing")
    );
}

#[test]
fn a_deny_rule_that_comes_meanwhile_holds() {
    let world = world(vec![Verdict::Allow], |files, _| {
        let settings = json!({
            "ui": { "autoModeAcknowledged": true },
            "permissions": { "deny": ["Bash(bash prune.sh)"] },
        });
        write(&files.settings, &settings.to_string());
    });
    let _screen = world.vscode();
    assert_eq!(world.bash("s1", RUN).said(), "block rule_denied");
}

#[test]
fn a_mode_that_a_person_chooses_meanwhile_holds() {
    let world = World::new(Setup::judged(vec![Verdict::Allow]));
    let mut screen = world.vscode();
    let look = json!({ "pattern": "*" });
    assert_eq!(world.tool("s1", "Glob", look).said(), "allow safe_tool");
    world.hold_answers();
    let hook = world.bash("s1", "git push");
    world.asked(1);
    let session = json!({ "agent": "claude-code", "session": "s1" });
    screen.command("setMode", json!(["plan", session])).unwrap();
    // The command is answered before it is done.
    eventually("plan mode", || {
        let sessions = world.service.sessions();
        sessions.iter().any(|one| one.mode.as_str() == "plan")
    });
    world.let_answers_go();
    assert_eq!(hook.said(), "block plan_mode");
}

#[test]
fn a_call_that_nothing_changes_about_is_asked_about_once() {
    let changed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&changed);
    let world = world(vec![Verdict::Allow], move |files, _| {
        write(&files.script.with_file_name("other.sh"), "echo\n");
        seen.store(true, Ordering::Relaxed);
    });
    let _screen = world.vscode();
    assert_eq!(world.bash("s1", RUN).said(), "allow classifier");
    assert_eq!(world.questions().len(), 1);
    assert!(changed.load(Ordering::Relaxed));
}
