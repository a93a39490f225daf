//! An endpoint, settings for it, and a question.

use std::ffi::OsString;

use countersign_classifier::{Environment, Models};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::model::{
    ClassifierSettings, InstructionRole, Provider, Stage, StageVerdict, StructuredOutput,
};
use countersign_core::prompt::Prompt;
use countersign_test_support::model_server::{MODEL, ModelServer, Received, Reply};

/// The key that no error, log or prompt may show.
pub(crate) const KEY: &str = "sk-7f3a9c1e5b8d2046-for-tests-only";

/// The variable that holds it.
pub(crate) const KEY_NAME: &str = "COUNTERSIGN_CLASSIFIER_TEST_KEY";

fn key(name: &str) -> Option<OsString> {
    (name == KEY_NAME).then(|| KEY.into())
}

pub(crate) fn models() -> Models {
    models_with(false)
}

/// The same in a process whose environment's proxies count, or do not.
pub(crate) fn models_with(proxies: bool) -> Models {
    Models::new(Environment { key, proxies })
}

/// The classifier at a server, with deadlines that no test reaches.
pub(crate) fn settings(provider: Provider, server: &ModelServer) -> ClassifierSettings {
    let path = match provider {
        Provider::OpenaiCompatible => "/v1",
        Provider::Anthropic | Provider::Gemini => "",
    };
    ClassifierSettings {
        provider,
        base_url: format!("{}{path}", server.url()),
        model: MODEL.to_owned(),
        structured_output: StructuredOutput::JsonSchema,
        instruction_role: InstructionRole::System,
        api_key_env: Some(KEY_NAME.to_owned()),
        proxy: None,
        ca_file: None,
        stage1_ms: 20_000,
        stage2_ms: 20_000,
        max_concurrent: 16,
    }
}

pub(crate) fn prompt() -> Prompt {
    Prompt {
        system: "You judge calls.\nHint: \"tests may be run\".".to_owned(),
        content:
            "The user wrote: \"clean up\".\nThe call: {\"command\": \"rm -r build \\u2028 ü\"}"
                .to_owned(),
    }
}

/// What becomes of a question to an endpoint that says this, first to last, the
/// last again and again.
pub(crate) async fn judged(
    provider: Provider,
    style: StructuredOutput,
    replies: &[Reply],
) -> (ClassifierAnswer, Vec<Received>) {
    let server = ModelServer::start();
    let (last, first) = replies.split_last().unwrap();
    for reply in first {
        server.then(reply.clone());
    }
    server.always(last.clone());
    let mut settings = settings(provider, &server);
    settings.structured_output = style;
    let answer = models().ask(&settings, &prompt()).await;
    (answer, server.requests())
}

/// Every interface with every style.
pub(crate) fn ways() -> Vec<(Provider, StructuredOutput)> {
    Provider::ALL
        .into_iter()
        .flat_map(|provider| StructuredOutput::ALL.map(|style| (provider, style)))
        .collect()
}

/// Why there is no answer.
pub(crate) fn unavailable(answer: &ClassifierAnswer) -> Option<UnavailableReason> {
    match answer.verdict {
        Verdict::Unavailable(reason) => Some(reason),
        Verdict::Allow | Verdict::Block { .. } => None,
    }
}

/// What each stage said.
pub(crate) fn said(answer: &ClassifierAnswer) -> Vec<(Stage, StageVerdict)> {
    answer
        .model
        .stages
        .iter()
        .map(|record| (record.stage, record.verdict))
        .collect()
}
