//! One side goes away.

use camino::Utf8Path;
use countersign_acp::{AgentProcess, Over};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::{Scripting, Stage, option, permission};

#[tokio::test]
async fn what_the_agent_said_last_still_arrives() {
    let mut stage = Stage::new();
    let last = json!({ "jsonrpc": "2.0", "method": "_last", "params": {} });
    stage.agent.says(last.clone()).await;
    // Even without the end of the line.
    let without = r#"{"jsonrpc":"2.0","method":"_end","params":{}}"#;
    stage.agent.says_bytes(without.as_bytes()).await;
    stage.agent.closes().await;
    assert_eq!(stage.client.hears().await, last);
    assert_eq!(stage.client.hears_line().await.as_deref(), Some(without));
    assert_eq!(stage.client.hears_line().await, None);
    assert_eq!(stage.over.await.unwrap(), Over::Agent);
}

#[tokio::test]
async fn a_message_that_was_cut_off_does_not_arrive() {
    let mut stage = Stage::new();
    stage
        .agent
        .says_bytes(br#"{"jsonrpc":"2.0","method":"_cut","para"#)
        .await;
    stage.agent.closes().await;
    assert_eq!(stage.client.hears_line().await, None);
}

#[tokio::test]
async fn the_agent_hears_that_its_client_is_gone_and_gets_no_yes() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.servers.will(Scripting::Hangs);
    stage.agent.says(permission(1, "grow roses")).await;
    // The server that hangs is the first one's.
    stage.wait_for_calls(1).await;
    stage.agent.says(permission(2, "water roses")).await;
    // The person is being asked about the second.
    stage.client.hears().await;
    stage.client.closes().await;
    for _ in 0..2 {
        assert_eq!(option(&stage.agent.hears().await), "cancelled");
    }
    assert_eq!(stage.agent.hears_line().await, None);
    stage.agent.closes().await;
    assert_eq!(stage.over.await.unwrap(), Over::Agent);
}

#[tokio::test]
async fn nothing_is_decided_for_an_agent_that_is_gone() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.servers.will(Scripting::Hangs);
    stage.agent.says(permission(1, "grow roses")).await;
    stage.settles().await;
    stage.wait_for_calls(1).await;
    stage.agent.closes().await;
    assert_eq!(stage.over.await.unwrap(), Over::Agent);
    assert_eq!(*stage.servers.given_up.lock().unwrap(), 1);
}

/// As a panic of the proxy does.
#[tokio::test]
async fn an_agent_that_is_let_go_of_is_gone_with_everything_that_it_started() {
    let script = ["-c", "sleep 600 & echo $!; wait"].map(Into::into);
    let (process, output, _input) =
        AgentProcess::start(&"/bin/sh".into(), &script, Utf8Path::new("/")).unwrap();
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).await.unwrap();
    let child = countersign_ipc::peer::process_of(line.trim().parse().unwrap()).unwrap();
    drop(process);
    for _ in 0..3_000 {
        if !countersign_ipc::alive(&child) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it goes on");
}
