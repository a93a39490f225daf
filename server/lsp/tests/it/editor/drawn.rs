//! What an editor draws: diagnostics at their places, status, actions, lenses,
//! hovers and documents, over the wire.

use countersign_test_support::lsp::PROMPT;
use serde_json::{Value, json};

use super::screen::{NOT_FOUND, Screen};
use super::world::{Setup, World, block, eventually, uri};

const DOCUMENT: &str = "countersign:/session/claude-code/s1";

fn has_code(diagnostics: &[Value], code: &str) -> bool {
    diagnostics.iter().any(|one| one["code"] == code)
}

fn actions(screen: &mut Screen, uri: &str, line: u64) -> Vec<Value> {
    let at = json!({ "line": line, "character": 0 });
    let result = screen.request(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri },
            "range": { "start": at, "end": at },
            "context": { "diagnostics": [] },
        }),
    );
    result.as_array().unwrap().clone()
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions
        .iter()
        .map(|action| action["title"].as_str().unwrap())
        .collect()
}

/// Runs the command of the action of this title.
fn run(screen: &mut Screen, actions: &[Value], title: &str) -> Value {
    let action = actions
        .iter()
        .find(|action| action["title"] == title)
        .unwrap();
    let command = &action["command"];
    screen.request(
        "workspace/executeCommand",
        json!({ "command": command["command"], "arguments": command["arguments"] }),
    )
}

fn hover(screen: &mut Screen, uri: &str, line: u64, character: u64) -> String {
    let hover = screen.request(
        "textDocument/hover",
        json!({
            "textDocument": { "uri": uri },
            "position": { "line": line, "character": character },
        }),
    );
    hover["contents"]["value"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn an_edit_that_waits_is_shown_where_it_would_change_the_file_until_it_is_answered() {
    for plain in [false, true] {
        let world = World::new(Setup::default());
        let path = world.file("src/vines.rs", "one\ntwo\nthree\nfour\n");
        let mut screen = if plain { world.plain() } else { world.vscode() };
        let edit = json!({ "file_path": path, "old_string": "three", "new_string": "3" });
        let hook = world.tool("s1", "Edit", edit);
        let shown = screen.diagnostics(&uri(&path), |all| !all.is_empty());
        assert_eq!(shown.len(), 1);
        assert_eq!(
            shown[0]["range"]["start"],
            json!({ "line": 2, "character": 0 })
        );
        assert_eq!(shown[0]["range"]["end"]["line"], 2);
        assert_eq!(shown[0]["source"], "countersign");
        assert_eq!(shown[0]["code"], "approval_mode");
        let offered = actions(&mut screen, &uri(&path), 2);
        assert_eq!(offered[0]["title"], "Deny");
        assert!(titles(&offered).contains(&"Show proposed change"));
        assert!(hover(&mut screen, &uri(&path), 2, 0).contains("three"));
        run(&mut screen, &offered, "Deny");
        assert_eq!(hook.said(), "block person");
        // The block is news until the user speaks.
        world.user_message("s1");
        screen.diagnostics(&uri(&path), <[Value]>::is_empty);
        assert_eq!(actions(&mut screen, &uri(&path), 2), Vec::<Value>::new());
        screen.allow(PROMPT);
        screen.allow("countersign/approvalRequested");
        screen.allow("countersign/approvalResolved");
    }
}

#[test]
fn a_command_that_waits_is_shown_in_its_session_s_document_where_that_is_shown() {
    let world = World::new(Setup::default());
    let declared = json!({ "kind": "vscode", "documents": true });
    let mut screen = world.connect_to_diagnostics(json!({
        "capabilities": { "experimental": { "countersign": declared } },
    }));
    let hook = world.bash("s1", "git push");
    let approval = screen.approval();
    let shown = screen.diagnostics(DOCUMENT, |all| !all.is_empty());
    assert_eq!(shown[0]["code"], "approval_mode");
    assert!(shown[0]["message"].as_str().unwrap().contains("git push"));
    let line = shown[0]["range"]["start"]["line"].as_u64().unwrap();
    let text = screen.request("workspace/textDocumentContent", json!({ "uri": DOCUMENT }));
    let text = text["text"].as_str().unwrap().to_owned();
    let heading = text.lines().nth(usize::try_from(line).unwrap()).unwrap();
    assert!(heading.contains("run_shell_command"), "{heading}");
    assert!(text.contains("git push") && text.contains("Waiting for you: 1"));
    screen.choose(&approval, "approve");
    assert_eq!(hook.said(), "allow approval");
    screen.diagnostics(DOCUMENT, <[Value]>::is_empty);
    assert_eq!(
        screen.other_diagnostics(),
        Vec::<Value>::new(),
        "no file has to do with it"
    );
}

#[test]
fn a_command_that_waits_is_shown_in_the_settings_file_to_an_editor_that_shows_only_files() {
    let world = World::new(Setup::default());
    let mut screen = world.connect_to_diagnostics(json!({ "capabilities": {} }));
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    let file = uri(&world.workspace_file());
    let shown = screen.diagnostics(&file, |all| !all.is_empty());
    assert!(shown[0]["message"].as_str().unwrap().contains("git push"));
    let line = shown[0]["range"]["start"]["line"].as_u64().unwrap();
    let offered = actions(&mut screen, &file, line);
    assert_eq!(
        titles(&offered),
        [
            "Deny",
            "Approve once",
            "Approve and remember `Bash(git push)`",
            "Explain"
        ]
    );
    assert_eq!(run(&mut screen, &offered, "Approve once"), Value::Null);
    let again = screen.prompt();
    assert_eq!(again.text, prompt.text, "the action opens the prompt");
    assert_eq!(
        screen.approve(again, "Approve once", hook).said(),
        "allow approval"
    );
    screen.diagnostics(&file, <[Value]>::is_empty);
    assert_eq!(screen.other_diagnostics(), Vec::<Value>::new());
}

#[test]
fn a_denial_from_a_code_action_is_at_once() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    screen.prompt();
    let file = uri(&world.workspace_file());
    let shown = screen.diagnostics(&file, |all| !all.is_empty());
    let line = shown[0]["range"]["start"]["line"].as_u64().unwrap();
    let offered = actions(&mut screen, &file, line);
    run(&mut screen, &offered, "Deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_plain_neovim_sees_a_waiting_command_in_both_places() {
    let world = World::new(Setup::default());
    let mut screen = world.plain_with(json!({
        "capabilities": {},
        "clientInfo": { "name": "Neovim", "version": "0.11" },
    }));
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    screen.diagnostics(DOCUMENT, |all| !all.is_empty());
    screen.diagnostics(&uri(&world.workspace_file()), |all| !all.is_empty());
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_denied_call_is_shown_with_the_counters_and_can_be_granted_from_there() {
    let world = World::new(Setup::judged(vec![block()]));
    let mut screen = world.plain();
    assert_eq!(
        world.bash("s1", "git push").said(),
        "block classifier_blocked"
    );
    let file = uri(&world.workspace_file());
    let shown = screen.diagnostics(&file, |all| {
        has_code(all, "classifier_blocked") && has_code(all, "denial_counters")
    });
    let counters = shown
        .iter()
        .find(|one| one["code"] == "denial_counters")
        .unwrap();
    assert_eq!(counters["severity"], 3, "an information");
    let line = shown[0]["range"]["start"]["line"].as_u64().unwrap();
    let offered = actions(&mut screen, &file, line);
    assert_eq!(titles(&offered), ["Explain", "Allow this exact call once"]);
    run(&mut screen, &offered, "Allow this exact call once");
    let prompt = screen.prompt();
    screen.click(&prompt, "No");
    // After the user's next message it is no news any more; the counters stay.
    world.user_message("s1");
    screen.diagnostics(&file, |all| {
        !has_code(all, "classifier_blocked") && has_code(all, "denial_counters")
    });
}

#[test]
fn rules_that_are_malformed_or_over_broad_are_shown_in_their_file_until_mended() {
    let text = "{\n  \"permissions\": {\n    \"allow\": [\n      \"Bash(npm run *)\"\n    ],\n    \"deny\": [\n      \"Bash(git push\"\n    ]\n  }\n}\n";
    let world = World::new(Setup {
        user: Some(text.to_owned()),
        ..Setup::default()
    });
    let mut screen = world.plain();
    let file = uri(&world.places.user_file());
    let shown = screen.diagnostics(&file, |all| all.len() == 2);
    let malformed = shown
        .iter()
        .find(|one| one["code"] == "rule_malformed")
        .unwrap();
    assert_eq!(malformed["range"]["start"]["line"], 6);
    assert_eq!(malformed["severity"], 1);
    let broad = shown
        .iter()
        .find(|one| one["code"] == "over_broad_rule")
        .unwrap();
    assert_eq!(broad["range"]["start"]["line"], 3);
    assert_eq!(broad["severity"], 2);
    assert!(hover(&mut screen, &file, 3, 8).contains("npm run"));
    std::fs::write(world.places.user_file(), "{}").unwrap();
    screen.notify(
        "textDocument/didSave",
        json!({ "textDocument": { "uri": file } }),
    );
    screen.diagnostics(&file, <[Value]>::is_empty);
}

#[test]
fn a_settings_file_that_is_broken_is_shown_with_its_place() {
    let world = World::new(Setup {
        workspace: Some("{\n  \"permissions\": nonsense\n}\n".to_owned()),
        ..Setup::default()
    });
    let mut screen = world.plain();
    let shown = screen.diagnostics(&uri(&world.workspace_file()), |all| !all.is_empty());
    assert_eq!(shown[0]["range"]["start"]["line"], 1);
    assert_eq!(shown[0]["severity"], 1);
}

#[test]
fn the_lens_of_a_rule_says_how_often_it_matched() {
    let text =
        "{\n  \"permissions\": {\n    \"allow\": [\n      \"Bash(git status)\"\n    ]\n  }\n}\n";
    let world = World::new(Setup {
        user: Some(text.to_owned()),
        ..Setup::default()
    });
    let mut screen = world.plain();
    let parameters = json!({ "textDocument": { "uri": uri(&world.places.user_file()) } });
    for _ in 0..3 {
        assert_eq!(world.bash("s1", "git status").said(), "allow rule");
    }
    eventually("the lens", || {
        let lenses = screen.request("textDocument/codeLens", parameters.clone());
        let lens = &lenses[0];
        lens["range"]["start"]["line"] == 3
            && lens["command"]["title"]
                .as_str()
                .is_some_and(|title| title.contains("matched 3 times"))
    });
}

#[test]
fn the_lenses_of_a_session_s_document_reset_counters_and_lead_to_what_waits() {
    let world = World::new(Setup::judged(vec![block(), block(), block()]));
    let mut screen = world.vscode();
    for n in 0..3 {
        world.bash("s1", &format!("git push origin v{n}")).outcome();
    }
    let hook = world.bash("s1", "git fetch");
    let approval = screen.approval();
    let lenses = screen.request(
        "textDocument/codeLens",
        json!({ "textDocument": { "uri": DOCUMENT } }),
    );
    let commands: Vec<&str> = lenses
        .as_array()
        .unwrap()
        .iter()
        .map(|lens| lens["command"]["command"].as_str().unwrap())
        .collect();
    assert!(
        commands.contains(&"countersign.server.resetCounters"),
        "{commands:?}"
    );
    assert!(
        commands.contains(&"countersign.server.approve"),
        "{commands:?}"
    );
    assert!(
        commands.contains(&"countersign.server.deny"),
        "{commands:?}"
    );
    screen.choose(&approval, "deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn a_document_that_is_none_is_refused() {
    let world = World::new(Setup::default());
    let mut screen = world.vscode();
    let unknown = json!({ "uri": "countersign:/session/claude-code/nobody" });
    let text = screen.request("workspace/textDocumentContent", unknown);
    assert!(text["text"].as_str().unwrap().contains("not known"));
    for uri in [
        "file:///etc/passwd",
        "countersign:/elsewhere",
        "countersign:/session/nobody/x",
    ] {
        let refused = screen.try_request("workspace/textDocumentContent", json!({ "uri": uri }));
        assert_eq!(refused.unwrap_err().code, NOT_FOUND, "{uri}");
    }
    let refused = screen.try_request("workspace/textDocumentContent", json!({ "uri": "%%" }));
    assert_eq!(refused.unwrap_err().code, -32_602);
}
