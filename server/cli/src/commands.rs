//! The sub-commands, and how their failures are told.

mod acp;
mod agents;
mod batch;
mod check;
mod demo;
mod doctor;
mod eval;
mod explain;
mod hooks;
mod journal;
mod lsp;
mod model;
mod stats;
mod time;
mod trust;

pub(crate) use eval::price as price_argument;
pub(crate) use journal::{Anchor, anchor, kind_argument, stage_argument, via_argument};
pub(crate) use lsp::starting_mode;
pub(crate) use time::argument as time_argument;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::output;

/// A failure.
const FAILURE: u8 = 1;

/// The command line for people.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let mut out = anstream::AutoStream::auto(std::io::stderr().lock());
            // Nothing is left to tell when standard error is gone.
            let _ = writeln!(
                out,
                "{} {error:#}",
                output::styled(output::BLOCK, "countersign:")
            );
            ExitCode::from(FAILURE)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let places = || {
        countersign_guard::places(arguments.home.as_deref())
            .context("cannot tell where settings and state are")
    };
    match &arguments.command {
        Command::Check(check) if check.batch => batch::run(check.workspace.as_deref()),
        Command::Check(check) => check::run(places()?, check),
        Command::Eval(eval) => eval::run(places()?, eval),
        Command::Doctor { json, agents_home } => {
            doctor::run(places()?, *json, agents_home.as_deref())
        }
        Command::Log(log) => journal::run(&places()?, log),
        Command::Explain(explain) => explain::run(&places()?, explain),
        Command::Stats(stats) => stats::run(&places()?, stats),
        Command::Hooks { json } => hooks::run(places()?, *json),
        Command::Demo => demo::run(),
        Command::Trust(trust) => trust::run(&places()?, trust),
        Command::Lsp(lsp) => lsp::run(places()?, lsp),
        Command::Acp(acp) => acp::run(places()?, acp),
        Command::Install(install) => agents::install::run(&places()?, install),
        Command::Uninstall(uninstall) => agents::uninstall::run(&places()?, uninstall),
        Command::Status(status) => agents::status::run(&places()?, status),
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&countersign_settings::schema())?;
            writeln!(output::stdout(), "{schema}")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Version { json } => {
            let version = env!("CARGO_PKG_VERSION");
            let mut out = output::stdout();
            if *json {
                let version = serde_json::json!({ "name": "countersign", "version": version });
                writeln!(out, "{version}")?;
            } else {
                writeln!(out, "countersign {version}")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Hook => anyhow::bail!("`hook` comes first on the command line"),
    }
}

/// The folder in which the program was started, as UTF-8.
fn current_folder() -> Result<Utf8PathBuf> {
    let folder = std::env::current_dir().context("the current folder cannot be read")?;
    Utf8PathBuf::from_path_buf(folder)
        .map_err(|folder| anyhow::anyhow!("the current folder {} is not UTF-8", folder.display()))
}

/// Whether the reader of our output went away (`countersign log | head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
