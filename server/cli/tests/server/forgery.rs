//! What a process of the agent may try against a real server and its hook.
//! Nothing comes of it but a row in the journal.

mod answers;
mod hooks;
mod own_server;
mod socket;
mod state;

use countersign_settings::TrustStore;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sandbox::{CLAUDE, Sandbox, With as _};
use crate::support::{Agent, Desk, Running};

pub(crate) fn trials() -> Vec<Trial> {
    [
        answers::trials(),
        hooks::trials(),
        own_server::trials(),
        socket::trials(),
        state::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const EVENT: &str = "PreToolUse";

/// Asked about in every mode but yolo: nothing vouches for it.
const PRUNE: &str = "trellis prune";

/// An attack on the guard itself, which every mode blocks and auto counts.
const ATTACK: &str = "countersign trust";

fn shell(sandbox: &Sandbox, command: &str) -> Value {
    sandbox.shell(CLAUDE, EVENT, command)
}

/// The session of the payloads.
fn session(sandbox: &Sandbox) -> String {
    let id = shell(sandbox, PRUNE)["session_id"].clone();
    id.as_str().unwrap().to_owned()
}

/// A call that waits for the person, and its approval.
fn asked(sandbox: &Sandbox, agent: &Agent, desk: &mut Desk) -> (Running, Value) {
    let running = agent.begin_hook(sandbox, CLAUDE, EVENT, &shell(sandbox, PRUNE));
    let approval = desk.approval();
    (running, approval)
}

/// The same call once more.
fn again(sandbox: &Sandbox, number: usize) -> Value {
    shell(sandbox, PRUNE).with("tool_use_id", json!(format!("toolu_again_{number}")))
}

fn is_trusted(sandbox: &Sandbox) -> bool {
    let trust = TrustStore::new(&sandbox.places());
    trust.is_trusted(&sandbox.workspace).unwrap()
}
