//! A hundred hooks at once, of every agent there is.

use countersign_core::agent::Agent as Kind;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::BUILD;
use crate::sandbox::{AUTO, Ran, Sandbox, With as _};
use crate::support::{Agent, Desk, Running};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "a_hundred_hooks_of_every_agent_are_all_answered_rightly",
        many,
    )]
}

const SESSIONS: usize = 20;

/// What is to become of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Allow,
    Block,
    Yes,
    No,
}

struct Hook {
    agent: Kind,
    command: String,
    wanted: Wanted,
    running: Running,
}

/// The event before a tool runs, and what is said of a command there.
fn call(
    sandbox: &Sandbox,
    agent: Kind,
    session: &str,
    id: &str,
    command: &str,
) -> (&'static str, Value) {
    let cwd = &sandbox.workspace;
    let like_claudes = |event: &'static str| {
        let payload = sandbox
            .shell(agent.as_str(), event, command)
            .with("session_id", json!(session));
        // Gemini numbers no calls.
        let payload = match agent {
            Kind::Gemini => payload,
            _ => payload.with("tool_use_id", json!(id)),
        };
        (event, payload)
    };
    match agent {
        Kind::ClaudeCode | Kind::Qwen | Kind::Codex => like_claudes("PreToolUse"),
        Kind::Gemini => like_claudes("BeforeTool"),
        Kind::Opencode => (
            "tool.execute.before",
            json!({
                "countersign_plugin": 1,
                "hook_event_name": "tool.execute.before",
                "session_id": session,
                "cwd": cwd,
                "permission_mode": "build",
                "tool_name": "bash",
                "tool_input": { "command": command },
                "tool_use_id": id,
            }),
        ),
        Kind::Cursor => (
            "beforeShellExecution",
            json!({
                "conversation_id": session,
                "generation_id": id,
                "model": "m",
                "hook_event_name": "beforeShellExecution",
                "cursor_version": "3.2.1",
                "workspace_roots": [cwd],
                "transcript_path": null,
                "command": command,
                "cwd": cwd,
            }),
        ),
        Kind::Vscode => (
            "PreToolUse",
            json!({
                "timestamp": "2026-11-20T10:30:00.000Z",
                "cwd": cwd,
                "sessionId": session,
                "hookEventName": "PreToolUse",
                "tool_name": "run_in_terminal",
                "tool_input": { "command": command, "explanation": "x", "isBackground": false },
                "tool_use_id": id,
            }),
        ),
        Kind::Generic => (
            "before_tool",
            json!({
                "version": 1,
                "event": "before_tool",
                "session": session,
                "cwd": cwd,
                "tool": "run_shell_command",
                "input": { "command": command },
                "call": id,
            }),
        ),
    }
}

/// The tool runs: in the words of that agent.
fn assert_allowed(agent: Kind, command: &str, ran: &Ran) {
    let problem = format!("{agent}: {command}: {ran:?}");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{problem}");
    if agent == Kind::Codex {
        assert_eq!(ran.stdout, "", "{problem}");
        return;
    }
    let printed: Value = serde_json::from_str(&ran.stdout).expect(&problem);
    let said = match agent {
        Kind::Cursor => &printed["permission"],
        Kind::Gemini | Kind::Opencode | Kind::Generic => &printed["decision"],
        Kind::ClaudeCode | Kind::Qwen | Kind::Vscode | Kind::Codex => {
            &printed["hookSpecificOutput"]["permissionDecision"]
        }
    };
    assert_eq!(said, "allow", "{problem}");
}

/// The tool does not run, for this reason.
fn assert_blocked(agent: Kind, command: &str, ran: &Ran, why: &str) {
    let problem = format!("{agent}: {command}: {ran:?}");
    assert_eq!(ran.code, 2, "{problem}");
    assert!(ran.stderr.contains(why), "{problem}");
}

fn many() {
    let sandbox = Sandbox::trusted(AUTO);
    let agents: Vec<Agent> = (0..SESSIONS).map(|_| Agent::start(&sandbox)).collect();
    let mut desk = Desk::open(&sandbox);
    let mut hooks = Vec::new();
    for (number, process) in agents.iter().enumerate() {
        let agent = Kind::ALL[number % Kind::ALL.len()];
        let asked = if number % 2 == 0 {
            Wanted::Yes
        } else {
            Wanted::No
        };
        let calls = [
            ("cargo test vines".to_owned(), Wanted::Allow),
            ("uproot all".to_owned(), Wanted::Block),
            ("git status".to_owned(), Wanted::Allow),
            (format!("{BUILD} {number}."), asked),
            ("cargo test grapes".to_owned(), Wanted::Allow),
        ];
        for (index, (command, wanted)) in calls.into_iter().enumerate() {
            let (session, id) = (format!("row-{number}"), format!("call_{number}_{index}"));
            let (event, payload) = call(&sandbox, agent, &session, &id, &command);
            let running = process.begin_hook(&sandbox, agent.as_str(), event, &payload);
            hooks.push(Hook {
                agent,
                command,
                wanted,
                running,
            });
        }
    }
    // Whoever waits for the person keeps nobody else waiting.
    let (waiting, others): (Vec<Hook>, Vec<Hook>) = hooks
        .into_iter()
        .partition(|hook| matches!(hook.wanted, Wanted::Yes | Wanted::No));
    for hook in others {
        let ran = hook.running.ended();
        match hook.wanted {
            Wanted::Block => assert_blocked(hook.agent, &hook.command, &ran, "a permission rule"),
            _ => assert_allowed(hook.agent, &hook.command, &ran),
        }
    }
    for _ in 0..SESSIONS {
        let approval = desk.approval();
        let text = approval["text"].as_str().unwrap().to_owned();
        let asks = |hook: &&Hook| text.contains(&hook.command);
        if waiting.iter().find(asks).unwrap().wanted == Wanted::Yes {
            desk.approve(&approval);
        } else {
            desk.deny(&approval);
        }
    }
    for hook in waiting {
        let ran = hook.running.ended();
        if hook.wanted == Wanted::Yes {
            assert_allowed(hook.agent, &hook.command, &ran);
        } else {
            assert_blocked(hook.agent, &hook.command, &ran, "did not approve");
        }
    }
    let decisions = sandbox.rows("decision");
    assert_eq!(decisions.len(), 5 * SESSIONS);
    for kind in Kind::ALL {
        let of_it = |row: &&Value| row["key"]["agent"] == kind.as_str();
        assert!(decisions.iter().filter(of_it).count() >= 10, "{kind}");
    }
    sandbox.assert_verified();
}
