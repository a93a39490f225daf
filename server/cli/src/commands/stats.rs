//! `countersign stats`: what the journal comes to. How many calls were decided
//! without a model, asked about and blocked; by day, agent, tool and layer; and
//! how long it took.

mod told;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use countersign_settings::Places;
use countersign_store::{FILE_NAME, Layer, Statistics, Tally, Times};
use serde_json::{Map, Value, json};

use crate::arguments::Stats;
use crate::commands::{journal, model};
use crate::output::{self, pager};

pub(super) fn run(places: &Places, stats: &Stats) -> Result<ExitCode> {
    let store = journal::open(places)?;
    let statistics = match &store {
        Some(store) => store
            .statistics(stats.since, stats.until)
            .context("cannot read the journal")?,
        None => Statistics::default(),
    };
    if stats.json {
        writeln!(output::stdout(), "{:#}", as_json(&statistics))?;
        return Ok(ExitCode::SUCCESS);
    }
    if store.is_none() {
        let database = places.state_dir.join(FILE_NAME);
        writeln!(output::stdout(), "{}", journal::no_journal(&database))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = Vec::new();
    told::tell(&mut text, &statistics)?;
    let text = String::from_utf8_lossy(&text);
    pager::show(&text, model::under_an_agent().is_none())?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(statistics: &Statistics) -> Value {
    let by_name = |tallies: &std::collections::BTreeMap<String, Tally>| -> Map<String, Value> {
        tallies
            .iter()
            .map(|(name, one)| (name.clone(), tally(one)))
            .collect()
    };
    let days: Map<String, Value> = statistics
        .days
        .iter()
        .map(|(day, one)| (told::day(*day), tally(one)))
        .collect();
    let layer = |layer: &Layer| {
        json!({
            "decision": layer.decision, "reason": layer.reason, "calls": layer.calls,
            "micros": times(&layer.micros),
        })
    };
    json!({
        "from": statistics.span.map(|(first, _)| first),
        "to": statistics.span.map(|(_, last)| last),
        "all": tally(&statistics.all),
        "days": days,
        "agents": by_name(&statistics.agents),
        "tools": by_name(&statistics.tools),
        "layers": statistics.layers.iter().map(layer).collect::<Vec<_>>(),
        "decidingMicros": times(&statistics.micros),
        "decidingWithModelMicros": times(&statistics.micros_with_model),
        "answers": statistics.answers,
        "answeringMillis": times(&statistics.waited),
        "unguarded": statistics.unguarded,
        "problems": statistics.problems,
    })
}

fn tally(tally: &Tally) -> Value {
    json!({
        "calls": tally.calls, "allowed": tally.allowed, "asked": tally.asked,
        "blocked": tally.blocked, "withoutModel": tally.without_model,
    })
}

fn times(times: &Times) -> Value {
    json!({
        "count": times.count, "median": times.median, "p90": times.p90, "longest": times.longest,
    })
}
