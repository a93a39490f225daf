//! Requests of the server, and all that editors make of them.

use countersign_lsp::ServeEnd;
use countersign_test_support::lsp::{Behaviour, PROMPT};
use serde_json::{Value, json};

use super::dummy::{editor, ping, prompts};

const CANCELLED: &str = "error -32802";

/// B: upstream panics with "receiver already dropped" and is gone.
#[test]
fn an_answer_that_comes_when_nobody_waits_any_more_is_harmless() {
    let (mut editor, _running, _log) = editor();
    for method in ["x/askAndForget", "x/askAndDrop"] {
        editor.request(method, Value::Null);
        let prompt = prompts(&mut editor, 1);
        editor.answer(&prompt[0], json!({ "title": "Allow" }));
        ping(&mut editor);
    }
}

/// H: where the handler itself holds the request, upstream drops both and dies of
/// the late answer.
#[test]
fn a_request_can_be_cancelled_while_its_prompt_is_open() {
    let (mut editor, _running, _log) = editor();
    let asking = editor.begin_request("x/askAndPark", Value::Null);
    let prompt = prompts(&mut editor, 1);
    editor.notify("$/cancelRequest", json!({ "id": asking }));
    editor.response(asking).unwrap_err();
    editor.answer(&prompt[0], json!({ "title": "Allow" }));
    ping(&mut editor);
}

/// F and G: that many open prompts, a flood, and late answers.
#[test]
fn open_prompts_and_a_flood_keep_their_order_and_are_all_answered() {
    let (mut editor, _running, log) = editor();
    for _ in 0..32 {
        editor.notify("x/ask", Value::Null);
    }
    let prompts = prompts(&mut editor, 32);
    editor.flood("file:///a", 500);
    for id in prompts.iter().rev() {
        editor.answer(id, json!({ "title": "Allow" }));
    }
    log.wait_for("Allow", 32);
    ping(&mut editor);
    let changes: Vec<String> = log
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("change"))
        .collect();
    let expected: Vec<String> = (1..=500)
        .map(|version| format!("change {version}"))
        .collect();
    assert_eq!(changes, expected);
}

#[test]
fn requests_of_the_server_leave_in_the_order_in_which_they_were_sent() {
    let (mut editor, _running, _log) = editor();
    for _ in 0..50 {
        editor.notify("x/ask", Value::Null);
    }
    let ids: Vec<i64> = prompts(&mut editor, 50)
        .iter()
        .map(|id| id.as_i64().unwrap())
        .collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn what_an_editor_makes_of_a_prompt_is_what_the_server_gets() {
    for (behaviour, noted) in [
        (Behaviour::Chooses("Deny".to_owned()), "Deny"),
        (Behaviour::AnswersNull, "nothing"),
        (Behaviour::HasNoMethod, "error -32601"),
        (Behaviour::AnswersTwice("Deny".to_owned()), "Deny"),
        (Behaviour::FloodsAndChooses("Deny".to_owned()), "Deny"),
    ] {
        let (mut editor, _running, log) = editor();
        editor.behave(PROMPT, behaviour);
        editor.notify("x/ask", Value::Null);
        editor.notify("x/ask", Value::Null);
        log.wait_for(noted, 2);
        ping(&mut editor);
    }
}

#[test]
fn an_editor_that_never_answers_can_still_answer_late() {
    let (mut editor, _running, log) = editor();
    editor.behave("*", Behaviour::NeverAnswers);
    editor.notify("x/ask", Value::Null);
    let (id, _) = editor.behaved(PROMPT, 1).remove(0);
    ping(&mut editor);
    assert_eq!(log.lines(), ["initialize"]);
    editor.answer(&id, json!({ "title": "Allow" }));
    log.wait_for("Allow", 1);
}

#[test]
fn beyond_64_unanswered_requests_the_server_gets_an_error_at_once() {
    let (mut editor, _running, log) = editor();
    for _ in 0..65 {
        editor.notify("x/ask", Value::Null);
    }
    log.wait_for(CANCELLED, 1);
    for id in prompts(&mut editor, 64) {
        editor.answer(&id, Value::Null);
    }
    log.wait_for("nothing", 64);
    editor.notify("x/ask", Value::Null);
    prompts(&mut editor, 1);
}

#[test]
fn when_the_connection_ends_everybody_who_waits_for_an_answer_gets_an_error() {
    let (mut editor, running, log) = editor();
    for _ in 0..3 {
        editor.notify("x/ask", Value::Null);
    }
    prompts(&mut editor, 3);
    editor.close_input();
    assert_eq!(running.end(), ServeEnd::InputEnded);
    log.wait_for(CANCELLED, 3);
}

#[test]
fn an_editor_that_dies_at_a_prompt_ends_serving() {
    let (editor, running, log) = editor();
    editor.behave(PROMPT, Behaviour::Dies);
    editor.notify("x/ask", Value::Null);
    let end = running.end();
    assert!(!matches!(end, ServeEnd::Exit { .. }), "{end:?}");
    log.wait_for(CANCELLED, 1);
}

#[test]
fn answers_to_nothing_are_ignored() {
    let (mut editor, _running, log) = editor();
    editor.answer(&json!(7), json!({ "title": "Allow" }));
    editor.answer(&json!("7"), Value::Null);
    editor.answer_error(&Value::Null, -32600, "what was that?");
    editor.notify("x/ask", Value::Null);
    let prompt = prompts(&mut editor, 1);
    // Not an id that was asked with, though it reads the same.
    editor.answer(&json!(prompt[0].to_string()), json!({ "title": "Allow" }));
    ping(&mut editor);
    assert_eq!(log.lines(), ["initialize"]);
    editor.answer(&prompt[0], json!({ "title": "Deny" }));
    log.wait_for("Deny", 1);
}

/// An answer that is not wholly well-formed chooses nothing. Upstream keeps a
/// prompt open for ever whose answer it cannot decode, and ends serving.
#[test]
fn a_malformed_answer_is_an_error_or_nothing_but_never_a_choice() {
    let chosen = json!({ "title": "Allow" });
    for (answer, noted) in [
        (json!({ "jsonrpc": "2.0" }), "nothing"),
        (json!({ "jsonrpc": "2.0", "error": null }), "nothing"),
        (json!({ "jsonrpc": "2.0", "error": "no" }), "error -32600"),
        (
            json!({ "jsonrpc": "2.0", "error": { "code": 5, "message": "no" }, "result": chosen }),
            "error 5",
        ),
        (json!({ "result": chosen }), "error -32600"),
        (
            json!({ "jsonrpc": "1.0", "result": chosen }),
            "error -32600",
        ),
        (
            json!({ "jsonrpc": "2.0", "result": "Allow" }),
            "error -32700",
        ),
    ] {
        let (mut editor, _running, log) = editor();
        editor.notify("x/ask", Value::Null);
        let mut answer = answer;
        answer["id"] = prompts(&mut editor, 1).remove(0);
        editor.send(&answer);
        log.wait_for(noted, 1);
        ping(&mut editor);
    }
}
