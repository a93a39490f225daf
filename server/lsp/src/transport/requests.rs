//! The only way to ask the client something: upstream cannot bear that one who
//! asked goes away before the answer comes, so here nobody who asks can.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};
use tower_lsp::Client;
use tower_lsp::jsonrpc::{self, ErrorCode};
use tower_lsp::lsp_types::request::Request;

use super::message::error;

/// How many requests may wait for the client's answer. A person leaves prompts
/// unanswered, and editors never say so.
const MOST_OPEN: usize = 64;

/// `ServerCancelled` of the protocol.
const SERVER_CANCELLED: i64 = -32802;

/// Sends requests to the client. Clones share the connection and the bound.
///
/// Each request is awaited by a task of its own that is neither dropped nor
/// timed out while the connection lasts: with upstream (0.20.0), the answer to
/// a request whose future was dropped is a panic. A deadline belongs around
/// the receiver.
#[derive(Debug, Clone)]
pub struct Requests {
    client: Client,
    runtime: Handle,
    places: Arc<Semaphore>,
    closed: Arc<watch::Sender<bool>>,
}

impl Requests {
    /// Requests to this client, whose tasks run on this runtime.
    #[must_use]
    pub fn new(client: Client, runtime: Handle) -> Self {
        Self {
            client,
            runtime,
            places: Arc::new(Semaphore::new(MOST_OPEN)),
            closed: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Sends a request. What comes back is the client's answer, or an error:
    /// at once where 64 requests are unanswered, the client is not yet
    /// initialized, or the connection has ended, and otherwise when it ends.
    /// Dropping the receiver is harmless. Requests reach the client in the
    /// order in which they are sent.
    pub fn send<R>(&self, params: R::Params) -> oneshot::Receiver<jsonrpc::Result<R::Result>>
    where
        R: Request,
        R::Params: Send + 'static,
        R::Result: Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let _ = answer.send(Err(error(
                ErrorCode::ServerError(SERVER_CANCELLED),
                format!("the editor has not answered {MOST_OPEN} requests"),
            )));
            return receiver;
        };
        let client = self.client.clone();
        let mut closed = self.closed.subscribe();
        let asking = async move {
            #[expect(
                clippy::disallowed_methods,
                reason = "this task is not dropped before the answer"
            )]
            let asking = client.send_request::<R>(params);
            let result = tokio::select! {
                biased;
                result = asking => result,
                _ = closed.wait_for(|closed| *closed) => Err(error(
                    ErrorCode::ServerError(SERVER_CANCELLED),
                    "the connection to the editor has ended".to_owned(),
                )),
            };
            let _ = answer.send(result);
            drop(place);
        };
        let mut asking: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(asking);
        // The first poll puts the message on its way; done here, it keeps the
        // order. The task polls again.
        let begun = asking
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if begun.is_pending() {
            self.runtime.spawn(asking);
        }
        receiver
    }

    /// Gives an error to everybody who waits for an answer, now and later: the
    /// connection has ended, no answer can come any more.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }
}
