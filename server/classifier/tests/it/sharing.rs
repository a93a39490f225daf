//! Many questions share connections, and none waits for another's model.

use countersign_core::classify::Verdict;
use countersign_core::model::Provider;
use countersign_test_support::model_server::{Gate, ModelServer, Reply};

use crate::world::{models, prompt, settings, unavailable};

#[tokio::test]
async fn questions_one_after_the_other_take_one_connection() {
    for provider in Provider::ALL {
        let server = ModelServer::start();
        server.always(Reply::block("no"));
        let settings = settings(provider, &server);
        let models = models();
        for _ in 0..20 {
            let answer = models.clone().ask(&settings, &prompt()).await;
            assert!(
                matches!(answer.verdict, Verdict::Block { .. }),
                "{answer:?}"
            );
        }
        let seen = server.seen();
        assert_eq!(seen.requests, 40);
        assert_eq!(seen.connections, 1, "{provider:?}");
    }
}

#[tokio::test]
async fn answers_that_come_in_pieces_leave_their_connection_to_the_next_question() {
    let server = ModelServer::start();
    server.always(Reply::allow().in_pieces());
    let settings = settings(Provider::Gemini, &server);
    let models = models();
    for _ in 0..20 {
        let answer = models.ask(&settings, &prompt()).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    }
    let seen = server.seen();
    assert_eq!(seen.requests, 20);
    assert_eq!(seen.connections, 1);
}

#[tokio::test]
async fn an_error_status_costs_no_connection() {
    let server = ModelServer::start();
    server.always(Reply::unauthorized());
    let settings = settings(Provider::OpenaiCompatible, &server);
    let models = models();
    for _ in 0..5 {
        let answer = models.ask(&settings, &prompt()).await;
        assert!(unavailable(&answer).is_some());
    }
    assert_eq!(server.seen().connections, 1);
}

#[tokio::test]
async fn a_connection_that_the_endpoint_closed_meanwhile_costs_no_answer() {
    let server = ModelServer::start();
    server.always(Reply::allow().and_close());
    let settings = settings(Provider::OpenaiCompatible, &server);
    let models = models();
    for _ in 0..3 {
        let answer = models.ask(&settings, &prompt()).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    }
}

#[tokio::test]
async fn a_slow_question_delays_no_other() {
    let server = ModelServer::start();
    let gate = Gate::new();
    server.then(Reply::allow().held(&gate));
    server.always(Reply::allow());
    let mut at_one = settings(Provider::OpenaiCompatible, &server);
    at_one.max_concurrent = 2;
    let models = models();
    let slow = {
        let (models, settings) = (models.clone(), at_one.clone());
        tokio::spawn(async move { models.ask(&settings, &prompt()).await })
    };
    server.until(|seen| seen.under_way == 1).await;
    for _ in 0..5 {
        let answer = models.ask(&at_one, &prompt()).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    }
    assert!(!slow.is_finished());
    gate.open();
    assert_eq!(slow.await.unwrap().verdict, Verdict::Allow);
}

#[tokio::test]
async fn a_full_endpoint_delays_no_question_to_another() {
    let full = ModelServer::start();
    let gate = Gate::new();
    full.always(Reply::allow().held(&gate));
    let free = ModelServer::start();
    free.always(Reply::allow());
    let models = models();
    let mut at_full = settings(Provider::OpenaiCompatible, &full);
    at_full.max_concurrent = 1;
    let slow = {
        let (models, settings) = (models.clone(), at_full.clone());
        tokio::spawn(async move { models.ask(&settings, &prompt()).await })
    };
    full.until(|seen| seen.under_way == 1).await;
    let mut at_free = at_full.clone();
    at_free.base_url = settings(Provider::OpenaiCompatible, &free).base_url;
    let answer = models.ask(&at_free, &prompt()).await;
    assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    assert!(!slow.is_finished());
    gate.open();
    assert_eq!(slow.await.unwrap().verdict, Verdict::Allow);
}
