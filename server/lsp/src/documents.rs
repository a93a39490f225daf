//! Texts that a person is to read, as private files: for clients that show
//! files and nothing else.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_settings::{StateFileError, private_directory};

/// Why a text cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    /// Its folder is not private.
    #[error("the text cannot be shown: {0}")]
    Folder(#[from] StateFileError),
    /// It cannot be written.
    #[error("the text cannot be shown: {path} cannot be written ({error})")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Writes a text below the runtime folder. One file for each kind of text and
/// server, so that they do not pile up.
pub(crate) fn write(
    runtime_dir: &Utf8Path,
    name: &str,
    text: &str,
) -> Result<Utf8PathBuf, DocumentError> {
    let folder = runtime_dir.join("documents");
    private_directory(runtime_dir)?;
    private_directory(&folder)?;
    let path = folder.join(format!("{name}-{}.md", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => Ok(path),
        Err(error) => Err(DocumentError::Write { path, error }),
    }
}

/// Removes what this server wrote.
pub(crate) fn remove_all(runtime_dir: &Utf8Path) {
    for name in ["session", "settings", "call", "change"] {
        let path = runtime_dir
            .join("documents")
            .join(format!("{name}-{}.md", std::process::id()));
        // What was never written is not there.
        let _ = std::fs::remove_file(path);
    }
}
