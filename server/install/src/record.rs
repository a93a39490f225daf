//! What `install` remembers of each file that it changed, so that `uninstall`
//! gives it back byte for byte: kept in the state, for the user alone.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::Digest;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::refused::Refused;

/// Where records are, below the state.
const FOLDER: &str = "installed";

/// What was done to a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// For which agent.
    pub agent: Agent,
    /// The file, as the agent names it.
    pub path: Utf8PathBuf,
    /// What it was without anything of ours; none if there was no file.
    pub before: Option<String>,
    /// The digest of what `install` left there.
    pub after: String,
    /// The folders that were made for it, the innermost first.
    pub folders: Vec<Utf8PathBuf>,
}

/// Settings may hold keys: the text is not shown.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("agent", &self.agent)
            .field("path", &self.path)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

/// The digest of a text, in hexadecimal digits.
#[must_use]
pub fn digest(text: &str) -> String {
    Digest::of_parts([text.as_bytes()]).to_string()
}

impl Record {
    /// Whether the file is as `install` left it.
    #[must_use]
    pub fn is_unchanged(&self, text: &str) -> bool {
        self.after == digest(text)
    }
}

fn file(state: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    state
        .join(FOLDER)
        .join(format!("{}.json", digest(path.as_str())))
}

/// What is remembered of a file. What cannot be read is as if it was not there:
/// only our own entries are taken out then.
#[must_use]
pub fn load(state: &Utf8Path, path: &Utf8Path) -> Option<Record> {
    let text = disk::read_plain(&file(state, path)).ok()??;
    let record: Record = serde_json::from_str(&text).ok()?;
    (record.path == path).then_some(record)
}

/// Remembers what was done to a file.
///
/// # Errors
/// When the state cannot be written.
pub fn keep(state: &Utf8Path, record: &Record) -> Result<(), Refused> {
    let folder = state.join(FOLDER);
    for folder in [state, &folder] {
        countersign_settings::private_directory(folder)
            .map_err(|error| Refused::file("keep a backup in", folder, error))?;
    }
    let path = file(state, &record.path);
    let text = serde_json::to_string_pretty(record)
        .map_err(|error| Refused::file("write", &path, error))?;
    disk::replace(&path, &text, 0o600, None)
}

/// Forgets a file.
///
/// # Errors
/// When the record cannot be removed.
pub fn forget(state: &Utf8Path, path: &Utf8Path) -> Result<(), Refused> {
    let path = file(state, path);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Refused::file("remove", &path, error)),
    }
}
