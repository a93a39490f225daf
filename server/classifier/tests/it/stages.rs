//! The second stage is asked only after a block, it may overturn, and both send
//! the same beginning.

use countersign_core::classify::Verdict;
use countersign_core::model::{InstructionRole, Provider, Stage, StageVerdict, StructuredOutput};
use countersign_core::prompt::instruction;
use countersign_test_support::model_server::{ModelServer, Received, Reply};
use serde_json::Value;

use crate::world::{judged, models, prompt, said, settings, ways};

const ALLOWED: (Stage, StageVerdict) = (Stage::Fast, StageVerdict::Allow);
const FLAGGED: (Stage, StageVerdict) = (Stage::Fast, StageVerdict::Block);

#[tokio::test]
async fn an_allow_of_the_first_stage_is_the_answer_after_one_request() {
    for (provider, style) in ways() {
        let (answer, requests) = judged(provider, style, &[Reply::allow()]).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{provider:?} {style:?}");
        assert_eq!(said(&answer), [ALLOWED]);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].stage(), Stage::Fast);
        assert_eq!(requests[0].style().output, on_the_wire(provider, style));
    }
}

#[tokio::test]
async fn a_block_of_both_stages_blocks_with_the_second_ones_reason() {
    for (provider, style) in ways() {
        let (answer, requests) = judged(provider, style, &[Reply::block("it wipes a disk")]).await;
        let reason = "it wipes a disk".to_owned();
        assert_eq!(answer.verdict, Verdict::Block { reason }, "{provider:?}");
        let blocked = (Stage::Thinking, StageVerdict::Block);
        assert_eq!(said(&answer), [FLAGGED, blocked]);
        let stages: Vec<Stage> = requests.iter().map(Received::stage).collect();
        assert_eq!(stages, Stage::ALL, "{provider:?} {style:?}");
    }
}

#[tokio::test]
async fn the_second_stage_overturns_the_first() {
    for (provider, style) in ways() {
        let replies = [Reply::block(""), Reply::allow()];
        let (answer, requests) = judged(provider, style, &replies).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{provider:?} {style:?}");
        let overturned = (Stage::Thinking, StageVerdict::Allow);
        assert_eq!(said(&answer), [FLAGGED, overturned]);
        assert_eq!(requests.len(), 2);
    }
}

#[tokio::test]
async fn without_the_second_stage_a_block_of_the_first_is_no_answer_and_no_allow() {
    for (provider, style) in ways() {
        let replies = [Reply::block(""), Reply::unauthorized()];
        let (answer, requests) = judged(provider, style, &replies).await;
        assert!(
            matches!(answer.verdict, Verdict::Unavailable(_)),
            "{answer:?}"
        );
        assert_eq!(said(&answer)[0], FLAGGED);
        assert_eq!(requests.len(), 2);
    }
}

#[tokio::test]
async fn both_stages_send_the_same_bytes_up_to_the_instruction() {
    for (provider, style) in ways() {
        for role in InstructionRole::ALL {
            let server = ModelServer::start();
            server.always(Reply::block("no"));
            let mut settings = settings(provider, &server);
            settings.structured_output = style;
            settings.instruction_role = role;
            models().ask(&settings, &prompt()).await;
            let requests = server.requests();
            let [fast, thinking] = requests.as_slice() else {
                panic!("{} requests", requests.len());
            };
            let before = before_instruction(fast, Stage::Fast);
            assert_eq!(before, before_instruction(thinking, Stage::Thinking));
            for part in [prompt().system, prompt().content] {
                let part = within_json(&part);
                assert!(
                    before.contains(&part),
                    "{provider:?} {style:?} {role:?}: {before}"
                );
            }
            assert_eq!(fast.path, thinking.path);
            let without_length = |request: &Received| {
                let mut headers = request.headers.clone();
                headers.retain(|(name, _)| name != "content-length");
                headers
            };
            assert_eq!(without_length(fast), without_length(thinking));
        }
    }
}

/// Anthropic's interface has no style for some JSON object.
const fn on_the_wire(provider: Provider, style: StructuredOutput) -> StructuredOutput {
    match (provider, style) {
        (Provider::Anthropic, StructuredOutput::JsonObject) => StructuredOutput::Plain,
        _ => style,
    }
}

/// What a request has before the words that differ.
fn before_instruction(request: &Received, stage: Stage) -> String {
    let body = std::str::from_utf8(&request.raw).unwrap();
    let words = within_json(instruction(stage));
    let (before, after) = body.split_once(&words).expect("the stage's instruction");
    assert!(!after.contains(&words), "it is said twice");
    before.to_owned()
}

/// A text as it stands within a JSON string.
fn within_json(text: &str) -> String {
    Value::from(text).to_string().trim_matches('"').to_owned()
}

#[tokio::test]
async fn answers_are_short_and_not_at_random() {
    for (provider, style) in ways() {
        let (_, requests) = judged(provider, style, &[Reply::block("no")]).await;
        for request in requests {
            let temperature = ["/temperature", "/generationConfig/temperature"]
                .iter()
                .find_map(|pointer| request.body.pointer(pointer)?.as_f64());
            assert_eq!(temperature, Some(0.0), "{provider:?} {style:?}");
            let most = request.stage().max_output_tokens();
            let text = request.body.to_string();
            assert!(text.contains(&format!("okens\":{most}")), "{text}");
        }
    }
}
