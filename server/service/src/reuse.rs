//! A model's allow of a task of the project holds while task, words and all
//! that agents changed of what it runs are the same.

use std::collections::VecDeque;
use std::sync::Mutex;

use countersign_core::call::{Digest, SessionKey};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::state::ModelRecord;

use crate::incoming::Prepared;
use crate::service::lock;

/// Allows that are remembered; of more, the oldest are asked for again.
const MOST: usize = 256;

/// What was allowed, newest last.
#[derive(Debug, Default)]
pub(crate) struct Reuse(Mutex<VecDeque<Allowed>>);

#[derive(Debug)]
struct Allowed {
    session: SessionKey,
    /// Over the call and the content of every file that it would run or load
    /// and that is not as the baseline has it.
    shown: Digest,
    model: ModelRecord,
}

impl Reuse {
    /// A model answered.
    pub(crate) fn answered(&self, prepared: &Prepared, answer: &ClassifierAnswer) {
        let (Some(shown), Verdict::Allow) = (reusable(prepared), &answer.verdict) else {
            return;
        };
        if answer.model.recorded {
            return;
        }
        let mut allowed = lock(&self.0);
        if allowed.len() >= MOST {
            allowed.pop_front();
        }
        allowed.push_back(Allowed {
            session: prepared.call.key.root(),
            shown,
            model: answer.model.clone(),
        });
    }

    /// What a model said about exactly this in the session; none where that
    /// is not known. No token was spent on it again.
    pub(crate) fn answer(&self, prepared: &Prepared) -> Option<ClassifierAnswer> {
        let shown = reusable(prepared)?;
        let session = prepared.call.key.root();
        let allowed = lock(&self.0);
        let known = allowed
            .iter()
            .rev()
            .find(|known| known.shown == shown && known.session == session)?;
        Some(ClassifierAnswer {
            verdict: Verdict::Allow,
            model: ModelRecord {
                stages: Vec::new(),
                recorded: true,
                ..known.model.clone()
            },
        })
    }
}

/// What an answer would be bound to: only of calls of which all is proven but
/// for edited code of the project.
fn reusable(prepared: &Prepared) -> Option<Digest> {
    let operations = &prepared.facts.operations;
    let is_bound = !operations.is_empty()
        && operations
            .iter()
            .all(|operation| operation.loads.but_for_edited);
    prepared.shown.filter(|_| is_bound)
}
