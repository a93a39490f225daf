//! Baselines and the ledger: the same in SQL, in groups and in memory, and
//! nothing of them is ever lost.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Digest;
use countersign_core::ledger::{
    Author, BaselineBy, InFlight, LedgerEntry, Restless, WorkspaceBaseline, Written,
};
use countersign_core::state::{
    LedgerPart, MOST_ENTRIES, MOST_IN_FLIGHT, Millis, StateError, StateStore, Transaction,
};
use countersign_store::{GroupedStore, MemoryStore, Store};
use proptest::prelude::*;

use crate::port::DAY;
use crate::support::{Folder, allow, count, key};

/// Folders that lie in one another, and names that only begin alike.
const WORKSPACES: [&str; 6] = ["/", "/w", "/w/sub", "/w-evil", "/w/sub/ü", "/w0"];
const PATHS: [&str; 9] = [
    "/w",
    "/w/a",
    "/w/a/b",
    "/w/sub",
    "/w/sub/x",
    "/w-evil/a",
    "/w0",
    "/w/ü",
    "/",
];
const ALL: [Written; 6] = [
    Written::Created,
    Written::Changed,
    Written::Deleted,
    Written::Moved,
    Written::MadeFolder,
    Written::Unbounded,
];

#[derive(Debug, Clone)]
enum Step {
    Baseline {
        workspace: usize,
        repository: Option<u8>,
        since: Millis,
    },
    Entries {
        workspace: usize,
        session: u8,
        call: u8,
        entries: Vec<(usize, usize, Option<u8>)>,
    },
    Confirm(u8),
    Forget(usize),
    TakeOff {
        call: u8,
        session: u8,
        since: Millis,
    },
    Land(u8),
}

fn any_step() -> impl Strategy<Value = Step> {
    let paths = 0..PATHS.len();
    let entry = (paths.clone(), 0..ALL.len(), prop::option::of(0..2_u8));
    prop_oneof![
        1 => (0..WORKSPACES.len(), prop::option::of(0..2_u8), 0..3_i64).prop_map(
            |(workspace, repository, since)| Step::Baseline {
                workspace,
                repository,
                since
            }
        ),
        4 => (0..WORKSPACES.len(), 0..2_u8, 0..4_u8, prop::collection::vec(entry, 0..4)).prop_map(
            |(workspace, session, call, entries)| Step::Entries { workspace, session, call, entries }
        ),
        1 => (0..4_u8).prop_map(Step::Confirm),
        1 => paths.prop_map(Step::Forget),
        1 => (0..4_u8, 0..2_u8, 0..3_i64)
            .prop_map(|(call, session, since)| Step::TakeOff { call, session, since }),
        1 => (0..4_u8).prop_map(Step::Land),
    ]
}

fn baseline(workspace: &str, repository: Option<u8>, since: Millis) -> WorkspaceBaseline {
    WorkspaceBaseline {
        workspace: workspace.into(),
        repository: repository.map(|number| format!("/r{number}").into()),
        commit: Some("a".repeat(40)),
        since,
        by: BaselineBy::FirstSeen,
        head: None,
        looked: since,
        active: 0,
        restless: Some(Restless {
            since,
            why: "it's a \"call\"".to_owned(),
        }),
        marked: false,
    }
}

fn entry(path: &str, session: u8, call: u8, what: Written, content: Option<u8>) -> LedgerEntry {
    LedgerEntry {
        path: path.into(),
        session: key(&session.to_string()),
        call: call.to_string(),
        what,
        since: i64::from(call),
        time: i64::from(call),
        confirmed: false,
        content: content.map(|byte| Digest([byte; 32])),
        why: None,
    }
}

fn put(
    transaction: &mut dyn Transaction,
    workspace: &str,
    entries: &[LedgerEntry],
) -> Result<(), StateError> {
    let by = Author {
        workspace: workspace.into(),
        key: &key("s"),
        call: "overflow",
        now: 7,
    };
    transaction.put_ledger(&by, entries)
}

fn flight(call: &str, session: u8, since: Millis) -> InFlight {
    InFlight {
        call: call.to_owned(),
        key: key(&session.to_string()),
        workspace: "/w".into(),
        process: None,
        since,
        unbounded: false,
        moves_head: true,
    }
}

fn run(transaction: &mut dyn Transaction, step: &Step) -> Result<(), StateError> {
    match step {
        Step::Baseline {
            workspace,
            repository,
            since,
        } => transaction.put_baseline(&baseline(WORKSPACES[*workspace], *repository, *since)),
        Step::Entries {
            workspace,
            session,
            call,
            entries,
        } => {
            let entries: Vec<LedgerEntry> = entries
                .iter()
                .map(|(path, what, content)| {
                    entry(PATHS[*path], *session, *call, ALL[*what], *content)
                })
                .collect();
            put(transaction, WORKSPACES[*workspace], &entries)
        }
        Step::Confirm(call) => transaction.confirm_ledger(&call.to_string()),
        Step::Forget(path) => transaction.forget_ledger(PATHS[*path].into()),
        Step::TakeOff {
            call,
            session,
            since,
        } => transaction.put_in_flight(&flight(&call.to_string(), *session, *since)),
        Step::Land(call) => transaction.end_in_flight(&call.to_string()).map(drop),
    }
}

/// Everything that the port shows.
#[derive(Debug, PartialEq)]
struct Seen {
    baselines: Vec<Option<WorkspaceBaseline>>,
    kin: Vec<Vec<WorkspaceBaseline>>,
    ledger: Vec<LedgerPart>,
    in_flight: Vec<InFlight>,
    of: Vec<InFlight>,
}

fn see(transaction: &mut dyn Transaction) -> Result<Seen, StateError> {
    let mut seen = Seen {
        baselines: Vec::new(),
        kin: Vec::new(),
        ledger: Vec::new(),
        in_flight: transaction.in_flight()?,
        of: transaction.in_flight_of(&key("1"))?,
    };
    for workspace in WORKSPACES.map(Utf8Path::new) {
        seen.baselines.push(transaction.baseline(workspace)?);
        for repository in [None, Some(Utf8Path::new("/r1"))] {
            seen.kin.push(transaction.kin(workspace, repository)?);
        }
    }
    for path in PATHS {
        for limit in [0, 2, usize::MAX] {
            seen.ledger.push(transaction.ledger(path.into(), limit)?);
        }
    }
    Ok(seen)
}

fn seen(store: &dyn StateStore) -> Seen {
    let mut all = None;
    store
        .read(&mut |transaction| {
            all = Some(see(transaction)?);
            Ok(())
        })
        .unwrap();
    all.unwrap()
}

/// What a transition sees that needs nothing but what is in memory.
fn glance(store: &dyn StateStore) -> (Vec<Option<WorkspaceBaseline>>, LedgerPart, Vec<InFlight>) {
    let mut all = None;
    store
        .transition(&mut |transaction| {
            let baselines = WORKSPACES
                .map(|workspace| transaction.baseline(workspace.into()))
                .into_iter()
                .collect::<Result<_, _>>()?;
            let part = transaction.ledger("/".into(), usize::MAX)?;
            all = Some((baselines, part, transaction.in_flight()?));
            Ok(())
        })
        .unwrap();
    all.unwrap()
}

fn ledger(store: &dyn StateStore, under: &str) -> LedgerPart {
    let mut part = None;
    store
        .read(&mut |transaction| {
            part = Some(transaction.ledger(under.into(), usize::MAX)?);
            Ok(())
        })
        .unwrap();
    part.unwrap()
}

fn paths(part: &LedgerPart) -> Vec<&str> {
    part.entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Steps in transitions, some of which fail at their end.
    #[test]
    fn all_stores_keep_the_same_ledger(
        transitions in prop::collection::vec((prop::collection::vec(any_step(), 0..6), any::<bool>()), 0..12)
    ) {
        let folder = Folder::quick();
        let store = Store::open(&folder.dir).unwrap();
        let memory = MemoryStore::new();
        let grouped_folder = Folder::quick();
        let grouped = GroupedStore::open(&grouped_folder.dir).unwrap();
        for (steps, succeeds) in &transitions {
            let all: [&dyn StateStore; 3] = [&store, &memory, &grouped];
            let inside = all.map(|store| {
                let mut inside = None;
                let result = store.transition(&mut |transaction| {
                    // What is read first is what is in memory.
                    transaction.baseline("/w".into())?;
                    steps.iter().try_for_each(|step| run(transaction, step))?;
                    inside = Some(see(transaction)?);
                    if *succeeds { Ok(()) } else { Err(StateError::Unwritable("on purpose".to_owned())) }
                });
                assert_eq!(result.is_ok(), *succeeds);
                inside.unwrap()
            });
            prop_assert_eq!(&inside[0], &inside[1]);
            prop_assert_eq!(&inside[0], &inside[2]);
            prop_assert_eq!(seen(&store), seen(&memory));
            prop_assert_eq!(seen(&store), seen(&grouped));
            prop_assert_eq!(glance(&store), glance(&grouped));
        }
    }

    /// A path that was written once is known for ever: whatever is written
    /// later, whoever opens the state again, and whichever process writes.
    #[test]
    fn no_path_is_ever_forgotten(
        steps in prop::collection::vec((any_step(), 0..3_u8, prop::bool::weighted(0.1)), 0..40)
    ) {
        let folder = Folder::quick();
        let other = Store::open(&folder.dir).unwrap();
        let mut grouped = Some(GroupedStore::open(&folder.dir).unwrap());
        let mut written: BTreeMap<&str, bool> = BTreeMap::new();
        for (step, who, restarts) in &steps {
            if matches!(step, Step::Forget(_)) {
                continue;
            }
            if *restarts {
                drop(grouped.take());
            }
            let server = grouped.get_or_insert_with(|| GroupedStore::open(&folder.dir).unwrap());
            let store: &dyn StateStore = if *who == 0 { &other } else { server };
            store.transition(&mut |transaction| run(transaction, step)).unwrap();
            if let Step::Entries { entries, .. } = step {
                for (path, what, _) in entries {
                    *written.entry(PATHS[*path]).or_default() |= ALL[*what] == Written::Unbounded;
                }
            }
            for reader in [&other as &dyn StateStore, server] {
                let kept = ledger(reader, "/");
                let found: BTreeMap<&str, bool> = kept
                    .entries
                    .iter()
                    .map(|entry| (entry.path.as_str(), entry.what == Written::Unbounded))
                    .collect();
                prop_assert_eq!(&found, &written);
            }
        }
    }
}

#[test]
fn an_entry_is_found_from_every_folder_that_holds_it_and_from_no_other() {
    let store = MemoryStore::new();
    store
        .transition(&mut |transaction| {
            let entries = ["/w/sub/x", "/w-evil/a", "/w/subx", "/w/sub"]
                .map(|path| entry(path, 0, 1, Written::Changed, None));
            // As a call from the inner workspace writes them.
            put(transaction, "/w/sub", &entries)
        })
        .unwrap();
    assert_eq!(
        paths(&ledger(&store, "/w")),
        ["/w/sub", "/w/sub/x", "/w/subx"]
    );
    assert_eq!(paths(&ledger(&store, "/w/sub")), ["/w/sub", "/w/sub/x"]);
    assert_eq!(paths(&ledger(&store, "/w-evil")), ["/w-evil/a"]);
    assert_eq!(ledger(&store, "/").entries.len(), 4);
}

#[test]
fn what_may_be_written_below_a_folder_is_found_from_below() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    store
        .transition(&mut |transaction| {
            let entries = [
                entry("/w", 0, 1, Written::Unbounded, None),
                entry("/w/sub", 0, 1, Written::Changed, None),
            ];
            put(transaction, "/w", &entries)
        })
        .unwrap();
    let part = ledger(&store, "/w/sub/ü");
    assert!(part.entries.is_empty() && part.complete);
    assert_eq!(part.above.len(), 1, "{part:?}");
    assert!(ledger(&store, "/w-evil").above.is_empty());
}

/// Instead of an entry that does not fit there is one that says more.
#[test]
fn a_workspace_with_too_many_paths_counts_as_possibly_written() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    let write = |paths: &[&str]| {
        let entries: Vec<LedgerEntry> = paths
            .iter()
            .map(|path| entry(path, 0, 1, Written::Created, None))
            .collect();
        store
            .transition(&mut |transaction| put(transaction, "/w", &entries))
            .unwrap();
    };
    write(&["/w/a", "/w/b"]);
    folder.attack(&format!(
        "UPDATE ledger_sizes SET entries = {}",
        MOST_ENTRIES - 1
    ));
    write(&["/w/c", "/w/a"]);
    assert!(ledger(&store, "/w").above.is_empty());
    assert_eq!(paths(&ledger(&store, "/w")), ["/w/a", "/w/b", "/w/c"]);
    write(&["/w/d", "/w/a", "/w/e"]);
    let part = ledger(&store, "/w");
    assert_eq!(paths(&part), ["/w", "/w/a", "/w/b", "/w/c"]);
    assert_eq!(part.entries[0].what, Written::Unbounded);
    assert!(part.entries[0].why.as_ref().unwrap().contains("100000"));
}

#[test]
fn calls_in_flight_are_bounded_and_the_oldest_go() {
    let folder = Folder::quick();
    let sql = Store::open(&folder.dir).unwrap();
    let memory = MemoryStore::new();
    for store in [&sql as &dyn StateStore, &memory] {
        let mut kept = Vec::new();
        store
            .transition(&mut |transaction| {
                for number in 0..MOST_IN_FLIGHT as i64 + 5 {
                    transaction.put_in_flight(&flight(&format!("{number:05}"), 0, number))?;
                }
                kept = transaction.in_flight()?;
                Ok(())
            })
            .unwrap();
        assert_eq!(kept.len(), MOST_IN_FLIGHT);
        assert_eq!(kept[0].call, "00005");
    }
}

/// The entry must be there before the call can run.
#[test]
fn an_entry_is_committed_when_it_is_acknowledged_and_a_read_of_the_baseline_may_wait() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    let other = Store::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    grouped
        .transition(&mut |transaction| transaction.put_baseline(&baseline("/w", None, 3)))
        .unwrap();
    for number in 0..20_u8 {
        // Waits, with a look at the baseline.
        allow(&grouped, "s", &format!("read {number}")).unwrap();
        let path = format!("/w/{number}");
        grouped
            .transition(&mut |transaction| {
                assert!(transaction.baseline("/w".into())?.is_some());
                let new = entry(&path, 0, number, Written::Created, None);
                put(transaction, "/w", &[new])
            })
            .unwrap();
        assert_eq!(ledger(&other, &path).entries.len(), 1);
    }
    // Nobody can commit now, and a call that only reads is allowed all the same.
    let blocker = rusqlite::Connection::open(folder.file()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut known = None;
    grouped
        .transition(&mut |transaction| {
            known = transaction.baseline("/w".into())?;
            Ok(())
        })
        .unwrap();
    assert_eq!(known, Some(baseline("/w", None, 3)));
    blocker.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_baseline_that_another_process_sets_is_seen_at_once() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    let other = Store::open(&folder.dir).unwrap();
    for since in 0..20 {
        let set = baseline("/w", None, since);
        other
            .transition(&mut |transaction| transaction.put_baseline(&set))
            .unwrap();
        let mut known = None;
        grouped
            .transition(&mut |transaction| {
                known = transaction.baseline("/w".into())?;
                Ok(())
            })
            .unwrap();
        assert_eq!(known, Some(set));
    }
}

#[test]
fn the_ledger_outlives_the_journal_and_does_not_push_it_out() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    for number in 0..20 {
        count(&store, &number.to_string()).unwrap();
    }
    let name = "a/path/as/long/as/paths/usually/are.rs";
    let entries: Vec<LedgerEntry> = (0..3000)
        .map(|number| entry(&format!("/w/{number}/{name}"), 0, 1, Written::Created, None))
        .collect();
    store
        .transition(&mut |transaction| put(transaction, "/w", &entries))
        .unwrap();
    // Far less than the ledger takes.
    assert_eq!(store.retain(DAY, 300_000, 2).unwrap(), 0);
    assert_eq!(store.retain(DAY, u64::MAX, 10 * DAY).unwrap(), 20);
    assert_eq!(ledger(&store, "/w").entries.len(), 3000);
}

#[test]
fn a_state_from_before_the_ledger_gets_one_and_keeps_what_it_had() {
    let folder = Folder::quick();
    count(&Store::open(&folder.dir).unwrap(), "old").unwrap();
    folder.attack(
        "DROP TABLE workspaces; DROP TABLE ledger; DROP TABLE ledger_sizes; DROP TABLE in_flight;
         DROP INDEX journal_facets; CREATE INDEX journal_call ON journal (call);
         PRAGMA user_version = 1",
    );
    let store = Store::open(&folder.dir).unwrap();
    assert_eq!(crate::support::counted(&store), 1);
    let folder: Utf8PathBuf = "/w".into();
    store
        .transition(&mut |transaction| {
            put(
                transaction,
                "/w",
                &[entry("/w/a", 0, 1, Written::Created, None)],
            )?;
            transaction.put_baseline(&baseline(folder.as_str(), None, 1))
        })
        .unwrap();
    assert_eq!(ledger(&store, "/w").entries.len(), 1);
}
