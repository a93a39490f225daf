//! What user hooks need of the engine: an ask that was put to them first goes
//! on to the agent's own prompt, and what went wrong with them is on record.
//! Their answers go through [`Engine::resolve`], as everybody's.

use countersign_core::call::{Call, SessionKey};
use countersign_core::state::{
    CallEvent, CallStatus, CallWrites, ProcessId, Record, RecordKind, StateError,
};

use crate::Engine;
use crate::ledger;
use crate::record;
use crate::session::Sessions;

impl Engine {
    /// Whether an event of a call belongs to an ask that the agent's own prompt
    /// was given already: nobody else is asked about it once more.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn is_with_agent(&self, call: &Call, event: CallEvent) -> Result<bool, StateError> {
        let digest = call.digest();
        let mut is_with_agent = false;
        self.store.transition(&mut |transaction| {
            is_with_agent = transaction.open_calls(&call.key)?.iter().any(|state| {
                state.status == CallStatus::Delegated
                    && state.digest == digest
                    && !state.events.contains(&event)
            });
            Ok(())
        })?;
        Ok(is_with_agent)
    }

    /// Gives an ask that nobody answered to the agent's own prompt, as if it
    /// had gone there at once. Nothing happens to one that is not open.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn hand_to_agent(
        &self,
        key: &SessionKey,
        call: &str,
        process: Option<&ProcessId>,
    ) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            let open = transaction
                .open_calls(key)?
                .into_iter()
                .find(|state| state.id == call && state.status == CallStatus::Pending);
            let Some(mut state) = open else {
                return Ok(());
            };
            let sessions = Sessions::open(transaction, &*self.processes, key, None, None, now)?;
            let planned = match std::mem::take(&mut state.writes) {
                CallWrites::Asked(planned) => Some(planned),
                other => {
                    state.writes = other;
                    None
                }
            };
            if sessions.opened_by(process) {
                state.status = CallStatus::Delegated;
                state.delegated_to = process.cloned();
                if let Some(planned) = planned {
                    ledger::hand_over(transaction, &mut state, planned, process, now)?;
                }
            } else if let Some(planned) = planned {
                // What comes of the prompt is not believed: as if it ran.
                ledger::record(transaction, &mut state, &planned, process, now)?;
            }
            transaction.put_call(&state)?;
            sessions.save(transaction)
        })
    }

    /// Puts on record what went wrong with a user hook, or what one told the
    /// person.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn hook_problem(
        &self,
        key: Option<&SessionKey>,
        call: Option<&str>,
        what: &str,
    ) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            transaction.append(&Record {
                call: call.map(str::to_owned),
                detail: Some(what.to_owned()),
                source: Some("hook".to_owned()),
                ..record::bare(RecordKind::Problem, key, now)
            })
        })
    }
}
