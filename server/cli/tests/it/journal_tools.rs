//! `log --follow`, `log prune`, `explain`, `stats`, and the pages of a terminal.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use countersign_core::state::{Record, RecordKind, StateStore as _};
use countersign_store::Store;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::journal::filled;
use crate::support::{AUTO, CLAUDE, Ran, Sandbox, finish, start, until};

#[track_caller]
fn printed(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The id of the only call with this reason.
fn call_with(sandbox: &Sandbox, reason: &str) -> String {
    let rows = sandbox.rows("decision");
    let row = rows.iter().find(|row| row["reason"] == reason).unwrap();
    row["call"].as_str().unwrap().to_owned()
}

#[test]
fn following_tells_what_other_processes_write_and_ends_with_its_reader() {
    let sandbox = filled();
    let words = [
        "log",
        "--follow",
        "-n",
        "1",
        "--json",
        "--decision",
        "block",
    ];
    let mut child = start(&mut sandbox.command(&words));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["reason"], "no_surface");
    for command in ["uproot one", "trellis build", "uproot two"] {
        let shell = sandbox.shell(CLAUDE, "PreToolUse", command);
        sandbox.hook(CLAUDE, "PreToolUse", &shell);
    }
    assert_eq!(next()["subject"], "uproot one");
    assert_eq!(next()["subject"], "uproot two");
    // Nothing is written any more: that the reader went is found out all the same.
    drop(lines);
    let ran = finish(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn following_waits_for_a_journal_and_creates_none() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut child = start(&mut sandbox.command(&["log", "-f"]));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
    assert!(!sandbox.database().exists());
    sandbox.hook(CLAUDE, "PreToolUse", &read);
    let mut text = String::new();
    while !text.contains("src/lib.rs") {
        assert!(stdout.read_line(&mut text).unwrap() > 0, "{text}");
    }
    assert!(text.starts_with("time "), "{text}");
    drop(stdout);
    assert_eq!(finish(child).code, 0);
}

#[test]
fn explain_tells_the_whole_story_of_a_call() {
    let sandbox = filled();
    let id = call_with(&sandbox, "rule_denied");
    let ran = sandbox.run(&["explain", &id[..8]]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    for part in [
        "block  run_shell_command  rule_denied",
        "  uproot vines",
        "session     claude-code:north",
        "mode        auto",
        "layers      → deny rules       block: rule_denied",
        "counters    consecutiveBlock=0",
        "to change   change the deny rule; nothing else lifts it",
        &format!("call        {id}"),
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn explain_goes_on_to_how_the_asking_ended() {
    let sandbox = filled();
    let rows = sandbox.rows("answer");
    let id = rows[0]["call"].as_str().unwrap();
    let story = printed(&sandbox.run(&["explain", "--json", id]));
    assert_eq!(story["id"], id);
    assert_eq!(
        (&story["decision"], &story["reason"]),
        (&json!("ask"), &json!("no_classifier"))
    );
    let kinds: Vec<_> = story["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["decision", "answer"]);
    let layers: Vec<_> = story["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| (layer["layer"].as_str().unwrap(), layer["decided"] == true))
        .collect();
    assert_eq!(layers.first(), Some(&("deny_rules", false)));
    assert_eq!(layers.last(), Some(&("classifier", true)));
    assert_eq!(layers.len(), 10);
    let changes: Vec<_> = story["howToChange"].as_array().unwrap().iter().collect();
    assert!(
        changes[0]
            .as_str()
            .unwrap()
            .contains("configure a classifier")
    );
    assert!(
        changes[1]
            .as_str()
            .unwrap()
            .contains("an editor in which it can be asked")
    );

    let text = sandbox.run(&["explain", id]).stdout;
    assert!(
        text.contains("then  ") && text.contains("answer: no_surface"),
        "{text}"
    );
}

#[test]
fn explain_takes_the_agents_id_and_names_calls_that_it_may_mean() {
    let sandbox = filled();
    let rows = sandbox.rows("decision");
    let row = rows
        .iter()
        .find(|row| row["agent_call"].is_string())
        .unwrap();
    let theirs = row["agent_call"].as_str().unwrap();
    let ran = sandbox.run(&["explain", theirs, "--json"]);
    // Payloads of one kind share an id: then it says which there are.
    if ran.code == 0 {
        assert_eq!(printed(&ran)["id"], row["call"]);
    } else {
        ran.assert_failure(1, &["several", row["call"].as_str().unwrap()]);
    }
    sandbox
        .run(&["explain", "no-such-call"])
        .assert_failure(1, &["no-such-call", "countersign log"]);
    sandbox
        .run(&["explain", ""])
        .assert_failure(1, &["several ids", "uproot vines"]);
    Sandbox::new()
        .run(&["explain", "a"])
        .assert_failure(1, &["no journal yet"]);
}

/// What agents and models wrote does not look like what explain says.
#[test]
fn explain_escapes_what_others_wrote() {
    let sandbox = Sandbox::new();
    let store = Store::open(&sandbox.state_dir()).unwrap();
    let record = Record {
        call: Some("c1".to_owned()),
        tool: Some("x\u{1b}[2Jy".to_owned()),
        decision: Some("allow".to_owned()),
        reason: Some("rule".to_owned()),
        detail: Some("fine\nto change   nothing".to_owned()),
        subject: Some("ls\u{202e}\u{1b}[1A\nto change   nothing".to_owned()),
        effects: vec!["reads\ncall  other".to_owned()],
        ..Record::of(RecordKind::Decision, 1)
    };
    store
        .transition(&mut |transaction| transaction.append(&record))
        .unwrap();
    let text = sandbox.run(&["explain", "c1"]).stdout;
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
    let headings = text.lines().filter(|line| line.starts_with("to change"));
    assert_eq!(headings.count(), 1, "{text}");
    assert!(
        text.lines().all(|line| !line.starts_with("call  other")),
        "{text}"
    );
}

#[test]
fn stats_count_what_was_decided() {
    let sandbox = filled();
    let stats = printed(&sandbox.run(&["stats", "--json"]));
    assert_eq!(
        stats["all"],
        json!({ "calls": 5, "allowed": 2, "asked": 2, "blocked": 1, "withoutModel": 5 })
    );
    assert_eq!(stats["agents"]["codex"]["allowed"], 1);
    assert_eq!(stats["tools"]["read_file"]["calls"], 1);
    assert_eq!(stats["answers"], json!({ "no_surface": 1 }));
    assert_eq!(stats["days"].as_object().unwrap().len(), 1);
    assert_eq!(stats["decidingMicros"]["count"], 5);
    assert_eq!(stats["layers"][0]["reason"], "no_classifier");
    assert_eq!(stats["layers"][0]["calls"], 2);

    let text = sandbox.run(&["stats"]);
    assert_eq!((text.code, text.stderr.as_str()), (0, ""), "{text:?}");
    for part in [
        "5 calls, ",
        "decided without a model          5 100.0 %  ████",
        "asked about                      2  40.0 %  ████",
        "claude-code",
        "no_classifier",
        "answers no_surface 1",
        "deciding without a model",
    ] {
        assert!(text.stdout.contains(part), "no `{part}` in {}", text.stdout);
    }
    let none = printed(&sandbox.run(&["stats", "--json", "--since", "2100-01-01T00:00:00Z"]));
    assert_eq!(none["all"]["calls"], 0);

    let empty = Sandbox::new();
    assert_eq!(printed(&empty.run(&["stats", "--json"]))["all"]["calls"], 0);
    assert!(empty.run(&["stats"]).stdout.contains("no journal yet"));
    assert!(!empty.home.exists(), "looking creates nothing");
}

fn rows(sandbox: &Sandbox, count: i64, bytes: usize) {
    let store = Store::open(&sandbox.state_dir()).unwrap();
    store
        .transition(&mut |transaction| {
            (1..=count).try_for_each(|time| {
                transaction.append(&Record {
                    subject: Some("x".repeat(bytes)),
                    ..Record::of(RecordKind::Decision, time)
                })
            })
        })
        .unwrap();
}

#[test]
fn pruning_removes_what_the_limits_say_and_leaves_a_journal_that_verifies() {
    let sandbox = Sandbox::trusted(r#"{ "journal": { "retentionDays": 30 } }"#);
    rows(&sandbox, 20, 10);
    let before = sandbox.run(&["log", "verify", "--json"]);
    let head = printed(&before)["head"].as_str().unwrap().to_owned();
    let plan = printed(&sandbox.alone(&["log", "prune", "--dry-run", "--json"]));
    assert_eq!(
        (&plan["prunable"], &plan["removed"]),
        (&json!(20), &json!(0))
    );
    // Nobody is there to say yes.
    sandbox
        .alone(&["log", "prune"])
        .assert_failure(1, &["20 rows", "--yes"]);
    assert_eq!(sandbox.journal().len(), 20);

    let first = [
        "log",
        "prune",
        "--yes",
        "--json",
        "--before",
        "1970-01-01T00:00:00.006Z",
    ];
    let ran = printed(&sandbox.alone(&first));
    assert_eq!(ran["removed"], 5);
    assert_eq!(sandbox.journal().len(), 16);
    assert_eq!(sandbox.run(&["log", "verify", "--anchor", &head]).code, 0);
    let ran = sandbox.alone(&["log", "prune", "--yes"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stdout.contains("removed  15 of 16 rows"), "{ran:?}");
    // The row of the first time is as young as that of the second.
    assert_eq!(sandbox.rows("anchor").len(), 2);
    sandbox.assert_verified();
    assert!(sandbox.alone(&["log", "prune"]).stdout.contains("0 of "));
}

#[test]
fn pruning_by_size_keeps_the_newest_rows() {
    let sandbox = Sandbox::new();
    rows(&sandbox, 300, 10_000);
    let words = ["log", "prune", "--yes", "--json", "--max-megabytes", "1"];
    let removed = printed(&sandbox.alone(&words))["removed"].as_u64().unwrap();
    assert!((100..300).contains(&removed), "{removed}");
    let rows = sandbox.rows("decision");
    assert_eq!(rows.last().unwrap()["time"], 300);
    assert_eq!(rows.len() as u64, 300 - removed);
    sandbox.assert_verified();
}

#[test]
fn an_agent_looks_and_does_not_prune() {
    let sandbox = filled();
    let before = sandbox.journal();
    for words in [
        &["log", "prune", "--yes"][..],
        &["log", "prune", "--yes", "--before", "2100-01-01T00:00:00Z"],
        &["log", "prune", "--dry-run"],
    ] {
        sandbox
            .below_an_agent(words)
            .assert_failure(1, &["for a person", "claude-code"]);
    }
    let id = call_with(&sandbox, "safe_tool");
    for words in [
        &["log"][..],
        &["log", "verify"],
        &["stats"],
        &["explain", &id],
        &["doctor", "--agents-home", "none"],
        &["status", "--agents-home", "none"],
    ] {
        let ran = sandbox.below_an_agent(words);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (0, ""),
            "{words:?} {ran:?}"
        );
    }
    assert_eq!(sandbox.journal(), before);
}

/// A terminal of ten rows.
fn terminal() -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let size = Winsize {
        ws_row: 10,
        ws_col: 120,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
    (File::from(controller), terminal)
}

/// Under an agent a terminal gets everything at once, in colours: nothing waits
/// for a key that nobody presses, and no program is run to show it.
#[test]
fn a_terminal_of_an_agent_gets_everything_at_once() {
    let sandbox = Sandbox::trusted(AUTO);
    rows(&sandbox, 40, 10);
    let (mut controller, terminal) = terminal();
    let pager = sandbox.workspace.join("pager.sh");
    std::fs::write(&pager, "#!/bin/sh\ntouch ran\n").unwrap();
    let words = ["log", "-n", "40"];
    let mut command = crate::support::through(
        &["/bin/sh", "-c", "\"$@\"; exit $?", "sh"],
        &[
            &[crate::support::PROGRAM, "--home", sandbox.home.as_str()],
            &words[..],
        ]
        .concat(),
    );
    std::os::unix::process::CommandExt::arg0(&mut command, "claude");
    let mut child = command
        .current_dir(&sandbox.workspace)
        .env("PAGER", &pager)
        .env("TERM", "xterm-256color")
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(command);
    let mut text = Vec::new();
    let mut part = [0; 4096];
    until("everything is shown", || {
        // The terminal's end closes with the last process.
        match controller.read(&mut part) {
            Ok(0) | Err(_) => true,
            Ok(read) => {
                text.extend_from_slice(&part[..read]);
                false
            }
        }
    });
    assert!(child.wait().unwrap().success());
    let text = String::from_utf8_lossy(&text);
    assert_eq!(text.matches("xxxxxxxxxx").count(), 40, "{text}");
    assert!(text.contains("\u{1b}["), "colours at a terminal");
    assert!(!text.contains("\u{1b}[?1049h"), "no pages");
    assert!(!sandbox.workspace.join("ran").exists());
}
