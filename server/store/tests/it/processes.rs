//! Many processes, and processes that are killed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use countersign_store::{Filter, Store};

use crate::support::{Folder, count, counted};
use crate::worker::{command, succeeded};

#[test]
fn ten_processes_at_once_lose_nothing() {
    const PROCESSES: u32 = 10;
    const COUNTS: u32 = 30;
    let folder = Folder::new();
    // The state does not exist yet: they also race to create it.
    let children: Vec<Child> = (0..PROCESSES)
        .map(|_| {
            command(&format!("count:{COUNTS}"), &folder.dir)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        succeeded(&child.wait_with_output().unwrap());
    }
    let store = Store::open(&folder.dir).unwrap();
    assert_eq!(counted(&store), PROCESSES * COUNTS);
    assert_eq!(store.verify().unwrap().rows, u64::from(PROCESSES * COUNTS));
    let rows = store.journal(&Filter::default()).unwrap();
    let calls: BTreeSet<String> = rows.into_iter().filter_map(|row| row.record.call).collect();
    assert_eq!(calls.len() as u32, PROCESSES * COUNTS);
    // No drafts of the database are left.
    let files = std::fs::read_dir(&folder.dir).unwrap().count();
    assert!(files <= 3, "{files} files");
}

#[test]
fn threads_with_one_store_lose_nothing() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| count(&store, "x").unwrap()));
        }
    });
    assert_eq!(counted(&store), 100);
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = Folder::new();
    let mut acknowledged = BTreeSet::new();
    for (round, wanted) in [1, 3, 10, 40].into_iter().enumerate() {
        let mut children: Vec<Child> = (0..2)
            .map(|name| {
                command(&format!("endless:{round}.{name}"), &folder.dir)
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut pipes: Vec<_> = children
            .iter_mut()
            .map(|child| BufReader::new(child.stdout.take().unwrap()).lines())
            .collect();
        let mut take = |line: String| {
            line.strip_prefix("ack ")
                .map(|call| acknowledged.insert(call.to_owned()))
                .is_some()
        };
        for pipe in &mut pipes {
            let acks = pipe
                .by_ref()
                .map(|line| take(line.unwrap()))
                .filter(|ack| *ack);
            assert_eq!(acks.take(wanted).count(), wanted);
        }
        for child in &mut children {
            child.kill().unwrap();
        }
        // What they acknowledged until the kill reached them.
        for pipe in pipes {
            pipe.map_while(Result::ok).for_each(|line| {
                take(line);
            });
        }
        for mut child in children {
            child.wait().unwrap();
        }
        let store = Store::open(&folder.dir).unwrap();
        let rows = store.journal(&Filter::default()).unwrap();
        let verified = store.verify().unwrap();
        assert_eq!(verified.rows, rows.len() as u64);
        // Counters and journal are of the same transactions.
        assert_eq!(counted(&store) as usize, rows.len());
        let kept: BTreeSet<String> = rows.into_iter().filter_map(|row| row.record.call).collect();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "lost {lost:?}");
    }
}

#[test]
fn a_draft_that_was_left_behind_disturbs_nobody() {
    let folder = Folder::new();
    std::fs::create_dir(&folder.dir).unwrap();
    std::fs::write(format!("{}.1-1.new", folder.file()), "half").unwrap();
    count(&Store::open(&folder.dir).unwrap(), "x").unwrap();
    assert_eq!(counted(&Store::open(&folder.dir).unwrap()), 1);
}

/// The log is folded in while the state is used and never when it is closed:
/// it stays bounded all the same, also where each process lives for one call.
#[test]
fn the_log_stays_small() {
    let folder = Folder::quick();
    let log = format!("{}-wal", folder.file());
    let mut longest = 0;
    for _ in 0..400 {
        count(&Store::open(&folder.dir).unwrap(), "x").unwrap();
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!((1..2 << 20).contains(&longest), "{longest} bytes");
    let store = Store::open(&folder.dir).unwrap();
    (0..400).for_each(|_| count(&store, "x").unwrap());
    let length = std::fs::metadata(&log).unwrap().len();
    assert!(length < 2 << 20, "{length} bytes");
}
