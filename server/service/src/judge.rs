//! Asking the classifier about a call, and applying what it says: once for all
//! events of the call, and never where nobody waits for the answer any more.

use std::sync::Arc;
use std::time::Instant;

use countersign_agents::{EventKind, HookEvent};
use countersign_core::approval::Answer;
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::{Decision, DeniedReason, UnavailableReason};
use countersign_core::projection::TooLong;
use countersign_core::prompt::Material;
use countersign_core::state::ModelRecord;
use countersign_core::transcript::Transcript;
use countersign_engine::events::Noted;
use countersign_engine::request::{Asking, Outcome};

use crate::classifier::{Classifier, Question};
use crate::decide::{State, internal};
use crate::guard::Guard;
use crate::history::History;
use crate::in_flight::{Asks, Concluded, Turn, told};
use crate::incoming::{Gone, Handled, Prepared};
use crate::material::{decided, material};
use crate::service::Service;
use crate::turns::turns;

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
        // A file counts only if the agent that opened the session names it.
        let file = prepared
            .transcript_path
            .as_ref()
            .filter(|_| prepared.is_trusted);
        if let Some(file) = file
            && self
                .histories
                .with(key, |history| history.looks_for_beginning())
        {
            match turns(key, file, &prepared.guard) {
                Ok(texts) => self
                    .histories
                    .with(key, |history| history.began_with(texts)),
                Err(why) => tracing::debug!("the beginning of session {key} is not known: {why}"),
            }
        }
        self.histories.with(key, |history| history.transcript())
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
            EventKind::UserMessage { text } => {
                self.histories
                    .with(&event.key, |history| history.user_said(text));
            }
            // Other beginnings go on with a conversation that was before.
            EventKind::SessionStart { source }
                if matches!(source.as_str(), "startup" | "clear" | "new") =>
            {
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
            let told = match self.in_flight.enter(&prepared.call, prepared.decided) {
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
                    // The event that asks counts it.
                    () = tokio::time::sleep_until(prepared.deadline.into()) => {
                        return State::Over(Handled::Failed(Decision::Denied {
                            reason: DeniedReason::ClassifierUnavailable,
                            detail: "the classifier gave no answer in time".to_owned(),
                        }));
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
        prepared: Box<Prepared>,
        material: Result<Arc<Material>, TooLong>,
        gone: &mut Gone,
    ) -> State {
        let began = Instant::now();
        let answer = match material {
            // Nobody is asked what cannot be asked whole.
            Err(too_long) => unavailable(UnavailableReason::ContextOverflow, too_long.to_string()),
            Ok(material) => {
                let question = Question {
                    call: Arc::clone(&prepared.call),
                    facts: Arc::clone(&prepared.facts),
                    guard: Arc::clone(&prepared.guard),
                    material,
                };
                tokio::select! {
                    answer = classifier.classify(question) => answer,
                    // A question that is cancelled is not concluded and changes nothing.
                    () = gone => {
                        return State::Over(Handled::Failed(Answer::Aborted.decision()));
                    }
                    () = tokio::time::sleep_until(prepared.deadline.into()) => {
                        no_time(prepared.deadline.saturating_duration_since(prepared.started))
                    }
                }
            }
        };
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_question.was(&prepared.guard, &answer, millis);
        let event = prepared.event;
        let concluded = self
            .blocking(move |service| {
                let request = service.request(&prepared, false);
                match service.engine.conclude(&request, &answer) {
                    Ok(outcome) => {
                        let state = service.decided(*prepared, Box::new(outcome.clone()));
                        (state, Some(outcome))
                    }
                    Err(error) => {
                        let failed = Handled::Failed(internal(error.to_string()));
                        (State::Over(failed), None)
                    }
                }
            })
            .await;
        match concluded {
            Ok((state, outcome)) => {
                if let Some(outcome) = outcome {
                    asks.concluded(Concluded { outcome, event });
                }
                state
            }
            Err(problem) => State::Over(Handled::Failed(internal(problem))),
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
                .blocking(move |service| service.decide(*prepared))
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
