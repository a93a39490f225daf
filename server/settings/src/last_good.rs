//! The last good content of every settings file, kept in the state folder, so
//! that a hook process without memory survives a broken one.

use camino::{Utf8Path, Utf8PathBuf};

use crate::file::MOST_BYTES;
use crate::private::{self, StateFileError};

/// Where last good contents are kept.
#[derive(Debug)]
pub(crate) struct LastGood {
    folder: Utf8PathBuf,
    /// Whether new contents are kept; a mere look writes nothing.
    keeps: bool,
}

impl LastGood {
    pub(crate) fn new(state_dir: &Utf8Path, keeps: bool) -> Self {
        Self {
            folder: state_dir.join("last-good"),
            keeps,
        }
    }

    /// The last good content of the file.
    pub(crate) fn recall(&self, path: &Utf8Path) -> Result<Option<String>, StateFileError> {
        private::read(&self.folder, &name(path), MOST_BYTES)
    }

    /// Keeps a good content, unless it is the kept one.
    pub(crate) fn keep(&self, path: &Utf8Path, text: &str) -> Result<(), StateFileError> {
        if !self.keeps || matches!(self.recall(path), Ok(Some(kept)) if kept == text) {
            return Ok(());
        }
        if let Some(state_dir) = self.folder.parent() {
            private::private_directory(state_dir)?;
        }
        private::write(&self.folder, &name(path), text)
    }
}

fn name(path: &Utf8Path) -> String {
    private::name_for([path.as_str().as_bytes()])
}
