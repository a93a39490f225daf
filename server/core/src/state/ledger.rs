//! The port through which baselines and the ledger are kept.

use camino::Utf8Path;

#[cfg(doc)]
use super::CallWrites;
use super::{CallState, StateError};
use crate::call::SessionKey;
use crate::ledger::{Author, InFlight, LedgerEntry, WorkspaceBaseline};

/// The most paths that are kept of one workspace. A workspace with more has an
/// entry that says that anything in it may have been written.
pub const MOST_ENTRIES: usize = 100_000;

/// The most entries that [`LedgerState::ledger`] returns.
pub const MOST_LEDGER_ROWS: usize = 20_000;

/// The most calls in flight that are kept, over all workspaces; beyond that
/// the oldest count as ended.
pub const MOST_IN_FLIGHT: usize = 1024;

/// The most workspaces that [`LedgerState::kin`] returns.
pub const MOST_KIN: usize = 256;

/// What the ledger holds of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPart {
    /// The entries at the folder and below it, by path.
    pub entries: Vec<LedgerEntry>,
    /// The entries of folders above it that say that anything below them may
    /// have been written.
    pub above: Vec<LedgerEntry>,
    /// Whether these are all of them.
    pub complete: bool,
}

/// Baselines and the ledger inside one transaction.
///
/// Nothing in it goes by age: an entry that is gone would be a file that an
/// agent wrote and nobody knows of.
pub trait LedgerState {
    /// What is kept of a workspace, if it was seen before.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn baseline(&mut self, workspace: &Utf8Path) -> Result<Option<WorkspaceBaseline>, StateError>;

    /// The other workspaces whose HEAD may move with this one's
    /// ([`WorkspaceBaseline::is_kin`]), the oldest baseline first; at most
    /// [`MOST_KIN`].
    ///
    /// # Errors
    /// When the state cannot be read.
    fn kin(
        &mut self,
        workspace: &Utf8Path,
        repository: Option<&Utf8Path>,
    ) -> Result<Vec<WorkspaceBaseline>, StateError>;

    /// Keeps what is known of a workspace.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn put_baseline(&mut self, baseline: &WorkspaceBaseline) -> Result<(), StateError>;

    /// The entries at a canonical path and below it, whichever workspace they
    /// are of; at most `limit` and never more than [`MOST_LEDGER_ROWS`].
    ///
    /// # Errors
    /// When the state cannot be read.
    fn ledger(&mut self, under: &Utf8Path, limit: usize) -> Result<LedgerPart, StateError>;

    /// Adds entries, each [`crate::ledger::folded`] into the one of its path.
    /// Beyond [`MOST_ENTRIES`] of the author's workspace its
    /// [`Author::overflow`] is added in their place.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn put_ledger(&mut self, by: &Author<'_>, entries: &[LedgerEntry]) -> Result<(), StateError>;

    /// Says of the entries whose last call this is that the call ran.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn confirm_ledger(&mut self, call: &str) -> Result<(), StateError>;

    /// Removes the entries at a canonical path and below it. Only for a person
    /// who vouches for everything there.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn forget_ledger(&mut self, under: &Utf8Path) -> Result<(), StateError>;

    /// The calls in flight, of all workspaces, the oldest first; at most
    /// [`MOST_IN_FLIGHT`]. Some of them may have ended unseen
    /// ([`InFlight::may_run`]).
    ///
    /// # Errors
    /// When the state cannot be read.
    fn in_flight(&mut self) -> Result<Vec<InFlight>, StateError>;

    /// A call goes into flight.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn put_in_flight(&mut self, call: &InFlight) -> Result<(), StateError>;

    /// A call ended; returns it if it was in flight.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn end_in_flight(&mut self, call: &str) -> Result<Option<InFlight>, StateError>;

    /// The open calls of all sessions that are [`CallWrites::Covered`]. Looks
    /// at every open call: not for the way of a call.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn covered_calls(&mut self) -> Result<Vec<CallState>, StateError>;

    /// The calls of a session or sub-agent that are in flight.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn in_flight_of(&mut self, key: &SessionKey) -> Result<Vec<InFlight>, StateError> {
        let mut calls = self.in_flight()?;
        calls.retain(|call| &call.key == key);
        Ok(calls)
    }
}
