//! The cases for every agent that speaks the Agent Client Protocol.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_e2e_agents::acp::run()
}
