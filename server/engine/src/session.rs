//! Sessions and their counters inside one transaction.
//!
//! A sub-agent has consecutive counters of its own; the totals that hold for
//! it, and to which its denials add, are those of its root session.

use countersign_core::call::SessionKey;
use countersign_core::denials::{Counters, DenialEvent, DenialLimits};
use countersign_core::state::{Millis, ProcessId, SessionState, StateError, Transaction};

use camino::Utf8Path;

/// The session of a call, with its root if it is a sub-agent's.
pub(crate) struct Sessions {
    own: SessionState,
    root: Option<SessionState>,
    /// Whether the root session was not seen before.
    pub(crate) begins: bool,
}

impl Sessions {
    /// Loads the session of `key`, or begins it.
    pub(crate) fn open(
        transaction: &mut dyn Transaction,
        key: &SessionKey,
        process: Option<&ProcessId>,
        workspace: Option<&Utf8Path>,
        now: Millis,
    ) -> Result<Self, StateError> {
        let root_key = key.root();
        let (root, begins) = open_root(transaction, &root_key, process, workspace, now)?;
        if key.subagent.is_none() {
            return Ok(Self {
                own: root,
                root: None,
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
            begins,
        })
    }

    /// The counters that hold for the call.
    pub(crate) fn counters(&self) -> Counters {
        match &self.root {
            None => self.own.counters,
            Some(root) => Counters {
                total_block: root.counters.total_block,
                total_unavailable: root.counters.total_unavailable,
                ..self.own.counters
            },
        }
    }

    /// Reduces an event into the session and its root.
    pub(crate) fn reduce(&mut self, event: DenialEvent, limits: DenialLimits) {
        let after = self.counters().reduce(event, limits);
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

    /// Writes both back.
    pub(crate) fn save(&self, transaction: &mut dyn Transaction) -> Result<(), StateError> {
        transaction.put_session(&self.own)?;
        match &self.root {
            Some(root) => transaction.put_session(root),
            None => Ok(()),
        }
    }
}

fn open_root(
    transaction: &mut dyn Transaction,
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
    }
}
