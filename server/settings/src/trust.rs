//! Which folders a person trusts, and which of their loosening entries that
//! person accepted. Only data: that no guarded call may reach it is kept by
//! the callers, which look at the ancestry of their process.

use std::os::unix::fs::MetadataExt as _;
use std::time::UNIX_EPOCH;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Digest;
use serde::{Deserialize, Serialize};

use crate::consent::{KeptTightening, WorkspaceEntry, digest_of};
use crate::places::Places;
use crate::private::{self, Lock, StateFileError};

/// A folder that cannot be mistaken for another one at the same path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The canonical path.
    pub(crate) path: Utf8PathBuf,
    device: u64,
    inode: u64,
    /// When it was made, in nanoseconds since 1970: inode numbers are used
    /// again. Not every file system keeps it.
    created: Option<u64>,
}

impl Identity {
    pub(crate) fn of(workspace: &Utf8Path) -> Result<Self, StateFileError> {
        let none = |_| StateFileError::NoWorkspace(workspace.to_owned());
        let path = workspace.canonicalize_utf8().map_err(none)?;
        let metadata = path.as_std_path().metadata().map_err(none)?;
        if !metadata.is_dir() {
            return Err(StateFileError::NoWorkspace(path));
        }
        let created = metadata
            .created()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| u64::try_from(since.as_nanos()).ok());
        Ok(Self {
            path,
            device: metadata.dev(),
            inode: metadata.ino(),
            created,
        })
    }

    /// Whether it is the same folder. Device numbers may change with a
    /// restart, so they count only where there is nothing better.
    fn is(&self, other: &Self) -> bool {
        self.path == other.path
            && self.inode == other.inode
            && self.created == other.created
            && (self.created.is_some() || self.device == other.device)
    }

    pub(crate) fn file_name(&self) -> String {
        private::name_for([
            self.path.as_str().as_bytes(),
            &self.inode.to_le_bytes(),
            &self.created.unwrap_or(self.device).to_le_bytes(),
        ])
    }
}

/// A trusted folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedFolder {
    #[serde(flatten)]
    identity: Identity,
    /// The entries that give leave and that a person accepted.
    #[serde(default)]
    pub accepted: Vec<WorkspaceEntry>,
}

impl TrustedFolder {
    /// The canonical path.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.identity.path
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct TrustFile {
    folders: Vec<TrustedFolder>,
}

/// The trusted folders of the user, in `trust.json` of the state folder.
///
/// A folder is trusted by its canonical path and inode, and only itself: a
/// folder inside a trusted one is another workspace.
#[derive(Debug, Clone)]
pub struct TrustStore {
    state_dir: Utf8PathBuf,
}

const NAME: &str = "trust.json";
const LOCK: &str = "trust.lock";
const MOST_BYTES: u64 = 64 * 1024 * 1024;

impl TrustStore {
    /// The store at those places.
    #[must_use]
    pub fn new(places: &Places) -> Self {
        Self {
            state_dir: places.state_dir.clone(),
        }
    }

    /// Whether exactly that folder is trusted.
    ///
    /// # Errors
    /// When the store is there and cannot be used, or the folder is not there.
    pub fn is_trusted(&self, workspace: &Utf8Path) -> Result<bool, StateFileError> {
        let identity = Identity::of(workspace)?;
        Ok(self.find(&identity)?.is_some())
    }

    /// Trusts the folder. What was accepted for it before stays accepted,
    /// unless another folder was there then.
    ///
    /// # Errors
    /// When the folder is not there, or the store cannot be used.
    pub fn trust(&self, workspace: &Utf8Path) -> Result<(), StateFileError> {
        let identity = Identity::of(workspace)?;
        self.change(|file| {
            if !file
                .folders
                .iter()
                .any(|folder| folder.identity.is(&identity))
            {
                file.folders
                    .retain(|folder| folder.identity.path != identity.path);
                file.folders.push(TrustedFolder {
                    identity,
                    accepted: Vec::new(),
                });
            }
            Ok(())
        })
    }

    /// Takes trust, and all that was accepted, from a path, whatever folder is
    /// there now.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub fn untrust(&self, workspace: &Utf8Path) -> Result<(), StateFileError> {
        let path = workspace
            .canonicalize_utf8()
            .unwrap_or_else(|_| workspace.to_owned());
        self.change(|file| {
            file.folders.retain(|folder| folder.identity.path != path);
            Ok(())
        })
    }

    /// A person accepts exactly the loosening entries that were shown
    /// ([`Effective::loosening`]), in place of what was accepted before. What
    /// the workspace's files say by now beyond them stays suspended.
    ///
    /// # Errors
    /// When the digest is not that of the entries, the folder is not trusted,
    /// or the store cannot be used.
    ///
    /// [`Effective::loosening`]: crate::Effective::loosening
    pub fn consent(
        &self,
        workspace: &Utf8Path,
        shown: &[WorkspaceEntry],
        digest: Digest,
    ) -> Result<(), StateFileError> {
        let identity = Identity::of(workspace)?;
        if digest_of(shown) != digest {
            return Err(StateFileError::Changed(identity.path));
        }
        self.change(|file| {
            let folder = file
                .folders
                .iter_mut()
                .find(|folder| folder.identity.is(&identity))
                .ok_or_else(|| StateFileError::Untrusted(identity.path.clone()))?;
            folder.accepted = shown.to_vec();
            Ok(())
        })
    }

    /// A person confirms that exactly the entries that were shown
    /// ([`Effective::kept_tightening`]) no longer hold. One that is in a file
    /// of the workspace again by now goes on holding.
    ///
    /// # Errors
    /// When the digest is not that of the entries, the folder is not there,
    /// or the state cannot be used.
    ///
    /// [`Effective::kept_tightening`]: crate::Effective::kept_tightening
    pub fn confirm_removal(
        &self,
        workspace: &Utf8Path,
        shown: &[WorkspaceEntry],
        digest: Digest,
    ) -> Result<(), StateFileError> {
        let identity = Identity::of(workspace)?;
        if digest_of(shown) != digest {
            return Err(StateFileError::Changed(identity.path));
        }
        KeptTightening::new(&self.state_dir, &identity).forget(shown)
    }

    /// The trusted folders, also those that are gone.
    ///
    /// # Errors
    /// When the store is there and cannot be used.
    pub fn folders(&self) -> Result<Vec<TrustedFolder>, StateFileError> {
        self.read().map(|file| file.folders)
    }

    pub(crate) fn file(&self) -> Utf8PathBuf {
        self.state_dir.join(NAME)
    }

    pub(crate) fn find(
        &self,
        identity: &Identity,
    ) -> Result<Option<TrustedFolder>, StateFileError> {
        Ok(self
            .read()?
            .folders
            .into_iter()
            .find(|folder| folder.identity.is(identity)))
    }

    fn read(&self) -> Result<TrustFile, StateFileError> {
        let Some(text) = private::read(&self.state_dir, NAME, MOST_BYTES)? else {
            return Ok(TrustFile::default());
        };
        serde_json::from_str(&text).map_err(|error| StateFileError::Damaged {
            path: self.file(),
            reason: error.to_string(),
        })
    }

    fn change(
        &self,
        work: impl FnOnce(&mut TrustFile) -> Result<(), StateFileError>,
    ) -> Result<(), StateFileError> {
        let _lock = Lock::wait(&self.state_dir, LOCK)?;
        let mut file = self.read()?;
        work(&mut file)?;
        let text = serde_json::to_string_pretty(&file).map_err(|error| StateFileError::Failed {
            action: "write",
            path: self.file(),
            reason: error.to_string(),
        })?;
        private::write(&self.state_dir, NAME, &text)
    }
}
