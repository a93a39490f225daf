//! The local socket takes hook events and nothing else, and who sends them is
//! the kernel's word.

use std::os::unix::net::UnixStream;

use countersign_ipc::wire::{PROTOCOL, Reply, Request, encode_request};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{ATTACK, EVENT, PRUNE, again, asked, is_trusted, session, shell};
use crate::answers::frame;
use crate::sandbox::{AUTO, CLAUDE, Sandbox, With as _};
use crate::support::{Agent, Desk, says};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("the_socket_takes_no_act_of_a_person", acts),
        trial(
            "the_socket_takes_no_other_protocol_and_no_other_server",
            protocols,
        ),
        trial("a_mode_on_the_socket_only_tightens", modes),
        trial("events_on_the_socket_speak_for_who_sent_them", events),
        trial("nonsense_on_the_socket_harms_nobody", nonsense),
        trial("whoever_only_connects_keeps_nobody_out", idle),
        trial(
            "large_calls_that_are_blocked_do_not_bloat_the_server",
            bloat,
        ),
    ]
}

fn request(desk: &Desk, event: &str) -> Request {
    Request {
        protocol: PROTOCOL,
        server: desk.announcement().unwrap().instance.key,
        version: "0.1.0".to_owned(),
        agent: CLAUDE.to_owned(),
        event: event.to_owned(),
        remaining_ms: 20_000,
        tighten: None,
        traceparent: None,
        speaks_for: None,
        search_path: None,
        shell: None,
    }
}

/// A header of a request with these fields besides, or in place of, its own.
fn header(desk: &Desk, event: &str, more: Value) -> String {
    let mut header = serde_json::to_value(request(desk, event)).unwrap();
    for (name, value) in more.as_object().unwrap() {
        header[name] = value.clone();
    }
    header.to_string()
}

/// What a client of the editor's connection would say.
fn lsp(method: &str, parameters: Value) -> Vec<u8> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
    let body = body.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn acts() {
    let sandbox = Sandbox::new();
    sandbox.settings(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    let (running, approval) = asked(&sandbox, &agent, &mut desk);
    let settings = std::fs::read(sandbox.places().user_file()).unwrap();
    // Even with everything that only the person's own prompt knows.
    let yes = json!({
        "id": approval["id"],
        "nonce": approval["nonce"],
        "digest": approval["digest"],
        "choice": "approve",
    });
    let everything = json!({
        "answer": "proceed_once",
        "decision": "allow",
        "mode": "yolo",
        "approvalMode": "yolo",
        "trusted": true,
        "grant": approval["id"],
        "permissions": { "allow": ["Bash"] },
        "resolveApproval": yes,
        "process": { "pid": 1, "start": 0, "boot": "" },
    });
    let folder = sandbox.workspace.as_str();
    let payload = sandbox
        .payload(CLAUDE, "SessionStart")
        .with("mode", json!("yolo"))
        .with("approve", yes.clone())
        .to_string();
    let mut messages = vec![
        lsp(
            "initialize",
            json!({ "capabilities": { "experimental": { "countersign": {} } } }),
        ),
        lsp("countersign/resolveApproval", yes.clone()),
        lsp(
            "countersign/setMode",
            json!({ "mode": "yolo", "confirmed": true }),
        ),
        lsp(
            "countersign/trust",
            json!({ "folder": folder, "trusted": true }),
        ),
        lsp("countersign/grant", json!({ "id": approval["id"] })),
        lsp("countersign/resetCounters", json!({})),
        lsp("countersign/setBaseline", json!({})),
        lsp(
            "workspace/executeCommand",
            json!({ "command": "countersign.server.approve", "arguments": [approval["id"]] }),
        ),
        frame(&yes.to_string(), b""),
        frame(&everything.to_string(), b""),
        frame(
            &header(&desk, "SessionStart", everything.clone()),
            payload.as_bytes(),
        ),
    ];
    for event in [
        "Approve",
        "resolveApproval",
        "setMode",
        "trust",
        "grant",
        "countersign/resolveApproval",
        "PermissionDecision",
        "",
    ] {
        messages.push(frame(
            &header(&desk, event, json!({})),
            yes.to_string().as_bytes(),
        ));
    }
    for message in messages {
        match says(&agent, &socket, &message) {
            Some(Reply::Answer { exit, stdout, .. }) => {
                // Nothing to say, or a block of what nobody knows.
                assert!((exit == 0 && stdout.is_empty()) || exit == 2, "{stdout}");
            }
            Some(Reply::Refused { .. }) | None => {}
            Some(reply @ Reply::Elsewhere { .. }) => panic!("{reply:?}"),
        }
        assert_eq!(desk.pending(), 1);
    }
    assert!(!is_trusted(&sandbox));
    assert_eq!(
        std::fs::read(sandbox.places().user_file()).unwrap(),
        settings
    );
    // Untrusted, it is in default mode.
    assert_eq!(desk.session(&session(&sandbox)).unwrap()["mode"], "default");
    for kind in ["answer", "trust", "reset", "rules"] {
        assert_eq!(sandbox.rows(kind), [] as [Value; 0], "{kind}");
    }
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

fn protocols() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    let call = shell(&sandbox, "cargo test vines").to_string();
    for (wrong, says_why) in [
        (json!({ "protocol": 0 }), "protocol 0"),
        (json!({ "protocol": 2 }), "protocol 2"),
        (
            json!({ "server": "0".repeat(32) }),
            "not the server that was meant",
        ),
        (json!({ "server": "" }), "not the server that was meant"),
        (json!({ "tighten": "loosest" }), "header"),
        (json!({ "remaining_ms": -1 }), "header"),
    ] {
        let message = frame(&header(&desk, EVENT, wrong.clone()), call.as_bytes());
        let Some(Reply::Refused { reason }) = says(&agent, &socket, &message) else {
            panic!("{wrong}");
        };
        assert!(reason.contains(says_why), "{wrong}: {reason}");
    }
    assert_eq!(sandbox.rows("decision").len(), 0);
    // As it should be.
    let message = encode_request(&request(&desk, EVENT), call.as_bytes()).unwrap();
    let Some(Reply::Answer {
        exit: 0, stdout, ..
    }) = says(&agent, &socket, &message)
    else {
        panic!("no answer");
    };
    assert!(stdout.contains("\"allow\""), "{stdout}");
}

fn modes() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    // In yolo mode it would be allowed, in plan mode what rules allow is not.
    for (mode, command, wanted) in [
        ("yolo", "uproot all", "rule_denied"),
        ("yolo", ATTACK, "static_blocked"),
        ("plan", "trellis prune", "plan_mode"),
    ] {
        let header = header(&desk, EVENT, json!({ "tighten": mode }));
        let call = shell(&sandbox, command).to_string();
        let reply = says(&agent, &socket, &frame(&header, call.as_bytes()));
        assert!(
            matches!(reply, Some(Reply::Answer { exit: 2, .. })),
            "{mode}"
        );
        let row = sandbox.rows("decision").pop().unwrap();
        assert_eq!(row["reason"], wanted, "{mode} {command}");
    }
    let header = header(
        &desk,
        EVENT,
        json!({ "tighten": "yolo", "remaining_ms": 100 }),
    );
    let call = shell(&sandbox, PRUNE).to_string();
    let reply = says(&agent, &socket, &frame(&header, call.as_bytes()));
    assert!(
        matches!(reply, Some(Reply::Answer { exit: 2, .. })),
        "{reply:?}"
    );
    let row = sandbox.rows("decision").pop().unwrap();
    assert_eq!(
        (&row["mode"], &row["decision"]),
        (&json!("auto"), &json!("ask"))
    );
    desk.approval();
}

fn events() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    let call = shell(&sandbox, PRUNE);
    // Three times no: nobody is asked any more until a person acts.
    for number in 0..3 {
        let command = format!("{PRUNE} {number}");
        let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, &command));
        let approval = desk.approval();
        desk.deny(&approval);
        running.ended().assert_block(EVENT);
    }
    assert_eq!(desk.session(&session(&sandbox)).unwrap()["paused"], true);
    for event in [
        "UserPromptSubmit",
        "PostToolUse",
        "Stop",
        "SessionStart",
        "SessionEnd",
    ] {
        let payload = match event {
            "PostToolUse" => sandbox.shell(CLAUDE, event, PRUNE),
            _ => sandbox.payload(CLAUDE, event),
        };
        let before = sandbox.journal().len();
        let message = encode_request(&request(&desk, event), payload.to_string().as_bytes());
        let reply = says(&agent, &socket, &message.unwrap());
        assert!(
            matches!(reply, Some(Reply::Answer { exit: 0, .. })),
            "{event}"
        );
        let rows = sandbox.journal();
        assert_eq!(rows.len(), before + 1, "{event}");
        assert_eq!(rows.last().unwrap()["kind"], "ignored", "{event}");
        let known = desk.session(&session(&sandbox)).unwrap();
        assert_eq!(
            (&known["paused"], &known["ended"]),
            (&json!(true), &json!(false))
        );
    }
    let message = agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_block(EVENT);
    assert!(message.contains("paused"), "{message}");
    // The agent's own word of the person's message counts.
    let said = sandbox.payload(CLAUDE, "UserPromptSubmit");
    agent
        .hook(&sandbox, CLAUDE, "UserPromptSubmit", &said)
        .assert_neutral();
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &again(&sandbox, 1));
    let approval = desk.approval();
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
}

fn nonsense() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    let deep = "[".repeat(100_000);
    let good = header(&desk, EVENT, json!({}));
    for bytes in [
        vec![0; 8],
        vec![0xff; 64],
        frame("{", b""),
        frame(&deep[..10_000], b""),
        frame(&good, deep.as_bytes()),
        frame(&good, b"\xff\xfe"),
        frame(&good, b"null"),
        frame(&good, &vec![b' '; 2 * 1024 * 1024]),
        // More than a payload may have.
        [&[0, 0, 0, 2][..], &[0, 0x40, 0, 1], b"{}"].concat(),
    ] {
        match says(&agent, &socket, &bytes) {
            Some(Reply::Answer { exit, .. }) => assert_eq!(exit, 2),
            Some(Reply::Refused { .. }) | None => {}
            Some(reply @ Reply::Elsewhere { .. }) => panic!("{reply:?}"),
        }
    }
    let call = shell(&sandbox, "cargo test vines");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
}

/// More connections than the server takes at a time.
fn idle() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let desk = Desk::open(&sandbox);
    let socket = desk.file(".sock");
    let idle: Vec<UnixStream> = (0..600)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    let call = shell(&sandbox, "cargo test vines");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &call)
        .assert_allow(CLAUDE, EVENT);
    drop(idle);
}

/// What the server holds in memory, in bytes, without the files that are mapped
/// there, such as the program.
fn held(desk: &Desk) -> usize {
    let file = format!("/proc/{}/status", desk.process().pid);
    let text = std::fs::read_to_string(file).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("RssAnon:"))
        .unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

fn bloat() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let desk = Desk::open(&sandbox);
    let before = held(&desk);
    let content = "x".repeat(1024 * 1024);
    let file = sandbox.places().user_file();
    let mut least = usize::MAX;
    for number in 0..180 {
        let input = json!({ "file_path": file, "content": content });
        let call = sandbox
            .call(CLAUDE, EVENT, "Write", input)
            .with("tool_use_id", json!(format!("toolu_{number}")));
        agent
            .hook(&sandbox, CLAUDE, EVENT, &call)
            .assert_block(EVENT);
        if number >= 120 {
            least = least.min(held(&desk));
        }
    }
    // What is kept of calls is there at all times, unlike what one call takes,
    // which the allocator keeps for the next one, in each thread that had one
    // (a few MiB). Until then 120 MiB were sent.
    let more = least.saturating_sub(before);
    assert!(more < 80 * 1024 * 1024, "{more} bytes more");
}
