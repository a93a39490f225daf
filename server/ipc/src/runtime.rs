//! The private folder that servers announce themselves in: opened once, found
//! to be the user's alone, and used through that descriptor only, so that
//! nothing put in its place later is believed.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// How many names of a folder are looked at.
const MOST_NAMES: usize = 4096;

/// Why the folder of the servers cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeFolderError {
    /// Others may see or change what is in it, or put something in its place.
    #[error("`{folder}` is not private to the user: {reason}")]
    NotPrivate {
        /// The folder.
        folder: Utf8PathBuf,
        /// What is wrong and the remedy.
        reason: &'static str,
    },
    /// It cannot be used.
    #[error("cannot {action} `{path}`: {reason}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// The folder or the file in it.
        path: Utf8PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// What tells a file from every other one that there is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    #[allow(
        clippy::useless_conversion,
        reason = "a device has another type on other systems"
    )]
    fn of(found: &Stat) -> Self {
        Self {
            device: u64::try_from(found.st_dev).unwrap_or_default(),
            inode: found.st_ino,
        }
    }
}

/// The folder, found private.
#[derive(Debug)]
pub(crate) struct RuntimeFolder {
    descriptor: OwnedFd,
    path: Utf8PathBuf,
}

impl RuntimeFolder {
    /// The folder; `None` if there is none.
    pub(crate) fn open(folder: &Utf8Path) -> Result<Option<Self>, RuntimeFolderError> {
        // Without the slash at the end that would follow a link.
        let path: Utf8PathBuf = folder.components().collect();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let refuse = |reason| {
            Err(RuntimeFolderError::NotPrivate {
                folder: path.clone(),
                reason,
            })
        };
        let descriptor = match rustix::fs::open(path.as_std_path(), flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return refuse("it is a link or no folder; remove it");
            }
            Err(error) => return Err(failed("open", &path, error)),
        };
        let found =
            rustix::fs::fstat(&descriptor).map_err(|error| failed("examine", &path, error))?;
        if !is_ours(&found) {
            return refuse("it belongs to another user; remove it or make it the user's own");
        }
        if is_open_to_others(&found) {
            return refuse("others have access; take it away with `chmod 700`");
        }
        Ok(Some(Self { descriptor, path }))
    }

    /// The folder, made if it is missing.
    pub(crate) fn prepare(folder: &Utf8Path) -> Result<Self, RuntimeFolderError> {
        if let Some(found) = Self::open(folder)? {
            return Ok(found);
        }
        let path: Utf8PathBuf = folder.components().collect();
        create(&path).map_err(|error| failed("make", &path, error))?;
        Self::open(&path)?.ok_or_else(|| failed("open", &path, "it was removed meanwhile"))
    }

    /// The path of a name in the folder, for people.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        self.path.join(name)
    }

    /// The names in it, sorted, and whether there are more than are looked at.
    /// A name that is not UTF-8 is none of ours.
    pub(crate) fn names(&self) -> Result<(Vec<String>, bool), RuntimeFolderError> {
        let failed = |error: Errno| failed("list", &self.path, error);
        let mut names = Vec::new();
        let listing = rustix::fs::Dir::read_from(self.descriptor.as_fd()).map_err(failed)?;
        for (seen, entry) in listing.enumerate() {
            let entry = entry.map_err(failed)?;
            if seen >= MOST_NAMES {
                return Ok((sorted(names), true));
            }
            if let Ok(name) = entry.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok((sorted(names), false))
    }

    /// Reads a plain file that is the user's alone and has no other name.
    /// The error says what is wrong with it.
    pub(crate) fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, String> {
        let flags =
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file =
            rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()).map_err(|error| {
                match error {
                    Errno::LOOP => "it is a link".to_owned(),
                    error => format!("it cannot be opened ({error})"),
                }
            })?;
        let found =
            rustix::fs::fstat(&file).map_err(|error| format!("it cannot be examined ({error})"))?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err("it is no plain file".to_owned());
        }
        if !is_ours(&found) {
            return Err("it belongs to another user".to_owned());
        }
        if is_open_to_others(&found) {
            return Err("others have access".to_owned());
        }
        if found.st_nlink != 1 {
            return Err("it has not exactly one name".to_owned());
        }
        // One byte more than may be there tells a file that is too long.
        let room = usize::try_from(found.st_size)
            .unwrap_or(usize::MAX)
            .min(most)
            .saturating_add(1);
        let mut bytes = Vec::with_capacity(room);
        loop {
            match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
                Ok(0) => return Ok(bytes),
                Ok(_) if bytes.len() > most => {
                    return Err(format!("it is longer than {most} bytes"));
                }
                Ok(_) => bytes.reserve(1),
                Err(Errno::INTR) => {}
                Err(error) => return Err(format!("it cannot be read ({error})")),
            }
        }
    }

    /// Replaces a file as a whole, mode 0600: whoever reads it sees the old one
    /// or the new one.
    pub(crate) fn write(
        &self,
        name: &str,
        temporary: &str,
        bytes: &[u8],
    ) -> Result<(), RuntimeFolderError> {
        self.write_raw(name, temporary, bytes).map_err(|error| {
            self.remove(temporary);
            failed("write", &self.path(name), error)
        })
    }

    fn write_raw(&self, name: &str, temporary: &str, bytes: &[u8]) -> io::Result<()> {
        self.remove(temporary);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let private = Mode::from_raw_mode(0o600);
        let file = rustix::fs::openat(&self.descriptor, temporary, flags, private)?;
        // Whatever the umask took away.
        rustix::fs::fchmod(&file, private)?;
        io::Write::write_all(&mut std::fs::File::from(file), bytes)?;
        rustix::fs::renameat(&self.descriptor, temporary, &self.descriptor, name)?;
        Ok(())
    }

    /// Removes a name that is no folder; what a link there leads to stays.
    pub(crate) fn remove(&self, name: &str) {
        let _ = rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty());
    }

    /// Which file a name is, itself and not what a link there leads to.
    pub(crate) fn identity(&self, name: &str) -> Option<FileIdentity> {
        let found = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW);
        found.ok().as_ref().map(FileIdentity::of)
    }

    /// Whether the folder is still the one that its path leads to.
    pub(crate) fn is_in_place(&self) -> bool {
        let own = rustix::fs::fstat(&self.descriptor);
        let there = rustix::fs::lstat(self.path.as_std_path());
        own.is_ok_and(|own| {
            there.is_ok_and(|there| FileIdentity::of(&own) == FileIdentity::of(&there))
        })
    }

    /// The folder itself.
    pub(crate) const fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }
}

pub(crate) fn is_ours(found: &Stat) -> bool {
    found.st_uid == rustix::process::geteuid().as_raw()
}

pub(crate) const fn is_open_to_others(found: &Stat) -> bool {
    found.st_mode & 0o077 != 0
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

fn create(folder: &Utf8Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        // Whatever the umask took away.
        Ok(()) => std::fs::set_permissions(folder, Permissions::from_mode(0o700)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn failed(
    action: &'static str,
    path: &Utf8Path,
    reason: impl std::fmt::Display,
) -> RuntimeFolderError {
    RuntimeFolderError::Failed {
        action,
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
