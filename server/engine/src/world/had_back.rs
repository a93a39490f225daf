//! Whether what a command would lose could be had back: it is what HEAD has,
//! it is ignored and tools make it again, or this session's agent created it
//! from its own content.
//!
//! Asked only where a command changes something that exists. Every doubt and
//! every error is a no.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::{self, FileType, Metadata};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Access;
use countersign_core::effect::Touch;
use countersign_core::ledger::content_digest;
use countersign_core::paths::{self, FileKind, PathFact};
use countersign_core::policy::Policy;
use countersign_repository::{Mode, RepositoryError, Tree, is_regenerable};

use crate::host::{self, Host};
use crate::ledger::{Own, Records};

/// Most names that are looked at for one call.
const MOST_NAMES: usize = 2_000;

/// Most bytes that are hashed for one call.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Longest file that is compared with what an agent wrote, in bytes.
const LONGEST_OWN: u64 = 8 * 1024 * 1024;

/// What was found out for one call, within what it may cost.
pub(crate) struct HadBack<'a> {
    host: &'a Host,
    policy: &'a Policy,
    records: &'a dyn Records,
    names: usize,
    bytes: u64,
    /// A command's effects name one path more than once.
    known: HashMap<(Utf8PathBuf, Touch), bool>,
}

/// Where a path is tracked, if it is.
struct Repository {
    root: Utf8PathBuf,
    head: Tree,
}

/// What decides about the files of one question.
struct Ground<'a> {
    repository: Option<Repository>,
    /// Whether it is in the workspace: elsewhere folders count, too.
    is_workspace: bool,
    records: &'a dyn Records,
    under: &'a Utf8Path,
    own: OnceCell<Own>,
}

impl Ground<'_> {
    /// What the session created there; asked for only where HEAD does not have
    /// it.
    fn own(&self) -> &Own {
        self.own.get_or_init(|| self.records.below(self.under))
    }
}

impl<'a> HadBack<'a> {
    pub(crate) fn new(host: &'a Host, policy: &'a Policy, records: &'a dyn Records) -> Self {
        Self {
            host,
            policy,
            records,
            names: MOST_NAMES,
            bytes: MOST_BYTES,
            known: HashMap::new(),
        }
    }

    /// Whether what is at a canonical path in the workspace or in temp, and is
    /// touched so, could be had back.
    pub(super) fn can_be(&mut self, fact: &PathFact, touch: Touch, is_workspace: bool) -> bool {
        let is_whole = match (fact.kind, touch) {
            (FileKind::Missing, _) => return true,
            // One that is not empty stays.
            (FileKind::Directory, Touch::DeleteFolder) if is_workspace => return true,
            (FileKind::Directory, Touch::DeleteFolder | Touch::DeleteTree | Touch::MoveFrom) => {
                true
            }
            (
                FileKind::File,
                Touch::Write
                | Touch::Edit
                | Touch::Mode
                | Touch::Delete
                | Touch::DeleteTree
                | Touch::MoveFrom,
            ) => false,
            _ => return false,
        };
        let key = (fact.canonical.clone(), touch);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let can_be = self
            .look(&fact.canonical, is_whole, is_workspace)
            .unwrap_or(false);
        self.known.insert(key, can_be);
        can_be
    }

    fn look(
        &mut self,
        path: &Utf8Path,
        is_whole: bool,
        is_workspace: bool,
    ) -> Result<bool, Unclear> {
        let metadata = fs::symlink_metadata(path)?;
        let folder = if is_whole { Some(path) } else { path.parent() };
        let repository = match folder {
            Some(folder) if is_workspace => self.repository(path, folder).unwrap_or(None),
            _ => None,
        };
        let ground = Ground {
            repository,
            is_workspace,
            records: self.records,
            under: path,
            own: OnceCell::new(),
        };
        if is_whole {
            self.tree(path, metadata.dev(), &ground)
        } else {
            self.one(path, &metadata, &ground)
        }
    }

    /// A folder with everything in it. No link is followed, and no border of a
    /// file system is crossed.
    fn tree(&mut self, root: &Utf8Path, device: u64, ground: &Ground<'_>) -> Result<bool, Unclear> {
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            if !ground.is_workspace && !ground.own().folders.contains(&folder) {
                return Ok(false);
            }
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
                } else if !self.one(&path, &metadata, ground)? {
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
        ground: &Ground<'_>,
    ) -> Result<bool, Unclear> {
        self.names = self.names.checked_sub(1).ok_or(Unclear)?;
        let is_plain = metadata.is_file() && metadata.nlink() == 1;
        if !is_plain && !metadata.is_symlink() {
            return Ok(false);
        }
        if let Some(repository) = &ground.repository
            && self
                .is_known(path, metadata, is_plain, repository)
                .unwrap_or(false)
        {
            return Ok(true);
        }
        Ok(is_plain && self.is_own(path, metadata, ground.own())?)
    }

    /// Whether HEAD has it so, or it is ignored and tools make it again.
    fn is_known(
        &mut self,
        path: &Utf8Path,
        metadata: &Metadata,
        is_plain: bool,
        repository: &Repository,
    ) -> Result<bool, Unclear> {
        let inside = path.strip_prefix(&repository.root).map_err(|_| Unclear)?;
        match repository.head.blob(inside)? {
            Some((blob, Mode::File | Mode::Executable)) if is_plain => {
                self.bytes = self.bytes.checked_sub(metadata.len()).ok_or(Unclear)?;
                let there = self.host.repositories.blob_id_of_file(path)?;
                Ok(there == Some(blob))
            }
            Some(_) => Ok(false),
            None => Ok(is_regenerable(inside) && repository.head.is_ignored(inside, false)?),
        }
    }

    /// Whether every byte of it is what this session's agent gave for it.
    fn is_own(&mut self, path: &Utf8Path, metadata: &Metadata, own: &Own) -> Result<bool, Unclear> {
        let Some(content) = own.files.get(path) else {
            return Ok(false);
        };
        self.bytes = self.bytes.checked_sub(metadata.len()).ok_or(Unclear)?;
        let there = host::content(path, LONGEST_OWN).ok_or(Unclear)?;
        Ok(content_digest(&there) == *content)
    }

    /// The repository of the workspace, where the path is in that and in no
    /// other.
    fn repository(
        &self,
        path: &Utf8Path,
        folder: &Utf8Path,
    ) -> Result<Option<Repository>, Unclear> {
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
        Ok(Some(Repository {
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
