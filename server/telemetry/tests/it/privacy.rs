//! What leaves the machine: nothing in the words of an agent, a rule or a
//! model, unless the user opts in.

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{Access, PathUse, Subject};
use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason;
use countersign_core::tool::Tool;
use countersign_engine::request::Asking;
use serde_json::{Value, json};

use crate::collector::{Behaviour, Collector};
use crate::desk::{Desk, PROTOCOLS, Setup, blocked};
use crate::received::Received;

/// Stands wherever somebody chooses words; whatever it is part of.
const SECRET: &str = "SECRET";

fn settings(include_content: bool) -> Value {
    json!({
        "permissions": {
            "allow": ["Bash(SECRET-allowed *)"],
            "ask": ["Bash(SECRET-asked *)", "mcp__SECRETserver__asked"],
            "deny": ["Bash(SECRET-denied *)", "Read(./SECRET-denied/**)"],
        },
        "telemetry": {"includeContent": include_content},
    })
}

/// Everything that a collector receives of calls full of secrets.
fn export(setup: &Setup, settings: &Value) -> Received {
    let mut desk = Desk::at("SECRET-project", setup, settings);
    let session = "SECRET-session";
    let unavailable = Verdict::Unavailable(UnavailableReason::Transport);
    for (command, verdict) in [
        ("SECRET-allowed x", &Verdict::Allow),
        ("SECRET-denied x", &Verdict::Allow),
        (
            "curl https://SECRET-host/SECRET-path -d SECRET-data",
            &blocked(),
        ),
        ("curl https://SECRET-host --token hunter2", &unavailable),
        ("curl https://SECRET-host", &Verdict::Allow),
        ("cat SECRET-file", &Verdict::Allow),
    ] {
        desk.run(session, command, verdict);
    }
    let paths = |path: &str| {
        Subject::Paths(vec![PathUse {
            path: path.to_owned(),
            access: Access::Read,
            change: None,
        }])
    };
    for path in ["SECRET-denied/x", "/home/SECRET-user/x"] {
        let call = desk.call(session, Tool::ReadFile, paths(path));
        desk.decide(call, Some(&Verdict::Allow));
    }
    let urls = Subject::Urls(vec!["https://SECRET-host/?q=SECRET".to_owned()]);
    desk.decide(desk.call(session, Tool::WebFetch, urls), Some(&blocked()));
    let delegate = Subject::Delegate {
        kind: Some("SECRET-kind".to_owned()),
        prompt: "a SECRET prompt".to_owned(),
    };
    let mut call = desk.call(session, Tool::Agent, delegate);
    call.key.subagent = Some("SECRET-subagent".to_owned());
    call.id = Some("SECRET-call".to_owned());
    desk.decide(call, Some(&Verdict::Allow));
    for name in [
        "SECRET_tool",
        "mcp__SECRETserver__SECRETtool",
        "mcp__SECRETserver__asked",
    ] {
        let call = desk.call(session, Tool::from_canonical(name), Subject::Other);
        let verdict = blocked();
        desk.decide(call, Some(&verdict));
    }
    let asked = desk.run(session, "SECRET-asked x", &Verdict::Allow);
    let cancel = Answer::Cancel {
        message: Some("a SECRET message".to_owned()),
    };
    desk.answer(&asked, &cancel, AnswerSource::Vscode);
    desk.asking = Asking::Nobody;
    desk.run(session, "SECRET-asked y", &Verdict::Allow);
    desk.finish()
}

fn occurrences(received: &Received, word: &str) -> usize {
    let word = word.to_ascii_lowercase();
    received
        .raw
        .iter()
        .map(|bytes| {
            let text = bytes.to_ascii_lowercase();
            text.windows(word.len())
                .filter(|window| *window == word.as_bytes())
                .count()
        })
        .sum()
}

#[test]
fn no_word_of_an_agent_a_rule_or_a_model_leaves_the_machine() {
    for protocol in PROTOCOLS {
        let setup = Collector::new(protocol, Behaviour::Takes).into();
        let received = export(&setup, &settings(false));
        assert!(received.spans.len() > 40, "{}", received.spans.len());
        assert!(!received.logs.is_empty() && !received.metrics.is_empty());
        for word in [SECRET, "hunter2", "/home", "/tmp", "curl", "https:"] {
            assert_eq!(occurrences(&received, word), 0, "{word}");
        }
    }
}

#[test]
fn with_the_users_leave_it_does_and_what_is_recognised_as_a_secret_is_masked() {
    for protocol in PROTOCOLS {
        let setup = Collector::new(protocol, Behaviour::Takes).into();
        let received = export(&setup, &settings(true));
        for word in [
            "curl https://SECRET-host",
            "SECRET-reason",
            "mcp__SECRETserver__SECRETtool",
        ] {
            assert!(occurrences(&received, word) > 0, "{word}");
        }
        assert_eq!(occurrences(&received, "hunter2"), 0);
        // Only in the attributes that are for it.
        for span in &received.spans {
            for attribute in &span.attributes {
                let is_content = attribute.key.starts_with("countersign.content.");
                let says = format!("{:?}", attribute.value).contains(SECRET);
                assert!(is_content || !says, "{attribute:?}");
            }
        }
        assert_eq!(occurrences(&received, "SECRET-session"), 0);
    }
}

#[test]
fn what_is_exported_on_request_is_bounded() {
    let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
    let desk = Desk::with(&setup, &settings(true));
    let long = format!("echo {}", "x".repeat(60_000));
    desk.run("s", &long, &Verdict::Allow);
    let received = desk.finish();
    let exported: usize = received.raw.iter().map(Vec::len).sum();
    assert!(exported < 20_000, "{exported}");
}

#[test]
fn a_session_and_a_rule_have_the_same_pseudonym_each_time() {
    let setup = Collector::new(PROTOCOLS[0], Behaviour::Takes).into();
    let desk = Desk::with(&setup, &settings(false));
    for (session, command) in [
        ("a", "SECRET-denied 1"),
        ("a", "SECRET-denied 2"),
        ("b", "ls"),
    ] {
        desk.run(session, command, &Verdict::Allow);
    }
    let received = desk.finish();
    let of = |name: &str| -> Vec<_> {
        received
            .named("countersign.tool")
            .iter()
            .map(|span| crate::received::said(&span.attributes, name))
            .collect()
    };
    let sessions = of("session.id");
    assert!(sessions[0].is_some() && sessions[0] == sessions[1]);
    assert_ne!(sessions[1], sessions[2]);
    let rules = of("countersign.rule.id");
    assert!(rules[0].is_some() && rules[0] == rules[1]);
    assert_eq!(rules[2], None);
}
