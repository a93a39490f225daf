//! Sessions and their counters inside one transaction.
//!
//! A sub-agent has consecutive counters of its own; the totals that hold for
//! it, and to which its denials add, are those of its root session. A session
//! in an agent that another agent started begins with that agent's counters,
//! and its denials add to that agent's totals.

use countersign_core::call::SessionKey;
use countersign_core::denials::{Counters, DenialEvent, DenialLimits};
use countersign_core::state::{Millis, Nested, ProcessId, SessionState, StateError, Transaction};

use camino::Utf8Path;

use crate::engine::Processes;
use crate::nesting::nesting;

/// The session of a call, with its root if it is a sub-agent's.
pub(crate) struct Sessions {
    own: SessionState,
    root: Option<SessionState>,
    /// The session of the agent above the root's, as it was and as it is.
    outer: Option<(SessionState, SessionState)>,
    /// Whether the root session was not seen before.
    pub(crate) begins: bool,
}

impl Sessions {
    /// Loads the session of `key`, or begins it.
    pub(crate) fn open(
        transaction: &mut dyn Transaction,
        processes: &dyn Processes,
        key: &SessionKey,
        process: Option<&ProcessId>,
        workspace: Option<&Utf8Path>,
        now: Millis,
    ) -> Result<Self, StateError> {
        let root_key = key.root();
        let (root, begins) = open_root(transaction, processes, &root_key, process, workspace, now)?;
        let outer = outer_of(transaction, &root)?;
        if key.subagent.is_none() {
            return Ok(Self {
                own: root,
                root: None,
                outer,
                begins,
            });
        }
        let own = match transaction.session(key)? {
            Some(state) => SessionState { seen: now, ..state },
            None => begin(key, process, workspace, now),
        };
        Ok(Self {
            own,
            root: Some(root),
            outer,
            begins,
        })
    }

    /// The counters that hold for the call.
    pub(crate) fn counters(&self) -> Counters {
        let own = self.own.counters;
        let root = self.root.as_ref().map_or(own, |root| root.counters);
        // Of one that was reset and one that was not, the higher holds.
        let totals = match &self.outer {
            None => root,
            Some((_, outer)) => root.higher(outer.counters),
        };
        Counters {
            total_block: totals.total_block,
            total_unavailable: totals.total_unavailable,
            ..own
        }
    }

    /// Reduces an event into the session, its root, and the agent above that.
    pub(crate) fn reduce(&mut self, event: DenialEvent, limits: DenialLimits) {
        let before = self.counters();
        let after = before.reduce(event, limits);
        if let Some((_, outer)) = &mut self.outer {
            let totals = if before.total() > 0 && after.total() == 0 {
                after
            } else {
                match event {
                    DenialEvent::Block | DenialEvent::Unavailable => {
                        outer.counters.reduce(event, limits)
                    }
                    DenialEvent::ClassifierAllow
                    | DenialEvent::CapApproved
                    | DenialEvent::PersonReset => outer.counters,
                }
            };
            outer.counters.total_block = totals.total_block;
            outer.counters.total_unavailable = totals.total_unavailable;
        }
        match &mut self.root {
            None => self.own.counters = after,
            Some(root) => {
                self.own.counters = Counters {
                    total_block: 0,
                    total_unavailable: 0,
                    ..after
                };
                root.counters.total_block = after.total_block;
                root.counters.total_unavailable = after.total_unavailable;
            }
        }
    }

    /// The root session's state, which is the session itself where there is no
    /// sub-agent.
    pub(crate) fn root_mut(&mut self) -> &mut SessionState {
        self.root.as_mut().unwrap_or(&mut self.own)
    }

    /// The root session's state.
    pub(crate) fn root(&self) -> &SessionState {
        self.root.as_ref().unwrap_or(&self.own)
    }

    /// Whether exactly this process opened the root session. Unknown is no.
    pub(crate) fn opened_by(&self, process: Option<&ProcessId>) -> bool {
        process.is_some() && self.root().process.as_ref() == process
    }

    /// Another agent started the root session's agent from now on: what was
    /// counted there holds here.
    pub(crate) fn belongs_to(
        &mut self,
        transaction: &mut dyn Transaction,
        nested: Nested,
    ) -> Result<(), StateError> {
        let root = self.root_mut();
        begin_below(transaction, root, nested)?;
        self.outer = outer_of(transaction, self.root())?;
        Ok(())
    }

    /// Writes all of them back.
    pub(crate) fn save(&self, transaction: &mut dyn Transaction) -> Result<(), StateError> {
        transaction.put_session(&self.own)?;
        if let Some(root) = &self.root {
            transaction.put_session(root)?;
        }
        match &self.outer {
            Some((before, outer)) if before != outer => transaction.put_session(outer),
            Some(_) | None => Ok(()),
        }
    }
}

/// The session of the agent above this one's, as it is; twice, to see later
/// whether it changed.
fn outer_of(
    transaction: &mut dyn Transaction,
    root: &SessionState,
) -> Result<Option<(SessionState, SessionState)>, StateError> {
    let nested = root.nested.as_ref();
    let Some(outer) = nested.and_then(|nested| nested.outer.as_ref()) else {
        return Ok(None);
    };
    // Nobody is above itself, whatever the state says.
    if *outer == root.key {
        return Ok(None);
    }
    let outer = transaction.session(outer)?;
    Ok(outer.map(|outer| (outer.clone(), outer)))
}

/// A session begins, or goes on, below another agent, with the higher of each
/// count: of all sessions of that agent, so that none of them hides an armed
/// cap.
fn begin_below(
    transaction: &mut dyn Transaction,
    state: &mut SessionState,
    nested: Nested,
) -> Result<(), StateError> {
    if let Some(outer) = &nested.outer
        && let Some(outer) = transaction.session(outer)?
    {
        state.counters = state.counters.higher(outer.counters);
        if let Some(process) = &outer.process {
            for session in transaction.sessions_of(outer.key.agent, process)? {
                state.counters = state.counters.higher(session.counters);
            }
        }
    }
    state.nested = Some(nested);
    Ok(())
}

fn open_root(
    transaction: &mut dyn Transaction,
    processes: &dyn Processes,
    key: &SessionKey,
    process: Option<&ProcessId>,
    workspace: Option<&Utf8Path>,
    now: Millis,
) -> Result<(SessionState, bool), StateError> {
    if let Some(mut state) = transaction.session(key)? {
        state.seen = now;
        // The process that opened the session keeps it: one that comes later
        // under the same id gets no authority over it.
        return Ok((state, false));
    }
    let mut state = begin(key, process, workspace, now);
    // A new id from the same process is the same agent going on: beginning a
    // session is none of the events that reset counters. Of several sessions
    // the higher count holds, so that none of them hides an armed cap.
    if let Some(process) = process {
        for earlier in transaction.sessions_of(key.agent, process)? {
            state.counters = state.counters.higher(earlier.counters);
            // And so it stays with its server: a later one gets no new start.
            if state.server.is_none() {
                state.server.clone_from(&earlier.server);
                state.server_process.clone_from(&earlier.server_process);
            }
            if state.nested.is_none() {
                state.nested.clone_from(&earlier.nested);
            }
        }
        let nested = match state.nested.take() {
            Some(nested) => Some(nested),
            None => nesting(processes, transaction, process)?,
        };
        if let Some(nested) = nested {
            begin_below(transaction, &mut state, nested)?;
        }
    }
    Ok((state, true))
}

fn begin(
    key: &SessionKey,
    process: Option<&ProcessId>,
    workspace: Option<&Utf8Path>,
    now: Millis,
) -> SessionState {
    SessionState {
        key: key.clone(),
        counters: Counters::default(),
        process: process.cloned(),
        workspace: workspace.map(Utf8Path::to_owned),
        started: now,
        seen: now,
        ended: false,
        holds_rules: false,
        chosen: None,
        server: None,
        server_process: None,
        nested: None,
    }
}
