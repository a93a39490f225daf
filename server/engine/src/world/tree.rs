//! What is at and below a folder, as a command that is given all of it would
//! find it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_shell::Tree;

/// Most names that are looked at.
const MOST_NAMES: usize = 5_000;

/// Looks at all that is at and below a path, without following links; `None` if
/// it is too much, or a folder cannot be read. What is not there is no tree.
pub(super) fn look(path: &Utf8Path) -> Option<Tree> {
    let mut tree = Tree {
        links_lead_out: false,
        has_odd_names: false,
    };
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Some(tree);
    };
    if metadata.is_symlink() {
        tree.links_lead_out = true;
        return Some(tree);
    }
    let root = path.canonicalize_utf8().ok()?;
    let mut left = MOST_NAMES;
    let mut folders: Vec<Utf8PathBuf> = Vec::new();
    if metadata.is_dir() {
        folders.push(root.clone());
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).ok()? {
            left = left.checked_sub(1)?;
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            tree.has_odd_names |= is_odd(&name);
            let kind = entry.file_type().ok()?;
            let path = folder.join(name);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() {
                // One that leads nowhere may lead somewhere by then.
                let stays = path
                    .canonicalize_utf8()
                    .is_ok_and(|target| target.starts_with(&root));
                tree.links_lead_out |= !stays;
            }
        }
    }
    Some(tree)
}

/// Whether a name becomes other words, or none, where blanks split it, quotes
/// are read and patterns act, or may be taken for an option.
fn is_odd(name: &str) -> bool {
    let acts = |next: char| {
        next.is_whitespace()
            || next.is_control()
            || matches!(next, '\'' | '"' | '\\' | '*' | '?' | '[')
    };
    name.starts_with(['-', '+', '@']) || name.contains(acts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        fs::create_dir(path.join("src")).unwrap();
        fs::write(path.join("src/a.txt"), "").unwrap();
        (folder, path)
    }

    #[test]
    fn plain_files_are_a_plain_tree() {
        let (_folder, path) = folder();
        let tree = look(&path).unwrap();
        assert!(!tree.links_lead_out && !tree.has_odd_names);
        let missing = look(&path.join("missing")).unwrap();
        assert!(!missing.links_lead_out && !missing.has_odd_names);
    }

    #[cfg(unix)]
    #[test]
    fn names_with_blanks_and_quotes_are_odd() {
        for name in [
            "a b", "a\nb", "it's", "a\"b", "a\\b", "a\tb", "-x", "@x", "a*",
        ] {
            let (_folder, path) = folder();
            fs::write(path.join("src").join(name), "").unwrap();
            assert!(look(&path).unwrap().has_odd_names, "{name:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_out_unless_they_stay_inside() {
        use std::os::unix::fs::symlink;
        let (_folder, path) = folder();
        symlink("a.txt", path.join("src/inside")).unwrap();
        assert!(!look(&path).unwrap().links_lead_out);
        assert!(!look(&path.join("src")).unwrap().links_lead_out);
        symlink("../..", path.join("src/up")).unwrap();
        assert!(look(&path).unwrap().links_lead_out);
        let (_folder, path) = folder();
        symlink("/nowhere/at/all", path.join("src/broken")).unwrap();
        assert!(look(&path).unwrap().links_lead_out);
        assert!(look(&path.join("src/broken")).unwrap().links_lead_out);
    }
}
