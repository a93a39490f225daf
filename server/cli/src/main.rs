//! `countersign`: the hook that agents call, and the command line.

mod arguments;
mod commands;
mod export;
mod hook;
mod judge;
mod output;

use std::process::ExitCode;

/// The hook's path is kept lean: it is looked at before anything else is set
/// up, because agents start it for every tool call.
fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let _program = arguments.next();
    let rest: Vec<_> = arguments.collect();
    match rest.split_first() {
        Some((first, rest)) if first == "hook" => hook::main(rest),
        Some((first, rest)) if first == hook::user_hooks::COMMAND => hook::user_hooks::main(rest),
        _ => commands::main(),
    }
}
