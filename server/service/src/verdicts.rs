//! What this server itself decided about each call, so that it need not
//! believe what the state says: whoever runs as the user can write that.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use countersign_core::call::{Digest, SessionKey};
use countersign_core::decision::Decision;
use countersign_core::state::CallState;
use countersign_engine::request::Outcome;

use crate::service::lock;

/// Calls that are remembered; of more, the oldest are decided anew.
const MOST: usize = 4_096;

/// The verdicts of one server.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<String, Verdict>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Verdict {
    key: SessionKey,
    digest: Digest,
    approval: Option<Digest>,
    verb: &'static str,
    reason: &'static str,
}

impl Verdicts {
    /// This server decided a call.
    pub(crate) fn decided(&self, outcome: &Outcome) {
        let mut inner = lock(&self.inner);
        if inner.order.len() >= MOST
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.known.remove(&oldest);
        }
        inner.order.push_back(outcome.call.clone());
        inner.known.insert(
            outcome.call.clone(),
            Verdict {
                key: outcome.key.clone(),
                digest: outcome.digest,
                approval: outcome.approval,
                verb: outcome.decision.verb(),
                reason: outcome.decision.reason(),
            },
        );
    }

    /// What it asked about was answered.
    pub(crate) fn answered(&self, call: &str, decision: &Decision) {
        if let Some(known) = lock(&self.inner).known.get_mut(call) {
            known.verb = decision.verb();
            known.reason = decision.reason();
        }
    }

    /// Whether the state says of a call exactly what this server decided.
    pub(crate) fn agree(&self, call: &CallState) -> bool {
        lock(&self.inner).known.get(&call.id).is_some_and(|known| {
            known.key == call.key
                && known.digest == call.digest
                && known.approval == call.approval
                && known.verb == call.decision.verb()
                && known.reason == call.decision.reason()
        })
    }
}
