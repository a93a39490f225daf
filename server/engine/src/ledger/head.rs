//! Reading HEAD, where a call or its result may matter to the baseline.

use countersign_core::call::Call;
use countersign_core::facts::Facts;
use countersign_core::ledger::Look;
use countersign_core::policy::Policy;
use countersign_core::state::StateError;

use super::footprint;
use crate::Engine;
use crate::events::Noted;
use crate::host::Host;

impl Engine {
    /// HEAD of the workspace, to be handed over with the request for a call
    /// that may write something. Nothing guarded moved HEAD before the first of
    /// these, so calls that only read cost no look.
    #[must_use]
    pub fn head_before(
        &self,
        host: &Host,
        policy: &Policy,
        call: &Call,
        facts: &Facts,
    ) -> Option<Look> {
        if footprint(call, facts).is_nothing() {
            return None;
        }
        self.head(host, policy)
    }

    /// Looks at HEAD once more after an event that ended a call which may have
    /// written something.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn look_after(
        &self,
        noted: &Noted,
        host: &Host,
        policy: &Policy,
    ) -> Result<(), StateError> {
        let Some(workspace) = policy.workspaces.first().filter(|_| noted.landed) else {
            return Ok(());
        };
        match self.head(host, policy) {
            Some(look) => self.look(workspace, &look),
            None => Ok(()),
        }
    }

    /// HEAD of the first workspace as it is now; none where it cannot be told.
    /// A workspace without a repository gets no baseline before a call may make
    /// one, and then that is the empty tree.
    #[must_use]
    pub fn head(&self, host: &Host, policy: &Policy) -> Option<Look> {
        let workspace = policy.workspaces.first()?;
        let at = self.clock.now();
        let repository = host.repositories.discover(workspace, &policy.home).ok()??;
        let head = repository.head().ok()?;
        Some(Look {
            repository: Some(repository.common_dir().to_owned()),
            head: head.map(|head| head.to_string()),
            at,
        })
    }
}
