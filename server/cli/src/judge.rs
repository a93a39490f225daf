//! The models that the server and the hook ask: made when something is first
//! asked, so that who has no classifier pays nothing.

use std::ffi::OsString;
use std::pin::Pin;
use std::sync::{Once, OnceLock};

use countersign_classifier::{Environment, Models};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::prompt;
use countersign_core::state::ModelRecord;
use countersign_service::guard::Guard;
use countersign_service::{Classifier, Question};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Models of a process; `proxies` says whether its environment's proxies
/// count, which an agent may have set.
pub(crate) fn models(proxies: bool) -> Models {
    Models::new(Environment { key, proxies })
}

/// The key in the variable that the user's or the system's settings name. From
/// then on this process leaves no core dump, in which the key would stand.
#[expect(
    clippy::disallowed_methods,
    reason = "only the variable that the user's or the system's settings name"
)]
fn key(name: &str) -> Option<OsString> {
    static NO_CORE_DUMP: Once = Once::new();
    NO_CORE_DUMP.call_once(|| {
        let nothing = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        if let Err(error) = setrlimit(Resource::Core, nothing) {
            tracing::warn!("core dumps cannot be turned off: {error}");
        }
    });
    std::env::var_os(name)
}

/// The classifier of a server.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    models: OnceLock<Models>,
}

impl Classifier for Judge {
    fn is_configured(&self, guard: &Guard) -> bool {
        guard.effective.classifier.is_some()
    }

    fn classify(
        &self,
        question: Question,
    ) -> Pin<Box<dyn Future<Output = ClassifierAnswer> + Send>> {
        let models = self.models.get_or_init(|| models(true)).clone();
        Box::pin(async move {
            match &question.guard.effective.classifier {
                Some(settings) => {
                    models
                        .ask(settings, &prompt::compose(&question.material))
                        .await
                }
                // The settings changed between the two: no answer is no allow.
                None => ClassifierAnswer {
                    verdict: Verdict::Unavailable(UnavailableReason::Transport),
                    model: ModelRecord {
                        problem: Some("no classifier is configured".to_owned()),
                        ..ModelRecord::default()
                    },
                },
            }
        })
    }
}
