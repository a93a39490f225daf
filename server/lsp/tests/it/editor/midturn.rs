//! What a person types while the agent works stands only in its file.

use std::fs::OpenOptions;
use std::io::Write as _;

use camino::Utf8PathBuf;
use countersign_core::classify::Verdict;
use serde_json::{Value, json};

use super::judged::told;
use super::world::{Setup, World, write};

/// The agent's file of session s1, and what it adds to it.
struct Conversation(Utf8PathBuf);

impl Conversation {
    fn new(world: &World) -> Self {
        let file = ".claude/projects/-vineyard/s1.jsonl";
        let conversation = Self(world.places.home.join(file));
        write(&conversation.0, "");
        conversation
    }

    fn add(&self, line: &Value) {
        let mut file = OpenOptions::new().append(true).open(&self.0).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    fn typed(&self, text: &str) {
        self.add(&json!({
            "type": "user",
            "sessionId": "s1",
            "message": { "role": "user", "content": text },
        }));
    }

    fn queued(&self, text: &str) {
        self.add(&json!({
            "type": "attachment",
            "sessionId": "s1",
            "attachment": {
                "type": "queued_command",
                "commandMode": "prompt",
                "prompt": text,
            },
        }));
    }

    fn call(&self, command: &str) -> Value {
        json!({
            "tool_name": "Bash",
            "tool_input": { "command": command },
            "transcript_path": self.0,
        })
    }
}

#[test]
fn a_no_that_was_typed_meanwhile_comes_after_the_yes() {
    let world = World::new(Setup::judged(vec![Verdict::Allow; 4]));
    let _screen = world.vscode();
    let file = Conversation::new(&world);
    let event = |name: &str, more: Value| world.hook("s1", name, more);
    event("SessionStart", json!({ "source": "startup" })).handled();
    event("UserPromptSubmit", json!({ "prompt": "push it" })).handled();
    file.typed("push it");
    event("PreToolUse", file.call("git fetch")).outcome();
    assert_eq!(told(&world, 0), ["user: push it"]);
    file.queued("no, do not push");
    event("PreToolUse", file.call("git push")).outcome();
    let all = [
        "user: push it",
        "run_shell_command: Allowed",
        "user: no, do not push",
    ];
    assert_eq!(told(&world, 1), all);
    event("PreToolUse", file.call("git push a")).outcome();
    assert_eq!(told(&world, 2)[..3], all, "it stands once, where it was");
    event("UserPromptSubmit", json!({ "prompt": "now push" })).handled();
    file.typed("now push");
    file.queued("but test first");
    event("PreToolUse", file.call("git push b")).outcome();
    let last = told(&world, 3);
    assert_eq!(last[..3], all);
    assert_eq!(last[5..], ["user: now push", "user: but test first"]);
}

#[test]
fn who_begins_anew_under_the_same_id_has_said_nothing_yet() {
    let world = World::new(Setup::judged(vec![Verdict::Allow; 2]));
    let _screen = world.vscode();
    let file = Conversation::new(&world);
    let event = |name: &str, more: Value| world.hook("s1", name, more);
    event("SessionStart", json!({ "source": "startup" })).handled();
    event("UserPromptSubmit", json!({ "prompt": "push it" })).handled();
    file.typed("push it");
    file.queued("all of it");
    event("PreToolUse", file.call("git fetch")).outcome();
    assert_eq!(told(&world, 0), ["user: push it", "user: all of it"]);
    event("SessionStart", json!({ "source": "clear" })).handled();
    event("PreToolUse", file.call("git push")).outcome();
    assert_eq!(told(&world, 1), [""; 0]);
}
