//! A classifier is asked, and answers well, badly or not.

use countersign_test_support::model_server::{ModelServer, Reply};
use serde_json::{Value, json};

use super::{assert_made, assert_not_made, grow, guarded};
use crate::agent::{AgentUnderTest, Session, run};
use crate::desk::Desk;
use crate::model::Script;
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

/// So many calls that nothing vouches for, and the files that they make.
fn rows(agent: &dyn AgentUnderTest, world: &World, count: usize) -> (Vec<String>, Script) {
    let files: Vec<String> = (1..=count)
        .map(|number| format!("row-{number}.txt"))
        .collect();
    let calls: Vec<_> = files.iter().map(|file| grow(agent, world, file)).collect();
    (files, Script::new(calls))
}

/// The first call is allowed, the next three are blocked, and a person is asked
/// about the last one.
pub(super) fn three_blocks(agent: &dyn AgentUnderTest) {
    let classifier = ModelServer::start();
    classifier.then(Reply::allow());
    classifier.always(Reply::block("it grows over the neighbour's fence"));
    let world = guarded(agent, &auto(&classifier, 30_000));
    let mut desk = Desk::open(&world);
    let (files, script) = rows(agent, &world, 5);
    let session = Session::start(agent, &world, script);
    let approval = desk.approval("row-5.txt");
    assert_eq!(approval["reason"], "consecutive_block");
    desk.approve(&approval);
    let ended = session.end();
    let [_, blocked @ .., _] = ended.only::<5>();
    for (file, told) in files.iter().skip(1).zip(blocked) {
        assert_not_made(&world, file, &ended);
        assert!(told.contains("over the neighbour's fence"), "{told}");
    }
    assert_made(&world, "row-1.txt", &ended);
    assert_made(&world, "row-5.txt", &ended);
    assert_eq!(classifier.requests().len(), 7, "two stages for each block");
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
    let count = replies.len();
    for reply in replies {
        classifier.then(reply);
    }
    classifier.always(Reply::internal_error());
    let world = guarded(agent, &auto(&classifier, 1_000));
    let (files, script) = rows(agent, &world, count);
    let ended = run(agent, &world, script);
    assert_eq!(ended.results.len(), count, "{}", ended.told());
    for (file, result) in files.iter().zip(&ended.results) {
        assert_not_made(&world, file, &ended);
        let told = &result.text;
        assert!(told.contains("classifier unavailable"), "{told}");
    }
    assert!(classifier.requests().len() >= count);
}

pub(super) fn beyond_the_deadline(agent: &dyn AgentUnderTest) {
    let classifier = ModelServer::start();
    classifier.always(Reply::never());
    // The classifier may take longer than the hook.
    let world = guarded(agent, &auto(&classifier, 30_000));
    world.hurry_hooks(4);
    let (files, script) = rows(agent, &world, 1);
    let ended = run(agent, &world, script);
    let [told] = ended.only();
    assert!(told.contains("classifier unavailable"), "{told}");
    assert_not_made(&world, &files[0], &ended);
    assert!(!classifier.requests().is_empty());
}
