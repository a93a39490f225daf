//! Measures what the README quotes: the criterion benches, whole processes
//! side by side, so that a slow moment of the machine hits all of them, and a
//! server under load.

mod classifier;
mod crowd;
mod figure;
mod ground;
mod load;
mod lsp;
mod memory;
mod processes;
mod server;
mod speakers;
mod times;

use anyhow::{Result, ensure};

use crate::repository::run as run_program;

/// Runs the benches, unless only processes are asked for, and prints Markdown
/// tables.
pub(crate) fn run(only_processes: bool) -> Result<()> {
    if !only_processes {
        ensure!(
            run_program("cargo", &["bench", "--locked", "--workspace"])?,
            "a bench failed"
        );
    }
    ensure!(
        run_program(
            "cargo",
            &["build", "--locked", "--release", "--package", "countersign"]
        )?,
        "the release build failed"
    );
    let mut figures = classifier::measure()?;
    figures.push(server::starts()?);
    let ground = ground::Ground::new()?;
    let server = server::Server::start(&ground)?;
    figures.extend(memory::of_sessions(&server)?);
    figures.push(crowd::at_once(&ground)?);
    let processes = processes::measure(&ground)?;
    figures.extend(processes.figures());
    figures.extend(load::measure(&server)?);
    server.stop()?;
    println!("\n{}\n{}", processes.table(), figure::table(&figures));
    Ok(())
}
