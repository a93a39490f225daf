//! Two attempts per stage, no more, and none that cannot help.

use std::time::Duration;

use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason::HttpStatus;
use countersign_core::model::{Provider, Stage, StructuredOutput};
use countersign_test_support::model_server::{ModelServer, Reply};
use tokio::task::JoinSet;

use crate::world::{judged, models, prompt, settings, unavailable};

const STYLE: StructuredOutput = StructuredOutput::JsonSchema;

#[tokio::test]
async fn a_second_attempt_makes_up_for_a_passing_fault() {
    let mut asked = JoinSet::new();
    for provider in Provider::ALL {
        for fault in [
            Reply::reset(),
            Reply::reset_in_body(),
            Reply::internal_error(),
            Reply::unavailable(),
            Reply::too_many_requests("0"),
            Reply::broken_json(),
            Reply::wrong_schema(),
            Reply::html(),
        ] {
            asked.spawn(async move {
                let replies = [fault, Reply::allow()];
                let (answer, requests) = judged(provider, STYLE, &replies).await;
                assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
                assert_eq!(answer.model.stages[0].attempts, 2);
                assert_eq!(requests.len(), 2);
                assert_eq!(requests[0].raw, requests[1].raw);
                assert_eq!(answer.model.problem, None);
            });
        }
    }
    while let Some(result) = asked.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn each_stage_has_two_attempts_of_its_own() {
    let replies = [
        Reply::broken_json(),
        Reply::block(""),
        Reply::broken_json(),
        Reply::broken_json(),
        Reply::allow(),
    ];
    for provider in Provider::ALL {
        let (answer, requests) = judged(provider, STYLE, &replies).await;
        assert!(unavailable(&answer).is_some(), "{answer:?}");
        assert_eq!(requests.len(), 4);
        let attempts: Vec<(Stage, u32)> = answer
            .model
            .stages
            .iter()
            .map(|record| (record.stage, record.attempts))
            .collect();
        assert_eq!(attempts, [(Stage::Fast, 2), (Stage::Thinking, 2)]);
    }
}

#[tokio::test]
async fn an_endpoint_that_names_a_time_is_not_asked_before_it() {
    let replies = [Reply::too_many_requests("1"), Reply::allow()];
    let (answer, requests) = judged(Provider::OpenaiCompatible, STYLE, &replies).await;
    assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    let waited = requests[1].at.duration_since(requests[0].at);
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn a_time_beyond_the_deadline_ends_the_attempts_at_once() {
    for provider in Provider::ALL {
        for fault in [Reply::too_many_requests("3600"), retry_later("1000000000")] {
            let replies = [fault, Reply::allow()];
            let (answer, requests) = judged(provider, STYLE, &replies).await;
            assert_eq!(unavailable(&answer), Some(HttpStatus), "{answer:?}");
            assert_eq!(requests.len(), 1);
        }
    }
}

fn retry_later(seconds: &str) -> Reply {
    Reply::unavailable().with_header("retry-after", seconds)
}

#[tokio::test]
async fn what_an_endpoint_does_not_take_is_left_out_from_then_on() {
    let server = ModelServer::start();
    server.then(Reply::raw(
        400,
        "application/json",
        r#"{"error": {"message": "temperature is not supported", "param": "temperature"}}"#,
    ));
    server.always(Reply::allow());
    let settings = settings(Provider::OpenaiCompatible, &server);
    let models = models();
    for _ in 0..2 {
        let answer = models.ask(&settings, &prompt()).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    }
    let with_temperature: Vec<bool> = server
        .requests()
        .iter()
        .map(|request| request.body.get("temperature").is_some())
        .collect();
    assert_eq!(with_temperature, [true, false, false]);
}
