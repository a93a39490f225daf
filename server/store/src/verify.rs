//! Checking the journal's hash chain.
//!
//! It finds rows that were changed, removed, added or moved by somebody who
//! did not make the whole chain anew. Who can write the file can do that;
//! then only a head that was kept elsewhere shows it.

use std::fmt;

use countersign_core::call::Digest;
use countersign_core::state::{Record, RecordKind, StateError};

use crate::chain::{self, Columns, GENESIS, Head};
use crate::prune::removed_up_to;
use crate::store::Store;
use crate::transaction::SqlTransaction;

/// A journal whose chain holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many rows there are.
    pub rows: u64,
    /// The number and the hash of the newest row.
    pub head: (i64, Digest),
    /// How many of the rows say that older ones were removed.
    pub anchors: u64,
}

/// Where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {seq} of the journal: {what}; the rows before it are as they were written")]
pub struct ChainError {
    /// The row's number.
    pub seq: i64,
    /// What is wrong with it.
    pub what: ChainFault,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFault {
    /// It does not say what it said when it was written.
    Edited,
    /// Rows before it are missing, from this number on.
    Gap(i64),
    /// It does not follow the row before it: rows were moved, replaced or added.
    Unlinked,
    /// Rows before it are missing, and no anchor row accounts for them.
    Unaccounted,
    /// It is the newest row, and there were newer ones.
    Truncated,
    /// It has another hash than the anchor says: the journal was replaced.
    NotTheAnchor,
    /// It is where the anchor was, and was removed by age or number since:
    /// nothing can be said. Take a new anchor after removing rows.
    AnchorRemoved,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("it was changed after it was written"),
            Self::Gap(from) => write!(f, "rows are missing before it, from {from} on"),
            Self::Unlinked => f.write_str("it does not follow the row before it"),
            Self::Unaccounted => f.write_str("rows are missing before it, and no anchor row accounts for them"),
            Self::Truncated => f.write_str("it is the newest, and there were newer ones"),
            Self::NotTheAnchor => f.write_str("it is not the row that the anchor names"),
            Self::AnchorRemoved => f.write_str(
                "the anchor names it, and it was removed by age or number; take a new anchor after removing rows",
            ),
        }
    }
}

/// Why a journal is not verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The chain does not hold.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The journal cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Store {
    /// Checks the whole chain.
    ///
    /// # Errors
    /// The first row where it does not hold, or why it cannot be read.
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        self.verify_with(None, &mut |_| {})
    }

    /// Checks the whole chain, and that it goes through a head that was kept
    /// elsewhere.
    ///
    /// # Errors
    /// The first row where it does not hold, or why it cannot be read.
    pub fn verify_against(&self, anchor: (i64, Digest)) -> Result<Verified, VerifyError> {
        self.verify_with(Some(anchor), &mut |_| {})
    }

    /// As [`Store::verify_against`], and tells `progress` after every row how
    /// many were checked.
    ///
    /// # Errors
    /// The first row where it does not hold, or why it cannot be read.
    pub fn verify_with(
        &self,
        anchor: Option<(i64, Digest)>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Verified, VerifyError> {
        self.view(&mut |transaction| {
            let head = transaction.head()?;
            check(transaction, head, anchor, progress)
        })?
        .map_err(VerifyError::Chain)
    }
}

/// The chain, followed row by row.
struct Follower {
    anchor: Option<Head>,
    /// What the first row says that it follows, and its number.
    first: Option<Head>,
    last: Head,
    /// What the newest anchor row says.
    removed: Option<Head>,
    rows: u64,
    anchors: u64,
}

fn check(
    transaction: &mut SqlTransaction<'_>,
    head: Head,
    anchor: Option<Head>,
    progress: &mut dyn FnMut(u64),
) -> Result<Result<Verified, ChainError>, StateError> {
    let mut follower = Follower {
        anchor,
        first: None,
        last: (0, GENESIS),
        removed: None,
        rows: 0,
        anchors: 0,
    };
    let sql = format!(
        "SELECT seq, time, prev_hash, hash, body, {} FROM journal ORDER BY seq",
        Columns::NAMES
    );
    let followed = transaction
        .connection()
        .prepare(&sql)
        .and_then(|mut statement| {
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Err(broken) = follower.follow(row)? {
                    return Ok(Err(broken));
                }
                progress(follower.rows);
            }
            Ok(Ok(()))
        });
    let followed = followed.map_err(|error| transaction.fail(error))?;
    Ok(followed.and_then(|()| follower.end(head)))
}

impl Follower {
    fn follow(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<(), ChainError>> {
        let seq: i64 = row.get(0)?;
        let broken = |what| Ok(Err(ChainError { seq, what }));
        // A value of another type than we write is a change, too.
        let Ok((previous, hash, columns, body)) = parts(row) else {
            return broken(ChainFault::Edited);
        };
        if self.first.is_none() {
            self.first = Some((seq, previous));
        } else if seq != self.last.0 + 1 {
            return broken(ChainFault::Gap(self.last.0 + 1));
        }
        if chain::hash(&previous, seq, &columns, &body) != hash {
            return broken(ChainFault::Edited);
        }
        if self.rows > 0 && previous != self.last.1 {
            return broken(ChainFault::Unlinked);
        }
        if self
            .anchor
            .is_some_and(|anchor| anchor.0 == seq && anchor.1 != hash)
        {
            return broken(ChainFault::NotTheAnchor);
        }
        if columns
            .texts
            .first()
            .is_some_and(|kind| kind.as_deref() == Some(RecordKind::Anchor.as_str()))
        {
            self.anchors += 1;
            let record: Option<Record> = serde_json::from_str(&body).ok();
            self.removed = record.as_ref().and_then(removed_up_to);
        }
        self.last = (seq, hash);
        self.rows += 1;
        Ok(Ok(()))
    }

    fn end(self, head: Head) -> Result<Verified, ChainError> {
        let broken = |seq, what| Err(ChainError { seq, what });
        let (first, follows) = self.first.unwrap_or((1, GENESIS));
        let begins = (first - 1, follows);
        if begins != (0, GENESIS) && self.removed != Some(begins) {
            return broken(first, ChainFault::Unaccounted);
        }
        if self.last != head {
            return broken(self.last.0, ChainFault::Truncated);
        }
        if let Some(anchor) = self.anchor {
            if anchor.0 > self.last.0 {
                return broken(self.last.0, ChainFault::Truncated);
            }
            if anchor.0 == begins.0 && anchor != begins {
                return broken(anchor.0, ChainFault::NotTheAnchor);
            }
            if anchor.0 < begins.0 {
                return broken(anchor.0, ChainFault::AnchorRemoved);
            }
        }
        Ok(Verified {
            rows: self.rows,
            head,
            anchors: self.anchors,
        })
    }
}

fn parts(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Digest, Digest, Columns, String)> {
    const TEXTS_FROM: usize = 5;
    let mut columns = Columns {
        time: row.get(1)?,
        texts: Default::default(),
    };
    for (index, text) in columns.texts.iter_mut().enumerate() {
        *text = row.get(TEXTS_FROM + index)?;
    }
    Ok((
        Digest(row.get(2)?),
        Digest(row.get(3)?),
        columns,
        row.get(4)?,
    ))
}
