//! A folder with a repository that plain git made, away from everybody's
//! configuration.

use std::io::Write as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_repository::{CommitId, ObjectId, Repository, RepositoryError, Tree};
use tempfile::TempDir;

const DATE: &str = "2026-01-01T00:00:00Z";

pub(crate) struct Sandbox {
    _folder: TempDir,
    /// A home in which nothing is configured.
    pub(crate) home: Utf8PathBuf,
    /// The work tree.
    pub(crate) root: Utf8PathBuf,
}

impl Sandbox {
    /// Without a repository.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(folder.path())
            .unwrap()
            .canonicalize_utf8()
            .unwrap();
        let root = home.join("project");
        std::fs::create_dir(&root).unwrap();
        Self {
            _folder: folder,
            home,
            root,
        }
    }

    pub(crate) fn new() -> Self {
        let sandbox = Self::bare();
        sandbox.git(&["init", "--quiet", "--initial-branch=main"]);
        sandbox
    }

    /// With these files in one commit.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox.commit();
        sandbox
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // git's own files are read-only.
        let _ = std::fs::remove_file(&path);
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self) -> CommitId {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=x"]);
        CommitId::from_hex(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.root, arguments)
    }

    pub(crate) fn git_in(&self, folder: &Utf8Path, arguments: &[&str]) -> String {
        let output = self.command(folder).args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn command(&self, folder: &Utf8Path) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(folder)
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            // Objects have the same names in every run.
            .env("GIT_AUTHOR_DATE", DATE)
            .env("GIT_COMMITTER_DATE", DATE);
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_CONFIG_GLOBAL",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn discover(&self) -> Result<Option<Repository>, RepositoryError> {
        Repository::discover(&self.root, &self.home)
    }

    pub(crate) fn repository(&self) -> Repository {
        self.discover().unwrap().unwrap()
    }

    pub(crate) fn tree(&self) -> Tree {
        let repository = self.repository();
        let head = repository.head().unwrap().unwrap();
        repository.tree(head).unwrap()
    }

    /// Where a loose object lies, relative to the root.
    pub(crate) fn object(&self, name: &str) -> String {
        let id = self.git(&["rev-parse", name]);
        format!(".git/objects/{}/{}", &id[..2], &id[2..])
    }

    /// Writes an object as somebody would who knows the format but not git.
    pub(crate) fn loose(&self, kind: &str, content: &[u8]) -> ObjectId {
        let mut whole = format!("{kind} {}\0", content.len()).into_bytes();
        whole.extend(content);
        let id = ObjectId::from_bytes(sha1dc::digest(&whole).unwrap().into());
        let name = id.to_string();
        self.write(
            &format!(".git/objects/{}/{}", &name[..2], &name[2..]),
            deflated(&whole),
        );
        id
    }
}

pub(crate) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// All files of a tree as `git ls-tree -r` prints them, sorted.
pub(crate) fn listed(tree: &Tree) -> Vec<String> {
    let mut lines: Vec<String> = tree
        .entries_below("".into())
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry.id, entry.path))
        .collect();
    lines.sort();
    lines
}

/// What git itself lists.
pub(crate) fn listed_by_git(sandbox: &Sandbox, folder: &Utf8Path) -> Vec<String> {
    let text = sandbox.git_in(folder, &["ls-tree", "-r", "-z", "HEAD"]);
    let mut lines: Vec<String> = text
        .split('\0')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (head, path) = line.split_once('\t').unwrap();
            format!("{} {path}", head.split(' ').nth(2).unwrap())
        })
        .collect();
    lines.sort();
    lines
}
