//! Who judged a call, as people read it.

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ModelRecord, Stage, StageRecord, StageVerdict};

use crate::draw::testing::{Stage as Scene, denied, session, snapshot_of, story};
use crate::draw::{explain, model_text, prompt_text, session_document};

fn stage(stage: Stage, verdict: StageVerdict) -> StageRecord {
    StageRecord {
        stage,
        verdict,
        millis: 612,
        attempts: 1,
        request_id: Some("req_1".to_owned()),
        message_id: None,
        input_tokens: Some(4210),
        cached_tokens: Some(3968),
        output_tokens: Some(9),
    }
}

fn judged() -> ModelRecord {
    ModelRecord {
        model: Some("judge-1".to_owned()),
        provider: Some("openai".to_owned()),
        stages: vec![
            stage(Stage::Fast, StageVerdict::Block),
            StageRecord {
                attempts: 2,
                ..stage(Stage::Thinking, StageVerdict::Block)
            },
        ],
        ..ModelRecord::default()
    }
}

fn silent() -> ModelRecord {
    let unavailable = StageVerdict::Unavailable(UnavailableReason::Timeout);
    ModelRecord {
        stages: vec![StageRecord {
            attempts: 0,
            request_id: None,
            input_tokens: None,
            output_tokens: None,
            ..stage(Stage::Fast, unavailable)
        }],
        problem: Some("no answer within 10 s: use a faster model".to_owned()),
        ..judged()
    }
}

#[test]
fn a_judged_call_tells_model_stages_time_tokens_and_ids() {
    assert_eq!(
        model_text::lines(Some(&judged())),
        [
            "- Judged by `judge-1` (`openai`)",
            "- Fast stage: block in 612 ms, 4210 tokens read (3968 from the cache), 9 written, \
             request `req_1`",
            "- Thinking stage: block in 612 ms, 2 attempts, 4210 tokens read (3968 from the \
             cache), 9 written, request `req_1`",
        ]
    );
    assert_eq!(
        model_text::lines(Some(&silent()))[1..],
        [
            "- Fast stage: no answer (timeout) in 612 ms, never reached",
            "- No answer: `no answer within 10 s: use a faster model`",
        ]
    );
    assert_eq!(model_text::lines(None), [] as [&str; 0]);
}

#[test]
fn who_judged_stands_where_a_call_is_explained() {
    let mut call = story("c1", "git push --force", denied());
    call.model = Some(silent());
    let snapshot = snapshot_of(vec![call]);
    let page = explain::markdown(&snapshot, "c1", &[]).unwrap();
    let document = session_document::render(&snapshot, &session()).text;
    for text in [page, document] {
        assert!(text.contains("- Judged by `judge-1`"), "{text}");
        assert!(text.contains("use a faster model"), "{text}");
    }
}

#[test]
fn a_prompt_says_why_the_model_gave_no_answer() {
    let mut scene = Scene::new();
    let mut asked = (*scene.ask(scene.command("make"))).clone();
    asked.model = Some(silent());
    let prompt = prompt_text::approval(&asked).message;
    assert!(
        prompt.contains("Judged by judge-1, fast stage, 612 ms: no answer within 10 s: use a"),
        "{prompt}"
    );
}

#[test]
fn what_an_endpoint_says_of_itself_leaves_no_place() {
    let hostile = "x`\n# y [a](command:b) \u{202e}".repeat(40);
    let model = ModelRecord {
        model: Some(hostile.clone()),
        provider: Some(hostile.clone()),
        problem: Some(hostile.clone()),
        stages: vec![StageRecord {
            request_id: Some(hostile.clone()),
            message_id: Some(hostile),
            ..stage(Stage::Fast, StageVerdict::Allow)
        }],
        ..ModelRecord::default()
    };
    for line in model_text::lines(Some(&model)) {
        assert!(!line.contains(['\n', '\u{202e}']), "{line}");
        assert!(line.chars().count() < 500, "{line}");
    }
    let mut scene = Scene::new();
    let mut asked = (*scene.ask(scene.command("make"))).clone();
    asked.model = Some(model);
    let prompt = prompt_text::approval(&asked).message;
    assert!(
        !prompt.contains("](") && !prompt.contains(['\n', '\u{202e}']),
        "{prompt}"
    );
    assert!(prompt.chars().count() < 900, "{prompt}");
}
