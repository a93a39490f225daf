//! Looks at HEAD outside of a decision, and the act of a person that sets a
//! baseline.

use camino::Utf8Path;
use countersign_core::approval::AnswerSource;
use countersign_core::call::SessionKey;
use countersign_core::ledger::{IN_FLIGHT_FOR, Look, WorkspaceBaseline};
use countersign_core::state::{CallWrites, Millis, Record, StateError, Transaction};

use super::{baseline_row, concerns, uncover};
use crate::Engine;

/// What a person's baseline says about the files in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouching {
    /// Only the commit is trusted. What agents may have written stays on
    /// record, and counts where it differs from the commit.
    Commit,
    /// The work tree was looked at and holds nothing but the commit, ignored
    /// and untracked files included: the ledger of the workspace starts anew,
    /// unless a call is in flight that may write anything.
    WorkTree,
}

impl Engine {
    /// Notes where HEAD is. Called after each result of a tool, so that what
    /// moved while the call ran is told from what a person does after it.
    ///
    /// A look that is left out is no danger: until there is one, no change of
    /// HEAD counts as quiet.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn look(&self, workspace: &Utf8Path, look: &Look) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store
            .transition(&mut |transaction| self.look_in(transaction, workspace, look, now))
    }

    /// A person sets the baseline of a workspace to HEAD as it was found, and
    /// so ends what kept it from following quiet changes.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn person_sets_baseline(
        &self,
        key: Option<&SessionKey>,
        workspace: &Utf8Path,
        look: &Look,
        vouching: Vouching,
        source: AnswerSource,
    ) -> Result<WorkspaceBaseline, StateError> {
        let now = self.clock.now();
        let mut set = WorkspaceBaseline::set_by_person(workspace, look, now);
        self.store.transition(&mut |transaction| {
            set = WorkspaceBaseline::set_by_person(workspace, look, now);
            let known = transaction.baseline(workspace)?;
            set.active = known.as_ref().map_or(0, |known| known.active);
            let kin = transaction.kin(workspace, look.repository.as_deref())?;
            uncover(transaction, &kin)?;
            if self.may_move_head(transaction, workspace, &kin, now)? {
                set.unsettled(now, "a call that may move HEAD was in flight");
            } else if vouching == Vouching::WorkTree {
                transaction.forget_ledger(workspace)?;
            }
            transaction.put_baseline(&set)?;
            transaction.append(&Record {
                key: key.cloned(),
                source: Some(source.to_string()),
                ..baseline_row(&set, now)
            })
        })?;
        Ok(set)
    }

    /// Whether a call is in flight that may move HEAD or write anything.
    fn may_move_head(
        &self,
        transaction: &mut dyn Transaction,
        workspace: &Utf8Path,
        kin: &[WorkspaceBaseline],
        now: Millis,
    ) -> Result<bool, StateError> {
        let on_record = transaction.in_flight()?.into_iter().any(|call| {
            (call.unbounded || call.moves_head)
                && concerns(&call.workspace, workspace, kin)
                && call.may_run(now, |process| self.processes.alive(process))
        });
        let covered = transaction.covered_calls()?.into_iter().any(|call| {
            matches!(&call.writes, CallWrites::Covered(of) if concerns(of, workspace, kin))
                && now.saturating_sub(call.decided) < IN_FLIGHT_FOR
        });
        Ok(on_record || covered)
    }
}
