//! Whoever goes away takes the question along, and what waits behind it goes on.

use countersign_core::classify::Verdict;
use countersign_core::model::Provider;
use countersign_test_support::model_server::{Gate, ModelServer, Reply};
use tokio::task::JoinSet;

use crate::world::{models, prompt, settings};

#[tokio::test]
async fn a_dropped_question_ends_at_the_endpoint_and_frees_its_place() {
    for provider in Provider::ALL {
        let server = ModelServer::start();
        let gate = Gate::new();
        server.then(Reply::allow().held(&gate));
        server.always(Reply::allow());
        let mut settings = settings(provider, &server);
        settings.max_concurrent = 1;
        let models = models();
        let question = |settings| {
            let models = models.clone();
            async move { models.ask(&settings, &prompt()).await }
        };
        let dropped = tokio::spawn(question(settings.clone()));
        server.until(|seen| seen.under_way == 1).await;
        let waiting = tokio::spawn(question(settings.clone()));
        // Whoever waits in the queue may go away too.
        let gone = tokio::spawn(question(settings.clone()));
        tokio::task::yield_now().await;
        assert_eq!(server.seen().requests, 1);
        gone.abort();
        dropped.abort();
        server.until(|seen| seen.abandoned == 1).await;
        assert_eq!(waiting.await.unwrap().verdict, Verdict::Allow);
        assert!(gone.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(server.seen().requests, 2);
    }
}

#[tokio::test]
async fn a_question_dropped_in_its_second_stage_ends_at_the_endpoint() {
    let server = ModelServer::start();
    let gate = Gate::new();
    server.then(Reply::block(""));
    server.then(Reply::block("").held(&gate));
    let settings = settings(Provider::Anthropic, &server);
    let models = models();
    let asked = tokio::spawn(async move { models.ask(&settings, &prompt()).await });
    server.until(|seen| seen.requests == 2).await;
    asked.abort();
    server.until(|seen| seen.abandoned == 1).await;
}

#[tokio::test]
async fn no_more_questions_are_under_way_than_the_settings_allow() {
    const MOST: usize = 3;
    const QUESTIONS: usize = 12;
    let server = ModelServer::start();
    let gate = Gate::new();
    server.always(Reply::block("no").held(&gate));
    let mut settings = settings(Provider::Gemini, &server);
    settings.max_concurrent = u32::try_from(MOST).unwrap();
    let models = models();
    let mut asked = JoinSet::new();
    for _ in 0..QUESTIONS {
        let (models, settings) = (models.clone(), settings.clone());
        asked.spawn(async move { models.ask(&settings, &prompt()).await });
    }
    server.until(|seen| seen.under_way == MOST).await;
    gate.open();
    while let Some(answer) = asked.join_next().await {
        let answer = answer.unwrap();
        assert!(
            matches!(answer.verdict, Verdict::Block { .. }),
            "{answer:?}"
        );
    }
    let seen = server.seen();
    assert_eq!(seen.most_under_way, MOST);
    assert_eq!(seen.requests, 2 * QUESTIONS);
    // One may be opened while another becomes free.
    assert!(seen.connections < QUESTIONS, "{seen:?}");
}
