//! Serves a language server over a byte stream, in place of
//! `tower_lsp::Server`, which a clumsy or hostile client can end or wedge.
//!
//! What upstream's loop (0.20.0) does not survive, and this one does: any
//! message that cannot be decoded ends it (tokio-util's `FramedRead` yields
//! `None` after an error), so does an answer to a request that was dropped,
//! and a panic in a handler; a reader that waits for a handler cannot read the
//! answer that the handler waits for; `exit` is noticed with the next message;
//! nothing bounds a message or what waits to be written. `LspService`,
//! `LanguageServer` and `Client` stay upstream's.

mod frames;
mod handlers;
mod loopback;
mod message;
mod output;
mod parent;
mod requests;

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tower_lsp::{ClientSocket, LanguageServer, LspService};

pub use parent::watch_parent;
pub use requests::Requests;

use frames::{Frame, Frames};
use handlers::Handlers;
use loopback::Answers;
use message::Incoming;
use output::Output;

/// How long what is under way may take when serving ends: the last handlers,
/// and writing what they answered.
const GRACE: Duration = Duration::from_secs(1);

/// Why serving ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServeEnd {
    /// The client sent `exit`. The protocol wants exit status 0 after a
    /// `shutdown` that was answered, and 1 without.
    Exit {
        /// Whether a `shutdown` request succeeded before.
        after_shutdown: bool,
    },
    /// The client closed its end, between messages or inside of one.
    InputEnded,
    /// The connection is of no more use; says why.
    Failed(String),
}

/// Speaks the language server protocol until the client says `exit`, goes, or
/// cannot be understood any more; then for at most a second until what is
/// under way is written. Handlers that are unfinished then are dropped, and
/// whoever waits for an answer of the client gets an error through `requests`,
/// which must be those of the service's client.
///
/// Every handler runs up to its first await before the next message is looked
/// at, so what it does until then happens in the order of the messages. It may
/// not block its thread.
///
/// With `tokio::io::stdin`, end the runtime with `shutdown_background`: a read
/// of a stdin that stays open cannot be cancelled, and dropping the runtime
/// would wait for it.
pub async fn serve<S: LanguageServer>(
    service: LspService<S>,
    socket: ClientSocket,
    requests: &Requests,
    input: impl AsyncRead + Unpin + Send,
    output: impl AsyncWrite + Unpin + Send,
) -> ServeEnd {
    let (output, writing) = Output::to(output);
    let mut writing = pin!(writing.fuse());
    let (forwarding, mut answers) = loopback::split(socket, output.clone());
    // Boxed, so that it can be dropped before the writing ends: it may write.
    let mut forwarding = Box::pin(forwarding);
    let mut handlers = Handlers::new(service, output.clone());

    let end = tokio::select! {
        end = read(Frames::new(input), &mut handlers, &mut answers, &output) => end,
        written = &mut writing => failed_to_write(written),
        never = &mut forwarding => match never {},
    };

    requests.close();
    let deadline = Instant::now() + GRACE;
    let last_words = async {
        tokio::select! {
            () = handlers.finish() => {}
            _ = &mut writing => {}
            never = &mut forwarding => match never {},
        }
        // What the last handlers sent of their own accord waits in it.
        let _ = (&mut forwarding).now_or_never();
    };
    let _ = tokio::time::timeout_at(deadline, last_words).await;
    let after_shutdown = handlers.close();
    drop((handlers, forwarding, output));
    if !writing.is_terminated() {
        let _ = tokio::time::timeout_at(deadline, writing).await;
    }
    match end {
        ServeEnd::Exit { .. } => ServeEnd::Exit { after_shutdown },
        end => end,
    }
}

/// Reads messages and has them handled until there is no next one.
async fn read<S: LanguageServer>(
    mut frames: Frames<impl AsyncRead + Unpin>,
    handlers: &mut Handlers<S>,
    answers: &mut Answers,
    output: &Output,
) -> ServeEnd {
    loop {
        // Lets the answers out in a long burst of messages.
        tokio::task::consume_budget().await;
        let body = match frames.next().await {
            Ok(Some(Frame::Message(body))) => body,
            Ok(Some(Frame::TooLong { bytes })) => {
                tracing::error!(bytes, "a message of the editor is too long; skipped");
                continue;
            }
            Ok(None) => return ServeEnd::InputEnded,
            Err(error) => return ServeEnd::Failed(error.to_string()),
        };
        match message::parse(&body) {
            Incoming::Exit => {
                // Whether it comes after a shutdown is known when the last
                // handlers have finished.
                return ServeEnd::Exit {
                    after_shutdown: false,
                };
            }
            Incoming::Call(request) => {
                if let Err(stuck) = handlers.begin(request).await {
                    return ServeEnd::Failed(stuck.to_string());
                }
            }
            Incoming::Answer(answer) => answers.pass_on(answer).await,
            Incoming::Unusable(response) => output.send(&response).await,
            Incoming::Complaint(problem) => {
                tracing::warn!(problem, "the editor cannot read a message of the server");
            }
        }
    }
}

fn failed_to_write(written: io::Result<()>) -> ServeEnd {
    ServeEnd::Failed(match written {
        Ok(()) => "writing to the editor ended".to_owned(),
        Err(error) => format!("cannot write to the editor: {error}"),
    })
}
