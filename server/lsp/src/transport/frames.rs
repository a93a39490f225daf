//! Cuts a byte stream into messages: a header block, then as many bytes as
//! it says. Both are bounded; memory grows with what arrived, not with what
//! was announced.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// The longest body that is read, in bytes.
const LONGEST_BODY: u64 = 8 * 1024 * 1024;

/// The longest body that is skipped, in bytes. Nobody sends more; a length
/// beyond it is a damaged header, and skipping would never end.
const LONGEST_SKIP: u64 = 1024 * 1024 * 1024;

/// The longest header block, in bytes.
const LONGEST_HEADER: usize = 8 * 1024;

/// What the stream has next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The body of a message.
    Message(Vec<u8>),
    /// A body over the bound, which was skipped.
    TooLong {
        /// Its length.
        bytes: u64,
    },
}

/// Why there can be no next message: where it would begin is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("cannot read from the editor: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error(
        "a header block of the editor is over {LONGEST_HEADER} bytes; it must end with an empty line"
    )]
    LongHeader,
    #[error("a message of the editor has no Content-Length header")]
    NoLength,
    #[error(
        "a message of the editor has the Content-Length {0:?}; it must be one number of at most {LONGEST_SKIP}"
    )]
    BadLength(String),
}

/// The messages of a stream.
pub(super) struct Frames<I> {
    input: BufReader<I>,
}

impl<I: AsyncRead + Unpin> Frames<I> {
    pub(super) fn new(input: I) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
        }
    }

    /// The next message; `None` at the end of the stream, also where that
    /// comes inside of a message.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(bytes) = self.header().await? else {
            return Ok(None);
        };
        let mut body = (&mut self.input).take(bytes);
        if bytes > LONGEST_BODY {
            let skipped = tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
            return Ok((skipped == bytes).then_some(Frame::TooLong { bytes }));
        }
        let mut message = Vec::new();
        let read = body.read_to_end(&mut message).await?;
        Ok((read as u64 == bytes).then_some(Frame::Message(message)))
    }

    /// Reads a header block: the length it announces.
    async fn header(&mut self) -> Result<Option<u64>, FrameError> {
        let mut room = LONGEST_HEADER;
        let mut length = None;
        loop {
            let Some(line) = bounded_line(&mut self.input, &mut room).await? else {
                return Ok(None);
            };
            if line.is_empty() {
                return length.map(Some).ok_or(FrameError::NoLength);
            }
            let line = String::from_utf8_lossy(&line);
            // Other headers say nothing that we need: the only charset that
            // the protocol knows is UTF-8.
            if let Some((name, value)) = line.split_once(':')
                && name.trim().eq_ignore_ascii_case("content-length")
            {
                let value = value.trim();
                let number = value
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then(|| value.parse().ok())
                    .flatten()
                    .filter(|bytes| length.is_none() && *bytes <= LONGEST_SKIP);
                length = Some(number.ok_or_else(|| FrameError::BadLength(value.to_owned()))?);
            }
        }
    }
}

/// Reads to the end of a line, without its break; `None` where the stream ends
/// first. Takes what it reads from the room that there is.
async fn bounded_line(
    input: &mut (impl AsyncBufRead + Unpin),
    room: &mut usize,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut line = Vec::new();
    // One byte more than there is room for shows that the line is too long.
    let limit = u64::try_from(*room).unwrap_or(u64::MAX).saturating_add(1);
    let read = input.take(limit).read_until(b'\n', &mut line).await?;
    *room = room.checked_sub(read).ok_or(FrameError::LongHeader)?;
    if line.pop() != Some(b'\n') {
        return Ok(None);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}
