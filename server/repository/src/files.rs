//! Opening files that an agent may have put there: regular ones only, through
//! no link, bounded.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::{RepositoryError, Result};
use crate::stamp::Stamp;

/// Enough to look below a folder; reading its names needs more.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOOK: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const LOOK: OFlags = OFlags::RDONLY;

/// A folder that was reached through no link.
pub(crate) struct Folder {
    descriptor: OwnedFd,
    path: Utf8PathBuf,
}

/// An open regular file.
pub(crate) struct RegularFile {
    pub(crate) file: File,
    pub(crate) path: Utf8PathBuf,
    pub(crate) size: u64,
    pub(crate) stamp: Stamp,
}

impl Folder {
    /// Opens an absolute path, `None` if it is no folder.
    pub(crate) fn open(path: &Utf8Path) -> Result<Option<Self>> {
        let flags = LOOK | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = Self {
            descriptor: rustix::fs::open("/", flags, Mode::empty())
                .map_err(|errno| RepositoryError::unreadable(path, errno))?,
            path: "/".into(),
        };
        match path.strip_prefix("/") {
            Ok(below) => root.folder(below),
            Err(_) => Ok(None),
        }
    }

    /// A folder below this one; `None` if there is none. A link on the way is
    /// an error.
    pub(crate) fn folder(self, path: &Utf8Path) -> Result<Option<Self>> {
        let mut at = self;
        for component in path.components() {
            let next = at.path.join(component);
            let flags = LOOK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(&at.descriptor, component.as_str(), flags, Mode::empty()) {
                Ok(descriptor) => {
                    at = Self {
                        descriptor,
                        path: next,
                    }
                }
                Err(Errno::NOENT) => return Ok(None),
                // With `O_PATH` a link is "not a directory", as a file is.
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    return if next.is_symlink() {
                        Err(RepositoryError::Irregular { path: next })
                    } else {
                        Ok(None)
                    };
                }
                Err(errno) => return Err(RepositoryError::unreadable(&next, errno)),
            }
        }
        Ok(Some(at))
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The same folder once more.
    pub(crate) fn again(&self) -> Result<Self> {
        Ok(Self {
            descriptor: self
                .descriptor
                .try_clone()
                .map_err(|source| RepositoryError::unreadable(&self.path, source))?,
            path: self.path.clone(),
        })
    }

    /// A file in this folder; `None` if there is none, or a folder. Anything
    /// else is an error.
    pub(crate) fn file(&self, name: &str) -> Result<Option<RegularFile>> {
        let path = self.path.join(name);
        // A pipe must not hold us up, a terminal not become ours.
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let descriptor = match rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => {
                return Err(RepositoryError::Irregular { path });
            }
            Err(errno) => return Err(RepositoryError::unreadable(&path, errno)),
        };
        let file = File::from(descriptor);
        let metadata = file
            .metadata()
            .map_err(|source| RepositoryError::unreadable(&path, source))?;
        if metadata.is_dir() {
            return Ok(None);
        }
        if !metadata.is_file() {
            return Err(RepositoryError::Irregular { path });
        }
        Ok(Some(RegularFile {
            size: metadata.len(),
            stamp: Stamp::of(&metadata),
            file,
            path,
        }))
    }

    /// The names in this folder, in no order; names that are not UTF-8 are left
    /// out.
    pub(crate) fn names(&self, most: usize) -> Result<Vec<String>> {
        let unreadable = |errno: Errno| RepositoryError::unreadable(&self.path, errno);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor =
            rustix::fs::openat(&self.descriptor, ".", flags, Mode::empty()).map_err(unreadable)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(descriptor).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if let Ok(name) = entry.file_name().to_str() {
                if names.len() >= most {
                    return Err(RepositoryError::too_large(self.path.as_str(), most as u64));
                }
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

impl RegularFile {
    /// Opens an absolute path through no link; `None` if there is no file.
    pub(crate) fn open(path: &Utf8Path) -> Result<Option<Self>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        match Folder::open(parent)? {
            Some(folder) => folder.file(name),
            None => Ok(None),
        }
    }

    /// Everything in it, at most so many bytes.
    pub(crate) fn read(self, most: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| RepositoryError::unreadable(&self.path, source))?;
        if bytes.len() as u64 > most {
            return Err(RepositoryError::too_large(self.path.as_str(), most));
        }
        Ok(bytes)
    }

    /// Everything in it as text, at most so many bytes.
    pub(crate) fn text(self, most: u64) -> Result<String> {
        let path = self.path.clone();
        String::from_utf8(self.read(most)?)
            .map_err(|_| RepositoryError::damaged(format!("{path} is not UTF-8")))
    }
}
