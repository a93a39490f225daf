//! The folder and the file of the state: private to one user, and not swapped
//! for something else.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::state::StateError;

use crate::schema;

/// The file's name in the state folder.
pub const FILE_NAME: &str = "countersign.db";

/// A file that was found private, by its canonical path and its identity.
///
/// The file is looked at by its name and never opened here: closing it would
/// release the locks that SQLite holds on it in this process.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: Utf8PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    /// The file in the folder; both are created if they do not exist.
    pub(crate) fn prepare(dir: &Utf8Path) -> Result<Self, StateError> {
        // Without the slash at the end that would follow a link.
        let dir: Utf8PathBuf = dir.components().collect();
        prepare_folder(&dir)?;
        let canonical = dir
            .canonicalize_utf8()
            .map_err(|error| unreadable(&dir, &error))?;
        let path = canonical.join(FILE_NAME);
        if find(&path)?.is_none() {
            refuse_orphaned_log(&path)?;
            schema::create(&path)?;
        }
        let Some(found) = find(&path)? else {
            return Err(gone(&path));
        };
        check(&path, &found, "file")?;
        if !found.is_file() {
            return Err(StateError::Unreadable(format!(
                "{path} is not a regular file; move it away"
            )));
        }
        if found.nlink() > 1 {
            return Err(StateError::Unreadable(format!(
                "{path} has {} names (hard links), so it may be changed under another one; remove the others",
                found.nlink()
            )));
        }
        tighten(&path, &found, 0o600);
        Ok(Self {
            path,
            device: found.dev(),
            inode: found.ino(),
        })
    }

    /// Checks that the path still leads to the same file.
    pub(crate) fn check(&self) -> Result<(), StateError> {
        match find(&self.path)? {
            Some(found) if (found.dev(), found.ino()) == (self.device, self.inode) => Ok(()),
            Some(_) | None => Err(gone(&self.path)),
        }
    }
}

fn gone(path: &Utf8Path) -> StateError {
    StateError::Unreadable(format!(
        "{path} was removed or replaced while it was in use; put it back, or restart countersign"
    ))
}

fn unreadable(path: &Utf8Path, error: &io::Error) -> StateError {
    StateError::Unreadable(format!(
        "cannot look at {path} ({error}); make it and its folder accessible for this user"
    ))
}

/// What the path names itself, not what a link there leads to.
fn find(path: &Utf8Path) -> Result<Option<Metadata>, StateError> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn prepare_folder(dir: &Utf8Path) -> Result<(), StateError> {
    if find(dir)?.is_none() {
        create_folder(dir).map_err(|error| {
            StateError::Unwritable(format!(
                "cannot create the folder {dir} ({error}); make the folder above it writable for this user"
            ))
        })?;
    }
    let Some(found) = find(dir)? else {
        return Err(gone(dir));
    };
    check(dir, &found, "folder")?;
    if !found.is_dir() {
        return Err(StateError::Unreadable(format!(
            "{dir} is not a folder; move it away"
        )));
    }
    tighten(dir, &found, 0o700);
    Ok(())
}

fn create_folder(dir: &Utf8Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        // Whatever the umask took away.
        Ok(()) => fs::set_permissions(dir, Permissions::from_mode(0o700)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Refuses what somebody else could change or have put there.
fn check(path: &Utf8Path, found: &Metadata, what: &str) -> Result<(), StateError> {
    let user = rustix::process::geteuid().as_raw();
    let mode = found.mode() & 0o7777;
    let refusal = if found.file_type().is_symlink() {
        format!("{path} is a symbolic link; replace it with the {what} itself")
    } else if found.uid() != user {
        format!(
            "{path} belongs to user {} and not to user {user}; give the {what} to this user or move it away",
            found.uid()
        )
    } else if mode & 0o022 != 0 {
        format!(
            "{path} can be written by others (mode {mode:04o}); check it, then `chmod go-rwx {path}`"
        )
    } else {
        return Ok(());
    };
    Err(StateError::Unreadable(refusal))
}

/// Takes away what others may read. Where that cannot be done (a read-only
/// file system), nothing that is written there can be private either way.
fn tighten(path: &Utf8Path, found: &Metadata, mode: u32) {
    if found.mode() & 0o077 != 0 {
        let _ = fs::set_permissions(path, Permissions::from_mode(mode));
    }
}

/// Refuses to begin anew beside the log of a database that is gone: SQLite
/// would take the log for the new file's.
fn refuse_orphaned_log(path: &Utf8Path) -> Result<(), StateError> {
    let log = Utf8PathBuf::from(format!("{path}-wal"));
    // Looked at in this order, because another process may create both now.
    if find(&log)?.is_some() && find(path)?.is_none() {
        return Err(StateError::Unreadable(format!(
            "{path} is gone and its log {log} is still there; put the file back, or move the log away to \
             begin with empty counters and an empty journal"
        )));
    }
    Ok(())
}
