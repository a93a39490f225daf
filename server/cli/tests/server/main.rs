//! The hook beside servers of every kind: agents, servers and hooks are
//! processes of their own, as with the user.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acp;
mod alone;
mod answers;
mod distrust;
mod forgery;
mod owners;
mod real;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod sandbox;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use camino::Utf8Path;
use libtest_mimic::{Arguments, Trial};

use crate::sandbox::Sandbox;
use crate::support::{Behaviour, Setup};

fn main() -> ExitCode {
    if support::helper() {
        return ExitCode::SUCCESS;
    }
    let trials = [
        acp::trials(),
        alone::trials(),
        answers::trials(),
        distrust::trials(),
        forgery::trials(),
        owners::trials(),
        real::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// A server of a folder of the sandbox.
fn server_of(sandbox: &Sandbox, folder: &Utf8Path) -> Setup {
    Setup::new(sandbox.places().runtime_dir, folder)
}

/// A server of the sandbox's workspace.
fn server(sandbox: &Sandbox) -> Setup {
    server_of(sandbox, &sandbox.workspace)
}

/// A block that says which server gave it.
fn block_by(name: &str) -> Behaviour {
    Behaviour::Answer {
        exit: 2,
        stdout: String::new(),
        stderr: format!("Countersign: blocked by {name}\n"),
    }
}
