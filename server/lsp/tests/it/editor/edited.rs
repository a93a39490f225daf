//! The project's own tests run by themselves until an agent edits what they
//! run; then a model looks at each state of it once.

use std::process::Command;

use countersign_core::classify::Verdict;
use serde_json::{Value, json};

use super::screen::{CHANGED, Screen};
use super::world::{Setup, World, block, write};

const RUN: &str = "make test";

/// A workspace that is a repository with a task.
fn project(setup: Setup) -> World {
    let world = World::new(setup);
    world.file("Makefile", "test:\n\tpython3 check.py\n");
    world.file("check.py", "x = 1\n");
    git(&world, &["init", "--quiet", "--initial-branch=main"]);
    commit(&world);
    world
}

fn commit(world: &World) {
    git(world, &["add", "--all"]);
    git(world, &["commit", "--quiet", "--message=x"]);
}

fn git(world: &World, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(&world.workspace)
        .env("HOME", &world.workspace)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The agent writes the code that the task runs.
fn edit(world: &World, code: &str) {
    let path = world.workspace.join("check.py");
    let input = json!({ "file_path": path, "content": code });
    assert_eq!(
        world.tool("s1", "Write", input).said(),
        "allow accept_edits"
    );
    write(&path, code);
}

/// The agent runs the task to its end: how that was decided.
fn run(world: &World) -> String {
    let said = world.bash("s1", RUN).said();
    if said.starts_with("allow") {
        let ran = json!({
            "tool_name": "Bash",
            "tool_input": { "command": RUN },
            "tool_response": { "stdout": "" },
        });
        world.hook("s1", "PostToolUse", ran).handled();
    }
    said
}

fn baseline(world: &World, screen: &mut Screen) -> Value {
    world.status(screen)["workspaces"][0]["baseline"].clone()
}

#[test]
fn a_model_looks_at_each_state_of_edited_code_once() {
    let world = project(Setup::judged(vec![Verdict::Allow, block()]));
    let _screen = world.vscode();
    assert_eq!(run(&world), "allow static");
    edit(&world, "import os\n");
    assert_eq!(run(&world), "allow classifier");
    assert_eq!(run(&world), "allow classifier");
    assert_eq!(world.questions().len(), 1, "the answer is used again");
    edit(&world, "import sys\n");
    assert_eq!(run(&world), "block classifier_blocked");
    assert_eq!(world.questions().len(), 2);
    // As it was committed it needs nobody.
    edit(&world, "x = 1\n");
    assert_eq!(world.bash("s1", RUN).said(), "allow static");
}

#[test]
fn an_answer_about_edited_code_is_of_one_session_and_one_command() {
    let verdicts = vec![Verdict::Allow, Verdict::Allow, Verdict::Allow];
    let world = project(Setup::judged(verdicts));
    let _screen = world.vscode();
    edit(&world, "import os\n");
    assert_eq!(world.bash("s1", RUN).said(), "allow classifier");
    assert_eq!(world.bash("s2", RUN).said(), "allow classifier");
    assert_eq!(world.bash("s1", "make -k test").said(), "allow classifier");
    assert_eq!(world.questions().len(), 3);
}

#[test]
fn a_person_sets_the_baseline_to_exactly_the_commit_that_they_were_shown() {
    let world = project(Setup::judged(vec![block()]));
    let mut screen = world.vscode();
    edit(&world, "import os\n");
    let before = git(&world, &["rev-parse", "HEAD"]);
    assert_eq!(baseline(&world, &mut screen)["commit"], before.as_str());
    commit(&world);
    assert_eq!(world.bash("s1", RUN).said(), "block classifier_blocked");
    let head = git(&world, &["rev-parse", "HEAD"]);
    let mut set = |commit: &str| {
        let params = json!({ "folder": world.workspace, "commit": commit, "workTree": false });
        screen.try_request("countersign/setBaseline", params)
    };
    let refused = set(&before).unwrap_err();
    assert_eq!(refused.code, CHANGED);
    assert!(refused.message.contains("not the one that is checked out"));
    set(&head).unwrap();
    assert_eq!(world.bash("s1", RUN).said(), "allow static");
    assert_eq!(baseline(&world, &mut screen)["commit"], head.as_str());
    assert_eq!(baseline(&world, &mut screen)["by"], "set by a person");
}

#[test]
fn a_plain_editor_asks_before_the_baseline_is_set() {
    let world = project(Setup::default());
    let mut screen = world.plain();
    let command = json!({ "command": "countersign.server.setBaseline", "arguments": [] });
    screen.request("workspace/executeCommand", command);
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Not now", "Trust what is checked out"]);
    let head = git(&world, &["rev-parse", "HEAD"]);
    assert!(prompt.text.contains(&head[..12]), "{prompt:?}");
    assert_eq!(baseline(&world, &mut screen), Value::Null);
    screen.agree(&prompt, "Trust what is checked out");
    super::world::eventually("the baseline is set", || {
        baseline(&world, &mut screen)["by"] == "set by a person"
    });
}
