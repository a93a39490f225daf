//! What the journal comes to.

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::model::ModelRecord;
use countersign_core::state::{Millis, Record, RecordKind, StateStore as _};
use countersign_store::{OTHERS, Statistics, Store, Tally, Times};

use crate::support::Folder;

const DAY: Millis = 24 * 60 * 60 * 1_000;

fn call(time: Millis, agent: Agent, tool: &str, decision: &str, reason: &str) -> Record {
    Record {
        key: Some(SessionKey {
            agent,
            session: "s".to_owned(),
            subagent: None,
        }),
        call: Some(format!("c{time}")),
        tool: Some(tool.to_owned()),
        decision: Some(decision.to_owned()),
        reason: Some(reason.to_owned()),
        micros: Some(u64::try_from(time % 1000).unwrap()),
        ..Record::of(RecordKind::Decision, time)
    }
}

fn answer(asked: Millis, time: Millis, reason: &str) -> Record {
    Record {
        call: Some(format!("c{asked}")),
        decision: Some("allow".to_owned()),
        reason: Some(reason.to_owned()),
        ..Record::of(RecordKind::Answer, time)
    }
}

fn store(rows: &[Record]) -> (Folder, Store) {
    let folder = Folder::quick();
    let store = Store::open(&folder.dir).unwrap();
    store
        .transition(&mut |transaction| {
            let mut rows = rows.iter();
            rows.try_for_each(|row| transaction.append(row))
        })
        .unwrap();
    (folder, store)
}

fn all(rows: &[Record]) -> Statistics {
    store(rows).1.statistics(None, None).unwrap()
}

fn tally(calls: u64, allowed: u64, asked: u64, blocked: u64, without_model: u64) -> Tally {
    Tally {
        calls,
        allowed,
        asked,
        blocked,
        without_model,
    }
}

#[test]
fn calls_are_counted_by_day_agent_tool_and_layer() {
    use Agent::{ClaudeCode, Codex};
    let shell = "run_shell_command";
    let judged = Record {
        model: Some(ModelRecord {
            stage: Some("fast".to_owned()),
            ..ModelRecord::default()
        }),
        ..call(DAY + 40, Codex, shell, "block", "classifier_blocked")
    };
    let rows = [
        call(10, ClaudeCode, "edit", "allow", "accept_edits"),
        call(20, ClaudeCode, shell, "allow", "static"),
        call(30, Codex, shell, "ask", "no_classifier"),
        judged,
        call(DAY + 50, Codex, shell, "allow", "static"),
        call(DAY + 60, Codex, shell, "block", "classifier_unavailable"),
        call(DAY + 70, Codex, shell, "ask", "classifier_unavailable"),
        Record::of(RecordKind::Unguarded, DAY + 80),
        Record::of(RecordKind::Problem, DAY + 90),
        Record::of(RecordKind::SessionEnd, 9 * DAY),
    ];
    let found = all(&rows);
    assert_eq!(found.span, Some((10, DAY + 70)));
    assert_eq!(found.all, tally(7, 3, 2, 2, 4));
    assert_eq!(
        found.days.into_iter().collect::<Vec<_>>(),
        [(0, tally(3, 2, 1, 0, 3)), (1, tally(4, 1, 1, 2, 1))]
    );
    assert_eq!(found.agents["claude-code"], tally(2, 2, 0, 0, 2));
    assert_eq!(found.agents["codex"], tally(5, 1, 2, 2, 2));
    assert_eq!(found.tools["edit"], tally(1, 1, 0, 0, 1));
    let layers: Vec<_> = found
        .layers
        .iter()
        .map(|layer| (&*layer.decision, &*layer.reason, layer.calls))
        .collect();
    assert_eq!(
        layers,
        [
            ("allow", "static", 2),
            ("allow", "accept_edits", 1),
            ("block", "classifier_blocked", 1),
            ("ask", "classifier_unavailable", 1),
            ("block", "classifier_unavailable", 1),
            ("ask", "no_classifier", 1),
        ]
    );
    assert_eq!((found.unguarded, found.problems), (1, 1));
    assert_eq!(
        found.micros,
        Times {
            count: 4,
            median: 20,
            p90: 50,
            longest: 50
        }
    );
    assert_eq!(found.micros_with_model.count, 3);

    let (_folder, store) = store(&rows);
    let later = store.statistics(Some(DAY + 50), Some(DAY + 60)).unwrap();
    assert_eq!(later.all, tally(2, 1, 0, 1, 1));
    assert_eq!(later.unguarded, 0);
}

#[test]
fn people_take_time_and_deadlines_do_not_count() {
    let ask = |time| call(time, Agent::Qwen, "edit", "ask", "ask_rule");
    let rows = [
        ask(1_000),
        ask(2_000),
        ask(3_000),
        answer(2_000, 5_000, "cancel"),
        answer(1_000, 11_000, "proceed_once"),
        answer(3_000, 603_000, "timeout"),
        // Of an ask that was pruned.
        answer(1, 700_000, "proceed_always"),
    ];
    let found = all(&rows);
    assert_eq!(
        found.waited,
        Times {
            count: 2,
            median: 3_000,
            p90: 10_000,
            longest: 10_000
        }
    );
    assert_eq!(found.answers.len(), 4);
    assert_eq!(found.answers["timeout"], 1);
}

#[test]
fn an_agent_that_invents_names_makes_no_endless_table() {
    let rows: Vec<Record> = (0..2_000)
        .map(|time| {
            call(
                time,
                Agent::Gemini,
                &format!("mcp__vine__{time}"),
                "allow",
                "rule",
            )
        })
        .collect();
    let found = all(&rows);
    assert!(found.tools.len() <= 501, "{}", found.tools.len());
    let counted: u64 = found.tools.values().map(|tally| tally.calls).sum();
    assert_eq!((counted, found.tools[OTHERS].calls), (2_000, 1_500));
}

#[test]
fn an_empty_journal_comes_to_nothing() {
    assert_eq!(all(&[]), Statistics::default());
}

/// What somebody else wrote into the table is not counted and breaks nothing.
#[test]
fn rows_that_were_tampered_with_break_nothing() {
    let rows: Vec<Record> = (0..4)
        .map(|time| call(time, Agent::Gemini, "edit", "allow", "rule"))
        .collect();
    let (folder, store) = store(&rows);
    folder.attack(
        "UPDATE journal SET kind = 'nonsense' WHERE seq = 1;
         UPDATE journal SET body = 'no json', tool = x'07', agent = x'ff' WHERE seq = 2;
         UPDATE journal SET time = 'soon' WHERE seq = 3",
    );
    let found = store.statistics(None, None).unwrap();
    assert_eq!(found.all.calls, 2);
    assert_eq!(found.tools[OTHERS].calls, 1);
    assert!(store.verify().is_err());
}
