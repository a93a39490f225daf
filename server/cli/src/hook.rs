//! `countersign hook`: the agent's JSON comes in on standard input, the answer
//! goes out in the agent's own format. A server of the user's editors decides
//! where one can be asked; otherwise the hook decides alone, over the same
//! store as every other process. Every failure of it is a block.

mod alone;
mod asked;
mod history;
mod judged;
mod state;
pub(crate) mod user_hooks;

use std::ffi::OsString;
use std::process::ExitCode;

use countersign_agents::HookOutput;
use countersign_hook::{Otherwise, Undecided, Unread};
use countersign_service::guard;

/// Runs the hook. `arguments` are those after `hook`.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    countersign_hook::main(arguments, &Here)
}

/// What no server decides is decided here.
struct Here;

impl Otherwise for Here {
    fn unreadable(&self, unread: &Unread<'_>) -> Result<(), String> {
        state::open(&unread.places.state_dir).and_then(|state| {
            guard::engine(state.store, Vec::new())
                .refused(&unread.from, unread.problem)
                .map_err(|error| error.to_string())
        })
    }

    fn undecided(&self, undecided: Undecided<'_>) -> Result<HookOutput, String> {
        alone::handle(&undecided)
    }
}
