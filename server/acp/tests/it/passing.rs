//! What passes, passes as it is.

use countersign_core::agent::Agent;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Stage, request};

/// Any JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~\u{a0}-\u{2ff}\u{2028}\u{1f600}]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

/// A message that is nobody's business but the other side's, as it may be
/// written.
fn any_message() -> impl Strategy<Value = String> {
    let method = prop_oneof![
        Just("session/update".to_owned()),
        Just("terminal/output".to_owned()),
        "_[a-z]{1,8}/[a-z]{1,8}",
    ];
    let blanks = "[ \t]{0,3}";
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    (
        method,
        any_json(),
        any::<bool>(),
        blanks,
        end,
        any::<bool>(),
    )
        .prop_map(|(method, inside, is_pretty, blanks, end, has_odd)| {
            let params = json!({ "sessionId": "s", "inside": inside }).to_string();
            let params = if is_pretty {
                params.replacen(':', " :\t", 1)
            } else {
                params
            };
            // What not every parser can hold passes all the same.
            let odd = if has_odd {
                r#","odd":["\ud83d",1e999,-0.0]"#
            } else {
                ""
            };
            format!("{blanks}{{\"params\":{params}{odd},\"method\":\"{method}\"}}{blanks}{end}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_byte_that_is_not_checked_arrives_in_both_directions(
        messages in prop::collection::vec(any_message(), 1..12),
        cuts in prop::collection::vec(1_usize..80, 1..8),
        room in 16_usize..512,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Stage { mut agent, mut client, .. } = Stage::with(Agent::Generic, true, room);
            let whole = messages.concat().into_bytes();
            for is_agent in [true, false] {
                let (from, to) = if is_agent { (&mut agent, &mut client) } else { (&mut client, &mut agent) };
                let says = async {
                    let mut rest = whole.as_slice();
                    for cut in cuts.iter().cycle() {
                        let (now, later) = rest.split_at(rest.len().min(*cut));
                        from.says_bytes(now).await;
                        rest = later;
                        if rest.is_empty() {
                            break;
                        }
                    }
                };
                let hears = async {
                    for message in &messages {
                        assert_eq!(to.hears_line().await.as_ref(), Some(message));
                    }
                };
                tokio::join!(says, hears);
            }
        });
    }
}

#[tokio::test]
async fn who_is_not_read_is_not_read_from() {
    let mut stage = Stage::with(Agent::Generic, true, 1024);
    let text = "x".repeat(100 * 1024);
    let message = json!({ "jsonrpc": "2.0", "method": "_much", "params": { "text": text } });
    let mut said = 0;
    // The proxy holds a few megabytes at most for a client that does not read.
    loop {
        let says = stage.agent.says(message.clone());
        match tokio::time::timeout(std::time::Duration::from_millis(300), says).await {
            Ok(()) => said += 1,
            Err(_) => break,
        }
        assert!(said < 200, "the proxy reads on and on");
    }
    // The other direction is not held up by that.
    let mark = json!({ "jsonrpc": "2.0", "method": "_mark", "params": {} });
    stage.client.says(mark.clone()).await;
    assert_eq!(stage.agent.hears().await, mark);
    for _ in 0..said {
        assert_eq!(stage.client.hears().await, message);
    }
}

#[tokio::test]
async fn answers_find_the_requests_that_they_are_to() {
    let mut stage = Stage::new();
    stage.open_session().await;
    // Both sides count for themselves.
    let of_client = request(0, "_client/asks", json!({}));
    let of_agent = request(0, "_agent/asks", json!({}));
    stage.client.says(of_client.clone()).await;
    stage.agent.says(of_agent.clone()).await;
    assert_eq!(stage.agent.hears().await, of_client);
    assert_eq!(stage.client.hears().await, of_agent);
    let by_agent = json!({ "jsonrpc": "2.0", "id": 0, "result": "agent" });
    let by_client =
        json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": 1, "message": "client" } });
    stage.agent.says(by_agent.clone()).await;
    stage.client.says(by_client.clone()).await;
    assert_eq!(stage.client.hears().await, by_agent);
    assert_eq!(stage.agent.hears().await, by_client);
}

#[tokio::test]
async fn what_an_agent_prints_besides_is_no_message() {
    let mut stage = Stage::new();
    stage
        .agent
        .says_bytes(b"Loaded 3 plugins\n(node:1) warning\n")
        .await;
    stage.settles().await;
    // A blank line is nothing to anybody, and passes.
    stage.agent.says_bytes(b"\n").await;
    assert_eq!(stage.client.hears_line().await.as_deref(), Some("\n"));
}
