//! `countersign hook`: the agent's JSON comes in on standard input, the answer
//! goes out in the agent's own format. A server of the user's editors decides
//! where one can be asked; otherwise the hook decides alone, over the same
//! store as every other process. Every failure of it is a block.

mod alone;
mod arguments;
mod asked;
mod history;
mod judged;
mod log_file;
#[cfg(debug_assertions)]
mod provoked;
mod run;
pub(crate) mod servers;
mod state;
pub(crate) mod user_hooks;

use std::ffi::OsString;
use std::process::ExitCode;

use countersign_agents::{HookOutput, Surroundings};

use crate::fatal::{self, StaticBlock};
use arguments::Arguments;

/// Runs the hook. `arguments` are those after `hook`.
///
/// Everything is answered through [`fatal::answer`], so that the deadline, a
/// signal and a panic cannot write a second answer into the first.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    let arguments = Arguments::read(arguments);
    let block = countersign_agents::static_block(&arguments.agent, &arguments.event);
    let guarded = fatal::install(StaticBlock {
        stdout: block.stdout,
        stderr: block.stderr,
        exit: block.exit,
    })
    .and_then(|()| fatal::deadline(arguments.deadline()));
    let output = match guarded {
        Ok(deadline) => run::run(&arguments, deadline, variable),
        Err(error) => blocked(
            &arguments,
            &format!("Countersign cannot protect itself and blocks: {error}"),
        ),
    };
    fatal::answer(&output.stdout, &output.stderr, output.exit)
}

/// The variables that the hook reads: where spans hang, which shell the agent
/// runs, and where that looks for programs; see `run`.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing is decided by where spans hang, and the others only make answers stricter"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What a hook, or a proxy, knows of its agent's environment, which is its own.
pub(crate) fn surroundings(environment: impl Fn(&str) -> Option<String>) -> Surroundings {
    Surroundings {
        search_path: environment("PATH"),
        shell: environment("SHELL"),
    }
}

/// A block in the form that this agent honours for this event.
fn blocked(arguments: &Arguments, message: &str) -> HookOutput {
    countersign_agents::raw_block(&arguments.agent, &arguments.event, message)
}
