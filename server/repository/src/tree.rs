//! The files of a commit.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::error::{RepositoryError, Result};
use crate::id::{BlobId, ObjectId};
use crate::repository::{MOST_ENTRIES, Repository};
use crate::tree_data::Mode;

/// How deep folders may lie in one another.
pub(crate) const DEEPEST: usize = 256;

/// All files of a commit. Folders are read when they are first asked for, and
/// kept.
#[derive(Debug, Clone)]
pub struct Tree {
    pub(crate) repository: Repository,
    root: Option<ObjectId>,
}

/// A file, link or submodule of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root of the work tree.
    pub path: Utf8PathBuf,
    /// What it is; never a folder.
    pub mode: Mode,
    /// Its content: a blob, or a commit of a submodule.
    pub id: ObjectId,
}

impl Tree {
    pub(crate) const fn new(repository: Repository, root: Option<ObjectId>) -> Self {
        Self { repository, root }
    }

    /// The content of a file or link at a path relative to the root of the work
    /// tree; `None` if it has none there, or a folder or submodule.
    ///
    /// # Errors
    ///
    /// If a folder on the way is missing, forged or damaged.
    pub fn blob(&self, path: &Utf8Path) -> Result<Option<(BlobId, Mode)>> {
        Ok(match self.at(path)? {
            Some((mode @ (Mode::File | Mode::Executable | Mode::Link), id)) => {
                Some((BlobId::new(id), mode))
            }
            Some((Mode::Folder | Mode::Submodule, _)) | None => None,
        })
    }

    /// What is at a path relative to the root of the work tree; a folder for an
    /// empty path.
    ///
    /// # Errors
    ///
    /// If a folder on the way is missing, forged or damaged.
    pub fn mode(&self, path: &Utf8Path) -> Result<Option<Mode>> {
        Ok(self.at(path)?.map(|(mode, _)| mode))
    }

    fn at(&self, path: &Utf8Path) -> Result<Option<(Mode, ObjectId)>> {
        let Some(root) = self.root else {
            return Ok(None);
        };
        let mut found = (Mode::Folder, root);
        let mut objects = None;
        for (depth, component) in path.components().enumerate() {
            let (Utf8Component::Normal(name), (Mode::Folder, id)) = (component, found) else {
                return Ok(None);
            };
            if depth >= DEEPEST {
                return Err(too_deep());
            }
            match self.repository.tree_data(id, &mut objects)?.get(name) {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// All files, links and submodules below a folder, ordered by folder; the
    /// root is the empty path. Empty if it has no such folder.
    ///
    /// # Errors
    ///
    /// If there are more than 200,000, a name is not UTF-8, or a folder is
    /// missing, forged or damaged.
    pub fn entries_below(&self, folder: &Utf8Path) -> Result<Vec<Entry>> {
        let Some((Mode::Folder, id)) = self.at(folder)? else {
            return Ok(Vec::new());
        };
        let mut objects = None;
        let mut entries = Vec::new();
        let mut folders = vec![(folder.to_owned(), id, 0)];
        // Few objects can stand for any number of paths.
        let mut visited = 0;
        while let Some((path, id, depth)) = folders.pop() {
            let data = self.repository.tree_data(id, &mut objects)?;
            visited += data.entries.len() + 1;
            if visited > MOST_ENTRIES {
                return Err(RepositoryError::too_large(
                    "the tree of a commit",
                    MOST_ENTRIES as u64,
                ));
            }
            if data.has_other_names {
                return Err(RepositoryError::unsupported(format!(
                    "{path:?} has a name that is not UTF-8"
                )));
            }
            if depth > DEEPEST {
                return Err(too_deep());
            }
            for (name, mode, id) in &data.entries {
                let path = path.join(&**name);
                match mode {
                    Mode::Folder => folders.push((path, *id, depth + 1)),
                    Mode::File | Mode::Executable | Mode::Link | Mode::Submodule => {
                        entries.push(Entry {
                            path,
                            mode: *mode,
                            id: *id,
                        });
                    }
                }
            }
        }
        Ok(entries)
    }
}

fn too_deep() -> RepositoryError {
    RepositoryError::too_large("the depth of a tree", DEEPEST as u64)
}
