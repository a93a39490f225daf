//! The server's own requests and notifications on their way to the client,
//! and the client's answers on their way back.

use std::collections::HashSet;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tower_lsp::jsonrpc::{Id, Response};
use tower_lsp::{ClientSocket, Loopback};

use super::output::Output;

/// The ids of requests that the client has not answered.
type Open = Arc<Mutex<HashSet<Id>>>;

/// Splits the socket into the way out, which never ends, and the way back.
pub(super) fn split(
    socket: ClientSocket,
    output: Output,
) -> (impl Future<Output = Infallible> + Send, Answers) {
    let (mut outgoing, sink) = socket.split();
    let open = Open::default();
    let answers = Answers {
        open: Arc::clone(&open),
        sink,
    };
    let forwarding = async move {
        // The stream must always be emptied: it holds as many messages as
        // there are senders, and upstream makes one for each message.
        while let Some(message) = outgoing.next().await {
            match message.id() {
                Some(id) => {
                    open.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(id.clone());
                    // `Requests` bounds how many there are.
                    output.send_anyway(&message);
                }
                None if output.try_send(&message) => {}
                None => {
                    tracing::error!(
                        method = message.method(),
                        "the editor does not read; a notification is dropped"
                    );
                }
            }
        }
        std::future::pending().await
    };
    (forwarding, answers)
}

/// Where the client's answers go.
pub(super) struct Answers {
    open: Open,
    sink: <ClientSocket as Loopback>::ResponseSink,
}

impl Answers {
    /// Gives an answer to whoever asked. An answer to nothing that is open, or
    /// a second one, is nobody's.
    pub(super) async fn pass_on(&mut self, answer: Response) {
        let known = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(answer.id());
        if !known {
            tracing::warn!(id = %answer.id(), "the editor answers what nobody asks; ignored");
            return;
        }
        // Upstream panics where the asking future was dropped. `Requests`
        // never drops one, but it is not upstream's only way to ask.
        match AssertUnwindSafe(self.sink.send(answer))
            .catch_unwind()
            .await
        {
            Ok(Ok(())) => {}
            Ok(Err(_exited)) => tracing::warn!("the editor answers after the end; ignored"),
            Err(_panic) => tracing::warn!("the editor answers after nobody waits; ignored"),
        }
    }
}
