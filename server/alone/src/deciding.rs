//! One event from what holds when it comes to its answer.

use std::sync::Arc;

use countersign_agents::{Answer, CallStage, EventKind, HookOutput, encode};
use countersign_core::call::Call;
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::facts::Facts;
use countersign_core::ledger::Look;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{ModelRecord, SessionState, StateError};
use countersign_engine::Engine;
use countersign_engine::request::{Background, NoMemory, Outcome, Reply, Request};
use countersign_guard::{Guard, agent_event, answer_of, asking_without_surface};
use countersign_hook::Undecided;

use crate::beyond::{Beyond, Judged};
use crate::state::{self, State};

/// How often a call is decided anew because it changed while a model was asked
/// about it.
const MOST_TRIES: usize = 4;

/// Decides an event, or takes note of it.
///
/// # Errors
/// When the state cannot be read: nothing may be decided.
pub(crate) fn handle(alone: &Undecided<'_>, beyond: &impl Beyond) -> Result<HookOutput, String> {
    let event = alone.event;
    let state = state::open(&alone.places.state_dir)?;
    let engine = countersign_guard::engine(Arc::clone(&state.store), Vec::new());
    let deciding = Deciding {
        engine: &engine,
        alone,
        state: &state,
        beyond,
    };
    if let EventKind::Call { stage, call } = &event.kind {
        return deciding.decide(*stage, call);
    }
    let Ground { guard, .. } = deciding.ground()?;
    if let Some(noted) = agent_event(&event.kind) {
        let noted = engine
            .note(&event.key, noted, alone.process, guard.policy.limits)
            .and_then(|noted| {
                engine.look_after(&noted, &guard.host, &guard.policy)?;
                Ok(noted)
            });
        match noted {
            Ok(noted) if noted.ignored => {}
            Ok(_) => beyond.tell_session(&guard, event),
            // Nothing is to be decided here, and the tool has run or the turn
            // has ended: what could not be noted has no authority, which is the
            // safe side of every one of these events.
            Err(error) => tracing::error!("an event of {} is not noted: {error}", event.key),
        }
    }
    if matches!(
        event.kind,
        EventKind::SessionStart { .. } | EventKind::SessionEnd { .. }
    ) {
        state::retain(&guard.places.state_dir, guard.effective.journal);
    }
    Ok(encode(event.event_ref(), &Answer::NoOpinion))
}

/// What holds for an event, and who says it.
pub struct Ground {
    /// The settings.
    pub guard: Guard,
    /// Whether what the event says of the user can be believed: it comes from
    /// the agent that opened the session, and no other agent started that one.
    pub is_the_users: bool,
}

impl Ground {
    /// As everything is now.
    ///
    /// # Errors
    /// When the state cannot be read: nothing may be decided.
    fn now(alone: &Undecided<'_>, state: &State, engine: &Engine) -> Result<Self, String> {
        let event = alone.event;
        let session = match state.store.snapshot(&event.key.root()) {
            Ok(session) => session,
            // Nothing is kept: every call is the first.
            Err(StateError::Unwritable(_)) => None,
            Err(error @ StateError::Unreadable(_)) => return Err(error.to_string()),
        };
        let pinned = session.as_ref().and_then(pinned_elsewhere);
        let chosen = session.as_ref().and_then(|session| session.chosen);
        let tighten = [pinned, chosen]
            .into_iter()
            .fold(alone.tighten, ApprovalMode::strictest);
        let is_trusted = engine.speaks_for(session.as_ref(), alone.process);
        let is_the_users = is_trusted && engine.nested(session.as_ref(), alone.process).is_none();
        let began_in = session.and_then(|session| session.workspace);
        let guard = Guard::in_session(alone.places.clone(), began_in, &event.cwd, tighten);
        for problem in &guard.policy.problems {
            tracing::warn!("settings: {problem}");
        }
        Ok(Self {
            guard,
            is_the_users,
        })
    }
}

/// The mode that a session may have at most while the server that it belongs to
/// runs and has not decided: what a person chose there is not known here.
fn pinned_elsewhere(session: &SessionState) -> Option<ApprovalMode> {
    let server = session.server_process.as_ref()?;
    countersign_ipc::alive(server).then(|| {
        tracing::warn!(
            "the server of session {} (process {}) runs and was not reached: the mode is at most \
             default; restart the editor's server if this stays so",
            session.key,
            server.pid
        );
        ApprovalMode::Default
    })
}

/// What there is to know of a call.
struct Seen {
    facts: Facts,
    /// HEAD, where the call may write something.
    head: Option<Look>,
}

/// What deciding a call needs.
pub struct Deciding<'a, B> {
    /// Over the state.
    pub engine: &'a Engine,
    /// The event.
    pub alone: &'a Undecided<'a>,
    /// The state.
    pub state: &'a State,
    /// What else the program does.
    pub(crate) beyond: &'a B,
}

impl<B: Beyond> Deciding<'_, B> {
    fn decide(&self, stage: CallStage, call: &Call) -> Result<HookOutput, String> {
        let event = self.alone.event.event_ref();
        let mut ground = self.ground()?;
        for _ in 0..MOST_TRIES {
            let seen = self.look_at(call, &ground.guard);
            let request = self.request(stage, call, &ground.guard, &seen);
            let asked = self.beyond.asked_first(self, &request, &ground.guard);
            let request = asked.request(&request);
            let reply = self
                .engine
                .decide(&request)
                .map_err(|error: StateError| error.to_string())?;
            let outcome = match reply {
                Reply::NoOpinion => return Ok(encode(event, &Answer::NoOpinion)),
                Reply::Done(outcome) => outcome,
                Reply::Classify => match self.beyond.judge(self, &request, &ground)? {
                    Judged::Decided(outcome) => outcome,
                    Judged::Void(now) => {
                        ground = *now;
                        continue;
                    }
                },
            };
            let decided = self
                .beyond
                .with_hooks(self, &request, &ground.guard, asked, &outcome)?;
            match decided {
                Some(decision) => return Ok(encode(event, &answer_of(&decision))),
                None => ground = self.ground()?,
            }
        }
        let seen = self.look_at(call, &ground.guard);
        let outcome = self.no_answer_held(&self.request(stage, call, &ground.guard, &seen))?;
        self.beyond.tell_hooks(call, &ground.guard, &outcome);
        Ok(encode(event, &answer_of(&outcome.decision)))
    }

    /// What holds now.
    ///
    /// # Errors
    /// When the state cannot be read: nothing may be decided.
    pub fn ground(&self) -> Result<Ground, String> {
        let ground = Ground::now(self.alone, self.state, self.engine)?;
        if !ground.guard.effective.hooks.is_empty() {
            self.beyond.user_hooks(self.alone)?;
        }
        Ok(ground)
    }

    /// What there is to know of a call now.
    fn look_at(&self, call: &Call, guard: &Guard) -> Seen {
        let facts = self.engine.facts(call, &guard.host, &guard.policy);
        let head = self
            .engine
            .head_before(&guard.host, &guard.policy, call, &facts);
        Seen { facts, head }
    }

    /// The request as it is put to the engine now.
    fn request<'r>(
        &'r self,
        stage: CallStage,
        call: &'r Call,
        guard: &'r Guard,
        seen: &'r Seen,
    ) -> Request<'r> {
        Request {
            call,
            facts: &seen.facts,
            policy: &guard.policy,
            mode: guard.policy.mode,
            event: stage.into(),
            process: self.alone.process,
            asking: asking_without_surface(self.alone.event.event_ref()),
            granted: false,
            classifier: guard.effective.classifier.is_some(),
            server: None,
            memory: Some(&NoMemory),
            head: seen.head.as_ref(),
            spent_micros: self.spent_micros(),
            background: Background::default(),
        }
    }

    /// How long deciding took until now, in microseconds.
    #[must_use]
    pub fn spent_micros(&self) -> u64 {
        u64::try_from(self.alone.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Applies a model's answer that is no allow.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn conclude(
        &self,
        request: &Request<'_>,
        answer: &ClassifierAnswer,
    ) -> Result<Outcome, String> {
        let concluding = Request {
            spent_micros: self.spent_micros(),
            ..*request
        };
        self.engine
            .conclude(&concluding, answer)
            .map_err(|error| error.to_string())
    }

    /// Every answer was about something else than what was there when it came.
    fn no_answer_held(&self, request: &Request<'_>) -> Result<Outcome, String> {
        let answer = unavailable(
            UnavailableReason::Timeout,
            "what the call is about kept changing while the model was asked about it".to_owned(),
        );
        self.conclude(request, &answer)
    }
}

/// The answer of a model that gave none, and what is told of it.
#[must_use]
pub fn unavailable(why: UnavailableReason, problem: String) -> ClassifierAnswer {
    ClassifierAnswer {
        verdict: Verdict::Unavailable(why),
        model: ModelRecord {
            problem: Some(problem),
            ..ModelRecord::default()
        },
    }
}
