//! Reading the journal: filters, order, limits, and what rows may hold.

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::model::{ModelRecord, Stage};
use countersign_core::state::{Record, RecordKind, StateStore};
use countersign_store::{Filter, MemoryStore, Store};

use crate::support::Folder;

/// Ten rows in which every filter has something to find.
fn rows() -> Vec<Record> {
    (1..=10_i64)
        .map(|row| Record {
            key: Some(SessionKey {
                agent: if row % 2 == 0 {
                    Agent::Qwen
                } else {
                    Agent::Codex
                },
                session: format!("s{}", row % 3),
                subagent: (row % 4 == 0).then(|| "sub".to_owned()),
            }),
            call: Some(format!("c{row}")),
            agent_call: (row % 5 == 0).then(|| "theirs".to_owned()),
            tool: Some(["edit", "run_shell_command"][usize::from(row > 5)].to_owned()),
            reason: Some(["rule", "static"][usize::from(row > 8)].to_owned()),
            subject: Some(format!("prune Vine {row}")),
            effects: vec![format!("writes {}", row * 11)],
            model: (row == 6).then(|| ModelRecord {
                stage: Some("thinking".to_owned()),
                problem: Some("\"too slow\"".to_owned()),
                ..ModelRecord::default()
            }),
            decision: Some(["allow", "block", "ask"][usize::try_from(row % 3).unwrap()].to_owned()),
            ..Record::of(
                if row == 7 {
                    RecordKind::Answer
                } else {
                    RecordKind::Decision
                },
                row * 100,
            )
        })
        .chain([Record::of(RecordKind::Problem, 1100)])
        .collect()
}

fn fill(store: &dyn StateStore) {
    for row in rows() {
        store
            .transition(&mut |transaction| transaction.append(&row))
            .unwrap();
    }
}

#[test]
fn filters_choose_rows() {
    let folder = Folder::quick();
    let (store, memory) = (Store::open(&folder.dir).unwrap(), MemoryStore::new());
    fill(&store);
    fill(&memory);
    let all = Filter::default();
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (all.clone(), vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (
            Filter {
                session: text("s1"),
                ..all.clone()
            },
            vec![1, 4, 7, 10],
        ),
        (
            Filter {
                agent: Some(Agent::Qwen),
                ..all.clone()
            },
            vec![2, 4, 6, 8, 10],
        ),
        (
            Filter {
                decision: text("ask"),
                ..all.clone()
            },
            vec![2, 5, 8],
        ),
        (
            Filter {
                tool: text("edit"),
                ..all.clone()
            },
            vec![1, 2, 3, 4, 5],
        ),
        (
            Filter {
                reason: text("static"),
                ..all.clone()
            },
            vec![9, 10],
        ),
        (
            Filter {
                stage: Some(Stage::Thinking),
                ..all.clone()
            },
            vec![6],
        ),
        (
            Filter {
                stage: Some(Stage::Fast),
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                text: text("pruNE vine 1"),
                ..all.clone()
            },
            vec![1, 10],
        ),
        (
            Filter {
                text: text("prune"),
                agent: Some(Agent::Qwen),
                limit: 2,
                ..all.clone()
            },
            vec![8, 10],
        ),
        (
            Filter {
                text: text("prune"),
                after_seq: Some(2),
                limit: 2,
                ..all.clone()
            },
            vec![3, 4],
        ),
        (
            Filter {
                text: text("ES 77"),
                ..all.clone()
            },
            vec![7],
        ),
        (
            Filter {
                text: text("\"TOO slow\""),
                ..all.clone()
            },
            vec![6],
        ),
        (
            // It is in every body, and nowhere in what the rows say.
            Filter {
                text: text("agent_call"),
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                kind: Some(RecordKind::Answer),
                ..all.clone()
            },
            vec![7],
        ),
        (
            Filter {
                call: text("c3"),
                ..all.clone()
            },
            vec![3],
        ),
        (
            Filter {
                call: text("theirs"),
                ..all.clone()
            },
            vec![5, 10],
        ),
        (
            Filter {
                since: Some(900),
                ..all.clone()
            },
            vec![9, 10, 11],
        ),
        (
            Filter {
                until: Some(200),
                ..all.clone()
            },
            vec![1, 2],
        ),
        (
            Filter {
                limit: 2,
                ..all.clone()
            },
            vec![10, 11],
        ),
        (
            Filter {
                after_seq: Some(3),
                limit: 2,
                ..all.clone()
            },
            vec![4, 5],
        ),
        (
            Filter {
                session: text("s1"),
                agent: Some(Agent::Qwen),
                limit: 1,
                ..all.clone()
            },
            vec![10],
        ),
        (
            Filter {
                tool: text("' OR 1=1 --"),
                ..all.clone()
            },
            vec![],
        ),
    ] {
        let found = store.journal(&filter).unwrap();
        let numbers: Vec<i64> = found.iter().map(|row| row.seq).collect();
        assert_eq!(numbers, expected, "{filter:?}");
        assert_eq!(memory.journal(&filter), found, "{filter:?}");
    }
    assert_eq!(memory.head(), store.head().unwrap());
}

#[test]
fn rows_keep_hostile_characters_as_data() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    let subject = "a\0b\u{1b}[2J\u{202e}\r\n'\"\\ü\u{7f}";
    let row = Record {
        subject: Some(subject.to_owned()),
        tool: Some("x\0y".to_owned()),
        ..Record::of(RecordKind::Decision, 1)
    };
    store
        .transition(&mut |transaction| transaction.append(&row))
        .unwrap();
    assert_eq!(store.journal(&Filter::default()).unwrap()[0].record, row);
    store.verify().unwrap();
}

#[test]
fn secrets_are_masked_whoever_appends_them() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    let row = Record {
        subject: Some("PASSWORD=hunter2 make".to_owned()),
        detail: Some("--token hunter2".to_owned()),
        effects: vec!["sends password=hunter2".to_owned()],
        ..Record::of(RecordKind::Decision, 1)
    };
    store
        .transition(&mut |transaction| transaction.append(&row))
        .unwrap();
    let kept = store.journal(&Filter::default()).unwrap().remove(0).record;
    assert!(!format!("{kept:?}").contains("hunter2"), "{kept:?}");
    assert_eq!(kept.subject.unwrap(), "PASSWORD=[masked: password] make");
}

#[test]
fn a_call_is_found_by_the_beginning_of_its_id() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    fill(&store);
    let found = |id: &str, limit| store.calls_of(id, limit).unwrap();
    assert_eq!(found("c3", 9), ["c3"]);
    assert_eq!(found("c1", 9), ["c10", "c1"]);
    assert_eq!(found("c", 2), ["c10", "c9"], "the newest first");
    assert_eq!(found("theirs", 9), ["c10", "c5"], "the agent's whole id");
    for nobody in ["their", "%", "c_", "C3", "d"] {
        assert_eq!(found(nobody, 9), [] as [&str; 0], "{nobody}");
    }
}

/// What is looked for in the masked text is the mask, never the secret.
#[test]
fn a_text_that_was_masked_is_not_found() {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    let row = Record {
        subject: Some("PASSWORD=hunter2 make".to_owned()),
        ..Record::of(RecordKind::Decision, 1)
    };
    store
        .transition(&mut |transaction| transaction.append(&row))
        .unwrap();
    let found = |text: &str| {
        let text = Some(text.to_owned());
        let filter = Filter {
            text,
            ..Filter::default()
        };
        store.journal(&filter).unwrap().len()
    };
    assert_eq!((found("hunter2"), found("masked: PASSWORD")), (0, 1));
}
