//! What an agent may write into HEAD and refs: it can name any commit, but
//! nothing outside `refs`, and nothing endless.

use countersign_repository::RepositoryError;

use crate::support::Sandbox;

#[test]
fn refs_that_lead_elsewhere_are_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let outside = "1".repeat(40);
    sandbox.write("refs", &outside);
    sandbox.write(".git/other", &outside);
    for head in [
        "ref: ../refs",
        "ref: refs/../other",
        "ref: other",
        "ref: /etc/hostname",
        "ref: refs/heads/",
        "ref: refs//heads/main",
        "ref:",
        "",
        "0123",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "11111111111111111111111111111111111111111111",
    ] {
        sandbox.write(".git/HEAD", head);
        assert!(sandbox.repository().head().is_err(), "{head}");
    }
}

#[test]
fn refs_that_name_one_another_end() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    sandbox.write(".git/HEAD", "ref: refs/heads/x\n");
    sandbox.write(".git/refs/heads/x", "ref: refs/heads/y\n");
    sandbox.write(".git/refs/heads/y", "ref: refs/heads/x\n");
    assert!(matches!(
        sandbox.repository().head(),
        Err(RepositoryError::Damaged { .. })
    ));
}

#[test]
fn links_and_special_files_among_refs_are_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let commit = sandbox.git(&["rev-parse", "HEAD"]);
    let path = sandbox.root.join(".git/refs/heads/main");
    std::fs::write(sandbox.home.join("other"), commit).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(sandbox.home.join("other"), &path).unwrap();
    let refused = || {
        matches!(
            sandbox.repository().head(),
            Err(RepositoryError::Irregular { .. })
        )
    };
    assert!(refused());
    std::fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path.as_std_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert!(refused());
}

#[test]
fn files_of_refs_are_bounded() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let path = sandbox.root.join(".git/refs/heads/main");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(matches!(
        sandbox.repository().head(),
        Err(RepositoryError::TooLarge { .. })
    ));
    std::fs::remove_file(&path).unwrap();
    let packed = std::fs::File::create(sandbox.root.join(".git/packed-refs")).unwrap();
    packed.set_len(1 << 40).unwrap();
    assert!(sandbox.repository().head().is_err());
}

#[test]
fn a_packed_ref_that_is_no_commit_is_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    std::fs::remove_file(sandbox.root.join(".git/refs/heads/main")).unwrap();
    sandbox.write(".git/packed-refs", "# pack-refs\nxyz refs/heads/main\n");
    assert!(sandbox.repository().head().is_err());
    sandbox.write(".git/packed-refs", "rubbish\n\n^\n \n");
    assert_eq!(sandbox.repository().head().unwrap(), None);
}
