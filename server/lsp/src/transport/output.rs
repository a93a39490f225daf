//! What waits to be written to the client: in order, and bounded by its size
//! rather than by its number, so that a client that writes a lot before it
//! reads is served and one that never reads does not fill the memory.

use std::io;
use std::sync::Arc;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much may wait to be written, in bytes.
const MOST_WAITING: u32 = 16 * 1024 * 1024;

/// A message with the room that it takes.
type Waiting = (Vec<u8>, Option<OwnedSemaphorePermit>);

/// The way to the client. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Output {
    queue: UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
}

impl Output {
    /// The way to a stream, and the writing itself: it ends when all clones
    /// are dropped and everything is written, or when writing fails.
    pub(super) fn to(
        stream: impl AsyncWrite + Unpin + Send,
    ) -> (Self, impl Future<Output = io::Result<()>> + Send) {
        let (queue, waiting) = unbounded_channel();
        let room = Arc::new(Semaphore::new(MOST_WAITING as usize));
        (Self { queue, room }, write(waiting, stream))
    }

    /// Sends a message, as soon as there is room.
    pub(super) async fn send(&self, message: &impl Serialize) {
        if let Some((bytes, size)) = encoded(message)
            && let Ok(room) = Arc::clone(&self.room).acquire_many_owned(size).await
        {
            self.push((bytes, Some(room)));
        }
    }

    /// Sends a message if there is room; whether there was.
    #[must_use]
    pub(super) fn try_send(&self, message: &impl Serialize) -> bool {
        let Some((bytes, size)) = encoded(message) else {
            return true;
        };
        match Arc::clone(&self.room).try_acquire_many_owned(size) {
            Ok(room) => self.push((bytes, Some(room))),
            Err(_) => return false,
        }
        true
    }

    /// Sends a message whether or not there is room: for those whose number
    /// is bounded elsewhere.
    pub(super) fn send_anyway(&self, message: &impl Serialize) {
        if let Some((bytes, _)) = encoded(message) {
            self.push((bytes, None));
        }
    }

    fn push(&self, waiting: Waiting) {
        // Only when the writing has failed is nobody there; serving ends then.
        let _ = self.queue.send(waiting);
    }
}

/// A message with its header, and the room it takes.
fn encoded(message: &impl Serialize) -> Option<(Vec<u8>, u32)> {
    let body = serde_json::to_vec(message)
        .inspect_err(|error| tracing::error!(%error, "a message cannot be written as JSON"))
        .ok()?;
    let mut bytes = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend(body);
    let size = u32::try_from(bytes.len()).map_or(MOST_WAITING, |size| size.min(MOST_WAITING));
    Some((bytes, size))
}

async fn write(
    mut waiting: UnboundedReceiver<Waiting>,
    mut stream: impl AsyncWrite + Unpin + Send,
) -> io::Result<()> {
    while let Some((bytes, _room)) = waiting.recv().await {
        stream.write_all(&bytes).await?;
        if waiting.is_empty() {
            stream.flush().await?;
        }
    }
    stream.flush().await
}
