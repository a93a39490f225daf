//! A server that is there decides: its answer goes through as it is, and what
//! is no answer is a block.

use countersign_agents::{Answer, decode, encode};
use countersign_core::mode::ApprovalMode;
use countersign_ipc::wire::{PROTOCOL, Reply, encode_reply};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sandbox::{AUTO, CLAUDE, CODEX, DECIDING, GEMINI, QWEN, Ran, Sandbox, With as _};
use crate::support::{Agent, Behaviour, Running};
use crate::{block_by, server, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("every_answer_goes_through_to_the_byte", every_answer),
        trial("a_large_answer_goes_through_to_the_byte", large),
        trial("a_server_is_told_exactly_what_the_agent_said", told),
        trial("the_command_lines_mode_is_sent_along", command_line_mode),
        trial("many_hooks_at_once_each_get_their_own_answer", many),
        trial("a_silent_server_ends_in_a_block_in_time", silent),
        trial("a_server_that_is_lost_ends_in_a_block", lost),
        trial("what_is_no_answer_ends_in_a_block", no_answer),
        trial("an_event_without_a_decision_ends_in_silence", no_decision),
    ]
}

fn call(sandbox: &Sandbox, agent: &str, event: &str) -> Value {
    sandbox.shell(agent, event, "cargo test vines")
}

fn every_answer() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).start();
    for (name, event) in DECIDING {
        let payload = call(&sandbox, name, event);
        let bytes = payload.to_string().into_bytes();
        let event_ref = decode(name.parse().unwrap(), event, &bytes)
            .unwrap()
            .event_ref();
        let answers = [
            Answer::NoOpinion,
            Answer::Allow {
                note: "grün\t\u{202e} \"quoted\"".to_owned(),
            },
            Answer::Ask {
                message: "a person\nis asked".to_owned(),
            },
            Answer::Block {
                message: "no".to_owned(),
            },
        ];
        for answer in answers {
            let output = encode(event_ref, &answer);
            let expected = Ran {
                code: output.exit,
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8(output.stderr).unwrap(),
            };
            server.behaves(Behaviour::Answer {
                exit: expected.code,
                stdout: expected.stdout.clone(),
                stderr: expected.stderr.clone(),
            });
            let ran = agent.hook(&sandbox, name, event, &payload);
            assert_eq!(ran, expected, "{name} {event}");
            assert_eq!(server.asked().len(), 1);
        }
    }
    // The hook itself had nothing to write down.
    assert!(!sandbox.database().exists());
    assert_eq!(sandbox.log_file(), "");
}

fn large() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let expected = Ran {
        code: 2,
        stdout: "é\0\r\n".repeat(200_000),
        stderr: "x".repeat(300_000),
    };
    let server = server(&sandbox).start();
    server.behaves(Behaviour::Answer {
        exit: expected.code,
        stdout: expected.stdout.clone(),
        stderr: expected.stderr.clone(),
    });
    let payload = call(&sandbox, CLAUDE, "PreToolUse");
    let ran = agent.hook(&sandbox, CLAUDE, "PreToolUse", &payload);
    assert!(ran == expected, "{} bytes", ran.stdout.len());
}

fn told() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(block_by("it")).start();
    // Neither the order of fields nor the space between them is the hook's.
    let payload = call(&sandbox, QWEN, "PermissionRequest").to_string();
    let payload = payload.replacen('{', " {\n\t\"zzz\": [1.50, \"\\u00e9\"] ,", 1) + "\n\n";
    let words = sandbox.hook_words(QWEN, "PermissionRequest");
    let ran = agent.begin(&words, &payload).ended();
    assert_eq!(ran.stderr, "Countersign: blocked by it\n");
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.payload, payload.as_bytes());
    let request = asked.request;
    assert_eq!(request.protocol, PROTOCOL);
    assert_eq!(request.server, server.instance().key);
    assert_eq!(request.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(request.agent, QWEN);
    assert_eq!(request.event, "PermissionRequest");
    // What it announces itself is its own to know.
    assert_eq!(request.tighten, None);
    // 60 s less 10 %, and less what has passed.
    assert!(request.remaining_ms <= 54_000, "{}", request.remaining_ms);
    assert!(request.remaining_ms > 10_000, "{}", request.remaining_ms);
}

fn command_line_mode() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(block_by("it")).start();
    for (mode, sent) in [
        ("plan", ApprovalMode::Plan),
        ("default", ApprovalMode::Default),
        ("yolo", ApprovalMode::Yolo),
    ] {
        let mut words = sandbox.hook_words(CLAUDE, "PreToolUse");
        words.extend(["--approval-mode", mode]);
        let payload = call(&sandbox, CLAUDE, "PreToolUse").to_string();
        agent.begin(&words, &payload).ended();
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.request.tighten, Some(sent), "{mode}");
    }
}

fn many() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(Behaviour::Echo).start();
    let hooks: Vec<(String, Running)> = (0..40)
        .map(|number| {
            let payload = call(&sandbox, CLAUDE, "PreToolUse")
                .with("tool_use_id", json!(format!("toolu_{number}")));
            let running = agent.begin_hook(&sandbox, CLAUDE, "PreToolUse", &payload);
            (payload.to_string(), running)
        })
        .collect();
    for (payload, running) in hooks {
        let ran = running.ended();
        assert_eq!((ran.code, ran.stdout), (0, payload));
    }
    assert_eq!(server.asked().len(), 40);
    assert!(!sandbox.database().exists());
}

/// The words of a hook that has three seconds.
fn hurried<'a>(sandbox: &'a Sandbox, name: &'a str, event: &'a str) -> Vec<&'a str> {
    let mut words = sandbox.hook_words(name, event);
    *words.iter_mut().find(|word| **word == "60").unwrap() = "5";
    words
}

fn silent() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(Behaviour::Silence).start();
    let hooks: Vec<_> = DECIDING
        .iter()
        .map(|(name, event)| {
            let payload = call(&sandbox, name, event).to_string();
            let words = hurried(&sandbox, name, event);
            (*event, agent.begin(&words, &payload))
        })
        .collect();
    for (event, running) in hooks {
        let message = running.ended().assert_block(event);
        assert!(message.contains("did not answer in time"), "{message}");
        assert!(message.contains("restart the editor"), "{message}");
    }
    assert_eq!(server.asked().len(), DECIDING.len());
    // Nobody decided it a second time.
    assert!(!sandbox.database().exists());
}

fn lost() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).that(Behaviour::Close).start();
    for (name, event) in DECIDING {
        let payload = call(&sandbox, name, event);
        let ran = agent.hook(&sandbox, name, event, &payload);
        let message = ran.assert_block(event);
        let pid = server.process().pid;
        assert!(
            message.contains(&format!(
                "the Countersign server of your editor (process {pid}) was lost while it \
                 decided; try again, or restart the editor"
            )),
            "{message}"
        );
    }
    assert_eq!(server.asked().len(), DECIDING.len());
    assert!(!sandbox.database().exists());
    assert!(sandbox.log_file().contains("was lost while it decided"));
}

/// A reply that would allow the call, were it whole and alone.
fn allow() -> Vec<u8> {
    encode_reply(&Reply::Answer {
        exit: 0,
        stdout:
            r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow"}}"#
                .to_owned(),
        stderr: String::new(),
    })
    .unwrap()
}

/// A frame with this header and payload.
pub(crate) fn frame(header: &str, payload: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    [
        &length(header.len())[..],
        &length(payload.len())[..],
        header.as_bytes(),
        payload,
    ]
    .concat()
}

fn no_answer() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).start();
    let half = allow()[..allow().len() - 1].to_vec();
    let behaviours = [
        ("lost", Behaviour::LastBytes(half)),
        ("none", Behaviour::Bytes([allow(), allow()].concat())),
        ("none", Behaviour::Bytes([allow(), b"x".to_vec()].concat())),
        // Announced beyond the bounds, header and payload.
        ("none", Behaviour::Bytes(vec![0xff; 8])),
        ("none", Behaviour::Bytes(vec![0, 0, 0, 2, 0, 0x40, 0, 1])),
        (
            "none",
            Behaviour::Bytes(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        ),
        ("none", Behaviour::Bytes(frame("{}", b""))),
        ("none", Behaviour::Bytes(frame(r#"{"reply":"allow"}"#, b""))),
        (
            "none",
            Behaviour::Bytes(frame(
                r#"{"reply":"answer","exit":0,"stdout_bytes":9}"#,
                b"",
            )),
        ),
        (
            "none",
            Behaviour::Bytes(frame(
                r#"{"reply":"answer","exit":0,"stdout_bytes":1}"#,
                b"\xff",
            )),
        ),
        // Agents run the tool after any other status.
        (
            "none",
            Behaviour::Answer {
                exit: 1,
                stdout: String::new(),
                stderr: String::new(),
            },
        ),
    ];
    for (said, behaviour) in behaviours {
        server.behaves(behaviour.clone());
        for (name, event) in [(CLAUDE, "PreToolUse"), (CODEX, "PermissionRequest")] {
            let payload = call(&sandbox, name, event);
            let ran = agent.hook(&sandbox, name, event, &payload);
            let message = ran.assert_block(event);
            assert!(message.contains(said), "{behaviour:?}: {message}");
            assert!(message.contains("restart the editor"), "{message}");
        }
        assert_eq!(server.asked().len(), 2, "{behaviour:?}");
    }
    assert!(!sandbox.database().exists());
}

fn no_decision() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let server = server(&sandbox).start();
    for (name, event) in [
        (CLAUDE, "PostToolUse"),
        (CLAUDE, "UserPromptSubmit"),
        (QWEN, "PermissionDenied"),
        (CODEX, "Stop"),
        (GEMINI, "SessionEnd"),
    ] {
        let payload = sandbox.payload(name, event);
        for behaviour in [Behaviour::Close, Behaviour::Bytes(vec![0xff; 8])] {
            server.behaves(behaviour);
            let ran = agent.hook(&sandbox, name, event, &payload);
            ran.assert_neutral();
            assert_eq!(server.asked().len(), 1, "{name} {event}");
        }
        let log = sandbox.log_file();
        let line = format!("{name} {event}: the Countersign server");
        assert_eq!(log.matches(&line).count(), 2, "{line}: {log}");
    }
    server.behaves(Behaviour::Silence);
    let words = hurried(&sandbox, CLAUDE, "Stop");
    let payload = sandbox.payload(CLAUDE, "Stop").to_string();
    agent.begin(&words, &payload).ended().assert_neutral();
    assert!(!sandbox.database().exists());
}
