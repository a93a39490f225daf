//! Announcements of servers: what is found, and what is not believed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::ProcessId;
use countersign_ipc::discovery::{
    Announcement, Found, MAX_ANNOUNCEMENT_BYTES, MOST_ANNOUNCEMENTS, Publication, PublishError,
    Root, RuntimeFolderError, find, listen,
};
use libtest_mimic::Trial;
use rustix::fs::{CWD, FileType, Mode};

use crate::support::{Other, announce, announcement, folder, mode, name, run_by, write};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        crate::trial("a_published_server_is_found_until_it_ends", round_trip),
        crate::trial("an_update_replaces_the_announcement", update),
        crate::trial("without_a_folder_there_is_no_server", no_folder),
        crate::trial("a_server_that_is_gone_is_not_found", gone),
        crate::trial("a_link_is_not_followed", links),
        crate::trial("what_others_can_touch_is_not_believed", open_to_others),
        crate::trial("what_belongs_to_another_user_is_not_believed", foreign),
        crate::trial("a_name_must_agree_with_its_content", mismatch),
        crate::trial("an_announcement_is_read_up_to_its_bound", sizes),
        crate::trial("garbage_is_ignored_with_a_reason", garbage),
        crate::trial("what_is_no_plain_file_is_ignored", special_files),
        crate::trial("a_flood_of_announcements_is_bounded", flood),
        crate::trial("what_gone_servers_left_is_removed", cleaning),
        crate::trial("a_folder_that_is_not_private_is_not_published_in", refusals),
        crate::trial("a_folder_that_is_swapped_redirects_nothing", swapped),
        crate::trial("a_removed_folder_is_noticed", folder_removed),
        crate::trial("an_announcement_that_cannot_hold_is_refused", not_published),
    ]
}

/// Nothing is found, and the one reason says so.
fn ignored(folder: &Utf8Path, because: &str) {
    let found = find(folder);
    assert_eq!(found.servers, []);
    assert_eq!(found.ignored.len(), 1, "{:?}", found.ignored);
    assert!(found.ignored[0].contains(because), "{:?}", found.ignored);
}

fn mode_of(path: &Utf8Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn round_trip() {
    let (_kept, above) = folder();
    let folder = above.join("a/run");
    let one = announcement();
    let publication = Publication::publish(&folder, &one).unwrap();
    assert_eq!(
        (mode_of(&folder), mode_of(&above.join("a"))),
        (0o700, 0o700)
    );
    assert_eq!(mode_of(&folder.join(name(&one, ".server.json"))), 0o600);

    let listener = listen(&publication).unwrap();
    let socket = publication.socket_path();
    assert_eq!(socket, folder.join(name(&one, ".sock")));
    assert_eq!(mode_of(&socket), 0o600);
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);

    let two = announcement();
    let second = Publication::publish(&folder, &two).unwrap();
    let found = find(&folder);
    assert_eq!(found.servers.len(), 2);
    assert!(found.servers.contains(&one) && found.servers.contains(&two));
    assert_eq!(found.ignored, [] as [&str; 0]);

    second.withdraw();
    assert_eq!(find(&folder).servers, [one]);
    drop(publication);
    assert_eq!(find(&folder), Found::default());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

fn update() {
    let (_kept, folder) = folder();
    let mut one = announcement();
    let mut publication = Publication::publish(&folder, &one).unwrap();
    one.roots.push(Root {
        folder: Utf8PathBuf::from("/other"),
        mode: ApprovalMode::Plan,
    });
    one.activity = 2;
    publication.update(&one).unwrap();
    assert_eq!(find(&folder).servers, [one]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    assert_eq!(
        publication.update(&announcement()),
        Err(PublishError::OtherServer)
    );
}

fn no_folder() {
    let (_kept, folder) = folder();
    assert_eq!(find(&folder.join("none")), Found::default());
    assert_eq!(find(&folder.join("none/below")), Found::default());
}

fn gone() {
    let own = announcement().instance.process;
    for process in [
        Other::ended(),
        ProcessId {
            start: own.start + 1,
            ..own.clone()
        },
        ProcessId {
            boot: "another".to_owned(),
            ..own.clone()
        },
        ProcessId { pid: 0, ..own },
    ] {
        let (_kept, folder) = folder();
        announce(&folder, &run_by(process));
        ignored(&folder, "does not run any more");
    }
}

fn links() {
    let (_kept, above) = folder();
    let folder = above.join("run");
    fs::create_dir(&folder).unwrap();
    mode(&folder, 0o700);
    let path = announce(&folder, &announcement());
    let target = above.join("target");
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    ignored(&folder, "it is a link");

    let linked = above.join("linked");
    symlink(&folder, &linked).unwrap();
    for linked in [linked.clone(), linked.join("")] {
        ignored(&linked, "it is a link");
        let refusal = Publication::publish(&linked, &announcement()).unwrap_err();
        assert!(is_not_private(&refusal), "{refusal}");
    }
}

fn is_not_private(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::Folder(RuntimeFolderError::NotPrivate { .. })
    )
}

fn open_to_others() {
    let (_kept, folder) = folder();
    let path = announce(&folder, &announcement());
    for bits in [0o640, 0o604, 0o620, 0o602, 0o610] {
        mode(&path, bits);
        ignored(&folder, "others have access");
    }
    mode(&path, 0o400);
    assert_eq!(find(&folder).servers.len(), 1);
    for bits in [0o750, 0o705, 0o711, 0o770, 0o1777] {
        mode(&folder, bits);
        ignored(&folder, "others have access");
    }
    mode(&folder, 0o700);
}

fn foreign() {
    if rustix::process::geteuid().is_root() {
        let (_kept, folder) = folder();
        let path = announce(&folder, &announcement());
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        ignored(&folder, "it belongs to another user");
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
        assert_eq!(find(&folder).servers.len(), 1);
        std::os::unix::fs::chown(&folder, Some(12345), None).unwrap();
        ignored(&folder, "it belongs to another user");
    } else {
        assert_eq!(fs::metadata("/").unwrap().uid(), 0);
        ignored(Utf8Path::new("/"), "it belongs to another user");
    }
}

fn mismatch() {
    let other_key = announcement();
    let other_pid = run_by(ProcessId {
        pid: other_key.instance.process.pid + 1,
        ..other_key.instance.process.clone()
    });
    let mut no_key = announcement();
    no_key.instance.key.truncate(16);
    let mut longer_key = announcement();
    longer_key.instance.key.push('0');
    for content in [other_key, other_pid, no_key, longer_key] {
        let (_kept, folder) = folder();
        let mut named = announcement();
        if content.instance.key.len() != 32 {
            named
                .instance
                .key
                .replace_range(..16, &content.instance.key[..16]);
        }
        write(
            &folder.join(name(&named, ".server.json")),
            serde_json::to_vec(&content).unwrap(),
        );
        ignored(&folder, "different servers");
    }
}

fn sizes() {
    let (_kept, folder) = folder();
    let one = announcement();
    let path = folder.join(name(&one, ".server.json"));
    let mut bytes = serde_json::to_vec(&one).unwrap();
    bytes.resize(MAX_ANNOUNCEMENT_BYTES, b' ');
    write(&path, &bytes);
    assert_eq!(find(&folder).servers, [one]);
    bytes.push(b' ');
    write(&path, &bytes);
    ignored(&folder, "longer than");
}

fn garbage() {
    let one = announcement();
    let whole = serde_json::to_string(&one).unwrap();
    let (_kept, folder) = folder();
    let path = folder.join(name(&one, ".server.json"));
    let deep = "[".repeat(10_000);
    let deep_within = format!("{{\"later\":{deep}");
    for (text, because) in [
        ("", "ends too early"),
        (&whole[..whole.len() - 1], "ends too early"),
        ("\u{1b}[2J", "no JSON"),
        ("{}", "another shape"),
        (deep.as_str(), "another shape"),
        (deep_within.as_str(), "ends too early"),
        (&whole.replace("\"default\"", "\"looser\""), "another shape"),
        (
            &whole.replace("\"protocol\":1", "\"protocol\":2"),
            "speaks protocol 2",
        ),
        ("{\"protocol\":9,\"all\":\"new\"}", "speaks protocol 9"),
    ] {
        write(&path, text);
        ignored(&folder, because);
    }
    write(&path, whole.replacen('{', "{\"later\":{\"x\":1},", 1));
    assert_eq!(find(&folder).servers, [one]);
    fs::remove_file(&path).unwrap();
    for strange in [
        "x.server.json",
        "1-\u{1b}[2J.server.json",
        "007-0123456789abcdef.server.json",
    ] {
        let path = folder.join(strange);
        write(&path, &whole);
        ignored(&folder, "no server gives this name");
        assert!(!find(&folder).ignored[0].contains('\u{1b}'));
        fs::remove_file(&path).unwrap();
    }
}

fn special_files() {
    let (_kept, folder) = folder();
    let path = announce(&folder, &announcement());
    let second = folder.join("second name");
    fs::hard_link(&path, &second).unwrap();
    ignored(&folder, "not exactly one name");
    fs::remove_file(&second).unwrap();
    assert_eq!(find(&folder).servers.len(), 1);

    fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(
        CWD,
        path.as_std_path(),
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    ignored(&folder, "no plain file");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    mode(&path, 0o700);
    ignored(&folder, "no plain file");
    fs::remove_dir(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    ignored(&folder, "cannot be opened");
}

fn flood() {
    let (_kept, folder) = folder();
    for _ in 0..MOST_ANNOUNCEMENTS + 5 {
        announce(&folder, &announcement());
    }
    let found = find(&folder);
    assert_eq!(found.servers.len(), MOST_ANNOUNCEMENTS);
    assert_eq!(found.ignored.len(), 1, "{:?}", found.ignored);
    assert!(found.ignored[0].contains("holds more than"));
    for number in 0..MOST_ANNOUNCEMENTS * 2 {
        write(&folder.join(format!("{number}.server.json")), "");
    }
    let found = find(&folder);
    assert!(found.servers.len() + found.ignored.len() <= MOST_ANNOUNCEMENTS + 1);
}

fn cleaning() {
    let (_kept, folder) = folder();
    let gone = run_by(Other::ended());
    let gone_json = announce(&folder, &gone);
    let gone_socket = folder.join(name(&gone, ".sock"));
    drop(UnixListener::bind(&gone_socket).unwrap());
    let half = run_by(Other::ended());
    let half_written = folder.join(name(&half, ".tmp"));
    write(&half_written, "{");
    let linked = folder.join(name(&run_by(Other::ended()), ".server.json"));
    let precious = folder.join("precious");
    write(&precious, "x");
    symlink(&precious, &linked).unwrap();

    // Not seen from here, and answering: it runs in another container.
    let elsewhere = run_by(Other::ended());
    let elsewhere_json = announce(&folder, &elsewhere);
    let _listener = UnixListener::bind(folder.join(name(&elsewhere, ".sock"))).unwrap();
    // Runs, and does not listen yet.
    let starting = announcement();
    let starting_json = announce(&folder, &starting);
    // Nobody can tell whose it is, and the pid is somebody's.
    let unclear_json = folder.join(name(&announcement(), ".server.json"));
    write(&unclear_json, "garbage");

    let publication = Publication::publish(&folder, &announcement()).unwrap();
    for removed in [&gone_json, &gone_socket, &half_written, &linked] {
        assert!(fs::symlink_metadata(removed).is_err(), "{removed}");
    }
    for kept in [&precious, &elsewhere_json, &starting_json, &unclear_json] {
        assert!(kept.exists(), "{kept}");
    }
    drop(publication);
}

fn refusals() {
    let (_kept, folder) = folder();
    for bits in [0o750, 0o777] {
        mode(&folder, bits);
        let refusal = Publication::publish(&folder, &announcement()).unwrap_err();
        assert!(is_not_private(&refusal), "{refusal}");
        assert_eq!(mode_of(&folder), bits, "left as it was");
    }
    mode(&folder, 0o700);
    let file = folder.join("file");
    write(&file, "");
    let refusal = Publication::publish(&file, &announcement()).unwrap_err();
    assert!(is_not_private(&refusal), "{refusal}");
}

fn not_published() {
    let (_kept, folder) = folder();
    let refusal = |announcement: &Announcement| {
        let error = Publication::publish(&folder, announcement).unwrap_err();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        error
    };
    let mut bad_key = announcement();
    bad_key.instance.key = "../../../../../../../../../../xx".to_owned();
    assert_eq!(refusal(&bad_key), PublishError::Key);
    let mut long = announcement();
    long.roots[0].folder = Utf8PathBuf::from("/x".repeat(MAX_ANNOUNCEMENT_BYTES / 2));
    assert!(matches!(refusal(&long), PublishError::TooLong(_)));
}

fn swapped() {
    let (_kept, above) = folder();
    let (folder, moved) = (above.join("run"), above.join("moved"));
    let one = announcement();
    let mut publication = Publication::publish(&folder, &one).unwrap();
    fs::rename(&folder, &moved).unwrap();
    fs::create_dir(&folder).unwrap();
    mode(&folder, 0o700);
    let _listener = listen(&publication).unwrap();
    publication.update(&one).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&moved).unwrap().count(), 2);
    drop(publication);
    assert_eq!(fs::read_dir(&moved).unwrap().count(), 0);
}

fn folder_removed() {
    let (_kept, above) = folder();
    let folder = above.join("run");
    let one = announcement();
    let mut publication = Publication::publish(&folder, &one).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let error = publication.update(&one).unwrap_err();
    assert!(matches!(
        error,
        PublishError::Folder(RuntimeFolderError::Failed { .. })
    ));
    assert!(!folder.exists(), "not made again behind the user's back");
    let _anew = Publication::publish(&folder, &one).unwrap();
    drop(publication);
    assert_eq!(
        find(&folder).servers,
        [one],
        "the old one removes only its own"
    );
}
