//! Baselines and the ledger for the process that decides many calls a second.
//!
//! Nothing of it may wait. An entry that is lost while its call runs is a file
//! that an agent wrote and nobody knows of, so it is committed before the call
//! is allowed. Calls that only read add none and wait as before; so do calls of
//! which everything is on record already, because of an earlier one. Every
//! decision reads the baseline, so that is kept in memory.

use std::collections::HashMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::ledger::{Author, InFlight, LedgerEntry, WorkspaceBaseline};
use countersign_core::state::{CallState, LedgerPart, LedgerState, StateError};

use super::cache::{Cache, Looked};
use super::noting::Noting;
use super::overlay::Overlay;
use crate::transaction::SqlTransaction;

/// How many workspaces are kept in memory.
const MOST_WORKSPACES: usize = 1024;

/// What is kept of a workspace, if it was seen before.
type Kept = Option<Arc<WorkspaceBaseline>>;

/// What is known of the ledger without asking.
#[derive(Debug, Default)]
pub(super) struct KnownLedger {
    baselines: HashMap<Utf8PathBuf, Kept>,
    /// Another one after each change.
    stamp: u64,
}

impl KnownLedger {
    /// Others may have changed it.
    pub(super) fn forget(&mut self, stamp: u64) {
        self.baselines.clear();
        self.stamp = stamp;
    }

    /// It was changed here.
    pub(super) fn follow(&mut self, baselines: Vec<WorkspaceBaseline>, stamp: u64) {
        for baseline in baselines {
            self.keep(baseline.workspace.clone(), Some(Arc::new(baseline)));
        }
        self.stamp = stamp;
    }

    /// Whether nothing was written since the stamp was taken.
    pub(super) fn is_unchanged(&self, stamp: u64) -> bool {
        self.stamp == stamp
    }

    fn keep(&mut self, workspace: Utf8PathBuf, baseline: Kept) {
        if self.baselines.len() >= MOST_WORKSPACES {
            self.baselines.clear();
        }
        self.baselines.insert(workspace, baseline);
    }
}

impl Cache {
    /// Reads of the ledger what is in the database; that is all there is.
    fn look_in_ledger<T>(
        &mut self,
        read: &mut dyn FnMut(&mut SqlTransaction<'_>) -> Result<T, StateError>,
    ) -> Result<Looked<(T, u64)>, StateError> {
        if self.is_stale() {
            return Ok(Looked::Stale);
        }
        let (version, found) = self
            .reader
            .view(&mut |sql| Ok((sql.version()?, read(sql)?)))?;
        if !self.note(version) {
            return Ok(Looked::Stale);
        }
        Ok(Looked::Found((found, self.ledger.stamp)))
    }

    fn look_at_baseline(
        &mut self,
        workspace: &Utf8Path,
    ) -> Result<Looked<(Kept, u64)>, StateError> {
        if self.is_stale() {
            return Ok(Looked::Stale);
        }
        if let Some(known) = self.ledger.baselines.get(workspace) {
            return Ok(Looked::Found((known.clone(), self.ledger.stamp)));
        }
        let looked = self.look_in_ledger(&mut |sql| sql.baseline(workspace))?;
        Ok(match looked {
            Looked::Stale => Looked::Stale,
            Looked::Found((found, stamp)) => {
                let found = found.map(Arc::new);
                self.ledger.keep(workspace.to_owned(), found.clone());
                Looked::Found((found, stamp))
            }
        })
    }
}

impl Overlay<'_> {
    /// What was found, if the ledger is still what it was at the first look.
    fn of_ledger<T>(
        &mut self,
        looked: Result<Looked<(T, u64)>, StateError>,
    ) -> Result<T, StateError> {
        let (found, stamp) = self.found(looked)?;
        // A change in between is found at the end: the first stamp stays.
        self.ledger.get_or_insert(stamp);
        Ok(found)
    }

    fn not_here<T>(&mut self) -> Result<T, StateError> {
        self.go_on()?;
        Err(self.direct())
    }

    fn write<T>(&mut self) -> Result<T, StateError> {
        self.writes()?;
        Err(self.direct())
    }
}

impl LedgerState for Overlay<'_> {
    fn baseline(&mut self, workspace: &Utf8Path) -> Result<Option<WorkspaceBaseline>, StateError> {
        self.go_on()?;
        let looked = self.shared.cache().look_at_baseline(workspace);
        Ok(self.of_ledger(looked)?.as_deref().cloned())
    }

    fn kin(
        &mut self,
        _: &Utf8Path,
        _: Option<&Utf8Path>,
    ) -> Result<Vec<WorkspaceBaseline>, StateError> {
        self.not_here()
    }

    fn put_baseline(&mut self, _: &WorkspaceBaseline) -> Result<(), StateError> {
        self.write()
    }

    fn ledger(&mut self, under: &Utf8Path, limit: usize) -> Result<LedgerPart, StateError> {
        self.go_on()?;
        let looked = self
            .shared
            .cache()
            .look_in_ledger(&mut |sql| sql.ledger(under, limit));
        self.of_ledger(looked)
    }

    fn put_ledger(&mut self, _: &Author<'_>, _: &[LedgerEntry]) -> Result<(), StateError> {
        self.write()
    }

    fn confirm_ledger(&mut self, _: &str) -> Result<(), StateError> {
        self.write()
    }

    fn forget_ledger(&mut self, _: &Utf8Path) -> Result<(), StateError> {
        self.write()
    }

    fn in_flight(&mut self) -> Result<Vec<InFlight>, StateError> {
        self.go_on()?;
        let looked = self
            .shared
            .cache()
            .look_in_ledger(&mut |sql| sql.in_flight());
        self.of_ledger(looked)
    }

    fn covered_calls(&mut self) -> Result<Vec<CallState>, StateError> {
        self.not_here()
    }

    fn put_in_flight(&mut self, _: &InFlight) -> Result<(), StateError> {
        self.write()
    }

    fn end_in_flight(&mut self, _: &str) -> Result<Option<InFlight>, StateError> {
        self.write()
    }
}

impl LedgerState for Noting<'_, '_> {
    fn baseline(&mut self, workspace: &Utf8Path) -> Result<Option<WorkspaceBaseline>, StateError> {
        self.sql.baseline(workspace)
    }

    fn kin(
        &mut self,
        workspace: &Utf8Path,
        repository: Option<&Utf8Path>,
    ) -> Result<Vec<WorkspaceBaseline>, StateError> {
        self.sql.kin(workspace, repository)
    }

    fn put_baseline(&mut self, baseline: &WorkspaceBaseline) -> Result<(), StateError> {
        self.changed.ledger = true;
        self.changed.baselines.push(baseline.clone());
        self.sql.put_baseline(baseline)
    }

    fn ledger(&mut self, under: &Utf8Path, limit: usize) -> Result<LedgerPart, StateError> {
        self.sql.ledger(under, limit)
    }

    fn put_ledger(&mut self, by: &Author<'_>, entries: &[LedgerEntry]) -> Result<(), StateError> {
        self.changed.ledger = true;
        self.sql.put_ledger(by, entries)
    }

    fn confirm_ledger(&mut self, call: &str) -> Result<(), StateError> {
        self.changed.ledger = true;
        self.sql.confirm_ledger(call)
    }

    fn forget_ledger(&mut self, under: &Utf8Path) -> Result<(), StateError> {
        self.changed.ledger = true;
        self.sql.forget_ledger(under)
    }

    fn in_flight(&mut self) -> Result<Vec<InFlight>, StateError> {
        self.sql.in_flight()
    }

    fn covered_calls(&mut self) -> Result<Vec<CallState>, StateError> {
        self.sql.covered_calls()
    }

    fn put_in_flight(&mut self, call: &InFlight) -> Result<(), StateError> {
        self.changed.ledger = true;
        self.sql.put_in_flight(call)
    }

    fn end_in_flight(&mut self, call: &str) -> Result<Option<InFlight>, StateError> {
        self.changed.ledger = true;
        self.sql.end_in_flight(call)
    }
}
