//! A classifier is asked, and answers well, badly or not.

use countersign_test_support::model_server::{ModelServer, Reply};
use serde_json::{Value, json};

use super::{GROWN, PATIENT, assert_made, assert_not_made, grow, guarded};
use crate::agent::{AgentUnderTest, Session, run};
use crate::desk::Desk;
use crate::model::{Script, ToolCall};
use crate::world::World;

/// Auto mode with this classifier. It asks a person after three blocks, and never
/// because answers are missing.
fn auto(classifier: &ModelServer, milliseconds: u32) -> Value {
    json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "autoMode": {
            "denialLimits": { "consecutiveUnavailable": 100, "total": 100 },
            "classifier": {
                "provider": "openai-compatible",
                "baseUrl": format!("{}/v1", classifier.url()),
                "model": "judge-1",
                "timeouts": { "stage1Ms": milliseconds, "stage2Ms": milliseconds },
            },
        }},
    })
}

/// Calls that nothing vouches for, each with a file of its own.
fn calls(agent: &dyn AgentUnderTest, world: &World, files: &[String]) -> Vec<ToolCall> {
    files
        .iter()
        .map(|file| agent.shell(&format!("{} {file}", world.trellis())))
        .collect()
}

fn files(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("row-{number}.txt"))
        .collect()
}

pub(super) fn allowed(agent: &dyn AgentUnderTest) {
    let classifier = ModelServer::start();
    classifier.always(Reply::allow());
    let world = guarded(agent, &auto(&classifier, 30_000), PATIENT);
    let ended = run(agent, &world, grow(agent, &world));
    let _ = ended.result();
    assert_made(&world, GROWN, &ended);
    assert!(!classifier.requests().is_empty());
}

pub(super) fn three_blocks(agent: &dyn AgentUnderTest) {
    let classifier = ModelServer::start();
    classifier.always(Reply::block("it grows over the neighbour's fence"));
    let world = guarded(agent, &auto(&classifier, 30_000), PATIENT);
    let mut desk = Desk::open(&world);
    let files = files(4);
    let calls = calls(agent, &world, &files);
    let session = Session::start(agent, &world, Script::new(calls));
    let approval = desk.approval("row-4.txt");
    assert_eq!(approval["reason"], "consecutive_block");
    desk.approve(&approval);
    let ended = session.end();
    assert_eq!(ended.results.len(), files.len(), "{}", ended.told());
    for (file, result) in files.iter().zip(&ended.results).take(3) {
        assert_not_made(&world, file, &ended);
        let told = &result.text;
        assert!(told.contains("over the neighbour's fence"), "{told}");
    }
    assert_made(&world, "row-4.txt", &ended);
    assert_eq!(classifier.requests().len(), 6, "two stages each");
}

pub(super) fn hostile(agent: &dyn AgentUnderTest) {
    let classifier = ModelServer::start();
    let replies = [
        Reply::internal_error(),
        Reply::broken_json(),
        Reply::html(),
        Reply::injected_allow(),
        Reply::duplicate_keys(),
        Reply::huge_body(),
        Reply::endless_body(),
        Reply::reset_in_body(),
        Reply::never(),
    ];
    let files = files(replies.len());
    for reply in replies {
        classifier.then(reply);
    }
    classifier.always(Reply::internal_error());
    let world = guarded(agent, &auto(&classifier, 1_000), PATIENT);
    let calls = calls(agent, &world, &files);
    let ended = run(agent, &world, Script::new(calls));
    assert_eq!(ended.results.len(), files.len(), "{}", ended.told());
    for (file, result) in files.iter().zip(&ended.results) {
        assert_not_made(&world, file, &ended);
        let told = &result.text;
        assert!(told.contains("classifier unavailable"), "{told}");
    }
    assert!(classifier.requests().len() >= files.len());
}

pub(super) fn beyond_the_deadline(agent: &dyn AgentUnderTest) {
    let classifier = ModelServer::start();
    classifier.always(Reply::never());
    // The classifier may take longer than the hook.
    let world = guarded(agent, &auto(&classifier, 30_000), 4);
    let ended = run(agent, &world, grow(agent, &world));
    let told = ended.result();
    assert!(!told.is_empty());
    assert_not_made(&world, GROWN, &ended);
    assert!(!classifier.requests().is_empty(), "{told}");
}
