//! The one function that resolves an approval, and the acts of a person that
//! reset counters.

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{Digest, SessionKey};
use countersign_core::decision::{AskReason, Decision};
use countersign_core::denials::{DenialEvent, DenialLimits};
use countersign_core::mode::ApprovalMode;
use countersign_core::policy::Policy;
use countersign_core::state::{
    CallState, CallStatus, Millis, Record, RecordKind, StateError, Transaction,
};

use crate::Engine;
use crate::ledger;
use crate::observer::Resolution;
use crate::record;
use crate::session::Sessions;
use crate::set_aside;

/// Why an answer changed nothing. Journaled, except where the state fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No such ask is open: late, duplicate or foreign.
    #[error("no open approval {0}; it was answered, ended or never asked")]
    NotOpen(String),
    /// The call, a file it names or a place it writes is not what was shown.
    #[error("approval {0} is void: the call or a file it names changed after it was shown")]
    Changed(String),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What an approval is bound to ([`crate::prepare::approval_digest`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// As the person was shown it.
    pub shown: Digest,
    /// As it is at the answer.
    pub now: Digest,
}

impl Bound {
    /// Whether all three are the same: shown, recorded, and there now.
    fn holds(self, recorded: Option<Digest>) -> bool {
        self.shown == self.now && recorded == Some(self.now)
    }
}

impl Engine {
    /// Resolves an open approval of a surface.
    ///
    /// `bound` says what the person was shown and what there is now; the state
    /// alone is not believed, because it may have been written by others.
    ///
    /// # Errors
    /// Why the answer changed nothing.
    pub fn resolve(
        &self,
        key: &SessionKey,
        call: &str,
        bound: Bound,
        answer: &Answer,
        source: AnswerSource,
        limits: DenialLimits,
    ) -> Result<Resolution, ResolveError> {
        let now = self.clock.now();
        let mut resolved = None;
        let mut refused = None;
        self.store.transition(&mut |transaction| {
            (resolved, refused) = (None, None);
            let open = transaction.open_calls(key)?.into_iter().find(|state| {
                state.id == call
                    && matches!(state.status, CallStatus::Pending | CallStatus::Delegated)
            });
            let Some(mut state) = open else {
                refused = Some(ResolveError::NotOpen(call.to_owned()));
                return transaction.append(&ignored(key, call, answer, source, now, "not open"));
            };
            if answer.proceeds() && !bound.holds(state.approval) {
                refused = Some(ResolveError::Changed(call.to_owned()));
                state.status = CallStatus::Finished;
                transaction.put_call(&state)?;
                return transaction.append(&ignored(
                    key,
                    call,
                    answer,
                    source,
                    now,
                    "void: what was shown has changed",
                ));
            }
            let mut sessions = Sessions::open(transaction, &*self.processes, key, None, None, now)?;
            resolved = Some(settle(
                transaction,
                &mut sessions,
                &mut state,
                answer,
                source,
                limits,
                now,
            )?);
            sessions.save(transaction)
        })?;
        match (resolved, refused) {
            (Some(resolution), _) => {
                self.tell_resolved(&resolution);
                Ok(resolution)
            }
            (None, Some(error)) => {
                if matches!(error, ResolveError::Changed(_)) {
                    self.tell_voided(call);
                }
                Err(error)
            }
            (None, None) => Err(ResolveError::NotOpen(call.to_owned())),
        }
    }

    /// Puts on record that an answer or an act of a person changed nothing:
    /// late, duplicate or foreign.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn ignored(
        &self,
        key: Option<&SessionKey>,
        call: &str,
        what: &str,
        source: AnswerSource,
        why: &str,
    ) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            transaction.append(&Record {
                call: Some(call.to_owned()),
                reason: Some(what.to_owned()),
                detail: Some(why.to_owned()),
                source: Some(source.to_string()),
                ..record::bare(RecordKind::Ignored, key, now)
            })
        })
    }

    /// Puts on record what a person trusted, accepted or granted.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn person_trusted(
        &self,
        key: Option<&SessionKey>,
        what: &str,
        source: AnswerSource,
    ) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            transaction.append(&Record {
                detail: Some(what.to_owned()),
                source: Some(source.to_string()),
                ..record::bare(RecordKind::Trust, key, now)
            })
        })
    }

    /// A person chooses the session's mode. To the same mode resets nothing.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn person_sets_mode(
        &self,
        key: &SessionKey,
        from: ApprovalMode,
        to: ApprovalMode,
        policy: &Policy,
        source: AnswerSource,
    ) -> Result<(), StateError> {
        if from != to {
            let what = format!("mode {from} -> {to}");
            return self.person_resets(key, policy, Some(to), &what, source);
        }
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            let mut sessions = Sessions::open(transaction, &*self.processes, key, None, None, now)?;
            sessions.root_mut().chosen = Some(to);
            sessions.save(transaction)
        })
    }

    /// A person resets the counters.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn person_resets_counters(
        &self,
        key: &SessionKey,
        policy: &Policy,
        source: AnswerSource,
    ) -> Result<(), StateError> {
        self.person_resets(key, policy, None, "counters reset", source)
    }

    fn person_resets(
        &self,
        key: &SessionKey,
        policy: &Policy,
        mode: Option<ApprovalMode>,
        what: &str,
        source: AnswerSource,
    ) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            let mut sessions = Sessions::open(transaction, &*self.processes, key, None, None, now)?;
            let before = sessions.counters();
            sessions.reduce(DenialEvent::PersonReset, policy.limits);
            if let Some(mode) = mode {
                sessions.root_mut().chosen = Some(mode);
                let held = set_aside::held_in(policy, mode);
                crate::apply::hold_rules(transaction, &mut sessions, &held, now)?;
            }
            transaction.append(&Record {
                before: Some(before),
                after: Some(sessions.counters()),
                mode,
                detail: Some(what.to_owned()),
                source: Some(source.to_string()),
                ..record::bare(RecordKind::Reset, Some(key), now)
            })?;
            sessions.save(transaction)
        })
    }
}

/// Ends an ask with an answer: the only place where an answer touches
/// counters.
pub(crate) fn settle(
    transaction: &mut dyn Transaction,
    sessions: &mut Sessions,
    state: &mut CallState,
    answer: &Answer,
    source: AnswerSource,
    limits: DenialLimits,
    now: Millis,
) -> Result<Resolution, StateError> {
    let before = sessions.counters();
    if let Some(event) = crate::apply::asked(&state.decision)
        .and_then(|reason: AskReason| answer.denial_event(reason))
    {
        sessions.reduce(event, limits);
    }
    let after = sessions.counters();
    if matches!(answer, Answer::ProceedOnceAndSwitchToDefault) {
        // A person in plan mode who wants to be asked does not leave it.
        let root = sessions.root_mut();
        let chosen = root.chosen.unwrap_or(ApprovalMode::Default);
        root.chosen = Some(chosen.stricter(ApprovalMode::Default));
    }
    let decision = answer.decision_by(source);
    // After a yes from a surface the tool is still to run, and its result then
    // belongs to this call; the agent's own yes is that result.
    state.status = if answer.proceeds() && source != AnswerSource::Agent {
        CallStatus::Decided
    } else {
        CallStatus::Finished
    };
    let put = std::mem::replace(&mut state.decision, decision.clone());
    if matches!(put, Decision::Ask { .. }) {
        state.asked = Some(put);
    }
    if answer.proceeds() {
        let process = sessions.root().process.clone();
        ledger::may_run(transaction, state, process.as_ref(), now)?;
    }
    if state.status == CallStatus::Finished {
        ledger::end(transaction, state, answer.proceeds(), now)?;
    }
    transaction.put_call(state)?;
    transaction.append(&Record {
        call: Some(state.id.clone()),
        agent_call: state.agent_call.clone(),
        tool: Some(state.tool.to_string()),
        decision: Some(decision.verb().to_owned()),
        reason: Some(answer.as_str().to_owned()),
        detail: Some(decision.detail().to_owned()),
        before: Some(before),
        after: Some(after),
        source: Some(source.to_string()),
        ..record::bare(RecordKind::Answer, Some(&state.key), now)
    })?;
    Ok(Resolution {
        call: state.id.clone(),
        answer: answer.clone(),
        source,
        decision,
        before,
        after,
    })
}

fn ignored(
    key: &SessionKey,
    call: &str,
    answer: &Answer,
    source: AnswerSource,
    now: Millis,
    why: &str,
) -> Record {
    Record {
        call: Some(call.to_owned()),
        reason: Some(answer.as_str().to_owned()),
        detail: Some(why.to_owned()),
        source: Some(source.to_string()),
        ..record::bare(RecordKind::Ignored, Some(key), now)
    }
}
