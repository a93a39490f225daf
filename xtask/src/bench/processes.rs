//! The time of whole processes, taking turns, so that a slow moment of the
//! machine hits all of them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::figure::{Figure, Target};
use super::ground::{Ground, Wanted, hook_words, program};
use super::times::{milliseconds, percentile};

/// How often each program is run.
const RUNS: usize = 300;

/// Runs that are not counted: the first ones load files and make the state.
const WARM_UP: usize = 20;

/// Sessions whose numbers nobody else uses.
const SESSION: usize = 900_000;

struct Program {
    name: &'static str,
    path: PathBuf,
    arguments: Vec<String>,
    /// Whether it is the hook, whose answer is looked at.
    is_hook: bool,
    /// At most so many times what the first program takes.
    target: Target,
}

/// What each of them took.
pub(super) struct Processes {
    programs: Vec<Program>,
    /// In the order of the programs, sorted.
    times: Vec<Vec<Duration>>,
}

/// The hook beside programs that do nothing; a server of the ground's home
/// runs.
pub(super) fn measure(ground: &Ground) -> Result<Processes> {
    let programs = vec![
        Program {
            name: "`/bin/true`",
            path: PathBuf::from("/bin/true"),
            arguments: Vec::new(),
            is_hook: false,
            target: Target::None,
        },
        Program {
            name: "an empty Rust program",
            path: empty_program(ground.folder())?,
            arguments: Vec::new(),
            is_hook: false,
            target: Target::None,
        },
        Program {
            name: "`countersign hook`, asking a server",
            path: program(),
            arguments: hook_words(&ground.home)?,
            is_hook: true,
            target: Target::AtMost(2.2),
        },
        Program {
            name: "`countersign hook`, deciding by itself",
            path: program(),
            arguments: hook_words(&ground.second_home()?)?,
            is_hook: true,
            target: Target::AtMost(5.0),
        },
    ];
    let times = times(&programs, ground)?;
    Ok(Processes { programs, times })
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

fn times(programs: &[Program], ground: &Ground) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(RUNS); programs.len()];
    let payload = ground.folder().join("payload.json");
    for round in 0..WARM_UP + RUNS {
        // A call of its own each time: two events with one id are one call.
        let call = ground.call(SESSION, 700_000 + round, Wanted::Read);
        fs::write(&payload, call.to_string())?;
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
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            Wanted::Read.is_right(output.status.code(), &said),
            "the hook did not allow reading a file: {} {said}",
            output.status,
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

impl Processes {
    /// Of every program: what most and nearly all runs took, and how many
    /// times the first program that is.
    fn rows(&self) -> Vec<(&Program, Duration, Duration, f64)> {
        let first = self.times.first().and_then(|times| percentile(times, 50));
        self.programs
            .iter()
            .zip(&self.times)
            .filter_map(|(program, times)| {
                let middle = percentile(times, 50)?;
                let against = middle.as_secs_f64() / first?.as_secs_f64();
                Some((program, middle, percentile(times, 99)?, against))
            })
            .collect()
    }

    pub(super) fn table(&self) -> String {
        let mut table = format!(
            "| process, {RUNS} runs each, taking turns | p50 | p99 | p50 against `/bin/true` |\n\
             |---|---:|---:|---:|\n"
        );
        for (program, middle, slow, against) in self.rows() {
            // Writing into a string does not fail.
            let _ = writeln!(
                table,
                "| {} | {:.2} ms | {:.2} ms | {against:.2} × |",
                program.name,
                milliseconds(middle),
                milliseconds(slow),
            );
        }
        table
    }

    /// Those that have a target.
    pub(super) fn figures(&self) -> Vec<Figure> {
        self.rows()
            .into_iter()
            .filter(|(program, ..)| program.is_hook)
            .map(|(program, _, _, against)| Figure {
                name: format!("{}, against `/bin/true`", program.name),
                value: against,
                unit: " ×",
                target: program.target,
                besides: String::new(),
            })
            .collect()
    }
}
