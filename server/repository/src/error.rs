//! Why something in a repository cannot be told.

use camino::{Utf8Path, Utf8PathBuf};

use crate::id::ObjectId;

/// Why a repository, or something in it, cannot be read. Whoever asks must take
/// each of them for "not trusted".
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The file system does not let us.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// What was to be read.
        path: Utf8PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A link, a pipe, a device or a folder where a regular file must be.
    #[error("{path} is not a regular file; replace links and special files by plain ones")]
    Irregular {
        /// What it is about.
        path: Utf8PathBuf,
    },
    /// More than this reader takes.
    #[error("{what} is larger than {most}")]
    TooLarge {
        /// What it is about.
        what: String,
        /// The bound, in bytes or entries.
        most: u64,
    },
    /// Not what git would have written, or forged.
    #[error("{what}; `git fsck` may say more")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// The object is not here: a partial clone, or it was removed.
    #[error("object {id} is not in the repository; `git fetch --refetch` may bring it")]
    Missing {
        /// The object.
        id: ObjectId,
    },
    /// A kind of repository that this reader does not know.
    #[error("{what}, which is not supported")]
    Unsupported {
        /// What is not known.
        what: String,
    },
    /// The file changed while it was read.
    #[error("{path} changed while it was read")]
    Changed {
        /// The file.
        path: Utf8PathBuf,
    },
}

impl RepositoryError {
    pub(crate) fn unreadable(path: &Utf8Path, source: impl Into<std::io::Error>) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            source: source.into(),
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    pub(crate) fn too_large(what: impl Into<String>, most: u64) -> Self {
        Self::TooLarge {
            what: what.into(),
            most,
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, RepositoryError>;
