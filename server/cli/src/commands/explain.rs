//! `countersign explain`: the whole story of one call, as the journal has it:
//! what each layer said, what it would do, who judged and answered, the counters
//! before and after, and how to have such a call decided otherwise.

mod told;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::state::{Record, RecordKind};
use countersign_service::explain::{Layer, Said, decision_of, how_to_change, layers};
use countersign_settings::Places;
use countersign_store::{FILE_NAME, Filter, JournalRow, Store};
use serde_json::json;

use crate::arguments::Explain;
use crate::commands::{journal, model, time};
use crate::output::{self, pager};

/// Most rows of one call that are told.
const ROWS: usize = 200;

/// Most calls that are named where an id is not enough.
const CALLS: usize = 8;

/// One call, from its decision to its end.
struct Story {
    id: String,
    /// Its rows, the oldest first.
    rows: Vec<JournalRow>,
    /// The row of its decision, unless it was pruned.
    decided: Option<Record>,
}

pub(super) fn run(places: &Places, explain: &Explain) -> Result<ExitCode> {
    let Some(store) = journal::open(places)? else {
        bail!("{}", journal::no_journal(&places.state_dir.join(FILE_NAME)));
    };
    let story = Story::of(&store, &explain.id)?;
    if explain.json {
        writeln!(output::stdout(), "{:#}", story.as_json()?)?;
    } else {
        let mut text = Vec::new();
        told::tell(&mut text, &story)?;
        let text = String::from_utf8_lossy(&text);
        pager::show(&text, model::under_an_agent().is_none())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Story {
    /// The call whose guard's id begins like this, or whose agent's id it is.
    fn of(store: &Store, id: &str) -> Result<Self> {
        let read = "cannot read the journal";
        let shown = output::one_line(id, 80);
        let mut calls = store.calls_of(id, CALLS + 1).context(read)?;
        if let Some(exact) = calls.iter().position(|call| call == id) {
            calls = vec![calls.swap_remove(exact)];
        }
        let id = match calls.as_slice() {
            [] => bail!(
                "the journal has no call whose id begins with `{shown}`; `countersign log` shows the \
                 beginning of each"
            ),
            [one] => one.clone(),
            several => bail!("`{shown}` is {}", ambiguous(store, several)?),
        };
        let rows = store
            .journal(&Filter {
                call: Some(id.clone()),
                ..Filter::default()
            })
            .context(read)?;
        // An agent may give its call the id of another one of the guard's.
        let mut rows: Vec<JournalRow> = rows
            .into_iter()
            .filter(|row| row.record.call.as_deref() == Some(id.as_str()))
            .collect();
        rows.truncate(ROWS);
        let decided = rows
            .iter()
            .map(|row| &row.record)
            .find(|record| record.kind == RecordKind::Decision)
            .cloned();
        Ok(Self { id, rows, decided })
    }

    fn decision(&self) -> Option<Decision> {
        self.decided.as_ref().map(decision_of)
    }

    /// What each layer said, up to the one that decided.
    fn layers(&self) -> Vec<(Layer, Said)> {
        let mode = self.decided.as_ref().and_then(|record| record.mode);
        match (mode, self.decision()) {
            (Some(mode), Some(decision)) => layers(mode, &decision),
            _ => Vec::new(),
        }
    }

    /// How to have such a call decided otherwise: what decided, and how the
    /// asking ended, if it ended in a no.
    fn changes(&self) -> Vec<&'static str> {
        let ended = self
            .rows
            .iter()
            .rev()
            .map(|row| &row.record)
            .find(|record| record.kind == RecordKind::Answer)
            .and_then(how_it_ended);
        let mut changes: Vec<_> = self.decision().iter().map(how_to_change).collect();
        changes.extend(ended.as_ref().map(how_to_change));
        changes
    }

    fn as_json(&self) -> Result<serde_json::Value> {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(journal::in_json)
            .collect::<Result<_>>()?;
        let decision = self.decision();
        let layers: Vec<_> = self
            .layers()
            .into_iter()
            .map(|(layer, said)| match said {
                Said::Passed(why) => {
                    json!({ "layer": layer.as_str(), "decided": false, "why": why })
                }
                Said::Decided => json!({
                    "layer": layer.as_str(), "decided": true,
                    "why": decision.as_ref().map(Decision::detail),
                }),
            })
            .collect();
        Ok(json!({
            "id": self.id,
            "decision": decision.as_ref().map(Decision::verb),
            "reason": decision.as_ref().map(Decision::reason),
            "layers": layers,
            "howToChange": self.changes(),
            "rows": rows,
        }))
    }
}

/// What became of an ask that was not a yes.
fn how_it_ended(answer: &Record) -> Option<Decision> {
    let reason = match (answer.decision.as_deref(), answer.reason.as_deref()) {
        (Some("allow"), _) => return None,
        (_, Some("timeout")) => BlockReason::Timeout,
        (_, Some("no_surface")) => BlockReason::NoSurface,
        _ => BlockReason::Person,
    };
    Some(Decision::Block {
        reason,
        detail: String::new(),
    })
}

/// Which calls an id may mean.
fn ambiguous(store: &Store, calls: &[String]) -> Result<String> {
    let mut text = String::from("the beginning of several ids; name more of it:");
    for call in calls.iter().take(CALLS) {
        let rows = store
            .journal(&Filter {
                call: Some(call.clone()),
                kind: Some(RecordKind::Decision),
                limit: 1,
                ..Filter::default()
            })
            .context("cannot read the journal")?;
        text.push_str(&format!("\n  {}", output::one_line(call, 40)));
        if let Some(row) = rows.first() {
            let record = &row.record;
            let subject = record.subject.as_deref().unwrap_or_default();
            text.push_str(&format!(
                "  {}  {}  {}",
                time::shown(record.time),
                record.decision.as_deref().unwrap_or_default(),
                output::one_line(subject, 60)
            ));
        }
    }
    if calls.len() > CALLS {
        text.push_str("\n  …");
    }
    Ok(text)
}
