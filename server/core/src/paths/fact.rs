//! What the outside world says about one path; found out by the engine's host.

use camino::Utf8PathBuf;

use crate::call::Access;

/// A path of a call with everything that a decision needs to know of it.
///
/// Total: a path that cannot be resolved has [`FileKind::Unresolvable`], which
/// no check takes for inside, harmless or allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFact {
    /// The path as the agent wrote it.
    pub given: String,
    /// `given` joined with the cwd and normalised by text alone (`.`, `..`,
    /// doubled slashes), `~` expanded only where a shell would do it.
    pub absolute: Utf8PathBuf,
    /// With every symbolic link resolved; for what does not exist, the nearest
    /// existing ancestor's canonical form plus the rest.
    pub canonical: Utf8PathBuf,
    /// How it would be touched.
    pub access: Access,
    /// What is there now.
    pub kind: FileKind,
    /// Number of hard links of an existing regular file; 1 where there is none.
    pub links: u64,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Nothing yet.
    Missing,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A device, FIFO, socket or anything else that acts when opened.
    Special,
    /// On a file system that acts when touched: UNC, automount.
    Remote,
    /// Cannot be resolved: a loop of links, not UTF-8, no permission.
    Unresolvable,
}
