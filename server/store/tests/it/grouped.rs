//! The grouped store alone in its file: it is the plain store, only quicker.

use countersign_core::decision::{AskReason, Decision};
use countersign_core::state::{
    CallEvent, CallState, CallStatus, Millis, Record, RecordKind, SetAside, StateError, StateStore,
    Transaction,
};
use countersign_store::{Filter, GroupedStore, MOST_ROWS, Store};
use proptest::prelude::*;

use crate::port::{self, DAY, seen};
use crate::support::{Folder, allow, allow_at, calls_in, count, counted, eventually, key};

/// What an engine does in one transition.
#[derive(Debug, Clone)]
enum Act {
    Allow,
    /// The oldest open call has another event.
    Again,
    /// The tool of the newest open call ran.
    Result,
    Block,
    Ask,
    /// The oldest open ask is answered.
    Answer,
    Message,
    Begin(u32),
    SetAside,
    Seen,
    /// The first half of an allow, and then an error.
    Fail,
}

/// A transition of a session, by this process or by another one.
#[derive(Debug, Clone)]
struct Move {
    session: u8,
    later: Millis,
    act: Act,
    other: bool,
    flush: bool,
}

fn any_move() -> impl Strategy<Value = Move> {
    let act = prop_oneof![
        12 => Just(Act::Allow),
        3 => Just(Act::Again),
        6 => Just(Act::Result),
        1 => Just(Act::Block),
        1 => Just(Act::Ask),
        1 => Just(Act::Answer),
        1 => Just(Act::Message),
        1 => (0..2_u32).prop_map(Act::Begin),
        1 => Just(Act::SetAside),
        2 => Just(Act::Seen),
        1 => Just(Act::Fail),
    ];
    let later = prop_oneof![30 => 0..3_i64, 1 => Just(DAY), 1 => Just(-2_i64)];
    (
        0..3_u8,
        later,
        act,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(session, later, act, other, flush)| Move {
            session,
            later,
            act,
            other,
            flush,
        })
}

/// Runs a move; `number` makes the ids of calls.
fn run(
    transaction: &mut dyn Transaction,
    step: &Move,
    number: usize,
    now: Millis,
) -> Result<(), StateError> {
    let key = key(&format!("s{}", step.session));
    let known = transaction.session(&key)?;
    let mut state = known.unwrap_or_else(|| port::session(&key, Some(1), now, 0));
    let before = state.counters;
    state.seen = now;
    let id = format!("{number:04}");
    let mut row = Record {
        key: Some(key.clone()),
        call: Some(id.clone()),
        before: Some(before),
        after: Some(before),
        ..Record::of(RecordKind::Decision, now)
    };
    let open = transaction.open_calls(&key)?;
    match &step.act {
        Act::Allow | Act::Fail => {
            transaction.put_call(&port::call(&key, &id, now, CallStatus::Decided))?;
            row.decision = Some("allow".to_owned());
            row.reason = Some("rule".to_owned());
            transaction.append(&row)?;
        }
        Act::Again => {
            let seen_again = |call: &CallState| call.events.contains(&CallEvent::PermissionRequest);
            if let Some(mut call) = open.into_iter().rfind(|call| !seen_again(call)) {
                call.events.push(CallEvent::PermissionRequest);
                transaction.put_call(&call)?;
            }
        }
        Act::Result => {
            if let Some(mut call) = open.first().cloned() {
                call.status = CallStatus::Finished;
                transaction.put_call(&call)?;
                (row.kind, row.call) = (RecordKind::Result, Some(call.id));
                (row.before, row.after) = (None, None);
                transaction.append(&row)?;
            }
        }
        Act::Block => {
            state.counters.total_block += 1;
            row.decision = Some("block".to_owned());
            row.after = Some(state.counters);
            transaction.append(&row)?;
        }
        Act::Ask => {
            let mut call = port::call(&key, &id, now, CallStatus::Delegated);
            call.decision = Decision::Ask {
                reason: AskReason::AskRule,
                detail: "x".to_owned(),
            };
            transaction.put_call(&call)?;
            row.decision = Some("ask".to_owned());
            transaction.append(&row)?;
        }
        Act::Answer => {
            for mut call in open {
                if call.status == CallStatus::Delegated {
                    call.status = CallStatus::Finished;
                    transaction.put_call(&call)?;
                    row.kind = RecordKind::Answer;
                    transaction.append(&row)?;
                }
            }
        }
        Act::Message => {
            row.kind = RecordKind::UserMessage;
            transaction.append(&row)?;
        }
        Act::Begin(process) => state.process = Some(port::process(*process)),
        Act::SetAside => {
            let held = transaction.set_aside()?.len();
            transaction.put_set_aside(&SetAside {
                rule: format!("rule {}", number % 2),
                holders: if held > 1 {
                    Vec::new()
                } else {
                    vec![key.clone()]
                },
            })?;
        }
        Act::Seen => drop(transaction.set_aside()?),
    }
    transaction.put_session(&state)?;
    if matches!(step.act, Act::Fail) {
        return Err(StateError::Unwritable("on purpose".to_owned()));
    }
    Ok(())
}

/// What a read without SQL shows.
fn glance(store: &dyn StateStore) -> String {
    let mut all = String::new();
    store
        .read(&mut |transaction| {
            all.clear();
            for session in 0..3 {
                let key = key(&format!("s{session}"));
                all += &format!("{:?}", transaction.session(&key)?);
                all += &format!("{:?}", transaction.open_calls(&key)?);
            }
            all += &format!("{:?}", transaction.set_aside()?);
            Ok(())
        })
        .unwrap();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also where others write in between, once they can see what was done.
    #[test]
    fn the_grouped_store_does_what_the_plain_one_does(moves in prop::collection::vec(any_move(), 0..160)) {
        let folders = [Folder::quick(), Folder::quick()];
        let plain = Store::open(&folders[0].dir).unwrap();
        let grouped = GroupedStore::open(&folders[1].dir).unwrap();
        let other = Store::open(&folders[1].dir).unwrap();
        let mut now = 10 * DAY;
        for (number, step) in moves.iter().enumerate() {
            now += step.later;
            if step.flush || step.other {
                grouped.flush().unwrap();
            }
            let second: &dyn StateStore = if step.other { &other } else { &grouped };
            let results = [&plain, second]
                .map(|store: &dyn StateStore| store.transition(&mut |transaction| run(transaction, step, number, now)));
            prop_assert_eq!(&results[0], &results[1]);
            prop_assert_eq!(glance(&plain), glance(&grouped), "after {} {:?}", number, step);
        }
        prop_assert_eq!(seen(&plain), seen(&grouped));
        let rows = plain.journal(&Filter::default()).unwrap();
        prop_assert_eq!(&grouped.journal(&Filter::default()).unwrap(), &rows);
        drop(grouped);
        prop_assert_eq!(seen(&plain), seen(&other));
        prop_assert_eq!(&other.journal(&Filter::default()).unwrap(), &rows);
        prop_assert_eq!(other.verify().unwrap().rows, rows.len() as u64);
    }
}

#[test]
fn an_allow_is_committed_soon_by_itself() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    let plain = Store::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    assert_eq!(plain.journal(&Filter::default()).unwrap().len(), 1);
    allow(&grouped, "s", "allowed").unwrap();
    eventually("the row is committed", || {
        calls_in(plain.journal(&Filter::default()).unwrap()) == ["begins", "allowed"]
    });
}

#[test]
fn an_allow_does_not_wait_for_others_who_write() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Acknowledged although nobody can commit now; and seen by the next.
    allow(&grouped, "s", "allowed").unwrap();
    let mut open = 0;
    grouped
        .read(&mut |transaction| {
            open = transaction.open_calls(&key("s"))?.len();
            Ok(())
        })
        .unwrap();
    assert_eq!(open, 1);
    other.execute_batch("ROLLBACK").unwrap();
    let plain = Store::open(&folder.dir).unwrap();
    eventually("the row is committed", || {
        plain.journal(&Filter::default()).unwrap().len() == 2
    });
    assert_eq!(grouped.degraded(), None);
}

/// Committed before it is acknowledged, with all that waited before it.
#[test]
fn whatever_may_not_wait_is_there_when_it_is_acknowledged() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    let plain = Store::open(&folder.dir).unwrap();
    count(&grouped, "0").unwrap();
    for round in 1..50_u32 {
        allow(&grouped, "s", &format!("allow {round}")).unwrap();
        count(&grouped, &format!("count {round}")).unwrap();
        let rows = plain.journal(&Filter::default()).unwrap();
        assert_eq!(rows.len() as u32, 2 * round + 1);
        assert_eq!(counted(&plain), round + 1);
    }
    plain.verify().unwrap();
}

#[test]
fn what_was_acknowledged_is_committed_when_the_store_goes() {
    let folder = Folder::quick();
    let plain = Store::open(&folder.dir).unwrap();
    count(&plain, "begins").unwrap();
    for round in 0..5 {
        let grouped = GroupedStore::open(&folder.dir).unwrap();
        (0..20).for_each(|id| allow(&grouped, "s", &format!("{round} {id}")).unwrap());
        drop(grouped);
        assert_eq!(
            plain.journal(&Filter::default()).unwrap().len(),
            1 + 20 * (round + 1)
        );
    }
    plain.verify().unwrap();
}

/// More sessions and calls than are kept in memory: what is read again is what
/// was acknowledged.
#[test]
fn what_does_not_fit_into_memory_is_not_lost() {
    const SESSIONS: usize = 1300;
    let folder = Folder::quick();
    {
        // Quickly, as another process.
        let plain = Store::open(&folder.dir).unwrap();
        plain
            .transition(&mut |transaction| {
                (0..SESSIONS).try_for_each(|session| {
                    let state = port::session(&key(&session.to_string()), None, 0, 7);
                    transaction.put_session(&state)
                })
            })
            .unwrap();
    }
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    for round in 0..2 {
        for session in 0..SESSIONS {
            allow_at(
                &grouped,
                &session.to_string(),
                &round.to_string(),
                round + 1,
            )
            .unwrap();
        }
    }
    for session in 0..SESSIONS {
        let key = key(&session.to_string());
        grouped
            .read(&mut |transaction| {
                let state = transaction.session(&key)?.unwrap();
                assert_eq!((state.seen, state.counters.total_block), (2, 7));
                assert_eq!(transaction.open_calls(&key)?.len(), 2, "{session}");
                Ok(())
            })
            .unwrap();
    }
    drop(grouped);
    let plain = Store::open(&folder.dir).unwrap();
    assert_eq!(plain.verify().unwrap().rows, 2 * SESSIONS as u64);
}

/// Threads that decide at once in the same session: each sees the others.
#[test]
fn threads_that_allow_at_once_lose_nothing() {
    const EACH: usize = 200;
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let grouped = &grouped;
            scope.spawn(move || {
                for id in 0..EACH {
                    // Some in one session, some each in their own.
                    let session = if id % 2 == 0 {
                        "s"
                    } else {
                        ["a", "b", "c", "d"][thread]
                    };
                    allow(grouped, session, &format!("{thread}-{id:03}")).unwrap();
                    if id % 20 == 0 {
                        count(grouped, &format!("{thread}-{id}-count")).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(counted(&grouped), 1 + 4 * (EACH as u32 / 20));
    let rows = grouped.journal(&Filter::default()).unwrap();
    assert_eq!(rows.len(), 1 + 4 * (EACH + EACH / 20));
    // Each thread's rows are in the order in which it was acknowledged.
    for thread in 0..4 {
        let own: Vec<String> = calls_in(rows.clone())
            .into_iter()
            .filter(|call| call.starts_with(&format!("{thread}-")) && !call.ends_with("count"))
            .collect();
        assert_eq!(own.len(), EACH);
        assert!(own.is_sorted(), "{own:?}");
    }
    drop(grouped);
    Store::open(&folder.dir).unwrap().verify().unwrap();
}

#[test]
fn rows_are_followed_in_bounded_steps() {
    let folder = Folder::quick();
    let grouped = GroupedStore::open(&folder.dir).unwrap();
    count(&grouped, "begins").unwrap();
    for id in 0..MOST_ROWS + 10 {
        allow(&grouped, "s", &id.to_string()).unwrap();
    }
    grouped.flush().unwrap();
    let first = grouped.rows_after(0, usize::MAX).unwrap();
    assert_eq!(first.len(), MOST_ROWS);
    let last = first.last().unwrap().seq;
    let rest = grouped.rows_after(last, usize::MAX).unwrap();
    assert_eq!(rest.len(), 11);
    assert_eq!(rest.first().unwrap().seq, last + 1);
    assert_eq!(grouped.rows_after(last, 3).unwrap().len(), 3);
}
