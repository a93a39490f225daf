//! `countersign hook`: the agent's JSON comes in on standard input, the answer
//! goes out in the agent's own format. A server of the user's editors decides
//! where one can be asked; otherwise the hook decides alone, over the same
//! store as every other process. Every failure of it is a block.

mod asked;
mod history;
mod judged;
pub(crate) mod user_hooks;

use std::ffi::OsString;
use std::process::ExitCode;

use camino::Utf8Path;
use countersign_agents::HookEvent;
use countersign_alone::{Alone, Beyond, Deciding, First, Ground, Judged};
use countersign_core::call::Call;
use countersign_core::decision::Decision;
use countersign_engine::request::{Outcome, Request};
use countersign_guard::Guard;
use countersign_hook::Undecided;
use countersign_settings::Places;

/// Runs the hook. `arguments` are those after `hook`.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    countersign_hook::main(arguments, &Alone(Everything))
}

/// This program has the network, and runs user hooks.
struct Everything;

impl Beyond for Everything {
    fn places(&self, home: Option<&Utf8Path>) -> Result<Places, String> {
        countersign_guard::places(home).map_err(|error| error.to_string())
    }

    fn user_hooks(&self, _: &Undecided<'_>) -> Result<(), String> {
        Ok(())
    }

    fn judge(
        &self,
        deciding: &Deciding<'_, Self>,
        request: &Request<'_>,
        ground: &Ground,
    ) -> Result<Judged, String> {
        judged::judge(deciding, request, ground)
    }

    fn tell_session(&self, guard: &Guard, event: &HookEvent) {
        asked::tell_session(guard, event);
    }

    fn asked_first(
        &self,
        deciding: &Deciding<'_, Self>,
        request: &Request<'_>,
        guard: &Guard,
    ) -> First {
        asked::asked_first(deciding, request, guard)
    }

    fn with_hooks(
        &self,
        deciding: &Deciding<'_, Self>,
        request: &Request<'_>,
        guard: &Guard,
        first: First,
        outcome: &Outcome,
    ) -> Result<Option<Decision>, String> {
        asked::with_hooks(deciding, request, guard, first, outcome)
    }

    fn tell_hooks(&self, call: &Call, guard: &Guard, outcome: &Outcome) {
        asked::tell_hooks(call, guard, outcome);
    }
}
