//! What is known of sessions: folders, replays, what a person typed.

use countersign_agents::acp::What;
use countersign_core::state::RecordKind;
use serde_json::json;

use crate::support::{Stage, option, permission, request, update};

#[tokio::test]
async fn what_a_person_typed_and_the_end_of_a_turn_are_reported() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let prompt = request(
        1,
        "session/prompt",
        json!({ "sessionId": "s", "prompt": [
            { "type": "text", "text": "plant roses" },
            { "type": "resource", "resource": { "uri": "file:///x", "text": "plant weeds" } },
        ] }),
    );
    stage.client.says(prompt.clone()).await;
    assert_eq!(stage.agent.hears().await, prompt);
    stage
        .agent
        .says(json!({ "jsonrpc": "2.0", "id": 1, "result": { "stopReason": "end_turn" } }))
        .await;
    stage.client.hears().await;
    stage.wait_for_rows(RecordKind::UserMessage, 1).await;
    stage.agent.closes().await;
    stage.over.await.unwrap();
    let asked = stage.servers.asked.lock().unwrap();
    let told: Vec<&What> = asked.iter().map(|report| &report.what).collect();
    let text = "plant roses".to_owned();
    assert_eq!(
        told,
        [&What::Message { text }, &What::TurnEnd, &What::SessionEnd]
    );
}

#[tokio::test]
async fn each_session_has_its_folder() {
    let mut stage = Stage::new();
    let other = stage.workspace.join("shed");
    std::fs::create_dir(&other).unwrap();
    stage.open_session().await;
    let load = request(
        2,
        "session/load",
        json!({ "sessionId": "t", "cwd": other, "mcpServers": [] }),
    );
    stage.client.says(load.clone()).await;
    assert_eq!(stage.agent.hears().await, load);
    stage
        .agent
        .says(json!({ "jsonrpc": "2.0", "id": 2, "result": {} }))
        .await;
    stage.client.hears().await;
    for session in ["s", "t"] {
        let mut asked = permission(5, "grow roses");
        asked["params"]["sessionId"] = json!(session);
        stage.agent.says(asked).await;
        assert_eq!(option(&stage.agent.hears().await), "once");
    }
    let cwds: Vec<_> = stage
        .servers
        .calls()
        .into_iter()
        .map(|call| call.cwd)
        .collect();
    assert_eq!(cwds, [stage.workspace.clone(), other]);
}

#[tokio::test]
async fn a_conversation_that_is_told_once_more_did_not_happen_again() {
    let mut stage = Stage::new();
    let load = request(
        1,
        "session/load",
        json!({ "sessionId": "s", "cwd": stage.workspace }),
    );
    stage.client.says(load).await;
    stage.agent.hears().await;
    let ran = update("old", json!({ "kind": "execute", "status": "completed" }));
    stage.agent.says(ran.clone()).await;
    assert_eq!(stage.client.hears().await, ran);
    stage
        .agent
        .says(json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))
        .await;
    stage.client.hears().await;
    let ran = update("new", json!({ "kind": "execute", "status": "completed" }));
    stage.agent.says(ran).await;
    let rows = stage.wait_for_rows(RecordKind::Unguarded, 1).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].record.agent_call.as_deref(), Some("new"));
}

#[tokio::test]
async fn what_the_client_ran_for_the_agent_was_decided_there() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let path = stage.workspace.join("open.txt");
    let write = json!({ "sessionId": "s", "path": path, "content": "roses" });
    stage
        .agent
        .says(request(1, "fs/write_text_file", write))
        .await;
    stage.client.hears().await;
    stage
        .client
        .says(json!({ "jsonrpc": "2.0", "id": 1, "result": null }))
        .await;
    stage.agent.hears().await;
    let done = |id: &str| {
        update(
            id,
            json!({
                "kind": "edit", "status": "completed",
                "content": [{ "type": "diff", "path": path, "oldText": "", "newText": "roses" }],
            }),
        )
    };
    stage.agent.says(done("written")).await;
    stage.client.hears().await;
    // One write is one edit.
    stage.agent.says(done("again")).await;
    let rows = stage.wait_for_rows(RecordKind::Unguarded, 1).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].record.agent_call.as_deref(), Some("again"));
}
