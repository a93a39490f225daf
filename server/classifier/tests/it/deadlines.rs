//! Each stage ends at its deadline, wherever the time goes.

use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason::Timeout;
use countersign_core::model::{Provider, Stage, StageVerdict};
use countersign_test_support::model_server::{Gate, ModelServer, Reply};
use tokio::task::JoinSet;

use crate::world::{models, prompt, said, settings, unavailable};

/// The shortest deadline, in milliseconds.
const SHORTEST: u64 = 1_000;

/// Far more than a busy machine adds.
const LATE: u64 = 15_000;

// One test, because each deadline costs a second: here all pass at once.
#[tokio::test]
async fn what_takes_too_long_ends_at_the_stages_deadline() {
    let mut asked = JoinSet::new();
    for provider in Provider::ALL {
        for reply in [Reply::never(), Reply::slow_headers(), Reply::slow_body()] {
            asked.spawn(async move {
                let server = ModelServer::start();
                server.always(reply);
                let mut settings = settings(provider, &server);
                settings.stage1_ms = SHORTEST;
                let answer = models().ask(&settings, &prompt()).await;
                assert_eq!(unavailable(&answer), Some(Timeout), "{answer:?}");
                let [fast] = answer.model.stages.as_slice() else {
                    panic!("{answer:?}");
                };
                assert_eq!(fast.verdict, StageVerdict::Unavailable(Timeout));
                assert!((SHORTEST..LATE).contains(&fast.millis), "{fast:?}");
                server.until(|seen| seen.under_way == 0).await;
            });
        }
        asked.spawn(second_stage(provider));
    }
    asked.spawn(waiting_in_the_queue());
    while let Some(result) = asked.join_next().await {
        result.unwrap();
    }
}

async fn second_stage(provider: Provider) {
    let server = ModelServer::start();
    server.then(Reply::block(""));
    server.always(Reply::never());
    let mut settings = settings(provider, &server);
    settings.stage2_ms = SHORTEST;
    let answer = models().ask(&settings, &prompt()).await;
    let timeout = (Stage::Thinking, StageVerdict::Unavailable(Timeout));
    assert_eq!(said(&answer), [(Stage::Fast, StageVerdict::Block), timeout]);
    assert_eq!(unavailable(&answer), Some(Timeout), "{answer:?}");
}

/// The endpoint takes one question at a time, and has one in its second stage:
/// another waits in the queue until its own deadline, and does not reach it.
async fn waiting_in_the_queue() {
    let server = ModelServer::start();
    let gate = Gate::new();
    server.then(Reply::block(""));
    server.always(Reply::allow().held(&gate));
    let mut settings = settings(Provider::OpenaiCompatible, &server);
    settings.max_concurrent = 1;
    settings.stage1_ms = SHORTEST;
    let models = models();
    let first = {
        let (models, settings) = (models.clone(), settings.clone());
        tokio::spawn(async move { models.ask(&settings, &prompt()).await })
    };
    server.until(|seen| seen.requests == 2).await;
    let second = models.ask(&settings, &prompt()).await;
    assert_eq!(unavailable(&second), Some(Timeout), "{second:?}");
    assert_eq!(second.model.stages[0].attempts, 0, "{second:?}");
    assert_eq!(server.requests().len(), 2);
    gate.open();
    assert_eq!(first.await.unwrap().verdict, Verdict::Allow);
}
