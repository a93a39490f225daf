//! Reading settings files that somebody else may have put there: bounded,
//! regular files only, and never through a workspace's symbolic links.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// The largest settings file, in bytes.
pub(crate) const MOST_BYTES: u64 = 1024 * 1024;

/// A file that settings may be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// Of the machine or the user. May be a symbolic link, as long as what it
    /// leads to belongs to root or the user and nobody else may write it.
    Own(Utf8PathBuf),
    /// Of a workspace, which anybody may have made: no part below the
    /// workspace folder may be a symbolic link.
    Workspace {
        folder: Utf8PathBuf,
        below: Utf8PathBuf,
    },
}

impl Location {
    pub(crate) fn path(&self) -> Utf8PathBuf {
        match self {
            Self::Own(path) => path.clone(),
            Self::Workspace { folder, below } => folder.join(below),
        }
    }

    /// What can be told about the file without reading it.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Own(path) => rustix::fs::stat(path.as_std_path()).ok(),
            Self::Workspace { .. } => rustix::fs::lstat(self.path().as_std_path()).ok(),
        }
        .map(|stat| Stamp::of(&stat))
    }
}

/// What changes whenever the content of a file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_possible_wrap,
        reason = "the fields of stat differ between platforms"
    )]
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// Whether the file changed so recently that a further change could leave
    /// the same stamp. A clock that was set back makes every file recent.
    pub(crate) fn is_recent(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            });
        self.changed.0.saturating_add(2) > now
    }
}

/// What reading a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Missing,
    Text(String),
    /// It is there and may not be used; why.
    Unusable(String),
}

/// Reads a file.
pub(crate) fn read(location: &Location) -> Content {
    match open(location) {
        Ok(None) => Content::Missing,
        Ok(Some(file)) => read_open(location, file),
        Err(reason) => Content::Unusable(reason),
    }
}

fn open(location: &Location) -> Result<Option<OwnedFd>, String> {
    // Without NONBLOCK, opening a FIFO would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    match location {
        Location::Own(path) => found(rustix::fs::open(path.as_std_path(), flags, Mode::empty())),
        Location::Workspace { folder, below } => {
            let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let opened = rustix::fs::open(folder.as_std_path(), directory, Mode::empty());
            let Some(mut at) = found(opened)? else {
                return Ok(None);
            };
            let mut parts = below.components().peekable();
            while let Some(part) = parts.next() {
                let flags = if parts.peek().is_some() {
                    directory
                } else {
                    flags
                } | OFlags::NOFOLLOW;
                let next = rustix::fs::openat(&at, part.as_str(), flags, Mode::empty());
                match found(next)? {
                    Some(next) => at = next,
                    None => return Ok(None),
                }
            }
            Ok(Some(at))
        }
    }
}

fn found(opened: Result<OwnedFd, Errno>) -> Result<Option<OwnedFd>, String> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => Err(
            "it, or a folder above it, is a symbolic link or no folder; put a plain file there"
                .to_owned(),
        ),
        Err(error) => Err(format!("it cannot be opened: {error}")),
    }
}

fn read_open(location: &Location, file: OwnedFd) -> Content {
    let stat = match rustix::fs::fstat(&file) {
        Ok(stat) => stat,
        Err(error) => return Content::Unusable(format!("it cannot be examined: {error}")),
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Content::Unusable("it is not a regular file; put a plain file there".to_owned());
    }
    if let Location::Own(_) = location
        && let Some(reason) = foreign(&stat)
    {
        return Content::Unusable(reason);
    }
    let mut bytes = Vec::new();
    if let Err(error) = std::fs::File::from(file)
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
    {
        return Content::Unusable(format!("it cannot be read: {error}"));
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Content::Unusable("it is larger than 1 MiB; make it smaller".to_owned());
    }
    String::from_utf8(bytes).map_or_else(
        |_| Content::Unusable("it is not UTF-8; save it as UTF-8".to_owned()),
        Content::Text,
    )
}

/// Why a file of the user or the machine is not theirs alone.
fn foreign(stat: &Stat) -> Option<String> {
    let user = rustix::process::geteuid().as_raw();
    if stat.st_uid != 0 && stat.st_uid != user {
        return Some("it belongs to another user; make it the user's own".to_owned());
    }
    if stat.st_mode & 0o002 != 0 {
        return Some("everybody may write it; take that away with `chmod o-w`".to_owned());
    }
    None
}

/// The most settings files that are read from one folder.
const MOST_FILES: usize = 16;

/// The settings files (`settings*.json`) of a folder, the well-known ones
/// first, so that no crowd of others keeps them from being read.
pub(crate) fn settings_files(folder: &Utf8Path) -> Vec<String> {
    let known = ["settings.json", "settings.local.json"];
    let mut others = other_settings_files(folder, &known).unwrap_or_default();
    others.sort_unstable();
    known
        .into_iter()
        .map(str::to_owned)
        .chain(others)
        .take(MOST_FILES)
        .collect()
}

fn other_settings_files(folder: &Utf8Path, known: &[&str]) -> Result<Vec<String>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder.as_std_path(), flags, Mode::empty())?;
    let entries = rustix::fs::Dir::read_from(folder)?;
    Ok(entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
        .filter(|name| {
            name.starts_with("settings")
                && name.ends_with(".json")
                && !known.contains(&name.as_str())
        })
        .collect())
}
