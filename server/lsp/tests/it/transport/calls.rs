//! Handlers that panic, park, block or are cancelled.

use serde_json::{Value, json};

use super::dummy::{connect, editor, ping, prompts};

const INTERNAL_ERROR: i64 = -32603;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const REQUEST_CANCELLED: i64 = -32800;
const REQUEST_FAILED: i64 = -32803;
const NOT_INITIALIZED: i64 = -32002;

/// E: upstream's whole serve task dies, because all handlers run in it.
#[test]
fn a_handler_that_panics_answers_with_an_error_and_the_server_goes_on() {
    let (mut editor, _running, _log) = editor();
    for method in ["x/boom", "x/boomLater"] {
        let error = editor.try_request(method, Value::Null).unwrap_err();
        assert_eq!(error.code, INTERNAL_ERROR);
        assert!(error.message.contains(method), "{error:?}");
        ping(&mut editor);
    }
    editor.notify("x/boomTold", Value::Null);
    ping(&mut editor);
}

/// Upstream holds the request for running and refuses another of its id.
#[test]
fn the_id_of_a_request_that_panicked_can_be_used_again() {
    let (mut editor, _running, _log) = editor();
    for method in ["x/boom", "x/boomLater"] {
        editor.send(&json!({ "jsonrpc": "2.0", "id": "again", "method": method }));
        assert_eq!(editor.response("again").unwrap_err().code, INTERNAL_ERROR);
        editor.send(&json!({ "jsonrpc": "2.0", "id": "again", "method": "x/ping" }));
        assert_eq!(editor.response("again"), Ok(json!("pong")));
    }
}

/// C and C': with four handlers parked, upstream answers nothing else and does
/// not see the cancellation either.
#[test]
fn parked_handlers_hold_up_neither_other_requests_nor_their_cancellation() {
    let (mut editor, _running, log) = editor();
    let parked: Vec<i64> = (0..8)
        .map(|_| editor.begin_request("x/park", Value::Null))
        .collect();
    ping(&mut editor);
    log.wait_for("parked", 8);
    editor.notify("$/cancelRequest", json!({ "id": parked[0] }));
    let error = editor.response(parked[0]).unwrap_err();
    assert_eq!(error.code, REQUEST_CANCELLED);
    editor.notify("x/goOn", Value::Null);
    for id in &parked[1..] {
        assert_eq!(editor.response(*id), Ok(json!("went on")));
    }
}

/// D: upstream deadlocks for ever: its reader waits for a place in the queue of
/// handlers and does not read the answers that they wait for.
#[test]
fn handlers_that_wait_for_prompts_get_their_answers_through_a_flood() {
    let (mut editor, _running, log) = editor();
    let parked: Vec<i64> = (0..32)
        .map(|_| editor.begin_request("x/askAndPark", Value::Null))
        .collect();
    let prompts = prompts(&mut editor, 32);
    editor.flood("file:///a", 500);
    for id in &prompts {
        editor.answer(id, json!({ "title": "Allow" }));
    }
    for id in parked {
        assert_eq!(editor.response(id), Ok(json!("Allow")));
    }
    log.wait_for("change 500", 1);
}

/// A, as far as it can be kept for handlers that await.
#[test]
fn handlers_begin_in_the_order_of_the_messages() {
    let (mut editor, _running, log) = editor();
    editor.flood("file:///a", 2000);
    ping(&mut editor);
    let changes: Vec<String> = (1..=2000)
        .map(|version| format!("change {version}"))
        .collect();
    assert_eq!(log.lines()[1..], changes);
}

#[test]
fn beyond_64_unfinished_requests_further_ones_are_refused() {
    let (mut editor, _running, log) = editor();
    let parked: Vec<i64> = (0..64)
        .map(|_| editor.begin_request("x/park", Value::Null))
        .collect();
    let error = editor.try_request("x/ping", Value::Null).unwrap_err();
    assert_eq!(error.code, REQUEST_FAILED, "{error:?}");
    log.wait_for("parked", 64);
    editor.notify("x/goOn", Value::Null);
    for id in parked {
        assert_eq!(editor.response(id), Ok(json!("went on")));
    }
    ping(&mut editor);
}

#[test]
fn a_second_request_of_an_id_that_is_running_is_refused() {
    let (mut editor, _running, log) = editor();
    editor.send(&json!({ "jsonrpc": "2.0", "id": "twin", "method": "x/park" }));
    log.wait_for("parked", 1);
    editor.send(&json!({ "jsonrpc": "2.0", "id": "twin", "method": "x/ping" }));
    assert_eq!(editor.response("twin").unwrap_err().code, INVALID_REQUEST);
    editor.notify("x/goOn", Value::Null);
    assert_eq!(editor.response("twin"), Ok(json!("went on")));
}

#[test]
fn requests_before_initialize_are_refused_and_notifications_ignored() {
    let (mut editor, _running, log, _) = connect();
    editor.flood("file:///a", 3);
    for method in ["x/ping", "shutdown"] {
        let error = editor.try_request(method, Value::Null).unwrap_err();
        assert_eq!(error.code, NOT_INITIALIZED, "{method}");
    }
    editor.initialize(json!({}));
    ping(&mut editor);
    assert_eq!(log.lines(), ["initialize"]);
}

/// Upstream runs a second handler while the first has not finished.
#[test]
fn a_second_initialize_is_refused_also_while_the_first_is_under_way() {
    let (mut editor, _running, log, go_on) = connect();
    let parameters = json!({ "capabilities": {}, "initializationOptions": { "slow": true } });
    let first = editor.begin_request("initialize", parameters.clone());
    log.wait_for("initialize", 1);
    let error = editor
        .try_request("initialize", parameters.clone())
        .unwrap_err();
    assert_eq!(error.code, INVALID_REQUEST);
    go_on.notify_waiters();
    editor.response(first).unwrap();
    let error = editor.try_request("initialize", parameters).unwrap_err();
    assert_eq!(error.code, INVALID_REQUEST);
    assert_eq!(log.lines(), ["initialize"]);
}

#[test]
fn an_initialize_that_failed_can_be_repeated() {
    let (mut editor, _running, _log, _) = connect();
    editor.try_request("initialize", json!([1])).unwrap_err();
    editor.initialize(json!({}));
    ping(&mut editor);
}

/// Upstream never answers a request for an unknown method in `$/`.
#[test]
fn unknown_requests_are_answered_and_unknown_notifications_ignored() {
    let (mut editor, _running, _log) = editor();
    for method in ["x/unknown", "$/unknown"] {
        let error = editor.try_request(method, Value::Null).unwrap_err();
        assert_eq!(error.code, METHOD_NOT_FOUND, "{method}");
        editor.notify(method, json!({}));
    }
    // A request of a notification, and a notification of a request.
    let error = editor.try_request("x/goOn", Value::Null).unwrap_err();
    assert_eq!(error.code, INVALID_REQUEST);
    editor.notify("x/ping", Value::Null);
    editor.notify("initialize", json!({ "capabilities": {} }));
    ping(&mut editor);
}
