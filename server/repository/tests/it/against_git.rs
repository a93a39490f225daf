//! The same answers as git, however git keeps its objects and refs.

use countersign_repository::{BlobId, Layout, Mode, Repository};

use crate::support::{Sandbox, listed, listed_by_git};

/// Files that resemble one another, so that packs hold deltas, in folders.
fn many() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut random = fastrand::Rng::with_seed(1);
    let base: Vec<String> = (0..300).map(|_| random.u64(..).to_string()).collect();
    for round in 0..4 {
        for number in 0..60 {
            let mut lines = base.clone();
            lines.insert(number, format!("round {round} file {number}"));
            lines.truncate(100 + number);
            sandbox.write(
                &format!("d{}/e{}/f{number}", number % 5, number % 3),
                lines.join("\n"),
            );
        }
        sandbox.write("ü/äöü.txt", format!("{round}"));
        sandbox.commit();
    }
    sandbox
}

#[test]
fn loose_and_packed_objects_are_read_the_same() {
    let sandbox = many();
    let expected = listed_by_git(&sandbox, &sandbox.root);
    assert!(expected.len() > 60);
    assert_eq!(listed(&sandbox.tree()), expected);
    for offsets in ["true", "false"] {
        sandbox.git(&[
            "-c",
            &format!("repack.useDeltaBaseOffset={offsets}"),
            "repack",
            "-adfq",
            "--depth=50",
        ]);
        let verbose = sandbox.git(&["count-objects", "-v"]);
        assert!(verbose.contains("\ncount: 0\n") || verbose.starts_with("count: 0\n"));
        let tree = sandbox.tree();
        assert_eq!(listed(&tree), expected);
        for line in &expected {
            let (id, path) = line.split_once(' ').unwrap();
            let (blob, mode) = tree.blob(path.into()).unwrap().unwrap();
            assert_eq!((blob.to_string().as_str(), mode), (id, Mode::File));
            // Deltas are applied to blobs, too; each is verified.
            let content = sandbox.repository().blob(blob).unwrap();
            assert_eq!(content, std::fs::read(sandbox.root.join(path)).unwrap());
        }
    }
}

#[test]
fn every_kind_of_entry_is_known() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "x");
    sandbox.write("folder/tool", "x");
    sandbox.git(&["init", "--quiet", "module"]);
    sandbox.git_in(
        &sandbox.root.join("module"),
        &["commit", "--quiet", "--allow-empty", "-mx"],
    );
    std::os::unix::fs::symlink("file", sandbox.root.join("link")).unwrap();
    sandbox.git(&["add", "."]);
    sandbox.git(&["update-index", "--chmod=+x", "folder/tool"]);
    sandbox.git(&["commit", "--quiet", "-mx"]);
    let tree = sandbox.tree();
    let mode = |path: &str| tree.mode(path.into()).unwrap();
    assert_eq!(mode("file"), Some(Mode::File));
    assert_eq!(mode("folder"), Some(Mode::Folder));
    assert_eq!(mode("folder/tool"), Some(Mode::Executable));
    assert_eq!(mode("link"), Some(Mode::Link));
    assert_eq!(mode("module"), Some(Mode::Submodule));
    assert_eq!(mode("module/x"), None);
    assert_eq!(mode("link/x"), None);
    assert_eq!(mode("file/x"), None);
    assert_eq!(mode("folder/../file"), None);
    assert_eq!(mode("/file"), None);
    assert_eq!(tree.blob("folder".into()).unwrap(), None);
    assert_eq!(tree.blob("module".into()).unwrap(), None);
    let below = tree.entries_below("folder".into()).unwrap();
    assert_eq!(below.len(), 1);
    assert!(tree.entries_below("none".into()).unwrap().is_empty());
    // What lies in the submodule is another repository.
    let inner = Repository::discover(&sandbox.root.join("module"), &sandbox.home)
        .unwrap()
        .unwrap();
    assert_eq!(inner.root(), sandbox.root.join("module"));
}

#[test]
fn head_is_followed_as_git_does() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.repository().head().unwrap(), None);
    assert!(listed(&sandbox.repository().empty_tree()).is_empty());
    sandbox.write("a", "1");
    let first = sandbox.commit();
    let head = || sandbox.repository().head().unwrap();
    assert_eq!(head(), Some(first));
    sandbox.git(&["pack-refs", "--all", "--prune"]);
    assert_eq!(head(), Some(first));
    sandbox.git(&["tag", "-a", "-m", "x", "v1"]);
    sandbox.git(&["pack-refs", "--all", "--prune"]);
    // A loose ref wins over a packed one.
    let second = sandbox.commit();
    assert_eq!(head(), Some(second));
    sandbox.git(&["switch", "--quiet", "--create", "feature/x"]);
    assert_eq!(head(), Some(second));
    sandbox.git(&["checkout", "--quiet", "--detach", "HEAD~1"]);
    assert_eq!(head(), Some(first));
    sandbox.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(head(), Some(second));
    sandbox.git(&["checkout", "--quiet", "--orphan", "new"]);
    assert_eq!(head(), None);
}

#[test]
fn a_linked_work_tree_reads_the_shared_objects() {
    let sandbox = many();
    let other = sandbox.home.join("other");
    sandbox.git(&["worktree", "add", "--quiet", "-b", "side", other.as_str()]);
    std::fs::write(other.join("new"), "x").unwrap();
    sandbox.git_in(&other, &["add", "new"]);
    sandbox.git_in(&other, &["commit", "--quiet", "-mx"]);
    let repository = Repository::discover(&other, &sandbox.home)
        .unwrap()
        .unwrap();
    assert_eq!(repository.root(), other);
    assert_eq!(repository.layout(), Layout::Linked);
    assert!(!repository.is_plain());
    assert_eq!(repository.common_dir(), sandbox.root.join(".git"));
    let head = repository.head().unwrap().unwrap();
    let tree = repository.tree(head).unwrap();
    assert_eq!(listed(&tree), listed_by_git(&sandbox, &other));
    assert!(sandbox.repository().is_plain());
    assert_ne!(sandbox.repository().head().unwrap(), Some(head));
}

#[test]
fn a_submodule_is_a_repository_that_lies_elsewhere() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let library = Sandbox::with(&[("b", "2")]);
    sandbox.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        library.root.as_str(),
        "lib",
    ]);
    let inner = Repository::discover(&sandbox.root.join("lib"), &sandbox.home)
        .unwrap()
        .unwrap();
    assert_eq!(inner.layout(), Layout::Elsewhere);
    assert_eq!(inner.root(), sandbox.root.join("lib"));
    let head = inner.head().unwrap().unwrap();
    assert_eq!(listed(&inner.tree(head).unwrap()).len(), 1);
}

#[test]
fn borrowed_objects_are_found() {
    let sandbox = many();
    let expected = listed_by_git(&sandbox, &sandbox.root);
    sandbox.git(&["repack", "-adq"]);
    for (from, to) in [("project", "one"), ("one", "two")] {
        sandbox.git_in(&sandbox.home, &["clone", "--quiet", "--shared", from, to]);
    }
    let two = Repository::discover(&sandbox.home.join("two"), &sandbox.home)
        .unwrap()
        .unwrap();
    let head = two.head().unwrap().unwrap();
    assert_eq!(listed(&two.tree(head).unwrap()), expected);
}

#[test]
fn a_shallow_clone_has_the_tree_of_its_commit_and_not_more() {
    let sandbox = many();
    let parent = sandbox.git(&["rev-parse", "HEAD~1"]);
    let from = format!("file://{}", sandbox.root);
    sandbox.git_in(
        &sandbox.home,
        &["clone", "--quiet", "--depth=1", &from, "c"],
    );
    let clone = Repository::discover(&sandbox.home.join("c"), &sandbox.home)
        .unwrap()
        .unwrap();
    let head = clone.head().unwrap().unwrap();
    assert_eq!(
        listed(&clone.tree(head).unwrap()),
        listed_by_git(&sandbox, &sandbox.root)
    );
    let parent = countersign_repository::CommitId::from_hex(&parent).unwrap();
    assert!(clone.tree(parent).is_err());
}

#[test]
fn objects_that_a_partial_clone_left_out_are_missing() {
    let sandbox = many();
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", sandbox.root);
    let arguments = [
        "clone",
        "--quiet",
        "--no-checkout",
        "--filter=blob:none",
        &from,
        "c",
    ];
    sandbox.git_in(&sandbox.home, &arguments);
    let clone = Repository::discover(&sandbox.home.join("c"), &sandbox.home)
        .unwrap()
        .unwrap();
    let head = clone.head().unwrap().unwrap();
    let tree = clone.tree(head).unwrap();
    let (blob, _): (BlobId, _) = tree.blob("d0/e0/f0".into()).unwrap().unwrap();
    assert!(clone.blob(blob).is_err());
    assert_eq!(sandbox.repository().blob(blob).unwrap().len(), {
        let file = sandbox.root.join("d0/e0/f0");
        std::fs::read(file).unwrap().len()
    });
}
