//! Asking the classifier without a server, for one call: a hook that ends, or
//! is ended, before the answer is applied has changed nothing.

use std::time::{Duration, Instant};

use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::model::ClassifierSettings;
use countersign_core::prompt::{self, Material};
use countersign_core::state::ModelRecord;
use countersign_engine::request::{Outcome, Request};
use countersign_service::{material, no_time};

use super::alone::{Alone, Deciding};
use super::history;
use crate::judge;

/// What is kept back of the hook's time to apply the answer and to give it.
const LAST_WORD: Duration = Duration::from_millis(250);

impl Deciding<'_> {
    /// Asks about a call for which the engine said so, and applies the answer.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(super) fn judge(&self, request: &Request<'_>) -> Result<Outcome, String> {
        let (guard, alone) = (self.guard, self.alone);
        let transcript = history::transcript(alone.event, guard, self.state, self.is_trusted);
        let answer = match material(request.call, request.facts, guard, transcript) {
            Ok(material) => match &guard.effective.classifier {
                Some(settings) => ask(settings, &material, alone),
                None => unavailable(
                    UnavailableReason::Transport,
                    "no classifier is configured".to_owned(),
                ),
            },
            Err(too_long) => unavailable(UnavailableReason::ContextOverflow, too_long.to_string()),
        };
        let concluding = Request {
            spent_micros: alone.spent_micros(),
            ..*request
        };
        self.engine
            .conclude(&concluding, &answer)
            .map_err(|error| error.to_string())
    }
}

fn ask(settings: &ClassifierSettings, material: &Material, alone: &Alone<'_>) -> ClassifierAnswer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            return unavailable(
                UnavailableReason::Transport,
                format!("the hook cannot wait for a model: {error}"),
            );
        }
    };
    let left = alone.deadline.saturating_duration_since(Instant::now());
    let until = left.saturating_sub(LAST_WORD.min(left / 4));
    let prompt = prompt::compose(material);
    let models = judge::models(false);
    let answer = runtime
        .block_on(async { tokio::time::timeout(until, models.ask(settings, &prompt)).await })
        .unwrap_or_else(|_| no_time(alone.deadline.saturating_duration_since(alone.started)));
    // A name that is still looked up must not hold up the answer.
    runtime.shutdown_background();
    answer
}

fn unavailable(why: UnavailableReason, problem: String) -> ClassifierAnswer {
    ClassifierAnswer {
        verdict: Verdict::Unavailable(why),
        model: ModelRecord {
            problem: Some(problem),
            ..ModelRecord::default()
        },
    }
}
