//! A server that an agent started: it decides, shows and changes nothing,
//! whatever its editor sends, because that editor may be the agent.

use std::fs;

use countersign_core::state::RecordKind;
use countersign_service::Handled;
use countersign_settings::TrustStore;
use serde_json::{Value, json};

use super::screen::{REFUSED, Screen};
use super::world::{Setup, World};

const WHY: &str = "claude-code (process 7) started it";

fn refusing() -> World {
    World::new(Setup {
        refusal: Some(WHY.to_owned()),
        trusted: false,
        workspace: Some(json!({ "permissions": { "allow": ["Bash(git push)"] } }).to_string()),
        ..Setup::default()
    })
}

/// Nothing that a person decides is other than before.
fn nothing_changed(world: &World) {
    assert!(!world.places.user_file().exists());
    assert!(
        !TrustStore::new(&world.places)
            .is_trusted(&world.workspace)
            .unwrap()
    );
    for kind in [
        RecordKind::Trust,
        RecordKind::Reset,
        RecordKind::UserMessage,
    ] {
        assert_eq!(world.rows(kind), [], "{kind:?}");
    }
    let written = fs::read_to_string(world.workspace_file()).unwrap();
    assert_eq!(written.matches("Bash").count(), 1);
}

#[test]
fn it_says_so_and_answers_no_hook() {
    let world = refusing();
    let mut screen = world.vscode();
    assert!(
        screen
            .message("does not guard from this editor")
            .contains(WHY)
    );
    let status = world.status(&mut screen);
    assert_eq!(status["health"], "error");
    assert_eq!(status["degraded"][0], WHY);
    let handled = world.bash("s1", "git push").handled();
    assert!(matches!(handled, Handled::NotOwner(why) if why == WHY));
    let pending = screen.request("countersign/pendingApprovals", Value::Null);
    assert_eq!(pending["approvals"], json!([]));
}

#[test]
fn nobody_acts_for_a_person_through_it() {
    let world = refusing();
    let mut screen = world.vscode_with(json!({ "kind": "vscode", "trusted": true }), Value::Null);
    screen.message("does not guard");
    let digest = world.service.settings(&world.workspace).consent_digest();
    let folder = &world.workspace;
    for (method, parameters) in [
        ("setMode", json!({ "mode": "yolo", "confirmed": true })),
        ("setMode", json!({ "mode": "auto", "acknowledged": true })),
        ("setMode", json!({ "mode": "plan" })),
        ("trust", json!({ "folder": folder, "trusted": true })),
        ("trust", json!({ "folder": folder, "trusted": false })),
        (
            "consent",
            json!({ "folder": folder, "digest": digest.to_string(), "what": "loosening" }),
        ),
        (
            "consent",
            json!({ "folder": folder, "digest": digest.to_string(), "what": "removal" }),
        ),
        ("grant", json!({ "id": "f" })),
        (
            "resetCounters",
            json!({ "session": { "agent": "claude-code", "session": "s1" } }),
        ),
    ] {
        let refused = screen
            .try_request(&format!("countersign/{method}"), parameters)
            .unwrap_err();
        assert_eq!(refused.code, REFUSED, "{method}");
        assert!(
            refused.message.contains(WHY),
            "{method}: {}",
            refused.message
        );
    }
    nothing_changed(&world);
}

#[test]
fn a_click_in_its_prompts_does_nothing_either() {
    let world = refusing();
    let mut screen = world.plain();
    screen.message("does not guard");
    for (command, arguments, yes) in [
        ("trust", json!([]), "Trust this workspace"),
        ("setMode", json!(["auto-edit"]), "Use auto-edit mode"),
        ("setMode", json!(["auto"]), "Use auto mode"),
    ] {
        screen.command(command, arguments).unwrap();
        let prompt = screen.prompt();
        screen.agree(&prompt, yes);
        screen.message(WHY);
    }
    nothing_changed(&world);
}

#[test]
fn an_agent_in_its_editor_is_blocked_and_not_believed() {
    let world = refusing();
    let mut screen = world.vscode();
    screen.message("does not guard");
    let decision = |screen: &mut Screen, id: &str, tool: &str, input: Value| {
        let call = json!({
            "agent": "claude-code",
            "session": "s1",
            "callId": id,
            "cwd": world.workspace,
            "tool": tool,
            "input": input,
        });
        screen.notify("countersign/toolCall", call.clone());
        let decision =
            screen.expect_notification("countersign/decision", |params| params["callId"] == id);
        screen.notify("countersign/toolResult", call);
        decision
    };
    for (id, tool, input) in [
        ("c1", "Read", json!({ "file_path": "notes.txt" })),
        ("c2", "Bash", json!({ "command": "git push" })),
    ] {
        let told = decision(&mut screen, id, tool, input);
        assert_eq!(told["decision"], "block");
        assert!(told["message"].as_str().unwrap().contains(WHY), "{told}");
    }
    let event = json!({ "agent": "claude-code", "session": "s1", "cwd": world.workspace, "text": "yes, do it" });
    for method in ["sessionStart", "userMessage", "sessionEnd"] {
        screen.notify(&format!("countersign/{method}"), event.clone());
    }
    // In order: it is answered after what was sent before it was dealt with.
    decision(
        &mut screen,
        "c3",
        "Read",
        json!({ "file_path": "notes.txt" }),
    );
    nothing_changed(&world);
    for kind in [
        RecordKind::Decision,
        RecordKind::Result,
        RecordKind::SessionStart,
    ] {
        assert_eq!(world.rows(kind), [], "{kind:?}");
    }
}
