//! The content of a file as a digest, which binds an approval to what would be
//! executed or loaded.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use camino::Utf8Path;
use countersign_core::call::Digest;
use rustix::fs::{FileType, OFlags};

/// The digest of the regular file at a canonical path: of its content up to
/// `limit` bytes, and of size, times and identity of a larger one, which
/// change when anything writes it.
///
/// What is no regular file, or cannot be read, has a digest that only says so
/// and why. Never waits: nothing but a regular file is opened, and no link is
/// followed at its end.
#[must_use]
pub fn content_digest(path: &Utf8Path, limit: u64) -> Digest {
    match read(path, limit) {
        Ok(parts) => Digest::of_parts(parts.iter().map(Vec::as_slice)),
        Err(error) => Digest::of_parts([
            b"unreadable".as_slice(),
            format!("{:?}", error.kind()).as_bytes(),
        ]),
    }
}

/// The whole content of a regular file of at most `limit` bytes, read as for
/// [`content_digest`]; none of anything else.
pub(crate) fn content(path: &Utf8Path, limit: u64) -> Option<Vec<u8>> {
    let [of, content] = read(path, limit).ok()?;
    (of == b"content").then_some(content)
}

fn read(path: &Utf8Path, limit: u64) -> std::io::Result<[Vec<u8>; 2]> {
    let no_file = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let before = rustix::fs::lstat(path.as_str())?;
    if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
        return Err(no_file());
    }
    // In between it may have become a FIFO or a link.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(no_file());
    }
    let mut content = Vec::new();
    let read = file
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if read as u64 <= limit {
        return Ok([b"content".to_vec(), content]);
    }
    let marks = format!(
        "{} {} {} {}.{} {}.{}",
        about.len(),
        about.dev(),
        about.ino(),
        about.mtime(),
        about.mtime_nsec(),
        about.ctime(),
        about.ctime_nsec(),
    );
    Ok([b"marks".to_vec(), marks.into_bytes()])
}
