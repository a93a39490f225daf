//! Disks that are full or read-only: reading goes on, writing says why not.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::Utf8Path;
use countersign_store::Store;

use crate::support::Folder;
use crate::worker::{NOBODY, as_ordinary_user, behind, command, succeeded};

/// The limit is below what the log needs but not below what its index needs.
#[test]
fn a_log_that_cannot_grow_is_unwritable() {
    let folder = Folder::new();
    Store::open(&folder.dir).unwrap();
    let script = "trap '' XFSZ; ulimit -f 160; exec \"$@\"";
    succeeded(
        &behind(&["env"], script, "limited:", &folder.dir)
            .output()
            .unwrap(),
    );
}

/// Not even the log's index can be made.
#[test]
fn where_no_file_can_grow_the_state_can_be_read() {
    let folder = Folder::new();
    succeeded(&command("count:3", &folder.dir).output().unwrap());
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    succeeded(
        &behind(&["env"], script, "readable:3", &folder.dir)
            .output()
            .unwrap(),
    );
}

#[test]
fn a_state_that_becomes_writable_is_written() {
    let folder = Folder::new();
    succeeded(&command("count:3", &folder.dir).output().unwrap());
    let script = "trap '' XFSZ; ulimit -S -f 1; exec \"$@\"";
    succeeded(
        &behind(&["env"], script, "recovers:", &folder.dir)
            .output()
            .unwrap(),
    );
}

/// A mount of its own, in a namespace of its own; not everywhere permitted.
pub(crate) fn unshare() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "-m"], &["unshare", "-rm"]];
    ways.into_iter().find(|way| {
        let (program, arguments) = way.split_first().unwrap();
        let probe = "mount -t tmpfs none /tmp";
        let status = Command::new(program)
            .args(arguments)
            .args(["sh", "-c", probe])
            .output();
        status.is_ok_and(|output| output.status.success())
    })
}

#[test]
fn a_full_disk_is_unwritable_until_it_has_room() {
    let Some(unshare) = unshare() else {
        eprintln!("skipped: mounting is not permitted here");
        return;
    };
    let folder = Folder::new();
    std::fs::create_dir(&folder.dir).unwrap();
    let script = "mount -t tmpfs -o size=1m,mode=700 none \"$DIR\" && exec \"$@\"";
    succeeded(
        &behind(unshare, script, "full:", &folder.dir)
            .output()
            .unwrap(),
    );
}

#[test]
fn a_read_only_file_system_can_be_read() {
    let Some(unshare) = unshare() else {
        eprintln!("skipped: mounting is not permitted here");
        return;
    };
    let folder = Folder::new();
    succeeded(&command("count:4", &folder.dir).output().unwrap());
    let script =
        "mount --bind \"$DIR\" \"$DIR\" && mount -o remount,ro,bind \"$DIR\" && exec \"$@\"";
    succeeded(
        &behind(unshare, script, "readable:4", &folder.dir)
            .output()
            .unwrap(),
    );
}

/// Files and folder without write permission; with and without the log.
#[test]
fn a_read_only_folder_can_be_read() {
    for keeps_log in [true, false] {
        let folder = Folder::new();
        succeeded(&command("count:5", &folder.dir).output().unwrap());
        if !keeps_log {
            // Closing the last plain connection folds the log in and removes it.
            folder.attack("SELECT * FROM journal");
            assert!(!Utf8Path::new(&format!("{}-wal", folder.file())).exists());
        }
        for entry in std::fs::read_dir(&folder.dir).unwrap() {
            lock(&entry.unwrap().path(), 0o400);
        }
        lock(folder.dir.as_std_path(), 0o500);
        let output = as_ordinary_user("readable:5", &folder);
        // So that the folder can be removed again.
        std::fs::set_permissions(&folder.dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        succeeded(&output);
    }
}

pub(crate) fn lock(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}
