//! What the state costs a hook: a process opens it, makes one transition and
//! ends; and what a transition costs a server that keeps it open.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::decision::{Decision, Via};
use countersign_core::denials::Counters;
use countersign_core::state::{
    CallEvent, CallState, CallStatus, Record, RecordKind, SessionState, StateStore,
};
use countersign_core::tool::Tool;
use countersign_store::{MemoryStore, Store};
use criterion::{Criterion, criterion_group, criterion_main};

/// A transition as a decision makes it: session, open calls, call, row.
fn transition(store: &dyn StateStore, number: &mut i64) {
    *number += 1;
    let now = *number;
    let key = SessionKey {
        agent: Agent::ClaudeCode,
        session: "0b9d9f5c-0c8e-4f5e-9d0e-2f6d3b1a7c55".to_owned(),
        subagent: None,
    };
    store
        .transition(&mut |transaction| {
            let known = transaction.session(&key)?;
            let before = known
                .as_ref()
                .map(|state| state.counters)
                .unwrap_or_default();
            let after = Counters {
                total_block: before.total_block + 1,
                ..before
            };
            transaction.put_session(&SessionState {
                key: key.clone(),
                counters: after,
                process: None,
                workspace: Some("/home/user/project".into()),
                started: 0,
                seen: now,
                ended: false,
                holds_rules: false,
                chosen: None,
                server: None,
                server_process: None,
                nested: None,
            })?;
            for mut open in transaction.open_calls(&key)? {
                open.status = CallStatus::Finished;
                transaction.put_call(&open)?;
            }
            transaction.put_call(&CallState {
                id: format!("{now:032x}"),
                key: key.clone(),
                agent_call: Some(format!("toolu_{now}")),
                digest: Digest([7; 32]),
                approval: None,
                tool: Tool::RunShellCommand,
                decision: Decision::Allow {
                    via: Via::Rule,
                    detail: "Bash(cargo test *) in ~/.config/countersign/settings.json:12"
                        .to_owned(),
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
                detail: Some(
                    "Bash(cargo test *) in ~/.config/countersign/settings.json:12".to_owned(),
                ),
                subject: Some("cargo test --workspace --all-features 2>&1 | tail -40".to_owned()),
                before: Some(before),
                after: Some(after),
                micros: Some(900),
                ..Record::of(RecordKind::Decision, now)
            })
        })
        .unwrap();
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
        let mut number = 0;
        {
            let store = Store::open(&dir).unwrap();
            // A journal of some size, so that its pages are not all one.
            (0..2000).for_each(|_| transition(&store, &mut number));
        }
        criterion.bench_function(&format!("open, transition, close ({name})"), |bencher| {
            bencher.iter(|| transition(&Store::open(&dir).unwrap(), &mut number));
        });
        let store = Store::open(&dir).unwrap();
        criterion.bench_function(&format!("transition, kept open ({name})"), |bencher| {
            bencher.iter(|| transition(&store, &mut number));
        });
    }
    let store = MemoryStore::new();
    let mut number = 0;
    criterion.bench_function("transition (memory)", |bencher| {
        bencher.iter(|| transition(&store, &mut number));
    });
}

criterion_group!(group, benches);
criterion_main!(group);
