//! The grouped store when it is killed, and when nothing can be written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use countersign_core::state::{RecordKind, StateError, StateStore};
use countersign_store::{Filter, GroupedStore, Store};
use rustix::process::{Resource, Rlimit};

use crate::disk::{lock, unshare};
use crate::support::{Folder, allow, calls_in, count, counted, eventually};
use crate::worker::{as_ordinary_user, behind, command, refused, succeeded};

/// Counts and allows until it is killed, and says each time that it did.
pub(crate) fn endless(dir: &Utf8Path, name: &str) {
    let store = GroupedStore::open(dir).unwrap();
    let mut out = std::io::stdout();
    for number in 0_u64.. {
        let (kind, call) = if number % 10 == 0 {
            ("count", format!("{name}-{number:06}-count"))
        } else {
            ("allow", format!("{name}-{number:06}-allow"))
        };
        if kind == "count" {
            count(&store, &call).unwrap();
        } else {
            allow(&store, "s", &call).unwrap();
        }
        let said = writeln!(out, "ack {call}").and_then(|()| out.flush());
        if said.is_err() {
            return;
        }
    }
}

#[test]
fn what_may_not_wait_survives_kill_9_and_of_the_rest_a_beginning() {
    let folder = Folder::new();
    for (round, wanted) in [1, 12, 300].into_iter().enumerate() {
        let mut children: Vec<_> = (0..2)
            .map(|name| {
                command(&format!("grouped_endless:{round}.{name}"), &folder.dir)
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut acknowledged: Vec<String> = Vec::new();
        let mut pipes: Vec<_> = children
            .iter_mut()
            .map(|child| BufReader::new(child.stdout.take().unwrap()).lines())
            .collect();
        let call = |line: String| line.strip_prefix("ack ").map(str::to_owned);
        for pipe in &mut pipes {
            let calls = pipe.by_ref().filter_map(|line| call(line.unwrap()));
            acknowledged.extend(calls.take(wanted));
        }
        for child in &mut children {
            child.kill().unwrap();
        }
        for pipe in pipes {
            acknowledged.extend(pipe.map_while(Result::ok).filter_map(call));
        }
        for mut child in children {
            child.wait().unwrap();
        }
        let store = Store::open(&folder.dir).unwrap();
        store.verify().unwrap();
        let rows = calls_in(store.journal(&Filter::default()).unwrap());
        let counts = rows.iter().filter(|call| call.ends_with("count")).count();
        assert_eq!(counted(&store) as usize, counts);
        let kept: BTreeSet<&String> = rows.iter().collect();
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|call| call.ends_with("count") && !kept.contains(call))
            .collect();
        assert!(lost.is_empty(), "lost {lost:?}");
        // Nothing is missing in between.
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let mut parts = row.split('-');
            let next = numbers.entry(parts.next().unwrap()).or_default();
            assert_eq!(parts.next().unwrap().parse::<usize>().unwrap(), *next);
            *next += 1;
        }
    }
}

/// The disk is full, and later has room again.
pub(crate) fn full(dir: &Utf8Path) {
    let store = GroupedStore::open(dir).unwrap();
    count(&store, "before").unwrap();
    let filler = dir.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut file).unwrap_err();
    let mut allows = 0_u32;
    let error = loop {
        match allow(&store, "s", &format!("while {allows:06}")) {
            Ok(()) => allows += 1,
            Err(error) => break error,
        }
    };
    refused(Err(error), dir);
    // From now on nothing is allowed on the word of a state that is not kept.
    refused(count(&store, "refused"), dir);
    refused(allow(&store, "s", "refused"), dir);
    assert!(store.degraded().unwrap().contains(dir.as_str()));
    // It can be read, with all that was acknowledged in memory.
    assert_eq!(counted(&store), 1);
    store.journal(&Filter::default()).unwrap();
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    eventually("it can be written", || store.degraded().is_none());
    count(&store, "after").unwrap();
    assert_eq!(counted(&store), 2);
    let rows = store.journal(&Filter::default()).unwrap();
    let problems: Vec<String> = rows
        .iter()
        .filter(|row| row.record.kind == RecordKind::Problem)
        .filter_map(|row| row.record.detail.clone())
        .collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("(3 events)"), "{problems:?}");
    // No row that was acknowledged is lost, and the order is kept.
    let calls = calls_in(rows);
    assert_eq!(calls.len() as u32, allows + 2);
    assert!(calls[1..=allows as usize].is_sorted());
    assert_eq!(
        (calls[0].as_str(), calls[calls.len() - 1].as_str()),
        ("before", "after")
    );
    drop(store);
    let plain = Store::open(dir).unwrap();
    assert_eq!(plain.verify().unwrap().rows, u64::from(allows) + 3);
}

#[test]
fn a_full_disk_refuses_all_and_loses_nothing() {
    let Some(unshare) = unshare() else {
        eprintln!("skipped: mounting is not permitted here");
        return;
    };
    let folder = Folder::new();
    std::fs::create_dir(&folder.dir).unwrap();
    let script = "mount -t tmpfs -o size=1m,mode=700 none \"$DIR\" && exec \"$@\"";
    let output = behind(unshare, script, "grouped_full:", &folder.dir).output();
    succeeded(&output.unwrap());
}

/// Everything can be read and nothing written.
pub(crate) fn readable(dir: &Utf8Path) {
    let store = GroupedStore::open(dir).unwrap();
    assert!(store.degraded().is_some());
    refused(count(&store, "x"), dir);
    refused(allow(&store, "s", "x"), dir);
    assert_eq!(counted(&store), 5);
    assert_eq!(store.journal(&Filter::default()).unwrap().len(), 5);
    assert!(matches!(
        store.flush(),
        Ok(()) | Err(StateError::Unwritable(_))
    ));
}

#[test]
fn a_read_only_state_is_read_and_said_to_be_so() {
    let folder = Folder::new();
    succeeded(&command("count:5", &folder.dir).output().unwrap());
    for entry in std::fs::read_dir(&folder.dir).unwrap() {
        lock(&entry.unwrap().path(), 0o400);
    }
    lock(folder.dir.as_std_path(), 0o500);
    let output = as_ordinary_user("grouped_readable:", &folder);
    std::fs::set_permissions(&folder.dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    succeeded(&output);
}

/// What was opened for reading only is written once it can be.
pub(crate) fn recovers(dir: &Utf8Path) {
    let store = GroupedStore::open(dir).unwrap();
    assert!(store.degraded().is_some());
    assert_eq!(counted(&store), 3);
    refused(count(&store, "x"), dir);
    let limit = rustix::process::getrlimit(Resource::Fsize);
    let unlimited = Rlimit {
        current: limit.maximum,
        ..limit
    };
    rustix::process::setrlimit(Resource::Fsize, unlimited).unwrap();
    eventually("it can be written", || store.degraded().is_none());
    count(&store, "x").unwrap();
    assert_eq!(counted(&store), 4);
}

#[test]
fn a_state_that_becomes_writable_is_written_by_a_server() {
    let folder = Folder::new();
    succeeded(&command("count:3", &folder.dir).output().unwrap());
    let script = "trap '' XFSZ; ulimit -S -f 1; exec \"$@\"";
    let output = behind(&["env"], script, "grouped_recovers:", &folder.dir).output();
    succeeded(&output.unwrap());
}

/// Others hold the file for longer than anybody waits: one waits, and the
/// others with it, not after it.
#[test]
fn nobody_waits_longer_than_the_first() {
    let folder = Folder::quick();
    let store = GroupedStore::open(&folder.dir).unwrap();
    count(&store, "begins").unwrap();
    allow(&store, "s", "kept").unwrap();
    store.flush().unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, dir) = (&store, &folder.dir);
            scope.spawn(move || {
                if thread % 2 == 0 {
                    refused(count(store, "x"), dir);
                } else {
                    // Acknowledged for a moment, until what waits waits too long.
                    let error = loop {
                        if let Err(error) = allow(store, "s", "again") {
                            break error;
                        }
                    };
                    refused(Err(error), dir);
                }
            });
        }
    });
    // The patience is 5 s; one after the other, it would be 40.
    assert!(
        since.elapsed() < Duration::from_secs(20),
        "{:?}",
        since.elapsed()
    );
    assert!(store.degraded().unwrap().contains("locked"));
    other.execute_batch("ROLLBACK").unwrap();
    eventually("it can be written", || store.degraded().is_none());
    count(&store, "after").unwrap();
    assert_eq!(counted(&store), 2);
    drop(store);
    Store::open(&folder.dir).unwrap().verify().unwrap();
}

/// A file that was swapped is not written to, and nothing is decided by it.
#[test]
fn a_file_that_is_replaced_decides_nothing() {
    let folder = Folder::quick();
    let store = GroupedStore::open(&folder.dir).unwrap();
    count(&store, "begins").unwrap();
    allow(&store, "s", "before").unwrap();
    store.flush().unwrap();
    std::fs::rename(folder.file(), folder.dir.join("moved")).unwrap();
    for result in [
        allow(&store, "s", "x"),
        count(&store, "x"),
        store.read(&mut |transaction| transaction.set_aside().map(drop)),
    ] {
        assert!(
            matches!(result, Err(StateError::Unreadable(_))),
            "{result:?}"
        );
    }
}
