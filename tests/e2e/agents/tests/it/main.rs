//! The cases for the agents whose hooks are commands that answer on standard
//! output: Claude Code, Codex and Gemini CLI.

use std::process::ExitCode;

use countersign_e2e_agents::agents::{Claude, Codex, Gemini};
use countersign_e2e_agents::cases;

fn main() -> ExitCode {
    cases::run(&[&Claude, &Codex, &Gemini])
}
