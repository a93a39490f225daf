//! What `doctor` is told of an endpoint.

use countersign_classifier::StyleProbe;
use countersign_core::decision::UnavailableReason::{HttpStatus, Parse, Transport};
use countersign_core::model::{InstructionRole, Provider, StructuredOutput};
use countersign_test_support::model_server::{MODEL, ModelServer, Reply};

use crate::world::{KEY, KEY_NAME, models, settings};

fn refused(message: &str) -> Reply {
    let body = serde_json::json!({ "error": { "message": message } });
    Reply::raw(400, "application/json", body.to_string())
}

#[tokio::test]
async fn an_endpoint_that_can_everything_is_found_so() {
    for provider in Provider::ALL {
        let server = ModelServer::start();
        server.always(Reply::block("no"));
        let probe = models().probe(&settings(provider, &server)).await;
        assert!(probe.reachable);
        assert_eq!(probe.status, Some(200));
        assert_eq!(probe.model_exists, Some(true));
        assert_eq!(probe.recommended, Some(StructuredOutput::JsonSchema));
        assert_eq!(probe.instruction_role, Some(InstructionRole::System));
        assert_eq!(probe.problem, None);
        assert!(probe.styles.iter().all(StyleProbe::works), "{probe:?}");
        // Anthropic has no style for some JSON object.
        let styles = if provider == Provider::Anthropic {
            3
        } else {
            4
        };
        assert_eq!(probe.styles.len(), styles);
        assert!(probe.input_tokens > 0 && probe.output_tokens > 0);
        assert!(!format!("{probe:?}").contains(KEY));
    }
}

#[tokio::test]
async fn a_role_that_is_refused_is_told_with_the_one_that_works() {
    let server = ModelServer::start();
    server.then(refused("System message must be at the beginning."));
    server.always(Reply::allow());
    let probe = models()
        .probe(&settings(Provider::OpenaiCompatible, &server))
        .await;
    assert_eq!(probe.instruction_role, Some(InstructionRole::User));
    assert_eq!(probe.recommended, Some(StructuredOutput::JsonSchema));
    let problem = probe.problem.unwrap();
    assert!(problem.what.contains("at the beginning"), "{problem:?}");
    assert_eq!(
        problem.remedy,
        "set instructionRole to \"user\" in permissions.autoMode.classifier"
    );
}

#[tokio::test]
async fn a_style_that_is_refused_is_told_with_the_best_that_works() {
    let server = ModelServer::start();
    server.then(refused("response_format json_schema is unknown"));
    server.then(refused("response_format json_schema is unknown"));
    server.always(Reply::allow());
    let probe = models()
        .probe(&settings(Provider::OpenaiCompatible, &server))
        .await;
    assert_eq!(probe.recommended, Some(StructuredOutput::ToolCall));
    assert_eq!(probe.instruction_role, Some(InstructionRole::System));
    let problem = probe.problem.unwrap();
    assert_eq!(problem.reason, HttpStatus);
    assert_eq!(
        problem.remedy,
        "set structuredOutput to \"tool-call\" in permissions.autoMode.classifier"
    );
}

#[tokio::test]
async fn a_model_that_only_chats_is_no_classifier() {
    let server = ModelServer::start();
    server.always(Reply::injected_allow());
    let probe = models()
        .probe(&settings(Provider::OpenaiCompatible, &server))
        .await;
    assert!(probe.reachable);
    assert_eq!(probe.recommended, None);
    assert!(!probe.styles.iter().any(StyleProbe::works));
    assert_eq!(probe.problem.unwrap().reason, Parse);
}

#[tokio::test]
async fn a_model_is_said_to_be_there_only_if_a_list_or_a_good_answer_shows_it() {
    for provider in Provider::ALL {
        for look in [
            Reply::raw(404, "application/json", "{\"error\":\"no such page\"}"),
            Reply::raw(200, "text/html", "<html>Welcome</html>"),
            Reply::raw(200, "application/json", "{\"error\":\"no such page\"}"),
        ] {
            let server = ModelServer::start();
            server.models(look.clone());
            server.always(Reply::text("Good day."));
            let probe = models().probe(&settings(provider, &server)).await;
            assert!(probe.reachable);
            assert_eq!(probe.model_exists, None, "{probe:?}");

            let server = ModelServer::start();
            server.models(look);
            server.always(Reply::allow());
            let probe = models().probe(&settings(provider, &server)).await;
            assert_eq!(probe.model_exists, Some(true), "{probe:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_or_model_is_found_with_one_question() {
    for provider in Provider::ALL {
        let server = ModelServer::start();
        server.always(Reply::unauthorized());
        let probe = models().probe(&settings(provider, &server)).await;
        let problem = probe.problem.clone().unwrap();
        assert_eq!(probe.status, Some(401));
        assert!(problem.remedy.contains(KEY_NAME), "{problem:?}");
        assert!(!format!("{probe:?}").contains(KEY), "{probe:?}");
        assert_eq!(server.requests().len(), 2);

        let server = ModelServer::start();
        server.always(Reply::model_not_found());
        let mut settings = settings(provider, &server);
        settings.model = "no-such-model".to_owned();
        let probe = models().probe(&settings).await;
        assert_eq!(probe.model_exists, Some(false));
        assert!(probe.problem.unwrap().remedy.contains("model"));
        if provider == Provider::OpenaiCompatible {
            assert_eq!(probe.models, [MODEL]);
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_asked_nothing() {
    let server = ModelServer::start();
    let mut settings = settings(Provider::OpenaiCompatible, &server);
    drop(server);
    let probe = models().probe(&settings).await;
    assert!(!probe.reachable && probe.styles.is_empty());
    let problem = probe.problem.unwrap();
    assert_eq!(problem.reason, Transport);
    assert!(problem.remedy.contains("baseUrl"), "{problem:?}");

    settings.base_url = "http://model.example/v1".to_owned();
    let probe = models().probe(&settings).await;
    assert!(probe.problem.unwrap().remedy.contains("https"));
}
