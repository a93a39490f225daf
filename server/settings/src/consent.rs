//! Entries of a workspace that a person has a say in: what gives leave needs
//! consent, what restricts stays until its removal is confirmed.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Digest;
use countersign_core::rules::Reading;
use serde::{Deserialize, Serialize};

use crate::private::{self, Lock, StateFileError};
use crate::trust::Identity;

/// An entry of a list in a workspace's settings. Anybody may have written it:
/// escape it before showing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceEntry {
    /// The setting, such as `permissions.allow`.
    pub key: String,
    /// The entry.
    pub text: String,
    /// How it is to be read.
    pub reading: Reading,
    /// The file; none for settings that an editor sent.
    pub file: Option<Utf8PathBuf>,
    /// The line in it, from 1.
    pub line: Option<u32>,
}

impl WorkspaceEntry {
    /// What makes it the same entry wherever it stands.
    pub(crate) fn identity(&self) -> (&str, &str, &str) {
        (&self.key, name(self.reading), &self.text)
    }
}

/// The digest of a set of entries: the same for the same entries in any order
/// and at any place.
pub(crate) fn digest_of(entries: &[WorkspaceEntry]) -> Digest {
    let set: BTreeSet<_> = entries.iter().map(WorkspaceEntry::identity).collect();
    Digest::of_parts(
        set.iter()
            .flat_map(|(key, reading, text)| [key.as_bytes(), reading.as_bytes(), text.as_bytes()]),
    )
}

/// The entries of `these` that are not among `those`.
pub(crate) fn without(these: &[WorkspaceEntry], those: &[WorkspaceEntry]) -> Vec<WorkspaceEntry> {
    let known: BTreeSet<_> = those.iter().map(WorkspaceEntry::identity).collect();
    these
        .iter()
        .filter(|entry| !known.contains(&entry.identity()))
        .cloned()
        .collect()
}

const fn name(reading: Reading) -> &'static str {
    match reading {
        Reading::Countersign => "countersign",
        Reading::Claude => "claude",
        Reading::Qwen => "qwen",
    }
}

/// What restricted a workspace when it was last looked at. Entries stay here,
/// and so in force, until a person confirms that they are gone.
#[derive(Debug)]
pub(crate) struct KeptTightening {
    folder: Utf8PathBuf,
    state_dir: Utf8PathBuf,
    name: String,
    path: Utf8PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptFile {
    /// For people who look into the folder.
    workspace: Utf8PathBuf,
    entries: Vec<WorkspaceEntry>,
}

/// A hostile workspace must not fill the disk with ever new entries.
const MOST_KEPT: usize = 10_000;
const MOST_BYTES: u64 = 16 * 1024 * 1024;
const LOCK: &str = "workspaces.lock";

impl KeptTightening {
    pub(crate) fn new(state_dir: &Utf8Path, workspace: &Identity) -> Self {
        Self {
            folder: state_dir.join("workspaces"),
            state_dir: state_dir.to_owned(),
            name: workspace.file_name(),
            path: workspace.path.clone(),
        }
    }

    pub(crate) fn file(&self) -> Utf8PathBuf {
        self.folder.join(&self.name)
    }

    pub(crate) fn read(&self) -> Result<Vec<WorkspaceEntry>, StateFileError> {
        let Some(text) = private::read(&self.folder, &self.name, MOST_BYTES)? else {
            return Ok(Vec::new());
        };
        serde_json::from_str::<KeptFile>(&text)
            .map(|file| file.entries)
            .map_err(|error| StateFileError::Damaged {
                path: self.file(),
                reason: error.to_string(),
            })
    }

    /// Adds entries. Does nothing while another process holds the lock: it is
    /// looking at the same settings.
    pub(crate) fn add(&self, entries: &[WorkspaceEntry]) -> Result<(), StateFileError> {
        let Some(_lock) = Lock::attempt(&self.state_dir, LOCK)? else {
            return Ok(());
        };
        let mut kept = self.read()?;
        let new = without(entries, &kept);
        kept.extend(new);
        kept.truncate(MOST_KEPT);
        self.write(kept)
    }

    /// Forgets entries. What the workspace's files still say is added again
    /// when they are read the next time.
    pub(crate) fn forget(&self, entries: &[WorkspaceEntry]) -> Result<(), StateFileError> {
        let _lock = Lock::wait(&self.state_dir, LOCK)?;
        self.write(without(&self.read()?, entries))
    }

    fn write(&self, entries: Vec<WorkspaceEntry>) -> Result<(), StateFileError> {
        let file = KeptFile {
            workspace: self.path.clone(),
            entries,
        };
        let text = serde_json::to_string(&file).map_err(|error| StateFileError::Failed {
            action: "write",
            path: self.file(),
            reason: error.to_string(),
        })?;
        private::write(&self.folder, &self.name, &text)
    }
}
