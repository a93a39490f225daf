//! `countersign demo`: an agent session decided live, in a folder and with a
//! state of its own. The calls are of the shape real agents send; what a
//! classifier said was recorded, and is shown as such.

mod script;
mod stage;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::decision::Decision;
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::message;
use countersign_core::redact;
use countersign_engine::request::Outcome;
use countersign_store::Filter;

use crate::commands::journal;
use crate::output::{self, ALLOW, ASK, BLOCK, BOLD, DIM, NOTE, styled};
use script::Scene;
use stage::{Played, Stage};

/// How long a scene stays before the next, where somebody watches.
const PAUSE: Duration = Duration::from_millis(900);

/// Plays the demo.
pub(super) fn run() -> Result<ExitCode> {
    let stage = Stage::new().context("cannot set up the demo's own folder")?;
    let scenes = script::scenes(stage.workspace().as_str());
    let total = scenes.len();
    opening()?;
    let mut tally = Tally::default();
    for (index, scene) in scenes.iter().enumerate() {
        let started = Instant::now();
        let played = stage.play(scene)?;
        let took = started.elapsed();
        tally.count(&played.outcome, took);
        show(index + 1, total, scene, &played, took)?;
        if matches!(played.outcome.decision, Decision::Ask { .. }) {
            answer(&stage, &played)?;
        }
        if output::interactive() {
            std::thread::sleep(PAUSE);
        }
    }
    closing(&stage, &tally)?;
    Ok(ExitCode::SUCCESS)
}

/// Sums for the last lines.
#[derive(Default)]
struct Tally {
    allowed: u32,
    blocked: u32,
    asked: u32,
    recorded: u32,
    times: Vec<Duration>,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome, took: Duration) {
        match &outcome.decision {
            Decision::Allow { .. } => self.allowed += 1,
            Decision::Denied { .. } | Decision::Block { .. } => self.blocked += 1,
            Decision::Ask { .. } => self.asked += 1,
        }
        if by_model(&outcome.decision) {
            self.recorded += 1;
        }
        self.times.push(took);
    }

    fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

fn by_model(decision: &Decision) -> bool {
    match decision {
        Decision::Allow { via, .. } => *via == countersign_core::decision::Via::Classifier,
        Decision::Denied { .. } => true,
        Decision::Block { .. } | Decision::Ask { .. } => false,
    }
}

fn opening() -> Result<()> {
    let mut out = output::stdout();
    writeln!(
        out,
        "\n{}  every tool call of every agent, decided before it runs\n\n\
         Several agents work in a folder made for this demo, in auto mode. Nothing they ask for is \
         run,\nno model is called and nothing of yours is read: the calls are decided by the real \
         guard.\nWhat a classifier said was recorded earlier and is marked {}.\n",
        styled(BOLD, "Countersign"),
        styled(NOTE, "recorded")
    )?;
    Ok(())
}

fn show(number: usize, total: usize, scene: &Scene, played: &Played, took: Duration) -> Result<()> {
    let mut out = output::stdout();
    let outcome = &played.outcome;
    let verb = outcome.decision.verb();
    writeln!(
        out,
        "{} {} {}  {}",
        styled(DIM, &format!("{number:>2}/{total}")),
        styled(NOTE, &format!("{:<11}", scene.agent.to_string())),
        styled(BOLD, scene.tool),
        output::one_line(&played.subject, 78),
    )?;
    let recorded = if by_model(&outcome.decision) {
        format!("  {}", styled(NOTE, "recorded"))
    } else {
        String::new()
    };
    writeln!(
        out,
        "      {}  {}{}  {}",
        styled(output::verb_style(verb), &format!("{verb:<5}")),
        outcome.decision.reason(),
        recorded,
        styled(DIM, &played.detail),
    )?;
    writeln!(
        out,
        "      {}  {}",
        counters(outcome.after),
        styled(DIM, &format!("{:.1} ms", took.as_secs_f64() * 1_000.0))
    )?;
    writeln!(out, "      {}\n", styled(DIM, scene.caption))?;
    Ok(())
}

/// The counters as a status bar would show them.
fn counters(counters: Counters) -> String {
    let limits = DenialLimits::default();
    let dots: String = (0..limits.consecutive_block)
        .map(|index| {
            if index < counters.consecutive_block {
                styled(BLOCK, "●")
            } else {
                styled(DIM, "○")
            }
        })
        .collect();
    format!(
        "{dots} {} in a row · {}/{} denials",
        counters.consecutive_block,
        counters.total(),
        limits.total
    )
}

/// The person at the terminal answers; without one the answer is no.
fn answer(stage: &Stage, played: &Played) -> Result<()> {
    let mut out = output::stdout();
    writeln!(out, "      {}", styled(ASK, "┌ Countersign asks you"))?;
    for line in redact::visible_lines(&played.subject).lines() {
        writeln!(out, "      {} {line}", styled(ASK, "│"))?;
    }
    let why = played.outcome.asked.map_or("the guard asks", message::why);
    writeln!(out, "      {} {}", styled(ASK, "│"), styled(DIM, why))?;
    let (answer, source) = if output::interactive() {
        write!(
            out,
            "      {} deny (Enter)  or  type {} to approve once: ",
            styled(ASK, "└"),
            styled(BOLD, "approve")
        )?;
        out.flush()?;
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .context("the answer cannot be read")?;
        // Only the whole word is a yes.
        let answer = if line.trim() == "approve" {
            Answer::ProceedOnce
        } else {
            Answer::Cancel { message: None }
        };
        (answer, AnswerSource::DemoTerminal)
    } else {
        writeln!(
            out,
            "      {} no terminal, so nobody to ask: denied",
            styled(ASK, "└")
        )?;
        (Answer::NoSurface, AnswerSource::None)
    };
    drop(out);
    let before = played.outcome.after;
    let resolution = stage.resolve(played, &answer, source)?;
    let mut out = output::stdout();
    let (style, said) = if resolution.decision.is_allow() {
        (ALLOW, "approved")
    } else {
        (BLOCK, "denied")
    };
    let cleared = match (resolution.after == before, resolution.decision.is_allow()) {
        (false, _) => "the cap's approval clears the blocks in a row",
        (true, true) => "no cap forced this, so no counter changes",
        (true, false) => "saying no changes no counter",
    };
    writeln!(
        out,
        "      {}  {}  {}\n",
        styled(style, said),
        counters(resolution.after),
        styled(DIM, cleared)
    )?;
    Ok(())
}

fn closing(stage: &Stage, tally: &Tally) -> Result<()> {
    let mut out = output::stdout();
    writeln!(
        out,
        "{}\n",
        styled(
            BOLD,
            "The journal (countersign log), hash-chained and masked"
        )
    )?;
    let rows = stage.store().journal(&Filter::default())?;
    journal::table(&mut out, &rows)?;
    let verified = stage.store().verify()?;
    writeln!(
        out,
        "\n{} {} rows\n\n{} allowed, {} blocked, {} asked; {} of {} decided by a model; median {:.1} ms \
         from the agent's JSON to the committed decision\n\n\
         Next: {} says what would happen to a command of yours, and why.\n",
        styled(ALLOW, "verified"),
        verified.rows,
        tally.allowed,
        tally.blocked,
        tally.asked,
        tally.recorded,
        tally.times.len(),
        tally.median().as_secs_f64() * 1_000.0,
        styled(BOLD, "countersign check -- <command>"),
    )?;
    Ok(())
}
