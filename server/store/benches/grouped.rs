//! What a decision costs a server: the plain store beside the grouped one, by
//! one thread and by eight; and a block, which both commit at once.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::decision::{Decision, Via};
use countersign_core::denials::Counters;
use countersign_core::state::{
    CallEvent, CallState, CallStatus, Record, RecordKind, SessionState, StateStore,
};
use countersign_core::tool::Tool;
use countersign_store::{GroupedStore, Store};
use criterion::{Criterion, criterion_group, criterion_main};

static NUMBER: AtomicI64 = AtomicI64::new(0);

fn key(session: usize) -> SessionKey {
    SessionKey {
        agent: Agent::ClaudeCode,
        session: format!("0b9d9f5c-0c8e-4f5e-9d0e-2f6d3b1a7c{session:02}"),
        subagent: None,
    }
}

fn begin(store: &dyn StateStore, session: usize) {
    store
        .transition(&mut |transaction| {
            transaction.put_session(&SessionState {
                key: key(session),
                counters: Counters::default(),
                process: None,
                workspace: Some("/home/user/project".into()),
                started: 0,
                seen: 0,
                ended: false,
                holds_rules: false,
                chosen: None,
                server: None,
                server_process: None,
                nested: None,
            })
        })
        .unwrap();
}

/// An allow as a decision writes it; the call before it is finished, as its
/// result would do.
fn allow(store: &dyn StateStore, session: usize) {
    let now = NUMBER.fetch_add(1, Ordering::Relaxed);
    let key = key(session);
    store
        .transition(&mut |transaction| {
            let mut state = transaction.session(&key)?.unwrap();
            state.seen = now;
            for mut open in transaction.open_calls(&key)? {
                open.status = CallStatus::Finished;
                transaction.put_call(&open)?;
            }
            let detail = "Bash(cargo test *) in ~/.config/countersign/settings.json:12";
            transaction.put_call(&CallState {
                id: format!("{now:032x}"),
                key: key.clone(),
                agent_call: Some(format!("toolu_{now}")),
                digest: Digest([7; 32]),
                approval: None,
                tool: Tool::RunShellCommand,
                decision: Decision::Allow {
                    via: Via::Rule,
                    detail: detail.to_owned(),
                },
                events: vec![CallEvent::PreTool],
                status: CallStatus::Decided,
                delegated_to: None,
                asked: None,
                decided: now,
                writes: countersign_core::state::CallWrites::None,
            })?;
            transaction.append(&Record {
                key: Some(key.clone()),
                call: Some(format!("{now:032x}")),
                agent_call: Some(format!("toolu_{now}")),
                tool: Some("run_shell_command".to_owned()),
                decision: Some("allow".to_owned()),
                reason: Some("rule".to_owned()),
                detail: Some(detail.to_owned()),
                subject: Some("cargo test --workspace --all-features 2>&1 | tail -40".to_owned()),
                before: Some(state.counters),
                after: Some(state.counters),
                micros: Some(900),
                ..Record::of(RecordKind::Decision, now)
            })?;
            transaction.put_session(&state)
        })
        .unwrap();
}

/// A block: it counts, and so it may not wait.
fn block(store: &dyn StateStore, session: usize) {
    let now = NUMBER.fetch_add(1, Ordering::Relaxed);
    let key = key(session);
    store
        .transition(&mut |transaction| {
            let mut state = transaction.session(&key)?.unwrap();
            state.seen = now;
            state.counters.total_block += 1;
            transaction.append(&Record {
                key: Some(key.clone()),
                decision: Some("block".to_owned()),
                ..Record::of(RecordKind::Decision, now)
            })?;
            transaction.put_session(&state)
        })
        .unwrap();
}

/// So many allows by so many threads, each in a session of its own; committed.
fn allows(store: &dyn StateStore, threads: usize, iterations: u64) -> Duration {
    let each = iterations.div_ceil(threads as u64);
    let since = Instant::now();
    std::thread::scope(|scope| {
        for session in 0..threads {
            scope.spawn(move || (0..each).for_each(|_| allow(store, session)));
        }
    });
    since.elapsed()
}

fn benches(criterion: &mut Criterion) {
    let memory = Path::new("/dev/shm");
    let mut folders = vec![("disk", std::env::temp_dir())];
    if memory.is_dir() {
        folders.push(("tmpfs", memory.to_owned()));
    }
    for (name, parent) in folders {
        let root = tempfile::TempDir::new_in(parent).unwrap();
        let dir = Utf8Path::from_path(root.path()).unwrap().join("state");
        let plain = Store::open(&dir).unwrap();
        (0..8).for_each(|session| begin(&plain, session));
        let mut group = criterion.benchmark_group(name);
        group.throughput(criterion::Throughput::Elements(1));
        for threads in [1, 8] {
            group.bench_function(format!("allow, plain, {threads} threads"), |bencher| {
                bencher.iter_custom(|iterations| allows(&plain, threads, iterations));
            });
            let grouped = GroupedStore::open(&dir).unwrap();
            group.bench_function(format!("allow, grouped, {threads} threads"), |bencher| {
                bencher.iter_custom(|iterations| {
                    let spent = allows(&grouped, threads, iterations);
                    let since = Instant::now();
                    grouped.flush().unwrap();
                    spent + since.elapsed()
                });
            });
        }
        let grouped = GroupedStore::open(&dir).unwrap();
        group.bench_function("whether others wrote", |bencher| {
            bencher.iter(|| grouped.changes_by_others().unwrap());
        });
        group.bench_function("block, grouped", |bencher| {
            bencher.iter(|| block(&grouped, 0));
        });
        group.bench_function("block, plain", |bencher| {
            bencher.iter(|| block(&plain, 0));
        });
        group.finish();
    }
}

criterion_group!(group, benches);
criterion_main!(group);
