//! `countersign log`: the journal as a table or as JSON lines, and the check
//! of its hash chain.

mod follow;
mod prune;
mod table;

pub(super) use table::table;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use countersign_core::call::Digest;
use countersign_core::decision::Via;
use countersign_core::state::RecordKind;
use countersign_settings::Places;
use countersign_store::{FILE_NAME, Filter, JournalRow, Store};
use serde_json::{Value, json};

use crate::arguments::{Log, LogAction, LogFilter};
use crate::commands::model;
use crate::output::{self, DIM, pager, styled};

/// The number of a journal row and its hash.
pub(crate) type Anchor = (i64, Digest);

pub(super) fn run(places: &Places, log: &Log) -> Result<ExitCode> {
    if let Some(LogAction::Prune(prune)) = &log.action {
        return prune::run(places, prune);
    }
    if log.action.is_none() && log.filter.follow {
        return follow::run(places, &log.filter);
    }
    let Some(store) = open(places)? else {
        return nothing(&places.state_dir.join(FILE_NAME), log);
    };
    match &log.action {
        Some(LogAction::Verify { anchor, json }) => verify(&store, *anchor, *json),
        Some(LogAction::Prune(_)) | None => show(&store, &log.filter),
    }
}

/// The state, if there is one: looking at it creates nothing.
///
/// # Errors
/// When it cannot be read.
pub(super) fn open(places: &Places) -> Result<Option<Store>> {
    let database = places.state_dir.join(FILE_NAME);
    // What is left of one that is gone is for the store to refuse.
    if is_missing(&database) && is_missing(Utf8Path::new(&format!("{database}-wal"))) {
        return Ok(None);
    }
    let store = Store::open(&places.state_dir).context("cannot open the journal")?;
    Ok(Some(store))
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
        Some(LogAction::Verify { .. } | LogAction::Prune(_)) | None => {
            writeln!(out, "{}", no_journal(database))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is said where nothing was decided yet.
pub(super) fn no_journal(database: &Utf8Path) -> String {
    format!("no journal yet: nothing was decided (it will be {database})")
}

/// What the command line asks for.
fn filter(filter: &LogFilter) -> Filter {
    let mut wanted = Filter {
        session: filter.session.clone(),
        agent: filter.agent,
        decision: filter.decision.clone(),
        reason: filter.reason.clone(),
        stage: filter.stage,
        tool: filter.tool.clone(),
        kind: filter.kind,
        call: filter.call.clone(),
        text: filter.text.clone(),
        since: filter.since,
        until: filter.until,
        limit: filter.limit,
        ..Filter::default()
    };
    match filter.via {
        // What a person allowed is an answer, whatever kind of yes it was.
        Some(Via::Approval) => {
            wanted.kind = Some(RecordKind::Answer);
            wanted.decision = Some("allow".to_owned());
        }
        Some(via) => {
            wanted.decision = Some("allow".to_owned());
            wanted.reason = Some(via.to_string());
        }
        None => {}
    }
    wanted
}

fn show(store: &Store, asked: &LogFilter) -> Result<ExitCode> {
    let rows = store
        .journal(&filter(asked))
        .context("cannot read the journal")?;
    if asked.json {
        let mut out = output::stdout();
        for row in &rows {
            writeln!(out, "{}", in_json(row)?)?;
        }
    } else if rows.is_empty() {
        writeln!(output::stdout(), "no rows match")?;
    } else {
        let mut text = Vec::new();
        table(&mut text, &rows)?;
        let text = String::from_utf8_lossy(&text);
        pager::show(&text, model::under_an_agent().is_none())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A row as it is kept, with its number and hash.
pub(super) fn in_json(row: &JournalRow) -> Result<Value> {
    let mut value = serde_json::to_value(&row.record)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("seq".to_owned(), json!(row.seq));
        object.insert("hash".to_owned(), json!(row.hash));
    }
    Ok(value)
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

/// A layer of an allow, by its name.
///
/// # Errors
/// When it is none: says which there are.
pub(crate) fn via_argument(text: &str) -> Result<Via, String> {
    member(Via::ALL, text, |via| via.as_str())
}

/// A stage of the classifier, by its name.
///
/// # Errors
/// When it is none: says which there are.
pub(crate) fn stage_argument(text: &str) -> Result<countersign_core::model::Stage, String> {
    member(&countersign_core::model::Stage::ALL, text, |stage| {
        stage.as_str()
    })
}

/// A kind of row, by its name.
///
/// # Errors
/// When it is none: says which there are.
pub(crate) fn kind_argument(text: &str) -> Result<RecordKind, String> {
    member(&RecordKind::ALL, text, |kind| kind.as_str())
}

fn member<T: Copy>(all: &[T], text: &str, name: impl Fn(T) -> &'static str) -> Result<T, String> {
    // As people write it, too.
    let wanted = text.replace('-', "_");
    let found = all.iter().find(|one| name(**one) == wanted);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|one| name(*one)).collect();
        format!("there is {}", names.join(", "))
    })
}
