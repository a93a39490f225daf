//! The classifier of a process: every endpoint that was asked, and the two
//! stages of a question.

use std::ffi::OsString;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::classify::{ClassifierAnswer, Verdict, sanitize_reason};
use countersign_core::model::{ClassifierSettings, ModelRecord, Stage};
use countersign_core::prompt::Prompt;

use crate::answer::Answer;
use crate::endpoint::{Endpoint, StageOutcome};
use crate::probe::Probe;
use crate::probing;

/// Most endpoints that are kept with their connections.
const MOST_ENDPOINTS: usize = 8;

/// What the process may take from its environment.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// The value of a variable that the settings name as the key's.
    pub key: fn(&str) -> Option<OsString>,
    /// Whether the environment's proxies and certificates count: true only in
    /// a server that an editor started, because an agent may set variables.
    pub proxies: bool,
}

/// The models of a process. A clone shares connections and queues.
#[derive(Clone)]
pub struct Models {
    environment: Arc<Environment>,
    /// The one that was asked last stands last.
    endpoints: Arc<Mutex<Vec<Arc<Endpoint>>>>,
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models").finish_non_exhaustive()
    }
}

impl Models {
    /// Without any connection; those are made when something is asked.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self {
            environment: Arc::new(environment),
            endpoints: Arc::default(),
        }
    }

    /// Judges what the prompt describes: a quick look first, and only if that
    /// blocks a second one, whose word counts.
    ///
    /// Never fails: what goes wrong is [`Verdict::Unavailable`], with a text
    /// for people in [`ModelRecord::problem`]. Dropping the future cancels the
    /// question. Needs a tokio runtime with time and network.
    pub async fn ask(&self, settings: &ClassifierSettings, prompt: &Prompt) -> ClassifierAnswer {
        let endpoint = self.endpoint(settings);
        let mut record = ModelRecord {
            model: Some(settings.model.clone()),
            requested: Some(settings.model.clone()),
            provider: Some(settings.provider.telemetry_name().to_owned()),
            ..ModelRecord::default()
        };
        let fast = endpoint.ask(settings, Stage::Fast, prompt).await;
        note(&mut record, &fast);
        let verdict = match fast.answer {
            Ok(Answer::Allow) => Verdict::Allow,
            Err(failure) => Verdict::Unavailable(failure.reason),
            Ok(Answer::Block(_)) => {
                let thinking = endpoint.ask(settings, Stage::Thinking, prompt).await;
                note(&mut record, &thinking);
                match thinking.answer {
                    Ok(Answer::Allow) => Verdict::Allow,
                    Ok(Answer::Block(reason)) => Verdict::Block {
                        reason: sanitize_reason(&reason),
                    },
                    Err(failure) => Verdict::Unavailable(failure.reason),
                }
            }
        };
        ClassifierAnswer {
            verdict,
            model: record,
        }
    }

    /// Tries the endpoint: whether it is there, knows the model, and answers
    /// both stages, in every style of structured output. Asks about ten
    /// harmless questions.
    pub async fn probe(&self, settings: &ClassifierSettings) -> Probe {
        probing::probe(&self.endpoint(settings), settings).await
    }

    /// The endpoint of the settings; the one that was not asked for longest
    /// makes room.
    fn endpoint(&self, settings: &ClassifierSettings) -> Arc<Endpoint> {
        let mut endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = endpoints
            .iter()
            .position(|endpoint| endpoint.is_of(settings));
        let endpoint = match known {
            Some(at) => endpoints.remove(at),
            None => Arc::new(Endpoint::new(settings, Arc::clone(&self.environment))),
        };
        if endpoints.len() >= MOST_ENDPOINTS {
            endpoints.remove(0);
        }
        endpoints.push(Arc::clone(&endpoint));
        endpoint
    }
}

/// Adds a stage to the record; its word is the last until now.
fn note(record: &mut ModelRecord, outcome: &StageOutcome) {
    record.stage = Some(outcome.record.stage.as_str().to_owned());
    if outcome.model.is_some() {
        record.model.clone_from(&outcome.model);
    }
    record.request_id.clone_from(&outcome.record.request_id);
    record.message_id.clone_from(&outcome.record.message_id);
    record.problem = match &outcome.answer {
        Ok(_) => None,
        Err(failure) => Some(failure.text(outcome.key.as_ref())),
    };
    record.stages.push(outcome.record.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    #[test]
    fn few_endpoints_are_kept_and_those_in_use_stay() {
        let models = Models::new(Environment {
            key: |_| None,
            proxies: false,
        });
        let mut settings = settings();
        let first = models.endpoint(&settings);
        for number in 0..100 {
            settings.model = format!("model {number}");
            models.endpoint(&settings);
            settings.model = "some-model".to_owned();
            assert!(Arc::ptr_eq(&first, &models.clone().endpoint(&settings)));
            assert!(models.endpoints.lock().unwrap().len() <= MOST_ENDPOINTS);
        }
    }
}
