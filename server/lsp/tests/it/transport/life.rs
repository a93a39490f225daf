//! How serving ends.

use countersign_lsp::ServeEnd;
use serde_json::{Value, json};

use super::dummy::{connect, editor, ping};

fn exit(after_shutdown: bool) -> ServeEnd {
    ServeEnd::Exit { after_shutdown }
}

/// Upstream notices `exit` with the next message, or the end of the input.
#[test]
fn exit_after_shutdown_ends_serving_though_the_input_stays_open() {
    let (mut editor, running, _log) = editor();
    editor.shut_down_and_exit();
    assert_eq!(running.end(), exit(true));
}

#[test]
fn exit_without_shutdown_says_so() {
    let (editor, running, _log) = editor();
    editor.notify("exit", Value::Null);
    assert_eq!(running.end(), exit(false));

    // A shutdown that was refused is none.
    let (mut editor, running, _log, _) = connect();
    editor.try_request("shutdown", Value::Null).unwrap_err();
    editor.notify("exit", Value::Null);
    assert_eq!(running.end(), exit(false));
}

#[test]
fn exit_right_behind_shutdown_lets_the_answer_out() {
    let (mut editor, running, _log) = editor();
    let shutdown = editor.begin_request("shutdown", Value::Null);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.response(shutdown), Ok(Value::Null));
    assert_eq!(running.end(), exit(true));
}

#[test]
fn a_busy_server_can_be_shut_down() {
    let (mut editor, running, log) = editor();
    for _ in 0..64 {
        editor.begin_request("x/park", Value::Null);
    }
    log.wait_for("parked", 64);
    editor.shut_down_and_exit();
    assert_eq!(running.end(), exit(true));
}

#[test]
fn after_shutdown_requests_are_refused() {
    let (mut editor, _running, _log) = editor();
    editor.request("shutdown", Value::Null);
    for method in ["x/ping", "shutdown", "initialize"] {
        let error = editor
            .try_request(method, json!({ "capabilities": {} }))
            .unwrap_err();
        assert_eq!(error.code, -32600, "{method}");
    }
}

#[test]
fn the_end_of_the_input_ends_serving_and_lets_answers_out() {
    let (mut editor, running, _log) = editor();
    let pings: Vec<i64> = (0..100)
        .map(|_| editor.begin_request("x/ping", Value::Null))
        .collect();
    editor.close_input();
    for id in pings {
        assert_eq!(editor.response(id), Ok(json!("pong")));
    }
    assert_eq!(running.end(), ServeEnd::InputEnded);
}

#[test]
fn the_end_inside_of_a_message_ends_serving() {
    for part in [
        "Content-Len",
        "Content-Length: 20\r\n",
        "Content-Length: 20\r\n\r\n{",
    ] {
        let (mut editor, running, _log) = editor();
        ping(&mut editor);
        editor.send_raw(part.as_bytes());
        editor.close_input();
        assert_eq!(running.end(), ServeEnd::InputEnded, "{part:?}");
    }
}

#[test]
fn a_handler_that_never_finishes_does_not_keep_the_server() {
    let (mut editor, running, log) = editor();
    editor.begin_request("x/park", Value::Null);
    log.wait_for("parked", 1);
    editor.close_input();
    assert_eq!(running.end(), ServeEnd::InputEnded);
}
