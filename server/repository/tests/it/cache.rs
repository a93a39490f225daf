//! What is kept is never older than what is on disk.

use std::io::Write as _;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use countersign_repository::{FileHashes, Repositories};

use crate::support::{Sandbox, listed};

#[test]
fn every_change_is_seen_at_the_next_question() {
    let sandbox = Sandbox::new();
    let kept = Repositories::default();
    let found = || {
        kept.discover(&sandbox.root, &sandbox.home)
            .unwrap()
            .unwrap()
    };
    assert_eq!(found().head().unwrap(), None);
    sandbox.write("a", "1");
    for _ in 0..3 {
        let commit = sandbox.commit();
        assert_eq!(found().head().unwrap(), Some(commit));
        sandbox.git(&["pack-refs", "--all"]);
        assert_eq!(found().head().unwrap(), Some(commit));
        sandbox.git(&["gc", "--quiet", "--prune=now"]);
        let tree = found().tree(commit).unwrap();
        assert_eq!(listed(&tree).len(), 1);
    }
    sandbox.git(&["config", "core.bare", "true"]);
    assert!(kept.discover(&sandbox.root, &sandbox.home).is_err());
    sandbox.git(&["config", "core.bare", "false"]);
    assert!(found().is_plain());
    let inner = sandbox.root.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let from_inner = || kept.discover(&inner, &sandbox.home).unwrap().unwrap();
    assert_eq!(from_inner().root(), sandbox.root);
    sandbox.git(&["init", "--quiet", "inner"]);
    assert_eq!(from_inner().root(), inner);
}

#[test]
fn another_repository_in_the_same_place_is_seen() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let kept = Repositories::default();
    let found = || {
        kept.discover(&sandbox.root, &sandbox.home)
            .unwrap()
            .unwrap()
    };
    let first = found().head().unwrap().unwrap();
    std::fs::rename(sandbox.root.join(".git"), sandbox.home.join("old")).unwrap();
    sandbox.git(&["init", "--quiet", "--initial-branch=main"]);
    sandbox.write("b", "2");
    let second = sandbox.commit();
    assert_eq!(found().head().unwrap(), Some(second));
    assert_ne!(first, second);
}

#[test]
fn trees_that_were_read_stay_known_when_their_objects_go() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let repository = sandbox.repository();
    let head = repository.head().unwrap().unwrap();
    let before = listed(&repository.tree(head).unwrap());
    std::fs::remove_dir_all(sandbox.root.join(".git/objects")).unwrap();
    assert_eq!(listed(&repository.tree(head).unwrap()), before);
}

#[test]
fn more_repositories_than_are_kept_are_found_all_the_same() {
    let sandbox = Sandbox::bare();
    let kept = Repositories::default();
    for round in 0..2 {
        for number in 0..20 {
            let root = sandbox.root.join(format!("r{number}"));
            if round == 0 {
                std::fs::create_dir_all(root.join(".git/objects")).unwrap();
                std::fs::create_dir_all(root.join(".git/refs")).unwrap();
                std::fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
            }
            let found = kept.discover(&root, &sandbox.home).unwrap().unwrap();
            assert_eq!(found.root(), root);
            assert_eq!(found.head().unwrap(), None);
        }
    }
}

/// Writes without a new file, as fast as can be, so that the times may stay the
/// same.
fn overwrite(path: &Utf8Path, text: &str) {
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn two_writes_in_the_same_moment_are_told_apart() {
    let sandbox = Sandbox::with(&[("a", "0")]);
    let kept = Repositories::default();
    let hashes = FileHashes::default();
    let main = sandbox.root.join(".git/refs/heads/main");
    let config = sandbox.root.join(".git/config");
    sandbox.write("b", "00");
    sandbox.write(".git/config", "[core]\n\tbare = \"0\"\n");
    for number in 0..60 {
        let digit = number % 2;
        let commit = digit.to_string().repeat(40);
        overwrite(&main, &commit);
        overwrite(&config, &format!("[core]\n\tbare = \"{digit}\"\n"));
        overwrite(&sandbox.root.join("b"), &format!("{digit}{digit}"));
        let id = hashes.blob_id_of_file(&sandbox.root.join("b")).unwrap();
        let expected = if digit == 0 { "857f065e" } else { "9d607966" };
        assert!(id.unwrap().to_string().starts_with(expected), "{id:?}");
        let found = kept.discover(&sandbox.root, &sandbox.home);
        assert_eq!(found.is_err(), digit == 1);
        overwrite(&config, "[core]\n\tbare = \"0\"\n");
        let found = kept
            .discover(&sandbox.root, &sandbox.home)
            .unwrap()
            .unwrap();
        assert_eq!(found.head().unwrap().unwrap().to_string(), commit);
        overwrite(&main, &"7".repeat(40));
        let head = found.head().unwrap().unwrap();
        assert_eq!(head.to_string(), "7".repeat(40));
    }
}

#[test]
fn a_repository_that_rests_is_kept_until_it_changes() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let linked = sandbox.home.join("linked");
    sandbox.git(&["worktree", "add", "--quiet", "-b", "side", linked.as_str()]);
    let kept = Repositories::default();
    let objects = sandbox.root.join(".git/objects");
    let away = sandbox.home.join("away");
    // Only one that was kept knows its trees without their objects.
    let knows = |root: &Utf8Path| {
        let found = kept.discover(root, &sandbox.home).unwrap().unwrap();
        let tree = found.tree(found.head().unwrap().unwrap()).unwrap();
        assert_eq!(listed(&tree).len(), 1);
        std::fs::rename(&objects, &away).unwrap();
        std::fs::create_dir(&objects).unwrap();
        let found = kept.discover(root, &sandbox.home).unwrap().unwrap();
        let head = found.head().unwrap().unwrap();
        let knows = found.tree(head).and_then(|tree| tree.blob("a".into()));
        std::fs::remove_dir(&objects).unwrap();
        std::fs::rename(&away, &objects).unwrap();
        knows.is_ok()
    };
    // One that was written just now is not, as a second write might not show.
    let config = std::fs::read_to_string(sandbox.root.join(".git/config")).unwrap();
    assert!((0..20).any(|_| {
        sandbox.write(".git/config", &config);
        !knows(&sandbox.root)
    }));
    let end = Instant::now() + Duration::from_secs(30);
    while !(knows(&sandbox.root) && knows(&linked)) {
        assert!(Instant::now() < end, "nothing is kept");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::write(linked.join(".git"), "gitdir: /nonexistent\n").unwrap();
    assert!(kept.discover(&linked, &sandbox.home).is_err());
    sandbox.git(&["config", "extensions.somethingNew", "true"]);
    assert!(kept.discover(&sandbox.root, &sandbox.home).is_err());
}
