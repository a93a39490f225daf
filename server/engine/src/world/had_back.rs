//! Whether what a command would lose could be had back: it is what HEAD has,
//! or it is ignored and tools make it again.
//!
//! Asked only where a command changes something that exists. Every doubt and
//! every error is a no.

use std::collections::HashMap;
use std::fs::{self, FileType, Metadata};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Access;
use countersign_core::effect::Touch;
use countersign_core::paths::{self, FileKind, PathFact};
use countersign_core::policy::Policy;
use countersign_repository::{Mode, RepositoryError, Tree, is_regenerable};

use crate::host::Host;

/// Most names that are looked at for one call.
const MOST_NAMES: usize = 2_000;

/// Most bytes that are hashed for one call.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What was found out for one call, within what it may cost.
pub(crate) struct HadBack<'a> {
    host: &'a Host,
    policy: &'a Policy,
    names: usize,
    bytes: u64,
    /// A command's effects name one path more than once.
    known: HashMap<(Utf8PathBuf, Touch), bool>,
}

/// Where a path is tracked, if it is.
struct Ground {
    root: Utf8PathBuf,
    head: Tree,
}

impl<'a> HadBack<'a> {
    pub(crate) fn new(host: &'a Host, policy: &'a Policy) -> Self {
        Self {
            host,
            policy,
            names: MOST_NAMES,
            bytes: MOST_BYTES,
            known: HashMap::new(),
        }
    }

    /// Whether what is at a canonical path in the workspace, and is touched so,
    /// could be had back.
    pub(super) fn can_be(&mut self, fact: &PathFact, touch: Touch) -> bool {
        let is_whole = match (fact.kind, touch) {
            (FileKind::Missing, _) => return true,
            // One that is not empty stays.
            (FileKind::Directory, Touch::DeleteFolder) => return true,
            (FileKind::Directory, Touch::DeleteTree) => true,
            (
                FileKind::File,
                Touch::Write | Touch::Edit | Touch::Delete | Touch::DeleteTree | Touch::MoveFrom,
            ) => false,
            _ => return false,
        };
        let key = (fact.canonical.clone(), touch);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = if is_whole {
            self.tree(fact)
        } else {
            self.file(&fact.canonical)
        };
        let can_be = found.unwrap_or(false);
        self.known.insert(key, can_be);
        can_be
    }

    fn file(&mut self, path: &Utf8Path) -> Result<bool, Unclear> {
        let metadata = fs::symlink_metadata(path)?;
        let folder = path.parent().ok_or(Unclear)?;
        let Some(ground) = self.ground(path, folder)? else {
            return Ok(false);
        };
        self.one(path, &metadata, &ground)
    }

    /// A folder with everything in it. No link is followed, and no border of a
    /// file system is crossed.
    fn tree(&mut self, fact: &PathFact) -> Result<bool, Unclear> {
        let root = &fact.canonical;
        let device = fs::symlink_metadata(root)?.dev();
        let ground = self.ground(root, root)?;
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().into_string().map_err(|_| Unclear)?;
                let path = folder.join(name);
                let metadata = entry.metadata()?;
                if metadata.dev() != device || self.is_guarded(&path, metadata.file_type()) {
                    return Ok(false);
                }
                if metadata.is_dir() {
                    self.names = self.names.checked_sub(1).ok_or(Unclear)?;
                    folders.push(path);
                    continue;
                }
                let Some(ground) = &ground else {
                    return Ok(false);
                };
                if !self.one(&path, &metadata, ground)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// One file or link.
    fn one(
        &mut self,
        path: &Utf8Path,
        metadata: &Metadata,
        ground: &Ground,
    ) -> Result<bool, Unclear> {
        self.names = self.names.checked_sub(1).ok_or(Unclear)?;
        let is_plain = metadata.is_file() && metadata.nlink() == 1;
        if !is_plain && !metadata.is_symlink() {
            return Ok(false);
        }
        let inside = path.strip_prefix(&ground.root).map_err(|_| Unclear)?;
        match ground.head.blob(inside)? {
            Some((blob, Mode::File | Mode::Executable)) if is_plain => {
                self.bytes = self.bytes.checked_sub(metadata.len()).ok_or(Unclear)?;
                let there = self.host.repositories.blob_id_of_file(path)?;
                Ok(there == Some(blob))
            }
            Some(_) => Ok(false),
            None => Ok(is_regenerable(inside) && ground.head.is_ignored(inside, false)?),
        }
    }

    /// The repository of the workspace, where the path is in that and in no
    /// other.
    fn ground(&self, path: &Utf8Path, folder: &Utf8Path) -> Result<Option<Ground>, Unclear> {
        let workspace = self
            .policy
            .workspaces
            .iter()
            .filter(|workspace| path.starts_with(workspace))
            .max_by_key(|workspace| workspace.components().count())
            .ok_or(Unclear)?;
        let repositories = &self.host.repositories;
        let Some(repository) = repositories.discover(folder, &self.policy.home)? else {
            return Ok(None);
        };
        if !repository.is_plain() || !workspace.starts_with(repository.root()) {
            return Ok(None);
        }
        let Some(head) = repository.head()? else {
            return Ok(None);
        };
        Ok(Some(Ground {
            root: repository.root().to_owned(),
            head: repository.tree(head)?,
        }))
    }

    /// Whether a command that names the path would not be contained.
    fn is_guarded(&self, path: &Utf8Path, file_type: FileType) -> bool {
        let fact = PathFact {
            given: path.to_string(),
            absolute: path.to_owned(),
            canonical: path.to_owned(),
            access: Access::Delete,
            kind: if file_type.is_dir() {
                FileKind::Directory
            } else {
                FileKind::File
            },
            links: 1,
        };
        let policy = self.policy;
        paths::credential(&fact, &policy.workspaces, &policy.home).is_some()
            || policy.protected.check(&fact).is_some()
    }
}

/// It cannot be told, or would take too long.
struct Unclear;

impl From<std::io::Error> for Unclear {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl From<RepositoryError> for Unclear {
    fn from(_: RepositoryError) -> Self {
        Self
    }
}
