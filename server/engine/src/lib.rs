//! The pipeline, and the only code that changes state.
//!
//! [`Engine::decide`] decides a call, [`Engine::conclude`] takes a classifier's
//! answer, [`Engine::resolve`] a person's. Every surface and every agent goes
//! through these three; outcomes are applied in one function and approvals
//! resolved in one.

mod apply;
pub mod clock;
mod engine;
pub mod events;
pub mod host;
mod join;
pub mod ledger;
pub mod nesting;
pub mod observer;
pub mod policy;
pub mod prepare;
mod record;
pub mod request;
pub mod resolve;
mod session;
mod set_aside;
mod stakes;
mod world;

pub use engine::{Engine, Ids, Processes};
pub use record::subject;

/// For the corpus example only.
#[must_use]
pub fn probe(
    text: &str,
    cwd: &camino::Utf8Path,
    host: &host::Host,
    policy: &countersign_core::policy::Policy,
) -> Vec<countersign_core::effect::Unproven> {
    let view = countersign_shell::view(&countersign_core::call::CommandText {
        text: text.to_owned(),
        dialect: countersign_core::call::ShellDialect::Bash,
    });
    countersign_shell::contain(
        &countersign_shell::effects(&view),
        &world::CallWorld {
            host,
            policy,
            cwd,
            had_back: &std::cell::RefCell::new(world::HadBack::new(
                host,
                policy,
                &ledger::NoCreations,
            )),
        },
    )
    .because
}

/// For the corpus example only: the certain harm.
#[must_use]
pub fn probe_blocked(text: &str, cwd: &camino::Utf8Path, host: &host::Host, policy: &countersign_core::policy::Policy) -> Option<countersign_shell::Catastrophe> {
    let command = countersign_core::call::CommandText { text: text.to_owned(), dialect: countersign_core::call::ShellDialect::Bash };
    let view = countersign_shell::view(&command);
    stakes::catastrophe(&command, &view, &countersign_shell::effects(&view), &world::CallWorld { host, policy, cwd })
}
