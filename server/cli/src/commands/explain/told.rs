//! The story of a call for people: headings at the left, what agents and models
//! wrote escaped and never at the beginning of a line.

use std::io::{self, Write};

use countersign_core::decision::Decision;
use countersign_core::model::{ModelRecord, StageRecord};
use countersign_core::redact;
use countersign_core::state::Record;
use countersign_service::explain::Said;

use super::Story;
use crate::commands::time;
use crate::output::{self, BOLD, DIM, NOTE, styled};

/// Longest line of what was asked for, in columns, and most lines.
const COLUMNS: usize = 400;
const LINES: usize = 60;

/// Longest name or id, in columns.
const NAME: usize = 160;

/// Columns of the headings.
const HEADING: usize = 12;

pub(super) fn tell(out: &mut impl Write, story: &Story) -> io::Result<()> {
    match (&story.decided, story.decision()) {
        (Some(record), Some(decision)) => decided(out, story, record, &decision)?,
        _ => writeln!(
            out,
            "{}",
            styled(
                DIM,
                "the row of its decision is not in the journal any more"
            )
        )?,
    }
    let later = story.rows.iter().map(|row| &row.record).filter(|record| {
        // The first decision is told above.
        story.decided.as_ref() != Some(*record)
    });
    for (number, record) in later.enumerate() {
        line(
            out,
            if number == 0 { "then" } else { "" },
            &happened(record),
        )?;
        if let Some(counters) = changed_counters(record) {
            line(out, "", &counters)?;
        }
    }
    for (number, change) in story.changes().into_iter().enumerate() {
        line(out, if number == 0 { "to change" } else { "" }, change)?;
    }
    line(out, "call", &story.id)?;
    let agents_id = story
        .rows
        .iter()
        .find_map(|row| row.record.agent_call.clone());
    if let Some(id) = agents_id {
        line(out, "agent's id", &output::one_line(&id, NAME))?;
    }
    let rows: Vec<String> = story.rows.iter().map(|row| row.seq.to_string()).collect();
    line(out, "rows", &output::one_line(&rows.join(", "), NAME))
}

fn decided(
    out: &mut impl Write,
    story: &Story,
    record: &Record,
    decision: &Decision,
) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}  {}\n",
        styled(output::verb_style(decision.verb()), decision.verb()),
        styled(BOLD, &name(record.tool.as_deref())),
        name(record.reason.as_deref())
    )?;
    let subject = redact::visible_lines(record.subject.as_deref().unwrap_or_default());
    for (number, text) in subject.lines().enumerate() {
        if number >= LINES {
            writeln!(
                out,
                "  {}",
                styled(DIM, "… the rest is in `countersign log --json`")
            )?;
            break;
        }
        writeln!(out, "  {}", styled(NOTE, &output::one_line(text, COLUMNS)))?;
    }
    writeln!(out)?;
    line(out, "why", &words(decision.detail()))?;
    let mut when = format!("{} UTC", time::shown(record.time));
    if let Some(micros) = record.micros {
        when.push_str(&format!(", decided in {}", output::duration(micros)));
    }
    line(out, "when", &when)?;
    if let Some(key) = &record.key {
        line(out, "session", &name(Some(&key.to_string())))?;
    }
    if let Some(workspace) = &record.workspace {
        line(out, "workspace", &name(Some(workspace.as_str())))?;
    }
    if let Some(mode) = record.mode {
        line(out, "mode", mode.as_str())?;
    }
    for (number, (layer, said)) in story.layers().into_iter().enumerate() {
        let heading = if number == 0 { "layers" } else { "" };
        let title = format!("{:<16}", layer.title());
        let text = match said {
            Said::Passed(why) => styled(DIM, &format!("  {title} {why}")),
            Said::Decided => format!(
                "{} {title} {}: {}",
                styled(output::verb_style(decision.verb()), "→"),
                decision.verb(),
                decision.reason()
            ),
        };
        line(out, heading, &text)?;
    }
    for (number, effect) in record.effects.iter().enumerate() {
        line(
            out,
            if number == 0 { "effects" } else { "" },
            &words(effect),
        )?;
    }
    if let Some(model) = &record.model {
        judged(out, model)?;
    }
    if let Some(counters) = counters(record) {
        line(out, "counters", &counters)?;
    }
    Ok(())
}

/// A heading and what it is about. What is longer than a line goes on under
/// itself: it must not look like a heading.
fn line(out: &mut impl Write, heading: &str, text: &str) -> io::Result<()> {
    let heading = format!("{heading:<HEADING$}");
    writeln!(out, "{}{text}", styled(DIM, &heading))
}

/// Text that was written by others, on one line.
fn words(text: &str) -> String {
    output::one_line(text, 10 * COLUMNS)
}

fn name(text: Option<&str>) -> String {
    output::one_line(text.unwrap_or("unknown"), NAME)
}

fn judged(out: &mut impl Write, model: &ModelRecord) -> io::Result<()> {
    if model.model.is_none() && model.stages.is_empty() && model.problem.is_none() {
        return Ok(());
    }
    let mut text = name(model.model.as_deref());
    if let Some(provider) = &model.provider {
        text.push_str(&format!(" ({})", name(Some(provider))));
    }
    if model.recorded {
        text.push_str(", replayed from a record");
    }
    line(out, "model", &text)?;
    for stage in &model.stages {
        line(out, "", &stage_words(stage))?;
        let ids = [
            ("request", &stage.request_id),
            ("message", &stage.message_id),
        ];
        let ids: Vec<_> = ids
            .into_iter()
            .filter_map(|(what, id)| Some(format!("{what} {}", name(Some(id.as_deref()?)))))
            .collect();
        if !ids.is_empty() {
            line(out, "", &styled(DIM, &format!("  {}", ids.join(", "))))?;
        }
    }
    if let Some(problem) = &model.problem {
        line(out, "", &format!("no answer: {}", words(problem)))?;
    }
    Ok(())
}

/// `fast: block in 812 ms, 1234 tokens read (1024 from the cache), 12 written`
fn stage_words(stage: &StageRecord) -> String {
    let mut text = format!(
        "{}: {} in {} ms",
        stage.stage,
        stage.verdict.as_str(),
        stage.millis
    );
    if stage.attempts > 1 {
        text.push_str(&format!(", {} attempts", stage.attempts));
    }
    if let Some(read) = stage.input_tokens {
        text.push_str(&format!(", {read} tokens read"));
        if let Some(cached) = stage.cached_tokens {
            text.push_str(&format!(" ({cached} from the cache)"));
        }
    }
    if let Some(written) = stage.output_tokens {
        text.push_str(&format!(", {written} written"));
    }
    text
}

fn counters(record: &Record) -> Option<String> {
    let (before, after) = (record.before?, record.after?);
    Some(if before == after {
        before.to_string()
    } else {
        format!("{before} → {after}")
    })
}

fn changed_counters(record: &Record) -> Option<String> {
    (record.before != record.after)
        .then(|| counters(record))
        .flatten()
        .map(|counters| format!("  {counters}"))
}

/// One later row: when, what, who.
fn happened(record: &Record) -> String {
    let mut text = format!("{} UTC  {}", time::shown(record.time), record.kind.as_str());
    if let Some(reason) = &record.reason {
        text.push_str(&format!(": {}", name(Some(reason))));
    }
    if let Some(detail) = &record.detail {
        text.push_str(&format!(", {}", words(detail)));
    }
    if let Some(source) = &record.source {
        text.push_str(&format!(" (by {})", name(Some(source))));
    }
    text
}
