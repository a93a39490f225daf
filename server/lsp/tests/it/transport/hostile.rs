//! What is no message, and what is too much.

use countersign_test_support::lsp::{Editor, PROMPT};
use serde_json::{Value, json};

use super::dummy::{editor, ping};

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;

fn send_body(editor: &Editor, body: &[u8]) {
    editor.send_raw(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    editor.send_raw(body);
}

/// Upstream answers the first of these, and then serves nothing more: its
/// framing ends after an error. At invalid UTF-8 it does not even go past it.
#[test]
fn a_body_that_is_not_json_is_answered_and_serving_goes_on() {
    let (mut editor, _running, _log) = editor();
    let nested = "[".repeat(100_000);
    for body in [
        b"" as &[u8],
        b"{",
        b"hello",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x/ping\"} {}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x/\xff\xfe\"}",
        b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x/ping\"}",
        b"\0\0\0\0",
        nested.as_bytes(),
    ] {
        send_body(&editor, body);
        let error = editor.response(Value::Null).unwrap_err();
        assert_eq!(error.code, PARSE_ERROR, "{body:?}");
        ping(&mut editor);
    }
}

#[test]
fn json_that_is_no_message_is_answered_and_serving_goes_on() {
    let (mut editor, _running, _log) = editor();
    let request = json!({ "jsonrpc": "2.0", "id": 900, "method": "x/ping" });
    for (message, id) in [
        (json!({}), Value::Null),
        (json!(null), Value::Null),
        (json!("x/ping"), Value::Null),
        (json!([]), Value::Null),
        (json!([request, request]), Value::Null),
        (json!({ "jsonrpc": "2.0" }), Value::Null),
        (json!({ "id": 901, "method": "x/ping" }), json!(901)),
        (
            json!({ "jsonrpc": "1.0", "id": 902, "method": "x/ping" }),
            json!(902),
        ),
        (
            json!({ "jsonrpc": "2.0", "id": 903, "method": 7 }),
            json!(903),
        ),
        (
            json!({ "jsonrpc": "2.0", "id": 1.5, "method": "x/ping" }),
            Value::Null,
        ),
        (
            json!({ "jsonrpc": "2.0", "id": [1], "method": "x/ping" }),
            Value::Null,
        ),
        (
            json!({ "jsonrpc": "2.0", "id": {}, "method": "x/ping" }),
            Value::Null,
        ),
    ] {
        editor.send(&message);
        let error = editor.response(id).unwrap_err();
        assert_eq!(error.code, INVALID_REQUEST, "{message}");
        ping(&mut editor);
    }
}

#[test]
fn odd_ids_are_given_back_as_they_came() {
    let (mut editor, _running, _log) = editor();
    for id in [
        Value::Null,
        json!(""),
        json!(-1),
        json!(i64::MAX),
        json!("\u{0}\u{202e}"),
        json!("i".repeat(100_000)),
    ] {
        editor.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "x/ping" }));
        assert_eq!(editor.response(id), Ok(json!("pong")));
    }
}

#[test]
fn parameters_of_the_wrong_shape_are_refused() {
    let (mut editor, _running, log) = editor();
    for parameters in [json!({}), json!([]), json!("many"), json!(-1), json!(1e30)] {
        let error = editor.try_request("x/shout", parameters).unwrap_err();
        assert_eq!(error.code, -32602, "{error:?}");
    }
    editor.notify("textDocument/didChange", json!({ "textDocument": 7 }));
    editor.notify("$/cancelRequest", json!({ "id": i64::MAX }));
    editor.notify("$/cancelRequest", json!({ "id": null }));
    editor.notify("$/cancelRequest", Value::Null);
    ping(&mut editor);
    assert_eq!(log.lines(), ["initialize"]);
}

#[test]
fn an_editor_that_writes_a_lot_before_it_reads_gets_every_answer() {
    let (mut editor, _running, _log) = editor();
    editor.stop_reading();
    let pings: Vec<i64> = (0..20_000)
        .map(|_| editor.begin_request("x/ping", Value::Null))
        .collect();
    editor.read_on();
    for id in pings {
        assert_eq!(editor.response(id), Ok(json!("pong")));
    }
}

/// Upstream queues them without a bound.
#[test]
fn an_editor_that_does_not_read_loses_notifications_and_not_the_server() {
    let (mut editor, _running, log) = editor();
    editor.stop_reading();
    let shouting = editor.begin_request("x/shout", json!(40));
    let pinging = editor.begin_request("x/ping", Value::Null);
    editor.flood("file:///a", 500);
    let asking = editor.begin_request("x/askAndForget", Value::Null);
    log.wait_for("shouted", 1);
    editor.read_on();
    for id in [shouting, pinging, asking] {
        editor.response(id).unwrap();
    }
    editor.expect_request(PROMPT);
    // Of 40 notifications of 1 MiB, 16 MiB can wait, and some are under way.
    let arrived = editor.unread().len();
    assert!((10..30).contains(&arrived), "{arrived} arrived");
    editor.allow("x/shout");
    ping(&mut editor);
}
