//! What lies below a folder that a call would read as a whole, as far as rules
//! speak of it: so that a rule about one file does not stop every search.

use std::collections::VecDeque;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::Host;

/// Entries that are looked at. Beyond, the folder counts as not known.
const MOST_ENTRIES: usize = 50_000;

/// Entries of interest that are kept.
const MOST_FOUND: usize = 256;

/// Trees that are not looked into: other programs fill them, they are huge,
/// and copying a file into one is a read of that file first. The folder itself
/// is an entry like any other.
const NOT_LOOKED_INTO: &[&str] = &[".git", "node_modules", "target", ".venv", "__pycache__"];

/// What was found below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Below {
    /// The entries of interest.
    pub found: Vec<Utf8PathBuf>,
    /// Whether everything was looked at.
    pub complete: bool,
}

impl Host {
    /// Looks for entries below a canonical folder, breadth first, without
    /// following links and without opening files.
    #[must_use]
    pub fn below(&self, root: &Utf8Path, of_interest: &dyn Fn(&Utf8Path) -> bool) -> Below {
        let mut below = Below {
            found: Vec::new(),
            complete: true,
        };
        let mut folders = VecDeque::from([root.to_owned()]);
        let mut left = MOST_ENTRIES;
        while let Some(folder) = folders.pop_front() {
            let Ok(entries) = fs::read_dir(&folder) else {
                // Perhaps the call can read it all the same, a moment later.
                below.complete = false;
                continue;
            };
            for entry in entries {
                if left == 0 || below.found.len() >= MOST_FOUND {
                    below.complete = false;
                    return below;
                }
                left -= 1;
                let Some((path, kind)) = entry.ok().and_then(|entry| {
                    let path = Utf8PathBuf::from_path_buf(entry.path()).ok()?;
                    Some((path, entry.file_type().ok()?))
                }) else {
                    below.complete = false;
                    continue;
                };
                if of_interest(&path) {
                    below.found.push(path.clone());
                }
                if kind.is_symlink() {
                    self.look_through(&path, root, of_interest, &mut below);
                } else if kind.is_dir() && !is_skipped(&path) {
                    folders.push_back(path);
                }
            }
        }
        below
    }

    /// A link may be followed by the call: what it leads to counts, and a
    /// folder outside is not known.
    fn look_through(
        &self,
        link: &Utf8Path,
        root: &Utf8Path,
        of_interest: &dyn Fn(&Utf8Path) -> bool,
        below: &mut Below,
    ) {
        let Some(target) = self.canonical(link) else {
            return;
        };
        if of_interest(&target) {
            below.found.push(target.clone());
        }
        if !target.starts_with(root) && fs::metadata(&target).is_ok_and(|target| target.is_dir()) {
            below.complete = false;
        }
    }
}

fn is_skipped(path: &Utf8Path) -> bool {
    path.file_name()
        .is_some_and(|name| NOT_LOOKED_INTO.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        (folder, root)
    }

    fn is_env(path: &Utf8Path) -> bool {
        path.file_name() == Some(".env")
    }

    #[test]
    fn finds_what_is_of_interest_at_any_depth() {
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/.env"), "").unwrap();
        fs::write(root.join("a/x"), "").unwrap();
        let below = Host::default().below(&root, &is_env);
        assert_eq!(below.found, [root.join("a/b/.env")]);
        assert!(below.complete);
        let nothing = Host::default().below(&root, &|_| false);
        assert!(nothing.found.is_empty() && nothing.complete);
    }

    #[test]
    fn a_link_counts_as_what_it_leads_to() {
        let (_folder, root) = folder();
        let (_other, outside) = folder();
        fs::write(outside.join(".env"), "").unwrap();
        symlink(outside.join(".env"), root.join("notes.txt")).unwrap();
        let below = Host::default().below(&root, &is_env);
        assert_eq!(below.found, [outside.join(".env")]);
        assert!(below.complete);
        symlink(&outside, root.join("more")).unwrap();
        assert!(!Host::default().below(&root, &|_| false).complete);
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let (_folder, root) = folder();
        assert!(
            !Host::default()
                .below(&root.join("missing"), &is_env)
                .complete
        );
    }

    #[test]
    fn huge_trees_of_others_are_not_looked_into() {
        let (_folder, root) = folder();
        fs::create_dir_all(root.join("node_modules/x")).unwrap();
        fs::write(root.join("node_modules/x/.env"), "").unwrap();
        let below = Host::default().below(&root, &|path| {
            is_env(path) || path.file_name() == Some("node_modules")
        });
        assert_eq!(below.found, [root.join("node_modules")]);
        assert!(below.complete);
    }
}
