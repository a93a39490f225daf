//! `countersign log --follow`: the newest rows, and every row that comes,
//! whichever process writes it. Ends with Ctrl-C, or when nobody reads any more.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use countersign_settings::Places;
use countersign_store::{Filter, JournalRow, Store};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::table;
use crate::arguments::LogFilter;
use crate::output;

/// How often is looked whether there is a new row: one read of one row.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Rows that are read at a time.
const ROWS: usize = 500;

pub(super) fn run(places: &Places, asked: &LogFilter) -> Result<ExitCode> {
    let mut told = Told {
        json: asked.json,
        began: false,
    };
    let store = loop {
        match super::open(places)? {
            Some(store) => break store,
            None if is_over(LOOK_EVERY)? => return Ok(ExitCode::SUCCESS),
            None => {}
        }
    };
    let wanted = super::filter(asked);
    let head = head(&store)?;
    let rows = read(&store, &wanted)?;
    let mut after = rows.last().map_or(head, |row| row.seq.max(head));
    told.rows(&rows)?;
    loop {
        let head = self::head(&store)?;
        while after < head {
            let next = Filter {
                after_seq: Some(after),
                limit: ROWS,
                ..wanted.clone()
            };
            let rows = read(&store, &next)?;
            let last = rows.last().map_or(head, |row| row.seq);
            // All that matched up to the head was read, unless there is more.
            after = if rows.len() < ROWS {
                last.max(head)
            } else {
                last
            };
            told.rows(&rows)?;
        }
        if is_over(LOOK_EVERY)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn head(store: &Store) -> Result<i64> {
    Ok(store.head().context("cannot read the journal")?.0)
}

fn read(store: &Store, filter: &Filter) -> Result<Vec<JournalRow>> {
    store.journal(filter).context("cannot read the journal")
}

/// What was told so far.
struct Told {
    json: bool,
    began: bool,
}

impl Told {
    fn rows(&mut self, rows: &[JournalRow]) -> Result<()> {
        let mut out = output::stdout();
        if self.json {
            for row in rows {
                writeln!(out, "{}", super::in_json(row)?)?;
            }
        } else {
            if !std::mem::replace(&mut self.began, true) {
                table::header(&mut out)?;
            }
            table::next(&mut out, rows)?;
        }
        Ok(out.flush()?)
    }
}

/// Waits so long, or until nobody reads what is written.
fn is_over(within: Duration) -> io::Result<bool> {
    let out = io::stdout();
    let mut ends = [PollFd::new(&out, PollFlags::empty())];
    let within = Timespec::try_from(within).map_err(io::Error::other)?;
    match poll(&mut ends, Some(&within)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
