//! Which repository is found, and which are refused.

use countersign_repository::{Layout, Repository, RepositoryError};

use crate::support::Sandbox;

#[test]
fn the_nearest_repository_is_found_from_below() {
    let sandbox = Sandbox::with(&[("a/b/c", "1")]);
    let found = Repository::discover(&sandbox.root.join("a/b"), &sandbox.home)
        .unwrap()
        .unwrap();
    assert_eq!(found.root(), sandbox.root);
    assert_eq!(found.git_dir(), sandbox.root.join(".git"));
    assert!(found.is_plain());
    // Through a link, the place that it leads to counts.
    std::os::unix::fs::symlink(sandbox.root.join("a"), sandbox.home.join("link")).unwrap();
    let found = Repository::discover(&sandbox.home.join("link/b"), &sandbox.home);
    assert_eq!(found.unwrap().unwrap().root(), sandbox.root);
}

#[test]
fn the_search_ends_at_home() {
    let sandbox = Sandbox::bare();
    assert!(sandbox.discover().unwrap().is_none());
    sandbox.git_in(&sandbox.home, &["init", "--quiet"]);
    let found = sandbox.discover().unwrap().unwrap();
    assert_eq!(found.root(), sandbox.home);
    let found = Repository::discover(&sandbox.root, &sandbox.root);
    assert!(found.unwrap().is_none());
}

#[test]
fn an_empty_git_folder_is_passed_by_as_git_does() {
    let sandbox = Sandbox::with(&[("a/b", "1")]);
    std::fs::create_dir(sandbox.root.join("a/.git")).unwrap();
    let found = Repository::discover(&sandbox.root.join("a"), &sandbox.home);
    assert_eq!(found.unwrap().unwrap().root(), sandbox.root);
}

#[test]
fn a_folder_that_looks_like_a_bare_repository_is_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    sandbox.git_in(&sandbox.root, &["init", "--quiet", "--bare", "data"]);
    let found = Repository::discover(&sandbox.root.join("data"), &sandbox.home);
    assert!(matches!(found, Err(RepositoryError::Unsupported { .. })));
    // The inside of `.git`, too.
    let found = Repository::discover(&sandbox.root.join(".git/refs"), &sandbox.home);
    assert!(found.is_err());
    sandbox.git(&["config", "core.bare", "true"]);
    assert!(sandbox.discover().is_err());
}

#[test]
fn a_git_folder_through_a_link_is_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let other = Sandbox::with(&[("a", "2")]);
    std::fs::remove_dir_all(sandbox.root.join(".git")).unwrap();
    std::os::unix::fs::symlink(other.root.join(".git"), sandbox.root.join(".git")).unwrap();
    assert!(matches!(
        sandbox.discover(),
        Err(RepositoryError::Irregular { .. })
    ));
}

#[test]
fn a_git_file_that_somebody_wrote_is_not_plain_nor_linked() {
    let sandbox = Sandbox::bare();
    let other = Sandbox::with(&[("a", "2")]);
    let git_dir = other.root.join(".git");
    sandbox.write(".git", format!("gitdir: {git_dir}\n"));
    assert_eq!(sandbox.repository().layout(), Layout::Elsewhere);

    // It names a work tree's folder of another repository, which names another.
    let third = other.home.join("third");
    other.git(&["worktree", "add", "--quiet", third.as_str()]);
    sandbox.write(".git", format!("gitdir: {git_dir}/worktrees/third\n"));
    assert_eq!(sandbox.repository().layout(), Layout::Elsewhere);

    for text in ["", "gitdir: ", "gitdir: /nonexistent/.git\n", "x"] {
        sandbox.write(".git", text);
        assert!(sandbox.discover().is_err(), "{text:?}");
    }
}

#[test]
fn a_common_folder_elsewhere_is_not_plain() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let other = Sandbox::with(&[("a", "2")]);
    assert!(sandbox.repository().is_plain());
    let common = other.root.join(".git");
    sandbox.write(".git/commondir", format!("{common}\n"));
    let repository = sandbox.repository();
    assert_eq!(repository.layout(), Layout::Elsewhere);
    assert_eq!(repository.common_dir(), common);
}

#[test]
fn a_work_tree_elsewhere_is_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    sandbox.git(&["config", "core.worktree", "../.."]);
    assert!(sandbox.discover().is_err());
    sandbox.git(&["config", "core.worktree", ".."]);
    assert!(sandbox.discover().unwrap().is_some());
    sandbox.git(&["config", "--unset", "core.worktree"]);
    sandbox.git(&["config", "extensions.worktreeConfig", "true"]);
    sandbox.write(".git/config.worktree", "[core]\nworktree = /\n");
    assert!(sandbox.discover().is_err());
}

#[test]
fn formats_that_are_not_known_are_refused() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    let config = std::fs::read_to_string(sandbox.root.join(".git/config")).unwrap();
    for more in [
        "[extensions]\nobjectFormat = sha256\n",
        "[extensions]\nrefStorage = reftable\n",
        "[extensions]\nsomethingNew = true\n",
        "[core]\nrepositoryFormatVersion = 2\n",
        "[core]\nbare = true\n",
        "[core\n",
    ] {
        sandbox.write(".git/config", format!("{config}{more}"));
        assert!(sandbox.discover().is_err(), "{more}");
    }
    for more in [
        "",
        "[extensions]\nobjectFormat = sha1\npreciousObjects = true\n",
        "[core]\nrepositoryFormatVersion = 1\n",
        "[extensions \"x\"]\nsomethingNew = true\n",
    ] {
        sandbox.write(".git/config", format!("{config}{more}"));
        assert!(sandbox.discover().is_ok(), "{more}");
    }
}

#[test]
fn its_settings_are_those_of_its_own_files() {
    let sandbox = Sandbox::with(&[("a", "1")]);
    sandbox.git(&["config", "core.hooksPath", "my \"hooks\"; #x"]);
    sandbox.git(&["config", "remote.Origin.url", "https://example.com/"]);
    let repository = sandbox.repository();
    let path = repository
        .settings()
        .iter()
        .find(|setting| setting.is("core", "hookspath"))
        .unwrap();
    assert_eq!(path.value.as_deref(), Some("my \"hooks\"; #x"));
    assert!(repository.settings().iter().any(|setting| {
        setting.section == "remote" && setting.subsection.as_deref() == Some("Origin")
    }));
}
