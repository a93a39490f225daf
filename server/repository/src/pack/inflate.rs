//! Bounded zlib.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::read_at::ReadAt;
use crate::error::{RepositoryError, Result};

fn damaged() -> RepositoryError {
    RepositoryError::damaged("an object is not compressed as git does")
}

/// Inflates a whole stream to at most so many bytes.
pub(crate) fn at_most(compressed: &[u8], most: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    ZlibDecoder::new(compressed)
        .take(most.saturating_add(1))
        .read_to_end(&mut out)
        .map_err(|_| damaged())?;
    if out.len() as u64 > most {
        return Err(RepositoryError::too_large("an object", most));
    }
    Ok(out)
}

/// Inflates the stream at a place to exactly so many bytes. The size comes from
/// the file, so that memory is taken only as bytes arrive.
pub(super) fn exactly(source: &dyn ReadAt, offset: u64, size: u64) -> Result<Vec<u8>> {
    let size = usize::try_from(size).map_err(|_| damaged())?;
    let mut out = Vec::with_capacity(size.min(64 * 1024));
    let mut state = Decompress::new(true);
    // Trees and commits mostly fit the first read.
    let mut input = [0; 4096];
    let mut offset = offset;
    loop {
        let count = source
            .read_at_most(&mut input, offset)
            .map_err(|_| damaged())?;
        let mut rest = input.get(..count).unwrap_or_default();
        if rest.is_empty() {
            return Err(damaged());
        }
        offset = offset.saturating_add(count as u64);
        while !rest.is_empty() {
            // One byte more than declared shows that there are more.
            let room = (size + 1).saturating_sub(out.len()).clamp(1, 64 * 1024);
            out.reserve(room);
            let (read, written) = (state.total_in(), state.total_out());
            let status = state
                .decompress_vec(rest, &mut out, FlushDecompress::None)
                .map_err(|_| damaged())?;
            let read = usize::try_from(state.total_in() - read).map_err(|_| damaged())?;
            rest = rest.get(read..).unwrap_or_default();
            if out.len() > size {
                return Err(damaged());
            }
            if status == Status::StreamEnd {
                return if out.len() == size {
                    Ok(out)
                } else {
                    Err(damaged())
                };
            }
            if read == 0 && state.total_out() == written {
                break;
            }
        }
    }
}
