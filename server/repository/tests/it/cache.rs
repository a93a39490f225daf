//! What is kept is never older than what is on disk.

use countersign_repository::Repositories;

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
