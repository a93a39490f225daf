//! What looking at a journal of a million rows costs: what `stats`, `log` with
//! filters and `explain` read. Each must answer within 500 ms. The answers are
//! looked at, so that nothing fast and wrong is measured.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout
)]

use std::path::Path;
use std::time::Duration;

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::denials::Counters;
use countersign_core::model::{ModelRecord, Stage};
use countersign_core::state::{Millis, Record, RecordKind, StateStore as _};
use countersign_store::{Filter, Store};
use criterion::{Criterion, criterion_group, criterion_main};

const ROWS: i64 = 1_000_000;

/// Rows that go in one transaction, to have the million soon.
const BATCH: i64 = 10_000;

/// A row every ten seconds: a million are four months.
const EVERY: Millis = 10_000;

fn id(number: i64) -> String {
    // As random as the guard's: neighbours share nothing.
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}{number:016x}")
}

/// What a working day looks like: mostly allows, a twentieth judged by a
/// model, a tenth results, some asks with their answers.
fn row(number: i64) -> Record {
    let agents = [Agent::ClaudeCode, Agent::Codex, Agent::Qwen];
    let (decision, reason, kind) = match number % 20 {
        0 => ("ask", "ask_rule", RecordKind::Decision),
        1 => ("allow", "proceed_once", RecordKind::Answer),
        2 | 3 => ("", "", RecordKind::Result),
        4 => ("block", "classifier_blocked", RecordKind::Decision),
        5..=9 => ("allow", "rule", RecordKind::Decision),
        10..=15 => ("allow", "static", RecordKind::Decision),
        _ => ("allow", "safe_tool", RecordKind::Decision),
    };
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let call = if kind == RecordKind::Answer {
        number - 1
    } else {
        number
    };
    let is_judged = reason == "classifier_blocked";
    Record {
        key: Some(SessionKey {
            agent: agents[usize::try_from(number / 500 % 3).unwrap()],
            session: format!("0b9d9f5c-0c8e-4f5e-9d0e-{:012x}", number / 2_000),
            subagent: None,
        }),
        call: Some(id(call)),
        agent_call: Some(format!("toolu_{number:024}")),
        tool: said(
            ["run_shell_command", "read_file", "edit"][usize::try_from(number % 3).unwrap()],
        ),
        workspace: Some("/home/user/project".into()),
        decision: said(decision),
        reason: said(reason),
        detail: said("Bash(cargo test *) in ~/.config/countersign/settings.json:12"),
        subject: Some(format!(
            "cargo test --workspace --all-features --test part_{number} 2>&1 | tail -40"
        )),
        effects: vec!["runs the project's tests (cargo test)".to_owned()],
        before: Some(Counters::default()),
        after: Some(Counters::default()),
        micros: Some(400 + (number as u64).wrapping_mul(7919) % 3_000),
        model: is_judged.then(|| ModelRecord {
            stage: Some("thinking".to_owned()),
            model: Some("judge-1".to_owned()),
            ..ModelRecord::default()
        }),
        ..Record::of(kind, number * EVERY)
    }
}

fn fill(store: &Store) {
    for batch in 0..ROWS / BATCH {
        store
            .transition(&mut |transaction| {
                (1..=BATCH).try_for_each(|number| transaction.append(&row(batch * BATCH + number)))
            })
            .unwrap();
    }
}

fn benches(criterion: &mut Criterion) {
    let root = tempfile::TempDir::new_in(std::env::temp_dir()).unwrap();
    let dir = Utf8Path::from_path(root.path()).unwrap().join("state");
    let store = Store::open(&dir).unwrap();
    fill(&store);
    let file = Path::new(store.path()).metadata().unwrap();
    println!(
        "a journal of {ROWS} rows takes {} MB",
        file.len() / 1_000_000
    );

    let mut group = criterion.benchmark_group("a million rows");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    group.bench_function("stats", |bencher| {
        bencher.iter(|| {
            let found = store.statistics(None, None).unwrap();
            assert_eq!(found.all.calls, 850_000);
            assert_eq!(found.waited.count, 49_999);
        });
    });
    group.bench_function("stats of the last day", |bencher| {
        let since = Some((ROWS - 8_640) * EVERY + 1);
        bencher.iter(|| assert_eq!(store.statistics(since, None).unwrap().all.calls, 7_344));
    });
    let text = |text: &str| Some(text.to_owned());
    let limited = Filter {
        limit: 50,
        ..Filter::default()
    };
    let session = "0b9d9f5c-0c8e-4f5e-9d0e-00000000000a";
    for (name, expected, filter) in [
        ("log", 50, limited.clone()),
        (
            "log --decision block",
            50,
            Filter {
                decision: text("block"),
                ..limited.clone()
            },
        ),
        (
            "log, nothing found",
            0,
            Filter {
                agent: Some(Agent::Gemini),
                decision: text("ask"),
                ..limited.clone()
            },
        ),
        (
            "log --session --decision",
            50,
            Filter {
                session: text(session),
                decision: text("block"),
                ..limited.clone()
            },
        ),
        (
            "log --stage, nothing found",
            0,
            Filter {
                stage: Some(Stage::Fast),
                ..limited.clone()
            },
        ),
        (
            "log --until, the oldest",
            50,
            Filter {
                tool: text("edit"),
                until: Some(1_000 * EVERY),
                ..limited.clone()
            },
        ),
        (
            "log --text, of the last week",
            1,
            Filter {
                text: text("PART_999000 "),
                since: Some((ROWS - 60_480) * EVERY),
                ..limited.clone()
            },
        ),
        (
            "explain, the agent's id of the oldest",
            1,
            Filter {
                call: text("toolu_000000000000000000000001"),
                ..limited.clone()
            },
        ),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(store.journal(&filter).unwrap().len(), expected));
        });
    }
    group.bench_function("explain, the beginning of an id", |bencher| {
        let wanted = id(20);
        bencher.iter(|| assert_eq!(store.calls_of(&wanted[..10], 9).unwrap(), [wanted.as_str()]));
    });
    group.finish();
}

criterion_group!(group, benches);
criterion_main!(group);
