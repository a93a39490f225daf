//! Many processes at once, and processes that are killed: what was answered is
//! on record.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{AUTO, CLAUDE, Ran, Sandbox, With as _, feed, finish, start};

/// Runs all these calls at once: every process is there before one may begin.
fn at_once(sandbox: &Sandbox, calls: &[Value]) -> Vec<Ran> {
    let mut children: Vec<_> = calls
        .iter()
        .map(|_| start(&mut sandbox.hook_command(CLAUDE, "PreToolUse")))
        .collect();
    for (child, call) in children.iter_mut().zip(calls) {
        child
            .stdin
            .take()
            .unwrap()
            .write_all(call.to_string().as_bytes())
            .unwrap();
    }
    children.into_iter().map(finish).collect()
}

fn numbered(sandbox: &Sandbox, command: &str, number: usize) -> Value {
    sandbox
        .shell(CLAUDE, "PreToolUse", command)
        .with("tool_use_id", json!(format!("toolu_{number}")))
}

#[test]
fn ten_first_processes_at_once_lose_nothing() {
    for round in 0..3 {
        let sandbox = Sandbox::trusted(AUTO);
        let calls: Vec<Value> = (0..10)
            .map(|number| numbered(&sandbox, &format!("cargo test row{number}"), number))
            .collect();
        for ran in at_once(&sandbox, &calls) {
            ran.assert_allow(CLAUDE, "PreToolUse");
        }
        let rows = sandbox.journal();
        let ids: BTreeSet<&str> = rows
            .iter()
            .map(|row| row["agent_call"].as_str().unwrap())
            .collect();
        assert_eq!((rows.len(), ids.len()), (10, 10), "round {round}");
        sandbox.assert_verified();
    }
}

#[test]
fn ten_denials_at_once_are_counted_exactly() {
    let sandbox = Sandbox::trusted(AUTO);
    let calls: Vec<Value> = (0..10)
        .map(|number| numbered(&sandbox, "countersign trust", number))
        .collect();
    for ran in at_once(&sandbox, &calls) {
        ran.assert_block("PreToolUse");
    }
    let rows = sandbox.journal();
    assert_eq!(rows.len(), 10);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["reason"], "static_blocked");
        assert_eq!(row["before"]["totalBlock"], index);
        assert_eq!(row["after"]["totalBlock"], index + 1);
        assert_eq!(row["after"]["consecutiveBlock"], index + 1);
    }
    sandbox.assert_verified();
}

#[test]
fn a_cap_holds_against_calls_that_come_at_once() {
    let sandbox = Sandbox::trusted(AUTO);
    for number in 0..3 {
        let call = numbered(&sandbox, "countersign trust", number);
        sandbox.hook(CLAUDE, "PreToolUse", &call);
    }
    let calls: Vec<Value> = (10..20)
        .map(|number| numbered(&sandbox, &format!("trellis build {number}"), number))
        .collect();
    for ran in at_once(&sandbox, &calls) {
        ran.assert_ask(CLAUDE, "PreToolUse");
    }
    let asks = sandbox.journal().split_off(3);
    assert_eq!(asks.len(), 10);
    for row in asks {
        assert_eq!(row["reason"], "consecutive_block");
    }
}

#[test]
fn a_killed_process_loses_nothing_that_it_answered() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut answered = BTreeSet::new();
    let (mut killed, mut ended_in_a_row) = (0, 0);
    // Kills at later and later moments, until processes end before it comes.
    for number in 0..2_000 {
        let id = format!("toolu_{number}");
        let call = numbered(&sandbox, &format!("cargo test row{number}"), number);
        let mut child = start(&mut sandbox.hook_command(CLAUDE, "PreToolUse"));
        child
            .stdin
            .take()
            .unwrap()
            .write_all(call.to_string().as_bytes())
            .unwrap();
        let moment = Duration::from_micros(300 * number as u64);
        std::thread::sleep(moment);
        child.kill().unwrap();
        let ran = finish(child);
        if ran.stdout.is_empty() {
            assert_eq!(ran.code, 128 + 9, "{ran:?}");
            killed += 1;
            ended_in_a_row = 0;
        } else {
            Ran {
                code: 0,
                ..ran.clone()
            }
            .assert_allow(CLAUDE, "PreToolUse");
            answered.insert(id);
            ended_in_a_row += usize::from(ran.code == 0);
        }
        if ended_in_a_row == 8 {
            break;
        }
    }
    assert!(
        killed > 0 && answered.len() >= 8,
        "{killed} killed, {} answered",
        answered.len()
    );
    let recorded: BTreeSet<String> = sandbox
        .rows("decision")
        .iter()
        .map(|row| row["agent_call"].as_str().unwrap().to_owned())
        .collect();
    let lost: Vec<&String> = answered.difference(&recorded).collect();
    assert_eq!(lost, Vec::<&String>::new());
    sandbox.assert_verified();
    // Nothing that the dead left behind is in the way.
    let call = numbered(&sandbox, "cargo test last", 9_999);
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_allow(CLAUDE, "PreToolUse");
}

#[test]
fn readers_do_not_disturb_writers() {
    let sandbox = Sandbox::trusted(AUTO);
    let calls: Vec<Value> = (0..6)
        .map(|number| numbered(&sandbox, "cargo test", number))
        .collect();
    sandbox
        .hook(CLAUDE, "PreToolUse", &calls[0])
        .assert_allow(CLAUDE, "PreToolUse");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| feed(&mut sandbox.command(&["log", "verify"]), b"")))
            .collect();
        for ran in at_once(&sandbox, &calls[1..]) {
            ran.assert_allow(CLAUDE, "PreToolUse");
        }
        for reader in readers {
            let ran = reader.join().unwrap();
            assert_eq!(ran.code, 0, "{ran:?}");
        }
    });
    assert_eq!(sandbox.journal().len(), 6);
}
