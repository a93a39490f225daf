//! Plays a scenario's script against the real engine.

use anyhow::{Context as _, Result, bail, ensure};
use countersign_core::approval::Answer;
use countersign_core::classify::Verdict;
use countersign_core::decision::{Decision, UnavailableReason};
use countersign_core::denials::Counters;
use countersign_core::state::CallEvent;
use countersign_engine::events::{AgentEvent, Noted};
use countersign_engine::request::{Asking, Outcome, Reply};

use crate::parse::Scenario;
use crate::world::{Actor, World};

/// Plays a scenario.
///
/// # Errors
/// The first expectation that does not hold, with its line.
pub fn play(scenario: &Scenario) -> Result<()> {
    let mut world = World::new(scenario)?;
    let mut last = Last::default();
    for (number, line) in unrolled(&scenario.script)? {
        let done = match line.strip_prefix("=> ") {
            Some(expected) => last.expect(&mut world, expected),
            None => step(&mut world, &mut last, &line),
        };
        done.with_context(|| format!("line {number}: {line}"))?;
    }
    Ok(())
}

/// The script with `repeat N` … `end` written out.
fn unrolled(script: &[(usize, String)]) -> Result<Vec<(usize, String)>> {
    let mut lines = Vec::new();
    let mut block: Option<(usize, Vec<(usize, String)>)> = None;
    for (number, line) in script {
        if let Some(times) = line.strip_prefix("repeat ") {
            block = Some((times.parse().context("repeat takes a number")?, Vec::new()));
        } else if line == "end" {
            let (times, body) = block.take().context("end without repeat")?;
            for _ in 0..times {
                lines.extend(body.iter().cloned());
            }
        } else if let Some((_, body)) = &mut block {
            body.push((*number, line.clone()));
        } else {
            lines.push((*number, line.clone()));
        }
    }
    ensure!(block.is_none(), "repeat without end");
    Ok(lines)
}

/// What the last step came to.
#[derive(Default)]
struct Last {
    outcome: Option<Outcome>,
    decision: Option<Decision>,
    no_opinion: bool,
    noted: Option<Noted>,
    refused: Option<String>,
    counters: Counters,
    lines: Vec<String>,
}

fn step(world: &mut World, last: &mut Last, line: &str) -> Result<()> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "trusted" => world.trusted = true,
        "untrusted" => world.trusted = false,
        "consent" => world.consent()?,
        "mode" => world.mode = Some(rest.parse()?),
        "restart" => world.restart()?,
        "classifier" => {
            world.classifier = true;
            world.verdicts.push_back(verdict(rest)?);
        }
        "no" if rest == "classifier" => world.classifier = false,
        "asking" => {
            world.asking = match rest {
                "surface" => Asking::Surface,
                "delegate" => Asking::Delegate,
                "nobody" => Asking::Nobody,
                _ => bail!("asking surface, delegate or nobody"),
            }
        }
        "wait" => world.wait(rest.parse().context("wait takes milliseconds")?),
        "process" => {
            world.process_exits(rest.strip_suffix(" exits").context("process NAME exits")?)
        }
        "write" => {
            let rest = rest.strip_prefix("settings ").context("write settings …")?;
            let (layer, text) = rest.split_once(' ').context("write settings LAYER TEXT")?;
            world.write_settings(layer, text)?;
        }
        "change" => {
            let (path, text) = rest.split_once(' ').context("change PATH TEXT")?;
            world.write_file(path, text)?;
        }
        "person" => person(world, last, rest)?,
        "approve" | "deny" | "dismiss" | "timeout" | "abort" => {
            answer(world, last, word, rest)?;
        }
        "event" => event(world, last, rest)?,
        _ => call(world, last, line)?,
    }
    last.lines.extend(world.lines.take());
    Ok(())
}

fn verdict(text: &str) -> Result<Verdict> {
    Ok(match text.split_once(": ").unwrap_or((text, "")) {
        ("allow", "") => Verdict::Allow,
        ("block", reason) => Verdict::Block {
            reason: reason.to_owned(),
        },
        ("unavailable", why) => Verdict::Unavailable(
            *UnavailableReason::ALL
                .iter()
                .find(|reason| reason.as_str() == why)
                .context("unknown reason")?,
        ),
        _ => bail!("classifier allow, block: REASON or unavailable: WHY"),
    })
}

fn person(world: &mut World, last: &mut Last, what: &str) -> Result<()> {
    if what == "resets counters" {
        world.person_resets()?;
    } else {
        let (from, to) = what
            .strip_prefix("mode ")
            .and_then(|modes| modes.split_once(" -> "))
            .context("person resets counters, or person mode FROM -> TO")?;
        world.person_sets_mode(from.parse()?, to.parse()?)?;
    }
    last.counters = world.counters()?;
    Ok(())
}

fn answer(world: &mut World, last: &mut Last, word: &str, rest: &str) -> Result<()> {
    let answer = match (word, rest) {
        ("approve", "" | "again") => Answer::ProceedOnce,
        ("approve", "and remember") => Answer::ProceedAlways,
        ("approve", "and switch") => Answer::ProceedOnceAndSwitchToDefault,
        ("deny", "") => Answer::Cancel { message: None },
        ("deny", message) => Answer::Cancel {
            message: Some(message.to_owned()),
        },
        ("dismiss", "") => Answer::Dismissed,
        ("timeout", "") => Answer::Timeout,
        ("abort", "") => Answer::Aborted,
        _ => bail!("unknown answer"),
    };
    last.lines.clear();
    last.refused = None;
    match world.resolve(&answer)? {
        Ok(resolution) => {
            last.decision = Some(resolution.decision);
            last.counters = resolution.after;
        }
        Err(error) => {
            last.decision = None;
            last.refused = Some(error.to_string());
        }
    }
    Ok(())
}

fn event(world: &mut World, last: &mut Last, rest: &str) -> Result<()> {
    let (actor, rest) = rest.split_once(' ').context("event SESSION KIND")?;
    let actor = Actor::parse(actor)?;
    last.lines.clear();
    let noted = match rest.split_once(' ').unwrap_or((rest, "")) {
        (kind @ ("result" | "failed-result"), call) => {
            let call = world.call(&actor, call)?;
            world.note(
                &actor,
                AgentEvent::Result {
                    call: &call,
                    failed: kind == "failed-result",
                },
            )?
        }
        ("agent-denied", call) => {
            let call = world.call(&actor, call)?;
            world.note(&actor, AgentEvent::AgentDenied { call: &call })?
        }
        ("user-message", "") => world.note(&actor, AgentEvent::UserMessage)?,
        ("turn-end", "") => world.note(&actor, AgentEvent::TurnEnd)?,
        ("session-start", "") => world.note(&actor, AgentEvent::SessionStart)?,
        ("session-end", "") => world.note(&actor, AgentEvent::SessionEnd)?,
        _ => bail!("unknown event"),
    };
    last.noted = Some(noted);
    last.counters = world.counters()?;
    Ok(())
}

fn call(world: &mut World, last: &mut Last, line: &str) -> Result<()> {
    let (actor, rest) = line.split_once(' ').context("SESSION TOOL …")?;
    let actor = Actor::parse(actor)?;
    // `request` is the event before the agent's own prompt.
    let (event, rest) = match rest.strip_prefix("request ") {
        Some(command) => (CallEvent::PermissionRequest, format!("shell {command}")),
        None => (CallEvent::PreTool, rest.to_owned()),
    };
    let call = world.call(&actor, &rest)?;
    *last = Last {
        counters: last.counters,
        ..Last::default()
    };
    match world.decide(&actor, &call, event)? {
        Reply::NoOpinion => last.no_opinion = true,
        Reply::Classify => bail!("the classifier is asked, and the script has no verdict for it"),
        Reply::Done(outcome) => {
            last.decision = Some(outcome.decision.clone());
            last.counters = outcome.after;
            last.outcome = Some(*outcome);
        }
    }
    Ok(())
}

impl Last {
    fn expect(&self, world: &mut World, expected: &str) -> Result<()> {
        let (word, rest) = expected.split_once(' ').unwrap_or((expected, ""));
        match word {
            "allow" | "block" | "ask" => {
                let decision = self.decision()?;
                let said = format!("{} {}", decision.verb(), decision.reason());
                ensure!(
                    said == format!("{word} {rest}"),
                    "it was `{said}`: {}",
                    decision.detail()
                );
            }
            "no" if rest == "opinion" => ensure!(self.no_opinion, "it was decided"),
            "not" if rest == "denied by the classifier" => {
                ensure!(
                    !matches!(self.decision()?, Decision::Denied { .. }),
                    "it was a denial by the classifier"
                );
            }
            "detail" => {
                let detail = self.decision()?.detail();
                ensure!(detail.contains(rest), "the detail was `{detail}`");
            }
            "counters" => {
                let Counters {
                    consecutive_block,
                    consecutive_unavailable,
                    total_block,
                    total_unavailable,
                } = self.counters;
                let counters = format!(
                    "{consecutive_block} {consecutive_unavailable} {total_block} {total_unavailable}"
                );
                ensure!(counters == rest, "they were {counters}");
            }
            "log" => ensure!(
                self.lines.iter().any(|line| line == rest),
                "the lines were {:#?}",
                self.lines
            ),
            "mode" => {
                let mode = self.outcome()?.mode;
                ensure!(mode.as_str() == rest, "the mode was {mode}");
            }
            "joined" => ensure!(self.outcome()?.joined, "it was a call of its own"),
            "recorded" => ensure!(self.outcome()?.recorded, "it was not recorded"),
            "not-recorded" => ensure!(!self.outcome()?.recorded, "it was recorded"),
            "refused" => {
                let refused = self.refused.as_deref().context("it was not refused")?;
                ensure!(refused.contains(rest), "it was refused: {refused}");
            }
            "ignored" => ensure!(self.noted()?.ignored, "it was believed"),
            "unguarded" => ensure!(self.noted()?.unguarded, "it was guarded"),
            "set" => {
                let count = world.set_aside()?.len();
                ensure!(rest == format!("aside {count}"), "{count} are set aside");
            }
            "holders" => {
                let count: usize = world
                    .set_aside()?
                    .iter()
                    .map(|entry| entry.holders.len())
                    .sum();
                ensure!(rest == count.to_string(), "there are {count}");
            }
            "journal" => {
                let (kind, count) = rest.split_once(' ').context("journal KIND COUNT")?;
                let found = world.journal_rows(kind)?;
                ensure!(count == found.to_string(), "there are {found}");
            }
            _ => bail!("unknown expectation"),
        }
        Ok(())
    }

    fn decision(&self) -> Result<&Decision> {
        self.decision.as_ref().context("nothing was decided")
    }

    fn outcome(&self) -> Result<&Outcome> {
        self.outcome.as_ref().context("nothing was decided")
    }

    fn noted(&self) -> Result<&Noted> {
        self.noted.as_ref().context("the last step was no event")
    }
}
