//! The grouped store beside other processes on the same file.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use countersign_core::state::{Record, StateStore};
use countersign_store::{Filter, GroupedStore, Store};

use crate::support::{Folder, allow, calls_in, count, counted, key, record};
use crate::worker::{command, succeeded};

#[test]
fn counters_of_several_processes_lose_nothing() {
    const PROCESSES: u32 = 3;
    const COUNTS: u32 = 25;
    let folder = Folder::new();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    let children: Vec<Child> = (0..PROCESSES)
        .map(|_| {
            command(&format!("count:{COUNTS}"), &folder.dir)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let running = AtomicBool::new(true);
    let (counts, allows) = (AtomicU32::new(1), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (grouped, running, counts, allows) = (&grouped, &running, &counts, &allows);
            scope.spawn(move || {
                for number in 0_u32.. {
                    if !running.load(Ordering::Relaxed) {
                        break;
                    }
                    allow(grouped, "s", &format!("allow {thread} {number}")).unwrap();
                    allows.fetch_add(1, Ordering::Relaxed);
                    if number % 7 == 0 {
                        count(grouped, &format!("count {thread} {number}")).unwrap();
                        counts.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for child in children {
            let output = child.wait_with_output().unwrap();
            running.store(false, Ordering::Relaxed);
            succeeded(&output);
        }
    });
    let counts = counts.into_inner() + PROCESSES * COUNTS;
    assert_eq!(counted(&grouped), counts);
    drop(grouped);
    let plain = Store::open(&folder.dir).unwrap();
    assert_eq!(counted(&plain), counts);
    assert_eq!(
        plain.verify().unwrap().rows,
        u64::from(counts + allows.into_inner())
    );
}

/// Counts unless the cap is reached, and says whether it did.
fn count_below(store: &dyn StateStore, cap: u32) -> bool {
    let mut counted = false;
    store
        .transition(&mut |transaction| {
            counted = false;
            let Some(mut state) = transaction.session(&key("s"))? else {
                return Ok(());
            };
            if state.counters.total_block < cap {
                state.counters.total_block += 1;
                counted = true;
                transaction.put_session(&state)?;
            }
            Ok(())
        })
        .unwrap();
    counted
}

#[test]
fn nobody_slips_under_a_cap() {
    const CAP: u32 = 120;
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    let plain = Store::open(&folder.dir).unwrap();
    let granted = AtomicU32::new(1);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (plain, grouped, granted) = (&plain, &grouped, &granted);
            scope.spawn(move || {
                let store: &dyn StateStore = if thread % 2 == 0 { plain } else { grouped };
                for number in 0..CAP {
                    if count_below(store, CAP) {
                        granted.fetch_add(1, Ordering::Relaxed);
                    }
                    allow(grouped, "s", &format!("{thread} {number}")).unwrap();
                }
            });
        }
    });
    assert_eq!(granted.into_inner(), CAP);
    grouped.flush().unwrap();
    assert_eq!((counted(&plain), counted(&grouped)), (CAP, CAP));
    plain.verify().unwrap();
}

/// What others committed is known to the very next transition.
#[test]
fn the_next_transition_knows_what_others_did() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    let plain = Store::open(&folder.dir).unwrap();
    count(&plain, "begins").unwrap();
    for round in 1..40_u32 {
        allow(&grouped, "s", &round.to_string()).unwrap();
        assert_eq!(counted(&grouped), round);
        count(&plain, &format!("plain {round}")).unwrap();
        assert_eq!(counted(&grouped), round + 1);
        // What waited did not undo it.
        grouped.flush().unwrap();
        assert_eq!(counted(&plain), round + 1);
    }
    let rows = calls_in(plain.journal(&Filter::default()).unwrap());
    assert_eq!(rows.len(), 79);
    plain.verify().unwrap();
}

#[test]
fn only_others_changes_are_told() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    let before = grouped.changes_by_others().unwrap();
    for number in 0..20 {
        allow(&grouped, "s", &number.to_string()).unwrap();
        count(&grouped, &number.to_string()).unwrap();
        allow(&grouped, "s", &format!("{number} again")).unwrap();
        grouped.flush().unwrap();
    }
    assert_eq!(grouped.changes_by_others().unwrap(), before);
    let (seq, _) = grouped.head().unwrap();
    count(&Store::open(&folder.dir).unwrap(), "by another").unwrap();
    let after = grouped.changes_by_others().unwrap();
    assert_ne!(after, before);
    assert_eq!(
        calls_in(grouped.rows_after(seq, 10).unwrap()),
        ["by another"]
    );
    assert_eq!(grouped.changes_by_others().unwrap(), after);
}

#[test]
fn folding_the_log_in_is_nobody_elses_write() {
    let folder = Folder::new();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    let log = format!("{}-wal", folder.file());
    let length = || std::fs::metadata(&log).map_or(0, |log| log.len());
    allow(&grouped, "s", "first").unwrap();
    grouped.flush().unwrap();
    let before = grouped.changes_by_others().unwrap();
    // More than a server lets the log grow to.
    let mut longest = 0;
    for number in 0.. {
        let row = Record {
            detail: Some("x".repeat(256 * 1024)),
            ..record(&format!("c{number}"))
        };
        grouped
            .transition(&mut |transaction| transaction.append(&row))
            .unwrap();
        grouped.flush().unwrap();
        if length() < longest {
            break;
        }
        longest = length();
        assert!(number < 1_000, "the log is {longest} bytes long");
    }
    assert!(longest > 8 * 1024 * 1024, "{longest}");
    assert_eq!(grouped.changes_by_others().unwrap(), before);
    // And what others write is still seen.
    let other = Store::open(&folder.dir).unwrap();
    count(&other, "other").unwrap();
    assert_eq!(counted(&grouped), 1);
    assert!(grouped.changes_by_others().unwrap() > before);
}
