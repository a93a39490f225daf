//! Whatever an editor sends, it gets an answer, and the server goes on.

use serde_json::{Value, json};

use super::screen::Screen;
use super::world::{Setup, World};

const REQUESTS: [&str; 19] = [
    "countersign/setMode",
    "countersign/resolveApproval",
    "countersign/grant",
    "countersign/resetCounters",
    "countersign/trust",
    "countersign/consent",
    "countersign/pendingApprovals",
    "countersign/status",
    "countersign/sessions",
    "countersign/explain",
    "countersign/journal",
    "countersign/call",
    "countersign/unknown",
    "workspace/textDocumentContent",
    "workspace/executeCommand",
    "textDocument/codeAction",
    "textDocument/codeLens",
    "textDocument/hover",
    "textDocument/completion",
];

const NOTIFICATIONS: [&str; 14] = [
    "countersign/toolCall",
    "countersign/toolResult",
    "countersign/cancelToolCall",
    "countersign/userMessage",
    "countersign/sessionStart",
    "countersign/sessionEnd",
    "countersign/unknown",
    "workspace/didChangeConfiguration",
    "workspace/didChangeWorkspaceFolders",
    "workspace/didChangeWatchedFiles",
    "textDocument/didOpen",
    "textDocument/didSave",
    "$/cancelRequest",
    "initialized",
];

fn nonsense() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(7),
        json!("x"),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "id": null, "nonce": null, "choice": null }),
        json!({ "id": { "id": 1 }, "mode": [], "folder": 1, "trusted": "yes", "uri": 9 }),
        json!({ "id": "x".repeat(50_000), "uri": "u".repeat(50_000), "mode": "m".repeat(50_000) }),
        json!({ "folder": "\u{0}", "trusted": true }),
        json!({ "folder": "", "trusted": true }),
        json!({ "folder": "relative", "trusted": true }),
        json!({ "command": "countersign.server.approve", "arguments": deep.clone() }),
        json!({ "command": "countersign.server.setMode", "arguments": [deep.clone(), deep] }),
        json!({ "command": "rm", "arguments": [] }),
        json!({ "textDocument": { "uri": "countersign:" }, "position": { "line": 4_294_967_295_u32, "character": 4_294_967_295_u32 } }),
        json!({ "textDocument": { "uri": "countersign:/session/claude-code/%FF%00" }, "position": { "line": 0, "character": 0 } }),
        json!({ "textDocument": { "uri": "file:///dev/zero" }, "position": { "line": 0, "character": 0 } }),
        json!({ "textDocument": { "uri": "file:///" }, "context": { "diagnostics": [] }, "range": {
            "start": { "line": 9, "character": 9 }, "end": { "line": 0, "character": 0 },
        }}),
        json!({ "event": { "added": [{ "uri": "untitled:x", "name": "" }], "removed": [{ "uri": "file:///nowhere", "name": "" }] } }),
    ]
}

fn everything(world: &World, screen: &mut Screen) {
    let mut begun = Vec::new();
    for parameters in nonsense() {
        for method in NOTIFICATIONS {
            screen.notify(method, parameters.clone());
        }
        for method in REQUESTS {
            begun.push(screen.begin_request(method, parameters.clone()));
        }
    }
    for id in begun {
        // An answer of whatever kind.
        let _ = screen.response(id);
    }
    let status = world.status(screen);
    assert_eq!(status["health"], "ok");
    assert_eq!(status["mode"], "default");
    assert_eq!(status["workspaces"][0]["trusted"], true);
    assert_eq!(status["pending"], 0);
}

#[test]
fn an_editor_with_our_extension_that_sends_nonsense_changes_nothing() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    everything(&world, &mut screen);
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    for method in [
        "window/logMessage",
        "window/showMessage",
        "countersign/decision",
    ] {
        screen.allow(method);
    }
}

#[test]
fn a_plain_editor_that_sends_nonsense_changes_nothing() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    everything(&world, &mut screen);
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    assert_eq!(
        screen.approve(prompt, "Approve once", hook).said(),
        "allow approval"
    );
    for method in [
        "window/logMessage",
        "window/showMessage",
        "countersign/decision",
    ] {
        screen.allow(method);
    }
}
