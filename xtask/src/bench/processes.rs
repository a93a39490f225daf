//! The time of whole processes, taking turns, so that a slow moment of the
//! machine hits all of them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::figure::{Figure, Target};
use super::ground::{Ground, hook_program, program};
use super::speakers::{SPEAKERS, Speaker};
use super::times::{milliseconds, percentile};

/// How often each program is run.
const RUNS: usize = 300;

/// Runs that are not counted: the first ones load files and make the state.
const WARM_UP: usize = 20;

/// Sessions whose numbers nobody else uses.
const SESSION: usize = 900_000;

struct Program {
    name: String,
    path: PathBuf,
    arguments: Vec<String>,
    /// The agent that it answers, if it is the hook.
    agent: Option<&'static Speaker>,
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
    let plain = |name: &str, path: PathBuf| Program {
        name: name.to_owned(),
        path,
        arguments: Vec::new(),
        agent: None,
        target: Target::None,
    };
    let alone = ground.second_home()?;
    let mut programs = vec![
        plain("`/bin/true`", PathBuf::from("/bin/true")),
        plain("an empty Rust program", empty_program(ground.folder())?),
    ];
    for agent in &SPEAKERS {
        let name = format!("`countersign-hook hook {}`, asking a server", agent.name);
        let most = Target::AtMost(2.2);
        programs.push(hook(name, hook_program(), agent, &ground.home, most)?);
    }
    for agent in SPEAKERS.iter().take(1) {
        let name = |words: &str| format!("`{words} {}`, deciding by itself", agent.name);
        let most = Target::AtMost(5.0);
        let small = name("countersign-hook hook");
        programs.push(hook(small, hook_program(), agent, &alone, most)?);
        let other = name("countersign hook");
        programs.push(hook(other, program(), agent, &alone, Target::None)?);
        let other = format!("`countersign hook {}`, asking a server", agent.name);
        programs.push(hook(other, program(), agent, &ground.home, Target::None)?);
    }
    let times = times(&programs, ground)?;
    Ok(Processes { programs, times })
}

fn hook(
    name: String,
    path: PathBuf,
    agent: &'static Speaker,
    home: &Path,
    target: Target,
) -> Result<Program> {
    let home = home.to_str().context("the temporary folder is not UTF-8")?;
    let words = ["hook", agent.name, "--event", agent.event, "--home", home];
    Ok(Program {
        name,
        path,
        arguments: words.map(str::to_owned).to_vec(),
        agent: Some(agent),
        target,
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

fn times(programs: &[Program], ground: &Ground) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(RUNS); programs.len()];
    let payload = ground.folder().join("payload.json");
    let mut order: Vec<usize> = (0..programs.len()).collect();
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..WARM_UP + RUNS {
        // Whoever runs behind its like finds more in the processor's caches: no
        // program is always behind the same one.
        random.shuffle(&mut order);
        for &index in &order {
            let (Some(program), Some(times)) = (programs.get(index), times.get_mut(index)) else {
                continue;
            };
            // A call of its own each time: two events with one id are one call.
            let said = program
                .agent
                .map(|agent| agent.reads(ground, SESSION, 700_000 + round));
            fs::write(&payload, said.unwrap_or_default().to_string())?;
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
    if let (true, Some(agent)) = (look, program.agent) {
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            agent.may(output.status.code(), &said),
            "the hook of {} did not allow reading a file: {} {said}",
            agent.name,
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
            .filter(|(program, ..)| !matches!(program.target, Target::None))
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
