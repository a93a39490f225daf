//! `countersign log` and `log verify`.

use std::fs;

use countersign_core::state::{Record, RecordKind, StateStore as _};
use countersign_store::Store;
use serde_json::{Value, json};

use crate::support::{AUTO, CLAUDE, CODEX, GEMINI, Sandbox, With as _};

/// Five decisions of three agents in four sessions, and an answer.
pub(crate) fn filled() -> Sandbox {
    let sandbox = Sandbox::trusted(AUTO);
    let hook = |agent: &str, event: &str, payload: Value, session: &str| {
        sandbox.hook(agent, event, &payload.with("session_id", json!(session)));
    };
    hook(
        CLAUDE,
        "PreToolUse",
        sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs"),
        "north",
    );
    hook(
        CLAUDE,
        "PreToolUse",
        sandbox.shell(CLAUDE, "PreToolUse", "uproot vines"),
        "north",
    );
    hook(
        CLAUDE,
        "PreToolUse",
        sandbox.shell(CLAUDE, "PreToolUse", "trellis build"),
        "south",
    );
    hook(
        CODEX,
        "PreToolUse",
        sandbox.shell(CODEX, "PreToolUse", "cargo test"),
        "east",
    );
    hook(
        GEMINI,
        "BeforeTool",
        sandbox.shell(GEMINI, "BeforeTool", "trellis sell"),
        "west",
    );
    sandbox
}

fn filtered(sandbox: &Sandbox, filter: &[&str]) -> Vec<String> {
    let ran = sandbox.run(&[&["log", "--json"], filter].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout
        .lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            format!(
                "{} {}",
                row["key"]["session"].as_str().unwrap(),
                row["reason"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn filters_choose_rows() {
    let sandbox = filled();
    let all = [
        "north safe_tool",
        "north rule_denied",
        "south no_classifier",
        "east rule",
        "west no_classifier",
        "west no_surface",
    ];
    assert_eq!(filtered(&sandbox, &[]), all);
    assert_eq!(filtered(&sandbox, &["--session", "north"]), all[..2]);
    assert_eq!(filtered(&sandbox, &["--agent", "codex"]), all[3..4]);
    assert_eq!(filtered(&sandbox, &["--agent", "gemini"]), all[4..]);
    assert_eq!(
        filtered(&sandbox, &["--decision", "allow"]),
        [all[0], all[3]]
    );
    assert_eq!(
        filtered(&sandbox, &["--decision", "block"]),
        [all[1], all[5]]
    );
    assert_eq!(filtered(&sandbox, &["--decision", "ask"]), [all[2], all[4]]);
    assert_eq!(filtered(&sandbox, &["--tool", "read_file"]), all[..1]);
    assert_eq!(
        filtered(&sandbox, &["--tool", "run_shell_command"]),
        all[1..]
    );
    assert_eq!(filtered(&sandbox, &["--via", "safe-tool"]), all[..1]);
    assert_eq!(filtered(&sandbox, &["--via", "approval"]), [""; 0]);
    assert_eq!(filtered(&sandbox, &["--reason", "rule_denied"]), all[1..2]);
    assert_eq!(filtered(&sandbox, &["--stage", "fast"]), [""; 0]);
    assert_eq!(filtered(&sandbox, &["--kind", "answer"]), all[5..]);
    assert_eq!(filtered(&sandbox, &["--text", "TRELLIS sell"]), all[4..5]);
    assert_eq!(filtered(&sandbox, &["--since", "1h"]), all);
    assert_eq!(filtered(&sandbox, &["--until", "1h"]), Vec::<String>::new());
    assert_eq!(
        filtered(&sandbox, &["--since", "2100-01-01T00:00:00Z"]),
        Vec::<String>::new()
    );
    assert_eq!(
        filtered(&sandbox, &["--until", "2100-01-01T00:00:00Z"]),
        all
    );
    assert_eq!(filtered(&sandbox, &["-n", "2"]), all[4..]);
    assert_eq!(
        filtered(&sandbox, &["--agent", "claude-code", "--decision", "block"]),
        all[1..2]
    );
    let nothing = sandbox.run(&["log", "--session", "nowhere"]);
    assert_eq!(
        (nothing.code, nothing.stdout.as_str()),
        (0, "no rows match\n")
    );
}

#[test]
fn rows_as_json_have_number_hash_counters_and_latency() {
    let sandbox = filled();
    let rows = sandbox.journal();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["seq"], index + 1);
        assert_eq!(row["hash"].as_str().unwrap().len(), 64);
        assert!(row["time"].as_i64().unwrap() > 0);
        if row["kind"] == "decision" {
            assert!(row["micros"].as_u64().is_some());
            assert_eq!(
                row["after"],
                json!({
                    "consecutiveBlock": 0, "consecutiveUnavailable": 0,
                    "totalBlock": 0, "totalUnavailable": 0
                })
            );
        }
    }
}

#[test]
fn the_table_is_for_people() {
    let sandbox = filled();
    let ran = sandbox.run(&["log"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 7);
    assert!(lines[0].starts_with("time "), "{}", lines[0]);
    assert!(
        lines[2].contains("block") && lines[2].contains("uproot vines"),
        "{}",
        lines[2]
    );
    assert!(lines[6].contains("→ block"), "{}", lines[6]);
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn no_journal_is_no_failure() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["log"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("no journal yet") && ran.stdout.contains(sandbox.state_dir().as_str())
    );
    assert!(!sandbox.home.exists(), "looking creates nothing");
    let json = sandbox.run(&["log", "--json"]);
    assert_eq!((json.code, json.stdout.as_str()), (0, ""));
    let verify = sandbox.run(&["log", "verify", "--json"]);
    assert_eq!(verify.code, 0);
    let verified: Value = serde_json::from_str(&verify.stdout).unwrap();
    assert_eq!(
        (&verified["rows"], &verified["ok"]),
        (&json!(0), &json!(true))
    );
    let head = verified["head"].as_str().unwrap();
    assert_eq!(sandbox.run(&["log", "verify", "--anchor", head]).code, 0);
    assert!(!sandbox.home.exists());
}

#[test]
fn verify_counts_and_gives_a_head_that_it_takes_back() {
    let sandbox = filled();
    let text = sandbox.run(&["log", "verify"]);
    assert_eq!(text.code, 0);
    assert!(text.stdout.contains("6 rows"), "{}", text.stdout);
    let ran = sandbox.run(&["log", "verify", "--json"]);
    let verified: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&verified["ok"], &verified["rows"]),
        (&json!(true), &json!(6))
    );
    let head = verified["head"].as_str().unwrap();
    let last = sandbox.journal().pop().unwrap();
    assert_eq!(head, format!("6:{}", last["hash"].as_str().unwrap()));
    assert!(text.stdout.contains(head));
    assert_eq!(sandbox.run(&["log", "verify", "--anchor", head]).code, 0);

    let beyond = head.replacen("6:", "9:", 1);
    let foreign = format!("6:{}", "0".repeat(64));
    for anchor in [beyond.as_str(), foreign.as_str()] {
        sandbox
            .run(&["log", "verify", "--anchor", anchor])
            .assert_failure(1, &["does not verify", "row 6"]);
    }
}

/// Brings every row out of SQLite's log into the file, and removes the log.
fn fold(sandbox: &Sandbox) {
    let store = Store::open(&sandbox.state_dir()).unwrap();
    store
        .transition(&mut |transaction| {
            for _ in 0..600 {
                transaction.append(&Record {
                    detail: Some("soil ".repeat(800)),
                    ..Record::of(RecordKind::Problem, 1)
                })?;
            }
            Ok(())
        })
        .unwrap();
    drop(store);
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", sandbox.database())).unwrap();
    }
}

/// Replaces text in the database by text of the same length.
fn tamper(sandbox: &Sandbox, before: &str, after: &str) {
    assert_eq!(before.len(), after.len());
    let mut bytes = fs::read(sandbox.database()).unwrap();
    let places: Vec<usize> = bytes
        .windows(before.len())
        .enumerate()
        .filter_map(|(place, window)| (window == before.as_bytes()).then_some(place))
        .collect();
    assert!(!places.is_empty(), "{before} is not in the file");
    for place in places {
        bytes[place..place + after.len()].copy_from_slice(after.as_bytes());
    }
    fs::write(sandbox.database(), bytes).unwrap();
}

#[test]
fn a_changed_row_is_found_and_named() {
    for (before, after) in [
        ("uproot vines", "prunes vines"),
        ("rule_denied", "rule_dennis"),
    ] {
        let sandbox = filled();
        fold(&sandbox);
        sandbox.assert_verified();
        tamper(&sandbox, before, after);
        sandbox
            .run(&["log", "verify"])
            .assert_failure(1, &["does not verify", "row 2"]);
        sandbox
            .run(&["log", "verify", "--json"])
            .assert_failure(1, &["row 2"]);
        // It is shown all the same, for whoever looks into it.
        assert_eq!(sandbox.run(&["log", "--json"]).code, 0);
    }
}

#[test]
fn a_shortened_journal_is_found_with_an_anchor() {
    let sandbox = filled();
    fold(&sandbox);
    let copy = fs::read(sandbox.database()).unwrap();
    let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox.hook(CLAUDE, "PreToolUse", &read);
    let ran = sandbox.run(&["log", "verify", "--json"]);
    let verified: Value = serde_json::from_str(&ran.stdout).unwrap();
    let head = verified["head"].as_str().unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", sandbox.database())).unwrap();
    }
    fs::write(sandbox.database(), copy).unwrap();
    // Without an anchor a whole older journal is as good as any: the docs say so.
    sandbox.assert_verified();
    sandbox
        .run(&["log", "verify", "--anchor", head])
        .assert_failure(1, &["there were newer ones"]);
}

#[test]
fn a_journal_that_is_gone_is_found_with_an_anchor() {
    let sandbox = filled();
    let ran = sandbox.run(&["log", "verify", "--json"]);
    let verified: Value = serde_json::from_str(&ran.stdout).unwrap();
    let head = verified["head"].as_str().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", sandbox.database())).unwrap();
    }
    sandbox
        .run(&["log", "verify", "--anchor", head])
        .assert_failure(1, &["does not verify", "row 6", "is gone"]);
    assert!(!sandbox.database().exists(), "looking creates nothing");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::io::Read as _;
    let sandbox = filled();
    fold(&sandbox);
    let mut child = crate::support::start(&mut sandbox.command(&["log", "-n", "1000"]));
    let mut byte = [0];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut byte).unwrap();
    drop(stdout);
    let ran = crate::support::finish(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// The oldest rows go when a session ends, and the rest still verifies.
#[test]
fn a_session_that_ends_leaves_the_journal_within_its_limits() {
    let sandbox = Sandbox::trusted(r#"{ "journal": { "maxMegabytes": 1 } }"#);
    let store = Store::open(&sandbox.state_dir()).unwrap();
    for _ in 0..100 {
        store
            .transition(&mut |transaction| {
                transaction.append(&Record {
                    subject: Some("x".repeat(15 * 1024)),
                    ..Record::of(RecordKind::Decision, i64::MAX / 2)
                })
            })
            .unwrap();
    }
    drop(store);
    let before = sandbox.rows("decision").len();
    sandbox
        .hook(CLAUDE, "SessionEnd", &sandbox.payload(CLAUDE, "SessionEnd"))
        .assert_neutral();
    assert!(sandbox.rows("decision").len() < before);
    assert_eq!(sandbox.rows("anchor").len(), 1);
    sandbox.assert_verified();
}
