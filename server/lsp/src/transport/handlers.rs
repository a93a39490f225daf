//! Runs the handlers of requests and notifications: begun in order, finished
//! when they finish, none of them able to end the others by a panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_lsp::{ExitedError, LanguageServer, LspService};
use tower_service::Service as _;

use super::message::error;
use super::output::Output;

/// How many requests may be unfinished; further ones are refused.
const MOST_REQUESTS: usize = 64;

/// How many handlers may be unfinished in all. Beyond that no message is read.
const MOST_HANDLERS: usize = 1024;

/// How long reading may wait for one of them to finish.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// `RequestFailed` of the protocol: well-formed, but it cannot be done now.
const REQUEST_FAILED: i64 = -32803;

/// What a handler comes to: nothing to do, or the id of a request whose handler
/// panicked and that upstream still holds for running.
type Leftover = Option<Id>;

/// Handlers do not finish.
#[derive(Debug, thiserror::Error)]
#[error("{MOST_HANDLERS} handlers are unfinished, and none finished in {LONGEST_PAUSE:?}")]
pub(super) struct Stuck;

/// The handlers of a service.
pub(super) struct Handlers<S: LanguageServer> {
    service: LspService<S>,
    output: Output,
    running: JoinSet<Leftover>,
    requests: Arc<Semaphore>,
    initializing: Arc<AtomicBool>,
    shut_down: Arc<AtomicBool>,
}

impl<S: LanguageServer> Handlers<S> {
    pub(super) fn new(service: LspService<S>, output: Output) -> Self {
        Self {
            service,
            output,
            running: JoinSet::new(),
            requests: Arc::new(Semaphore::new(MOST_REQUESTS)),
            initializing: Arc::default(),
            shut_down: Arc::default(),
        }
    }

    /// Begins to handle a request or a notification: when this returns, its
    /// handler has run up to its first await.
    pub(super) async fn begin(&mut self, request: Request) -> Result<(), Stuck> {
        self.make_room().await?;
        let place = match self.admit(&request) {
            Ok(place) => place,
            Err(refusal) => {
                self.output.send(&refusal).await;
                return Ok(());
            }
        };
        let method = request.method().to_owned();
        let id = request.id().cloned();
        let called = catch_unwind(AssertUnwindSafe(|| self.service.call(request)));
        let output = self.output.clone();
        let initializing = Arc::clone(&self.initializing);
        let shut_down = Arc::clone(&self.shut_down);
        let handling = async move {
            let outcome = match called {
                Ok(handling) => AssertUnwindSafe(handling).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            let leftover = id.clone().filter(|_| outcome.is_err());
            let response = answer(outcome, &method, id);
            if let Some(response) = response {
                match method.as_str() {
                    "initialize" => initializing.store(false, Ordering::Relaxed),
                    "shutdown" if response.is_ok() => shut_down.store(true, Ordering::Relaxed),
                    _ => {}
                }
                output.send(&response).await;
            }
            drop(place);
            leftover
        };
        // Unconstrained: in a long burst of messages tokio would make handlers
        // wait at an await that is ready, and so let later ones overtake them.
        let mut handling = Box::pin(tokio::task::unconstrained(handling));
        let begun = std::future::poll_fn(|context| Poll::Ready(handling.as_mut().poll(context)));
        match begun.await {
            Poll::Ready(leftover) => self.forget(leftover),
            Poll::Pending => {
                self.running.spawn(handling);
            }
        }
        Ok(())
    }

    /// Waits until all handlers have finished.
    pub(super) async fn finish(&mut self) {
        while self.running.join_next().await.is_some() {}
    }

    /// Drops what is unfinished and lets nothing more be sent; whether the
    /// client had shut the server down.
    pub(super) fn close(&mut self) -> bool {
        self.running.abort_all();
        let _ = self
            .service
            .call(Request::build("exit").finish())
            .now_or_never();
        self.shut_down.load(Ordering::Relaxed)
    }

    /// Waits until another handler may begin.
    async fn make_room(&mut self) -> Result<(), Stuck> {
        while let Some(finished) = self.running.try_join_next() {
            self.forget(finished.unwrap_or_default());
        }
        while self.running.len() >= MOST_HANDLERS {
            let finished = tokio::time::timeout(LONGEST_PAUSE, self.running.join_next())
                .await
                .map_err(|_| Stuck)?;
            if let Some(finished) = finished {
                self.forget(finished.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Whether a request may be handled now, with its place among the
    /// unfinished ones; otherwise what to answer.
    fn admit(&self, request: &Request) -> Result<Option<OwnedSemaphorePermit>, Response> {
        // Notifications cannot be refused; and a server that is busy can be
        // shut down all the same.
        let Some(id) = request.id().filter(|_| request.method() != "shutdown") else {
            return Ok(None);
        };
        let refusal =
            |code, why: &str| Response::from_error(id.clone(), error(code, why.to_owned()));
        let place = Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| {
                refusal(
                    ErrorCode::ServerError(REQUEST_FAILED),
                    "too many requests are unfinished; wait for their answers",
                )
            })?;
        // Upstream refuses a second `initialize` only when the first has
        // finished.
        if request.method() == "initialize" && self.initializing.swap(true, Ordering::Relaxed) {
            return Err(refusal(
                ErrorCode::InvalidRequest,
                "initialize is under way",
            ));
        }
        Ok(Some(place))
    }

    /// Upstream holds a request whose handler panicked for running, and would
    /// refuse another one of that id.
    fn forget(&mut self, leftover: Leftover) {
        if let Some(id) = leftover {
            let cancel = Request::build("$/cancelRequest")
                .params(json!({ "id": id }))
                .finish();
            let _ = self.service.call(cancel).now_or_never();
        }
    }
}

type Outcome = Result<Result<Option<Response>, ExitedError>, Box<dyn Any + Send>>;

/// What to answer; nothing to a notification.
fn answer(outcome: Outcome, method: &str, id: Option<Id>) -> Option<Response> {
    let error = match outcome {
        Ok(Ok(Some(response))) => return Some(response),
        // Upstream is silent about unknown methods that begin with `$/`, which
        // is right only for notifications.
        Ok(Ok(None)) => Error::method_not_found(),
        Ok(Err(exited)) => error(ErrorCode::InvalidRequest, exited.to_string()),
        Err(panic) => {
            tracing::error!(method, panic = panic_text(&*panic), "a handler panicked");
            error(
                ErrorCode::InternalError,
                format!("the server failed at {method}; its log says more"),
            )
        }
    };
    Some(Response::from_error(id?, error))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
