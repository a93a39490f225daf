//! The models that the server and the hook ask: made when something is first
//! asked, so that who has no classifier pays nothing.

mod aside;

use std::ffi::OsString;
use std::pin::Pin;
use std::sync::OnceLock;

use countersign_classifier::{Environment, Models};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::prompt;
use countersign_core::state::ModelRecord;
use countersign_guard::Guard;
use countersign_service::{Classifier, Question};
use rustix::process::{Resource, Rlimit, setrlimit};

use aside::Aside;

/// Models of a process; `proxies` says whether its environment's proxies
/// count, which an agent may have set. From then on this process leaves no core
/// dump.
pub(crate) fn models(proxies: bool) -> Models {
    leave_no_core_dump();
    Models::new(Environment { key, proxies })
}

/// Keeps what stands in this process's memory, keys among it, out of core
/// dumps.
///
/// The limit is 1 and not 0: a program that takes dumps from a pipe gets one
/// whatever the limit is, but for this value; and a file of one byte is none.
pub(crate) fn leave_no_core_dump() {
    let nothing = Rlimit {
        current: Some(1),
        maximum: Some(1),
    };
    if setrlimit(Resource::Core, nothing).is_ok() {
        return;
    }
    // Somebody allows 0 at most.
    let nothing = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, nothing) {
        tracing::warn!("core dumps cannot be turned off: {error}");
    }
}

/// The key in the variable that the user's or the system's settings name.
#[expect(
    clippy::disallowed_methods,
    reason = "only the variable that the user's or the system's settings name"
)]
fn key(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The classifier of a server.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    models: OnceLock<Models>,
    aside: Aside,
}

impl Classifier for Judge {
    fn is_configured(&self, guard: &Guard) -> bool {
        guard.effective.classifier.is_some()
    }

    fn classify(
        &self,
        question: Question,
    ) -> Pin<Box<dyn Future<Output = ClassifierAnswer> + Send>> {
        // The settings may have changed since: no answer is no allow.
        if !self.is_configured(&question.guard) {
            return Box::pin(std::future::ready(no_answer("no classifier is configured")));
        }
        let models = self.models.get_or_init(|| models(true)).clone();
        let answer = self.aside.run(async move {
            let settings = question.guard.effective.classifier.as_ref()?;
            let prompt = prompt::compose(&question.material);
            Some(models.ask(settings, &prompt).await)
        });
        Box::pin(async move {
            answer
                .await
                .flatten()
                .unwrap_or_else(|| no_answer("the question could not be asked"))
        })
    }
}

fn no_answer(why: &str) -> ClassifierAnswer {
    ClassifierAnswer {
        verdict: Verdict::Unavailable(UnavailableReason::Transport),
        model: ModelRecord {
            problem: Some(why.to_owned()),
            ..ModelRecord::default()
        },
    }
}
