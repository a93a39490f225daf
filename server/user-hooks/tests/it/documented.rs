//! The page about hooks: its examples work, and it names everything.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::Utf8Path;
use countersign_user_hooks::list;
use serde_json::{Value, json};

use crate::desk::Desk;

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hooks.md");
    std::fs::read_to_string(path).unwrap()
}

/// The code blocks that are marked so, in order.
fn examples(kind: &str) -> Vec<String> {
    let page = page();
    let mark = format!("<!-- example: {kind} -->\n```");
    page.split(&mark)
        .skip(1)
        .map(|rest| {
            let (_language, code) = rest.split_once('\n').unwrap();
            code.split_once("```").unwrap().0.to_owned()
        })
        .collect()
}

#[test]
fn every_member_event_and_exit_code_is_on_the_page() {
    let page = page();
    for event in list(&Desk::new().effective()).events {
        assert!(
            page.contains(&format!("| `{}` |", event.event)),
            "{}",
            event.event
        );
        for field in event.payload {
            assert!(
                page.contains(&format!("`{}`", field.name)),
                "{}",
                field.name
            );
        }
    }
}

#[test]
fn the_settings_of_the_examples_are_settings_without_problems() {
    let examples = examples("settings");
    assert_eq!(examples.len(), 2);
    for example in examples {
        let desk = Desk::new();
        std::fs::write(desk.places.user_file(), &example).unwrap();
        let effective = desk.effective();
        assert!(effective.problems.is_empty(), "{:?}", effective.problems);
        assert_eq!(effective.hooks.len(), 1);
    }
}

/// Runs a script of an example with programs of ours in place of those that it
/// needs besides `jq`.
fn run(script: &str, stands_for: &str, input: &Value) -> String {
    let desk = Desk::new();
    let folder = desk.scratch("bin");
    std::fs::create_dir(&folder).unwrap();
    let heard = desk.scratch("heard");
    let stand_in = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {heard}\ncat >> {heard}\n");
    let program = folder.join(stands_for);
    std::fs::write(&program, stand_in).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = desk.scratch("script.sh");
    std::fs::write(&file, script).unwrap();
    let mut child = Command::new("/bin/sh")
        .arg(&file)
        .env_clear()
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("HOME", &desk.places.home)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    std::fs::read_to_string(heard).unwrap()
}

#[test]
fn the_scripts_of_the_examples_are_scripts() {
    let scripts = examples("script");
    assert_eq!(scripts.len(), 2);
    for script in &scripts {
        let desk = Desk::new();
        let file = desk.scratch("script.sh");
        std::fs::write(&file, script).unwrap();
        let checked = Command::new("/bin/sh")
            .arg("-n")
            .arg(&file)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
    // Where there is no jq, they cannot run.
    if !Utf8Path::new("/usr/bin/jq").exists() {
        return;
    }
    let notified = run(
        &scripts[0],
        "notify-send",
        &json!({ "message": "qwen needs \"you\" $(reboot)" }),
    );
    assert!(
        notified.ends_with("--\nCountersign\nqwen needs \"you\" $(reboot)\n"),
        "{notified}"
    );
    let sent = run(
        &scripts[1],
        "curl",
        &json!({
            "agent": "qwen", "tool_name": "edit", "reason": "classifier_blocked",
            "counters": { "totalBlock": 2 }, "call": "c1",
        }),
    );
    let body: Value = serde_json::from_str(sent.lines().last().unwrap()).unwrap();
    assert_eq!(
        body["text"],
        "Countersign denied qwen a call of edit (classifier_blocked), 2 blocks in this session. \
         countersign explain c1"
    );
}
