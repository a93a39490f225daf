//! Every fault of an endpoint has its name, in each interface, and none is an
//! allow.

use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason::{
    self, ContextOverflow, HttpStatus, Parse, Refusal, Schema, Transport,
};
use countersign_core::model::{Provider, Stage, StageVerdict, StructuredOutput};
use countersign_test_support::model_server::{ModelServer, Reply};
use tokio::task::JoinSet;

use crate::world::{judged, models, prompt, said, settings, unavailable};

/// What an endpoint says, what it counts as, and how often it is asked then.
fn faults() -> Vec<(&'static str, Reply, UnavailableReason, usize)> {
    vec![
        ("reset", Reply::reset(), Transport, 2),
        ("reset in body", Reply::reset_in_body(), Transport, 2),
        ("closed in body", Reply::closed_in_body(), Transport, 2),
        (
            "too many requests",
            Reply::too_many_requests("0"),
            HttpStatus,
            2,
        ),
        ("internal error", Reply::internal_error(), HttpStatus, 2),
        ("unavailable", Reply::unavailable(), HttpStatus, 2),
        ("unauthorized", Reply::unauthorized(), HttpStatus, 1),
        ("model not found", Reply::model_not_found(), HttpStatus, 1),
        ("bad request", Reply::bad_request(), HttpStatus, 1),
        (
            "context overflow",
            Reply::context_overflow(),
            ContextOverflow,
            1,
        ),
        ("broken JSON", Reply::broken_json(), Parse, 2),
        ("HTML", Reply::html(), Parse, 2),
        ("empty body", Reply::empty_body(), Parse, 2),
        ("other JSON", Reply::other_json(), Schema, 2),
        ("injected allow", Reply::injected_allow(), Parse, 2),
        ("truncated", Reply::truncated(), Parse, 2),
        ("wrong schema", Reply::wrong_schema(), Schema, 2),
        ("duplicate keys", Reply::duplicate_keys(), Schema, 2),
        ("refusal", Reply::refusal(), Refusal, 1),
        ("content filter", Reply::content_filter(), Refusal, 1),
    ]
}

#[tokio::test]
async fn every_fault_of_the_first_stage_has_its_name_and_is_no_allow() {
    let mut asked = JoinSet::new();
    for provider in Provider::ALL {
        for (name, reply, reason, attempts) in faults() {
            asked.spawn(async move {
                let style = StructuredOutput::JsonSchema;
                let (answer, requests) = judged(provider, style, &[reply]).await;
                let what = format!("{provider:?}: {name}: {answer:?}");
                assert_eq!(unavailable(&answer), Some(reason), "{what}");
                let fast = (Stage::Fast, StageVerdict::Unavailable(reason));
                assert_eq!(said(&answer), [fast], "{what}");
                assert_eq!(requests.len(), attempts, "{what}");
                assert_eq!(answer.model.stages[0].attempts as usize, attempts);
                assert!(answer.model.problem.is_some(), "{what}");
            });
        }
    }
    while let Some(result) = asked.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn every_fault_of_the_second_stage_has_its_name_and_is_no_allow() {
    let mut asked = JoinSet::new();
    for provider in Provider::ALL {
        for (name, reply, reason, _) in faults() {
            asked.spawn(async move {
                let style = StructuredOutput::Plain;
                let replies = [Reply::block(""), reply];
                let (answer, _) = judged(provider, style, &replies).await;
                let what = format!("{provider:?}: {name}: {answer:?}");
                assert_eq!(unavailable(&answer), Some(reason), "{what}");
                let fast = (Stage::Fast, StageVerdict::Block);
                let thinking = (Stage::Thinking, StageVerdict::Unavailable(reason));
                assert_eq!(said(&answer), [fast, thinking], "{what}");
            });
        }
    }
    while let Some(result) = asked.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn a_tool_call_with_broken_arguments_is_no_allow() {
    for provider in Provider::ALL {
        for style in StructuredOutput::ALL {
            let (answer, _) = judged(provider, style, &[Reply::broken_arguments()]).await;
            let reason = unavailable(&answer);
            assert!(matches!(reason, Some(Parse | Schema)), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_of_no_end_is_given_up_and_never_an_allow() {
    for provider in Provider::ALL {
        for reply in [
            Reply::huge_body(),
            Reply::huge_body().in_pieces(),
            Reply::gzip_bomb(),
            Reply::endless_body(),
        ] {
            let server = ModelServer::start();
            server.always(reply);
            let settings = settings(provider, &server);
            let answer = models().ask(&settings, &prompt()).await;
            assert_eq!(unavailable(&answer), Some(Parse), "{answer:?}");
            server.until(|seen| seen.under_way == 0).await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_is_none_even_if_it_reads_like_one() {
    for provider in Provider::ALL {
        for style in [StructuredOutput::JsonSchema, StructuredOutput::ToolCall] {
            let cut = Reply::truncated_text(r#"{"shouldBlock": false}"#);
            let (answer, _) = judged(provider, style, &[cut]).await;
            assert_eq!(unavailable(&answer), Some(Parse), "{provider:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_forms_in_which_local_servers_say_that_a_prompt_is_too_long_are_known() {
    for (status, body) in [
        // vLLM
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4744 in the messages, 256 in the completion).","type":"BadRequestError","param":null,"code":400}"#,
        ),
        // llama.cpp
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}}"#,
        ),
    ] {
        let reply = Reply::raw(status, "application/json", body);
        let style = StructuredOutput::JsonSchema;
        let (answer, requests) = judged(Provider::OpenaiCompatible, style, &[reply]).await;
        assert_eq!(unavailable(&answer), Some(ContextOverflow), "{answer:?}");
        assert_eq!(requests.len(), 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_no_allow() {
    let server = ModelServer::start();
    let mut settings = settings(Provider::Anthropic, &server);
    // Not a port that was free a moment ago: another test may have it now.
    settings.base_url = "http://127.0.0.1:1".to_owned();
    let answer = models().ask(&settings, &prompt()).await;
    assert_eq!(answer.verdict, Verdict::Unavailable(Transport));
}
