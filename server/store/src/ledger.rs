//! Baselines, the ledger and calls in flight, in SQL.
//!
//! An entry is found by its path alone: workspaces may lie in one another, and
//! what an agent wrote from one of them was written for all.

use camino::Utf8Path;
use countersign_core::ledger::{Author, InFlight, LedgerEntry, WorkspaceBaseline, Written, folded};
use countersign_core::state::{
    CallState, CallWrites, LedgerPart, LedgerState, MOST_ENTRIES, MOST_IN_FLIGHT, MOST_KIN,
    MOST_LEDGER_ROWS, StateError,
};
use rusqlite::params;
use serde::de::DeserializeOwned;

use crate::transaction::{SqlTransaction, one};

/// What lies below a folder in the order of bytes: `from` and everything up to,
/// without, `to`.
pub(crate) struct Below {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Below {
    pub(crate) fn of(folder: &Utf8Path) -> Self {
        let folder = folder.as_str().trim_end_matches('/');
        // `0` is the byte after `/`.
        Self {
            from: format!("{folder}/"),
            to: format!("{folder}0"),
        }
    }
}

impl SqlTransaction<'_> {
    fn entry(&mut self, path: &Utf8Path) -> Result<Option<LedgerEntry>, StateError> {
        let body: Option<String> = one(
            self,
            "SELECT body FROM ledger WHERE path = ?1",
            [path.as_str()],
            |row| row.get(0),
        )?;
        body.map(|body| self.decode(&body)).transpose()
    }

    fn entries_kept(&mut self, workspace: &Utf8Path) -> Result<usize, StateError> {
        let kept: Option<i64> = one(
            self,
            "SELECT entries FROM ledger_sizes WHERE workspace = ?1",
            [workspace.as_str()],
            |row| row.get(0),
        )?;
        Ok(kept
            .and_then(|kept| usize::try_from(kept).ok())
            .unwrap_or(0))
    }

    fn put_entry(&mut self, by: &Author<'_>, entry: &LedgerEntry) -> Result<(), StateError> {
        let before = self.entry(&entry.path)?;
        let is_new = before.is_none();
        // The entry of the workspace itself always has room.
        if is_new && entry.path != by.workspace && self.entries_kept(by.workspace)? >= MOST_ENTRIES
        {
            return self.put_entry(by, &by.overflow(MOST_ENTRIES));
        }
        let entry = folded(before, entry.clone());
        let body = self.encode(&entry)?;
        if is_new {
            self.execute(
                "INSERT INTO ledger (path, workspace, call, body) VALUES (?1, ?2, ?3, ?4)",
                params![entry.path.as_str(), by.workspace.as_str(), entry.call, body],
            )?;
            self.execute(
                "INSERT INTO ledger_sizes (workspace, entries) VALUES (?1, 1)
                    ON CONFLICT (workspace) DO UPDATE SET entries = entries + 1",
                [by.workspace.as_str()],
            )?;
        } else {
            self.execute(
                "UPDATE ledger SET call = ?2, body = ?3 WHERE path = ?1",
                params![entry.path.as_str(), entry.call, body],
            )?;
        }
        Ok(())
    }

    fn decoded<T: DeserializeOwned>(&mut self, bodies: &[String]) -> Result<Vec<T>, StateError> {
        bodies.iter().map(|body| self.decode(body)).collect()
    }
}

impl LedgerState for SqlTransaction<'_> {
    fn baseline(&mut self, workspace: &Utf8Path) -> Result<Option<WorkspaceBaseline>, StateError> {
        let found = self.texts(
            "SELECT body FROM workspaces WHERE workspace = ?1",
            [workspace.as_str()],
        )?;
        found.first().map(|body| self.decode(body)).transpose()
    }

    fn kin(
        &mut self,
        workspace: &Utf8Path,
        repository: Option<&Utf8Path>,
    ) -> Result<Vec<WorkspaceBaseline>, StateError> {
        // Workspaces are few: each is a folder that a person trusted or opened.
        let below = Below::of(workspace);
        let found = self.texts(
            "SELECT body FROM workspaces WHERE workspace <> ?1 AND (repository = ?2
                OR workspace >= ?3 AND workspace < ?4
                OR substr(?1, 1, length(rtrim(workspace, '/')) + 1) = rtrim(workspace, '/') || '/')
                ORDER BY since, workspace LIMIT ?5",
            params![
                workspace.as_str(),
                repository.map(Utf8Path::as_str),
                below.from,
                below.to,
                MOST_KIN as i64
            ],
        )?;
        self.decoded(&found)
    }

    fn put_baseline(&mut self, baseline: &WorkspaceBaseline) -> Result<(), StateError> {
        let body = self.encode(baseline)?;
        self.execute(
            "INSERT OR REPLACE INTO workspaces (workspace, repository, since, body)
                VALUES (?1, ?2, ?3, ?4)",
            params![
                baseline.workspace.as_str(),
                baseline.repository.as_ref().map(|path| path.as_str()),
                baseline.since,
                body
            ],
        )?;
        Ok(())
    }

    fn ledger(&mut self, under: &Utf8Path, limit: usize) -> Result<LedgerPart, StateError> {
        let limit = limit.min(MOST_LEDGER_ROWS);
        let below = Below::of(under);
        let mut entries: Vec<LedgerEntry> = self.entry(under)?.into_iter().collect();
        // One more than wanted, to know whether there are more.
        let found = self.texts(
            "SELECT body FROM ledger WHERE path >= ?1 AND path < ?2 AND path <> ?3
                ORDER BY path LIMIT ?4",
            params![below.from, below.to, under.as_str(), limit as i64 + 1],
        )?;
        let rest: Vec<LedgerEntry> = self.decoded(&found)?;
        entries.extend(rest);
        let complete = entries.len() <= limit;
        entries.truncate(limit);
        let mut above = Vec::new();
        for folder in under.ancestors().skip(1) {
            let entry = self.entry(folder)?;
            above.extend(entry.filter(|entry| entry.what == Written::Unbounded));
        }
        Ok(LedgerPart {
            entries,
            above,
            complete,
        })
    }

    fn put_ledger(&mut self, by: &Author<'_>, entries: &[LedgerEntry]) -> Result<(), StateError> {
        entries
            .iter()
            .try_for_each(|entry| self.put_entry(by, entry))
    }

    fn confirm_ledger(&mut self, call: &str) -> Result<(), StateError> {
        let found = self.texts("SELECT body FROM ledger WHERE call = ?1", [call])?;
        for mut entry in self.decoded::<LedgerEntry>(&found)? {
            entry.confirmed = true;
            let body = self.encode(&entry)?;
            self.execute(
                "UPDATE ledger SET body = ?2 WHERE path = ?1",
                params![entry.path.as_str(), body],
            )?;
        }
        Ok(())
    }

    fn forget_ledger(&mut self, under: &Utf8Path) -> Result<(), StateError> {
        let below = Below::of(under);
        let within = params![under.as_str(), below.from, below.to];
        self.execute(
            "UPDATE ledger_sizes SET entries = entries - (SELECT count(*) FROM ledger
                WHERE ledger.workspace = ledger_sizes.workspace
                    AND (path = ?1 OR path >= ?2 AND path < ?3))",
            within,
        )?;
        self.execute(
            "DELETE FROM ledger WHERE path = ?1 OR path >= ?2 AND path < ?3",
            within,
        )?;
        Ok(())
    }

    fn in_flight(&mut self) -> Result<Vec<InFlight>, StateError> {
        let found = self.texts(
            "SELECT body FROM in_flight ORDER BY since, call LIMIT ?1",
            [MOST_IN_FLIGHT as i64],
        )?;
        self.decoded(&found)
    }

    fn put_in_flight(&mut self, call: &InFlight) -> Result<(), StateError> {
        let body = self.encode(call)?;
        self.execute(
            "INSERT OR REPLACE INTO in_flight (call, since, body) VALUES (?1, ?2, ?3)",
            params![call.call, call.since, body],
        )?;
        self.execute(
            "DELETE FROM in_flight WHERE call IN
                (SELECT call FROM in_flight ORDER BY since DESC, call DESC LIMIT -1 OFFSET ?1)",
            [MOST_IN_FLIGHT as i64],
        )?;
        Ok(())
    }

    fn end_in_flight(&mut self, call: &str) -> Result<Option<InFlight>, StateError> {
        let found = self.texts("SELECT body FROM in_flight WHERE call = ?1", [call])?;
        let Some(body) = found.first() else {
            return Ok(None);
        };
        self.execute("DELETE FROM in_flight WHERE call = ?1", [call])?;
        self.decode(body).map(Some)
    }

    fn covered_calls(&mut self) -> Result<Vec<CallState>, StateError> {
        let found = self.texts("SELECT body FROM calls ORDER BY session, id", [])?;
        let mut calls: Vec<CallState> = self.decoded(&found)?;
        calls.retain(|call| matches!(call.writes, CallWrites::Covered(_)));
        Ok(calls)
    }
}
