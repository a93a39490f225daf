//! Asking the classifier without a server, for one call: a hook that ends, or
//! is ended, before the answer is applied has changed nothing.

use std::time::{Duration, Instant};

use countersign_alone::{Beyond, Deciding, Ground, Judged, unavailable};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::model::ClassifierSettings;
use countersign_core::prompt::{self, Material};
use countersign_engine::prepare;
use countersign_engine::request::Request;
use countersign_hook::Undecided;
use countersign_service::{material, no_time};

use super::history;
use crate::judge;

/// What is kept back of the hook's time to apply the answer and to give it.
const LAST_WORD: Duration = Duration::from_millis(250);

/// Asks about a call for which the engine said so, and applies the answer to
/// what is there then.
///
/// # Errors
/// When the state cannot be read.
pub(super) fn judge<B: Beyond>(
    deciding: &Deciding<'_, B>,
    request: &Request<'_>,
    ground: &Ground,
) -> Result<Judged, String> {
    let (guard, alone) = (&ground.guard, deciding.alone);
    let call = request.call;
    let shown = prepare::approval_digest(call, request.facts);
    let transcript = history::transcript(alone.event, guard, deciding.state, ground.is_the_users);
    let answer = match material(call, request.facts, guard, transcript) {
        Ok(material) => match &guard.effective.classifier {
            Some(settings) => ask(settings, &material, alone),
            None => unavailable(
                UnavailableReason::Transport,
                "no classifier is configured".to_owned(),
            ),
        },
        Err(too_long) => unavailable(UnavailableReason::ContextOverflow, too_long.to_string()),
    };
    if answer.verdict != Verdict::Allow {
        let outcome = deciding.conclude(request, &answer)?;
        return Ok(Judged::Decided(Box::new(outcome)));
    }
    let now = deciding.ground()?;
    let engine = deciding.engine;
    let facts = engine.facts(call, &now.guard.host, &now.guard.policy);
    if prepare::approval_digest(call, &facts) != shown {
        return Ok(Judged::Void(Box::new(now)));
    }
    let as_it_is = Request {
        facts: &facts,
        policy: &now.guard.policy,
        mode: now.guard.policy.mode,
        classifier: now.guard.effective.classifier.is_some(),
        spent_micros: deciding.spent_micros(),
        ..*request
    };
    let outcome = engine
        .conclude_if_still_asked(&as_it_is, &answer)
        .map_err(|error| error.to_string())?;
    Ok(match outcome {
        Some(outcome) => Judged::Decided(Box::new(outcome)),
        None => Judged::Void(Box::new(now)),
    })
}

fn ask(
    settings: &ClassifierSettings,
    material: &Material,
    alone: &Undecided<'_>,
) -> ClassifierAnswer {
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
