//! The blocks of last resort, for panics, fatal signals and payloads that
//! nobody can read: total, and chosen by names alone.

use std::str::FromStr as _;

use countersign_core::agent::Agent;

use crate::adapter;
use crate::capabilities::BlockForm;
use crate::encode::{Answer, HookOutput, encode};
use crate::event::{EventRef, Stage, event_of_broken};

/// What a signal handler can write without allocating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticBlock {
    /// For standard output.
    pub stdout: &'static [u8],
    /// For standard error.
    pub stderr: &'static [u8],
    /// The exit status.
    pub exit: i32,
}

/// Says nothing: for events that are no calls.
const NEUTRAL: StaticBlock = StaticBlock {
    stdout: b"",
    stderr: b"",
    exit: 0,
};

/// For events before a tool runs, and for all that are not known.
const EXIT_TWO: StaticBlock = StaticBlock {
    stdout: b"",
    stderr: b"Countersign: the guard failed and blocks to be safe; \
the user can find the cause with `countersign log`\n",
    exit: 2,
};

/// For events before a prompt.
const DENY_JSON: StaticBlock = StaticBlock {
    stdout: b"{\"hookSpecificOutput\":{\"hookEventName\":\"PermissionRequest\",\
\"decision\":{\"behavior\":\"deny\",\"message\":\"Countersign: the guard failed and blocks to be \
safe; the user can find the cause with `countersign log`\"}}}\n",
    stderr: b"",
    exit: 0,
};

/// The block for an agent and event by their names on the command line, known
/// or not; to be chosen before anything can fail.
#[must_use]
pub fn static_block(agent_arg: &str, event_arg: &str) -> StaticBlock {
    let event = event(agent_arg, event_arg);
    match event.stage {
        Stage::NoDecision => NEUTRAL,
        Stage::PermissionRequest => match event.capabilities().map(|stage| stage.block) {
            Some(BlockForm::ExitTwo) => EXIT_TWO,
            Some(BlockForm::DenyJson) | None => DENY_JSON,
        },
        Stage::PreTool | Stage::Announced | Stage::Borrowed | Stage::Unknown => EXIT_TWO,
    }
}

/// As [`static_block`], with a message. For panics and for agents and events
/// that are not known.
#[must_use]
pub fn raw_block(agent_arg: &str, event_arg: &str, message: &str) -> HookOutput {
    encode(
        event(agent_arg, event_arg),
        &Answer::Block {
            message: message.to_owned(),
        },
    )
}

fn event(agent_arg: &str, event_arg: &str) -> EventRef {
    match Agent::from_str(agent_arg) {
        Ok(agent) => event_of_broken(agent, event_arg),
        // What the event means to those that are agents, in the form of Claude
        // Code's, which most of them take.
        Err(_) => EventRef {
            agent: Agent::ClaudeCode,
            stage: adapter::stage_of_nobody(event_arg),
        },
    }
}
