//! Asking the classifier about a call, and applying what it says: once for all
//! events of the call, and never where nobody waits for the answer any more.

use std::sync::Arc;
use std::time::Instant;

use camino::Utf8Path;
use countersign_agents::{EventKind, HookEvent};
use countersign_core::approval::Answer;
use countersign_core::call::SessionKey;
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::{Decision, UnavailableReason};
use countersign_core::projection::TooLong;
use countersign_core::prompt::Material;
use countersign_core::state::ModelRecord;
use countersign_core::transcript::Transcript;
use countersign_engine::events::Noted;
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Layer, Outcome};
use countersign_guard::Guard;

use crate::classifier::{Classifier, Question};
use crate::decide::{State, internal, kept_changing};
use crate::history::{History, Look};
use crate::in_flight::{Asks, Concluded, Turn, told};
use crate::incoming::{Gone, Handled, Prepared};
use crate::material::{decided, material};
use crate::service::Service;
use crate::turns::{TurnsError, growth, turns};

/// The places of a model that no settings speak of.
const DEFAULT_PLACES: u32 = 16;

impl Service {
    /// Whether there is a model to ask about calls for which this holds.
    pub(crate) fn judges(&self, guard: &Guard) -> bool {
        self.classifier
            .as_ref()
            .is_some_and(|classifier| classifier.is_configured(guard))
    }

    /// What a model may be told of a call. May read the agent's own file of the
    /// conversation, where its beginning was not heard.
    pub(crate) fn material(&self, prepared: &Prepared) -> Result<Arc<Material>, TooLong> {
        let transcript = self.transcript(prepared);
        let guard = &prepared.guard;
        material(&prepared.call, &prepared.facts, guard, transcript).map(Arc::new)
    }

    fn transcript(&self, prepared: &Prepared) -> Transcript {
        let key = &prepared.call.key;
        if prepared.nested.is_some() {
            // What was typed there was typed by an agent, also if a person
            // began the session and the agent took it up.
            let all = self.histories.with(key, |history| history.transcript());
            return all.without_user_texts();
        }
        // A file counts only if the agent that opened the session names it.
        let file = prepared
            .transcript_path
            .as_ref()
            .filter(|_| prepared.is_trusted);
        if let Some(file) = file
            && let Err(why) = self.look_into(file, key, &prepared.guard)
        {
            tracing::debug!("what the user of session {key} typed is not known: {why}");
        }
        self.histories.with(key, |history| history.transcript())
    }

    /// Looks into the agent's own file for what no event told of.
    fn look_into(
        &self,
        file: &Utf8Path,
        key: &SessionKey,
        guard: &Guard,
    ) -> Result<(), TurnsError> {
        let look = self.histories.with(key, |history| history.looks_for(file));
        let since = match look {
            Look::Not => return Ok(()),
            Look::All => 0,
            Look::Since(place) => place,
        };
        // Before the texts: what comes between the two is looked for next time.
        let growth = growth(key, file, guard, since)?;
        let may_have_words = growth.is_some_and(|growth| growth.may_have_words);
        if look == Look::All || may_have_words {
            let texts = turns(key, file, guard)?;
            self.histories
                .with(key, |history| history.file_says(&texts));
        }
        if let Some(growth) = growth {
            self.histories
                .with(key, |history| history.has_read(file, growth.until));
        }
        Ok(())
    }

    /// A call was decided: it is part of what happened before the next one.
    pub(crate) fn remember_call(&self, prepared: &Prepared, outcome: &Outcome) {
        if !self.judges(&prepared.guard) {
            return;
        }
        let (call, facts, guard) = (&prepared.call, &prepared.facts, &prepared.guard);
        let entry = decided(&outcome.call, call, facts, guard, &outcome.decision);
        self.histories
            .with(&outcome.key, |history| history.called(entry));
    }

    /// An event that needs no decision was noted: what a person typed counts
    /// only if the event has authority, and a sub-agent's prompt is no person's.
    pub(crate) fn remember_event(&self, event: &HookEvent, noted: &Noted, guard: &Guard) {
        if noted.ignored || !self.judges(guard) {
            return;
        }
        for resolution in &noted.resolved {
            let proceeds = resolution.answer.proceeds();
            self.histories
                .settled(&event.key, &resolution.call, proceeds);
        }
        if event.key.subagent.is_some() {
            return;
        }
        match &event.kind {
            // What one agent tells another is no person's word.
            EventKind::UserMessage { .. } if noted.nested => {}
            EventKind::UserMessage { text } => {
                self.questions.user_said_something(&event.key);
                self.histories
                    .with(&event.key, |history| history.user_said(text));
            }
            EventKind::SessionStart { source } if matches!(source.as_str(), "clear" | "new") => {
                self.histories.with(&event.key, History::begins_anew);
            }
            // Other beginnings go on with a conversation that was before.
            EventKind::SessionStart { source } if source == "startup" => {
                self.histories.with(&event.key, History::begins);
            }
            EventKind::SessionStart { .. }
            | EventKind::SessionEnd { .. }
            | EventKind::Call { .. }
            | EventKind::AgentDenied { .. }
            | EventKind::Result { .. }
            | EventKind::TurnEnd
            | EventKind::Other => {}
        }
    }

    /// Has the call judged, unless another event of it already does that.
    pub(crate) async fn classify(
        self: &Arc<Self>,
        prepared: Box<Prepared>,
        material: Result<Arc<Material>, TooLong>,
        gone: &mut Gone,
    ) -> State {
        let Some(classifier) = &self.classifier else {
            return State::Over(Handled::Failed(internal(
                "a classifier was asked and there is none".to_owned(),
            )));
        };
        loop {
            let told = match self
                .in_flight
                .enter(&prepared.call, prepared.event, prepared.decided)
            {
                Turn::Asks(asks) => {
                    return self
                        .judge(&**classifier, asks, prepared, material, gone)
                        .await;
                }
                Turn::Waits(receiver) => tokio::select! {
                    told = told(receiver) => told,
                    () = &mut *gone => {
                        return State::Over(Handled::Failed(Answer::Aborted.decision()));
                    }
                    // The agent is told no: that counts, and is on record.
                    () = tokio::time::sleep_until(prepared.deadline.into()) => {
                        let answer = no_time(prepared.given());
                        return self.conclude(prepared, answer).await.0;
                    }
                },
                Turn::Answered(concluded) => Some(concluded),
            };
            if let Some(concluded) = told {
                return self.with_the_other(prepared, &concluded).await;
            }
            // The other event went away before an answer.
        }
    }

    /// Asks, and applies the answer.
    async fn judge(
        self: &Arc<Self>,
        classifier: &dyn Classifier,
        asks: Asks<'_>,
        mut prepared: Box<Prepared>,
        material: Result<Arc<Material>, TooLong>,
        gone: &mut Gone,
    ) -> State {
        let began = Instant::now();
        let agent = prepared.answers_for();
        let answer = match material {
            // Nobody is asked what cannot be asked whole.
            Err(too_long) => unavailable(UnavailableReason::ContextOverflow, too_long.to_string()),
            Ok(_) if self.questions.gave_up_too_many(&agent, began) => unavailable(
                UnavailableReason::Timeout,
                "the agent gave up too many questions before they were answered; this ends with \
                 the user's next message"
                    .to_owned(),
            ),
            Ok(_) if let Some(known) = self.reuse.answer(&prepared) => known,
            Ok(material) => {
                let question = Question {
                    call: Arc::clone(&prepared.call),
                    facts: Arc::clone(&prepared.facts),
                    guard: Arc::clone(&prepared.guard),
                    material,
                };
                let settings = prepared.guard.effective.classifier.as_ref();
                let all = settings.map_or(DEFAULT_PLACES, |settings| settings.max_concurrent);
                let asked = async {
                    let _place = self.questions.place(&agent, all).await;
                    classifier.classify(question).await
                };
                tokio::select! {
                    answer = asked => answer,
                    // A question that is cancelled is not concluded and changes
                    // no counter.
                    () = gone => {
                        self.questions.given_up(&agent, Instant::now());
                        return State::Over(Handled::Failed(Answer::Aborted.decision()));
                    }
                    () = tokio::time::sleep_until(prepared.deadline.into()) => {
                        no_time(prepared.given())
                    }
                }
            }
        };
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_question.was(&prepared.guard, &answer, millis);
        prepared.background.classifier = Some(Layer::since(prepared.started, began));
        self.reuse.answered(&prepared, &answer);
        let event = prepared.event;
        let (state, outcome) = self.conclude(prepared, answer).await;
        if let Some(outcome) = outcome {
            asks.concluded(Concluded { outcome, event });
        }
        state
    }

    /// Applies an answer to what is there now. An allow was about what was
    /// there when it was asked for: where that is not so any more, the call is
    /// decided anew, and there is no outcome of the answer.
    async fn conclude(
        self: &Arc<Self>,
        prepared: Box<Prepared>,
        answer: ClassifierAnswer,
    ) -> (State, Option<Outcome>) {
        let concluded = self
            .blocking(move |service| service.conclude_now(*prepared, &answer))
            .await;
        match concluded {
            Ok(Ok(concluded)) => concluded,
            Ok(Err(problem)) | Err(problem) => {
                (State::Over(Handled::Failed(internal(problem))), None)
            }
        }
    }

    fn conclude_now(
        &self,
        mut prepared: Prepared,
        answer: &ClassifierAnswer,
    ) -> Result<(State, Option<Outcome>), String> {
        if answer.verdict == Verdict::Allow {
            let asked = prepared.shown;
            prepared = self.prepare_again(&prepared);
            let now = prepare::approval_digest(&prepared.call, &prepared.facts);
            if asked != Some(now) {
                return Ok((self.decide(prepared)?, None));
            }
        }
        let request = self.request(&prepared, false);
        let outcome = self
            .engine
            .conclude_if_still_asked(&request, answer)
            .map_err(|error| error.to_string())?;
        match outcome {
            Some(outcome) => {
                let state = self.decided(prepared, Box::new(outcome.clone()));
                Ok((state, Some(outcome)))
            }
            None => Ok((self.decide(prepared)?, None)),
        }
    }

    /// Every answer was about something else than what was there when it came.
    pub(crate) async fn no_answer_held(self: &Arc<Self>, prepared: Box<Prepared>) -> Handled {
        let answer = unavailable(
            UnavailableReason::Timeout,
            "what the call is about kept changing while the model was asked about it".to_owned(),
        );
        match self.conclude(prepared, answer).await.0 {
            State::Over(handled) => handled,
            // A person would be asked about what changes under their eyes, too.
            State::Ask(_, outcome) => {
                let _ = self.not_asked(*outcome, Answer::Aborted).await;
                Handled::Failed(kept_changing())
            }
            State::Classify(..) => Handled::Failed(kept_changing()),
        }
    }

    /// What another event of the same call was answered holds for this one, and
    /// is counted once.
    async fn with_the_other(
        self: &Arc<Self>,
        prepared: Box<Prepared>,
        concluded: &Concluded,
    ) -> State {
        let outcome = &concluded.outcome;
        let is_over = matches!(
            outcome.decision,
            Decision::Denied { .. } | Decision::Block { .. }
        );
        if !is_over && prepared.event != concluded.event {
            // The engine joins the two, as if they had come one after the other.
            let again = self
                .blocking(move |service| service.decide(service.prepare_again(&prepared)))
                .await;
            return match again {
                Ok(Ok(state)) => state,
                Ok(Err(problem)) | Err(problem) => State::Over(Handled::Failed(internal(problem))),
            };
        }
        let outcome = Box::new(Outcome {
            joined: true,
            before: outcome.after,
            set_aside: Vec::new(),
            ..outcome.clone()
        });
        if matches!(outcome.decision, Decision::Ask { .. }) && prepared.asking == Asking::Surface {
            return State::Ask(prepared, outcome);
        }
        let decision = outcome.decision.clone();
        State::Over(Handled::Decided(outcome, decision))
    }
}

/// No answer, with what to say about it.
fn unavailable(why: UnavailableReason, problem: String) -> ClassifierAnswer {
    ClassifierAnswer {
        verdict: Verdict::Unavailable(why),
        model: ModelRecord {
            problem: Some(problem),
            ..ModelRecord::default()
        },
    }
}

/// No answer within the time that the agent gives a decision.
#[must_use]
pub fn no_time(given: std::time::Duration) -> ClassifierAnswer {
    unavailable(
        UnavailableReason::Timeout,
        format!(
            "the model did not answer within the {} s that the agent waits for a decision: use a \
             faster model, or give the hook a longer timeout",
            given.as_secs()
        ),
    )
}
