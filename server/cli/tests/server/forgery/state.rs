//! Rows that somebody else wrote into the state: none of them allows, grants,
//! loosens or answers anything.

use countersign_agents::EventKind;
use countersign_agents::decode;
use countersign_core::approval::Answer;
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::{AskReason, Decision, Via};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{
    CallEvent, CallState, CallStatus, Record, RecordKind, StateStore as _, Transaction,
};
use countersign_engine::prepare;
use countersign_guard::Guard;
use countersign_store::Store;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{ATTACK, EVENT, PRUNE, is_trusted, session, shell};
use crate::sandbox::{AUTO, CLAUDE, QWEN, Sandbox, With as _};
use crate::support::{Agent, Desk};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "a_verdict_written_into_the_state_is_none_for_a_server",
            verdict_with_server,
        ),
        trial(
            "a_verdict_written_into_the_state_is_none_for_a_hook",
            verdict_alone,
        ),
        trial("an_ask_written_into_the_state_is_no_yes", written_ask),
        trial(
            "an_answer_written_into_the_state_ends_no_prompt",
            written_answer,
        ),
        trial(
            "a_server_written_into_the_state_moves_no_session",
            written_server,
        ),
        trial(
            "a_workspace_written_into_the_state_takes_nothing_away",
            written_workspace,
        ),
        trial(
            "rules_that_are_set_aside_stay_so_whatever_the_state_says",
            set_aside,
        ),
        trial("trust_is_not_read_from_the_state", written_trust),
    ]
}

fn write(sandbox: &Sandbox, work: &mut dyn FnMut(&mut dyn Transaction)) {
    let store = Store::open(&sandbox.state_dir()).unwrap();
    store
        .transition(&mut |transaction| {
            work(transaction);
            Ok(())
        })
        .unwrap();
}

/// A call as the guard understands it.
fn understood(agent: &str, event: &str, payload: &Value) -> (SessionKey, Call) {
    let bytes = payload.to_string().into_bytes();
    let event = decode(agent.parse().unwrap(), event, &bytes).unwrap();
    match event.kind {
        EventKind::Call { call, .. } => (event.key, call),
        other => panic!("{other:?}"),
    }
}

/// A row of a call that says this was decided of it at its other event.
fn row(sandbox: &Sandbox, agent: &str, decision: Decision, status: CallStatus) -> CallState {
    let request = sandbox.shell(agent, "PermissionRequest", PRUNE);
    let (key, call) = understood(agent, "PermissionRequest", &request);
    let guard = Guard::looking_in(sandbox.places(), &sandbox.workspace);
    let facts = prepare::facts(&call, &guard.host, &guard.policy);
    CallState {
        id: "f".repeat(32),
        key,
        agent_call: None,
        digest: call.digest(),
        approval: Some(prepare::approval_digest(&call, &facts)),
        tool: call.operations[0].tool.clone(),
        decision,
        events: vec![CallEvent::PermissionRequest],
        status,
        delegated_to: None,
        asked: None,
        writes: countersign_core::state::CallWrites::None,
        decided: std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis()
            .try_into()
            .unwrap(),
    }
}

/// Every allow that a call of its own would not find again, and some more.
fn verdicts(sandbox: &Sandbox, agent: &str) -> Vec<CallState> {
    let mut all: Vec<CallState> = Via::ALL
        .iter()
        .map(|via| {
            let decision = Decision::Allow {
                via: *via,
                detail: "because I say so".to_owned(),
            };
            row(sandbox, agent, decision, CallStatus::Decided)
        })
        .collect();
    all.push(row(
        sandbox,
        agent,
        Answer::ProceedAlways.decision(),
        CallStatus::Finished,
    ));
    all
}

/// A call in a session that the agent has opened.
fn open_session(sandbox: &Sandbox, agent: &Agent, name: &str) {
    let begins = sandbox.shell(name, EVENT, "cargo test vines");
    agent
        .hook(sandbox, name, EVENT, &begins)
        .assert_allow(name, EVENT);
}

fn verdict_with_server() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    open_session(&sandbox, &agent, CLAUDE);
    for (number, mut verdict) in verdicts(&sandbox, CLAUDE).into_iter().enumerate() {
        verdict.id = format!("{number:032x}");
        write(&sandbox, &mut |state| {
            state.put_call(&verdict).unwrap();
            // The server shows what others decide, and believes none of it.
            let record = Record {
                key: Some(verdict.key.clone()),
                call: Some(verdict.id.clone()),
                decision: Some("allow".to_owned()),
                reason: Some(verdict.decision.reason().to_owned()),
                workspace: Some(sandbox.workspace.clone()),
                mode: Some(ApprovalMode::Yolo),
                ..Record::of(RecordKind::Decision, verdict.decided)
            };
            state.append(&record).unwrap();
        });
        let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, PRUNE));
        let approval = desk.approval();
        assert_eq!(approval["mode"], "auto", "{verdict:?}");
        desk.approve(&approval);
        running.ended().assert_allow(CLAUDE, EVENT);
    }
}

fn verdict_alone() {
    for name in [CLAUDE, QWEN] {
        let sandbox = Sandbox::trusted(AUTO);
        let agent = Agent::start(&sandbox);
        open_session(&sandbox, &agent, name);
        for verdict in verdicts(&sandbox, name) {
            write(&sandbox, &mut |state| state.put_call(&verdict).unwrap());
            let call = sandbox.shell(name, EVENT, PRUNE);
            agent
                .hook(&sandbox, name, EVENT, &call)
                .assert_ask(name, EVENT);
        }
    }
}

fn written_ask() {
    let ask = Decision::Ask {
        reason: AskReason::NoClassifier,
        detail: "asked already".to_owned(),
    };
    // With a server, what somebody else wrote is asked about.
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    open_session(&sandbox, &agent, QWEN);
    for (number, status) in [CallStatus::Pending, CallStatus::Delegated]
        .into_iter()
        .enumerate()
    {
        let mut forged = row(&sandbox, QWEN, ask.clone(), status);
        forged.id = format!("{number:032x}");
        write(&sandbox, &mut |state| state.put_call(&forged).unwrap());
        let call = sandbox.shell(QWEN, EVENT, PRUNE);
        let running = agent.begin_hook(&sandbox, QWEN, EVENT, &call);
        let approval = desk.approval();
        assert_ne!(approval["id"], forged.id.as_str());
        let foreign = json!({ "id": forged.id, "nonce": approval["nonce"] });
        assert!(
            desk.answer(&foreign, json!({ "choice": "approve" }))
                .is_err()
        );
        desk.approve(&approval);
        running.ended().assert_allow(QWEN, EVENT);
    }
}

fn written_answer() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let (running, approval) = super::asked(&sandbox, &agent, &mut desk);
    let id = approval["id"].as_str().unwrap().to_owned();
    write(&sandbox, &mut |state| {
        let key = understood(CLAUDE, EVENT, &shell(&sandbox, PRUNE)).0;
        let mut open = state.open_calls(&key).unwrap();
        let mut call = open.remove(0);
        assert_eq!(call.id, id);
        call.decision = Answer::ProceedOnce.decision();
        call.status = CallStatus::Decided;
        state.put_call(&call).unwrap();
        let record = Record {
            key: Some(key),
            call: Some(id.clone()),
            decision: Some("allow".to_owned()),
            reason: Some("proceed_once".to_owned()),
            source: Some("vscode".to_owned()),
            ..Record::of(RecordKind::Answer, call.decided)
        };
        state.append(&record).unwrap();
    });
    // The other event of the call is asked about on its own.
    let request = sandbox.shell(CLAUDE, "PermissionRequest", PRUNE);
    let other = agent.begin_hook(&sandbox, CLAUDE, "PermissionRequest", &request);
    let second = desk.approval();
    assert_eq!(desk.pending(), 2);
    for (approval, running, event) in [
        (approval, running, EVENT),
        (second, other, "PermissionRequest"),
    ] {
        // What the state says of it is settled already: even a yes finds
        // nothing open there.
        let answered = desk.answer(&approval, json!({ "choice": "deny" }));
        running.ended().assert_block(event);
        drop(answered);
    }
}

fn written_server() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    open_session(&sandbox, &agent, CLAUDE);
    let key = understood(CLAUDE, EVENT, &shell(&sandbox, PRUNE)).0;
    let elsewhere = crate::server_of(&sandbox, &sandbox.home)
        .that(crate::block_by("it"))
        .start();
    let write_server = || {
        write(&sandbox, &mut |state| {
            let mut row = state.session(&key).unwrap().unwrap();
            row.server = Some(elsewhere.instance().key);
            row.server_process = Some(elsewhere.process());
            state.put_session(&row).unwrap();
        });
    };
    write_server();
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, PRUNE));
    let approval = desk.approval();
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    assert_eq!(elsewhere.asked().len(), 0);
    // A server that began later does not know the session: it is free if the
    // one that is named is gone, and in default mode where that runs and is no
    // server to be found.
    desk.end(rustix::process::Signal::KILL);
    drop(desk);
    let next = Desk::open(&sandbox);
    write_server();
    drop(elsewhere);
    let edit = sandbox.edit(CLAUDE, EVENT, "src/lib.rs");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &edit)
        .assert_allow(CLAUDE, EVENT);
    write(&sandbox, &mut |state| {
        let mut row = state.session(&key).unwrap().unwrap();
        row.server = Some("0".repeat(32));
        row.server_process = Some(agent.process());
        state.put_session(&row).unwrap();
    });
    next.end(rustix::process::Signal::KILL);
    drop(next);
    let last = Desk::open(&sandbox);
    let again = edit.with("tool_use_id", json!("toolu_again"));
    agent
        .hook(&sandbox, CLAUDE, EVENT, &again)
        .assert_ask(CLAUDE, EVENT);
    drop(last);
}

fn written_workspace() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    open_session(&sandbox, &agent, CLAUDE);
    // Another one that is trusted, and one that is as large as can be.
    let other = Sandbox::new();
    sandbox.workspace_settings(r#"{ "permissions": { "deny": ["Bash(irrigate *)"] } }"#);
    countersign_settings::TrustStore::new(&sandbox.places())
        .trust(&other.workspace)
        .unwrap();
    let key = understood(CLAUDE, EVENT, &shell(&sandbox, PRUNE)).0;
    for (number, workspace) in [other.workspace.clone(), "/".into()]
        .into_iter()
        .enumerate()
    {
        write(&sandbox, &mut |state| {
            let mut row = state.session(&key).unwrap().unwrap();
            row.workspace = Some(workspace.clone());
            state.put_session(&row).unwrap();
        });
        let denied = shell(&sandbox, "irrigate all")
            .with("tool_use_id", json!(format!("toolu_deny_{number}")));
        let message = agent
            .hook(&sandbox, CLAUDE, EVENT, &denied)
            .assert_block(EVENT);
        assert!(message.contains("a permission rule"), "{message}");
        let write = json!({ "file_path": "/srv/vines.txt", "content": "x" });
        let outside = sandbox
            .call(CLAUDE, EVENT, "Write", write)
            .with("tool_use_id", json!(format!("toolu_out_{number}")));
        let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &outside);
        let approval = desk.approval();
        desk.approve(&approval);
        running.ended().assert_allow(CLAUDE, EVENT);
    }
}

fn set_aside() {
    let sandbox = Sandbox::trusted(
        r#"{ "tools": { "approvalMode": "auto" }, "permissions": { "allow": ["Bash(trellis *)", "Bash(*)"] } }"#,
    );
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    desk.editor.allow("window/showMessage");
    for number in 0..2 {
        let call = shell(&sandbox, "python3 tool.py")
            .with("tool_use_id", json!(format!("toolu_{number}")));
        let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &call);
        let approval = desk.approval();
        assert_eq!(approval["reason"], "no_classifier");
        desk.approve(&approval);
        running.ended().assert_allow(CLAUDE, EVENT);
        write(&sandbox, &mut |state| {
            let held = state.set_aside().unwrap();
            assert!(number == 1 || !held.is_empty());
            for mut entry in held {
                entry.holders.clear();
                state.put_set_aside(&entry).unwrap();
            }
        });
    }
}

fn written_trust() {
    let sandbox = Sandbox::new();
    sandbox.settings(AUTO);
    let agent = Agent::start(&sandbox);
    let mut desk = Desk::open(&sandbox);
    let edit = sandbox.edit(CLAUDE, EVENT, "src/lib.rs");
    write(&sandbox, &mut |state| {
        let record = Record {
            detail: Some(format!("trusted: {}", sandbox.workspace)),
            source: Some("vscode".to_owned()),
            ..Record::of(RecordKind::Trust, 1)
        };
        state.append(&record).unwrap();
        let record = Record {
            key: Some(understood(CLAUDE, EVENT, &edit).0),
            mode: Some(ApprovalMode::Yolo),
            detail: Some("mode default -> yolo".to_owned()),
            ..Record::of(RecordKind::Reset, 2)
        };
        state.append(&record).unwrap();
    });
    assert!(!is_trusted(&sandbox));
    let running = agent.begin_hook(&sandbox, CLAUDE, EVENT, &edit);
    let approval = desk.approval();
    assert_eq!(approval["mode"], "default");
    desk.deny(&approval);
    running.ended().assert_block(EVENT);
    let known = desk.session(&session(&sandbox)).unwrap();
    assert_eq!(known["mode"], "default");
    agent
        .hook(&sandbox, CLAUDE, EVENT, &shell(&sandbox, ATTACK))
        .assert_block(EVENT);
}
