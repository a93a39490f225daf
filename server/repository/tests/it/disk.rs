//! Files on disk by the names that git would give them.

use countersign_repository::{FileHashes, RepositoryError};

use crate::support::Sandbox;

#[test]
fn a_file_has_the_name_that_git_gives_it() {
    let sandbox = Sandbox::new();
    let mut random = fastrand::Rng::with_seed(2);
    let hashes = FileHashes::default();
    for size in [0, 1, 64, 65_535, 65_536, 65_537, 300_000] {
        let content: Vec<u8> = (0..size).map(|_| random.u8(..)).collect();
        sandbox.write("file", content);
        let id = hashes
            .blob_id_of_file(&sandbox.root.join("file"))
            .unwrap()
            .unwrap();
        assert_eq!(
            id.to_string(),
            sandbox.git(&["hash-object", "--no-filters", "file"])
        );
    }
}

#[test]
fn bytes_that_git_would_convert_count_as_different() {
    let sandbox = Sandbox::with(&[(".gitattributes", "* text=auto\n"), ("a", "x\ny\n")]);
    let hashes = FileHashes::default();
    let (blob, _) = sandbox.tree().blob("a".into()).unwrap().unwrap();
    let on_disk = || hashes.blob_id_of_file(&sandbox.root.join("a")).unwrap();
    assert_eq!(on_disk(), Some(blob));
    sandbox.write("a", "x\r\ny\r\n");
    assert_eq!(sandbox.git(&["hash-object", "a"]), blob.to_string());
    assert_ne!(on_disk(), Some(blob));
}

#[test]
fn a_change_that_hides_its_time_and_size_is_seen() {
    let sandbox = Sandbox::with(&[("a", "good")]);
    let hashes = FileHashes::default();
    let path = sandbox.root.join("a");
    let (blob, _) = sandbox.tree().blob("a".into()).unwrap().unwrap();
    assert_eq!(hashes.blob_id_of_file(&path).unwrap(), Some(blob));
    let modified = path.metadata().unwrap().modified().unwrap();
    std::fs::write(&path, "evil").unwrap();
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    sandbox.git(&["update-index", "--assume-unchanged", "a"]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_ne!(hashes.blob_id_of_file(&path).unwrap(), Some(blob));
}

#[test]
fn only_regular_files_behind_no_link_have_a_name() {
    let sandbox = Sandbox::with(&[("folder/a", "1")]);
    let hashes = FileHashes::default();
    let at = |path: &str| hashes.blob_id_of_file(&sandbox.root.join(path));
    assert!(at("folder/a").unwrap().is_some());
    assert!(at("folder").unwrap().is_none());
    assert!(at("none/a").unwrap().is_none());
    assert!(at("folder/a/b").unwrap().is_none());
    std::os::unix::fs::symlink("a", sandbox.root.join("folder/link")).unwrap();
    std::os::unix::fs::symlink("folder", sandbox.root.join("way")).unwrap();
    let pipe = sandbox.root.join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        pipe.as_std_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    for path in ["folder/link", "way/a", "pipe"] {
        assert!(
            matches!(at(path), Err(RepositoryError::Irregular { .. })),
            "{path}"
        );
    }
    let huge = std::fs::File::create(sandbox.root.join("huge")).unwrap();
    huge.set_len(64 * 1024 * 1024 + 1).unwrap();
    assert!(matches!(at("huge"), Err(RepositoryError::TooLarge { .. })));
}
