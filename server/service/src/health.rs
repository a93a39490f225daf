//! How the classifier does, for people.

use std::sync::Mutex;
use std::time::Instant;

use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::model::Provider;
use countersign_core::state::Millis;
use countersign_guard::Guard;

use crate::service::{Service, lock};

/// What there is to be asked, and how its last question went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassifierHealth {
    /// Whether there is one, and whether it answers.
    pub state: ClassifierState,
    /// The interface of its endpoint.
    pub provider: Option<Provider>,
    /// The model's name.
    pub model: Option<String>,
    /// How long its last question took, in milliseconds.
    pub last_millis: Option<u64>,
    /// Why the last question had no answer, and what to change.
    pub problem: Option<String>,
    /// Since when no question has had an answer.
    pub since: Option<Millis>,
}

/// Whether there is a classifier, and whether it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassifierState {
    /// There is none.
    #[default]
    None,
    /// It answered its last question, or was not asked yet.
    Ready,
    /// It did not answer its last question.
    Unavailable,
}

impl ClassifierState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ready => "ready",
            Self::Unavailable => "unavailable",
        }
    }
}

/// How the last question went.
#[derive(Debug, Default)]
pub(crate) struct LastQuestion {
    inner: Mutex<Option<Last>>,
}

#[derive(Debug, Clone)]
struct Last {
    /// The model that was asked: what is known of another one is no news.
    asked: Option<(Provider, String)>,
    millis: u64,
    problem: Option<String>,
    /// When the first of the questions that had no answer ended.
    failing: Option<Instant>,
}

impl LastQuestion {
    /// A question was answered, or will not be.
    pub(crate) fn was(&self, guard: &Guard, answer: &ClassifierAnswer, millis: u64) {
        let problem = match &answer.verdict {
            Verdict::Allow | Verdict::Block { .. } => None,
            Verdict::Unavailable(why) => Some(
                answer
                    .model
                    .problem
                    .clone()
                    .unwrap_or_else(|| format!("it gave no answer ({why})")),
            ),
        };
        let asked = model_of(guard);
        let mut last = lock(&self.inner);
        let failing = last
            .as_ref()
            .filter(|last| last.asked == asked)
            .and_then(|last| last.failing);
        *last = Some(Last {
            failing: problem
                .is_some()
                .then(|| failing.unwrap_or_else(Instant::now)),
            asked,
            millis,
            problem,
        });
    }
}

fn model_of(guard: &Guard) -> Option<(Provider, String)> {
    let settings = guard.effective.classifier.as_ref()?;
    Some((settings.provider, settings.model.clone()))
}

impl Service {
    /// How the classifier of the open workspaces does.
    #[must_use]
    pub fn classifier_health(&self) -> ClassifierHealth {
        let none = ClassifierHealth::default();
        let Some(classifier) = &self.classifier else {
            return none;
        };
        // Only the user and the system name an endpoint: it is the same everywhere.
        let guard = match self.workspaces().first() {
            Some(workspace) => self.guards.of_workspace(workspace),
            None => self.guards.anywhere(),
        };
        if !classifier.is_configured(&guard) {
            return none;
        }
        let configured = model_of(&guard);
        let last = lock(&self.last_question.inner).clone();
        let last = last.filter(|last| last.asked == configured);
        let (provider, model) = configured.unzip();
        let problem = last.as_ref().and_then(|last| last.problem.clone());
        let failing = last.as_ref().and_then(|last| last.failing);
        let since = failing.map(|failing| {
            let so_long = Millis::try_from(failing.elapsed().as_millis());
            self.now().saturating_sub(so_long.unwrap_or(Millis::MAX))
        });
        ClassifierHealth {
            state: match problem {
                Some(_) => ClassifierState::Unavailable,
                None => ClassifierState::Ready,
            },
            provider,
            model,
            last_millis: last.map(|last| last.millis),
            problem,
            since,
        }
    }
}
