//! Measures what the README quotes: the criterion benches, and whole processes
//! side by side, so that a slow moment of the machine hits all of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::repository::{root, run as run_program};

/// How often each program is run.
const RUNS: usize = 300;

/// Runs that are not counted: the first ones load files and make the state.
const WARM_UP: usize = 20;

/// Runs the benches and prints a Markdown table.
pub(crate) fn run() -> Result<()> {
    ensure!(
        run_program("cargo", &["bench", "--locked", "--workspace"])?,
        "a bench failed"
    );
    ensure!(
        run_program(
            "cargo",
            &["build", "--locked", "--release", "--package", "countersign"]
        )?,
        "the release build failed"
    );
    let folder = tempfile::tempdir()?;
    let programs = [
        Program {
            name: "`/bin/true`",
            path: PathBuf::from("/bin/true"),
            arguments: Vec::new(),
            is_hook: false,
        },
        Program {
            name: "an empty Rust program",
            path: empty_program(folder.path())?,
            arguments: Vec::new(),
            is_hook: false,
        },
        hook(folder.path())?,
    ];
    let times = measure(&programs, folder.path())?;
    println!("\n{}", table(&programs, &times));
    Ok(())
}

struct Program {
    name: &'static str,
    path: PathBuf,
    arguments: Vec<String>,
    /// Whether it is the hook, whose answer is looked at.
    is_hook: bool,
}

/// The hook as an agent runs it, without a server, with a state of its own.
fn hook(folder: &Path) -> Result<Program> {
    let home = folder.join("home");
    fs::create_dir(&home)?;
    let home = home.to_str().context("the temporary folder is not UTF-8")?;
    Ok(Program {
        name: "`countersign hook`, no server",
        path: root().join("target/release/countersign"),
        arguments: [
            "hook",
            "claude-code",
            "--event",
            "PreToolUse",
            "--home",
            home,
        ]
        .map(str::to_owned)
        .to_vec(),
        is_hook: true,
    })
}

fn empty_program(folder: &Path) -> Result<PathBuf> {
    let source = folder.join("empty.rs");
    let program = folder.join("empty");
    fs::write(&source, "fn main() {}\n")?;
    let status = Command::new("rustc")
        .args(["--edition", "2024", "-O", "-o"])
        .args([&program, &source])
        .status()?;
    ensure!(status.success(), "cannot compile an empty program");
    Ok(program)
}

/// The times of every program, in the same order, sorted.
fn measure(programs: &[Program], folder: &Path) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(RUNS); programs.len()];
    let payload = folder.join("payload.json");
    for round in 0..WARM_UP + RUNS {
        // A call of its own each time: two events with one id are one call.
        fs::write(&payload, read_call(folder, round).to_string())?;
        // Each program comes first as often as the others.
        for turn in 0..programs.len() {
            let index = (round + turn) % programs.len();
            let (Some(program), Some(times)) = (programs.get(index), times.get_mut(index)) else {
                continue;
            };
            let took = once(program, &payload, round == 0)?;
            if round >= WARM_UP {
                times.push(took);
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    Ok(times)
}

/// What Claude Code says before it reads a file of the project.
fn read_call(folder: &Path, round: usize) -> serde_json::Value {
    serde_json::json!({
        "session_id": "00000000-0000-4000-8000-000000000000",
        "transcript_path": folder.join("transcript.jsonl"),
        "cwd": folder,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Read",
        "tool_input": { "file_path": folder.join("empty.rs") },
        "tool_use_id": format!("toolu_{round:016x}"),
    })
}

/// Runs the program once. Without anything to set up in the child, the
/// standard library starts it with `posix_spawn`.
fn once(program: &Program, payload: &Path, look: bool) -> Result<Duration> {
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .stdin(File::open(payload)?)
        .stderr(Stdio::null());
    if look && program.is_hook {
        let output = command.output()?;
        ensure!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("allow"),
            "the hook did not allow reading a file: {} {}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
        return Ok(Duration::ZERO);
    }
    command.stdout(Stdio::null());
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", program.path.display()))?;
    let took = start.elapsed();
    ensure!(status.success(), "{} failed: {status}", program.name);
    Ok(took)
}

fn table(programs: &[Program], times: &[Vec<Duration>]) -> String {
    let base = times.first().and_then(|times| percentile(times, 50));
    let mut table = format!(
        "{RUNS} runs each, taking turns.\n\n\
         | process | p50 | p99 | p50 against `/bin/true` |\n|---|---:|---:|---:|\n"
    );
    for (program, times) in programs.iter().zip(times) {
        if let (Some(base), Some(middle), Some(slow)) =
            (base, percentile(times, 50), percentile(times, 99))
        {
            let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
            table.push_str(&format!(
                "| {} | {:.2} ms | {:.2} ms | {:.2} × |\n",
                program.name,
                milliseconds(middle),
                milliseconds(slow),
                middle.as_secs_f64() / base.as_secs_f64(),
            ));
        }
    }
    table
}

/// The value below which that many in a hundred lie, of sorted times.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times: Vec<Duration> = (1..=300).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Some(Duration::from_millis(150)));
        assert_eq!(percentile(&times, 99), Some(Duration::from_millis(297)));
        assert_eq!(percentile(&times[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 50), None);
    }
}
