//! How much memory a server takes.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::figure::{Figure, Target};
use super::ground::Wanted;
use super::load::{Connection, Question};
use super::server::Server;

const SESSIONS: usize = 100;
const CALLS: usize = 50;

/// Until what a server does after its start, or after a call, is done.
const SETTLED: Duration = Duration::from_secs(2);

/// Idle, and after calls of many sessions.
pub(super) fn of_sessions(server: &Server<'_>) -> Result<[Figure; 2]> {
    thread::sleep(SETTLED);
    let idle = figure("memory, idle".to_owned(), server.pid, 25.0)?;
    let mut connection = Connection::new(server)?;
    for session in 0..SESSIONS {
        for call in 0..CALLS {
            let wanted = if call % 2 == 0 {
                Wanted::Read
            } else {
                Wanted::Test
            };
            let mut question = Question::new(server, 1_000 + session, wanted)?;
            connection.ask(&mut question, session * CALLS + call)?;
        }
    }
    drop(connection);
    thread::sleep(SETTLED);
    let name = format!("memory, {SESSIONS} sessions of {CALLS} calls");
    Ok([idle, figure(name, server.pid, 60.0)?])
}

/// What is resident now; `most` in MiB.
pub(super) fn figure(name: String, pid: u32, most: f64) -> Result<Figure> {
    let resident = kibibytes(pid, "status", "VmRSS:")? / 1024.0;
    let proportional = kibibytes(pid, "smaps_rollup", "Pss:")? / 1024.0;
    Ok(Figure {
        name,
        value: resident,
        unit: " MiB",
        target: Target::AtMost(most),
        besides: format!("proportional {proportional:.1} MiB"),
    })
}

fn kibibytes(pid: u32, file: &str, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"))
        .and_then(|value| value.trim().parse().ok())
        .with_context(|| format!("{path} says nothing of {field}"))
}
