//! Rows of the journal as a table: every row one line, with one more for the
//! model that judged it.

use std::io;

use anstyle::Style;
use countersign_core::approval::AnswerSource;
use countersign_core::state::{ModelRecord, Record, RecordKind};
use countersign_store::JournalRow;

use crate::commands::time;
use crate::output::{self, DIM};

/// Columns of a table's text cells.
const SUBJECT_COLUMNS: usize = 60;
const DETAIL_COLUMNS: usize = 100;

/// How much of a call's id is shown: `explain` takes the beginning of one.
const ID: usize = 8;

const HEADER: [&str; 7] = ["time", "call", "agent", "what", "tool", "reason", "subject"];

/// The rows as a table; also the end of the demo.
pub(in crate::commands) fn table(out: &mut impl io::Write, rows: &[JournalRow]) -> io::Result<()> {
    output::table(out, &HEADER, &lines(rows), output::terminal_width())
}

/// The widths of a table that begins before its rows are known: those of
/// what is mostly seen.
const WIDTHS: [usize; 6] = [19, ID, 11, 9, 17, 18];

/// The header of a table that goes on.
pub(super) fn header(out: &mut impl io::Write) -> io::Result<()> {
    let header = HEADER.map(|name| (DIM, name.to_owned()));
    output::row(out, &header, &WIDTHS, output::terminal_width())
}

/// The next rows of a table that goes on.
pub(super) fn next(out: &mut impl io::Write, rows: &[JournalRow]) -> io::Result<()> {
    let width = output::terminal_width();
    let lines = lines(rows);
    let mut lines = lines.iter();
    lines.try_for_each(|line| output::row(out, line, &WIDTHS, width))
}

fn lines(rows: &[JournalRow]) -> Vec<Vec<(Style, String)>> {
    rows.iter()
        .flat_map(|row| {
            let judged = row.record.model.as_ref().and_then(judged);
            std::iter::once(cells(&row.record)).chain(judged.map(below))
        })
        .collect()
}

fn cells(record: &Record) -> Vec<(Style, String)> {
    let plain = |text: String| (Style::new(), text);
    let what = record
        .decision
        .clone()
        .unwrap_or_else(|| kind(record.kind).to_owned());
    let what_style = match record.kind {
        RecordKind::Unguarded => output::BLOCK,
        RecordKind::Problem | RecordKind::Ignored => output::ASK,
        RecordKind::Decision
        | RecordKind::Answer
        | RecordKind::Result
        | RecordKind::UserMessage
        | RecordKind::SessionStart
        | RecordKind::SessionEnd
        | RecordKind::Reset
        | RecordKind::Rules
        | RecordKind::Trust
        | RecordKind::Anchor => output::verb_style(&what),
    };
    let what = if record.kind == RecordKind::Answer {
        format!("→ {what}")
    } else {
        what
    };
    let subject = match (&record.subject, &record.detail) {
        (Some(subject), _) => output::one_line(subject, SUBJECT_COLUMNS),
        (None, Some(detail)) => {
            let told = output::one_line(detail, DETAIL_COLUMNS);
            match record.source.as_deref() {
                Some(source) if source != AnswerSource::None.as_str() => {
                    format!("{told} ({})", output::one_line(source, 20))
                }
                Some(_) | None => told,
            }
        }
        (None, None) => String::new(),
    };
    let call: String = record
        .call
        .iter()
        .flat_map(|id| id.chars().take(ID))
        .collect();
    vec![
        (DIM, time::shown(record.time)),
        (DIM, output::one_line(&call, ID)),
        plain(
            record
                .key
                .as_ref()
                .map_or_else(String::new, |key| key.agent.to_string()),
        ),
        (what_style, output::one_line(&what, 12)),
        plain(output::one_line(record.tool.as_deref().unwrap_or(""), 24)),
        plain(output::one_line(record.reason.as_deref().unwrap_or(""), 28)),
        plain(subject),
    ]
}

/// A line of its own below a row.
fn below(text: String) -> Vec<(Style, String)> {
    let mut cells = vec![(DIM, String::new()); HEADER.len() - 1];
    cells.push((DIM, format!("↳ {text}")));
    cells
}

/// Who judged a call, at what cost: `judge-1: fast block 612 ms, 4210+9 tokens`.
/// None where no endpoint was asked.
fn judged(model: &ModelRecord) -> Option<String> {
    if model.stages.is_empty() && model.problem.is_none() {
        return None;
    }
    let mut text = output::one_line(model.model.as_deref().unwrap_or("no model"), 40);
    for (number, stage) in model.stages.iter().enumerate() {
        let between = if number == 0 { ":" } else { ";" };
        text.push_str(&format!(
            "{between} {} {} {} ms",
            stage.stage,
            stage.verdict.as_str(),
            stage.millis
        ));
        if let (Some(read), Some(written)) = (stage.input_tokens, stage.output_tokens) {
            text.push_str(&format!(", {read}+{written} tokens"));
        }
    }
    if let Some(problem) = &model.problem {
        text.push_str(&format!(" ({})", output::one_line(problem, DETAIL_COLUMNS)));
    }
    Some(text)
}

const fn kind(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Decision => "decision",
        RecordKind::Answer => "answer",
        RecordKind::Result => "ran",
        RecordKind::Unguarded => "UNGUARDED",
        RecordKind::UserMessage => "message",
        RecordKind::SessionStart => "start",
        RecordKind::SessionEnd => "end",
        RecordKind::Reset => "reset",
        RecordKind::Rules => "rules",
        RecordKind::Trust => "trust",
        RecordKind::Ignored => "ignored",
        RecordKind::Problem => "problem",
        RecordKind::Anchor => "pruned",
    }
}
