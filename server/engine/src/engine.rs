//! The engine: deciding on what the store says, applying in one transaction.

use std::sync::Arc;
use std::time::Instant;

use countersign_core::classify::{self, ClassifierAnswer, Verdict};
use countersign_core::decide::{self, Situation, Step};
use countersign_core::decision::Decision;
use countersign_core::denials::Counters;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{
    CallEvent, CallState, CallStatus, Millis, ProcessId, SessionState, StateError, StateStore,
    Transaction,
};

use crate::apply::{self, Applying};
use crate::clock::Clock;
use crate::events::Noted;
use crate::join;
use crate::ledger;
use crate::nesting::{self, Above};
use crate::observer::{HookRun, Observer, Resolution};
use crate::record;
use crate::request::{Asking, Layer, Outcome, Reply, Request, ServerId};
use crate::session::Sessions;

/// Tells which processes live, and who started them; a port, because the engine asks nobody.
pub trait Processes: Send + Sync {
    /// Whether exactly this process is still there.
    fn alive(&self, process: &ProcessId) -> bool;

    /// The agents above a process. Of one that has ended nothing is known.
    fn above(&self, process: &ProcessId) -> Above;
}

/// Decides calls, resolves approvals, and is the only one that changes state.
pub struct Engine {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) processes: Arc<dyn Processes>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) observers: Vec<Box<dyn Observer>>,
}

/// Makes the guard's own ids of calls.
pub trait Ids: Send + Sync {
    /// A new id, unique over all processes.
    fn next(&self) -> String;
}

impl Engine {
    /// An engine over a store. Observers are told in the order given.
    #[must_use]
    pub fn new(
        store: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        processes: Arc<dyn Processes>,
        ids: Arc<dyn Ids>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Self {
        Self {
            store,
            clock,
            processes,
            ids,
            observers,
        }
    }

    /// Decides a call as far as that is possible without a model, and applies
    /// what was decided.
    ///
    /// # Errors
    /// [`StateError::Unreadable`]: nothing may be decided; the call is blocked.
    /// A state that can be read and not written is no error: the call is
    /// decided as in default mode and the outcome says that it is not recorded.
    pub fn decide(&self, request: &Request<'_>) -> Result<Reply, StateError> {
        let now = self.clock.now();
        let id = self.ids.next();
        let mut reply = Reply::Classify;
        let committed = self.store.transition(&mut |transaction| {
            reply = self.decide_in(transaction, request, &id, now)?;
            Ok(())
        });
        match committed {
            Ok(()) => {}
            Err(StateError::Unwritable(why)) => {
                tracing::error!("state cannot be written: {why}");
                reply = unrecorded(request, id);
            }
            Err(error @ StateError::Unreadable(_)) => return Err(error),
        }
        if let Reply::Done(outcome) = &reply {
            self.tell_decided(outcome);
        }
        Ok(reply)
    }

    fn decide_in(
        &self,
        transaction: &mut dyn Transaction,
        request: &Request<'_>,
        id: &str,
        now: Millis,
    ) -> Result<Reply, StateError> {
        let call = request.call;
        let entered = Instant::now();
        let mut sessions = self.sessions(transaction, request, now)?;
        let digest = call.digest();
        let joined = transaction.find_open_call(&call.key, &|state| {
            join::joins(state, call, digest, request.event, now)
        })?;
        let began = Instant::now();
        let step = step(request, sessions.counters());
        let rules = Layer::between(request, entered, began, Instant::now());
        if let Some(mut earlier) = joined {
            let is_ours = request
                .memory
                .is_none_or(|memory| memory.believes(&earlier));
            if is_ours
                && join::still_holds(&earlier, &step, || {
                    crate::prepare::approval_digest(call, request.facts)
                })
            {
                self.look_for(transaction, request, now)?;
                ledger::join(transaction, &mut earlier, request, now)?;
                let trusted = self.trusts(&sessions, request.process);
                let outcome = again(transaction, &sessions, earlier, request, trusted)?;
                sessions.save(transaction)?;
                return Ok(Reply::Done(Box::new(outcome)));
            }
            // Files, rules or the mode are not what they were, or somebody
            // else wrote the verdict: the event is decided like a call of its
            // own.
            earlier.status = CallStatus::Finished;
            ledger::end(transaction, &mut earlier, false, now)?;
            transaction.put_call(&earlier)?;
        }
        match step {
            Step::NoOpinion => Ok(Reply::NoOpinion),
            Step::Classify => Ok(Reply::Classify),
            Step::Done(decision) => {
                self.look_for(transaction, request, now)?;
                let outcome = apply::apply(
                    transaction,
                    &mut sessions,
                    &Applying {
                        request,
                        id,
                        digest,
                        mode: decide::effective_mode(call, request.mode),
                        decision,
                        model: None,
                        rules: Some(rules),
                        now,
                    },
                )?;
                sessions.save(transaction)?;
                Ok(Reply::Done(Box::new(outcome)))
            }
        }
    }

    /// Applies a classifier's answer to a call for which [`Self::decide`] said
    /// [`Reply::Classify`]. A cancelled question is not concluded: it changes
    /// nothing.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub fn conclude(
        &self,
        request: &Request<'_>,
        answer: &ClassifierAnswer,
    ) -> Result<Outcome, StateError> {
        match self.conclude_in(request, answer, false)? {
            Some(outcome) => Ok(outcome),
            None => Err(StateError::Unwritable(
                "the classifier's answer could not be recorded".to_owned(),
            )),
        }
    }

    /// The same for an answer that took its time, with a request as everything
    /// is by now: none, and nothing is changed, where the call would not be put
    /// to a classifier any more, because of a rule, the mode, or a counter. It
    /// is to be decided anew then. An answer that is no allow always holds.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub fn conclude_if_still_asked(
        &self,
        request: &Request<'_>,
        answer: &ClassifierAnswer,
    ) -> Result<Option<Outcome>, StateError> {
        self.conclude_in(request, answer, answer.verdict == Verdict::Allow)
    }

    fn conclude_in(
        &self,
        request: &Request<'_>,
        answer: &ClassifierAnswer,
        only_if_still_asked: bool,
    ) -> Result<Option<Outcome>, StateError> {
        let now = self.clock.now();
        let id = self.ids.next();
        let mut concluded = None;
        let mut is_void = false;
        let committed = self.store.transition(&mut |transaction| {
            let mut sessions = self.sessions(transaction, request, now)?;
            is_void = only_if_still_asked && step(request, sessions.counters()) != Step::Classify;
            if is_void {
                return Ok(());
            }
            self.look_for(transaction, request, now)?;
            let outcome = apply::apply(
                transaction,
                &mut sessions,
                &Applying {
                    request,
                    id: &id,
                    digest: request.call.digest(),
                    mode: decide::effective_mode(request.call, request.mode),
                    decision: classify::decision(
                        &answer.verdict,
                        request.call,
                        request.facts,
                        request.policy,
                    ),
                    model: Some(answer.model.clone()),
                    rules: None,
                    now,
                },
            )?;
            sessions.save(transaction)?;
            concluded = Some(outcome);
            Ok(())
        });
        let outcome = match (committed, concluded) {
            (Ok(()), None) if is_void => return Ok(None),
            (Ok(()), Some(outcome)) => outcome,
            (Err(error @ StateError::Unreadable(_)), _) => return Err(error),
            (Ok(()) | Err(StateError::Unwritable(_)), _) => match unrecorded(request, id) {
                Reply::Done(outcome) => *outcome,
                Reply::NoOpinion | Reply::Classify => {
                    return Err(StateError::Unwritable(
                        "the classifier's answer could not be recorded".to_owned(),
                    ));
                }
            },
        };
        self.tell_decided(&outcome);
        Ok(Some(outcome))
    }

    pub(crate) fn sessions(
        &self,
        transaction: &mut dyn Transaction,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Sessions, StateError> {
        let mut sessions = Sessions::open(
            transaction,
            &*self.processes,
            &request.call.key,
            request.process,
            request.policy.workspaces.first().map(AsRef::as_ref),
            now,
        )?;
        self.adopt(transaction, &mut sessions, request.process)?;
        if let Some(server) = request.server {
            self.pin(&mut sessions, server);
        }
        Ok(sessions)
    }

    /// A session belongs to the server of its first call until that server's
    /// process is gone: one that comes later must not take it over.
    fn pin(&self, sessions: &mut Sessions, server: &ServerId) {
        let root = sessions.root_mut();
        let is_free = match &root.server_process {
            None => true,
            Some(process) => *process != server.process && !self.processes.alive(process),
        };
        if is_free {
            root.server = Some(server.key.clone());
            root.server_process = Some(server.process.clone());
        }
    }

    /// A session whose agent is gone and that an agent takes up again belongs
    /// to the new process; its counters stay, and those of an agent above the
    /// new process hold from now on.
    fn adopt(
        &self,
        transaction: &mut dyn Transaction,
        sessions: &mut Sessions,
        process: Option<&ProcessId>,
    ) -> Result<(), StateError> {
        let Some(process) = process.filter(|process| self.is_orphaned(sessions.root(), process))
        else {
            return Ok(());
        };
        if sessions.root().nested.is_none()
            && let Some(nested) = nesting::nesting(&*self.processes, transaction, process)?
        {
            sessions.belongs_to(transaction, nested)?;
        }
        let root = sessions.root_mut();
        root.process = Some(process.clone());
        root.ended = false;
        Ok(())
    }

    /// Whether an event of this process has authority over a session as the
    /// state knows it (none: it begins with the event). Unknown is no.
    #[must_use]
    pub fn speaks_for(&self, session: Option<&SessionState>, process: Option<&ProcessId>) -> bool {
        let Some(process) = process else {
            return false;
        };
        session.is_none_or(|session| {
            session.process.as_ref() == Some(process) || self.is_orphaned(session, process)
        })
    }

    /// Whether an event comes from the process tree of the agent that opened
    /// the session. Unknown is no.
    pub(crate) fn trusts(&self, sessions: &Sessions, process: Option<&ProcessId>) -> bool {
        sessions.opened_by(process)
    }

    pub(crate) fn tell_decided(&self, outcome: &Outcome) {
        for observer in &self.observers {
            observer.decided(outcome);
        }
    }

    pub(crate) fn tell_resolved(&self, resolution: &Resolution) {
        for observer in &self.observers {
            observer.resolved(resolution);
        }
    }

    pub(crate) fn tell_voided(&self, call: &str) {
        for observer in &self.observers {
            observer.voided(call);
        }
    }

    pub(crate) fn tell_noted(&self, noted: &Noted) {
        for observer in &self.observers {
            observer.noted(noted);
        }
    }

    /// Tells the observers of a user hook that ran. Changes nothing.
    pub fn hook_ran(&self, run: &HookRun) {
        for observer in &self.observers {
            observer.hook_ran(run);
        }
    }
}

/// What a request comes to with these counters.
fn step(request: &Request<'_>, counters: Counters) -> Step {
    decide::decide(&Situation {
        call: request.call,
        facts: request.facts,
        policy: request.policy,
        mode: request.mode,
        counters,
        granted: request.granted,
        classifier: request.classifier,
    })
}

/// The later event of a call that is already decided: nothing is counted and
/// nothing is asked again.
fn again(
    transaction: &mut dyn Transaction,
    sessions: &Sessions,
    mut earlier: CallState,
    request: &Request<'_>,
    trusted: bool,
) -> Result<Outcome, StateError> {
    earlier.events.push(request.event);
    if earlier.agent_call.is_none() {
        earlier.agent_call.clone_from(&request.call.id);
    }
    // A session may have gone over to another process since.
    let delegated =
        earlier.status == CallStatus::Delegated && earlier.delegated_to.as_ref() == request.process;
    let decision = match (&earlier.decision, request.event) {
        // The agent asked the person before its last event, and goes on: that
        // is the yes. The result of the call then resolves the approval. An
        // agent that can still ask here has not: it prompts after this event.
        (Decision::Ask { .. }, CallEvent::PreTool)
            if delegated && trusted && request.asking == Asking::Nobody =>
        {
            countersign_core::approval::Answer::ProceedOnce.decision()
        }
        (decision, _) => decision.clone(),
    };
    let decision = match (decision, request.asking) {
        (ask @ Decision::Ask { .. }, Asking::Nobody) => apply::nowhere_to_ask(&ask),
        (decision, _) => decision,
    };
    transaction.put_call(&earlier)?;
    Ok(Outcome {
        call: earlier.id,
        key: earlier.key,
        tool: earlier.tool,
        mode: decide::effective_mode(request.call, request.mode),
        decision,
        asked: None,
        before: sessions.counters(),
        after: sessions.counters(),
        joined: true,
        set_aside: Vec::new(),
        digest: earlier.digest,
        approval: earlier.approval,
        model: None,
        recorded: true,
        subject: String::new(),
        started: request.background.started,
        layers: request.layers(None),
        trace: request.background.trace,
    })
}

/// What can be decided when nothing can be recorded: as in default mode, with
/// no model, so that nothing depends on counters that are not kept.
fn unrecorded(request: &Request<'_>, id: String) -> Reply {
    let mode = decide::effective_mode(request.call, request.mode).stricter(ApprovalMode::Default);
    let step = decide::decide(&Situation {
        call: request.call,
        facts: request.facts,
        policy: request.policy,
        mode,
        counters: Counters::default(),
        granted: false,
        classifier: false,
    });
    let decision = match step {
        Step::NoOpinion => return Reply::NoOpinion,
        Step::Classify => Decision::Ask {
            reason: countersign_core::decision::AskReason::NoClassifier,
            detail: "the state cannot be written".to_owned(),
        },
        Step::Done(decision) => decision,
    };
    let asked = apply::asked(&decision);
    let decision = match (decision, request.asking) {
        (ask @ Decision::Ask { .. }, Asking::Nobody | Asking::Surface) => {
            apply::nowhere_to_ask(&ask)
        }
        (decision, _) => decision,
    };
    Reply::Done(Box::new(Outcome {
        call: id,
        key: request.call.key.clone(),
        tool: apply::tool(request.call),
        mode,
        decision,
        asked,
        before: Counters::default(),
        after: Counters::default(),
        joined: false,
        set_aside: Vec::new(),
        digest: request.call.digest(),
        approval: None,
        model: None,
        recorded: false,
        subject: record::subject(request.call),
        started: request.background.started,
        layers: request.layers(None),
        trace: request.background.trace,
    }))
}
