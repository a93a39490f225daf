//! Files and folders that are not what they must be.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::Utf8Path;
use countersign_store::Store;

use crate::support::{Folder, count, counted, unreadable};
use crate::worker::{NOBODY, behind, succeeded};

fn mode(path: &Utf8Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Utf8Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn existing() -> Folder {
    let folder = Folder::quick();
    count(&Store::open(&folder.dir).unwrap(), "x").unwrap();
    folder
}

#[test]
fn what_is_created_is_private_whatever_the_umask() {
    for umask in ["000", "022", "777"] {
        let folder = Folder::new();
        let script = format!("umask {umask}; exec \"$@\"");
        succeeded(
            &behind(&["env"], &script, "count:2", &folder.dir)
                .output()
                .unwrap(),
        );
        assert_eq!(mode(&folder.dir), 0o700, "umask {umask}");
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", folder.file());
            assert_eq!(mode(Utf8Path::new(&file)), 0o600, "umask {umask}: {file}");
        }
    }
}

#[test]
fn what_others_may_read_is_closed() {
    let folder = existing();
    set_mode(&folder.dir, 0o755);
    set_mode(&folder.file(), 0o644);
    assert_eq!(counted(&Store::open(&folder.dir).unwrap()), 1);
    assert_eq!((mode(&folder.dir), mode(&folder.file())), (0o700, 0o600));
}

#[test]
fn what_others_may_write_is_refused() {
    let folder = existing();
    set_mode(&folder.file(), 0o660);
    unreadable(Store::open(&folder.dir), &[folder.file().as_str(), "chmod"]);
    set_mode(&folder.file(), 0o600);
    set_mode(&folder.dir, 0o707);
    unreadable(Store::open(&folder.dir), &[folder.dir.as_str(), "chmod"]);
}

#[test]
fn links_are_refused() {
    let folder = existing();
    let other = folder.dir.with_file_name("other");
    symlink(&folder.dir, &other).unwrap();
    for path in [other.clone(), other.join("")] {
        unreadable(Store::open(&path), &[other.as_str(), "symbolic link"]);
    }

    let moved = folder.dir.join("moved");
    fs::rename(folder.file(), &moved).unwrap();
    symlink(&moved, folder.file()).unwrap();
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "symbolic link"],
    );

    fs::remove_file(folder.file()).unwrap();
    fs::hard_link(&moved, folder.file()).unwrap();
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "hard links"],
    );
}

/// A link above the folder is nobody's business: home folders are often links.
#[test]
fn a_link_above_the_folder_is_followed() {
    let folder = existing();
    let above = folder.dir.parent().unwrap().join("above");
    symlink(folder.dir.parent().unwrap(), &above).unwrap();
    assert_eq!(counted(&Store::open(&above.join("state")).unwrap()), 1);
}

#[test]
fn other_things_are_refused() {
    let folder = Folder::quick();
    fs::create_dir_all(folder.file()).unwrap();
    set_mode(&folder.file(), 0o700);
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "regular file"],
    );

    let folder = Folder::quick();
    fs::write(&folder.dir, "").unwrap();
    unreadable(
        Store::open(&folder.dir),
        &[folder.dir.as_str(), "not a folder"],
    );
}

#[test]
fn what_belongs_to_others_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let folder = existing();
    std::os::unix::fs::chown(folder.file(), Some(NOBODY), None).unwrap();
    unreadable(Store::open(&folder.dir), &[folder.file().as_str(), "12345"]);
    std::os::unix::fs::chown(folder.file(), Some(0), None).unwrap();
    std::os::unix::fs::chown(&folder.dir, Some(NOBODY), None).unwrap();
    unreadable(Store::open(&folder.dir), &[folder.dir.as_str(), "12345"]);
}

/// Folds the log in, so that the file is everything.
fn folded() -> Folder {
    let folder = existing();
    let store = Store::open(&folder.dir).unwrap();
    (0..200).for_each(|_| count(&store, "x").unwrap());
    drop(store);
    folder.attack("PRAGMA wal_checkpoint(TRUNCATE)");
    folder
}

/// Opening or using it fails as unreadable, and leaves the file as it is.
#[track_caller]
fn damaged(folder: &Folder) {
    let before = fs::read(folder.file()).unwrap();
    let used = Store::open(&folder.dir).and_then(|store| count(&store, "y"));
    unreadable(used, &[folder.file().as_str(), "move it away"]);
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[test]
fn damage_is_reported_and_left_alone() {
    for length in [0, 1, 100, 5000, 20_000] {
        let folder = folded();
        let file = fs::OpenOptions::new()
            .write(true)
            .open(folder.file())
            .unwrap();
        assert!(file.metadata().unwrap().len() > length);
        file.set_len(length).unwrap();
        damaged(&folder);
    }

    let folder = folded();
    let length = fs::metadata(folder.file()).unwrap().len() as usize;
    fs::write(folder.file(), vec![b'x'; length]).unwrap();
    set_mode(&folder.file(), 0o600);
    damaged(&folder);

    // The pages behind the first.
    let folder = folded();
    let mut bytes = fs::read(folder.file()).unwrap();
    bytes[4096..].fill(0xff);
    fs::write(folder.file(), bytes).unwrap();
    damaged(&folder);
}

#[test]
fn a_row_that_cannot_be_decoded_is_damage() {
    let folder = existing();
    folder.attack("UPDATE sessions SET body = '{}'");
    let used = Store::open(&folder.dir).and_then(|store| count(&store, "y"));
    unreadable(used, &[folder.file().as_str(), "damaged"]);
}

#[test]
fn foreign_and_newer_databases_are_refused() {
    let folder = existing();
    folder.attack("PRAGMA user_version = 99");
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "newer", "99", "update countersign"],
    );
    folder.attack("PRAGMA user_version = 1; PRAGMA application_id = 7");
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "not a database of countersign's"],
    );

    let folder = Folder::quick();
    fs::create_dir(&folder.dir).unwrap();
    folder.attack("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    set_mode(&folder.file(), 0o600);
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "not a database of countersign's"],
    );
}

#[test]
fn a_file_that_is_swapped_while_in_use_is_noticed() {
    let folder = existing();
    let store = Store::open(&folder.dir).unwrap();
    let moved = folder.dir.join("moved");
    fs::rename(folder.file(), &moved).unwrap();
    unreadable(
        count(&store, "y"),
        &[folder.file().as_str(), "removed or replaced"],
    );
    fs::copy(&moved, folder.file()).unwrap();
    unreadable(
        count(&store, "y"),
        &[folder.file().as_str(), "removed or replaced"],
    );
}

#[test]
fn a_log_without_its_database_is_no_beginning() {
    let folder = existing();
    fs::remove_file(folder.file()).unwrap();
    unreadable(
        Store::open(&folder.dir),
        &[folder.file().as_str(), "-wal", "move the log away"],
    );
    assert!(!folder.file().exists());
}

#[test]
fn a_trigger_that_was_planted_does_nothing() {
    let folder = existing();
    folder.attack("CREATE TRIGGER t AFTER INSERT ON journal BEGIN DELETE FROM sessions; END");
    let store = Store::open(&folder.dir).unwrap();
    count(&store, "y").unwrap();
    assert_eq!(counted(&store), 2);
}
