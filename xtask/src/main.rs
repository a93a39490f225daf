//! What is run on this repository. `cargo xtask test` is what has to pass;
//! `cargo xtask bench` measures what the README quotes, `cargo xtask corpora`
//! how static analysis decides commands that others wrote, `cargo xtask dist`
//! makes what people install.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod agents;
mod apart;
mod bench;
mod command_line;
mod corpora;
mod dist;
mod docs;
mod editors;
mod finding;
mod lints;
mod neovim;
mod node;
mod repository;
mod rust;
mod test;
mod vscode;

use std::process::ExitCode;

use command_line::Task;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match command_line::parse(&words) {
        Ok(Task::Test(parts)) => test::run(&parts),
        Ok(Task::Bench { only_processes }) => bench::run(only_processes).map(|()| true),
        Ok(Task::Corpora(options)) => corpora::run(&options),
        Ok(Task::Dist(build)) => dist::vscode(build).map(|_| true),
        Ok(Task::Images) => vscode::images(),
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
