//! What a file on disk would be called as a blob.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Mutex;

use camino::Utf8Path;

use crate::error::{RepositoryError, Result};
use crate::files::RegularFile;
use crate::id::{BlobId, Hasher};
use crate::repository::lock;
use crate::stamp::Stamp;

/// The largest file that is hashed, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;
/// How many names are kept before the older ones are given up.
const MOST_KEPT: usize = 8_192;

/// The blob names of files, kept for as long as a file's identity, size and
/// times are the same. A file that changed within the last two seconds is not
/// kept, because it could change again without showing it. (A program that
/// holds a file mapped for writing can change it unseen; it can do that after
/// any hash.)
///
/// Bytes are hashed as they are: where attributes would convert them on the way
/// into git, a file counts as different.
#[derive(Debug, Default)]
pub struct FileHashes(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Stamp, BlobId>,
    old: HashMap<Stamp, BlobId>,
}

impl FileHashes {
    /// The blob name of a regular file of at most 64 MiB, at an absolute path
    /// that leads through no link; `None` if there is no file.
    ///
    /// A file that is known is told by what it is, not by its path: a canonical
    /// path is asked for, so no link leads to it but one that was made since,
    /// and then to this very file.
    ///
    /// # Errors
    ///
    /// If there is a link or a special file, it is larger, it cannot be read or
    /// it changes meanwhile.
    pub fn blob_id_of_file(&self, path: &Utf8Path) -> Result<Option<BlobId>> {
        if let Some(stamp) = Stamp::at(path)
            && let Some(id) = self.known(&stamp)
        {
            return Ok(Some(id));
        }
        let Some(file) = RegularFile::open(path)? else {
            return Ok(None);
        };
        let before = file.stamp;
        let is_settled = before.is_settled();
        let id = hash(file)?;
        if is_settled {
            self.keep(before, id);
        }
        Ok(Some(id))
    }

    /// The name of an inode is known only if it was hashed through a regular
    /// file; a link has an inode of its own.
    fn known(&self, stamp: &Stamp) -> Option<BlobId> {
        let mut generations = lock(&self.0);
        if let Some(id) = generations.young.get(stamp) {
            return Some(*id);
        }
        let id = generations.old.remove(stamp)?;
        generations.insert(*stamp, id);
        Some(id)
    }

    fn keep(&self, stamp: Stamp, id: BlobId) {
        lock(&self.0).insert(stamp, id);
    }
}

impl Generations {
    fn insert(&mut self, stamp: Stamp, id: BlobId) {
        if self.young.len() >= MOST_KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(stamp, id);
    }
}

fn hash(mut file: RegularFile) -> Result<BlobId> {
    if file.size > LARGEST {
        return Err(RepositoryError::too_large(file.path.as_str(), LARGEST));
    }
    let unreadable = |source| RepositoryError::unreadable(&file.path, source);
    let mut hasher = Hasher::new("blob", file.size);
    let mut buffer = vec![0; 64 * 1024];
    let mut left = file.size;
    loop {
        let count = match file.file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error)),
        };
        let read = buffer.get(..count).unwrap_or_default();
        // One that grows would never end.
        if read.is_empty() || count as u64 > left {
            if read.is_empty() && left == 0 {
                break;
            }
            return Err(RepositoryError::Changed { path: file.path });
        }
        left -= count as u64;
        hasher.update(read);
    }
    let after = file.file.metadata().map_err(unreadable)?;
    if Stamp::of(&after) != file.stamp {
        return Err(RepositoryError::Changed { path: file.path });
    }
    hasher.finish().map(BlobId::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ObjectId;

    #[test]
    fn a_kept_hash_holds_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let path = root.canonicalize_utf8().unwrap().join("a");
        std::fs::write(&path, "hello\n").unwrap();
        let hashes = FileHashes::default();
        let real = hashes.blob_id_of_file(&path).unwrap().unwrap();
        assert_eq!(real.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        // It changed just now, so nothing was kept.
        let stamp = Stamp::at(&path).unwrap();
        assert_eq!(hashes.known(&stamp), None);

        let kept = BlobId::new(ObjectId::from_bytes([1; 20]));
        hashes.keep(stamp, kept);
        assert_eq!(hashes.blob_id_of_file(&path).unwrap(), Some(kept));
        std::fs::write(&path, "jello\n").unwrap();
        std::fs::File::open(&path)
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        let changed = hashes.blob_id_of_file(&path).unwrap().unwrap();
        assert!(changed != kept && changed != real);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let used = Stamp::at(path).unwrap();
        let mut generations = Generations::default();
        let id = BlobId::new(ObjectId::from_bytes([1; 20]));
        for _ in 0..3 * MOST_KEPT {
            generations.insert(used, id);
        }
        assert_eq!(generations.young.len(), 1);
        let other = std::fs::File::create(path.join("x")).unwrap();
        for size in 0..2 * MOST_KEPT as u64 + 5 {
            other.set_len(size).unwrap();
            let stamp = Stamp::of(&other.metadata().unwrap());
            generations.insert(stamp, id);
            assert!(generations.young.len() + generations.old.len() <= 2 * MOST_KEPT);
        }
        assert!(!generations.young.contains_key(&used));
    }
}
