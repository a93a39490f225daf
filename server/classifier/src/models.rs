//! The classifier of a process: every endpoint that was asked, with its
//! connections and its queue.

use std::ffi::OsString;
use std::sync::Arc;

use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ClassifierSettings, ModelRecord};
use countersign_core::prompt::Prompt;

use crate::probe::Probe;

/// What the process may take from its environment.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// The value of a variable that the settings name as the key's.
    pub key: fn(&str) -> Option<OsString>,
    /// Whether the environment's proxies count: true only in a server that an
    /// editor started, because an agent may set variables.
    pub proxies: bool,
}

/// The models of a process. A clone shares connections and queues.
#[derive(Debug, Clone)]
pub struct Models {
    environment: Arc<Environment>,
}

impl Models {
    /// Without any connection; those are made when something is asked.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self {
            environment: Arc::new(environment),
        }
    }

    /// Judges what the prompt describes. Never fails: what goes wrong is
    /// [`Verdict::Unavailable`]. Dropping the future cancels the question.
    pub async fn ask(&self, settings: &ClassifierSettings, prompt: &Prompt) -> ClassifierAnswer {
        let _ = (prompt, &self.environment);
        ClassifierAnswer {
            verdict: Verdict::Unavailable(UnavailableReason::Transport),
            model: ModelRecord {
                model: Some(settings.model.clone()),
                ..ModelRecord::default()
            },
        }
    }

    /// Tries the endpoint in every style of structured output.
    pub async fn probe(&self, settings: &ClassifierSettings) -> Probe {
        let _ = settings;
        Probe::default()
    }
}
