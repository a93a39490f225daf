//! Whose a session is: a person's, or another agent's that started this one.
//!
//! An agent may run another agent, or a program that speaks like one. What is
//! typed there was typed by the agent above, and what is denied there was denied
//! to it: else every agent could be its own user, and try what passes with
//! counters that are always new.

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::state::{Nested, ProcessId, SessionState, StateError, Transaction};

use crate::Engine;
use crate::engine::Processes;

/// What stands above a process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Above {
    /// The agents, the nearest first.
    pub agents: Vec<AgentAbove>,
    /// Whether everything above was seen.
    pub is_whole: bool,
}

/// An agent above a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAbove {
    /// Its process.
    pub process: ProcessId,
    /// Whether it may be no more than what starts the agent below it: then it
    /// is an agent of its own only if it has sessions of its own.
    pub may_be_launcher: bool,
}

impl Engine {
    /// Whether an event of this process belongs to a session that another agent
    /// started, with `session` as the state knows it (none: it begins with the
    /// event). What cannot be known is so.
    #[must_use]
    pub fn nested(
        &self,
        session: Option<&SessionState>,
        process: Option<&ProcessId>,
    ) -> Option<Nested> {
        if let Some(nested) = session.and_then(|session| session.nested.as_ref()) {
            return Some(nested.clone());
        }
        let process = process?;
        if session.is_some_and(|session| !self.is_orphaned(session, process)) {
            return None;
        }
        let mut found = None;
        let read = self.store.read(&mut |transaction| {
            found = nesting(&*self.processes, transaction, process)?;
            Ok(())
        });
        match read {
            Ok(()) => found,
            Err(_) => Some(Nested { outer: None }),
        }
    }

    /// Whether the agent of a session is gone, so that this process, being
    /// another one, would take it up.
    pub(crate) fn is_orphaned(&self, session: &SessionState, process: &ProcessId) -> bool {
        match &session.process {
            None => true,
            Some(opener) => opener != process && !self.processes.alive(opener),
        }
    }
}

/// Who started the agent of this process, if that was another agent.
pub(crate) fn nesting(
    processes: &dyn Processes,
    transaction: &mut dyn Transaction,
    process: &ProcessId,
) -> Result<Option<Nested>, StateError> {
    let above = processes.above(process);
    let mut is_nested = !above.is_whole;
    for agent in &above.agents {
        if let Some(session) = last_session(transaction, &agent.process)? {
            return Ok(Some(Nested {
                outer: Some(outermost(session)),
            }));
        }
        is_nested |= !agent.may_be_launcher;
    }
    Ok(is_nested.then_some(Nested { outer: None }))
}

/// The session of a process that was seen last, under whichever agent's name.
fn last_session(
    transaction: &mut dyn Transaction,
    process: &ProcessId,
) -> Result<Option<SessionState>, StateError> {
    let mut last: Option<SessionState> = None;
    for agent in Agent::ALL {
        for session in transaction.sessions_of(agent, process)? {
            if last.as_ref().is_none_or(|last| last.seen < session.seen) {
                last = Some(session);
            }
        }
    }
    Ok(last)
}

/// Whoever started that agent, started what it started.
fn outermost(session: SessionState) -> SessionKey {
    match session.nested {
        Some(Nested { outer: Some(outer) }) => outer,
        Some(Nested { outer: None }) | None => session.key,
    }
}
