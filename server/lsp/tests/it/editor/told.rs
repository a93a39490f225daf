//! What an editor is told of the guard's state, and what it can look up.

use std::time::Instant;

use serde_json::{Value, json};

use super::screen::NOT_FOUND;
use super::world::{Setup, World};

const DOCUMENT: &str = "countersign:/session/claude-code/s1";

#[test]
fn the_status_is_whole_each_time_and_not_told_more_often_than_every_100_ms() {
    let user = json!({ "permissions": { "allow": ["Bash(git status)"] } });
    let world = World::new(Setup {
        user: Some(user.to_string()),
        ..Setup::default()
    });
    let mut editor = world.start();
    editor.allow("textDocument/publishDiagnostics");
    let before = Instant::now();
    world.initialize(
        &mut editor,
        json!({ "capabilities": { "experimental": { "countersign": { "kind": "neovim" } } } }),
    );
    for n in 0..60 {
        assert_eq!(
            world.bash(&format!("s{}", n % 5), "git status").said(),
            "allow rule"
        );
    }
    let asked = editor.request("countersign/status", Value::Null);
    assert_eq!(asked["sessions"].as_array().unwrap().len(), 5);
    let last = editor.expect_notification("countersign/status", |status| {
        status["lastDecision"] == asked["lastDecision"]
    });
    assert_eq!(last["sessions"].as_array().unwrap().len(), 5);
    // In this order: more may be told between the two.
    let told = editor.unread();
    let elapsed = before.elapsed().as_millis();
    editor.allow("countersign/status");
    assert!(
        told.len() as u128 <= elapsed / 100 + 1,
        "{} in {elapsed} ms",
        told.len()
    );
    for message in &told {
        let status = message["params"].as_object().unwrap();
        for field in [
            "health",
            "degraded",
            "mode",
            "pending",
            "workspaces",
            "sessions",
            "classifier",
            "version",
        ] {
            assert!(
                status.contains_key(field),
                "{field} is missing in {status:?}"
            );
        }
    }
    assert_eq!(last["health"], "ok");
    assert_eq!(last["classifier"], json!({ "state": "none" }));
    assert_eq!(last["workspaces"][0]["folder"], world.workspace.as_str());
}

#[test]
fn the_status_counts_what_waits_by_session() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let status = screen.status_when(|status| status["pending"] == 1);
    assert_eq!(status["sessions"][0]["pending"], 1);
    assert_eq!(status["sessions"][0]["uri"], DOCUMENT);
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
    let status = screen.status_when(|status| status["lastDecision"]["decision"] == "block");
    assert_eq!(status["pending"], 0);
    assert_eq!(status["lastDecision"]["reason"], "person");
}

#[test]
fn the_short_status_is_told_where_it_is_declared_and_nowhere_else() {
    for parameters in [
        json!({ "capabilities": { "experimental": { "serverStatusNotification": true } } }),
        json!({ "capabilities": {}, "clientInfo": { "name": "Zed" } }),
    ] {
        let world = World::new(Setup::default());
        let mut screen = world.plain_with(parameters);
        let short = screen.expect_notification("experimental/serverStatus", |_| true);
        assert_eq!(short["health"], "ok");
        assert_eq!(short["quiescent"], true);
        let hook = world.bash("s1", "git push");
        let prompt = screen.prompt();
        let short = screen.expect_notification("experimental/serverStatus", |status| {
            status["quiescent"] == false
        });
        assert_eq!(short["health"], "warning");
        assert!(
            short["message"]
                .as_str()
                .unwrap()
                .contains("1 approval waits")
        );
        screen.click(&prompt, "Deny");
        assert_eq!(hook.said(), "block person");
        screen.expect_notification("experimental/serverStatus", |status| {
            status["quiescent"] == true
        });
        world.user_message("s1");
        screen.allow("experimental/serverStatus");
    }
    // One that does not declare it gets none: dropping it would show that.
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
    world.status(&mut screen);
}

#[test]
fn what_the_server_offers_is_said_when_it_begins() {
    let world = World::new(Setup::default());
    let mut editor = world.start();
    editor.allow("textDocument/publishDiagnostics");
    let result = world.initialize(&mut editor, json!({ "capabilities": {} }));
    assert_eq!(result["serverInfo"]["name"], "countersign");
    let offered = &result["capabilities"];
    let commands = offered["executeCommandProvider"]["commands"]
        .as_array()
        .unwrap();
    assert_eq!(commands.len(), 13);
    for command in commands {
        assert!(
            command.as_str().unwrap().starts_with("countersign.server."),
            "{command}"
        );
    }
    assert_eq!(
        offered["textDocumentSync"]["change"], 0,
        "no buffer's text is wanted"
    );
    assert_eq!(offered["hoverProvider"], true);
    assert_eq!(
        offered["codeActionProvider"]["codeActionKinds"],
        json!(["quickfix"])
    );
    assert_eq!(
        offered["experimental"]["textDocumentContent"]["schemes"],
        json!(["countersign"])
    );
}

#[test]
fn a_call_can_be_explained_and_its_change_shown() {
    let world = World::new(Setup::default());
    let path = world.file("src/vines.rs", "one\ntwo\nthree\n");
    let mut screen = world.vscode();
    let edit = json!({ "file_path": path, "old_string": "two", "new_string": "2" });
    let hook = world.tool("s1", "Edit", edit);
    let approval = screen.approval();
    let explained = screen.request("countersign/explain", json!({ "id": approval["id"] }));
    assert!(
        explained["markdown"]
            .as_str()
            .unwrap()
            .contains("approval_mode")
    );
    let text = screen.command("explain", json!([approval["id"]])).unwrap();
    assert!(text.as_str().unwrap().contains("approval_mode"));
    let change = screen
        .command("showChange", json!([approval["id"]]))
        .unwrap();
    let change = change.as_str().unwrap();
    assert!(change.contains("-two") && change.contains("+2"), "{change}");
    let whole = screen.request("countersign/call", json!({ "id": approval["id"] }));
    assert_eq!(whole["text"], approval["text"]);
    assert_eq!(whole["grantable"], false);
    assert_eq!(
        whole["changes"],
        json!([{
            "path": path,
            "kind": "write",
            "before": "one\ntwo\nthree\n",
            "after": "one\n2\nthree\n",
        }])
    );
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
    for method in ["countersign/explain", "countersign/call"] {
        let unknown = screen.try_request(method, json!({ "id": "nothing" }));
        assert_eq!(unknown.unwrap_err().code, NOT_FOUND);
    }
}

#[test]
fn the_journal_can_be_read_in_bounds() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    for n in 0..3 {
        let hook = world.bash("s1", &format!("git push origin v{n}"));
        let approval = screen.approval();
        screen.choose(&approval, "approve");
        assert_eq!(hook.said(), "allow approval");
    }
    let all = screen.request("countersign/journal", json!({}));
    assert!(all["rows"].as_array().unwrap().len() >= 6);
    let some = screen.request("countersign/journal", json!({ "limit": 2 }));
    assert_eq!(some["rows"].as_array().unwrap().len(), 2);
    let none = screen.request("countersign/journal", json!({ "session": "s2" }));
    assert_eq!(none["rows"], json!([]));
    let much = screen.request("countersign/journal", json!({ "limit": u32::MAX }));
    assert_eq!(much, all);
    let bad = screen.try_request("countersign/journal", json!({ "limit": -1 }));
    assert_eq!(bad.unwrap_err().code, -32_602);
}
