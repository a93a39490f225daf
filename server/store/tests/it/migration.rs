//! A state of the version before: nothing of it is lost, its chain holds, and
//! what came with the new version is there.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Barrier;
use std::{fs, thread};

use countersign_core::agent::Agent;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::state::StateStore as _;
use countersign_store::{Filter, Store};

use crate::support::{Folder, count};

const VERSION_2: &str = include_str!("../data/version-2.sql");

/// The head that the countersign of that time printed.
const HEAD: (i64, &str) = (
    4,
    "a400473b3d88d5e96f6f6264982e8c4192cc7256efb8eada184b7fd20ea32c32",
);

fn old() -> Folder {
    let folder = Folder::quick();
    fs::create_dir(&folder.dir).unwrap();
    fs::set_permissions(&folder.dir, fs::Permissions::from_mode(0o700)).unwrap();
    folder.attack(VERSION_2);
    folder.attack("PRAGMA journal_mode = WAL");
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

#[test]
fn an_older_state_goes_on() {
    let folder = old();
    let head = (HEAD.0, Digest::from_hex(HEAD.1).unwrap());
    let store = Store::open(&folder.dir).unwrap();
    assert_eq!(store.verify_against(head).unwrap().rows, 4);
    let asked = Filter {
        decision: Some("ask".to_owned()),
        reason: Some("approval_mode".to_owned()),
        ..Filter::default()
    };
    let rows = store.journal(&asked).unwrap();
    let subjects: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.record.subject.as_deref())
        .collect();
    assert_eq!(
        subjects,
        [
            "trellis build 1",
            "trellis build 2",
            "trellis build 3",
            "trellis build 4"
        ]
    );
    let call = rows[2].record.call.clone().unwrap();
    assert_eq!(store.calls_of(&call[..6], 9).unwrap(), [call]);
    assert_eq!(store.calls_of("toolu_02", 9).unwrap().len(), 1);
    let statistics = store.statistics(None, None).unwrap();
    assert_eq!((statistics.all.calls, statistics.all.asked), (4, 4));
    let key = SessionKey {
        agent: Agent::ClaudeCode,
        session: "north".to_owned(),
        subagent: None,
    };
    assert!(store.snapshot(&key).unwrap().is_some());

    count(&store, "later").unwrap();
    drop(store);
    let store = Store::open(&folder.dir).unwrap();
    assert_eq!(store.verify_against(head).unwrap().rows, 5);
}

#[test]
fn processes_that_find_an_older_state_at_once_bring_it_up_to_date_once() {
    let folder = old();
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (folder, together) = (&folder, &together);
            scope.spawn(move || {
                together.wait();
                let store = Store::open(&folder.dir).unwrap();
                count(&store, &format!("c{number}")).unwrap();
            });
        }
    });
    let store = Store::open(&folder.dir).unwrap();
    assert_eq!(store.verify().unwrap().rows, 12);
    assert_eq!(store.calls_of("c", 99).unwrap().len(), 8);
}
