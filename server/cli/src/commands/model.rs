//! The configured model, as commands ask it that a person runs.

use anyhow::{Context as _, Result};
use countersign_classifier::Models;
use countersign_core::model::ClassifierSettings;
use countersign_guard::Guard;
use tokio::runtime::Runtime;

/// Where the classifier's settings stand.
pub(super) const KEY: &str = "permissions.autoMode.classifier";

/// The configured classifier.
///
/// # Errors
/// When there is none: says what to set, and where.
pub(super) fn configured(guard: &Guard) -> Result<&ClassifierSettings> {
    guard.effective.classifier.as_ref().with_context(|| {
        format!(
            "no classifier is configured: {}; `countersign doctor` finds what your agents use",
            what_to_set(guard)
        )
    })
}

/// What to set where no classifier is configured.
pub(super) fn what_to_set(guard: &Guard) -> String {
    format!(
        "set {KEY}.model in {}, and .provider, .baseUrl and .apiKeyEnv as docs/classifier.md says",
        guard.places.user_file()
    )
}

/// Why an agent may have started this, if one may have.
pub(super) fn under_an_agent() -> Option<String> {
    countersign_ipc::under_agent().doubt()
}

/// Models that take nothing from the environment but keys that the settings
/// name.
pub(super) fn models() -> Models {
    crate::judge::models(false)
}

/// Whether the variable of a key is set.
#[expect(
    clippy::disallowed_methods,
    reason = "only the variable that the user's or the machine's settings name, and only whether \
              it is there"
)]
pub(super) fn has_key(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|key| !key.is_empty())
}

/// What asking needs: one thread, this one.
pub(super) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the program cannot wait for answers")
}
