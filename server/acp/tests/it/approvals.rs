//! Who decides, who asks, and whose answer counts.

use std::time::Duration;

use countersign_agents::Answer;
use countersign_agents::acp::What;
use countersign_core::agent::Agent;
use countersign_core::state::RecordKind;
use countersign_service::TOO_SOON;
use serde_json::{Value, json};

use crate::support::{Scripting, Stage, option, permission, request};

fn selects(question: &Value, option: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": question["id"],
        "result": { "outcome": { "outcome": "selected", "optionId": option } },
    })
}

#[tokio::test]
async fn the_server_of_an_editor_decides_where_there_is_one() {
    let mut stage = Stage::new();
    stage.open_session().await;
    for (scripted, expected) in [
        (
            Scripting::Answers(Answer::Allow {
                note: "fine".to_owned(),
            }),
            "once",
        ),
        (
            Scripting::Answers(Answer::Block {
                message: "no".to_owned(),
            }),
            "cancel",
        ),
        // An ask is no answer: nobody is left to ask then.
        (
            Scripting::Answers(Answer::Ask {
                message: "?".to_owned(),
            }),
            "cancel",
        ),
        (Scripting::Lost, "cancel"),
    ] {
        stage.servers.will(scripted);
        stage.agent.says(permission(1, "prune roses")).await;
        assert_eq!(option(&stage.agent.hears().await), expected);
        if expected == "cancel" {
            let explained = stage.client.hears().await;
            assert_eq!(explained["params"]["update"]["toolCallId"], "call-1");
        }
    }
    let report = stage.servers.calls().remove(0);
    assert_eq!(
        (report.session_id.as_str(), &report.cwd),
        ("s", &stage.workspace)
    );
    assert!(matches!(report.what, What::Call { .. }));
    // Nothing was decided here.
    assert!(stage.rows(RecordKind::Decision).is_empty());
}

#[tokio::test]
async fn a_yes_of_the_client_is_recorded_as_its_own_and_counts_once() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.agent.says(permission(1, "water roses")).await;
    let question = stage.client.hears().await;
    tokio::time::sleep(TOO_SOON).await;
    stage.client.says(selects(&question, "always")).await;
    assert_eq!(option(&stage.agent.hears().await), "once");
    let answers = stage.rows(RecordKind::Answer);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].record.source.as_deref(), Some("acp"));
    assert_eq!(answers[0].record.reason.as_deref(), Some("proceed_once"));
    // The client's part of it is that call, and nobody is asked again.
    let terminal = json!({ "sessionId": "s", "command": "bash", "args": ["-c", "water roses"] });
    stage
        .agent
        .says(request(2, "terminal/create", terminal.clone()))
        .await;
    let run = stage.client.hears().await;
    assert_eq!(
        (run["method"].as_str(), run["id"].as_u64()),
        (Some("terminal/create"), Some(2))
    );
    // Once: the second time a person is asked.
    stage
        .agent
        .says(request(3, "terminal/create", terminal))
        .await;
    let again = stage.client.hears().await;
    assert_eq!(again["method"], "session/request_permission");
}

#[tokio::test]
async fn an_answer_that_nobody_can_have_thought_about_is_none() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.agent.says(permission(1, "water roses")).await;
    // A client that approves by itself, over and over.
    for _ in 0..4 {
        let question = stage.client.hears().await;
        assert_eq!(question["method"], "session/request_permission");
        stage.client.says(selects(&question, "once")).await;
    }
    assert_eq!(option(&stage.agent.hears().await), "cancel");
    assert!(
        stage
            .rows(RecordKind::Answer)
            .iter()
            .all(|row| row.record.decision.as_deref() != Some("allow"))
    );
}

#[tokio::test]
async fn without_a_person_nobody_is_asked() {
    let mut stage = Stage::with(Agent::Qwen, false, 64 * 1024);
    stage.open_session().await;
    stage.agent.says(permission(1, "water roses")).await;
    assert_eq!(option(&stage.agent.hears().await), "cancel");
    let explained = stage.client.hears().await;
    assert_eq!(explained["method"], "session/update");
    // What needs nobody is decided all the same.
    stage.agent.says(permission(2, "grow roses")).await;
    assert_eq!(option(&stage.agent.hears().await), "once");
}

#[tokio::test]
async fn an_agent_that_offers_no_yes_for_once_gets_none() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let mut asked = permission(1, "grow roses");
    asked["params"]["options"] = json!([
        { "optionId": "always", "name": "Always", "kind": "allow_always" },
        { "optionId": "no", "name": "No", "kind": "reject_always" },
    ]);
    stage.agent.says(asked).await;
    assert_eq!(option(&stage.agent.hears().await), "no");
}

#[tokio::test]
async fn the_agents_own_dialog_is_the_persons_but_never_for_always() {
    let mut stage = Stage::new();
    stage.open_session().await;
    for (chosen, given) in [
        ("always", "once"),
        ("once", "once"),
        ("cancel", "cancel"),
        ("made-up", "cancelled"),
    ] {
        let mut asked = permission(1, "x");
        asked["params"]["toolCall"] = json!({
            "toolCallId": "plan", "title": "Would you like to proceed?", "kind": "switch_mode",
            "rawInput": { "plan": "plant roses" }, "_meta": { "toolName": "exit_plan_mode" },
        });
        stage.agent.says(asked.clone()).await;
        let question = stage.client.hears().await;
        assert_eq!(question["params"], asked["params"]);
        stage.client.says(selects(&question, chosen)).await;
        assert_eq!(option(&stage.agent.hears().await), given, "{chosen}");
    }
}

#[tokio::test]
async fn a_cancelled_turn_cancels_what_is_asked() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.servers.will(Scripting::Hangs);
    stage.agent.says(permission(1, "water roses")).await;
    let path = stage.workspace.join("open.txt");
    stage.settles().await;
    stage.servers.will(Scripting::Hangs);
    let write = json!({ "sessionId": "s", "path": path, "content": "x" });
    stage
        .agent
        .says(request(2, "fs/write_text_file", write))
        .await;
    stage.settles().await;
    stage.wait_for_calls(2).await;
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "session/cancel", "params": { "sessionId": "s" } });
    stage.client.says(cancel.clone()).await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(stage.agent.hears().await);
    }
    assert!(heard.contains(&cancel));
    let of = |id: u64| heard.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(option(of(1)), "cancelled");
    assert_eq!(of(2)["error"]["code"], -32_800);
    // Whoever was asked hears that nobody waits any more.
    for _ in 0..6_000 {
        if *stage.servers.given_up.lock().unwrap() == 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the servers still wait");
}

#[tokio::test]
async fn an_agent_takes_back_its_own_request() {
    let mut stage = Stage::new();
    stage.open_session().await;
    stage.agent.says(permission(1, "water roses")).await;
    let question = stage.client.hears().await;
    let back = |id: u64| json!({ "jsonrpc": "2.0", "method": "$/cancel_request", "params": { "requestId": id } });
    stage.agent.says(back(1)).await;
    assert_eq!(option(&stage.agent.hears().await), "cancelled");
    // The client hears that about the question that it knows.
    let taken = stage.client.hears().await;
    assert_eq!(taken["method"], "$/cancel_request");
    assert_eq!(taken["params"]["requestId"], question["id"]);
    // What the client has under the agent's own id, the agent takes back there.
    let output = request(
        2,
        "terminal/output",
        json!({ "sessionId": "s", "terminalId": "t" }),
    );
    stage.agent.says(output.clone()).await;
    assert_eq!(stage.client.hears().await, output);
    stage.agent.says(back(2)).await;
    assert_eq!(stage.client.hears().await, back(2));
}

#[tokio::test]
async fn a_file_is_what_the_call_that_was_allowed_makes_of_it() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let path = stage.workspace.join("bed.txt");
    std::fs::write(&path, "one rose\n").unwrap();
    let mut asked = permission(1, "x");
    asked["params"]["toolCall"] = json!({
        "toolCallId": "e", "title": "edit bed.txt", "kind": "edit",
        "rawInput": { "file_path": path, "old_string": "one rose", "new_string": "two roses" },
        "_meta": { "toolName": "edit" },
    });
    stage.agent.says(asked).await;
    let question = stage.client.hears().await;
    // What would be written is said, whatever the agent's title says.
    let said = question["params"]["toolCall"]["content"].to_string();
    assert!(
        said.contains("two roses") && said.contains("bed.txt"),
        "{said}"
    );
    tokio::time::sleep(TOO_SOON).await;
    stage.client.says(selects(&question, "once")).await;
    assert_eq!(option(&stage.agent.hears().await), "once");
    let write = |id, content: &str| {
        request(
            id,
            "fs/write_text_file",
            json!({ "sessionId": "s", "path": path, "content": content }),
        )
    };
    // Something else is asked about.
    stage.agent.says(write(2, "no roses\n")).await;
    let question = stage.client.hears().await;
    assert_eq!(question["method"], "session/request_permission");
    stage.client.says(selects(&question, "deny")).await;
    assert_eq!(stage.agent.hears().await["error"]["code"], -32_000);
    // That is not.
    let good = write(3, "two roses\n");
    stage.agent.says(good.clone()).await;
    assert_eq!(stage.client.hears().await, good);
}

#[tokio::test]
async fn a_file_is_what_was_shown_of_a_call_without_its_input() {
    for (old, is_asked_again) in [
        ("one rose\n", false),
        // Not what is there: what a person saw is not what would happen.
        ("no rose\n", true),
        ("", true),
        ("one", true),
    ] {
        let mut stage = Stage::of(Agent::Gemini);
        stage.open_session().await;
        let path = stage.workspace.join("bed.txt");
        std::fs::write(&path, "one rose\n").unwrap();
        let mut asked = permission(1, "x");
        asked["params"]["toolCall"] = json!({
            "toolCallId": "e", "title": "bed.txt", "kind": "edit",
            "content": [
                { "type": "diff", "path": path, "oldText": old, "newText": "two roses\n" },
            ],
        });
        stage.agent.says(asked).await;
        let question = stage.client.hears().await;
        tokio::time::sleep(TOO_SOON).await;
        stage.client.says(selects(&question, "once")).await;
        assert_eq!(option(&stage.agent.hears().await), "once");
        // Something else is asked about.
        for (id, content, is_asked) in [
            (2, "three roses\n", true),
            (3, "two roses\n", is_asked_again),
        ] {
            let wanted = request(
                id,
                "fs/write_text_file",
                json!({ "sessionId": "s", "path": path, "content": content }),
            );
            stage.agent.says(wanted.clone()).await;
            let heard = stage.client.hears().await;
            if !is_asked {
                assert_eq!(heard, wanted);
                continue;
            }
            let method = &heard["method"];
            assert_eq!(method, "session/request_permission", "{old:?} {content:?}");
            stage.client.says(selects(&heard, "deny")).await;
            assert_eq!(stage.agent.hears().await["error"]["code"], -32_000);
        }
    }
}

#[tokio::test]
async fn a_title_that_hides_what_runs_does_not_hide_it() {
    let mut stage = Stage::new();
    stage.open_session().await;
    let mut asked = permission(1, "water roses\u{202e}");
    asked["params"]["toolCall"]["title"] = json!("look at the roses");
    stage.agent.says(asked).await;
    let question = stage.client.hears().await;
    let said = question["params"]["toolCall"]["content"].to_string();
    assert!(
        said.contains("run: water roses") && !said.contains('\u{202e}'),
        "{said}"
    );
}
