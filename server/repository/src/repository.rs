//! One repository, with what was read of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Setting;
use crate::discover::{self, Found, Layout, Location};
use crate::error::{RepositoryError, Result};
use crate::format;
use crate::head::Head;
use crate::id::{BlobId, CommitId, ObjectId};
use crate::ignored::Matchers;
use crate::object::{Kind, Objects};
use crate::stamp::Stamp;
use crate::tree::Tree;
use crate::tree_data::TreeData;

/// How many entries of trees are read for one question, and kept.
pub(crate) const MOST_ENTRIES: usize = 200_000;
/// How many commits' trees are kept.
const MOST_COMMITS: usize = 64;

/// A git repository with a work tree. Cheap to clone; clones share what was
/// read. Trees are kept because their names prove their content, HEAD as long
/// as the files that say what it is are unchanged.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    location: Location,
    settings: Vec<Setting>,
    /// The configuration and the like, as they were when it was opened; `None`
    /// if a later change might not show.
    seen: Option<Vec<(Utf8PathBuf, Option<Stamp>)>>,
    head: Mutex<Option<Head>>,
    commits: Mutex<HashMap<CommitId, ObjectId>>,
    trees: Mutex<Trees>,
    pub(crate) matchers: Mutex<Matchers>,
}

#[derive(Debug, Default)]
struct Trees {
    known: HashMap<ObjectId, Arc<TreeData>>,
    entries: usize,
}

impl Repository {
    /// The repository that git would find from a folder, which must exist. The
    /// search ends at the home folder (which is still looked at), at the root
    /// and at the border of a file system.
    ///
    /// # Errors
    ///
    /// If git might find one that this reader does not know: a bare one, one
    /// with SHA-256 or reftable, one through a link, one that names a work tree
    /// elsewhere, one that cannot be read.
    pub fn discover(folder: &Utf8Path, home: &Utf8Path) -> Result<Option<Self>> {
        match discover::find(folder, home)? {
            Some(found) => Self::open(&found).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn open(found: &Found) -> Result<Self> {
        let location = found.follow()?;
        let seen = stamps(&location);
        // What is kept must be what the stamps are of.
        if found.follow()? != location {
            return Err(RepositoryError::Changed {
                path: location.root.join(".git"),
            });
        }
        let Location {
            root,
            git_dir,
            common_dir,
            ..
        } = &location;
        let settings = format::settings(git_dir, common_dir)?;
        let may_be_kept = location.is_direct
            && seen == stamps(&location)
            && seen
                .iter()
                .all(|(_, stamp)| stamp.is_none_or(|stamp| stamp.is_settled()));
        let format = format::check(&settings)?;
        if format.is_bare {
            return Err(RepositoryError::unsupported(format!("{git_dir} is bare")));
        }
        if let Some(elsewhere) = format.work_tree
            && !discover::canonical(&git_dir.join(&elsewhere)).is_ok_and(|named| named == *root)
        {
            return Err(RepositoryError::unsupported(format!(
                "{git_dir} says that its work tree is {elsewhere:?}"
            )));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                location,
                settings,
                seen: may_be_kept.then_some(seen),
                head: Mutex::default(),
                commits: Mutex::default(),
                trees: Mutex::default(),
                matchers: Mutex::default(),
            }),
        })
    }

    /// Whether what says where it lies, and its configuration, are still what
    /// was read.
    pub(crate) fn is_current(&self) -> bool {
        self.inner
            .seen
            .as_ref()
            .is_some_and(|seen| seen.iter().all(|(path, stamp)| Stamp::at(path) == *stamp))
    }

    /// The canonical folder of the work tree.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.inner.location.root
    }

    /// The canonical folder with HEAD and the index: `.git` of the root, or
    /// wherever a `.git` file points to.
    #[must_use]
    pub fn git_dir(&self) -> &Utf8Path {
        &self.inner.location.git_dir
    }

    /// The canonical folder with configuration, hooks, refs and objects: the
    /// git folder, or what its `commondir` names.
    #[must_use]
    pub fn common_dir(&self) -> &Utf8Path {
        &self.inner.location.common_dir
    }

    /// How the work tree belongs to the repository.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.inner.location.layout
    }

    /// Whether all of it is the folder `.git` of the root.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.layout() == Layout::Plain
    }

    /// The settings of its own configuration files (`config`, and
    /// `config.worktree` if it counts), in order, without included files.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.inner.settings
    }

    /// The commit that HEAD is, `None` before the first commit. Whether the
    /// commit is there is not looked at.
    ///
    /// # Errors
    ///
    /// If HEAD cannot be followed: links, circles, something that is not a ref.
    pub fn head(&self) -> Result<Option<CommitId>> {
        if let Some(head) = lock(&self.inner.head).as_ref()
            && head.is_current()
        {
            return Ok(head.commit);
        }
        let head = Head::read(self.git_dir(), self.common_dir())?;
        let commit = head.commit;
        *lock(&self.inner.head) = head.is_settled.then_some(head);
        Ok(commit)
    }

    /// The tree of a commit.
    ///
    /// # Errors
    ///
    /// If the commit is missing (a shallow or partial clone), forged, or not a
    /// commit.
    pub fn tree(&self, commit: CommitId) -> Result<Tree> {
        let known = lock(&self.inner.commits).get(&commit).copied();
        let root = match known {
            Some(root) => root,
            None => self.root_of(commit)?,
        };
        Ok(Tree::new(self.clone(), Some(root)))
    }

    /// The tree in which nothing is: the baseline of a repository without a
    /// commit.
    #[must_use]
    pub fn empty_tree(&self) -> Tree {
        Tree::new(self.clone(), None)
    }

    fn root_of(&self, commit: CommitId) -> Result<ObjectId> {
        let content = self.objects()?.read(commit.object(), Kind::Commit)?;
        let root = content
            .strip_prefix(b"tree ")
            .and_then(|rest| rest.split_at_checked(40))
            .filter(|(_, after)| after.first() == Some(&b'\n'))
            .and_then(|(id, _)| std::str::from_utf8(id).ok())
            .and_then(ObjectId::from_hex)
            .ok_or_else(|| RepositoryError::damaged(format!("commit {commit} names no tree")))?;
        let mut commits = lock(&self.inner.commits);
        if commits.len() >= MOST_COMMITS {
            commits.clear();
        }
        commits.insert(commit, root);
        Ok(root)
    }

    /// A file's content as it was committed, at most 8 MiB.
    ///
    /// # Errors
    ///
    /// If it is missing, forged, larger, or not a blob.
    pub fn blob(&self, id: BlobId) -> Result<Vec<u8>> {
        self.objects()?.read(id.object(), Kind::Blob)
    }

    pub(crate) fn objects(&self) -> Result<Objects> {
        Objects::open(self.common_dir())
    }

    /// One folder; reads with the objects given, which are opened if need be.
    pub(crate) fn tree_data(
        &self,
        id: ObjectId,
        objects: &mut Option<Objects>,
    ) -> Result<Arc<TreeData>> {
        if let Some(known) = lock(&self.inner.trees).known.get(&id) {
            return Ok(Arc::clone(known));
        }
        let objects = match objects {
            Some(objects) => objects,
            none => none.insert(self.objects()?),
        };
        let content = objects.read(id, Kind::Tree)?;
        let data = Arc::new(TreeData::parse(&content, MOST_ENTRIES)?);
        let mut trees = lock(&self.inner.trees);
        // An empty one takes room, too.
        trees.entries += data.entries.len() + 1;
        if trees.entries > MOST_ENTRIES {
            trees.known.clear();
            trees.entries = data.entries.len() + 1;
        }
        trees.known.insert(id, Arc::clone(&data));
        Ok(data)
    }
}

/// The files that say where a repository lies and of what kind it is.
fn stamps(location: &Location) -> Vec<(Utf8PathBuf, Option<Stamp>)> {
    let Location {
        root,
        git_dir,
        common_dir,
        ..
    } = location;
    let dot_git = root.join(".git");
    format::files(git_dir, common_dir)
        .into_iter()
        .chain([git_dir.join("commondir"), git_dir.join("gitdir")])
        // As a folder it changes all the time.
        .chain((dot_git != *git_dir).then_some(dot_git))
        .map(|path| {
            let stamp = Stamp::at(&path);
            (path, stamp)
        })
        .collect()
}

/// What is behind these locks is whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
