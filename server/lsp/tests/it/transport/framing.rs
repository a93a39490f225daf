//! Messages of the wrong length, and headers of all kinds.

use countersign_lsp::ServeEnd;
use serde_json::json;

use super::dummy::{editor, ping};

const MIB: usize = 1024 * 1024;

const PING: &str = r#"{"jsonrpc":"2.0","id":"p","method":"x/ping"}"#;

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend(body);
    bytes
}

fn padded_ping(length: usize) -> Vec<u8> {
    let mut body = PING.as_bytes().to_vec();
    body.resize(length, b' ');
    framed(&body)
}

/// Upstream buffers any length that a header announces.
#[test]
fn a_message_over_8_mib_is_skipped() {
    let (mut editor, _running, _log) = editor();
    editor.send_raw(&padded_ping(8 * MIB));
    assert_eq!(editor.response("p"), Ok(json!("pong")));
    for length in [8 * MIB + 1, 20 * MIB] {
        editor.send_raw(&padded_ping(length));
        ping(&mut editor);
    }
    assert_eq!(editor.unread(), Vec::<serde_json::Value>::new());
}

/// Upstream knows two headers of exactly one spelling, at most two of them, and
/// ends serving where a charset is missing.
#[test]
fn headers_are_read_with_tolerance() {
    let (mut editor, _running, _log) = editor();
    let length = PING.len();
    for header in [
        format!("content-length:{length}\r\n\r\n"),
        format!("CONTENT-LENGTH : {length} \r\n\r\n"),
        format!("Content-Length: {length}\n\n"),
        format!("Content-Type: application/vscode-jsonrpc\r\nContent-Length: {length}\r\n\r\n"),
        format!(
            "Content-Length: {length}\r\nContent-Type: application/vscode-jsonrpc; \
             charset=utf-8\r\nX-One: 1\r\nX-Two: 2\r\nno header at all\r\n\r\n"
        ),
    ] {
        editor.send_raw(header.as_bytes());
        editor.send_raw(PING.as_bytes());
        assert_eq!(editor.response("p"), Ok(json!("pong")), "{header:?}");
    }
}

#[test]
fn a_message_in_small_pieces_is_put_together() {
    let (mut editor, _running, _log) = editor();
    for byte in framed(PING.as_bytes()) {
        editor.send_raw(&[byte]);
    }
    assert_eq!(editor.response("p"), Ok(json!("pong")));
}

/// Where the next message begins is not known then.
#[test]
fn a_header_without_a_valid_length_ends_serving_with_the_reason() {
    for (header, reason) in [
        ("\r\n", "no Content-Length"),
        ("X: 1\r\n\r\n", "no Content-Length"),
        ("{\"jsonrpc\":\"2.0\"}\r\n\r\n", "no Content-Length"),
        ("Content-Length: \r\n\r\n", "\"\""),
        ("Content-Length: -1\r\n\r\n", "\"-1\""),
        ("Content-Length: +5\r\n\r\n", "\"+5\""),
        ("Content-Length: 0x10\r\n\r\n", "\"0x10\""),
        ("Content-Length: 5, 5\r\n\r\n", "\"5, 5\""),
        ("Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "\"6\""),
        ("Content-Length: 1073741825\r\n\r\n", "1073741825"),
        (
            "Content-Length: 99999999999999999999\r\n\r\n",
            "99999999999999999999",
        ),
    ] {
        let (editor, running, _log) = editor();
        editor.send_raw(header.as_bytes());
        let end = running.end();
        let ServeEnd::Failed(problem) = &end else {
            panic!("{header:?} ends with {end:?}");
        };
        assert!(problem.contains(reason), "{header:?}: {problem}");
    }
}

#[test]
fn a_header_block_over_8_kib_ends_serving_with_the_reason() {
    for block in ["X".repeat(9000), "X: 1\r\n".repeat(2000)] {
        let (editor, running, _log) = editor();
        editor.send_raw(block.as_bytes());
        let end = running.end();
        assert!(
            matches!(&end, ServeEnd::Failed(problem) if problem.contains("8192 bytes")),
            "{end:?}"
        );
    }
}
