//! Facts about paths, found on a real file system.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Access;
use countersign_core::paths::{FileKind, PathFact, inside};
use countersign_engine::host::{Host, content_digest};

struct Scene {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    host: Host,
}

impl Scene {
    /// `ws/` with `src/a.rs`, `ws-evil/` with a file, and `home/` in a new
    /// folder.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        for name in ["ws/src", "ws-evil", "home"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["ws/src/a.rs", "ws-evil/a.rs", "outside.txt"] {
            fs::write(root.join(name), name).unwrap();
        }
        Self {
            _folder: folder,
            root,
            host: Host::new(Vec::new()),
        }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    fn link(&self, name: &str, target: impl AsRef<std::path::Path>) {
        symlink(target, self.path(name)).unwrap();
    }

    fn resolve_as(&self, given: &str, access: Access) -> PathFact {
        self.host
            .resolve(given, &self.path("ws"), &self.path("home"), access)
    }

    fn resolve(&self, given: &str) -> PathFact {
        self.resolve_as(given, Access::Write)
    }

    fn is_inside(&self, given: &str) -> bool {
        inside(&[self.path("ws")], &self.resolve(given)).is_some()
    }
}

#[test]
fn what_exists_and_what_does_not() {
    let scene = Scene::new();
    for (given, kind, at) in [
        ("src/a.rs", FileKind::File, "ws/src/a.rs"),
        ("./src//../src/a.rs", FileKind::File, "ws/src/a.rs"),
        ("src", FileKind::Directory, "ws/src"),
        (".", FileKind::Directory, "ws"),
        ("src/new.rs", FileKind::Missing, "ws/src/new.rs"),
        ("new/deep/er.rs", FileKind::Missing, "ws/new/deep/er.rs"),
        ("new/../src/a.rs", FileKind::File, "ws/src/a.rs"),
        ("../ws-evil/a.rs", FileKind::File, "ws-evil/a.rs"),
        ("~/x", FileKind::Missing, "home/x"),
        ("~", FileKind::Directory, "home"),
    ] {
        let fact = scene.resolve(given);
        assert_eq!(fact.kind, kind, "{given}");
        assert_eq!(fact.canonical, scene.path(at), "{given}");
        assert_eq!(fact.absolute, scene.path(at), "{given}");
        assert_eq!(fact.given, given);
        assert_eq!(fact.links, 1, "{given}");
    }
    let root = scene.resolve("/");
    assert_eq!(
        (root.canonical.as_str(), root.kind),
        ("/", FileKind::Directory)
    );
    let above = scene.resolve("/../../..");
    assert_eq!(
        (above.canonical.as_str(), above.kind),
        ("/", FileKind::Directory)
    );
}

#[test]
fn links_are_followed_to_where_they_lead() {
    let scene = Scene::new();
    scene.link("ws/file", "../outside.txt");
    scene.link("ws/folder", scene.path("ws-evil"));
    scene.link("ws/inner", "src");
    scene.link("ws/chain", "inner");
    for (given, at) in [
        ("file", "outside.txt"),
        ("folder/a.rs", "ws-evil/a.rs"),
        ("folder/new/x.rs", "ws-evil/new/x.rs"),
        ("chain/a.rs", "ws/src/a.rs"),
        ("inner", "ws/src"),
    ] {
        let fact = scene.resolve(given);
        assert_eq!(fact.canonical, scene.path(at), "{given}");
        assert_eq!(fact.absolute, scene.path("ws").join(given), "{given}");
    }
    assert!(!scene.is_inside("file"));
    assert!(!scene.is_inside("folder/a.rs"));
    assert!(!scene.is_inside("folder/new/x.rs"));
    assert!(!scene.is_inside("../ws-evil/a.rs"), "a prefix twin");
    assert!(scene.is_inside("chain/a.rs"));
    assert!(scene.is_inside("new/deep.rs"));
}

#[test]
fn a_dangling_link_is_its_target() {
    let scene = Scene::new();
    scene.link("ws/dangling", "../home/new");
    scene.link("ws/far", "/nowhere/at/all");
    let fact = scene.resolve("dangling");
    assert_eq!(fact.canonical, scene.path("home/new"));
    assert_eq!(fact.kind, FileKind::Missing);
    assert!(!scene.is_inside("dangling"));
    assert_eq!(scene.resolve("far/x").canonical, "/nowhere/at/all/x");
}

#[test]
fn what_is_deleted_is_the_link_itself() {
    let scene = Scene::new();
    scene.link("ws/file", "../outside.txt");
    scene.link("ws/folder", "../ws-evil");
    scene.link("ws/loop", "loop");
    let fact = scene.resolve_as("file", Access::Delete);
    assert_eq!(
        (fact.canonical, fact.kind),
        (scene.path("ws/file"), FileKind::File)
    );
    let fact = scene.resolve_as("loop", Access::Delete);
    assert_eq!(
        (fact.canonical, fact.kind),
        (scene.path("ws/loop"), FileKind::File)
    );
    let fact = scene.resolve_as("folder/a.rs", Access::Delete);
    assert_eq!(
        fact.canonical,
        scene.path("ws-evil/a.rs"),
        "links on the way are followed"
    );
    let fact = scene.resolve_as("folder/", Access::Delete);
    assert_eq!(
        fact.canonical,
        scene.path("ws-evil"),
        "with a slash the folder is meant"
    );
}

#[test]
fn loops_and_long_chains_end() {
    let scene = Scene::new();
    scene.link("ws/self", "self");
    scene.link("ws/one", "two");
    scene.link("ws/two", "one");
    scene.link("ws/grow", "grow/x");
    for given in ["self", "one", "one/x", "grow", "grow/y"] {
        assert_eq!(scene.resolve(given).kind, FileKind::Unresolvable, "{given}");
    }
    scene.link("ws/l0", "src");
    for n in 1..=41 {
        scene.link(&format!("ws/l{n}"), format!("l{}", n - 1));
    }
    assert_eq!(
        scene.resolve("l39/a.rs").canonical,
        scene.path("ws/src/a.rs")
    );
    assert_eq!(
        scene.resolve("l40/a.rs").kind,
        FileKind::Unresolvable,
        "41 links"
    );
}

#[test]
fn parents_are_those_of_the_real_place_and_must_agree_with_the_text() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("home/deep/er")).unwrap();
    fs::write(scene.path("home/deep/a.rs"), "").unwrap();
    scene.link("ws/link", "../home/deep/er");
    let fact = scene.resolve("link/../a.rs");
    assert_eq!(
        fact.canonical,
        scene.path("home/deep/a.rs"),
        "as the kernel walks"
    );
    assert_eq!(fact.absolute, scene.path("ws/a.rs"), "as most tools walk");
    assert_eq!(fact.kind, FileKind::Unresolvable);
    // By text a link that leads out, by the kernel a harmless file.
    fs::create_dir_all(scene.path("ws/other/in")).unwrap();
    fs::create_dir_all(scene.path("ws/other/sub")).unwrap();
    scene.link("ws/into", "other/in");
    scene.link("ws/sub", "../home");
    assert!(!scene.is_inside("into/../sub/x"));
    // The two agree: nothing is wrong.
    scene.link("ws/beside", "src");
    assert_eq!(scene.resolve("beside/../src/a.rs").kind, FileKind::File);
}

#[test]
fn hard_links_are_counted() {
    let scene = Scene::new();
    fs::hard_link(scene.path("outside.txt"), scene.path("ws/twin")).unwrap();
    assert_eq!(scene.resolve("twin").links, 2);
    scene.link("ws/soft", "twin");
    assert_eq!(scene.resolve("soft").links, 2);
    assert_eq!(scene.resolve("src").links, 1, "folders have no other names");
    assert_eq!(scene.resolve("src/a.rs").links, 1);
}

#[test]
fn what_acts_when_opened_is_special_and_is_not_opened() {
    let scene = Scene::new();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        scene.path("ws/pipe").as_str(),
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scene.path("ws/socket")).unwrap();
    scene.link("ws/to-pipe", "pipe");
    scene.link("ws/null", "/dev/null");
    for given in ["pipe", "socket", "to-pipe", "null", "/dev/null"] {
        let fact = scene.resolve_as(given, Access::Read);
        assert_eq!(fact.kind, FileKind::Special, "{given}");
        // Returns at all: opening the pipe would wait for a writer.
        let _ = content_digest(&fact.canonical, 100);
    }
}

#[test]
fn magic_links_of_proc_are_not_believed() {
    let scene = Scene::new();
    let me = std::process::id();
    for given in [
        "/proc/self/root/etc/passwd".to_owned(),
        "/proc/self/cwd/x".to_owned(),
        "/proc/self/exe".to_owned(),
        format!("/proc/{me}/root"),
        format!("/proc/{me}/cwd"),
        "/proc/self/fd/0".to_owned(),
        "/dev/fd/0".to_owned(),
        "/dev/stdin".to_owned(),
        "/proc/self/ns/mnt".to_owned(),
        "/proc/thread-self/cwd".to_owned(),
    ] {
        let fact = scene.resolve(&given);
        assert!(
            matches!(fact.kind, FileKind::Unresolvable | FileKind::Special),
            "{given}: {fact:?}"
        );
    }
    scene.link("ws/sneaky", "/proc/self/cwd");
    assert_eq!(scene.resolve("sneaky/x").kind, FileKind::Unresolvable);
    let fact = scene.resolve("/proc/self/environ");
    assert_eq!(fact.canonical, format!("/proc/{me}/environ").as_str());
    assert_eq!(fact.kind, FileKind::File);
}

#[test]
fn what_cannot_be_a_path_of_ours_is_unresolvable() {
    let scene = Scene::new();
    let long = format!("/{}", "a/".repeat(3000));
    let name = "b".repeat(300);
    for given in [
        "",
        "~root",
        "~root/x",
        "a\0b",
        "src/a.rs/x",
        long.as_str(),
        name.as_str(),
    ] {
        assert_eq!(
            scene.resolve(given).kind,
            FileKind::Unresolvable,
            "{given:?}"
        );
    }
    let fact = scene.host.resolve(
        "x",
        Utf8Path::new("not/absolute"),
        &scene.path("home"),
        Access::Write,
    );
    assert_eq!(fact.kind, FileKind::Unresolvable);
}

#[test]
fn unc_paths_are_remote() {
    let scene = Scene::new();
    for given in [r"\\host\share\x", "//host/share/x"] {
        let fact = scene.resolve(given);
        assert_eq!(fact.kind, FileKind::Remote, "{given}");
    }
    // Here `//` is `/`; what it leads to is known, for the rules that deny.
    let given = format!("/{}", scene.path("ws/src/a.rs"));
    let fact = scene.resolve(&given);
    assert_eq!(
        (fact.canonical, fact.kind),
        (scene.path("ws/src/a.rs"), FileKind::Remote)
    );
}

#[test]
fn names_that_are_not_utf8_are_unresolvable() {
    let scene = Scene::new();
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    fs::create_dir(scene.root.as_std_path().join(odd)).unwrap();
    symlink(odd, scene.path("ws/odd")).unwrap();
    assert_eq!(scene.resolve("odd").kind, FileKind::Unresolvable);
    assert_eq!(scene.resolve("odd/x").kind, FileKind::Unresolvable);
}

#[test]
fn folders_that_may_not_be_searched_hide_what_is_in_them() {
    if rustix::process::geteuid().is_root() {
        // Root searches everything; the errors of names that are too long and
        // of files as folders go the same way.
        return;
    }
    let scene = Scene::new();
    fs::create_dir(scene.path("ws/shut")).unwrap();
    fs::set_permissions(scene.path("ws/shut"), fs::Permissions::from_mode(0o000)).unwrap();
    let fact = scene.resolve("shut/x");
    fs::set_permissions(scene.path("ws/shut"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(fact.kind, FileKind::Unresolvable);
}

#[test]
fn canonical_forms_of_places() {
    let scene = Scene::new();
    scene.link("home/.config", "../ws/dotfiles");
    assert_eq!(
        scene
            .host
            .canonical(&scene.path("home/.config/countersign")),
        Some(scene.path("ws/dotfiles/countersign"))
    );
    scene.link("home/loop", "loop");
    assert_eq!(scene.host.canonical(&scene.path("home/loop")), None);
    assert_eq!(scene.host.canonical(Utf8Path::new("relative")), None);
}

#[test]
fn a_digest_changes_with_the_content() {
    let scene = Scene::new();
    let path = scene.path("ws/src/a.rs");
    let first = content_digest(&path, 100);
    assert_eq!(first, content_digest(&path, 100));
    fs::write(&path, "other").unwrap();
    let second = content_digest(&path, 100);
    assert_ne!(first, second);
    // The same content under another name is the same content.
    fs::write(scene.path("ws/copy"), "other").unwrap();
    assert_eq!(second, content_digest(&scene.path("ws/copy"), 100));
    // Too large to read whole: identity and times stand for the content.
    let large = content_digest(&path, 3);
    assert_eq!(large, content_digest(&path, 3));
    assert_ne!(large, content_digest(&scene.path("ws/copy"), 3));
    fs::write(&path, "other and more").unwrap();
    assert_ne!(large, content_digest(&path, 3));
    // A link at the end is not followed; a missing file is not an empty one.
    scene.link("ws/link", "copy");
    assert_ne!(content_digest(&scene.path("ws/link"), 100), second);
    fs::write(scene.path("ws/empty"), "").unwrap();
    assert_ne!(
        content_digest(&scene.path("ws/empty"), 100),
        content_digest(&scene.path("ws/missing"), 100)
    );
}

mod workspaces {
    use super::*;

    fn of(scene: &Scene, cwd: &str) -> Option<Utf8PathBuf> {
        scene
            .host
            .workspace_of(&scene.path(cwd), &scene.path("home"))
    }

    #[test]
    fn the_nearest_marked_folder_or_the_folder_itself() {
        let scene = Scene::new();
        assert_eq!(
            of(&scene, "ws/src"),
            Some(scene.path("ws/src")),
            "nothing is marked"
        );
        fs::create_dir(scene.path("ws/.git")).unwrap();
        assert_eq!(of(&scene, "ws/src"), Some(scene.path("ws")));
        assert_eq!(of(&scene, "ws"), Some(scene.path("ws")));
        fs::create_dir(scene.path("ws/src/.countersign")).unwrap();
        assert_eq!(of(&scene, "ws/src"), Some(scene.path("ws/src")));
        scene.link("home/work", "../ws");
        assert_eq!(of(&scene, "home/work"), Some(scene.path("ws")), "canonical");
        assert_eq!(of(&scene, "ws/missing"), None);
        assert_eq!(of(&scene, "outside.txt"), None);
    }

    #[test]
    fn a_worktree_holds_only_itself() {
        let scene = Scene::new();
        fs::create_dir_all(scene.path("ws/.git/worktrees/w")).unwrap();
        fs::create_dir_all(scene.path("w/src")).unwrap();
        fs::write(
            scene.path("w/.git"),
            format!("gitdir: {}\n", scene.path("ws/.git/worktrees/w")),
        )
        .unwrap();
        let workspace = of(&scene, "w/src").unwrap();
        assert_eq!(workspace, scene.path("w"));
        let folders = [workspace];
        assert!(inside(&folders, &scene.resolve("../w/src/x")).is_some());
        assert!(inside(&folders, &scene.resolve("src/a.rs")).is_none());
        assert!(inside(&folders, &scene.resolve(".git/worktrees/w/HEAD")).is_none());
    }

    #[test]
    fn the_home_folder_and_its_parents_are_none() {
        let scene = Scene::new();
        for marked in ["", "home"] {
            fs::create_dir(scene.path(marked).join(".git")).unwrap();
        }
        assert_eq!(of(&scene, "home"), None);
        assert_eq!(of(&scene, ""), None);
        fs::create_dir_all(scene.path("home/notes/deep")).unwrap();
        assert_eq!(
            of(&scene, "home/notes/deep"),
            Some(scene.path("home/notes/deep")),
            "a home folder under version control is still none"
        );
        // Its home folder may be a link.
        scene.link("user", "home");
        assert_eq!(
            scene
                .host
                .workspace_of(&scene.path("home"), &scene.path("user")),
            None
        );
    }

    #[test]
    fn stores_and_the_guards_folders_are_none() {
        let scene = Scene::new();
        for folder in [
            "home/.ssh",
            "home/.config/gh",
            "home/.config/nvim",
            "home/state/deep",
            "ws/.countersign/x",
        ] {
            fs::create_dir_all(scene.path(folder)).unwrap();
        }
        let host = Host::new(vec![scene.path("home/state")]);
        let of = |cwd: &str| host.workspace_of(&scene.path(cwd), &scene.path("home"));
        for none in [
            "home/.ssh",
            "home/.config",
            "home/.config/gh",
            "home/state",
            "home/state/deep",
            "ws/.countersign",
            "ws/.countersign/x",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(
            of("home/.config/nvim"),
            Some(scene.path("home/.config/nvim"))
        );
        assert_eq!(of("ws"), Some(scene.path("ws")));
    }

    #[test]
    fn the_system_is_none() {
        let host = Host::default();
        let home = Utf8Path::new("/home/nobody-here");
        for cwd in [
            "/",
            "/etc",
            "/usr",
            "/var",
            "/bin",
            "/home",
            "/tmp",
            "/proc",
            "/proc/self",
            "/usr/bin",
            "/usr/lib",
            "/etc/ssl",
            "/var/log",
            "/dev",
            "/root",
        ] {
            assert_eq!(host.workspace_of(Utf8Path::new(cwd), home), None, "{cwd}");
        }
    }
}
