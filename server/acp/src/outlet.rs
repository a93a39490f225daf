//! The way out to one side, with a bound on what waits there: who reads slowly
//! is read from slowly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What may wait to be written, in KiB. One longer message waits alone.
const ROOM: u32 = 4 * 1024;

/// What may wait of answers of our own, in KiB: they have room of their own, so
/// that one direction does not hold up the other.
const REPLIES: u32 = 256;

/// What of our own remarks may wait, in bytes.
const MOST_QUEUED: usize = 1024 * 1024;

/// Room for one message that is passed on.
#[derive(Debug)]
pub(crate) struct Room {
    _permit: OwnedSemaphorePermit,
}

/// Hands out room.
#[derive(Debug, Clone)]
pub(crate) struct Rooms {
    semaphore: Arc<Semaphore>,
    most: u32,
}

impl Rooms {
    fn of(most: u32) -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(most as usize)),
            most,
        }
    }

    /// Waits until there is room for so many bytes; none when the way is closed.
    pub(crate) async fn take(&self, bytes: usize) -> Option<Room> {
        let size = u32::try_from(bytes.div_ceil(1024))
            .unwrap_or(self.most)
            .clamp(1, self.most);
        let permit = Arc::clone(&self.semaphore)
            .acquire_many_owned(size)
            .await
            .ok()?;
        Some(Room { _permit: permit })
    }
}

struct Frame {
    bytes: Vec<u8>,
    /// Given back when the bytes are written.
    room: Option<Room>,
}

/// The way out.
#[derive(Clone)]
pub(crate) struct Outlet {
    frames: UnboundedSender<Frame>,
    /// What waits without having taken room, in bytes.
    queued: Arc<AtomicUsize>,
}

/// What is written to the other end of an [`Outlet`].
pub(crate) struct Written {
    frames: UnboundedReceiver<Frame>,
    rooms: [Rooms; 2],
    queued: Arc<AtomicUsize>,
}

impl Outlet {
    /// A way out, its room for what passes and for answers, and what takes from
    /// it.
    pub(crate) fn new() -> (Self, [Rooms; 2], Written) {
        let (sender, receiver) = unbounded_channel();
        let rooms = [Rooms::of(ROOM), Rooms::of(REPLIES)];
        let queued = Arc::new(AtomicUsize::new(0));
        let written = Written {
            frames: receiver,
            rooms: rooms.clone(),
            queued: Arc::clone(&queued),
        };
        let frames = sender;
        (Self { frames, queued }, rooms, written)
    }

    /// Passes bytes on as they are.
    pub(crate) fn pass(&self, bytes: Vec<u8>, room: Room) {
        self.put(bytes, Some(room));
    }

    /// Sends a message of our own. What answers somebody takes the room that
    /// was kept for the answer; of the others the caller keeps few.
    pub(crate) fn send(&self, message: &serde_json::Value, room: Option<Room>) {
        let mut bytes = message.to_string().into_bytes();
        bytes.push(b'\n');
        self.put(bytes, room);
    }

    /// Sends what may as well be left out, unless much waits already.
    pub(crate) fn send_if_read(&self, message: &serde_json::Value) {
        if self.queued() <= MOST_QUEUED {
            self.send(message, None);
        }
    }

    /// What waits without having taken room, in bytes.
    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    fn put(&self, bytes: Vec<u8>, room: Option<Room>) {
        if room.is_none() {
            self.queued.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        // Nobody reads any more: the end of the proxy is on its way.
        let _ = self.frames.send(Frame { bytes, room });
    }
}

impl Written {
    /// Writes until the other end is gone or does not read any more.
    pub(crate) async fn run(mut self, mut output: impl AsyncWrite + Unpin) {
        while let Some(frame) = self.frames.recv().await {
            if frame.room.is_none() {
                self.queued.fetch_sub(frame.bytes.len(), Ordering::Relaxed);
            }
            let wrote = async {
                output.write_all(&frame.bytes).await?;
                if self.frames.is_empty() {
                    output.flush().await?;
                }
                std::io::Result::Ok(())
            };
            if let Err(error) = wrote.await {
                tracing::debug!("the other side reads no more: {error}");
                break;
            }
        }
        // Who waits for room waits no longer.
        for rooms in &self.rooms {
            rooms.semaphore.close();
        }
        let _ = output.shutdown().await;
    }
}
