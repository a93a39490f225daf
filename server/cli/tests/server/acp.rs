//! `countersign acp` as a process, between a client and an agent that are both
//! the test: what passes, who is asked, and how everything ends.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use countersign_ipc::alive;
use countersign_service::TOO_SOON;
use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::sandbox::{AUTO, Sandbox, until};
use crate::support::{Desk, Proxied};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("acp_ends_with_the_status_of_its_agent", status),
        trial("acp_tells_which_signal_ended_its_agent", signalled),
        trial("acp_ends_an_agent_whose_client_is_gone", client_gone),
        trial("acp_ends_what_its_agent_leaves_behind", left_behind),
        trial("acp_ends_its_agent_when_it_is_told_to_end", told_to_end),
        trial("an_agent_hears_the_end_of_an_acp_that_was_killed", killed),
        trial("acp_passes_every_byte_in_both_directions", bytes),
        trial("acp_answers_by_rules_without_asking", rules),
        trial("acp_asks_its_client_where_there_is_no_editor", no_editor),
        trial("acp_asks_in_the_editor_where_there_is_one", editor),
        trial("acp_says_no_when_the_editors_server_dies", server_dies),
        trial("acp_goes_on_when_it_cannot_log", full_disk),
    ]
}

/// Nothing vouches for it, and no rule speaks of it.
const UNKNOWN: &str = "trellis prune";

/// The agent asks whether it may run a command.
fn permission(id: u64, command: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "session/request_permission", "params": {
        "sessionId": "vines",
        "options": [
            { "optionId": "always", "name": "Always", "kind": "allow_always" },
            { "optionId": "once", "name": "Allow", "kind": "allow_once" },
            { "optionId": "cancel", "name": "Reject", "kind": "reject_once" },
        ],
        "toolCall": {
            "toolCallId": format!("call-{id}"),
            "title": command,
            "kind": "execute",
            "status": "pending",
            "content": [],
            "rawInput": { "command": command, "is_background": false },
            "_meta": { "toolName": "run_shell_command" },
        },
    }})
}

fn chosen(answer: &Value) -> &str {
    answer["result"]["outcome"]["optionId"].as_str().unwrap()
}

/// A session in the sandbox's workspace is open.
fn opened(sandbox: &Sandbox, mut proxied: Proxied) -> Proxied {
    let new = json!({ "jsonrpc": "2.0", "id": 1, "method": "session/new", "params": {
        "cwd": sandbox.workspace, "mcpServers": [],
    }});
    proxied.client.says(&new);
    assert_eq!(proxied.agent.hears(), new);
    let session = json!({ "jsonrpc": "2.0", "id": 1, "result": { "sessionId": "vines" } });
    proxied.agent.says(&session);
    assert_eq!(proxied.client.hears(), session);
    proxied
}

fn status() {
    for code in [0, 7, 255] {
        let sandbox = Sandbox::trusted(AUTO);
        let mut proxied = Proxied::start(&sandbox);
        proxied.orders(&format!("exit {code}"));
        proxied.client.hears_the_end();
        assert_eq!(proxied.status(), code);
    }
}

fn signalled() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = Proxied::start(&sandbox);
    proxied.orders(&format!("signal {}", Signal::KILL.as_raw()));
    assert_eq!(proxied.status(), 128 + Signal::KILL.as_raw());
}

fn client_gone() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
    proxied.client.closes();
    // One that listens ends by itself, as it likes.
    proxied.agent.hears_the_end();
    proxied.orders("exit 3");
    assert_eq!(proxied.status(), 3);
    // One that does not is ended.
    let proxied = opened(&sandbox, Proxied::start(&sandbox));
    let agent = proxied.agent_process();
    proxied.client.closes();
    assert_eq!(proxied.status(), 128 + Signal::TERM.as_raw());
    assert!(!alive(&agent));
}

fn left_behind() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = Proxied::start(&sandbox);
    let child = proxied.has_a_child();
    assert!(alive(&child));
    proxied.orders("exit 0");
    assert_eq!(proxied.status(), 0);
    until("what the agent left behind is gone", || !alive(&child));
}

fn told_to_end() {
    let sandbox = Sandbox::trusted(AUTO);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
        let (agent, child) = (proxied.agent_process(), proxied.has_a_child());
        // While something waits for an answer.
        proxied.agent.says(&permission(2, UNKNOWN));
        proxied.client.hears();
        proxied.signal(signal);
        assert_eq!(proxied.status(), 128 + signal.as_raw());
        assert!(!alive(&agent));
        until("what the agent left behind is gone", || !alive(&child));
    }
}

/// Nothing more can be done for it by then; it gets no yes.
fn killed() {
    let sandbox = Sandbox::trusted(AUTO);
    for signal in [Signal::KILL, Signal::ABORT] {
        let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
        proxied.agent.says(&permission(2, UNKNOWN));
        proxied.client.hears();
        proxied.signal(signal);
        assert_eq!(proxied.agent.hears_line(), None, "{signal:?}");
        assert!(proxied.status() != 0);
        assert!(!alive(proxied.process()));
    }
}

fn bytes() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = Proxied::start(&sandbox);
    let long = "x".repeat(3 * 1024 * 1024);
    let lines = [
        "{\"jsonrpc\":\"2.0\",\"method\":\"_vines\",\"params\":{}}\n".to_owned(),
        " {\"params\" :\t{\"b\":1e999,\"a\":-0.0,\"\\ud83d\":\"\u{2028}\"},\"method\":\"_x\"} \r\n"
            .to_owned(),
        "\n".to_owned(),
        format!("{{\"method\":\"session/update\",\"params\":{{\"long\":\"{long}\"}}}}\n"),
        "{\"method\":\"_last\",\"params\":{\"z\":[],\"z2\":null}}\n".to_owned(),
    ];
    for from_agent in [true, false] {
        let (from, to) = if from_agent {
            (&proxied.agent, &mut proxied.client)
        } else {
            (&proxied.client, &mut proxied.agent)
        };
        let (mut writer, all) = (from.writer(), lines.concat());
        let writing = thread::spawn(move || writer.write_all(all.as_bytes()).unwrap());
        for line in &lines {
            let heard = to.hears_line().unwrap();
            assert!(heard == line.as_bytes(), "{from_agent} {}", heard.len());
        }
        writing.join().unwrap();
    }
}

fn rules() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
    proxied.agent.says(&permission(2, "cargo test --lib"));
    assert_eq!(chosen(&proxied.agent.hears()), "once");
    proxied.agent.says(&permission(3, "uproot --all"));
    assert_eq!(chosen(&proxied.agent.hears()), "cancel");
    // All that the client hears is why.
    let told = proxied.client.hears();
    assert_eq!(told["method"], "session/update");
    assert_eq!(told["params"]["update"]["toolCallId"], "call-3");
    let text = &told["params"]["update"]["content"][0]["content"]["text"];
    assert!(text.as_str().unwrap().contains("uproot"), "{text}");
    sandbox.assert_verified();
}

fn no_editor() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
    for (id, choice, given) in [(2, "always", "once"), (3, "cancel", "cancel")] {
        proxied
            .agent
            .says(&permission(id, &format!("{UNKNOWN} {id}")));
        let question = proxied.client.hears();
        assert_eq!(question["method"], "session/request_permission");
        // Nobody reads faster.
        thread::sleep(TOO_SOON + Duration::from_millis(50));
        let outcome = json!({ "outcome": "selected", "optionId": choice });
        proxied.client.says(&json!({
            "jsonrpc": "2.0", "id": question["id"], "result": { "outcome": outcome },
        }));
        assert_eq!(chosen(&proxied.agent.hears()), given);
    }
}

fn editor() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
    proxied.agent.says(&permission(2, UNKNOWN));
    let approval = desk.approval_of(UNKNOWN);
    desk.approve(&approval);
    assert_eq!(chosen(&proxied.agent.hears()), "once");
    proxied
        .agent
        .says(&permission(3, &format!("{UNKNOWN} --hard")));
    let approval = desk.approval_of("--hard");
    desk.deny(&approval);
    assert_eq!(chosen(&proxied.agent.hears()), "cancel");
    // The client is asked nothing: what it hears first is why.
    let told = proxied.client.hears();
    assert_eq!(told["params"]["update"]["toolCallId"], "call-3", "{told}");
    let answers = sandbox.rows("answer");
    let sources: Vec<_> = answers.iter().map(|row| &row["source"]).collect();
    assert_eq!(sources, ["vscode", "vscode"]);
}

fn server_dies() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut desk = Desk::open(&sandbox);
    let mut proxied = opened(&sandbox, Proxied::start(&sandbox));
    proxied.agent.says(&permission(2, UNKNOWN));
    desk.approval_of(UNKNOWN);
    desk.end(Signal::KILL);
    assert_eq!(chosen(&proxied.agent.hears()), "cancel");
}

/// A disk that is full, or an editor that has closed that pipe.
fn full_disk() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut proxied = Proxied::on_a_full_disk(&sandbox);
    // What is no message goes to the log.
    proxied.agent.says_bytes(b"Loaded 3 plugins\n");
    let mut proxied = opened(&sandbox, proxied);
    proxied.agent.says(&permission(2, "cargo test --lib"));
    assert_eq!(chosen(&proxied.agent.hears()), "once");
    proxied.orders("exit 0");
    assert_eq!(proxied.status(), 0);
}
