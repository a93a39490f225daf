//! Processes that tests around a server need beside their own. A hook asks no
//! server that is its caller or descends from it, and a server refuses to serve
//! below an agent, so that one process cannot stand for all three.
//!
//! A binary that uses this begins its `main` with [`helper`].

mod agent;
mod desk;
mod detached;
mod program;
mod proxied;
mod stand_in;

pub(crate) use agent::{Agent, Running};
pub(crate) use desk::Desk;
pub(crate) use detached::start_detached;
pub(crate) use program::{Below, listens, says};
pub(crate) use proxied::Proxied;
pub(crate) use stand_in::{Behaviour, Listening, Setup, StandIn};

/// This program, to start it as something else.
pub(crate) fn own_program() -> String {
    std::env::current_exe()
        .unwrap()
        .into_os_string()
        .into_string()
        .unwrap()
}

/// Whether this process was started as a helper, and has done its work now.
pub(crate) fn helper() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(agent::WORD) => agent::serve(),
        Some(desk::WORD) => desk::serve(&arguments[2..]),
        Some(program::RUNS) => program::serve_running(&arguments[2..]),
        Some(program::RUNS_AS) => program::serve_running_as(&arguments[2..]),
        Some(program::SAYS) => program::serve_saying(&arguments[2]),
        Some(program::LISTENS) => program::serve_listening(&arguments[2]),
        Some(proxied::WORD) => proxied::serve(&arguments[2..]),
        Some(proxied::AGENT_WORD) => proxied::serve_agent(&arguments[2]),
        Some(stand_in::WORD) => stand_in::serve(&arguments[2]),
        _ => return false,
    }
    true
}
