//! What an error of SQLite means for the guard: whether the state cannot be
//! read (nothing may be decided) or only not written (less may be allowed).

use std::time::Duration;

use camino::Utf8Path;
use countersign_core::state::StateError;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// How long a process waits for others before it gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Whether another process was in the way, so that trying again may help.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

/// Whether the error may be one of writing only.
pub(crate) fn is_about_writing(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly) => true,
        Some(ErrorCode::SystemIoFailure) => matches!(
            extended(error),
            ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_DIR_FSYNC
                | ffi::SQLITE_IOERR_TRUNCATE
                | ffi::SQLITE_IOERR_DELETE
                | ffi::SQLITE_IOERR_SHMOPEN
                | ffi::SQLITE_IOERR_SHMSIZE
        ),
        _ => false,
    }
}

fn extended(error: &rusqlite::Error) -> i32 {
    error
        .sqlite_error()
        .map_or(ffi::SQLITE_OK, |error| error.extended_code)
}

/// The error as the guard sees it, with the file and the remedy.
pub(crate) fn state_error(path: &Utf8Path, error: &rusqlite::Error) -> StateError {
    if is_busy(error) {
        return StateError::Unwritable(busy(path));
    }
    if is_about_writing(error) {
        let remedy = match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly) => {
                "make its folder and its file system writable for this user"
            }
            _ => "free space on its disk, and check the disk",
        };
        return StateError::Unwritable(format!("cannot write {path} ({error}); {remedy}"));
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            damaged(path, &error.to_string())
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StateError::Unreadable(format!(
                "cannot open {path} ({error}); make it and its folder readable and writable for this user"
            ))
        }
        _ => damaged(path, &error.to_string()),
    }
}

/// The file holds something that it cannot hold.
pub(crate) fn damaged(path: &Utf8Path, what: &str) -> StateError {
    StateError::Unreadable(format!(
        "{path} is damaged ({what}); put back a backup of it, or move it away together with \
         {path}-wal and {path}-shm to begin with empty counters and an empty journal"
    ))
}

/// Others were in the way for too long.
pub(crate) fn busy(path: &Utf8Path) -> String {
    format!(
        "{path} was locked by another process for {} seconds; end the process that holds it",
        PATIENCE.as_secs()
    )
}
