//! Which commit HEAD is.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{RepositoryError, Result};
use crate::files::RegularFile;
use crate::id::CommitId;
use crate::stamp::Stamp;

/// The largest file of one ref, in bytes.
const LARGEST_REF: u64 = 4 * 1024;
/// The largest `packed-refs`, in bytes.
const LARGEST_PACKED: u64 = 32 * 1024 * 1024;
/// How many refs may name one another, as in git.
const MOST_STEPS: usize = 5;
/// The longest name of a ref.
const LONGEST_NAME: usize = 1_024;

/// What HEAD was, and the files that said so.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) commit: Option<CommitId>,
    seen: Vec<(Utf8PathBuf, Option<Stamp>)>,
    /// Whether a later write would show.
    pub(crate) is_settled: bool,
}

impl Head {
    /// Whether nothing has been written since.
    pub(crate) fn is_current(&self) -> bool {
        self.seen
            .iter()
            .all(|(path, stamp)| Stamp::at(path) == *stamp)
    }

    /// Follows HEAD.
    pub(crate) fn read(git_dir: &Utf8Path, common_dir: &Utf8Path) -> Result<Self> {
        let mut head = Self {
            commit: None,
            seen: Vec::new(),
            is_settled: true,
        };
        let mut name = "HEAD".to_owned();
        for _ in 0..=MOST_STEPS {
            let path = if is_of_work_tree(&name) {
                git_dir.join(&name)
            } else {
                common_dir.join(&name)
            };
            let Some(text) = head.text(path, LARGEST_REF)? else {
                if name == "HEAD" {
                    return Err(RepositoryError::damaged(format!("{git_dir} has no HEAD")));
                }
                head.commit = head.packed(common_dir, &name)?;
                return Ok(head);
            };
            let text = text.trim_end_matches(['\n', '\r', ' ', '\t']);
            let Some(target) = text.strip_prefix("ref:") else {
                let commit = text.get(..40).filter(|_| {
                    // git lets anything follow after a blank.
                    text.get(40..)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n']))
                });
                let commit = commit.and_then(CommitId::from_hex);
                head.commit = Some(commit.ok_or_else(|| {
                    RepositoryError::damaged(format!("the ref {name} names no commit"))
                })?);
                return Ok(head);
            };
            target.trim_start().clone_into(&mut name);
            if !is_name(&name) {
                return Err(RepositoryError::damaged(
                    "a ref names something that is not a ref",
                ));
            }
        }
        Err(RepositoryError::damaged(
            "refs name one another in a circle",
        ))
    }

    fn text(&mut self, path: Utf8PathBuf, most: u64) -> Result<Option<String>> {
        let Some(file) = RegularFile::open(&path)? else {
            // A folder may stand there; a file in its place has another stamp.
            let stamp = Stamp::at(&path);
            self.is_settled &= stamp.is_none_or(|stamp| stamp.is_settled());
            self.seen.push((path, stamp));
            return Ok(None);
        };
        self.is_settled &= file.stamp.is_settled();
        self.seen.push((path, Some(file.stamp)));
        file.text(most).map(Some)
    }

    fn packed(&mut self, common_dir: &Utf8Path, name: &str) -> Result<Option<CommitId>> {
        let Some(text) = self.text(common_dir.join("packed-refs"), LARGEST_PACKED)? else {
            return Ok(None);
        };
        for line in text.lines() {
            // `#` begins the header, `^` what the tag above it names.
            if line.starts_with(['#', '^']) {
                continue;
            }
            if let Some((id, of)) = line.split_once(' ')
                && of == name
            {
                let commit = CommitId::from_hex(id);
                return commit.map(Some).ok_or_else(|| {
                    RepositoryError::damaged(format!("packed-refs names no commit for {name}"))
                });
            }
        }
        Ok(None)
    }
}

/// Whether each work tree has a ref of its own under this name.
fn is_of_work_tree(name: &str) -> bool {
    name == "HEAD"
        || ["refs/bisect/", "refs/worktree/", "refs/rewritten/"]
            .iter()
            .any(|own| name.starts_with(own))
}

/// Whether it may be the name of a ref, by git's rules: so it cannot lead out
/// of the folder `refs`.
fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with("refs/")
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains(|part: char| part.is_ascii_control() || " ~^:?*[\\".contains(part))
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.ends_with(".lock")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_just_now_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let folder = folder.canonicalize_utf8().unwrap();
        // A machine may be slow, but not each time.
        assert!((0..20).any(|_| {
            std::fs::write(folder.join("HEAD"), "1".repeat(40)).unwrap();
            !Head::read(&folder, &folder).unwrap().is_settled
        }));
    }

    #[test]
    fn only_names_of_refs_are_followed() {
        assert!(is_name("refs/heads/main"));
        assert!(is_name("refs/heads/feature/ü-1"));
        for name in [
            "refs/",
            "config",
            "refs/../config",
            "refs//x",
            "/refs/heads/x",
            "refs/heads/.x",
            "refs/heads/x.lock",
            "refs/heads/x\n",
            "refs/heads/a b",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
