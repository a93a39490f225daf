//! What a tool was told beside what its call shows is shown, too: fields are
//! left out by what they are, never because another text is the same.

use countersign_agents::{EditorCall, editor_call, editor_session};
use countersign_core::agent::Agent;
use serde_json::{Value, json};

use crate::draw::prompt_text;

/// The lines of a call of a real agent.
fn lines(agent: Agent, tool: &str, input: &Value) -> Vec<String> {
    let key = editor_session(agent, "s1", None).unwrap();
    let call = editor_call(&EditorCall {
        key: &key,
        id: "call-1",
        cwd: "/work",
        tool,
        input,
        plan_mode: false,
    })
    .unwrap();
    let text = prompt_text::whole(&call);
    text.lines().map(str::to_owned).collect()
}

fn claude(tool: &str, input: &Value) -> Vec<String> {
    lines(Agent::ClaudeCode, tool, input)
}

#[test]
fn a_parameter_that_equals_a_shown_text_is_shown_all_the_same() {
    let edit = json!({
        "file_path": "/work/a",
        "old_string": "true",
        "new_string": "3",
        "replace_all": true,
        "expected": 3,
    });
    assert_eq!(
        claude("Edit", &edit),
        [
            "edit /work/a",
            "-true",
            "+3",
            "expected: 3",
            "replace_all: true"
        ]
    );
    let fetch = json!({ "url": "https://a.example", "prompt": "say it" });
    assert_eq!(
        claude("WebFetch", &fetch),
        ["fetch https://a.example", "prompt: say it"]
    );
    let command = json!({ "command": "true", "run_in_background": true });
    assert_eq!(
        claude("Bash", &command),
        ["true", "run_in_background: true"]
    );
}

#[test]
fn a_false_is_left_out_only_where_it_is_so_anyway() {
    let command = json!({
        "command": "make",
        "run_in_background": false,
        "description": "builds",
        "timeout": 1_000,
        "sandbox": false,
    });
    assert_eq!(claude("Bash", &command), ["make", "sandbox: false"]);
}

#[test]
fn lists_and_objects_are_shown_as_they_are() {
    let command = json!({ "command": "make", "env": { "A": ["b"] }, "none": null });
    assert_eq!(claude("Bash", &command), ["make", "env: {\"A\":[\"b\"]}"]);
    let many = json!({ "paths": ["/work/a", "/work/b"], "exclude": ["x"] });
    let shown = lines(Agent::Qwen, "read_many_files", &many);
    assert!(shown.contains(&"exclude: [\"x\"]".to_owned()), "{shown:?}");
    assert!(
        shown.iter().any(|line| line.contains("/work/b")),
        "{shown:?}"
    );
}

#[test]
fn what_an_edit_among_several_says_beside_its_texts_is_shown() {
    let edits = json!({
        "file_path": "/work/a",
        "edits": [
            { "old_string": "one", "new_string": "1", "replace_all": true },
            { "old_string": "two", "new_string": "2", "replace_all": false },
        ],
    });
    assert_eq!(
        claude("MultiEdit", &edits),
        [
            "edit /work/a",
            "-one",
            "+1",
            "edit /work/a",
            "-two",
            "+2",
            "edit 1, replace_all: true",
        ]
    );
}

#[test]
fn a_field_of_a_known_name_with_another_text_is_shown() {
    let read = json!({ "file_path": "/work/a", "path": "/etc/b" });
    assert_eq!(claude("Read", &read), ["read /work/a", "path: /etc/b"]);
    let command = json!({ "command": "make", "cmd": "rm" });
    assert_eq!(claude("Bash", &command), ["make", "cmd: rm"]);
}
