//! What the tests share: the scenario files of `tests/scenarios` and the
//! runner that plays them against the real engine, settings and store; an editor
//! that speaks the language server protocol; and a model server whose every
//! answer is scripted.

mod host;
mod judge;
pub mod lsp;
pub mod model_server;
mod parse;
mod play;
mod world;

pub use judge::judge;
pub use parse::{Scenario, parse};
pub use play::play;
