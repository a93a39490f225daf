//! Baselines, the ledger and calls in flight without a file; as SQL keeps them.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::ledger::{Author, InFlight, LedgerEntry, WorkspaceBaseline, Written, folded};
use countersign_core::state::{
    CallState, CallWrites, LedgerPart, LedgerState, MOST_ENTRIES, MOST_IN_FLIGHT, MOST_KIN,
    MOST_LEDGER_ROWS, StateError,
};

use super::{MemoryTransaction, Undo};
use crate::ledger::Below;

/// By path as text, because that is how SQL orders them.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    baselines: BTreeMap<Utf8PathBuf, WorkspaceBaseline>,
    /// With the workspace that each is counted for.
    entries: BTreeMap<String, (Utf8PathBuf, LedgerEntry)>,
    sizes: BTreeMap<Utf8PathBuf, usize>,
    in_flight: BTreeMap<String, InFlight>,
}

/// How to bring back what was there.
pub(super) enum UndoLedger {
    Baseline(Utf8PathBuf, Option<WorkspaceBaseline>),
    Entry(String, Option<(Utf8PathBuf, LedgerEntry)>),
    Size(Utf8PathBuf, Option<usize>),
    InFlight(String, Option<InFlight>),
}

fn restore<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(before) => map.insert(key, before),
        None => map.remove(&key),
    };
}

impl Ledger {
    pub(super) fn undo(&mut self, undo: UndoLedger) {
        match undo {
            UndoLedger::Baseline(key, before) => restore(&mut self.baselines, key, before),
            UndoLedger::Entry(key, before) => restore(&mut self.entries, key, before),
            UndoLedger::Size(key, before) => restore(&mut self.sizes, key, before),
            UndoLedger::InFlight(key, before) => restore(&mut self.in_flight, key, before),
        }
    }

    fn paths_in(&self, under: &Utf8Path) -> Vec<String> {
        let below = Below::of(under);
        let mut paths: Vec<String> = self
            .entries
            .range(below.from..below.to)
            .map(|(path, _)| path.clone())
            .filter(|path| path != under.as_str())
            .collect();
        if self.entries.contains_key(under.as_str()) {
            paths.insert(0, under.as_str().to_owned());
        }
        paths
    }

    fn oldest_first(&self) -> Vec<InFlight> {
        let mut calls: Vec<InFlight> = self.in_flight.values().cloned().collect();
        calls.sort_by(|one, other| (one.since, &one.call).cmp(&(other.since, &other.call)));
        calls
    }
}

impl MemoryTransaction<'_> {
    fn undo_later(&mut self, undo: UndoLedger) {
        self.undo.push(Undo::Ledger(Box::new(undo)));
    }

    fn set_size(&mut self, workspace: &Utf8Path, size: usize) {
        let sizes = &mut self.state.ledger.sizes;
        let before = sizes.insert(workspace.to_owned(), size);
        self.undo_later(UndoLedger::Size(workspace.to_owned(), before));
    }

    fn size(&self, workspace: &Utf8Path) -> usize {
        let sizes = &self.state.ledger.sizes;
        sizes.get(workspace).copied().unwrap_or(0)
    }

    fn set_entry(&mut self, path: String, entry: Option<(Utf8PathBuf, LedgerEntry)>) {
        let entries = &mut self.state.ledger.entries;
        let before = match entry {
            Some(entry) => entries.insert(path.clone(), entry),
            None => entries.remove(&path),
        };
        self.undo_later(UndoLedger::Entry(path, before));
    }

    fn put_entry(&mut self, by: &Author<'_>, entry: &LedgerEntry) {
        let before = self.state.ledger.entries.get(entry.path.as_str()).cloned();
        let size = self.size(by.workspace);
        if before.is_none() && entry.path != by.workspace && size >= MOST_ENTRIES {
            return self.put_entry(by, &by.overflow(MOST_ENTRIES));
        }
        if before.is_none() {
            self.set_size(by.workspace, size + 1);
        }
        let (workspace, before) = match before {
            Some((workspace, before)) => (workspace, Some(before)),
            None => (by.workspace.to_owned(), None),
        };
        let entry = folded(before, entry.clone());
        self.set_entry(entry.path.to_string(), Some((workspace, entry)));
    }
}

impl LedgerState for MemoryTransaction<'_> {
    fn baseline(&mut self, workspace: &Utf8Path) -> Result<Option<WorkspaceBaseline>, StateError> {
        Ok(self.state.ledger.baselines.get(workspace).cloned())
    }

    fn kin(
        &mut self,
        workspace: &Utf8Path,
        repository: Option<&Utf8Path>,
    ) -> Result<Vec<WorkspaceBaseline>, StateError> {
        let all = self.state.ledger.baselines.values();
        let mut kin: Vec<WorkspaceBaseline> = all
            .filter(|other| other.workspace != workspace && other.is_kin(workspace, repository))
            .cloned()
            .collect();
        kin.sort_by(|one, other| {
            (one.since, one.workspace.as_str()).cmp(&(other.since, other.workspace.as_str()))
        });
        kin.truncate(MOST_KIN);
        Ok(kin)
    }

    fn put_baseline(&mut self, baseline: &WorkspaceBaseline) -> Result<(), StateError> {
        self.writes()?;
        let key = baseline.workspace.clone();
        let baselines = &mut self.state.ledger.baselines;
        let before = baselines.insert(key.clone(), baseline.clone());
        self.undo_later(UndoLedger::Baseline(key, before));
        Ok(())
    }

    fn ledger(&mut self, under: &Utf8Path, limit: usize) -> Result<LedgerPart, StateError> {
        let limit = limit.min(MOST_LEDGER_ROWS);
        let ledger = &self.state.ledger;
        let found = |path: &str| ledger.entries.get(path).map(|(_, entry)| entry.clone());
        let paths = ledger.paths_in(under);
        let entries = paths.iter().filter_map(|path| found(path));
        let above = under.ancestors().skip(1);
        Ok(LedgerPart {
            entries: entries.take(limit).collect(),
            above: above
                .filter_map(|folder| found(folder.as_str()))
                .filter(|entry| entry.what == Written::Unbounded)
                .collect(),
            complete: paths.len() <= limit,
        })
    }

    fn put_ledger(&mut self, by: &Author<'_>, entries: &[LedgerEntry]) -> Result<(), StateError> {
        self.writes()?;
        entries.iter().for_each(|entry| self.put_entry(by, entry));
        Ok(())
    }

    fn confirm_ledger(&mut self, call: &str) -> Result<(), StateError> {
        self.writes()?;
        let of_call: Vec<_> = self
            .state
            .ledger
            .entries
            .iter()
            .filter(|(_, (_, entry))| entry.call == call)
            .map(|(path, kept)| (path.clone(), kept.clone()))
            .collect();
        for (path, (workspace, mut entry)) in of_call {
            entry.confirmed = true;
            self.set_entry(path, Some((workspace, entry)));
        }
        Ok(())
    }

    fn forget_ledger(&mut self, under: &Utf8Path) -> Result<(), StateError> {
        self.writes()?;
        for path in self.state.ledger.paths_in(under) {
            let kept = self.state.ledger.entries.get(&path);
            if let Some(workspace) = kept.map(|(workspace, _)| workspace.clone()) {
                let size = self.size(&workspace);
                self.set_size(&workspace, size.saturating_sub(1));
            }
            self.set_entry(path, None);
        }
        Ok(())
    }

    fn in_flight(&mut self) -> Result<Vec<InFlight>, StateError> {
        Ok(self.state.ledger.oldest_first())
    }

    fn put_in_flight(&mut self, call: &InFlight) -> Result<(), StateError> {
        self.writes()?;
        let in_flight = &mut self.state.ledger.in_flight;
        let before = in_flight.insert(call.call.clone(), call.clone());
        let many = in_flight.len().saturating_sub(MOST_IN_FLIGHT);
        let undo = UndoLedger::InFlight(call.call.clone(), before);
        self.undo_later(undo);
        if many > 0 {
            for oldest in self.state.ledger.oldest_first().into_iter().take(many) {
                self.end_in_flight(&oldest.call)?;
            }
        }
        Ok(())
    }

    fn end_in_flight(&mut self, call: &str) -> Result<Option<InFlight>, StateError> {
        self.writes()?;
        let ended = self.state.ledger.in_flight.remove(call);
        if let Some(ended) = &ended {
            let undo = UndoLedger::InFlight(call.to_owned(), Some(ended.clone()));
            self.undo_later(undo);
        }
        Ok(ended)
    }

    fn covered_calls(&mut self) -> Result<Vec<CallState>, StateError> {
        let calls = self.state.calls.values().flat_map(BTreeMap::values);
        Ok(calls
            .filter(|call| matches!(call.writes, CallWrites::Covered(_)))
            .cloned()
            .collect())
    }
}
