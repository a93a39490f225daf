//! Texts that a person is to read, as private files: for clients that show
//! files and nothing else.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Texts of a server that stay readable at a time. Editors show some, the
/// others are out of date.
const MOST: u64 = 16;

/// How many texts this process has written.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Before each text and after it, so that nothing in it says how it is to be
/// shown: Vim looks for such words (`vim: set foldmethod=…`) in the first and
/// last lines of a file unless an earlier one forbids it, Emacs (`Local
/// Variables:`) after the last form feed.
const BEFORE: &str = "<!-- vim: set nomodeline: -->\n";
const AFTER: &str = "\n\u{c}\n";

/// Writes a text below the runtime folder. Each time it is another file: an
/// editor that has shown a file before may go on showing what was in it then.
pub(crate) fn write(
    runtime_dir: &Utf8Path,
    name: &str,
    text: &str,
) -> Result<Utf8PathBuf, DocumentError> {
    let folder = runtime_dir.join("documents");
    private_directory(runtime_dir)?;
    private_directory(&folder)?;
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    if let Some(old) = number.checked_sub(MOST) {
        remove(&folder, old);
    }
    // What an earlier process of this id left.
    remove(&folder, number);
    let path = path(&folder, name, number);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(framed(text).as_bytes()));
    match written {
        Ok(()) => Ok(path),
        Err(error) => Err(DocumentError::Write { path, error }),
    }
}

/// Removes what this server wrote.
pub(crate) fn remove_all(runtime_dir: &Utf8Path) {
    let folder = runtime_dir.join("documents");
    let written = WRITTEN.load(Ordering::Relaxed);
    for number in written.saturating_sub(MOST)..written {
        remove(&folder, number);
    }
}

fn framed(text: &str) -> String {
    [BEFORE, text, AFTER].concat()
}

fn path(folder: &Utf8Path, name: &str, number: u64) -> Utf8PathBuf {
    folder.join(format!("{name}-{}-{number}.md", std::process::id()))
}

fn remove(folder: &Utf8Path, number: u64) {
    for name in ["session", "settings", "call", "change"] {
        // What was never written is not there.
        let _ = std::fs::remove_file(path(folder, name, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_shown_later_is_in_another_file() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().canonicalize().unwrap().join("run");
        let runtime = Utf8PathBuf::from_path_buf(path).unwrap();
        let first = write(&runtime, "session", "one").unwrap();
        let second = write(&runtime, "session", "two").unwrap();
        assert_ne!(first, second);
        assert!(std::fs::read_to_string(&first).unwrap().contains("one"));
        for _ in 0..3 * MOST {
            write(&runtime, "change", "more").unwrap();
        }
        let left = || {
            std::fs::read_dir(runtime.join("documents"))
                .unwrap()
                .count()
        };
        assert!(left() <= usize::try_from(MOST).unwrap());
        remove_all(&runtime);
        assert_eq!(left(), 0);
    }

    #[test]
    fn nothing_in_a_text_says_how_an_editor_shows_it() {
        let file = framed("# vim: set fdm=marker :\nLocal Variables:");
        assert!(file.starts_with("<!-- vim: set nomodeline: -->\n# vim"));
        assert!(file.ends_with("Local Variables:\n\u{c}\n"));
    }
}
