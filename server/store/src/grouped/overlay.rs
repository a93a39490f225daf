//! A transition over what is in memory: it reads as if it were alone, and its
//! writes are kept aside until it turns out that nobody was in the way.

use std::sync::Arc;

use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::state::{
    CallState, CallStatus, ProcessId, Record, SessionState, SetAside, StateError, Transaction,
};

use super::Shared;
use super::batch::{CallWrite, SessionWrites};
use super::cache::{GROUP, Looked, Rules};
use super::deferrable;
use crate::row::Row;
use crate::transaction::{OPEN_CALLS, OPEN_FOR};

/// What becomes of a transition.
pub(super) enum Outcome {
    /// It is over, with what it returned.
    Over(Result<(), StateError>),
    /// Somebody was in the way: from the start.
    Again,
    /// Too much waits to be written: that first, then from the start.
    Full,
    /// It must run in the database.
    Direct,
}

/// What the transition sees of a session.
struct View {
    key: SessionKey,
    /// What it was read as.
    stamp: u64,
    session: Option<Arc<SessionState>>,
    calls: Arc<Vec<Arc<CallState>>>,
    writes: SessionWrites,
}

/// One transition.
pub(super) struct Overlay<'a> {
    pub(super) shared: &'a Shared,
    writable: bool,
    views: Vec<View>,
    rules: Option<Rules>,
    /// The ledger's stamp, if anything of it was read.
    pub(super) ledger: Option<u64>,
    rows: Vec<Row>,
    /// Why the work goes on in vain, if it does.
    stopped: Option<Stopped>,
}

#[derive(Clone)]
enum Stopped {
    Stale,
    Direct,
    Failed(StateError),
}

impl<'a> Overlay<'a> {
    pub(super) fn new(shared: &'a Shared, writable: bool) -> Self {
        Self {
            shared,
            writable,
            views: Vec::new(),
            rules: None,
            ledger: None,
            rows: Vec::new(),
            stopped: None,
        }
    }

    /// Ends the transition: if what it saw still holds, its result does.
    pub(super) fn finish(self, result: Result<(), StateError>) -> Result<Outcome, StateError> {
        match self.stopped {
            None => {}
            Some(Stopped::Stale) => return Ok(Outcome::Again),
            Some(Stopped::Direct) => return Ok(Outcome::Direct),
            Some(Stopped::Failed(error)) => return Ok(Outcome::Over(Err(error))),
        }
        let mut cache = self.shared.cache();
        if self.writable {
            cache.refuse_if_unwritable()?;
        }
        let holds = cache.holds()?
            && self
                .views
                .iter()
                .all(|view| cache.is_unchanged(&view.key, view.stamp))
            && self
                .rules
                .as_ref()
                .is_none_or(|rules| cache.are_rules_unchanged(rules.stamp))
            && self
                .ledger
                .is_none_or(|stamp| cache.ledger.is_unchanged(stamp));
        if !holds {
            return Ok(Outcome::Again);
        }
        let changes_nothing = self.rows.is_empty() && self.views.iter().all(|view| !view.changed());
        if result.is_err() || changes_nothing {
            return Ok(Outcome::Over(result));
        }
        if !cache.has_room() {
            return Ok(Outcome::Full);
        }
        let mut writes = Vec::with_capacity(self.views.len());
        for view in self.views {
            if view.changed() {
                cache.change(&view.key, view.session, view.calls);
                writes.push((view.key, view.writes));
            }
        }
        cache.push(writes, self.rows);
        let waiting = cache.waiting.transitions();
        drop(cache);
        if waiting == 1 || waiting == GROUP {
            self.shared.wake.notify_one();
        }
        Ok(Outcome::Over(result))
    }

    /// The error with which the work is told to stop. Nobody sees it but the
    /// work: why it was stopped decides what becomes of it.
    fn stop(&mut self, why: Stopped) -> StateError {
        match self.stopped.get_or_insert(why) {
            Stopped::Failed(error) => error.clone(),
            Stopped::Stale | Stopped::Direct => {
                StateError::Unwritable("the transition is run again".to_owned())
            }
        }
    }

    pub(super) fn go_on(&mut self) -> Result<(), StateError> {
        match self.stopped.clone() {
            None => Ok(()),
            Some(why) => Err(self.stop(why)),
        }
    }

    pub(super) fn writes(&mut self) -> Result<(), StateError> {
        self.go_on()?;
        if self.writable {
            return Ok(());
        }
        Err(self.stop(Stopped::Failed(StateError::Unwritable(
            "the state was opened to be read here; this is a mistake in countersign".to_owned(),
        ))))
    }

    /// What was looked up, or the error with which the work stops.
    pub(super) fn found<T>(
        &mut self,
        looked: Result<Looked<T>, StateError>,
    ) -> Result<T, StateError> {
        match looked {
            Ok(Looked::Found(found)) => Ok(found),
            Ok(Looked::Stale) => Err(self.stop(Stopped::Stale)),
            Err(error) => Err(self.stop(Stopped::Failed(error))),
        }
    }

    fn view(&mut self, key: &SessionKey) -> Result<&mut View, StateError> {
        self.go_on()?;
        let position = match self.views.iter().position(|view| &view.key == key) {
            Some(position) => position,
            None => {
                let looked = self.shared.cache().look(key);
                let entry = self.found(looked)?;
                self.views.push(View {
                    key: key.clone(),
                    stamp: entry.stamp,
                    session: entry.session,
                    calls: entry.calls,
                    writes: SessionWrites::default(),
                });
                self.views.len() - 1
            }
        };
        self.views.get_mut(position).ok_or_else(|| {
            StateError::Unreadable("a session is lost; this is a mistake in countersign".to_owned())
        })
    }

    pub(super) fn direct(&mut self) -> StateError {
        self.stop(Stopped::Direct)
    }
}

impl View {
    fn changed(&self) -> bool {
        self.writes.session.is_some() || !self.writes.calls.is_empty()
    }

    /// Writes the call as the database would, and says whether that may wait.
    fn put_call(&mut self, state: &CallState) -> bool {
        let position = self.calls.iter().position(|call| call.id == state.id);
        let before = position.and_then(|position| self.calls.get(position));
        if !deferrable::call_may_wait(before.map(AsRef::as_ref), state) {
            return false;
        }
        let created = before.is_none();
        let calls = Arc::make_mut(&mut self.calls);
        if let Some(position) = position {
            calls.remove(position);
        }
        if state.status == CallStatus::Finished {
            if !created {
                self.remember(state.id.clone(), false, None);
            }
            return true;
        }
        let state = Arc::new(state.clone());
        let newest = (state.decided, state.id.as_str());
        let place = calls.partition_point(|call| (call.decided, call.id.as_str()) > newest);
        calls.insert(place, Arc::clone(&state));
        let oldest = state.decided.saturating_sub(OPEN_FOR);
        let mut gone = calls.split_off(calls.len().min(OPEN_CALLS));
        gone.extend(calls.extract_if(.., |call| call.decided < oldest));
        self.remember(state.id.clone(), created, Some(state));
        let may_go = gone.iter().all(|call| deferrable::call_may_go(call));
        for call in gone {
            self.remember(call.id.clone(), false, None);
        }
        may_go
    }

    fn remember(&mut self, id: String, created: bool, state: Option<Arc<CallState>>) {
        self.writes.absorb(SessionWrites {
            session: None,
            calls: [(id, CallWrite { created, state })].into(),
        });
    }
}

impl Transaction for Overlay<'_> {
    fn session(&mut self, key: &SessionKey) -> Result<Option<SessionState>, StateError> {
        Ok(self.view(key)?.session.as_deref().cloned())
    }

    fn sessions_of(&mut self, _: Agent, _: &ProcessId) -> Result<Vec<SessionState>, StateError> {
        // Asked when a session begins, which is committed at once anyway.
        Err(self.direct())
    }

    fn recent_sessions(&mut self, _: usize) -> Result<Vec<SessionState>, StateError> {
        Err(self.direct())
    }

    fn put_session(&mut self, state: &SessionState) -> Result<(), StateError> {
        self.writes()?;
        let view = self.view(&state.key)?;
        if !deferrable::session_may_wait(view.session.as_deref(), state) {
            return Err(self.direct());
        }
        let state = Arc::new(state.clone());
        view.writes.session = Some(Arc::clone(&state));
        view.session = Some(state);
        Ok(())
    }

    fn open_calls(&mut self, key: &SessionKey) -> Result<Vec<CallState>, StateError> {
        let calls = &self.view(key)?.calls;
        Ok(calls.iter().map(|call| call.as_ref().clone()).collect())
    }

    fn find_open_call(
        &mut self,
        key: &SessionKey,
        wanted: &dyn Fn(&CallState) -> bool,
    ) -> Result<Option<CallState>, StateError> {
        let calls = &self.view(key)?.calls;
        let found = calls.iter().find(|call| wanted(call));
        Ok(found.map(|call| call.as_ref().clone()))
    }

    fn put_call(&mut self, state: &CallState) -> Result<(), StateError> {
        self.writes()?;
        if self.view(&state.key)?.put_call(state) {
            return Ok(());
        }
        Err(self.direct())
    }

    fn set_aside(&mut self) -> Result<Vec<SetAside>, StateError> {
        self.go_on()?;
        if self.rules.is_none() {
            let looked = self.shared.cache().look_at_rules();
            self.rules = Some(self.found(looked)?);
        }
        let rules = self.rules.as_ref();
        Ok(rules
            .map(|rules| rules.entries.as_ref().clone())
            .unwrap_or_default())
    }

    fn put_set_aside(&mut self, _: &SetAside) -> Result<(), StateError> {
        self.writes()?;
        Err(self.direct())
    }

    fn append(&mut self, record: &Record) -> Result<(), StateError> {
        self.writes()?;
        if !deferrable::row_may_wait(record) {
            return Err(self.direct());
        }
        match Row::of(record) {
            Ok(row) => {
                self.rows.push(row);
                Ok(())
            }
            // In the database it fails with all that is to be said about it.
            Err(_) => Err(self.direct()),
        }
    }
}
