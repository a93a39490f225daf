//! Objects in files of their own.

use crate::error::{RepositoryError, Result};
use crate::files::RegularFile;
use crate::object::{Kind, LARGEST};
use crate::pack::inflate;

/// Longer than any header `<kind> <size>\0`.
const LONGEST_HEADER: u64 = 32;

/// What an incompressible object of the largest size may take.
const LARGEST_FILE: u64 = LARGEST + 64 * 1024;

pub(crate) fn read(file: RegularFile) -> Result<(Kind, Vec<u8>)> {
    let path = file.path.clone();
    let compressed = file.read(LARGEST_FILE)?;
    let damaged = || RepositoryError::damaged(format!("{path} is not a loose object"));
    let mut inflated = inflate::at_most(&compressed, LARGEST + LONGEST_HEADER)?;
    let end = inflated
        .iter()
        .take(LONGEST_HEADER as usize)
        .position(|byte| *byte == 0)
        .ok_or_else(damaged)?;
    let header = inflated.get(..end).ok_or_else(damaged)?;
    let space = header
        .iter()
        .position(|byte| *byte == b' ')
        .ok_or_else(damaged)?;
    let (kind, size) = header.split_at_checked(space).ok_or_else(damaged)?;
    let kind = Kind::from_name(kind).ok_or_else(damaged)?;
    let size: u64 = std::str::from_utf8(size)
        .ok()
        .and_then(|size| size.trim_start_matches(' ').parse().ok())
        .ok_or_else(damaged)?;
    inflated.drain(..=end);
    if inflated.len() as u64 != size {
        return Err(damaged());
    }
    if size > LARGEST {
        return Err(RepositoryError::too_large(path.as_str(), LARGEST));
    }
    Ok((kind, inflated))
}
