//! Frames on the socket: a header and a payload, with their lengths before
//! them. Bounded, total, and the same for blocking and asynchronous readers.

/// The longest header, in bytes.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The longest payload, in bytes: as much as an agent's hook may say at once.
pub const MAX_PAYLOAD_BYTES: usize = 4 * 1024 * 1024;

/// How many bytes of lengths stand before every frame.
pub const LENGTHS_BYTES: usize = 8;

/// What is wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More than [`MAX_HEADER_BYTES`].
    #[error("a header of {0} bytes is longer than {MAX_HEADER_BYTES}; send less")]
    HeaderTooLong(usize),
    /// More than [`MAX_PAYLOAD_BYTES`].
    #[error("a payload of {0} bytes is longer than {MAX_PAYLOAD_BYTES}; send less")]
    PayloadTooLong(usize),
    /// The header is not what it should be.
    #[error("the header is {0}; use the same version of countersign on both sides")]
    Header(String),
    /// The payload is not what the header says.
    #[error("the payload {0}; use the same version of countersign on both sides")]
    Payload(&'static str),
    /// Another protocol.
    #[error("protocol {0} is not spoken here; use the same version of countersign on both sides")]
    Protocol(u32),
}

/// The lengths that stand before a frame, each within its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Of the header, in bytes.
    pub header: usize,
    /// Of the payload, in bytes.
    pub payload: usize,
}

impl Lengths {
    /// Reads the two lengths: header, then payload, 32 bits each, most
    /// significant byte first.
    ///
    /// # Errors
    /// When one of them is beyond its bound.
    pub fn parse(bytes: [u8; LENGTHS_BYTES]) -> Result<Self, FrameError> {
        let [h0, h1, h2, h3, p0, p1, p2, p3] = bytes;
        let length = |bytes| usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX);
        Self::of(length([h0, h1, h2, h3]), length([p0, p1, p2, p3]))
    }

    const fn of(header: usize, payload: usize) -> Result<Self, FrameError> {
        if header > MAX_HEADER_BYTES {
            Err(FrameError::HeaderTooLong(header))
        } else if payload > MAX_PAYLOAD_BYTES {
            Err(FrameError::PayloadTooLong(payload))
        } else {
            Ok(Self { header, payload })
        }
    }

    /// Of the whole frame, itself included.
    const fn total(self) -> usize {
        // Bounded by `of`, far below an overflow.
        LENGTHS_BYTES
            .saturating_add(self.header)
            .saturating_add(self.payload)
    }
}

/// A frame that arrived wholly. Its content is not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header: JSON, if the other side is well-behaved.
    pub header: Vec<u8>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Makes frames of bytes as they arrive, however they were cut.
///
/// It holds what was fed and not taken: feed what one read gave (some
/// kilobytes), then take until there is nothing. It never allocates for bytes
/// that were only announced.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame; `None` until it is there wholly.
    ///
    /// # Errors
    /// When the announced lengths are beyond their bounds. Nothing that follows
    /// can be understood then: end the connection.
    pub fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(lengths) = self.bytes.first_chunk() else {
            return Ok(None);
        };
        let lengths = Lengths::parse(*lengths)?;
        if self.bytes.len() < lengths.total() {
            return Ok(None);
        }
        let rest = self.bytes.split_off(lengths.total());
        let mut frame = std::mem::replace(&mut self.bytes, rest);
        let payload = frame.split_off(LENGTHS_BYTES.saturating_add(lengths.header));
        frame.drain(..LENGTHS_BYTES);
        Ok(Some(Frame {
            header: frame,
            payload,
        }))
    }

    /// Whether nothing is left of what was fed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// The bytes of a frame.
///
/// # Errors
/// When a part is beyond its bound.
pub(crate) fn encode(header: &[u8], payload: &[&[u8]]) -> Result<Vec<u8>, FrameError> {
    let payload_bytes = payload
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let lengths = Lengths::of(header.len(), payload_bytes)?;
    let mut frame = Vec::with_capacity(lengths.total());
    for length in [lengths.header, lengths.payload] {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        frame.extend_from_slice(&length.to_be_bytes());
    }
    frame.extend_from_slice(header);
    for part in payload {
        frame.extend_from_slice(part);
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_at_its_bounds_arrives_and_one_beyond_does_not() {
        let header = vec![b'h'; MAX_HEADER_BYTES];
        let payload = vec![b'p'; MAX_PAYLOAD_BYTES];
        let mut decoder = Decoder::default();
        decoder.feed(&encode(&header, &[&payload]).unwrap());
        let frame = decoder.take().unwrap().unwrap();
        assert!(frame.header == header && frame.payload == payload);
        assert!(decoder.is_empty());

        let longer = [header.as_slice(), b"h"].concat();
        assert_eq!(
            encode(&longer, &[]),
            Err(FrameError::HeaderTooLong(MAX_HEADER_BYTES + 1))
        );
        assert_eq!(
            encode(b"", &[&payload, b"p"]),
            Err(FrameError::PayloadTooLong(MAX_PAYLOAD_BYTES + 1))
        );
    }

    #[test]
    fn lengths_beyond_the_bounds_are_refused_before_anything_follows() {
        for (lengths, error) in [
            ([0, 1, 0, 1, 0, 0, 0, 0], FrameError::HeaderTooLong(65537)),
            (
                [0, 0, 0, 0, 0, 64, 0, 1],
                FrameError::PayloadTooLong(4_194_305),
            ),
            ([255; 8], FrameError::HeaderTooLong(u32::MAX as usize)),
        ] {
            let mut decoder = Decoder::default();
            decoder.feed(&lengths);
            assert_eq!(decoder.take(), Err(error));
        }
    }

    #[test]
    fn a_frame_that_is_cut_off_is_none() {
        let bytes = encode(b"{}", &[b"payload"]).unwrap();
        for end in 0..bytes.len() {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes[..end]);
            assert_eq!(decoder.take(), Ok(None), "{end}");
        }
    }

    proptest! {
        #[test]
        fn frames_are_the_same_however_the_bytes_were_cut(
            frames in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 0..200)), 1..5),
            cuts in prop::collection::vec(1_usize..50, 1..20),
        ) {
            let mut bytes = Vec::new();
            for (header, payload) in &frames {
                bytes.extend(encode(header, &[payload]).unwrap());
            }
            let mut decoder = Decoder::default();
            let mut arrived = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*cut));
                decoder.feed(now);
                while let Some(frame) = decoder.take().unwrap() {
                    arrived.push((frame.header, frame.payload));
                }
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(arrived, frames);
            prop_assert!(decoder.is_empty());
        }

        #[test]
        fn random_bytes_are_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            while let Ok(Some(frame)) = decoder.take() {
                prop_assert!(frame.header.len() + frame.payload.len() <= bytes.len());
            }
        }
    }
}
