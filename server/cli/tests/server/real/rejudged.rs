//! A model's yes to a hook that decides alone is about what was there when it
//! was asked.

use countersign_test_support::model_server::{Gate, ModelServer, Reply};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{EVENT, shell};
use crate::sandbox::{CLAUDE, Ran, Sandbox};
use crate::support::Agent;
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "a_deny_rule_that_comes_while_a_hook_alone_asks_holds",
            denied,
        ),
        trial(
            "a_script_that_changes_while_a_hook_alone_asks_is_judged_once_more",
            changed,
        ),
    ]
}

fn settings(server: &ModelServer, deny: &[&str]) -> Value {
    json!({
        "tools": { "approvalMode": "auto" },
        "ui": { "autoModeAcknowledged": true },
        "permissions": { "deny": deny, "autoMode": { "classifier": {
            "provider": "openai-compatible",
            "baseUrl": format!("{}/v1", server.url()),
            "model": "judge-1",
        }}},
    })
}

/// What becomes of a call about which something changes while the model is
/// asked and says yes.
fn meanwhile(server: &ModelServer, change: impl FnOnce(&Sandbox)) -> (Ran, Sandbox) {
    let sandbox = Sandbox::trusted(&settings(server, &[]).to_string());
    std::fs::write(sandbox.workspace.join("fell.sh"), "echo one\n").unwrap();
    let agent = Agent::start(&sandbox);
    let gate = Gate::new();
    server.then(Reply::allow().held(&gate));
    let call = shell(&sandbox, "bash fell.sh");
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
    server.wait_until(|seen| seen.under_way == 1);
    change(&sandbox);
    gate.open();
    (running.ended(), sandbox)
}

fn denied() {
    let server = ModelServer::start();
    let (ran, sandbox) = meanwhile(&server, |sandbox| {
        sandbox.settings(&settings(&server, &["Bash(bash fell.sh)"]).to_string());
    });
    assert_eq!(ran.code, 2, "{ran:?}");
    let rows = sandbox.rows("decision");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["reason"], "rule_denied");
}

fn changed() {
    let server = ModelServer::start();
    let (ran, sandbox) = meanwhile(&server, |sandbox| {
        server.always(Reply::block("no"));
        std::fs::write(sandbox.workspace.join("fell.sh"), "echo two\n").unwrap();
    });
    assert_eq!(ran.code, 2, "{ran:?}");
    let rows = sandbox.rows("decision");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["reason"], "classifier_blocked");
    assert_eq!(
        server.requests().len(),
        3,
        "one yes, and two stages of a no"
    );
}
