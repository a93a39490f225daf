//! `countersign log prune`: removes the oldest rows. For a person: refused under
//! an agent, and asked about at the terminal.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use countersign_core::state::Millis;
use countersign_engine::clock::{Clock as _, SystemClock};
use countersign_guard::Guard;
use countersign_settings::Places;
use countersign_store::{FILE_NAME, Store};
use serde_json::json;

use crate::arguments::Prune;
use crate::commands::{model, time};
use crate::output::{self, BOLD, DIM, styled};

const MEGABYTE: u64 = 1_000_000;

/// What is removed.
struct Limits {
    before: Option<Millis>,
    keep_rows: Option<u64>,
    /// In words.
    what: String,
}

pub(super) fn run(places: &Places, prune: &Prune) -> Result<ExitCode> {
    if let Some(why) = model::under_an_agent() {
        bail!(
            "what the journal forgets is for a person to say, and {why}; run `countersign log prune` \
             in a terminal of your own"
        );
    }
    let Some(store) = super::open(places)? else {
        writeln!(
            output::stdout(),
            "{}",
            super::no_journal(&places.state_dir.join(FILE_NAME))
        )?;
        return Ok(ExitCode::SUCCESS);
    };
    let now = SystemClock.now();
    let limits = limits(places, &store, prune, now)?;
    let rows = store
        .prunable(limits.before, limits.keep_rows)
        .context("cannot read the journal")?;
    let (all, bytes) = store.size().context("cannot read the journal")?;
    let megabytes = bytes.div_ceil(MEGABYTE);
    if rows > 0 && !prune.dry_run && !prune.yes {
        if !output::interactive() {
            bail!(
                "{rows} rows would be removed ({}), and nobody is there to say yes; pass --yes, or \
                 --dry-run to see what would go",
                limits.what
            );
        }
        if !confirmed(rows, all, &limits.what)? {
            writeln!(output::stdout(), "nothing was removed")?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    let removed = if prune.dry_run {
        0
    } else {
        store
            .prune(limits.before, limits.keep_rows, now)
            .context("cannot prune the journal")?
    };
    let head = store.head().context("cannot read the journal")?;
    let head = format!("{}:{}", head.0, head.1);
    let mut out = output::stdout();
    if prune.json {
        writeln!(
            out,
            "{}",
            json!({
                "rows": all, "megabytes": megabytes, "prunable": rows, "removed": removed,
                "dryRun": prune.dry_run, "head": head,
            })
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    if prune.dry_run || rows == 0 {
        writeln!(
            out,
            "{rows} of {all} rows would be removed: {} (the state takes {megabytes} MB)",
            limits.what
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "{}  {removed} of {all} rows; a row in the journal says so, and the rest verifies",
        styled(BOLD, "removed")
    )?;
    writeln!(out, "head     {head}")?;
    let hint = "an anchor from before says nothing about what was removed: keep this one";
    writeln!(out, "{}", styled(DIM, hint))?;
    Ok(ExitCode::SUCCESS)
}

/// By what the command line says, else by the settings.
fn limits(places: &Places, store: &Store, prune: &Prune, now: Millis) -> Result<Limits> {
    let rows_within = |bytes| store.rows_within(bytes).context("cannot read the journal");
    let by_time = |before: Millis| format!("older than {} UTC", time::shown(before));
    let by_size = |megabytes: u64| format!("the oldest, beyond {megabytes} MB");
    if prune.before.is_none() && prune.max_megabytes.is_none() {
        let folder = crate::commands::current_folder()?;
        let settings = Guard::looking_in(places.clone(), &folder).effective.journal;
        let (max_age, max_bytes) = settings.retention();
        let before = now.saturating_sub(max_age);
        return Ok(Limits {
            before: Some(before),
            keep_rows: rows_within(max_bytes)?,
            what: format!(
                "{}, or {}",
                by_time(before),
                by_size(settings.max_megabytes)
            ),
        });
    }
    let words = [prune.before.map(by_time), prune.max_megabytes.map(by_size)];
    let words: Vec<_> = words.into_iter().flatten().collect();
    Ok(Limits {
        before: prune.before,
        keep_rows: match prune.max_megabytes {
            Some(megabytes) => rows_within(megabytes.saturating_mul(MEGABYTE))?,
            None => None,
        },
        what: words.join(", or "),
    })
}

fn confirmed(rows: u64, all: u64, what: &str) -> Result<bool> {
    let mut out = output::stdout();
    write!(
        out,
        "{} {what}. They cannot be had back. [y/N] ",
        styled(BOLD, &format!("Remove {rows} of {all} rows?"))
    )?;
    out.flush()?;
    drop(out);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
