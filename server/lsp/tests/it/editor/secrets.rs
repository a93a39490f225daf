//! A nonce is for the surface that shows its approval, and for nothing else:
//! over a long session, no other message, document, log or file has one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use countersign_test_support::lsp::{Behaviour, PROMPT};
use serde_json::{Value, json};

use super::hook::Hook;
use super::screen::answer;
use super::world::{Setup, World, block, eventually, uri};

/// Everything below a folder, as bytes.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
}

fn holds(bytes: &[u8], nonce: &str) -> bool {
    bytes
        .windows(nonce.len())
        .any(|window| window == nonce.as_bytes())
}

/// Asks for everything that can be asked for, while calls wait: the answers.
fn looks(
    editor: &mut countersign_test_support::lsp::Editor,
    world: &World,
    id: &str,
) -> Vec<Value> {
    let document = "countersign:/session/claude-code/s1";
    let file = uri(&world.workspace_file());
    let mut answers = Vec::new();
    for (method, parameters) in [
        ("countersign/status", Value::Null),
        ("countersign/sessions", Value::Null),
        ("countersign/explain", json!({ "id": id })),
        ("countersign/journal", json!({ "limit": 1_000 })),
        ("workspace/textDocumentContent", json!({ "uri": document })),
    ] {
        answers.push(editor.request(method, parameters));
    }
    // Refused to an editor that draws nothing of ours.
    answers.extend(editor.try_request("countersign/call", json!({ "id": id })));
    for uri in [document, file.as_str()] {
        let everywhere = json!({
            "start": { "line": 0, "character": 0 },
            "end": { "line": 200, "character": 0 },
        });
        let document = json!({ "uri": uri });
        answers.push(editor.request(
            "textDocument/codeAction",
            json!({ "textDocument": document, "range": everywhere, "context": { "diagnostics": [] } }),
        ));
        answers.push(editor.request("textDocument/codeLens", json!({ "textDocument": document })));
        for line in 0..30 {
            answers.push(editor.request(
                "textDocument/hover",
                json!({ "textDocument": document, "position": { "line": line, "character": 0 } }),
            ));
        }
    }
    for command in ["explain", "showChange", "showSession"] {
        let arguments = if command == "showSession" {
            json!([{ "agent": "claude-code", "session": "s1" }])
        } else {
            json!([id])
        };
        let run =
            json!({ "command": format!("countersign.server.{command}"), "arguments": arguments });
        answers.extend(editor.try_request("workspace/executeCommand", run));
    }
    answers
}

fn session(declaration: Option<Value>) {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    world.file("notes.txt", "one\ntwo\n");
    let mut editor = world.start();
    editor.behave(PROMPT, Behaviour::NeverAnswers);
    editor.behave("window/showDocument", Behaviour::AnswersNull);
    let capabilities = match &declaration {
        Some(declaration) => json!({ "experimental": {
            "countersign": declaration,
            "serverStatusNotification": true,
        }}),
        None => json!({ "experimental": { "serverStatusNotification": true } }),
    };
    world.initialize(&mut editor, json!({ "capabilities": capabilities }));
    let mut nonces: BTreeSet<String> = BTreeSet::new();
    let mut answers = Vec::new();
    let mut hooks: Vec<Hook> = Vec::new();
    for n in 0..3 {
        world.bash("s1", &format!("git push origin v{n}")).outcome();
    }
    for round in 0..6 {
        hooks.push(world.bash("s1", &format!("git push origin w{round}")));
        let write =
            json!({ "file_path": world.workspace.join("Makefile"), "content": format!("{round}") });
        hooks.push(world.tool("s1", "Write", write));
        eventually("two approvals", || world.service.pending().len() == 2);
        for pending in world.service.pending() {
            nonces.insert(pending.nonce.reveal().to_owned());
            answers.extend(looks(&mut editor, &world, &pending.id));
            let end = match round {
                0 => "deny",
                _ => "dismiss",
            };
            if declaration.is_some() {
                let approval = json!({ "id": pending.id, "nonce": pending.nonce.reveal() });
                let wrong = json!({ "id": pending.id, "nonce": "0" });
                let refused = editor
                    .try_request("countersign/resolveApproval", answer(&wrong, "approve"))
                    .unwrap_err();
                answers.push(json!(refused.message));
                answers.push(editor.request("countersign/resolveApproval", answer(&approval, end)));
            } else {
                let deny =
                    json!({ "command": "countersign.server.deny", "arguments": [pending.id] });
                answers.push(editor.request("workspace/executeCommand", deny));
            }
            let id = pending.id.clone();
            eventually("the end", || world.service.pending_of(&id).is_none());
            answers.push(editor.request("countersign/explain", json!({ "id": id })));
        }
        world.user_message("s1");
    }
    for hook in hooks {
        assert_eq!(hook.outcome().decision, "block");
    }
    answers.push(editor.request("countersign/journal", json!({ "limit": 1_000 })));
    answers.push(editor.request("shutdown", Value::Null));
    assert_eq!(nonces.len(), 12);

    let mut told = editor.unread();
    let mut shown = 0;
    told.retain(|message| {
        let asked = message["method"] == "countersign/approvalRequested";
        shown += usize::from(asked);
        !asked
    });
    assert_eq!(shown, if declaration.is_some() { 12 } else { 0 });
    assert!(told.len() > 12, "much was told");
    let prompts = if declaration.is_some() {
        Vec::new()
    } else {
        editor.behaved(PROMPT, 1)
    };
    told.extend(prompts.into_iter().map(|(_, params)| params));
    told.extend(answers);
    let mut stored = Vec::new();
    files(world.places.home.as_std_path(), &mut stored);
    assert!(stored.len() >= 2, "state and settings");
    for nonce in &nonces {
        for message in &told {
            assert!(!message.to_string().contains(nonce.as_str()), "{message}");
        }
        for (path, bytes) in &stored {
            assert!(!holds(bytes, nonce), "a nonce is in {path}");
        }
    }
    for method in [
        "textDocument/publishDiagnostics",
        "countersign/status",
        "countersign/approvalRequested",
        "countersign/approvalResolved",
        "experimental/serverStatus",
        "window/showMessage",
    ] {
        editor.allow(method);
    }
}

#[test]
fn an_editor_with_our_extension_gets_nonces_with_approvals_only() {
    session(Some(json!({ "kind": "vscode", "documents": true })));
}

#[test]
fn an_editor_without_anything_of_ours_gets_no_nonce_at_all() {
    session(None);
}
