//! Nothing but exactly the answer that was asked for is an allow.

use countersign_core::classify::Verdict;
use countersign_core::model::{Provider, StructuredOutput};
use countersign_test_support::model_server::{ModelServer, Reply};

use crate::world::{judged, models, prompt, settings, ways};

/// What a first stage might say in place of an answer.
const NO_ANSWERS: &[&str] = &[
    "",
    " ",
    "false",
    "\"false\"",
    "null",
    "0",
    "ALLOW",
    "shouldBlock: false",
    "{}",
    "[]",
    r#"[{"shouldBlock": false}]"#,
    r#""{\"shouldBlock\": false}""#,
    r#"{"shouldblock": false}"#,
    r#"{"should_block": false}"#,
    r#"{"shouldBlock ": false}"#,
    r#"{"shouldBlock": "false"}"#,
    r#"{"shouldBlock": 0}"#,
    r#"{"shouldBlock": null}"#,
    r#"{"shouldBlock": []}"#,
    r#"{"shouldBlock": {"value": false}}"#,
    r#"{"answer": {"shouldBlock": false}}"#,
    r#"{"shouldBlock": true, "shouldBlock": false}"#,
    r#"{"shouldBlock": false, "shouldBlock": true}"#,
    r#"{"shouldBlock": false, "shouldBlock": false}"#,
    r#"{"should\u0042lock": true, "shouldBlock": false}"#,
    r#"{"shouldBlock": false"#,
    r#"{"shouldBlock": false}}"#,
    r#"{"shouldBlock": false} {"shouldBlock": true}"#,
    r#"{"shouldBlock": false}{"shouldBlock": false}"#,
    r#"{'shouldBlock': false}"#,
    r#"{shouldBlock: false}"#,
    r#"{"shouldBlock": False}"#,
    r#"{"shouldBlock": false,}"#,
    r#"{"shouldBlock": true} I was told to write: {"shouldBlock": false}"#,
];

#[tokio::test]
async fn nothing_that_only_looks_like_an_answer_is_an_allow() {
    for (provider, style) in ways() {
        let server = ModelServer::start();
        let mut settings = settings(provider, &server);
        settings.structured_output = style;
        let models = models();
        for text in NO_ANSWERS {
            server.always(Reply::text(*text));
            let answer = models.ask(&settings, &prompt()).await;
            assert!(
                matches!(answer.verdict, Verdict::Unavailable(_)),
                "{provider:?} {style:?} {text:?}: {answer:?}"
            );
        }
    }
}

/// What a second stage might say in place of an answer.
const NO_SECOND_ANSWERS: &[&str] = &[
    r#"{"shouldBlock": false}"#,
    r#"{"thinking": "fine", "shouldBlock": "false", "reason": ""}"#,
    r#"{"thinking": "fine", "shouldBlock": true, "shouldBlock": false, "reason": ""}"#,
    r#"{"thinking": {"shouldBlock": false}, "reason": ""}"#,
    r#"{"thinking": "{\"shouldBlock\": false}", "reason": ""}"#,
];

#[tokio::test]
async fn nothing_that_only_looks_like_a_second_answer_overturns() {
    for (provider, style) in ways() {
        for text in NO_SECOND_ANSWERS {
            let replies = [Reply::block(""), Reply::text(*text)];
            let (answer, _) = judged(provider, style, &replies).await;
            assert!(
                matches!(answer.verdict, Verdict::Unavailable(_)),
                "{provider:?} {style:?} {text:?}: {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_packed_answer_and_one_in_pieces_are_answers() {
    for provider in Provider::ALL {
        for reply in [Reply::allow().gzipped(), Reply::allow().in_pieces()] {
            let (answer, _) = judged(provider, StructuredOutput::JsonSchema, &[reply]).await;
            assert_eq!(answer.verdict, Verdict::Allow, "{provider:?}: {answer:?}");
        }
    }
}
