//! One folder of a commit, as git writes it.

use crate::error::{RepositoryError, Result};
use crate::id::ObjectId;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A regular file.
    File,
    /// A regular file that may be run.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
    /// A folder.
    Folder,
    /// Another repository; its name is a commit of that one.
    Submodule,
}

impl Mode {
    fn from_octal(mode: &[u8]) -> Option<Self> {
        match mode {
            b"100644" | b"100664" => Some(Self::File),
            b"100755" => Some(Self::Executable),
            b"120000" => Some(Self::Link),
            b"40000" | b"040000" => Some(Self::Folder),
            b"160000" => Some(Self::Submodule),
            _ => None,
        }
    }
}

/// The entries of one folder, ordered by name.
#[derive(Debug, Default)]
pub(crate) struct TreeData {
    pub(crate) entries: Vec<(Box<str>, Mode, ObjectId)>,
    /// Whether there are names that are not UTF-8, which nobody can ask for.
    pub(crate) has_other_names: bool,
}

impl TreeData {
    pub(crate) fn parse(content: &[u8], most: usize) -> Result<Self> {
        let damaged = || RepositoryError::damaged("a tree is not as git writes it");
        let mut data = Self::default();
        let mut rest = content;
        while !rest.is_empty() {
            let end = rest
                .iter()
                .position(|byte| *byte == 0)
                .ok_or_else(damaged)?;
            let (head, after) = rest.split_at_checked(end).ok_or_else(damaged)?;
            let space = head
                .iter()
                .position(|byte| *byte == b' ')
                .ok_or_else(damaged)?;
            let (mode, name) = head.split_at_checked(space).ok_or_else(damaged)?;
            let mode = Mode::from_octal(mode).ok_or_else(damaged)?;
            let (id, after) = after
                .split_first()
                .and_then(|(_, after)| after.split_first_chunk::<20>())
                .ok_or_else(damaged)?;
            rest = after;
            let Some((_, name)) = name.split_first() else {
                return Err(damaged());
            };
            match std::str::from_utf8(name) {
                Ok(name) if is_name(name) => {
                    data.entries
                        .push((name.into(), mode, ObjectId::from_bytes(*id)));
                }
                Ok(_) => return Err(damaged()),
                Err(_) => data.has_other_names = true,
            }
            if data.entries.len() > most {
                return Err(RepositoryError::too_large("a tree", most as u64));
            }
        }
        data.entries.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
        // Two answers to one question are none.
        let is_twice = data.entries.windows(2).any(|pair| match pair {
            [(a, ..), (b, ..)] => a == b,
            _ => false,
        });
        if is_twice {
            return Err(damaged());
        }
        Ok(data)
    }

    pub(crate) fn get(&self, name: &str) -> Option<(Mode, ObjectId)> {
        let at = self
            .entries
            .binary_search_by(|(entry, ..)| (**entry).cmp(name))
            .ok()?;
        self.entries.get(at).map(|(_, mode, id)| (*mode, *id))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('/')
        && !matches!(name, "." | "..")
        && !name.eq_ignore_ascii_case(".git")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(mode: &str, name: &[u8]) -> Vec<u8> {
        let mut out = mode.as_bytes().to_vec();
        out.push(b' ');
        out.extend(name);
        out.push(0);
        out.extend([7; 20]);
        out
    }

    #[test]
    fn entries_are_found_by_name() {
        let mut content = entry("100644", b"b");
        content.extend(entry("40000", b"a"));
        content.extend(entry("100755", b"\xff"));
        let data = TreeData::parse(&content, 9).unwrap();
        let id = ObjectId::from_bytes([7; 20]);
        assert_eq!(data.get("a"), Some((Mode::Folder, id)));
        assert_eq!(data.get("b"), Some((Mode::File, id)));
        assert_eq!(data.get("c"), None);
        assert!(data.has_other_names);
    }

    #[test]
    fn trees_that_git_would_not_write_are_refused() {
        for (mode, name) in [
            ("100644", &b""[..]),
            ("100644", b".."),
            ("100644", b".git"),
            ("40000", b".GIT"),
            ("100644", b"a/b"),
            ("100600", b"a"),
            ("", b"a"),
        ] {
            assert!(TreeData::parse(&entry(mode, name), 9).is_err());
        }
        let mut twice = entry("100644", b"a");
        twice.extend(entry("40000", b"a"));
        assert!(TreeData::parse(&twice, 9).is_err());
        assert!(TreeData::parse(&entry("100644", b"a")[..10], 9).is_err());
        let mut many = entry("100644", b"a");
        many.extend(entry("100644", b"b"));
        assert!(TreeData::parse(&many, 1).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = TreeData::parse(&content, 3);
        }
    }
}
