//! Paths: where they lie, what is protected, what holds credentials.
//!
//! Everything here is decided on [`PathFact`]s alone. Containment is by
//! segment, never by string prefix; names are compared without regard to
//! letter case where something is refused, and exactly where it is allowed.

mod agent_files;
mod builtin;
mod credentials;
mod fact;
mod fast_path;
mod lexical;
mod pattern;
mod protected;
mod table;

pub use agent_files::is_plan_file;
pub use credentials::credential;
pub use fact::{FileKind, PathFact};
pub use fast_path::{WhyNot, fast_path};
pub use lexical::{expand, inside, lexical, lies_in};
pub use protected::{Protected, ProtectedKind, ProtectedOptions, ProtectedPaths};

#[cfg(test)]
pub(crate) mod testing {
    use camino::Utf8PathBuf;

    use super::{FileKind, PathFact};
    use crate::call::Access;

    /// A path without links: given, absolute and canonical are one.
    pub(crate) fn fact(path: &str, access: Access, kind: FileKind) -> PathFact {
        PathFact {
            given: path.to_owned(),
            absolute: Utf8PathBuf::from(path),
            canonical: Utf8PathBuf::from(path),
            access,
            kind,
            links: 1,
        }
    }

    /// A regular file that would be written.
    pub(crate) fn write(path: &str) -> PathFact {
        fact(path, Access::Write, FileKind::File)
    }

    /// A regular file that would be written through a symbolic link.
    pub(crate) fn write_through(path: &str, target: &str) -> PathFact {
        PathFact {
            canonical: Utf8PathBuf::from(target),
            ..write(path)
        }
    }
}
