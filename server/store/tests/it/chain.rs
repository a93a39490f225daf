//! What the hash chain finds, and what only an anchor does.

use countersign_core::call::Digest;
use countersign_core::state::{RecordKind, StateStore as _};
use countersign_store::{ChainFault, Filter, Store, VerifyError};

use crate::support::{Folder, count, record};

const ROWS: i64 = 10;

fn journal(name: &str) -> Folder {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    (1..=ROWS).for_each(|row| count(&store, &format!("{name}-{row}")).unwrap());
    folder
}

#[track_caller]
fn finds(folder: &Folder, seq: i64, what: &ChainFault) {
    match Store::open(&folder.dir).unwrap().verify() {
        Err(VerifyError::Chain(error)) => {
            assert_eq!((error.seq, &error.what), (seq, what));
            assert!(error.to_string().contains(&seq.to_string()));
        }
        other => panic!("not found: {other:?}"),
    }
}

fn anchored(folder: &Folder, anchor: (i64, Digest)) -> Option<(i64, ChainFault)> {
    match Store::open(&folder.dir).unwrap().verify_against(anchor) {
        Err(VerifyError::Chain(error)) => Some((error.seq, error.what)),
        Ok(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_untouched_journal_verifies() {
    let folder = journal("a");
    let store = Store::open(&folder.dir).unwrap();
    let mut seen = Vec::new();
    let verified = store
        .verify_with(None, &mut |rows| seen.push(rows))
        .unwrap();
    assert_eq!(
        (verified.rows, verified.head, verified.anchors),
        (10, store.head().unwrap(), 0)
    );
    assert_eq!(seen, (1..=10).collect::<Vec<u64>>());
    assert_eq!(
        store
            .journal(&Filter::default())
            .unwrap()
            .last()
            .unwrap()
            .hash,
        verified.head.1
    );
    assert_eq!(
        Store::open(&Folder::quick().dir)
            .unwrap()
            .verify()
            .unwrap()
            .rows,
        0
    );
}

#[test]
fn every_column_is_in_the_chain() {
    for column in [
        "time",
        "kind",
        "agent",
        "session",
        "subagent",
        "call",
        "agent_call",
        "tool",
        "decision",
        "reason",
        "body",
        "hash",
        "prev_hash",
    ] {
        for value in ["'x'", "zeroblob(32)", "7"] {
            let folder = journal("a");
            folder.attack(&format!(
                "UPDATE journal SET {column} = {value} WHERE seq = 4"
            ));
            finds(&folder, 4, &ChainFault::Edited);
        }
    }
    // An empty text is not the same as none.
    let folder = journal("a");
    folder.attack("UPDATE journal SET tool = '' WHERE seq = 4");
    finds(&folder, 4, &ChainFault::Edited);
}

#[test]
fn missing_and_moved_rows_are_found() {
    let folder = journal("a");
    folder.attack("DELETE FROM journal WHERE seq IN (4, 5)");
    finds(&folder, 6, &ChainFault::Gap(4));

    let folder = journal("a");
    folder.attack(
        "UPDATE journal SET seq = -1 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 5;
         UPDATE journal SET seq = 5 WHERE seq = -1",
    );
    finds(&folder, 4, &ChainFault::Edited);

    let folder = journal("a");
    folder.attack("DELETE FROM journal WHERE seq < 4");
    finds(&folder, 4, &ChainFault::Unaccounted);

    let folder = journal("a");
    folder.attack("DELETE FROM journal WHERE seq > 8");
    finds(&folder, 8, &ChainFault::Truncated);

    let folder = journal("a");
    folder.attack("DELETE FROM journal");
    finds(&folder, 0, &ChainFault::Truncated);
}

/// A row from another journal is right in itself and does not follow.
#[test]
fn a_row_from_another_journal_is_found() {
    let (folder, other) = (journal("a"), journal("b"));
    folder.attack(&format!(
        "ATTACH '{}' AS other; DELETE FROM journal WHERE seq = 4;
         INSERT INTO journal SELECT * FROM other.journal WHERE seq = 4",
        other.file()
    ));
    finds(&folder, 4, &ChainFault::Unlinked);
}

#[test]
fn only_an_anchor_finds_a_journal_that_was_replaced() {
    let (folder, other) = (journal("a"), journal("b"));
    let head = Store::open(&folder.dir).unwrap().head().unwrap();
    assert_eq!(anchored(&folder, head), None);
    count(&Store::open(&folder.dir).unwrap(), "later").unwrap();
    assert_eq!(anchored(&folder, head), None);
    assert_eq!(anchored(&other, head), Some((10, ChainFault::NotTheAnchor)));

    // Shortened with everything that belongs to it.
    let folder = journal("a");
    let head = Store::open(&folder.dir).unwrap().head().unwrap();
    folder.attack(
        "DELETE FROM journal WHERE seq > 8;
         UPDATE journal_head SET seq = 8, hash = (SELECT hash FROM journal WHERE seq = 8)",
    );
    assert!(Store::open(&folder.dir).unwrap().verify().is_ok());
    assert_eq!(anchored(&folder, head), Some((8, ChainFault::Truncated)));
}

#[test]
fn pruning_leaves_a_chain_that_goes_on() {
    let folder = journal("a");
    let store = Store::open(&folder.dir).unwrap();
    let hashes: Vec<Digest> = store
        .journal(&Filter::default())
        .unwrap()
        .iter()
        .map(|row| row.hash)
        .collect();
    assert_eq!(store.prune(None, Some(6), 50).unwrap(), 4);
    let verified = store.verify().unwrap();
    assert_eq!(
        (verified.rows, verified.anchors, verified.head.0),
        (7, 1, 11)
    );
    let anchors = store
        .journal(&Filter {
            kind: Some(RecordKind::Anchor),
            ..Filter::default()
        })
        .unwrap();
    assert_eq!(
        (anchors.len(), anchors[0].seq, anchors[0].record.time),
        (1, 11, 50)
    );

    // Heads from before: of a row that stays, of the last that went, of one before it.
    assert_eq!(anchored(&folder, (7, hashes[6])), None);
    assert_eq!(anchored(&folder, (4, hashes[3])), None);
    assert_eq!(
        anchored(&folder, (4, hashes[2])),
        Some((4, ChainFault::NotTheAnchor))
    );
    assert_eq!(
        anchored(&folder, (3, hashes[2])),
        Some((3, ChainFault::AnchorRemoved))
    );

    // Again, over the first anchor row, and then everything.
    count(&store, "later").unwrap();
    assert_eq!(store.prune(None, Some(1), 60).unwrap(), 7);
    assert_eq!(store.verify().unwrap().rows, 2);
    assert_eq!(store.prune(Some(1000), None, 70).unwrap(), 2);
    assert_eq!(
        (store.verify().unwrap().rows, store.head().unwrap().0),
        (1, 14)
    );

    // What somebody else removed is not accounted for by our anchors.
    (0..5).for_each(|_| count(&store, "x").unwrap());
    folder.attack("DELETE FROM journal WHERE seq < 16");
    finds(&folder, 16, &ChainFault::Unaccounted);
}

#[test]
fn pruning_by_age_removes_only_the_beginning() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    for time in [10, 20, 30, 15, 40] {
        let mut row = record("x");
        row.time = time;
        store
            .transition(&mut |transaction| transaction.append(&row))
            .unwrap();
    }
    assert_eq!(store.prune(Some(10), Some(5), 50).unwrap(), 0);
    assert_eq!(
        store.head().unwrap().0,
        5,
        "nothing to remove leaves no anchor"
    );
    assert_eq!(store.prune(Some(25), None, 50).unwrap(), 2);
    let times: Vec<i64> = store
        .journal(&Filter::default())
        .unwrap()
        .iter()
        .map(|row| row.record.time)
        .collect();
    assert_eq!(times, [30, 15, 40, 50]);
    store.verify().unwrap();
}

#[test]
fn the_journal_stays_within_its_limits() {
    const LIMIT: u64 = 400 * 1024;
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    for time in 0..100 {
        let mut row = record(&"x".repeat(8 * 1024));
        row.time = time;
        store
            .transition(&mut |transaction| transaction.append(&row))
            .unwrap();
    }
    assert_eq!(store.retain(1_000, 10 * LIMIT, 100).unwrap(), 0);
    // By age: what is older than 70 of 100.
    assert_eq!(store.retain(70, 10 * LIMIT, 100).unwrap(), 30);
    // By size, and then no more.
    let removed = store.retain(1_000, LIMIT, 100).unwrap();
    assert!((1..70).contains(&removed), "{removed}");
    assert_eq!(store.retain(1_000, LIMIT, 100).unwrap(), 0);
    store.verify().unwrap();
}
