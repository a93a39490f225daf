//! Canonical forms of many paths at once: a hook asks for those of every place
//! that is protected, and most of them lie in a handful of folders.

use std::cell::RefCell;
use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::FileType;
use rustix::io::Errno;

use super::{Host, climbs};

/// Looks at each folder on the way once. For the length of one decision: what
/// it has seen is not looked at again.
#[derive(Debug)]
pub struct Canonicals<'a> {
    host: &'a Host,
    seen: RefCell<HashMap<String, Seen>>,
}

/// What a path turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A folder, with no link on the way and on the root's file system.
    Folder(u64),
    /// Nothing, below such a folder.
    Missing,
    /// Something else, below such a folder, and no link.
    Other,
    /// Anything that needs a closer look: a link, another file system.
    Unclear,
}

impl Host {
    /// Canonical forms of many paths, as of now.
    #[must_use]
    pub fn canonicals(&self) -> Canonicals<'_> {
        Canonicals {
            host: self,
            seen: RefCell::default(),
        }
    }
}

impl Canonicals<'_> {
    /// As [`Host::canonical`].
    #[must_use]
    pub fn of(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        if path.is_absolute() && !climbs(path) && self.look(path) != Seen::Unclear {
            // As the walk spells it: without doubled and closing slashes.
            return Some(path.components().collect());
        }
        self.host.canonical(path)
    }

    fn look(&self, path: &Utf8Path) -> Seen {
        if let Some(seen) = self.seen.borrow().get(path.as_str()) {
            return *seen;
        }
        let seen = match path.parent() {
            None => Self::at(path, None),
            Some(parent) => match self.look(parent) {
                Seen::Folder(device) => Self::at(path, Some(device)),
                Seen::Missing => Seen::Missing,
                // Below a file there is nothing, but the walk says so better.
                Seen::Other | Seen::Unclear => Seen::Unclear,
            },
        };
        self.seen
            .borrow_mut()
            .insert(path.as_str().to_owned(), seen);
        seen
    }

    fn at(path: &Utf8Path, parent_device: Option<u64>) -> Seen {
        match rustix::fs::lstat(path.as_std_path()) {
            Ok(stat) if parent_device.is_some_and(|device| device != stat.st_dev) => Seen::Unclear,
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Seen::Folder(stat.st_dev),
                FileType::RegularFile => Seen::Other,
                FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => Seen::Unclear,
            },
            Err(Errno::NOENT) => Seen::Missing,
            Err(_) => Seen::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// It is a shortcut: it must never say anything else than the walk.
    #[test]
    fn says_what_the_walk_says() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/file"), "").unwrap();
        symlink(root.join("a"), root.join("link")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let host = Host::default();
        let canonicals = host.canonicals();
        for text in [
            "a",
            "a/b",
            "a/b/",
            "a//b",
            "a/./b",
            "a/b/../file",
            "a/file",
            "a/file/x",
            "missing",
            "missing/x/y",
            "link",
            "link/b",
            "link/missing",
            "dangling",
            "dangling/x",
            "loop",
        ] {
            let path = root.join(text);
            assert_eq!(canonicals.of(&path), host.canonical(&path), "{text}");
        }
        for text in [
            "/",
            "/proc/self/root",
            "/dev/null",
            "/dev",
            "/nowhere/at/all",
            "relative",
        ] {
            let path = Utf8Path::new(text);
            assert_eq!(canonicals.of(path), host.canonical(path), "{text}");
        }
    }
}
