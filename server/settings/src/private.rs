//! Files of the user's state: in a folder of the user's alone, never through
//! a symbolic link, replaced as a whole.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Why a file of the state cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateFileError {
    /// Others may read or change it.
    #[error("`{path}` is not private to the user: {reason}")]
    NotPrivate {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What is wrong and the remedy.
        reason: String,
    },
    /// It cannot be read or written.
    #[error("cannot {action} `{path}`: {reason}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Its content makes no sense.
    #[error("`{path}` is damaged: {reason}; remove it and confirm trust and consent again")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder that trust or consent is about is not there.
    #[error("`{0}` is not a folder that can be read; name an existing workspace folder")]
    NoWorkspace(Utf8PathBuf),
    /// What a person confirmed is not what was shown.
    #[error("what was confirmed for `{0}` is not what was shown; look at it again")]
    Changed(Utf8PathBuf),
    /// Consent for a workspace that is not trusted.
    #[error("`{0}` is not trusted; run `countersign trust` there first")]
    Untrusted(Utf8PathBuf),
}

fn failed(action: &'static str, path: &Utf8Path, reason: impl std::fmt::Display) -> StateFileError {
    StateFileError::Failed {
        action,
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Whether a folder is there and is the user's alone.
pub(crate) fn is_private(folder: &Utf8Path) -> bool {
    matches!(check_directory(folder), Ok(true))
}

/// Whether the folder is there.
fn check_directory(folder: &Utf8Path) -> Result<bool, StateFileError> {
    let metadata = match folder.as_std_path().metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("examine", folder, error)),
    };
    let refuse = |reason: &str| {
        Err(StateFileError::NotPrivate {
            path: folder.to_owned(),
            reason: reason.to_owned(),
        })
    };
    if !metadata.is_dir() {
        return refuse("it is not a folder; remove it");
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refuse("it belongs to another user; remove it or make it the user's own");
    }
    if metadata.mode() & 0o077 != 0 {
        return refuse("others have access; take it away with `chmod 700`");
    }
    Ok(true)
}

/// Makes sure that the folder exists and is private to the user.
///
/// # Errors
/// When it cannot be made, or is there and others have access.
pub fn private_directory(folder: &Utf8Path) -> Result<(), StateFileError> {
    if check_directory(folder)? {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed("make", folder, error))?;
    check_directory(folder).map(|_| ())
}

/// Makes a folder that others may look into.
pub(crate) fn directory(folder: &Utf8Path) -> Result<(), StateFileError> {
    std::fs::create_dir(folder).map_err(|error| failed("make", folder, error))
}

/// Reads a file of a private folder; `None` if there is no such file.
pub(crate) fn read(
    folder: &Utf8Path,
    name: &str,
    most: u64,
) -> Result<Option<String>, StateFileError> {
    if !check_directory(folder)? {
        return Ok(None);
    }
    let path = folder.join(name);
    let flags =
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match rustix::fs::open(path.as_std_path(), flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(failed("open", &path, error)),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| failed("examine", &path, error))?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !regular || stat.st_uid != rustix::process::geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
        return Err(StateFileError::NotPrivate {
            path,
            reason: "it is no plain file of the user's alone; remove it, or take access away with `chmod 600`"
                .to_owned(),
        });
    }
    let mut text = String::new();
    std::fs::File::from(file)
        .take(most.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|error| failed("read", &path, error))?;
    if text.len() as u64 > most {
        return Err(StateFileError::Damaged {
            path,
            reason: "it is too large".to_owned(),
        });
    }
    Ok(Some(text))
}

/// A secret of this machine: 64 hexadecimal digits in a file of the state that
/// is made where it is not there. Not for what decides anything.
///
/// # Errors
/// When it can be neither read nor made, or is not the user's alone.
pub fn kept_secret(folder: &Utf8Path, name: &str) -> Result<String, StateFileError> {
    const DIGITS: usize = 64;
    let path = folder.join(name);
    let _lock = Lock::wait(folder, &format!("{name}.lock"))?;
    if let Some(text) = read(folder, name, 2 * DIGITS as u64)? {
        let is_secret = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_secret {
            return Ok(text);
        }
    }
    let mut bytes = [0_u8; DIGITS / 2];
    getrandom::fill(&mut bytes).map_err(|error| failed("make", &path, error))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    write(folder, name, &text)?;
    Ok(text)
}

/// Replaces a file of a private folder as a whole, mode 0600.
pub(crate) fn write(folder: &Utf8Path, name: &str, text: &str) -> Result<(), StateFileError> {
    private_directory(folder)?;
    let path = folder.join(name);
    replace(&path, text, 0o600)
}

/// Replaces a file as a whole: whoever reads it sees the old or the new one.
pub(crate) fn replace(path: &Utf8Path, text: &str, mode: u32) -> Result<(), StateFileError> {
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".countersign-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(|error| failed("write in", folder, error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| {
            Ok(rustix::fs::fchmod(
                file.as_file(),
                Mode::from_raw_mode(mode),
            )?)
        })
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| failed("write", path, error))?;
    file.persist(path)
        .map_err(|error| failed("write", path, error.error))?;
    // So that the new name survives a crash too; where folders cannot be
    // synced there is nothing more to do.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Held while a file of the state is read, changed and replaced.
#[derive(Debug)]
pub(crate) struct Lock(#[allow(dead_code, reason = "held until dropped")] OwnedFd);

impl Lock {
    /// Waits for the lock.
    pub(crate) fn wait(folder: &Utf8Path, name: &str) -> Result<Self, StateFileError> {
        Self::take(folder, name, FlockOperation::LockExclusive)?
            .ok_or_else(|| failed("lock", &folder.join(name), "it is held"))
    }

    /// Takes the lock unless somebody holds it.
    pub(crate) fn attempt(folder: &Utf8Path, name: &str) -> Result<Option<Self>, StateFileError> {
        Self::take(folder, name, FlockOperation::NonBlockingLockExclusive)
    }

    fn take(
        folder: &Utf8Path,
        name: &str,
        operation: FlockOperation,
    ) -> Result<Option<Self>, StateFileError> {
        private_directory(folder)?;
        let path = folder.join(name);
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC
            | OFlags::NONBLOCK
            | OFlags::NOCTTY;
        let file = rustix::fs::open(path.as_std_path(), flags, Mode::from_raw_mode(0o600))
            .map_err(|error| failed("open", &path, error))?;
        loop {
            match rustix::fs::flock(&file, operation) {
                Ok(()) => return Ok(Some(Self(file))),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(failed("lock", &path, error)),
            }
        }
    }
}

/// The name of the file that is kept about a path.
pub(crate) fn name_for<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> String {
    format!("{}.json", countersign_core::call::Digest::of_parts(parts))
}
