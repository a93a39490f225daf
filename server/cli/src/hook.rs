//! `countersign hook`: the agent's JSON comes in on standard input, the answer
//! goes out in the agent's own format. It decides alone, over the same store
//! as every other process, and every failure of it is a block.

mod arguments;
mod log_file;
mod run;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use countersign_agents::HookOutput;

use crate::fatal;
use arguments::Arguments;

/// Runs the hook. `arguments` are those after `hook`.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    let arguments = Arguments::read(arguments);
    // From here on a panic, a fatal signal or the deadline is a block too.
    let guarded = fatal::install(countersign_agents::static_block(
        &arguments.agent,
        &arguments.event,
    ));
    let output = match guarded {
        Ok(()) => {
            fatal::deadline(arguments.deadline());
            run::run(&arguments)
        }
        Err(error) => blocked(
            &arguments,
            &format!("the guard cannot protect itself: {error}"),
        ),
    };
    answer(&output)
}

/// A block in the form that this agent honours for this event.
fn blocked(arguments: &Arguments, message: &str) -> HookOutput {
    countersign_agents::raw_block(&arguments.agent, &arguments.event, message)
}

/// Writes the answer. One that cannot be written is no allow: the status says
/// block then.
fn answer(output: &HookOutput) -> ExitCode {
    // The reason goes out first: agents read it when the status says block.
    let stderr = std::io::stderr().write_all(&output.stderr);
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(&output.stdout)
        .and_then(|()| stdout.flush());
    match (written, stderr) {
        (Ok(()), _) => ExitCode::from(u8::try_from(output.exit).unwrap_or(BLOCKED)),
        (Err(_), _) => ExitCode::from(BLOCKED),
    }
}

/// The exit status that agents take for a block.
const BLOCKED: u8 = 2;
