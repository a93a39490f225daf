//! What tells that a file is still the one that was read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use camino::Utf8Path;

/// Two writes within this time may leave the same times behind; file systems
/// count in steps of up to two seconds.
const RACY: Duration = Duration::from_secs(2);

/// A file's identity, size and times. The time of change is the kernel's: no
/// program can set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp of what is there now, a link itself; `None` if nothing is, or
    /// it cannot be told.
    pub(crate) fn at(path: &Utf8Path) -> Option<Self> {
        path.symlink_metadata().ok().as_ref().map(Self::of)
    }

    /// Whether any later write would show. A file that changed just now, or in
    /// the future, may be written again without a new time.
    pub(crate) fn is_settled(&self) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let since = Duration::new(
            u64::try_from(seconds).unwrap_or(u64::MAX),
            u32::try_from(nanoseconds).unwrap_or(0),
        );
        SystemTime::UNIX_EPOCH
            .checked_add(since)
            .and_then(|changed| changed.checked_add(RACY))
            .is_some_and(|settled| settled <= SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_rested_is_settled() {
        let at = |seconds: i64| Stamp {
            device: 1,
            inode: 1,
            size: 1,
            modified: (0, 0),
            changed: (seconds, 0),
        };
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            .cast_signed();
        assert!(at(now - 10).is_settled());
        assert!(!at(now).is_settled());
        assert!(!at(now + 1_000).is_settled());
        assert!(!at(-1).is_settled());
        assert!(!at(i64::MAX).is_settled());
    }
}
