//! What an agent may write into the object store: none of it is believed, and
//! none of it crashes, hangs or bloats the reader.

use countersign_repository::{CommitId, Mode, ObjectId, Repository, RepositoryError};

use crate::support::{Sandbox, deflated, listed};

fn tree_entry(mode: &str, name: &str, id: ObjectId) -> Vec<u8> {
    let mut out = format!("{mode} {name}\0").into_bytes();
    out.extend(id.as_bytes());
    out
}

fn commit_of(sandbox: &Sandbox, tree: ObjectId) -> CommitId {
    let text = format!("tree {tree}\nauthor A <a> 0 +0000\ncommitter A <a> 0 +0000\n\nx\n");
    CommitId::new(sandbox.loose("commit", text.as_bytes()))
}

#[test]
fn an_object_under_another_ones_name_is_refused() {
    for name in ["HEAD", "HEAD^{tree}", "HEAD:folder"] {
        let sandbox = Sandbox::with(&[("folder/a", "good")]);
        let good = sandbox.object(name);
        sandbox.write("folder/a", "evil");
        sandbox.commit();
        let evil = std::fs::read(sandbox.root.join(sandbox.object(name))).unwrap();
        sandbox.git(&["checkout", "--quiet", "--detach", "HEAD~1"]);
        sandbox.write(&good, evil);
        let repository = sandbox.repository();
        let head = repository.head().unwrap().unwrap();
        let found = repository
            .tree(head)
            .and_then(|tree| tree.blob("folder/a".into()));
        assert!(
            matches!(found, Err(RepositoryError::Damaged { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_forged_copy_does_not_hide_the_real_one() {
    let sandbox = Sandbox::with(&[("a", "good")]);
    let loose = sandbox.object("HEAD^{tree}");
    let expected = listed(&sandbox.tree());
    sandbox.git(&["repack", "-adq"]);
    sandbox.write(&loose, deflated(b"tree 0\0"));
    sandbox.write(".git/objects/pack/pack-0.idx", "rubbish");
    assert_eq!(listed(&sandbox.tree()), expected);
}

#[test]
fn replace_refs_and_grafts_are_ignored() {
    let sandbox = Sandbox::with(&[("a", "good")]);
    let first = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.write("a", "evil");
    sandbox.commit();
    let evil = sandbox.git(&["rev-parse", "HEAD:a"]);
    sandbox.git(&["reset", "--quiet", "--hard", &first]);
    let good = sandbox.git(&["rev-parse", "HEAD:a"]);
    sandbox.git(&["replace", "HEAD", "ORIG_HEAD"]);
    sandbox.write(".git/info/grafts", format!("{first}\n"));
    // git itself is taken in.
    assert_eq!(sandbox.git(&["rev-parse", "HEAD:a"]), evil);
    let (blob, _) = sandbox.tree().blob("a".into()).unwrap().unwrap();
    assert_eq!(blob.to_string(), good);
}

#[test]
fn lies_about_sizes_are_refused() {
    for lie in [
        "tree 0\0",
        "tree 99999999999999999999\0",
        "tree 60000000000\0",
        "tree -1\0",
        "blob 5\0",
        "tree\0",
        "",
    ] {
        let sandbox = Sandbox::with(&[("a", "1")]);
        let mut content = lie.as_bytes().to_vec();
        content.extend([b'x'; 100]);
        sandbox.write(&sandbox.object("HEAD^{tree}"), deflated(&content));
        assert!(sandbox.tree().blob("a".into()).is_err(), "{lie}");
    }
}

#[test]
fn an_object_that_unpacks_to_gigabytes_is_given_up() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let mut bomb = b"tree 16777216\0".to_vec();
    bomb.resize(16 * 1024 * 1024 + 14, 0);
    sandbox.write(&sandbox.object("HEAD^{tree}"), deflated(&bomb));
    assert!(matches!(
        sandbox.tree().blob("a".into()),
        Err(RepositoryError::TooLarge { .. })
    ));
}

#[test]
fn special_files_and_links_in_the_store_are_not_opened() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let object = sandbox.root.join(sandbox.object("HEAD^{tree}"));
    let copy = sandbox.home.join("copy");
    std::fs::rename(&object, &copy).unwrap();
    std::os::unix::fs::symlink(&copy, &object).unwrap();
    // The commit may lie in the same folder as its tree.
    let refused = |sandbox: &Sandbox| {
        let repository = sandbox.repository();
        let head = repository.head().unwrap().unwrap();
        let found = repository.tree(head).and_then(|tree| tree.blob("a".into()));
        matches!(found, Err(RepositoryError::Irregular { .. }))
    };
    assert!(refused(&sandbox));
    std::fs::remove_file(&object).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        object.as_std_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert!(refused(&sandbox));
    // The folder as a link.
    std::fs::remove_file(&object).unwrap();
    let folder = object.parent().unwrap();
    std::fs::rename(folder, sandbox.home.join("folder")).unwrap();
    std::os::unix::fs::symlink(sandbox.home.join("folder"), folder).unwrap();
    assert!(refused(&sandbox));
}

#[test]
fn a_pack_that_is_cut_short_is_an_error_and_not_a_crash() {
    let sandbox = Sandbox::new();
    for number in 0..200 {
        sandbox.write(&format!("f{number}"), format!("{number}"));
    }
    sandbox.commit();
    sandbox.git(&["repack", "-adq"]);
    let tree = sandbox.tree();
    assert!(!listed(&tree).is_empty());
    let folder = sandbox.root.join(".git/objects/pack");
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let content = std::fs::read(&path).unwrap();
        for keep in [0, 10, content.len() / 2, content.len() - 30] {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, &content[..keep]).unwrap();
            if let Some(head) = sandbox.repository().head().unwrap() {
                let _ = sandbox.repository().tree(head).map(|tree| {
                    let _ = tree.entries_below("".into());
                });
            }
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &content).unwrap();
    }
    assert!(!listed(&sandbox.tree()).is_empty());
}

#[test]
fn a_pack_with_any_byte_changed_gives_the_truth_or_nothing() {
    let sandbox = Sandbox::new();
    let text: String = (0..200).map(|line| format!("line {line}\n")).collect();
    for number in 0..20 {
        sandbox.write(&format!("f{number}"), format!("{number}\n{text}"));
    }
    sandbox.commit();
    sandbox.git(&["repack", "-adfq"]);
    let expected = listed(&sandbox.tree());
    let blobs: Vec<_> = expected
        .iter()
        .map(|line| {
            let (id, path) = line.split_once(' ').unwrap();
            let id = countersign_repository::BlobId::from_hex(id).unwrap();
            (id, std::fs::read(sandbox.root.join(path)).unwrap())
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(3);
    let folder = sandbox.root.join(".git/objects/pack");
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let content = std::fs::read(&path).unwrap();
        for _ in 0..15 {
            let mut changed = content.clone();
            let at = random.usize(..changed.len());
            changed[at] ^= random.u8(1..);
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, &changed).unwrap();
            let repository = sandbox.repository();
            let head = repository.head().unwrap().unwrap();
            if let Ok(tree) = repository.tree(head)
                && tree.entries_below("".into()).is_ok()
            {
                assert_eq!(listed(&tree), expected);
            }
            for (id, content) in &blobs {
                if let Ok(found) = repository.blob(*id) {
                    assert_eq!(&found, content);
                }
            }
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &content).unwrap();
    }
}

#[test]
fn few_objects_that_stand_for_millions_of_paths_are_bounded() {
    let sandbox = Sandbox::new();
    let blob = sandbox.loose("blob", b"x");
    let mut id = sandbox.loose("tree", &tree_entry("100644", "a", blob));
    for _ in 0..8 {
        let wide: Vec<u8> = (0..10)
            .flat_map(|name| tree_entry("40000", &name.to_string(), id))
            .collect();
        id = sandbox.loose("tree", &wide);
    }
    let repository = sandbox.repository();
    let tree = repository.tree(commit_of(&sandbox, id)).unwrap();
    // One path is cheap, all are refused.
    let found = tree.blob("1/2/3/4/5/6/7/8/a".into()).unwrap();
    assert_eq!(found.unwrap().1, Mode::File);
    assert!(matches!(
        tree.entries_below("".into()),
        Err(RepositoryError::TooLarge { .. })
    ));
    // And deep ones.
    for _ in 0..300 {
        id = sandbox.loose("tree", &tree_entry("40000", "d", id));
    }
    let tree = repository.tree(commit_of(&sandbox, id)).unwrap();
    assert!(tree.entries_below("".into()).is_err());
    let deep = vec!["d"; 280].join("/");
    assert!(tree.blob(deep.as_str().into()).is_err());
}

#[test]
fn object_folders_that_name_one_another_end() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let objects = sandbox.root.join(".git/objects");
    let mut lines = format!("{objects}\n../objects\n/nonexistent\n/\n/dev/null\n");
    for number in 0..50 {
        let other = sandbox.home.join(format!("store{number}"));
        std::fs::create_dir_all(other.join("info")).unwrap();
        std::fs::write(
            other.join("info/alternates"),
            format!("../store{}\n{objects}\n", (number + 1) % 50),
        )
        .unwrap();
        lines.push_str(&format!("{other}\n"));
    }
    sandbox.write(".git/objects/info/alternates", lines);
    assert_eq!(listed(&sandbox.tree()).len(), 1);
    let missing = CommitId::from_hex(&"7".repeat(40)).unwrap();
    assert!(matches!(
        sandbox.repository().tree(missing),
        Err(RepositoryError::Missing { .. })
    ));
}

#[test]
fn a_commit_that_is_none_names_no_tree() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let repository = sandbox.repository();
    let blob = sandbox.git(&["rev-parse", "HEAD:a"]);
    assert!(repository.tree(CommitId::from_hex(&blob).unwrap()).is_err());
    for text in ["", "tree ", "tree 123\n", "tree x\ntree y\n", "parent x\n"] {
        let id = CommitId::new(sandbox.loose("commit", text.as_bytes()));
        assert!(repository.tree(id).is_err(), "{text}");
    }
    let not_a_tree = ObjectId::from_hex(&blob).unwrap();
    let tree = repository.tree(commit_of(&sandbox, not_a_tree)).unwrap();
    assert!(tree.blob("a".into()).is_err());
}

#[test]
fn repositories_can_be_asked_from_many_threads() {
    fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<Repository>();
    is_shareable::<countersign_repository::Tree>();
    is_shareable::<countersign_repository::Repositories>();
}
