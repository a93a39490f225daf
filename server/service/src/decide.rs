//! The way of an event through the server: decided in a thread that may wait
//! for files and for the state, asked about where a person must say.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use camino::Utf8PathBuf;
use countersign_agents::{EventKind, HookEvent};
use countersign_core::approval::Answer;
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::{BlockReason, Decision, Via};
use countersign_core::mode::ApprovalMode;
use countersign_core::projection::TooLong;
use countersign_core::prompt::Material;
use countersign_core::state::{CallEvent, SessionState, StateError};
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Background, Layer, Outcome, Reply, Request, ServerId};
use countersign_guard::{Guard, agent_event, asking_without_surface};

use crate::approvals::Ended;
use crate::grants::Denied;
use crate::incoming::{Gone, Handled, Incoming, Origin, Prepared, Proxy};
use crate::service::Service;
use crate::surface::Notice;

/// How often a call is asked about anew because what was shown has changed.
const MOST_TRIES: usize = 4;

/// An event after its first step.
#[derive(Debug)]
pub struct Begun(State);

#[derive(Debug)]
pub(crate) enum State {
    Over(Handled),
    Classify(Box<Prepared>, Result<Arc<Material>, TooLong>),
    Ask(Box<Prepared>, Box<Outcome>),
}

impl Service {
    /// Handles an event to its end.
    pub async fn handle(self: &Arc<Self>, incoming: Incoming, gone: Gone) -> Handled {
        let begun = self.begin(incoming).await;
        self.finish(begun, gone).await
    }

    /// Takes the first step: everything but waiting for a model or a person.
    /// Who begins events in order has them decided in order.
    pub async fn begin(self: &Arc<Self>, incoming: Incoming) -> Begun {
        let begun = self
            .blocking_here(move |service| service.begin_now(incoming))
            .await;
        Begun(begun.unwrap_or_else(|problem| State::Over(Handled::Failed(internal(problem)))))
    }

    /// Waits for the model or the person, where the first step did not end it.
    pub async fn finish(self: &Arc<Self>, begun: Begun, mut gone: Gone) -> Handled {
        let mut state = begun.0;
        for _ in 0..MOST_TRIES {
            state = match state {
                State::Over(handled) => return handled,
                State::Classify(prepared, material) => {
                    self.classify(prepared, material, &mut gone).await
                }
                State::Ask(prepared, outcome) => self.ask(prepared, *outcome, &mut gone).await,
            };
        }
        match state {
            State::Over(handled) => handled,
            State::Classify(prepared, _) => self.no_answer_held(prepared).await,
            State::Ask(_, outcome) => {
                // Nobody is asked once more, and the journal says so.
                let _ = self.not_asked(*outcome, Answer::Aborted).await;
                Handled::Failed(kept_changing())
            }
        }
    }

    fn begin_now(&self, incoming: Incoming) -> State {
        match self.begin_or_fail(incoming) {
            Ok(state) => state,
            Err(problem) => State::Over(Handled::Failed(internal(problem))),
        }
    }

    fn begin_or_fail(&self, mut incoming: Incoming) -> Result<State, String> {
        if let Some(refusal) = &self.refusal {
            return Ok(State::Over(Handled::NotOwner(refusal.clone())));
        }
        let session = match self.store.snapshot(&incoming.event.key.root()) {
            Ok(session) => session,
            // Nothing is kept: every call is the first.
            Err(StateError::Unwritable(_)) => None,
            Err(error @ StateError::Unreadable(_)) => return Err(error.to_string()),
        };
        let is_own = match &incoming.origin {
            Origin::Hook | Origin::Proxy(Proxy { is_own: false, .. }) => false,
            Origin::Editor | Origin::Proxy(Proxy { is_own: true, .. }) => true,
        };
        if !is_own && let Some(refused) = self.not_ours(&incoming.event, session.as_ref()) {
            return Ok(State::Over(refused));
        }
        if let Origin::Proxy(proxy) = &incoming.origin {
            if matches!(incoming.event.kind, EventKind::Call { .. }) && !is_own && !self.can_ask() {
                let why = "nobody can be asked here: the proxy asks its own client".to_owned();
                return Ok(State::Over(Handled::NotOwner(why)));
            }
            // A hook of the agent may have opened the session: the proxy speaks
            // for everything below itself.
            let opened = session
                .as_ref()
                .and_then(|session| session.process.as_ref());
            if let Some(opener) = opened
                && countersign_ipc::alive(opener)
                && countersign_ipc::peer::descends_from(opener.pid, &proxy.process)
            {
                incoming.process = Some(opener.clone());
            }
        }
        // What a person chose before this server began still makes it stricter.
        let chosen = session.as_ref().and_then(|session| session.chosen);
        let process = incoming.process.as_ref();
        let is_trusted = self.engine.speaks_for(session.as_ref(), process);
        incoming.tighten = ApprovalMode::strictest(incoming.tighten, chosen);
        match &incoming.event.kind {
            EventKind::Call { stage, call } => {
                let nested = self
                    .engine
                    .nested(session.as_ref(), incoming.process.as_ref());
                let began_in = session.and_then(|session| session.workspace);
                let event = CallEvent::from(*stage);
                let asking = match &incoming.origin {
                    _ if self.can_ask() => Asking::Surface,
                    // The agent's own prompt is the proxy's client.
                    Origin::Proxy(_) => Asking::Nobody,
                    Origin::Hook | Origin::Editor => {
                        asking_without_surface(incoming.event.event_ref())
                    }
                };
                let call = Arc::new(call.clone());
                let mut prepared = self.prepare(call, began_in, event, asking, &incoming);
                prepared.is_trusted = is_trusted;
                prepared.nested = nested;
                self.put_hooks_first(&mut prepared);
                self.decide(prepared)
            }
            _ => {
                let began_in = session.and_then(|session| session.workspace);
                self.note(&incoming, began_in);
                Ok(State::Over(Handled::Noted))
            }
        }
    }

    /// Whether the session is another server's, or nothing ties it to this one.
    fn not_ours(&self, event: &HookEvent, session: Option<&SessionState>) -> Option<Handled> {
        // What was decided here stays here, whatever the state says by now.
        let root = event.key.root();
        if self
            .sessions
            .get(&root)
            .is_some_and(|known| !known.view.elsewhere)
        {
            return None;
        }
        if let Some(SessionState {
            server: Some(key),
            server_process: Some(process),
            ..
        }) = session
        {
            if *process == self.server.process {
                return None;
            }
            if countersign_ipc::alive(process) {
                return Some(Handled::Elsewhere(ServerId {
                    key: key.clone(),
                    process: process.clone(),
                }));
            }
        }
        let cwd = self
            .guards
            .host()
            .canonical(&event.cwd)
            .unwrap_or_else(|| event.cwd.clone());
        let inside = self.roots().iter().any(|root| cwd.starts_with(root));
        (!inside).then(|| {
            Handled::NotOwner(format!("{cwd} is in no folder that is open in this editor"))
        })
    }

    fn prepare(
        &self,
        call: Arc<Call>,
        began_in: Option<Utf8PathBuf>,
        event: CallEvent,
        asking: Asking,
        incoming: &Incoming,
    ) -> Prepared {
        let tighten = incoming.tighten;
        let (guard, mode) = self.ground(&call, began_in.clone(), tighten);
        let host = self.guards.host();
        let began = Instant::now();
        let facts = self.engine.facts(&call, &host, &guard.policy);
        let background = Background {
            started: Some(incoming.started),
            trace: incoming.trace,
            analysis: Some(Layer::since(incoming.started, began)),
            ..Background::default()
        };
        let head = self.engine.head_before(&host, &guard.policy, &call, &facts);
        Prepared {
            background,
            head,
            facts: Arc::new(facts),
            call,
            guard,
            began_in,
            mode,
            event,
            asking,
            without_hooks: None,
            process: incoming.process.clone(),
            tighten,
            deadline: incoming.deadline,
            started: incoming.started,
            decided: incoming.started,
            transcript_path: incoming.event.transcript_path.clone(),
            is_trusted: false,
            nested: None,
            shown: None,
        }
    }

    /// What holds for a call, and in which mode.
    fn ground(
        &self,
        call: &Call,
        began_in: Option<Utf8PathBuf>,
        tighten: Option<ApprovalMode>,
    ) -> (Arc<Guard>, ApprovalMode) {
        let (chosen, rules) = match self.sessions.get(&call.key.root()) {
            Some(session) => (session.chosen, session.rules.clone()),
            None => (None, Vec::new()),
        };
        let chosen = chosen.or_else(|| self.chosen_for_next(&call.key));
        let guard = self.guards.get(began_in, &call.cwd, &rules, tighten);
        let mode = self.mode_by(&guard, chosen);
        (guard, mode)
    }

    /// What a person chose for the next session, if this is it: then it is
    /// chosen for no other.
    fn chosen_for_next(&self, key: &SessionKey) -> Option<ApprovalMode> {
        if self.sessions.contains_key(&key.root()) {
            return None;
        }
        let mode = crate::service::lock(&self.next).take()?;
        self.with_session(key, mode, |session| session.chosen = Some(mode));
        Some(mode)
    }

    /// The mode that a guard comes to: what a person chose for the session,
    /// else for this server, else what the command line says, else the
    /// settings.
    pub(crate) fn mode_by(&self, guard: &Guard, chosen: Option<ApprovalMode>) -> ApprovalMode {
        // Nobody uses auto mode who was never told what it does.
        let command_line = self
            .command_line
            .filter(|mode| *mode != ApprovalMode::Auto || guard.effective.auto_acknowledged);
        let chosen = chosen
            .or_else(|| *crate::service::lock(&self.chosen))
            .or(command_line);
        guard.mode(chosen)
    }

    /// The same call once more, as everything is now.
    pub(crate) fn prepare_again(&self, earlier: &Prepared) -> Prepared {
        let (guard, mode) = self.ground(&earlier.call, earlier.began_in.clone(), earlier.tighten);
        let host = self.guards.host();
        let began = Instant::now();
        let facts = self.engine.facts(&earlier.call, &host, &guard.policy);
        let analysis = Some(Layer::since(earlier.started, began));
        let head = self
            .engine
            .head_before(&host, &guard.policy, &earlier.call, &facts);
        Prepared {
            background: Background {
                analysis,
                ..earlier.background
            },
            head,
            guard,
            mode,
            facts: Arc::new(facts),
            ..earlier.clone()
        }
    }

    /// Decides as far as that is possible without a model or a person.
    pub(crate) fn decide(&self, mut prepared: Prepared) -> Result<State, String> {
        let now = Instant::now();
        prepared.decided = now;
        let key = &prepared.call.key;
        let grant = if self.grants.has_any(key, now) {
            let digest = prepare::approval_digest(&prepared.call, &prepared.facts);
            self.grants.take(key, digest, now)
        } else {
            None
        };
        let reply = self
            .engine
            .decide(&self.request(&prepared, grant.is_some()))
            .map_err(|error| error.to_string());
        let used = matches!(
            &reply,
            Ok(Reply::Done(outcome))
                if matches!(outcome.decision, Decision::Allow { via: Via::Grant, .. })
        );
        if let Some(grant) = grant
            && !used
        {
            self.grants.give_back(grant);
        }
        Ok(match reply? {
            Reply::NoOpinion => State::Over(Handled::NoOpinion),
            Reply::Classify => {
                prepared.background.rules = Some(Layer::since(prepared.started, now));
                let digest = prepare::approval_digest(&prepared.call, &prepared.facts);
                prepared.shown = Some(digest);
                let material = self.material(&prepared);
                State::Classify(Box::new(prepared), material)
            }
            Reply::Done(outcome) => self.decided(prepared, outcome),
        })
    }

    pub(crate) fn request<'a>(&'a self, prepared: &'a Prepared, granted: bool) -> Request<'a> {
        Request {
            call: &prepared.call,
            facts: &prepared.facts,
            policy: &prepared.guard.policy,
            mode: prepared.mode,
            event: prepared.event,
            process: prepared.process.as_ref(),
            asking: prepared.asking,
            granted,
            classifier: self.judges(&prepared.guard),
            server: self
                .keeps_sessions
                .load(Ordering::Relaxed)
                .then_some(&self.server),
            memory: Some(self),
            head: prepared.head.as_ref(),
            spent_micros: u64::try_from(prepared.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            background: prepared.background,
        }
    }

    /// Tells of a decision; an ask of our own goes on.
    pub(crate) fn decided(&self, prepared: Prepared, outcome: Box<Outcome>) -> State {
        self.tell_decided(&prepared, &outcome);
        self.tell_hooks_decided(&prepared, &outcome);
        if let Decision::Denied { .. } = outcome.decision {
            self.grants.denied(Denied {
                id: outcome.call.clone(),
                key: outcome.key.clone(),
                call: Arc::clone(&prepared.call),
                digest: prepare::approval_digest(&prepared.call, &prepared.facts),
            });
        }
        if matches!(outcome.decision, Decision::Ask { .. }) && prepared.asking == Asking::Surface {
            return State::Ask(Box::new(prepared), outcome);
        }
        let decision = outcome.decision.clone();
        State::Over(Handled::Decided(outcome, decision))
    }

    /// Asks a person and waits for the answer.
    async fn ask(
        self: &Arc<Self>,
        prepared: Box<Prepared>,
        outcome: Outcome,
        gone: &mut Gone,
    ) -> State {
        let id = outcome.call.clone();
        let digest = prepared.call.digest();
        let joined = self.approvals.join(&id, digest);
        let (approval, receiver) = match joined {
            Some(open) => open,
            None => {
                let (for_asking, of_call) = (prepared.clone(), outcome.clone());
                let asked = self
                    .blocking(move |service| service.compose(&for_asking, &of_call))
                    .await;
                let approval = match asked {
                    Ok(Ok(approval)) => Arc::new(approval),
                    Ok(Err(answer)) => return self.not_asked(outcome, answer).await,
                    Err(problem) => return State::Over(Handled::Failed(internal(problem))),
                };
                match self.approvals.open(Arc::clone(&approval)) {
                    Ok(receiver) => {
                        let is_hooked = self.ask_hooks(&prepared, &outcome, &approval);
                        if self.can_ask() || !is_hooked {
                            self.note_asked(&approval);
                            self.tell_hooks_waiting(&prepared.guard, &outcome);
                        }
                        self.tell(Notice::Asked(Arc::clone(&approval)));
                        self.mark(Some(&approval.key));
                        // The surface may have gone while this was prepared.
                        if !self.can_ask() && !is_hooked {
                            self.end(&id, Answer::NoSurface).await;
                        }
                        (approval, receiver)
                    }
                    Err(because) => {
                        return self.not_asked(outcome, Answer::NotAsked { because }).await;
                    }
                }
            }
        };
        let mut receiver = receiver;
        let deadline = tokio::time::sleep_until(approval.expires.min(prepared.deadline).into());
        let ended = tokio::select! {
            ended = &mut receiver => ended,
            () = deadline => {
                // Somebody else may have more time for the same call.
                if !self.approvals.leave(&id) {
                    return State::Over(Handled::Failed(Answer::Timeout.decision()));
                }
                self.end(&id, Answer::Timeout).await;
                receiver.await
            }
            () = gone => {
                if self.approvals.leave(&id) {
                    self.end(&id, Answer::Aborted).await;
                    receiver.await
                } else {
                    return State::Over(Handled::Failed(Answer::Aborted.decision()));
                }
            }
        };
        match ended {
            Ok(Ended::Decided(decision, after)) => {
                let outcome = Outcome {
                    after: after.unwrap_or(outcome.after),
                    ..outcome
                };
                State::Over(Handled::Decided(Box::new(outcome), decision))
            }
            Ok(Ended::Void) => {
                let again = self
                    .blocking(move |service| {
                        let prepared = service.prepare_again(&prepared);
                        service.decide(prepared)
                    })
                    .await;
                match again {
                    Ok(Ok(state)) => state,
                    Ok(Err(problem)) | Err(problem) => {
                        State::Over(Handled::Failed(internal(problem)))
                    }
                }
            }
            Err(_) => State::Over(Handled::Failed(internal(
                "the approval was lost before an answer".to_owned(),
            ))),
        }
    }

    /// Ends an ask about which nobody is asked.
    pub(crate) async fn not_asked(self: &Arc<Self>, outcome: Outcome, answer: Answer) -> State {
        let decision = answer.decision();
        let shown = (outcome.key.clone(), outcome.call.clone());
        let settled = self
            .blocking(move |service| {
                service.histories.settled(&shown.0, &shown.1, false);
                service.settle_unasked(&shown.0, &shown.1, &answer)
            })
            .await;
        if let Ok(Err(problem)) | Err(problem) = settled {
            tracing::error!("an ask that nobody was asked about is not recorded: {problem}");
        }
        State::Over(Handled::Decided(Box::new(outcome), decision))
    }

    fn note(&self, incoming: &Incoming, began_in: Option<Utf8PathBuf>) {
        let event = &incoming.event;
        let Some(agent_event) = agent_event(&event.kind) else {
            return;
        };
        if let Origin::Proxy(_) = incoming.origin
            && self.is_reported(event)
        {
            return;
        }
        let guard = self.guards.get(began_in, &event.cwd, &[], None);
        let noted = self.engine.note(
            &event.key,
            agent_event,
            incoming.process.as_ref(),
            guard.policy.limits,
        );
        match noted {
            Ok(noted) => {
                let host = self.guards.host();
                if let Err(error) = self.engine.look_after(&noted, &host, &guard.policy) {
                    tracing::error!("HEAD is not looked at after a result: {error}");
                }
                self.tell_noted(event, &noted);
                if !noted.ignored {
                    self.tell_hooks_session(event, &guard);
                }
                self.remember_event(event, &noted, &guard);
            }
            // Nothing is to be decided here, and the tool has run or the turn
            // has ended: what could not be noted has no authority.
            Err(error) => tracing::error!("an event of {} is not noted: {error}", event.key),
        }
        if matches!(
            event.kind,
            EventKind::SessionStart { .. } | EventKind::SessionEnd { .. }
        ) && let Err(error) = self
            .journal()
            .retain(guard.effective.journal, self.clock.now())
        {
            tracing::error!("the journal is not kept within its limits: {error}");
        }
    }
}

pub(crate) fn kept_changing() -> Decision {
    Decision::Block {
        reason: BlockReason::Person,
        detail: "the files that the call names kept changing while it was asked about".to_owned(),
    }
}

/// Why the guard failed.
pub(crate) fn internal(detail: String) -> Decision {
    Decision::Block {
        reason: BlockReason::Internal,
        detail,
    }
}
