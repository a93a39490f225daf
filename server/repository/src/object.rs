//! Objects by their names, from wherever the repository keeps them, and never
//! believed: what does not hash to its name does not exist.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{RepositoryError, Result};
use crate::files::{Folder, RegularFile};
use crate::id::{Hasher, ObjectId};
use crate::loose;
use crate::pack::Packs;

/// The largest object that is read, in bytes.
pub(crate) const LARGEST: u64 = 8 * 1024 * 1024;
/// How many other object folders are looked into, whoever names them.
const MOST_ALTERNATES: usize = 16;
/// The largest list of other object folders, in bytes.
const LARGEST_LIST: u64 = 64 * 1024;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.as_str().as_bytes() == name)
    }
}

/// A folder of objects, open.
struct Place {
    folder: Folder,
    packs: Option<Packs>,
}

/// The objects of a repository, for as long as one question takes. Folders and
/// packs stay open that long and no longer.
pub(crate) struct Objects {
    places: Vec<Place>,
    has_alternates: bool,
}

impl Objects {
    /// Opens `objects` in a repository's common folder.
    pub(crate) fn open(common_dir: &Utf8Path) -> Result<Self> {
        let path = common_dir.join("objects");
        let Some(folder) = Folder::open(&path)? else {
            return Err(RepositoryError::damaged(format!("{path} is not a folder")));
        };
        Ok(Self {
            places: vec![Place {
                folder,
                packs: None,
            }],
            has_alternates: false,
        })
    }

    /// The content of an object that must be of that kind.
    pub(crate) fn read(&mut self, id: ObjectId, kind: Kind) -> Result<Vec<u8>> {
        let mut trouble = None;
        let mut at = 0;
        loop {
            let Some(place) = self.places.get_mut(at) else {
                if self.has_alternates {
                    break;
                }
                self.has_alternates = true;
                self.open_alternates();
                continue;
            };
            at += 1;
            for source in [Place::loose, Place::packed] {
                match source(place, id).and_then(|found| verified(found, id, kind)) {
                    Ok(Some(content)) => return Ok(content),
                    Ok(None) => {}
                    Err(error) => trouble = trouble.or(Some(error)),
                }
            }
        }
        Err(trouble.unwrap_or(RepositoryError::Missing { id }))
    }

    /// Looks for the object folders that the known ones name. Objects are
    /// verified, so it does not matter who wrote the list; one that cannot be
    /// read only leaves objects missing.
    fn open_alternates(&mut self) {
        let mut known: Vec<Utf8PathBuf> = Vec::new();
        let mut at = 0;
        while let Some(place) = self.places.get(at) {
            at += 1;
            for path in place.alternates() {
                if self.places.len() > MOST_ALTERNATES || known.contains(&path) {
                    continue;
                }
                if let Ok(Some(folder)) = Folder::open(&path) {
                    self.places.push(Place {
                        folder,
                        packs: None,
                    });
                }
                known.push(path);
                if known.len() > 4 * MOST_ALTERNATES {
                    return;
                }
            }
        }
    }
}

impl Place {
    fn loose(&mut self, id: ObjectId) -> Result<Option<(Kind, Vec<u8>)>> {
        let name = id.to_string();
        let Some((folder, file)) = name.split_at_checked(2) else {
            return Ok(None);
        };
        match self.folder.again()?.folder(Utf8Path::new(folder))? {
            Some(folder) => folder.file(file)?.map(loose::read).transpose(),
            None => Ok(None),
        }
    }

    fn packed(&mut self, id: ObjectId) -> Result<Option<(Kind, Vec<u8>)>> {
        let packs = match &mut self.packs {
            Some(packs) => packs,
            none => none.insert(Packs::open(self.folder.again()?)?),
        };
        packs.read(id)
    }

    /// The object folders that this one names, canonical.
    fn alternates(&self) -> Vec<Utf8PathBuf> {
        let list = self
            .folder
            .again()
            .and_then(|folder| folder.folder(Utf8Path::new("info")))
            .and_then(|info| info.map_or(Ok(None), |info| info.file("alternates")))
            .and_then(|file| {
                file.map(|file: RegularFile| file.text(LARGEST_LIST))
                    .transpose()
            });
        let Ok(Some(list)) = list else {
            return Vec::new();
        };
        list.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with('"'))
            .take(MOST_ALTERNATES)
            .filter_map(|line| self.folder.path().join(line).canonicalize_utf8().ok())
            .collect()
    }
}

fn verified(found: Option<(Kind, Vec<u8>)>, id: ObjectId, wanted: Kind) -> Result<Option<Vec<u8>>> {
    let Some((kind, content)) = found else {
        return Ok(None);
    };
    let mut hasher = Hasher::new(kind.as_str(), content.len() as u64);
    hasher.update(&content);
    if hasher.finish()? != id {
        return Err(RepositoryError::damaged(format!(
            "object {id} has a content that is not its own"
        )));
    }
    if kind != wanted {
        return Err(RepositoryError::damaged(format!(
            "object {id} is a {}, not a {}",
            kind.as_str(),
            wanted.as_str()
        )));
    }
    Ok(Some(content))
}
