//! An approval is for what was shown: when a file that the call names changes
//! before the answer, the answer is void and the person is asked anew.

use countersign_core::state::RecordKind;
use serde_json::{Value, json};

use super::screen::{CHANGED, NOT_FOUND, answer};
use super::world::{Setup, World};

#[test]
fn a_file_that_changed_after_it_was_shown_voids_the_answer_and_is_asked_anew() {
    let world = World::new(Setup::default());
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "./deploy.sh");
    let first = screen.approval();
    std::fs::write(&script, "echo two\n").unwrap();
    assert_eq!(screen.resolve(&answer(&first, "approve")), Err(CHANGED));
    assert_eq!(screen.resolved(&first), "void");
    let second = screen.approval();
    assert_ne!(second["id"], first["id"]);
    assert_ne!(second["nonce"], first["nonce"]);
    assert_ne!(second["digest"], first["digest"]);
    assert!(!hook.is_over(), "the agent still waits");
    assert_eq!(screen.resolve(&answer(&first, "approve")), Err(NOT_FOUND));
    let mut replayed = answer(&second, "approve");
    replayed["nonce"] = first["nonce"].clone();
    assert!(screen.resolve(&replayed).is_err(), "an old nonce");
    screen.choose(&second, "approve");
    assert_eq!(hook.said(), "allow approval");
    assert_eq!(world.rows(RecordKind::Answer).len(), 1);
}

#[test]
fn nothing_is_remembered_with_an_answer_that_is_void() {
    let world = World::new(Setup::default());
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let hook = world.bash("s1", "./deploy.sh");
    let first = screen.approval();
    std::fs::write(&script, "echo two\n").unwrap();
    let mut remember = answer(&first, "remember");
    remember["rules"] = first["suggestions"].clone();
    remember["scope"] = json!("user");
    assert_eq!(first["suggestions"], json!(["Bash(./deploy.sh)"]));
    assert_eq!(screen.resolve(&remember), Err(CHANGED));
    assert_eq!(screen.resolved(&first), "void");
    assert!(!world.places.user_file().exists());
    let second = screen.approval();
    screen.choose(&second, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_denial_of_what_has_changed_is_a_denial() {
    let world = World::new(Setup::default());
    let script = world.file("deploy.sh", "echo one\n");
    let mut screen = world.vscode();
    let hook = world.bash("s1", "./deploy.sh");
    let approval = screen.approval();
    std::fs::write(&script, "echo two\n").unwrap();
    assert_eq!(screen.choose(&approval, "deny")["decision"], "block");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_link_that_was_turned_elsewhere_after_it_was_shown_voids_the_answer() {
    let world = World::new(Setup::default());
    world.file("harmless/notes.txt", "one\n");
    world.file("precious/notes.txt", "one\n");
    let link = world.workspace.join("current");
    std::os::unix::fs::symlink("harmless", &link).unwrap();
    let mut screen = world.vscode();
    let write = json!({ "file_path": link.join("notes.txt"), "content": "two\n" });
    let hook = world.tool("s1", "Write", write);
    let first = screen.approval();
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("precious", &link).unwrap();
    assert_eq!(screen.resolve(&answer(&first, "approve")), Err(CHANGED));
    assert_eq!(screen.resolved(&first), "void");
    let second = screen.approval();
    screen.choose(&second, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_call_whose_files_keep_changing_is_blocked_in_the_end() {
    let world = World::new(Setup::default());
    let script = world.file("deploy.sh", "echo 0\n");
    let mut screen = world.vscode();
    let mut hook = world.bash("s1", "./deploy.sh");
    let mut shown: Vec<Value> = Vec::new();
    while !hook.is_over() {
        assert!(shown.len() < 20, "a person is asked without end");
        let approval = screen.approval();
        std::fs::write(&script, format!("echo {}\n", shown.len() + 1)).unwrap();
        assert_eq!(screen.resolve(&answer(&approval, "approve")), Err(CHANGED));
        assert_eq!(screen.resolved(&approval), "void");
        shown.push(approval);
        super::world::eventually("asked anew or over", || {
            hook.is_over() || !world.service.pending().is_empty()
        });
    }
    assert_eq!(hook.said(), "block person");
    assert!(world.service.pending().is_empty());
}
