//! The key goes into one header of one host, and nowhere else.

use std::io::Write;
use std::sync::Mutex;

use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason::HttpStatus;
use countersign_core::model::{Provider, StructuredOutput};
use countersign_test_support::model_server::{ModelServer, Reply};
use tokio::task::JoinSet;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::tls;
use crate::world::{KEY, judged, models, prompt, settings, unavailable, ways};

#[tokio::test]
async fn the_key_is_in_the_interfaces_header_and_nowhere_else_in_a_request() {
    for (provider, style) in ways() {
        let (_, requests) = judged(provider, style, &[Reply::block("no")]).await;
        assert_eq!(requests.len(), 2);
        for request in requests {
            let (name, value) = match provider {
                Provider::OpenaiCompatible => ("authorization", format!("Bearer {KEY}")),
                Provider::Anthropic => ("x-api-key", KEY.to_owned()),
                Provider::Gemini => ("x-goog-api-key", KEY.to_owned()),
            };
            let holding: Vec<_> = request
                .headers
                .iter()
                .filter(|(_, value)| value.contains(KEY))
                .collect();
            assert_eq!(holding, [&(name.to_owned(), value)]);
            assert!(!request.target.contains(KEY));
            assert!(!String::from_utf8_lossy(&request.raw).contains(KEY));
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_wants_no_key_gets_none() {
    for provider in Provider::ALL {
        let server = ModelServer::start();
        server.always(Reply::allow());
        let mut settings = settings(provider, &server);
        settings.api_key_env = None;
        models().ask(&settings, &prompt()).await;
        for name in ["authorization", "x-api-key", "x-goog-api-key", "cookie"] {
            assert_eq!(server.requests()[0].header(name), None, "{provider:?}");
        }
    }
}

#[tokio::test]
async fn without_the_key_that_the_settings_name_nothing_is_sent() {
    for provider in Provider::ALL {
        let server = ModelServer::start();
        server.always(Reply::allow());
        let mut settings = settings(provider, &server);
        settings.api_key_env = Some("COUNTERSIGN_TEST_NO_SUCH_KEY".to_owned());
        let answer = models().ask(&settings, &prompt()).await;
        assert_eq!(unavailable(&answer), Some(HttpStatus), "{answer:?}");
        let problem = answer.model.problem.unwrap();
        assert!(
            problem.contains("COUNTERSIGN_TEST_NO_SUCH_KEY"),
            "{problem}"
        );
        assert_eq!(server.seen().requests, 0);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for provider in Provider::ALL {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = ModelServer::start();
            elsewhere.always(Reply::allow());
            let server = ModelServer::start();
            let location = format!("{}/v1/chat/completions", elsewhere.url());
            server.always(Reply::raw(status, "text/plain", "").with_header("location", location));
            let answer = models().ask(&settings(provider, &server), &prompt()).await;
            assert_eq!(unavailable(&answer), Some(HttpStatus), "{answer:?}");
            assert_eq!(elsewhere.seen().connections, 0);
            assert_eq!(server.requests().len(), 1);
        }
    }
}

/// What every thread of this process logged, as text: of the other tests, too.
static LOG: Log = Log(Mutex::new(Vec::new()));

/// Takes spans and events of `tracing`, and records of `log`, of every level.
struct Log(Mutex<Vec<u8>>);

impl Log {
    /// Takes everything from now on; once in a process.
    fn take_everything(&'static self) {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_writer(move || self)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log::set_logger(self).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for &Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("log {} {}\n", record.target(), record.args());
        self.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_is_in_no_answer_no_problem_and_no_log_line() {
    LOG.take_everything();
    let another = tokio::task::spawn_blocking(|| tracing::trace!("another thread speaks"));
    another.await.unwrap();
    let echo = |status| Reply::raw(status, "text/plain", format!("what is {KEY}? {KEY}"));
    let mut asked = JoinSet::new();
    for provider in Provider::ALL {
        for reply in [
            Reply::allow(),
            Reply::block(format!("the key is {KEY}")),
            Reply::unauthorized(),
            echo(200),
            echo(400),
            echo(500),
            echo(401).with_header("x-request-id", KEY),
            Reply::text(KEY),
            Reply::redirect(format!("http://127.0.0.1:9/{KEY}")),
            Reply::reset(),
        ] {
            asked.spawn(async move {
                let style = StructuredOutput::JsonSchema;
                let (answer, _) = judged(provider, style, &[reply]).await;
                assert!(!format!("{answer:?}").contains(KEY), "{answer:?}");
            });
        }
    }
    while let Some(result) = asked.join_next().await {
        result.unwrap();
    }
    let models = models();
    let mut over_tls = tls::over_tls("localhost", tls::serve());
    over_tls.ca_file = Some(tls::data("ca.pem"));
    let answer = models.ask(&over_tls, &prompt()).await;
    assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
    assert!(!format!("{models:?} {answer:?}").contains(KEY));
    let log = LOG.text();
    for said in [
        "the model was asked",
        "log reqwest::",
        "hyper_util::client",
        "another thread speaks",
    ] {
        assert!(log.contains(said), "no `{said}` in {log}");
    }
    for line in log.lines() {
        assert!(!line.contains(KEY), "{line}");
        assert!(!line.contains("The user wrote"), "{line}");
    }
}
