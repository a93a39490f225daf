use std::fs;

use super::*;

/// A workspace in a folder for temporary files, and a home elsewhere.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// With a repository as `git init` makes it.
    fn new() -> Self {
        let place = Self::bare();
        place.repository(".", "");
        place
    }

    fn bare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path())
            .unwrap()
            .canonicalize_utf8()
            .unwrap()
            .join("ws")
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn repository(&self, at: &str, settings: &str) {
        self.write(&format!("{at}/.git/HEAD"), "ref: refs/heads/main\n");
        let usual = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n";
        self.write(&format!("{at}/.git/config"), format!("{usual}{settings}"));
    }

    fn look(&self, folder: &str) -> Repository {
        let root = self.root();
        repository(
            &root.join(folder),
            std::slice::from_ref(&root),
            Utf8Path::new("/home/nobody-here"),
        )
    }

    fn problem(&self, folder: &str) -> String {
        self.look(folder).problem.unwrap_or_default()
    }
}

#[test]
fn a_usual_repository_runs_nothing() {
    let place = Place::new();
    place.write(".git/hooks/pre-commit.sample", "");
    place.write("src/a", "");
    for folder in ["", "src", "not/there"] {
        let found = place.look(folder);
        assert_eq!(found.problem, None, "{folder}");
        assert_eq!(found.hooks, Vec::<String>::new());
    }
}

#[test]
fn a_workspace_without_repository_or_that_does_not_exist_is_an_empty_one() {
    let place = Place::bare();
    assert_eq!(place.problem(""), "");
    place.write("a", "");
    assert_eq!(place.problem(""), "");
}

#[test]
fn settings_that_run_or_are_not_known_are_named() {
    for (settings, named) in [
        ("[core]\nfsmonitor = ./x", "core.fsmonitor"),
        ("[core]\nworktree = ../x", "core.worktree"),
        ("[diff \"a\"]\ntextconv = x", "diff.a.textconv"),
        ("[filter \"a\"]\nclean = x", "filter.a.clean"),
        ("[include]\npath = ../x", "include.path"),
        ("[surprise]\nnew = x", "surprise.new"),
        ("[a.b]\nc = d", "line 4 is not understood"),
        ("[core]\nhooksPath = /opt/hooks", "core.hooksPath"),
    ] {
        let place = Place::new();
        place.repository(".", settings);
        let problem = place.problem("");
        assert!(problem.contains(named), "{settings}: {problem}");
    }
    let place = Place::new();
    place.write(".git/config.worktree", "[core]\npager = x");
    assert!(place.problem("").contains("core.pager"));
}

#[test]
fn hooks_are_found_where_the_settings_say() {
    let place = Place::new();
    place.write(".git/hooks/pre-commit", "");
    assert_eq!(place.look("").hooks, ["pre-commit"]);
    let place = Place::new();
    place.repository(".", "[core]\nhooksPath = .husky/_");
    place.write(".husky/_/commit-msg", "");
    let found = place.look("");
    assert_eq!(found.problem, None);
    assert_eq!(found.hooks, ["commit-msg"]);
    assert!(found.hooks_folders.contains(&place.root().join(".husky/_")));
}

#[test]
fn another_repository_than_the_workspaces_is_not_proven() {
    let place = Place::new();
    place.repository("vendor/x", "");
    assert_eq!(place.problem(""), "");
    assert!(place.problem("vendor/x").contains("another repository"));
    assert!(place.problem("vendor/x/src").contains("another repository"));
    assert!(place.problem("/etc").contains("outside the workspace"));
    for (name, content) in [
        ("HEAD", "ref: refs/heads/x"),
        ("objects/x", ""),
        ("refs/x", ""),
    ] {
        place.write(&format!("fake/{name}"), content);
    }
    assert!(place.problem("fake").contains("takes for a repository"));
}

#[test]
fn a_git_folder_that_is_unusual_is_not_proven() {
    let place = Place::bare();
    place.write("elsewhere/HEAD", "");
    std::os::unix::fs::symlink("elsewhere", place.root().join(".git")).unwrap();
    assert!(place.problem("").contains("is a link"));
    for (file, content) in [
        (".git", "gitdir: ../x"),
        (".git", "gitdir: elsewhere"),
        (".git", "surprise"),
        (".git/x", ""),
    ] {
        let place = Place::bare();
        place.write("elsewhere/HEAD", "");
        place.write(file, content);
        assert!(!place.problem("").is_empty(), "{file}: {content}");
    }
    let place = Place::new();
    place.write(".git/commondir", "../x");
    assert!(place.problem("").contains("elsewhere"));
    let place = Place::new();
    place.write(".git/config", [b'#'; 300_000]);
    assert!(place.problem("").contains("too long"));
    let place = Place::new();
    fs::remove_file(place.root().join(".git/config")).unwrap();
    std::os::unix::fs::symlink("../x", place.root().join(".git/config")).unwrap();
    assert!(place.problem("").contains("no regular file"));
}

#[test]
fn a_further_work_tree_is_known_only_if_its_repository_knows_it() {
    let place = Place::bare();
    let root = place.root();
    let common = root.join("../main/.git");
    place.write("../main/.git/config", "[user]\nname = a\n");
    place.write("../main/.git/worktrees/ws/commondir", "../..\n");
    let back = |to: &str| place.write("../main/.git/worktrees/ws/gitdir", format!("{to}\n"));
    place.write(".git", format!("gitdir: {common}/worktrees/ws\n"));
    back(root.join(".git").as_str());
    assert_eq!(place.problem(""), "");
    place.write("../main/.git/hooks/pre-commit", "");
    assert_eq!(place.look("").hooks, ["pre-commit"]);
    back("/elsewhere/.git");
    assert!(place.problem("").contains("does not know of it"));
    back(root.join(".git").as_str());
    place.write("../main/.git/config", "[core]\nfsmonitor = x\n");
    assert!(place.problem("").contains("core.fsmonitor"));
}

#[test]
fn repositories_inside_are_looked_at_too() {
    let index = |name: &str| {
        let mut bytes = b"DIRC\0\0\0\x02\0\0\0\x01".to_vec();
        bytes.extend([0; 24]);
        bytes.extend(0o160_000_u32.to_be_bytes());
        bytes.extend([0; 33]);
        bytes.push(u8::try_from(name.len()).unwrap());
        bytes.extend(name.as_bytes());
        bytes.resize(12 + (62 + name.len() + 8) / 8 * 8, 0);
        bytes.extend([0; 20]);
        bytes
    };
    let place = Place::new();
    place.write(".git/index", index("lib"));
    assert_eq!(place.problem(""), "", "not filled");
    place.write("lib/.git", "gitdir: ../.git/modules/lib\n");
    place.write(
        ".git/modules/lib/config",
        "[core]\nworktree = ../../../lib\n",
    );
    assert_eq!(place.problem(""), "");
    place.write(".git/modules/lib/config", "[core]\nfsmonitor = ./x\n");
    assert!(
        place
            .problem("")
            .contains("modules/lib/config sets core.fsmonitor")
    );
    place.write(".git/index", "surprise");
    assert!(place.problem("").contains("index is not understood"));
}

#[test]
fn the_users_settings_may_not_lie_where_agents_write() {
    let place = Place::new();
    place.write("../home/.gitconfig", "[core]\npager = x\n");
    let root = place.root();
    let home = root.parent().unwrap().join("home");
    let found = repository(&root, std::slice::from_ref(&root), &home);
    // This home is in a folder for temporary files.
    assert!(found.problem.unwrap().contains("where agents write"));
}
