//! Repositories that were asked about before.

use std::sync::Mutex;

use camino::Utf8Path;

use crate::discover;
use crate::error::Result;
use crate::file_hash::FileHashes;
use crate::id::BlobId;
use crate::repository::{Repository, lock};

/// How many repositories are kept. An agent works in few.
const MOST_KEPT: usize = 16;

/// The repositories and file hashes that a process keeps. The folders above a
/// path are looked at for each question, because one could be made there at
/// any time; what they lead to is read again only if it changed.
#[derive(Debug, Default)]
pub struct Repositories {
    /// The one used last is last.
    kept: Mutex<Vec<Repository>>,
    hashes: FileHashes,
}

impl Repositories {
    /// As [`Repository::discover`].
    ///
    /// # Errors
    ///
    /// As [`Repository::discover`].
    pub fn discover(&self, folder: &Utf8Path, home: &Utf8Path) -> Result<Option<Repository>> {
        let Some(found) = discover::find(folder, home)? else {
            return Ok(None);
        };
        let mut kept = lock(&self.kept);
        let known = kept
            .iter()
            .position(|known| known.root() == found.root)
            .map(|at| kept.remove(at));
        drop(kept);
        let repository = match known {
            Some(known) if known.is_current() => known,
            _ => Repository::open(&found)?,
        };
        let mut kept = lock(&self.kept);
        if kept.len() >= MOST_KEPT {
            kept.remove(0);
        }
        kept.push(repository.clone());
        Ok(Some(repository))
    }

    /// As [`FileHashes::blob_id_of_file`].
    ///
    /// # Errors
    ///
    /// As [`FileHashes::blob_id_of_file`].
    pub fn blob_id_of_file(&self, path: &Utf8Path) -> Result<Option<BlobId>> {
        self.hashes.blob_id_of_file(path)
    }
}
