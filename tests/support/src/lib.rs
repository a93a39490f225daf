//! What the tests share: the scenario files of `tests/scenarios` and the
//! runner that plays them against the real engine, settings and store; and an
//! editor that speaks the language server protocol.

mod host;
mod judge;
pub mod lsp;
mod parse;
mod play;
mod world;

pub use judge::judge;
pub use parse::{Scenario, parse};
pub use play::play;
