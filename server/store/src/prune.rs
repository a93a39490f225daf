//! Removing old rows of the journal, so that the rest can still be verified.

use countersign_core::call::Digest;
use countersign_core::state::{Millis, Record, RecordKind, StateError, Transaction as _};
use rusqlite::params;

use crate::chain::Head;
use crate::store::Store;
use crate::transaction::{SqlTransaction, one};

/// How many rows go in one transaction: others wait no longer for it than
/// some tens of milliseconds.
const BATCH: i64 = 10_000;

impl Store {
    /// Keeps the journal within its limits: removes rows older than `max_age`
    /// milliseconds, and, where the state takes more than `max_bytes` bytes, the
    /// oldest, down to nine tenths of that. Returns how many rows were removed.
    ///
    /// # Errors
    /// As [`Store::prune`].
    pub fn retain(&self, max_age: Millis, max_bytes: u64, now: Millis) -> Result<u64, StateError> {
        let keep_rows = self.rows_within(max_bytes)?;
        self.prune(Some(now.saturating_sub(max_age)), keep_rows, now)
    }

    /// How many of the newest rows fit into nine tenths of `max_bytes`, where
    /// the state takes more than that.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn rows_within(&self, max_bytes: u64) -> Result<Option<u64>, StateError> {
        let (rows, bytes) = self.view(&mut size)?;
        Ok((bytes > max_bytes).then(|| {
            let share = u128::from(rows) * u128::from(max_bytes) * 9 / 10;
            u64::try_from(share / u128::from(bytes.max(1))).unwrap_or(rows)
        }))
    }

    /// How many rows the journal has, and how many bytes the state takes: what
    /// the limits of its size are held against.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn size(&self) -> Result<(u64, u64), StateError> {
        self.view(&mut size)
    }

    /// How many rows [`Store::prune`] would remove.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn prunable(
        &self,
        before: Option<Millis>,
        keep_rows: Option<u64>,
    ) -> Result<u64, StateError> {
        self.view(&mut |transaction| {
            let end = first_kept(transaction, before, keep_rows)?;
            let count = "SELECT count(*) FROM journal WHERE seq < ?1";
            let rows: Option<i64> = one(transaction, count, [end], |row| row.get(0))?;
            Ok(rows.unwrap_or(0).unsigned_abs())
        })
    }

    /// Removes the rows from before `before` and all but the newest
    /// `keep_rows`; whichever removes more holds. Only the beginning of the
    /// journal goes: a row from before `before` that stands behind a newer one
    /// (a clock jumped) stays with it. Returns how many rows were removed.
    ///
    /// A row of kind [`RecordKind::Anchor`] with the time `now` says up to
    /// which row and hash the journal was removed, so that the rest verifies.
    ///
    /// # Errors
    /// When the state cannot be read or written. Batches that were committed
    /// before stay removed, each with its anchor.
    pub fn prune(
        &self,
        before: Option<Millis>,
        keep_rows: Option<u64>,
        now: Millis,
    ) -> Result<u64, StateError> {
        let end = self.view(&mut |transaction| first_kept(transaction, before, keep_rows))?;
        let mut removed = 0;
        loop {
            let batch = self.write(&mut |transaction| remove(transaction, end, now))?;
            if batch == 0 {
                return Ok(removed);
            }
            removed += batch;
        }
    }
}

/// How many rows the journal has, and how many bytes the state takes, free
/// pages and the ledger not counted.
fn size(transaction: &mut SqlTransaction<'_>) -> Result<(u64, u64), StateError> {
    let (head, _) = transaction.head()?;
    let first = one(transaction, "SELECT min(seq) FROM journal", [], |row| {
        row.get::<_, Option<i64>>(0)
    })?
    .flatten();
    let mut pragma = |sql| -> Result<u64, StateError> {
        let value = one(transaction, sql, [], |row| row.get::<_, i64>(0))?;
        Ok(value
            .and_then(|value| u64::try_from(value).ok())
            .unwrap_or(0))
    };
    let pages = pragma("PRAGMA page_count")?.saturating_sub(pragma("PRAGMA freelist_count")?);
    let bytes = pages.saturating_mul(pragma("PRAGMA page_size")?);
    // The ledger stays whatever its size: it must not push the journal out.
    // Its pages are about half full; where they are fuller, the journal gets
    // somewhat more than its share.
    let ledger: Option<i64> = one(
        transaction,
        "SELECT sum(2 * length(path) + 2 * length(call) + length(workspace) + length(body) + 32)
            FROM ledger",
        [],
        |row| row.get(0),
    )?
    .flatten();
    let ledger = ledger.and_then(|bytes| u64::try_from(bytes).ok());
    let bytes = bytes.saturating_sub(ledger.unwrap_or(0).saturating_mul(2));
    let rows = first.map_or(0, |first| head - first + 1);
    Ok((u64::try_from(rows).unwrap_or(0), bytes))
}

/// The number of the first row that stays.
fn first_kept(
    transaction: &mut SqlTransaction<'_>,
    before: Option<Millis>,
    keep_rows: Option<u64>,
) -> Result<i64, StateError> {
    let (head, _) = transaction.head()?;
    let by_age = match before {
        None => 0,
        Some(before) => one(
            transaction,
            "SELECT seq FROM journal WHERE time >= ?1 ORDER BY seq LIMIT 1",
            [before],
            |row| row.get(0),
        )?
        .unwrap_or(head + 1),
    };
    let by_count = keep_rows.map_or(0, |keep| {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        head.saturating_sub(keep).saturating_add(1)
    });
    Ok(by_age.max(by_count))
}

/// Removes one batch of the rows before `end`.
fn remove(transaction: &mut SqlTransaction<'_>, end: i64, now: Millis) -> Result<u64, StateError> {
    let first: Option<i64> = one(transaction, "SELECT min(seq) FROM journal", [], |row| {
        row.get(0)
    })?
    .flatten();
    let Some(first) = first.filter(|first| *first < end) else {
        return Ok(0);
    };
    let last = (end - 1).min(first + BATCH - 1);
    let hash: Option<[u8; 32]> = one(
        transaction,
        "SELECT hash FROM journal WHERE seq = ?1",
        [last],
        |row| row.get(0),
    )?;
    let Some(hash) = hash else {
        return Err(StateError::Unreadable(format!(
            "row {last} of the journal in {} is missing; `countersign log verify` says more",
            transaction.path()
        )));
    };
    let removed = transaction.execute("DELETE FROM journal WHERE seq <= ?1", params![last])?;
    transaction.append(&anchor((last, Digest(hash)), now))?;
    Ok(removed as u64)
}

/// The row that says up to where the journal was removed.
fn anchor((seq, hash): Head, now: Millis) -> Record {
    Record {
        subject: Some(format!("{seq}:{hash}")),
        detail: Some(format!(
            "the rows up to {seq} were removed by age or number"
        )),
        ..Record::of(RecordKind::Anchor, now)
    }
}

/// What the row says of where the journal was removed, if it says it.
pub(crate) fn removed_up_to(record: &Record) -> Option<Head> {
    let (seq, hash) = record.subject.as_deref()?.split_once(':')?;
    Some((seq.parse().ok()?, Digest::from_hex(hash)?))
}
