//! Deciding without a server: the same engine, settings and store as a
//! server's, for the time of one event. What a program needs besides for that,
//! models and user hooks, is its [`Beyond`]; the small program has neither.

mod beyond;
mod deciding;
mod small;
mod state;

use camino::Utf8Path;
use countersign_agents::HookOutput;
use countersign_hook::{Otherwise, Undecided, Unread};
use countersign_settings::Places;

pub use beyond::{Beyond, First, Judged};
pub use deciding::{Deciding, Ground, unavailable};
pub use small::Small;
pub use state::{State, open};

/// Decides here what no server decides.
#[derive(Debug, Clone, Copy)]
pub struct Alone<B>(pub B);

impl<B: Beyond> Otherwise for Alone<B> {
    fn places(&self, home: Option<&Utf8Path>) -> Result<Places, String> {
        self.0.places(home)
    }

    fn unreadable(&self, unread: &Unread<'_>) -> Result<(), String> {
        open(&unread.places.state_dir).and_then(|state| {
            countersign_guard::engine(state.store, Vec::new())
                .refused(&unread.from, unread.problem)
                .map_err(|error| error.to_string())
        })
    }

    fn undecided(&self, undecided: Undecided<'_>) -> Result<HookOutput, String> {
        deciding::handle(&undecided, &self.0)
    }
}
