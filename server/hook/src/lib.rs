//! What a hook does until it is known who decides: its last line of defence,
//! its command line, its log and the servers that it asks. Two programs are
//! made of it: `countersign-hook`, which is small and starts quickly, and
//! `countersign`, which does everything and which the small one becomes for
//! what it does not do itself.

mod arguments;
pub mod fatal;
pub mod hand_over;
mod limits;
pub mod log_file;
mod program;
#[cfg(debug_assertions)]
mod provoked;
mod run;
pub mod servers;

use std::ffi::OsString;
use std::process::ExitCode;

use countersign_agents::{HookOutput, Surroundings};

use arguments::Arguments;
use fatal::StaticBlock;
pub use run::{Otherwise, Undecided, Unread};

/// Runs the hook. `arguments` are those after `hook`; `otherwise` is what
/// becomes of an event that no server decides.
///
/// Everything is answered through [`fatal::answer`], so that the deadline, a
/// signal and a panic cannot write a second answer into the first.
pub fn main(arguments: &[OsString], otherwise: &impl Otherwise) -> ExitCode {
    let arguments = Arguments::read(arguments);
    let block = countersign_agents::static_block(&arguments.agent, &arguments.event);
    let guarded = fatal::install(StaticBlock {
        stdout: block.stdout,
        stderr: block.stderr,
        exit: block.exit,
    })
    .and_then(|()| limits::for_deciding())
    .and_then(|()| fatal::deadline(arguments.deadline()));
    let output = match guarded {
        Ok(deadline) => run::run(&arguments, deadline, variable, otherwise),
        Err(error) => blocked(
            &arguments,
            &format!("Countersign cannot protect itself and blocks: {error}"),
        ),
    };
    fatal::answer(&output.stdout, &output.stderr, output.exit)
}

/// The variables that the hook reads: where spans hang, which shell the agent
/// runs, and where that looks for programs; see `run`. What is not UTF-8 in one
/// is not left out with all the rest: it is marked.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing is decided by where spans hang, and the others only make answers stricter"
)]
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    Some(value.to_string_lossy().into_owned())
}

/// What a hook, or a proxy, knows of its agent's environment, which is its own.
pub fn surroundings(environment: impl Fn(&str) -> Option<String>) -> Surroundings {
    Surroundings {
        search_path: environment("PATH"),
        shell: environment("SHELL"),
    }
}

/// A block in the form that this agent honours for this event.
fn blocked(arguments: &Arguments, message: &str) -> HookOutput {
    countersign_agents::raw_block(&arguments.agent, &arguments.event, message)
}
