//! Answers in the form that each agent really honours, as measured with the
//! real agents (`Capabilities`).

use countersign_core::agent::Agent;
use countersign_core::redact;
use serde_json::{Value, json};

use crate::capabilities::{BlockForm, StageCapabilities};
use crate::event::{EventRef, Stage};
use crate::generic;

/// Longest message, in characters; every agent takes at least that.
const MESSAGE_CHARS: usize = 4_000;

/// Most lines of a message.
const MESSAGE_LINES: usize = 12;

/// Instead of an empty message: Codex runs the tool if a denial has none.
const NO_MESSAGE: &str = "Countersign gave no reason";

/// What the agent is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: the agent's own permissions and dialogs stand.
    NoOpinion,
    /// The call may run.
    Allow {
        /// Why, for the person.
        note: String,
    },
    /// The agent's own prompt must ask.
    Ask {
        /// Why, for the person.
        message: String,
    },
    /// The call must not run.
    Block {
        /// Why and what to do, for the agent.
        message: String,
    },
}

/// What the hook prints and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The exit status: 0 or 2.
    pub exit: i32,
}

/// Encodes an answer. Total.
///
/// Where the agent cannot ask, an ask is a block. Events that need no decision
/// get the neutral answer, whatever is to be said; unknown events get a block.
#[must_use]
pub fn encode(event: EventRef, answer: &Answer) -> HookOutput {
    match event.stage {
        Stage::NoDecision => silent(),
        Stage::Unknown => exit_two(event.agent, text_of(answer)),
        Stage::PreTool | Stage::PermissionRequest | Stage::Announced | Stage::Borrowed => {
            match event.capabilities() {
                Some(stage) if stage.block == BlockForm::DenyJson => permission_request(answer),
                Some(stage) => before(event, stage, answer),
                // An event that the agent does not have.
                None if event.stage == Stage::PermissionRequest => deny_json(text_of(answer)),
                None => exit_two(event.agent, text_of(answer)),
            }
        }
    }
}

/// Before the tool runs. A block is exit status 2 with the reason on standard
/// error: it is the one block that all agents take, it needs no parser on
/// their side, and on Claude Code it wins over every other hook's allow.
fn before(event: EventRef, stage: StageCapabilities, answer: &Answer) -> HookOutput {
    match answer {
        Answer::NoOpinion => no_opinion(event.agent),
        Answer::Allow { note } => allow(event, note),
        Answer::Ask { message } if stage.can_ask => ask(event.agent, message),
        Answer::Ask { message } | Answer::Block { message } => exit_two(event.agent, message),
    }
}

fn no_opinion(agent: Agent) -> HookOutput {
    match agent {
        // Our own plugin takes silence for a hook that failed.
        Agent::Opencode => print(&json!({ "decision": "none" })),
        Agent::Generic => print(&json!({ "version": generic::VERSION, "decision": "none" })),
        // With `failClosed` it may take what is no JSON for a hook that failed.
        Agent::Cursor => print(&json!({})),
        Agent::ClaudeCode | Agent::Qwen | Agent::Codex | Agent::Gemini | Agent::Vscode => silent(),
    }
}

fn allow(event: EventRef, note: &str) -> HookOutput {
    match (event.agent, event.stage) {
        // To let it go on is enough where another hook of the agent may speak.
        (_, Stage::Borrowed) => no_opinion(event.agent),
        (Agent::ClaudeCode | Agent::Qwen, _) => print(&decision("allow", note)),
        (Agent::Gemini | Agent::Opencode, _) => print(&json!({ "decision": "allow" })),
        (Agent::Generic, _) => print(&json!({ "version": generic::VERSION, "decision": "allow" })),
        (Agent::Cursor, _) => print(&json!({ "permission": "allow" })),
        (Agent::Vscode, Stage::Announced) => print(&json!({ "permissionDecision": "allow" })),
        (Agent::Vscode, _) => print(&decision("allow", note)),
        // It takes a printed allow for a failed hook.
        (Agent::Codex, _) => silent(),
    }
}

fn ask(agent: Agent, message: &str) -> HookOutput {
    match agent {
        Agent::Cursor => {
            let message = sanitised(message);
            print(&json!({
                "permission": "ask",
                "user_message": message,
                "agent_message": message,
            }))
        }
        Agent::ClaudeCode
        | Agent::Qwen
        | Agent::Codex
        | Agent::Gemini
        | Agent::Opencode
        | Agent::Vscode
        | Agent::Generic => print(&decision("ask", message)),
    }
}

/// Before the agent would prompt: saying nothing is asking.
fn permission_request(answer: &Answer) -> HookOutput {
    match answer {
        Answer::NoOpinion | Answer::Ask { .. } => silent(),
        Answer::Allow { .. } => print(&request_decision(json!({ "behavior": "allow" }))),
        Answer::Block { message } => deny_json(message),
    }
}

/// Exit status 2 with the reason on standard error, and in the agent's own
/// form beside it where that is how the reason reaches the model.
fn exit_two(agent: Agent, message: &str) -> HookOutput {
    let message = sanitised(message);
    let beside = match agent {
        Agent::Cursor => Some(json!({
            "permission": "deny",
            "user_message": message,
            "agent_message": message,
        })),
        // Copilot CLI's; VS Code reads standard error.
        Agent::Vscode => Some(json!({
            "permissionDecision": "deny",
            "permissionDecisionReason": message,
        })),
        Agent::Generic => Some(json!({
            "version": generic::VERSION,
            "decision": "block",
            "reason": message,
        })),
        Agent::ClaudeCode | Agent::Qwen | Agent::Codex | Agent::Gemini | Agent::Opencode => None,
    };
    HookOutput {
        stderr: format!("{message}\n").into_bytes(),
        exit: 2,
        ..beside.map_or_else(silent, |value| print(&value))
    }
}

fn deny_json(message: &str) -> HookOutput {
    print(&request_decision(json!({
        "behavior": "deny",
        "message": sanitised(message),
    })))
}

fn decision(decision: &str, reason: &str) -> Value {
    json!({
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": decision,
            "permissionDecisionReason": sanitised(reason),
        }
    })
}

fn request_decision(decision: Value) -> Value {
    json!({
        "hookSpecificOutput": {
            "hookEventName": "PermissionRequest",
            "decision": decision,
        }
    })
}

fn silent() -> HookOutput {
    HookOutput {
        stdout: Vec::new(),
        stderr: Vec::new(),
        exit: 0,
    }
}

fn print(value: &Value) -> HookOutput {
    HookOutput {
        stdout: format!("{value}\n").into_bytes(),
        ..silent()
    }
}

fn text_of(answer: &Answer) -> &str {
    match answer {
        Answer::NoOpinion => "",
        Answer::Allow { note: text }
        | Answer::Ask { message: text }
        | Answer::Block { message: text } => text,
    }
}

/// A few lines without anything that moves or hides, and never empty.
fn sanitised(message: &str) -> String {
    // No character becomes shorter, so nothing that is kept is cut here.
    let beginning: String = message.trim().chars().take(MESSAGE_CHARS).collect();
    let lines: Vec<String> = beginning
        .lines()
        .map(redact::visible)
        .filter(|line| !line.trim().is_empty())
        .take(MESSAGE_LINES)
        .collect();
    let text: String = lines.join("\n").chars().take(MESSAGE_CHARS).collect();
    if text.trim().is_empty() {
        NO_MESSAGE.to_owned()
    } else {
        text
    }
}
