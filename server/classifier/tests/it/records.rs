//! What is kept of every answer: who said it, under which ids, for how many
//! tokens and in what time.

use countersign_core::model::{Provider, Stage};
use countersign_test_support::model_server::{
    CACHED_TOKENS, INPUT_TOKENS, MODEL, ModelServer, OUTPUT_TOKENS, Reply,
};

use crate::world::{judged, models, prompt, settings, unavailable, ways};

/// The ids of the answer to that request.
fn ids(provider: Provider, number: u64) -> (Option<String>, Option<String>) {
    let message = match provider {
        Provider::OpenaiCompatible => "chatcmpl",
        Provider::Anthropic => "msg",
        Provider::Gemini => "response",
    };
    (
        Some(format!("req-{number}")),
        Some(format!("{message}-{number}")),
    )
}

#[tokio::test]
async fn ids_tokens_attempts_and_times_are_kept_of_each_stage() {
    for (provider, style) in ways() {
        let replies = [Reply::html(), Reply::block("no")];
        let (answer, _) = judged(provider, style, &replies).await;
        let record = answer.model;
        assert_eq!(record.provider.as_deref(), Some(provider.telemetry_name()));
        assert_eq!(record.model.as_deref(), Some(MODEL));
        assert_eq!(record.stage.as_deref(), Some("thinking"));
        assert!(!record.recorded);
        assert_eq!(record.problem, None);
        assert_eq!((record.request_id, record.message_id), ids(provider, 3));
        let [fast, thinking] = record.stages.as_slice() else {
            panic!("{:?}", record.stages);
        };
        for (stage, number, attempts) in [(fast, 2, 2), (thinking, 3, 1)] {
            assert_eq!(
                (stage.request_id.clone(), stage.message_id.clone()),
                ids(provider, number)
            );
            assert_eq!(stage.input_tokens, Some(INPUT_TOKENS), "{provider:?}");
            assert_eq!(stage.cached_tokens, Some(CACHED_TOKENS), "{provider:?}");
            assert_eq!(stage.output_tokens, Some(OUTPUT_TOKENS), "{provider:?}");
            assert_eq!(stage.attempts, attempts);
            assert!(stage.millis < 20_000, "{stage:?}");
        }
        assert_eq!((fast.stage, thinking.stage), (Stage::Fast, Stage::Thinking));
    }
}

#[tokio::test]
async fn an_error_keeps_the_id_under_which_the_provider_finds_it() {
    for (provider, style) in ways() {
        let (answer, _) = judged(provider, style, &[Reply::unauthorized()]).await;
        assert_eq!(answer.model.request_id.as_deref(), Some("req-1"));
        assert_eq!(answer.model.stage.as_deref(), Some("fast"));
        assert_eq!(answer.model.model.as_deref(), Some(MODEL));
    }
}

#[tokio::test]
async fn a_problem_is_one_short_harmless_line_that_says_the_status() {
    let hostile = format!("<b>\u{1b}[31m\u{202e}{}", "long ".repeat(100_000));
    for provider in Provider::ALL {
        for status in [400, 401, 403, 404, 418] {
            let server = ModelServer::start();
            server.always(Reply::raw(status, "text/plain", hostile.clone()));
            let answer = models().ask(&settings(provider, &server), &prompt()).await;
            assert!(unavailable(&answer).is_some());
            let problem = answer.model.problem.unwrap();
            assert!(problem.contains(&status.to_string()), "{problem}");
            assert!(problem.chars().count() <= 300, "{problem}");
            assert!(!problem.contains(['\n', '\u{1b}', '\u{202e}']), "{problem}");
        }
    }
}

#[tokio::test]
async fn ids_from_outside_are_bounded() {
    let long = "x".repeat(5_000);
    for provider in Provider::ALL {
        let reply = Reply::unauthorized()
            .with_header("x-request-id", long.clone())
            .with_header("request-id", long.clone());
        let style = countersign_core::model::StructuredOutput::Plain;
        let (answer, _) = judged(provider, style, &[reply]).await;
        let id = answer.model.request_id.unwrap_or_default();
        assert!(id.len() <= 256, "{} bytes", id.len());
    }
}
