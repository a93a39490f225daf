//! The port through which a classifier is asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_core::call::Call;
use countersign_core::classify::ClassifierAnswer;
use countersign_core::facts::Facts;
use countersign_core::prompt::Material;

use countersign_guard::Guard;

/// What a classifier is asked about.
#[derive(Debug, Clone)]
pub struct Question {
    /// The call.
    pub call: Arc<Call>,
    /// What is known of it.
    pub facts: Arc<Facts>,
    /// What holds for it.
    pub guard: Arc<Guard>,
    /// What a model may be told of it.
    pub material: Arc<Material>,
}

/// Judges calls that nothing else decides. Total: what goes wrong is an
/// [`countersign_core::classify::Verdict::Unavailable`].
pub trait Classifier: Send + Sync {
    /// Whether there is a model to ask for what holds here.
    fn is_configured(&self, guard: &Guard) -> bool;

    /// Asks. Dropping the future cancels the question.
    fn classify(
        &self,
        question: Question,
    ) -> Pin<Box<dyn Future<Output = ClassifierAnswer> + Send>>;
}
