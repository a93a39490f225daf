//! What is refused before anything is sent, and what is learned of an endpoint.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason::{Timeout, Transport};
use countersign_core::model::Provider;
use countersign_test_support::model_server::{ModelServer, Reply};

use crate::world::{models, prompt, settings, unavailable};

/// How far a future gets without waiting.
async fn begun<F: Future + Unpin>(future: &mut F) -> Poll<()> {
    std::future::poll_fn(|context| {
        let poll = std::pin::Pin::new(&mut *future).poll(context);
        Poll::Ready(poll.map(|_| ()))
    })
    .await
}

#[tokio::test]
async fn a_full_queue_says_so_at_once_and_one_that_empties_takes_again() {
    let server = ModelServer::start();
    server.always(Reply::never());
    let mut settings = settings(Provider::OpenaiCompatible, &server);
    settings.max_concurrent = 1;
    let (models, prompt) = (models(), prompt());
    let mut asked: Vec<_> = (0..=1024)
        .map(|_| Box::pin(models.ask(&settings, &prompt)))
        .collect();
    for question in &mut asked {
        assert!(begun(question).await.is_pending());
    }
    let refused = models.ask(&settings, &prompt).await;
    assert_eq!(unavailable(&refused), Some(Timeout), "{refused:?}");
    assert_eq!(refused.model.stages[0].attempts, 0);
    let problem = refused.model.problem.unwrap();
    assert!(problem.contains("maxConcurrent"), "{problem}");
    asked.pop();
    let mut next = pin!(models.ask(&settings, &prompt));
    assert!(begun(&mut next).await.is_pending());
}

#[tokio::test]
async fn a_key_is_not_sent_in_the_clear_to_another_machine() {
    let server = ModelServer::start();
    server.always(Reply::allow());
    for provider in Provider::ALL {
        let mut settings = settings(provider, &server);
        settings.base_url = "http://model.example".to_owned();
        // Not even by way of a proxy on this one.
        settings.proxy = Some(server.url());
        let answer = models().ask(&settings, &prompt()).await;
        assert_eq!(unavailable(&answer), Some(Transport), "{answer:?}");
        let problem = answer.model.problem.unwrap();
        assert!(problem.contains("use https"), "{problem}");
    }
    assert_eq!(server.seen().connections, 0);
}

#[tokio::test]
async fn a_model_that_thinks_too_long_is_told_not_to_and_asked_again() {
    let server = ModelServer::start();
    let thoughts = serde_json::json!({
        "choices": [{
            "message": { "content": "", "reasoning": "Let me see" },
            "finish_reason": "length",
        }],
    });
    server.then(Reply::raw(200, "application/json", thoughts.to_string()));
    server.then(Reply::raw(
        400,
        "application/json",
        r#"{"error": {"message": "Unrecognized request argument: chat_template_kwargs"}}"#,
    ));
    server.always(Reply::allow());
    let settings = settings(Provider::OpenaiCompatible, &server);
    let models = models();
    for _ in 0..2 {
        let answer = models.ask(&settings, &prompt()).await;
        assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    }
    let said: Vec<(bool, bool)> = server
        .requests()
        .iter()
        .map(|request| {
            let says = |name| request.body.get(name).is_some();
            (says("reasoning_effort"), says("chat_template_kwargs"))
        })
        .collect();
    let [nothing, both, effort] = [(false, false), (true, true), (true, false)];
    assert_eq!(said, [nothing, both, effort, effort]);
}
