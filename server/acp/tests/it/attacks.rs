//! What an agent may try to get past the proxy.

use countersign_core::agent::Agent;
use countersign_core::state::RecordKind;
use serde_json::json;

use crate::support::{Stage, option, permission, request, update};

/// Says a line and then another message; the client must hear only the other.
async fn never_arrives(stage: &mut Stage, line: &[u8]) {
    stage.agent.says_bytes(line).await;
    let other = json!({ "jsonrpc": "2.0", "method": "_after", "params": {} });
    stage.agent.says(other.clone()).await;
    let heard = stage.client.hears().await;
    assert_eq!(heard, other, "{}", String::from_utf8_lossy(line));
}

#[tokio::test]
async fn nothing_that_can_be_read_in_two_ways_reaches_the_client() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let write = r#"{"jsonrpc":"2.0","id":5,"method":"fs/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}"#;
    let lines = [
        format!("[{write}]\n"),
        format!("{write}{write}\n"),
        format!("{{\"x\":[\r{write}\r],\"method\":\"session/update\"}}\n"),
        format!("# {write}\n"),
        format!("\u{feff}{write}\n"),
        r#"{"jsonrpc":"2.0","id":5,"method":"session/update","method":"fs/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":5,"Method":"fs/write_text_file","method":"session/update","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":5,"method":"FS/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":5,"method":" fs/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"fs/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":null,"method":"fs/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":5.0,"method":"fs/write_text_file","params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":5,"method":"fs/write_text_file","result":{},"params":{"sessionId":"s","path":"/x","content":""}}
"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":5,"method":"terminal/write","params":{"sessionId":"s","terminalId":"t","data":"x"}}
"#.to_owned(),
    ];
    for line in &lines {
        never_arrives(&mut stage, line.as_bytes()).await;
    }
    assert!(stage.servers.calls().is_empty());
}

#[tokio::test]
async fn an_escaped_method_is_checked_like_any_other() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let path = stage.workspace.join("frozen.txt");
    let line = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":5,\"\\u006dethod\":\"\\u0066s\\/write_text_fil\\u0065\",\
         \"params\":{{\"sessionId\":\"s\",\"path\":\"{path}\",\"content\":\"\"}}}}\n"
    );
    never_arrives(&mut stage, line.as_bytes()).await;
    let answer = stage.agent.hears().await;
    assert_eq!(answer["error"]["code"], -32_000);
}

#[tokio::test]
async fn parameters_that_two_readers_may_read_differently_are_refused() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let good = stage.workspace.join("open.txt");
    let bad = stage.workspace.join("frozen.txt");
    for params in [
        format!(r#""path":"{bad}","path":"{good}","content":"""#),
        format!(r#""path":"{good}","Path":"{bad}","content":"""#),
        format!(r#""path":"{good}","\u0070ath":"{bad}","content":"""#),
        format!(r#""path":["{good}"],"content":"""#),
        format!(r#""path":"{good}","content":"\ud800""#),
    ] {
        let line = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"fs/write_text_file\",\"params\":\
             {{\"sessionId\":\"s\",{params}}}}}\n"
        );
        never_arrives(&mut stage, line.as_bytes()).await;
        assert_eq!(
            stage.agent.hears().await["error"]["code"],
            -32_602,
            "{params}"
        );
    }
    // A command whose options have two names for one thing.
    let line = "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"session/request_permission\",\"params\":\
        {\"sessionId\":\"s\",\"options\":[{\"optionId\":\"a\",\"kind\":\"reject_once\",\"Kind\":\
        \"allow_once\"}],\"toolCall\":{\"toolCallId\":\"c\"}}}\n";
    never_arrives(&mut stage, line.as_bytes()).await;
    assert_eq!(stage.agent.hears().await["error"]["code"], -32_602);
    let refused = stage.wait_for_rows(RecordKind::Decision, 6).await;
    assert!(
        refused
            .iter()
            .all(|row| row.record.reason.as_deref() == Some("invalid_call"))
    );
}

#[tokio::test]
async fn one_id_is_one_request() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.agent.says(permission(7, "water roses")).await;
    let asked = stage.client.hears().await;
    assert_ne!(asked["id"], 7);
    // The same id, in either spelling, while the first is open.
    for id in [json!(7), json!("7")] {
        let mut second = permission(7, "grow roses");
        second["id"] = id;
        stage.agent.says(second).await;
        assert_eq!(stage.agent.hears().await["error"]["code"], -32_600);
    }
    // An agent that answers the question itself, or asks under its id.
    let forged = json!({
        "jsonrpc": "2.0", "id": asked["id"],
        "result": { "outcome": { "outcome": "selected", "optionId": "once" } },
    });
    stage.agent.says(forged).await;
    let mut own = permission(8, "grow roses");
    own["id"] = asked["id"].clone();
    stage.agent.says(own).await;
    assert_eq!(stage.agent.hears().await["error"]["code"], -32_600);
    stage.settles().await;
    // A client that answers under the agent's own id answers nothing.
    let wrong = json!({
        "jsonrpc": "2.0", "id": 7,
        "result": { "outcome": { "outcome": "selected", "optionId": "once" } },
    });
    stage.client.says(wrong).await;
    stage.settles().await;
    let no = json!({
        "jsonrpc": "2.0", "id": asked["id"],
        "result": { "outcome": { "outcome": "selected", "optionId": "cancel" } },
    });
    stage.client.says(no.clone()).await;
    let answer = stage.agent.hears().await;
    assert_eq!(
        (answer["id"].as_u64(), option(&answer)),
        (Some(7), "cancel")
    );
    // And a second time it is to nobody.
    let explained = stage.client.hears().await;
    assert_eq!(explained["method"], "session/update");
    stage.client.says(no).await;
    stage.settles().await;
}

#[tokio::test]
async fn a_kind_of_tool_makes_nothing_safe() {
    let mut stage = Stage::of(Agent::Generic);
    stage.open_session().await;
    // Nobody is asked in a session that is given up, so a hanging question shows
    // that it was not simply allowed.
    for (id, tool_call) in [
        // A tool that calls itself a reader, without a name.
        json!({ "kind": "read", "rawInput": { "path": "/etc/hostname" } }),
        // Something else that has a command.
        json!({ "kind": "other", "rawInput": { "command": "grow roses" } }),
        json!({ "kind": "execute", "rawInput": { "command": "grow roses", "host": "garden" } }),
        // Nothing is known of it.
        json!({ "kind": "execute", "title": "grow roses" }),
        json!({ "kind": "execute", "title": "grow herbs", "rawInput": {} }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut asked = permission(100 + id as u64, "x");
        asked["params"]["toolCall"] = tool_call.clone();
        asked["params"]["toolCall"]["toolCallId"] = json!(format!("c{id}"));
        stage.agent.says(asked).await;
        let question = stage.client.hears().await;
        assert_eq!(
            question["method"], "session/request_permission",
            "{tool_call}"
        );
        stage.client
            .says(json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "outcome": { "outcome": "cancelled" } } }))
            .await;
        assert_eq!(option(&stage.agent.hears().await), "cancel");
        // It is explained to the person.
        assert_eq!(stage.client.hears().await["method"], "session/update");
        if id == 1 {
            // Rejections pause the asking after three in a row: a new message
            // goes on.
            stage.client.says(json!({ "jsonrpc": "2.0", "id": 50, "method": "session/prompt", "params": { "sessionId": "s", "prompt": [{ "type": "text", "text": "go on" }] } })).await;
            stage.agent.hears().await;
            stage.wait_for_rows(RecordKind::UserMessage, 1).await;
        }
    }
}

#[tokio::test]
async fn a_call_that_changes_while_a_person_is_asked_is_void() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.agent.says(permission(1, "water roses")).await;
    let question = stage.client.hears().await;
    assert_eq!(question["method"], "session/request_permission");
    let same = update(
        "call-1",
        json!({ "rawInput": { "command": "water roses", "is_background": false, "description": "prose" } }),
    );
    stage.agent.says(same.clone()).await;
    assert_eq!(stage.client.hears().await, same);
    let other = update(
        "call-1",
        json!({ "rawInput": { "command": "water weeds", "is_background": false } }),
    );
    stage.agent.says(other.clone()).await;
    assert_eq!(option(&stage.agent.hears().await), "cancel");
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(stage.client.hears().await);
    }
    assert!(heard.contains(&other));
    // The question is taken back, and an answer to it is none.
    assert!(
        heard.iter().any(|one| one["method"] == "$/cancel_request"
            && one["params"]["requestId"] == question["id"])
    );
    stage.client
        .says(json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "outcome": { "outcome": "selected", "optionId": "once" } } }))
        .await;
    stage.settles().await;
}

#[tokio::test]
async fn a_call_that_changes_after_it_was_allowed_is_unguarded_and_ends_the_turn() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.agent.says(permission(1, "grow roses")).await;
    assert_eq!(option(&stage.agent.hears().await), "once");
    let other = update(
        "call-1",
        json!({ "rawInput": { "command": "grow weeds", "is_background": false } }),
    );
    stage.agent.says(other.clone()).await;
    assert_eq!(stage.client.hears().await, other);
    let cancelled = stage.agent.hears().await;
    assert_eq!(cancelled["method"], "session/cancel");
    let rows = stage.wait_for_rows(RecordKind::Unguarded, 1).await;
    assert_eq!(rows[0].record.agent_call.as_deref(), Some("call-1"));
}

#[tokio::test]
async fn what_runs_without_a_decision_raises_the_alarm_once() {
    let mut stage = Stage::new();
    stage.open_session().await;
    for (id, kind) in [("a", "execute"), ("b", "edit"), ("c", "delete")] {
        for status in ["pending", "in_progress", "completed", "completed"] {
            let said = update(id, json!({ "kind": kind, "status": status, "title": id }));
            stage.agent.says(said.clone()).await;
            loop {
                let heard = stage.client.hears().await;
                // The alarm itself is told in between.
                if heard == said {
                    break;
                }
                assert_eq!(
                    heard["params"]["update"]["sessionUpdate"],
                    "agent_message_chunk"
                );
            }
        }
    }
    let rows = stage.wait_for_rows(RecordKind::Unguarded, 3).await;
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn what_was_decided_or_did_not_run_raises_no_alarm() {
    let mut stage = Stage::new();
    stage.open_session().await;
    // Allowed, and ran.
    stage.agent.says(permission(1, "grow roses")).await;
    assert_eq!(option(&stage.agent.hears().await), "once");
    stage
        .agent
        .says(update("call-1", json!({ "status": "completed" })))
        .await;
    stage.client.hears().await;
    // Blocked, and failed for it.
    stage.agent.says(permission(2, "prune roses")).await;
    assert_eq!(option(&stage.agent.hears().await), "cancel");
    stage.client.hears().await;
    stage
        .agent
        .says(update("call-2", json!({ "status": "failed" })))
        .await;
    stage.client.hears().await;
    // Only read, and failed before it began.
    stage
        .agent
        .says(update(
            "r",
            json!({ "kind": "read", "status": "completed" }),
        ))
        .await;
    stage.client.hears().await;
    stage
        .agent
        .says(update(
            "f",
            json!({ "kind": "execute", "status": "failed" }),
        ))
        .await;
    stage.client.hears().await;
    stage.wait_for_rows(RecordKind::Result, 1).await;
    // What was blocked and ran all the same is one.
    stage.agent.says(permission(3, "prune roses")).await;
    assert_eq!(option(&stage.agent.hears().await), "cancel");
    stage.client.hears().await;
    stage
        .agent
        .says(update("call-3", json!({ "status": "completed" })))
        .await;
    let rows = stage.wait_for_rows(RecordKind::Unguarded, 1).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].record.agent_call.as_deref(), Some("call-3"));
}

#[tokio::test]
async fn too_much_is_refused_and_the_rest_goes_on() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let content = "x".repeat(4 * 1024 * 1024);
    let path = stage.workspace.join("open.txt");
    let params = json!({ "sessionId": "s", "path": path, "content": content });
    stage
        .agent
        .says(request(5, "fs/write_text_file", params))
        .await;
    assert_eq!(stage.agent.hears().await["error"]["code"], -32_602);
    stage.settles().await;
}

#[tokio::test]
async fn many_questions_at_once_are_bounded() {
    let mut stage = Stage::new();
    stage.open_session().await;
    for id in 0..80 {
        stage
            .agent
            .says(permission(id, &format!("water rose-{id}")))
            .await;
    }
    // Eight of a session may wait for a person; the others are answered no.
    for _ in 0..72 {
        assert_eq!(option(&stage.agent.hears().await), "cancel");
    }
}
