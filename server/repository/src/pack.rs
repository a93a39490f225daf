//! Objects in packs.

pub(crate) mod delta;
mod entry;
mod index;
pub(crate) mod inflate;
mod read_at;

use crate::error::{RepositoryError, Result};
use crate::files::Folder;
use crate::id::ObjectId;
use crate::object::Kind;
use camino::Utf8Path;
use entry::PackFile;
use index::Index;

/// How many packs are looked into. git repacks at 50.
const MOST_PACKS: usize = 1_000;
/// How many names are looked at.
const MOST_NAMES: usize = 20_000;

/// The packs of one folder of objects.
pub(crate) struct Packs {
    folder: Option<Folder>,
    packs: Vec<Pack>,
}

struct Pack {
    /// Without the ending.
    name: String,
    index: Opened<Index>,
    pack: Opened<PackFile>,
}

/// Opened when it is first needed; what cannot be read is as if it were not
/// there, which leaves objects missing and nothing more.
enum Opened<T> {
    NotYet,
    Yes(T),
    Never,
}

impl<T> Opened<T> {
    fn get(&mut self, open: impl FnOnce() -> Result<Option<T>>) -> Result<Option<&T>> {
        if matches!(self, Self::NotYet) {
            *self = Self::Never;
            if let Some(opened) = open()? {
                *self = Self::Yes(opened);
            }
        }
        Ok(match self {
            Self::Yes(opened) => Some(opened),
            Self::NotYet | Self::Never => None,
        })
    }
}

impl Packs {
    pub(crate) fn open(objects: Folder) -> Result<Self> {
        let Some(folder) = objects.folder(Utf8Path::new("pack"))? else {
            return Ok(Self {
                folder: None,
                packs: Vec::new(),
            });
        };
        let packs: Vec<Pack> = folder
            .names(MOST_NAMES)?
            .iter()
            .filter_map(|name| name.strip_suffix(".idx"))
            .map(|name| Pack {
                name: name.to_owned(),
                index: Opened::NotYet,
                pack: Opened::NotYet,
            })
            .collect();
        if packs.len() > MOST_PACKS {
            return Err(RepositoryError::too_large(
                folder.path().as_str(),
                MOST_PACKS as u64,
            ));
        }
        Ok(Self {
            folder: Some(folder),
            packs,
        })
    }

    /// Looks in each pack; one that is damaged does not hide what another has.
    pub(crate) fn read(&mut self, id: ObjectId) -> Result<Option<(Kind, Vec<u8>)>> {
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        let mut trouble = None;
        for pack in &mut self.packs {
            match pack.read(folder, id) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        trouble.map_or(Ok(None), Err)
    }
}

impl Pack {
    fn read(&mut self, folder: &Folder, id: ObjectId) -> Result<Option<(Kind, Vec<u8>)>> {
        let name = &self.name;
        let index = self.index.get(|| {
            let file = folder.file(&format!("{name}.idx"))?;
            file.map(|file| Index::new(Box::new(file.file), file.size, file.path.as_str()))
                .transpose()
        })?;
        let Some(index) = index else {
            return Ok(None);
        };
        let Some(offset) = index.offset(id)? else {
            return Ok(None);
        };
        let pack = self.pack.get(|| {
            let file = folder.file(&format!("{name}.pack"))?;
            file.map(|file| PackFile::new(Box::new(file.file), file.size, file.path.as_str()))
                .transpose()
        })?;
        match pack {
            Some(pack) => pack.read(offset, index).map(Some),
            None => Ok(None),
        }
    }
}
