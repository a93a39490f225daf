//! The port: what a transaction sees and keeps; the same in SQL and in memory.

use countersign_core::agent::Agent;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::decision::{Decision, Via};
use countersign_core::denials::Counters;
use countersign_core::state::{
    CallState, CallStatus, Millis, ProcessId, Record, RecordKind, SessionState, SetAside,
    StateError, StateStore, Transaction,
};
use countersign_core::tool::Tool;
use countersign_store::{Filter, GroupedStore, MemoryStore, Store};
use proptest::prelude::*;

use crate::support::{Folder, count, counted, key, record};

pub(crate) const DAY: Millis = 24 * 60 * 60 * 1000;

#[derive(Debug, Clone)]
enum Step {
    Session {
        key: SessionKey,
        process: Option<u32>,
        seen: Millis,
        total: u32,
    },
    Call {
        key: SessionKey,
        id: u8,
        decided: Millis,
        status: CallStatus,
    },
    SetAside {
        rule: u8,
        holders: Vec<SessionKey>,
    },
    Append {
        key: Option<SessionKey>,
        subject: String,
    },
}

pub(crate) fn process(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        start: u64::MAX,
        boot: "boot".to_owned(),
    }
}

pub(crate) fn call(key: &SessionKey, id: &str, decided: Millis, status: CallStatus) -> CallState {
    CallState {
        id: id.to_owned(),
        key: key.clone(),
        agent_call: None,
        digest: Digest([1; 32]),
        approval: None,
        tool: Tool::Edit,
        decision: Decision::Allow {
            via: Via::Rule,
            detail: "x".to_owned(),
        },
        events: Vec::new(),
        status,
        delegated_to: None,
        asked: None,
        decided,
        writes: countersign_core::state::CallWrites::None,
    }
}

pub(crate) fn session(
    key: &SessionKey,
    process_id: Option<u32>,
    seen: Millis,
    total: u32,
) -> SessionState {
    SessionState {
        key: key.clone(),
        counters: Counters {
            total_block: total,
            ..Counters::default()
        },
        process: process_id.map(process),
        workspace: Some("/w".into()),
        started: 0,
        seen,
        ended: false,
        holds_rules: false,
        chosen: None,
        server: None,
        server_process: None,
        nested: None,
    }
}

fn run(transaction: &mut dyn Transaction, step: &Step) -> Result<(), StateError> {
    match step {
        Step::Session {
            key,
            process,
            seen,
            total,
        } => transaction.put_session(&session(key, *process, *seen, *total)),
        Step::Call {
            key,
            id,
            decided,
            status,
        } => transaction.put_call(&call(key, &id.to_string(), *decided, *status)),
        Step::SetAside { rule, holders } => transaction.put_set_aside(&SetAside {
            rule: format!("rule {rule}"),
            holders: holders.clone(),
        }),
        Step::Append { key, subject } => transaction.append(&Record {
            key: key.clone(),
            subject: Some(subject.clone()),
            ..Record::of(RecordKind::Decision, 7)
        }),
    }
}

/// Everything that the port shows.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    sessions: Vec<Option<SessionState>>,
    calls: Vec<Vec<CallState>>,
    last: Vec<Vec<SessionState>>,
    recent: Vec<Vec<SessionState>>,
    set_aside: Vec<SetAside>,
}

fn see(transaction: &mut dyn Transaction) -> Result<Seen, StateError> {
    let keys = keys();
    Ok(Seen {
        sessions: keys
            .iter()
            .map(|key| transaction.session(key))
            .collect::<Result<_, _>>()?,
        calls: keys
            .iter()
            .map(|key| transaction.open_calls(key))
            .collect::<Result<_, _>>()?,
        last: (0..3)
            .flat_map(|pid| [(Agent::Qwen, pid), (Agent::Codex, pid)])
            .map(|(agent, pid)| transaction.sessions_of(agent, &process(pid)))
            .collect::<Result<_, _>>()?,
        recent: [0, 2, 9, usize::MAX]
            .map(|limit| transaction.recent_sessions(limit))
            .into_iter()
            .collect::<Result<_, _>>()?,
        set_aside: transaction.set_aside()?,
    })
}

pub(crate) fn seen(store: &dyn StateStore) -> Seen {
    let mut all = None;
    store
        .read(&mut |transaction| {
            all = Some(see(transaction)?);
            Ok(())
        })
        .unwrap();
    all.unwrap()
}

fn keys() -> Vec<SessionKey> {
    let mut keys = Vec::new();
    for agent in [Agent::Qwen, Agent::Codex] {
        for session in ["a", "a\"", ""] {
            for subagent in [None, Some(""), Some("x")] {
                keys.push(SessionKey {
                    agent,
                    session: session.to_owned(),
                    subagent: subagent.map(str::to_owned),
                });
            }
        }
    }
    keys
}

fn any_key() -> impl Strategy<Value = SessionKey> {
    prop::sample::select(keys())
}

fn any_status() -> impl Strategy<Value = CallStatus> {
    prop::sample::select(vec![
        CallStatus::Decided,
        CallStatus::Pending,
        CallStatus::Delegated,
        CallStatus::Finished,
    ])
}

fn any_time() -> impl Strategy<Value = Millis> {
    prop_oneof![0..5_i64, DAY..DAY + 5, Just(i64::MIN), Just(i64::MAX)]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any_key(), prop::option::of(0..3_u32), any_time(), 0..9_u32).prop_map(
            |(key, process, seen, total)| Step::Session {
                key,
                process,
                seen,
                total
            }
        ),
        (any_key(), 0..4_u8, any_time(), any_status()).prop_map(|(key, id, decided, status)| {
            Step::Call {
                key,
                id,
                decided,
                status,
            }
        }),
        (0..3_u8, prop::collection::vec(any_key(), 0..3))
            .prop_map(|(rule, holders)| Step::SetAside { rule, holders }),
        (prop::option::of(any_key()), any::<String>())
            .prop_map(|(key, subject)| Step::Append { key, subject }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Steps in transitions, some of which fail at their end.
    #[test]
    fn all_stores_do_the_same(
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
                    for step in steps {
                        run(transaction, step)?;
                    }
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
        }
        let rows = store.journal(&Filter::default()).unwrap();
        prop_assert_eq!(grouped.journal(&Filter::default()).unwrap(), rows.clone());
        prop_assert_eq!(memory.journal(&Filter::default()), rows);
        prop_assert_eq!(memory.head(), store.head().unwrap());
        prop_assert_eq!(store.verify().unwrap().head, memory.head());
    }
}

fn all(check: impl Fn(&dyn StateStore)) {
    let folder = Folder::quick();
    check(&Store::open(&folder.dir).unwrap());
    check(&MemoryStore::new());
    let folder = Folder::quick();
    check(&GroupedStore::open(&folder.dir).unwrap());
}

fn open_ids(store: &dyn StateStore, key: &SessionKey) -> Vec<String> {
    let mut ids = Vec::new();
    store
        .read(&mut |transaction| {
            ids = transaction
                .open_calls(key)?
                .into_iter()
                .map(|call| call.id)
                .collect();
            Ok(())
        })
        .unwrap();
    ids
}

#[test]
fn open_calls_are_bounded_by_number_and_age() {
    all(|store| {
        store
            .transition(&mut |transaction| {
                (0..300).try_for_each(|id| {
                    transaction.put_call(&call(
                        &key("s"),
                        &format!("{id:03}"),
                        id,
                        CallStatus::Delegated,
                    ))
                })
            })
            .unwrap();
        let ids = open_ids(store, &key("s"));
        assert_eq!(
            (ids.len(), ids[0].as_str(), ids[63].as_str()),
            (64, "299", "236")
        );

        let late = call(&key("s"), "late", DAY + 298, CallStatus::Delegated);
        store
            .transition(&mut |transaction| transaction.put_call(&late))
            .unwrap();
        assert_eq!(open_ids(store, &key("s")), ["late", "299", "298"]);

        // The calls of a session that is never heard of again go with a new session.
        let new = session(&key("new"), None, 3 * DAY, 0);
        store
            .transition(&mut |transaction| transaction.put_session(&new))
            .unwrap();
        assert!(open_ids(store, &key("s")).is_empty());
    });
}

#[test]
fn a_finished_call_is_no_longer_open() {
    all(|store| {
        for status in [CallStatus::Delegated, CallStatus::Finished] {
            let state = call(&key("s"), "1", 5, status);
            store
                .transition(&mut |transaction| transaction.put_call(&state))
                .unwrap();
        }
        assert!(open_ids(store, &key("s")).is_empty());
    });
}

#[test]
fn a_failed_transition_keeps_nothing() {
    all(|store| {
        count(store, "x").unwrap();
        let failed = store.transition(&mut |transaction| {
            transaction.put_session(&session(&key("s"), None, 9, 9))?;
            transaction.append(&record("y"))?;
            Err(StateError::Unwritable("on purpose".to_owned()))
        });
        assert_eq!(failed, Err(StateError::Unwritable("on purpose".to_owned())));
        assert_eq!(counted(store), 1);
    });
}

#[test]
fn a_panic_in_a_transition_keeps_nothing_and_locks_nobody_out() {
    all(|store| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.transition(&mut |transaction| {
                transaction.put_session(&session(&key("s"), None, 9, 9))?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        count(store, "x").unwrap();
        assert_eq!(counted(store), 1);
    });
}

/// Also where the work goes on as if nothing had happened.
#[test]
fn reading_writes_nothing() {
    all(|store| {
        count(store, "x").unwrap();
        let read = store.read(&mut |transaction| {
            let refused = transaction.append(&record("y"));
            assert!(
                matches!(refused, Err(StateError::Unwritable(_))),
                "{refused:?}"
            );
            Ok(())
        });
        assert!(matches!(read, Err(StateError::Unwritable(_))), "{read:?}");
        count(store, "z").unwrap();
        assert_eq!(counted(store), 2);
    });
}
