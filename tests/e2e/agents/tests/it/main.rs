//! The cases for every agent.

use std::process::ExitCode;

use countersign_e2e_agents::agents::{
    Claude, ClaudeAtPrompts, Codex, CodexAtPrompts, Gemini, Opencode, Qwen,
};
use countersign_e2e_agents::cases;

fn main() -> ExitCode {
    cases::run(&[
        &Claude,
        &ClaudeAtPrompts,
        &Codex,
        &CodexAtPrompts,
        &Gemini,
        &Opencode,
        &Qwen,
    ])
}
