//! Answers in the form that each agent really honours, as measured with the
//! real agents (`Capabilities`).

use countersign_core::agent::Agent;
use countersign_core::redact;
use serde_json::{Value, json};

use crate::capabilities::BlockForm;
use crate::event::{EventRef, Stage};

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
/// get the neutral answer, whatever is to be said; unknown events and agents
/// without an adapter get a block.
#[must_use]
pub fn encode(event: EventRef, answer: &Answer) -> HookOutput {
    match event.stage {
        Stage::NoDecision => silent(),
        Stage::Unknown => block(BlockForm::ExitTwo, text_of(answer)),
        Stage::PreTool => match event.capabilities() {
            Some(_) => pre_tool(event, answer),
            None => block(BlockForm::ExitTwo, text_of(answer)),
        },
        Stage::PermissionRequest => match event.capabilities() {
            Some(_) => permission_request(answer),
            None => block(BlockForm::DenyJson, text_of(answer)),
        },
    }
}

/// Before the tool runs. A block is exit status 2 with the reason on standard
/// error: it is the one block that all four agents take, it needs no parser on
/// their side, and on Claude Code it wins over every other hook's allow.
fn pre_tool(event: EventRef, answer: &Answer) -> HookOutput {
    let can_ask = event.capabilities().is_some_and(|stage| stage.can_ask);
    match answer {
        // Our own plugin takes silence for a hook that failed.
        Answer::NoOpinion if event.agent == Agent::Opencode => {
            print(&json!({ "decision": "none" }))
        }
        Answer::NoOpinion => silent(),
        Answer::Allow { note } => match event.agent {
            Agent::ClaudeCode | Agent::Qwen => print(&decision("allow", note)),
            Agent::Gemini | Agent::Opencode => print(&json!({ "decision": "allow" })),
            // Codex takes a printed allow for a failed hook; the others have
            // no adapter.
            Agent::Codex | Agent::Cursor | Agent::Vscode | Agent::Generic => silent(),
        },
        Answer::Ask { message } if can_ask => print(&decision("ask", message)),
        Answer::Ask { message } | Answer::Block { message } => block(BlockForm::ExitTwo, message),
    }
}

/// Before the agent would prompt: saying nothing is asking.
fn permission_request(answer: &Answer) -> HookOutput {
    match answer {
        Answer::NoOpinion | Answer::Ask { .. } => silent(),
        Answer::Allow { .. } => print(&request_decision(json!({ "behavior": "allow" }))),
        Answer::Block { message } => block(BlockForm::DenyJson, message),
    }
}

fn block(form: BlockForm, message: &str) -> HookOutput {
    let message = sanitised(message);
    match form {
        BlockForm::ExitTwo => HookOutput {
            stdout: Vec::new(),
            stderr: format!("{message}\n").into_bytes(),
            exit: 2,
        },
        BlockForm::DenyJson => print(&request_decision(
            json!({ "behavior": "deny", "message": message }),
        )),
    }
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

const fn silent() -> HookOutput {
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
