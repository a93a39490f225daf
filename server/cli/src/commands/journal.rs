//! `countersign log`: the journal as a table or as JSON lines, and the check
//! of its hash chain.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstyle::Style;
use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use countersign_core::approval::AnswerSource;
use countersign_core::call::Digest;
use countersign_core::state::{ModelRecord, Record, RecordKind};
use countersign_settings::Places;
use countersign_store::{FILE_NAME, Filter, JournalRow, Store};
use serde_json::json;

use crate::arguments::{Log, LogAction, LogFilter};
use crate::commands::time;
use crate::output::{self, DIM, styled};

/// Columns of a table's text cells.
const SUBJECT_COLUMNS: usize = 60;
const DETAIL_COLUMNS: usize = 100;

/// The number of a journal row and its hash.
pub(crate) type Anchor = (i64, Digest);

pub(super) fn run(places: &Places, log: &Log) -> Result<ExitCode> {
    let database = places.state_dir.join(FILE_NAME);
    // What is left of one that is gone is for the store to refuse.
    if is_missing(&database) && is_missing(Utf8Path::new(&format!("{database}-wal"))) {
        return nothing(&database, log);
    }
    let store = Store::open(&places.state_dir).context("cannot open the journal")?;
    match &log.action {
        Some(LogAction::Verify { anchor, json }) => verify(&store, *anchor, *json),
        None => show(&store, &log.filter),
    }
}

fn is_missing(path: &Utf8Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Says that there is no journal, without creating one.
fn nothing(database: &Utf8Path, log: &Log) -> Result<ExitCode> {
    let mut out = output::stdout();
    match &log.action {
        Some(LogAction::Verify {
            anchor: Some((row, _)),
            ..
        }) if *row > 0 => bail!(
            "the journal does not verify: the anchor names row {row}, and {database} is gone; put it back"
        ),
        Some(LogAction::Verify { json: true, .. }) => {
            let head = format!("0:{}", Digest([0; 32]));
            writeln!(out, "{}", json!({ "rows": 0, "head": head, "ok": true }))?;
        }
        None if log.filter.json => {}
        Some(LogAction::Verify { .. }) | None => {
            writeln!(
                out,
                "no journal yet: nothing was decided (it will be {database})"
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(store: &Store, filter: &LogFilter) -> Result<ExitCode> {
    let rows = store
        .journal(&Filter {
            session: filter.session.clone(),
            agent: filter.agent,
            decision: filter.decision.clone(),
            tool: filter.tool.clone(),
            since: filter.since,
            until: filter.until,
            limit: filter.limit,
            ..Filter::default()
        })
        .context("cannot read the journal")?;
    let mut out = output::stdout();
    if filter.json {
        for row in &rows {
            let mut value = serde_json::to_value(&row.record)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("seq".to_owned(), json!(row.seq));
                object.insert("hash".to_owned(), json!(row.hash));
            }
            writeln!(out, "{value}")?;
        }
    } else if rows.is_empty() {
        writeln!(out, "no rows match")?;
    } else {
        table(&mut out, &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows as a table; also the end of the demo.
pub(super) fn table(out: &mut impl std::io::Write, rows: &[JournalRow]) -> Result<()> {
    let rows: Vec<Vec<(Style, String)>> = rows
        .iter()
        .flat_map(|row| {
            let judged = row.record.model.as_ref().and_then(judged);
            std::iter::once(cells(&row.record)).chain(judged.map(below))
        })
        .collect();
    output::table(
        out,
        &["time", "agent", "what", "tool", "reason", "subject"],
        &rows,
        output::terminal_width(),
    )?;
    Ok(())
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
    vec![
        (DIM, time::shown(record.time)),
        plain(
            record
                .key
                .as_ref()
                .map_or_else(String::new, |key| key.agent.to_string()),
        ),
        (what_style, what),
        plain(output::one_line(record.tool.as_deref().unwrap_or(""), 24)),
        plain(output::one_line(record.reason.as_deref().unwrap_or(""), 28)),
        plain(subject),
    ]
}

/// A line of its own below a row.
fn below(text: String) -> Vec<(Style, String)> {
    let mut cells = vec![(DIM, String::new()); 5];
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

fn verify(store: &Store, anchor: Option<Anchor>, as_json: bool) -> Result<ExitCode> {
    let checked = match anchor {
        Some(anchor) => store.verify_against(anchor),
        None => store.verify(),
    };
    let verified = checked.context("the journal does not verify")?;
    let mut out = output::stdout();
    let head = format!("{}:{}", verified.head.0, verified.head.1);
    if as_json {
        writeln!(
            out,
            "{}",
            json!({ "rows": verified.rows, "head": head, "ok": true })
        )?;
    } else {
        writeln!(
            out,
            "{}  {} rows, every one in its place and unchanged",
            styled(output::ALLOW, "verified"),
            verified.rows
        )?;
        writeln!(out, "head      {head}")?;
        writeln!(
            out,
            "{}",
            styled(
                DIM,
                "keep the head elsewhere and pass it with --anchor to find a replaced journal"
            )
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A head as [`verify`] prints it, for the command line.
///
/// # Errors
/// When it is not one.
pub(crate) fn anchor(text: &str) -> Result<Anchor, String> {
    text.split_once(':')
        .and_then(|(row, hash)| Some((row.parse().ok()?, Digest::from_hex(hash)?)))
        .ok_or_else(|| format!("`{text}` is not SEQ:HASH as `countersign log verify` prints it"))
}
