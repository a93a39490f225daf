//! The ledger's part in the pipeline: what a call may write is recorded in the
//! transaction that allows it, confirmed by its result, and HEAD is looked at
//! so that no commit of an agent becomes the baseline.

use camino::Utf8Path;
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_core::ledger::{
    Author, Footprint, InFlight, LedgerView, Look, Looked, WorkspaceBaseline, looked, overlap,
};
use countersign_core::state::{
    CallState, CallWrites, Millis, PlannedFootprint, ProcessId, Record, RecordKind, StateError,
    Transaction,
};

mod act;
mod footprint;
mod head;
mod records;

pub use act::Vouching;
pub use footprint::footprint;
pub(crate) use footprint::of_command;
pub(crate) use records::{Baseline, NoRecords, Own, Records};

use crate::Engine;
use crate::record;
use crate::request::Request;

/// What a call would write, with its workspace. A session without one works
/// in the home folder or in one of the system's.
pub(crate) fn planned(request: &Request<'_>) -> Box<PlannedFootprint> {
    let policy = request.policy;
    let workspace = policy.workspaces.first();
    let elsewhere = || {
        let cwd = request.facts.cwd.as_ref().unwrap_or(&request.call.cwd);
        if cwd.starts_with(&policy.home) {
            policy.home.clone()
        } else {
            "/".into()
        }
    };
    Box::new(PlannedFootprint {
        workspace: workspace.cloned().unwrap_or_else(elsewhere),
        has_baseline: workspace.is_some(),
        footprint: footprint(request.call, request.facts),
    })
}

impl Engine {
    /// Notes where HEAD is, for the workspace of a request.
    pub(crate) fn look_for(
        &self,
        transaction: &mut dyn Transaction,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<(), StateError> {
        match (request.policy.workspaces.first(), request.head) {
            (Some(workspace), Some(look)) => self.look_in(transaction, workspace, look, now),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// Notes where HEAD is. The first look at a workspace sets its baseline; a
    /// later one moves it only where nothing guarded can have moved HEAD.
    pub(crate) fn look_in(
        &self,
        transaction: &mut dyn Transaction,
        workspace: &Utf8Path,
        look: &Look,
        now: Millis,
    ) -> Result<(), StateError> {
        let mut known = transaction.baseline(workspace)?;
        if known.as_ref().is_some_and(|known| known.is_settled(look)) {
            return Ok(());
        }
        let may_run = |call: &InFlight| call.may_run(now, |process| self.processes.alive(process));
        let calls = transaction.in_flight()?;
        // While a call runs nothing settles; most looks end here.
        if known.as_ref().is_some_and(|known| known.is_at(look))
            && calls
                .iter()
                .any(|call| overlap(&call.workspace, workspace) && may_run(call))
        {
            return Ok(());
        }
        let repository = known
            .as_ref()
            .and_then(|known| known.repository.clone())
            .or_else(|| look.repository.clone());
        let mut kin = transaction.kin(workspace, repository.as_deref())?;
        let mut in_flight = false;
        for call in calls {
            if !concerns(&call.workspace, workspace, &kin) {
                continue;
            }
            if may_run(&call) {
                in_flight = true;
                continue;
            }
            expire(transaction, &call, now)?;
            known = transaction.baseline(workspace)?;
            kin = transaction.kin(workspace, repository.as_deref())?;
        }
        let comes_to = looked(workspace, known.as_ref(), &kin, look, in_flight);
        if let Looked::Noted(now) | Looked::Moved(now) = &comes_to
            && known.is_none_or(|known| known.repository != now.repository)
        {
            uncover(transaction, &kin)?;
        }
        match comes_to {
            Looked::Same => Ok(()),
            Looked::Noted(noted) => transaction.put_baseline(&noted),
            Looked::Moved(moved) => {
                transaction.put_baseline(&moved)?;
                transaction.append(&baseline_row(&moved, now))
            }
        }
    }

    /// What the ledger knows of a canonical folder and everything in it, at
    /// most `limit` entries.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn ledger(&self, under: &Utf8Path, limit: usize) -> Result<LedgerView, StateError> {
        let mut found = None;
        self.store.read(&mut |transaction| {
            let part = transaction.ledger(under, limit)?;
            let mut in_flight = transaction.in_flight()?;
            // Also one whose agent is gone: what it did is on record only once
            // it is taken off.
            in_flight.retain(|call| call.unbounded && overlap(&call.workspace, under));
            found = Some(LedgerView {
                entries: part.entries,
                above: part.above,
                in_flight,
                complete: part.complete,
            });
            Ok(())
        })?;
        found.ok_or_else(|| {
            StateError::Unreadable(
                "the ledger was not read; this is a mistake in countersign".into(),
            )
        })
    }

    /// The baseline of a canonical workspace, if it was seen before.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn baseline(&self, workspace: &Utf8Path) -> Result<Option<WorkspaceBaseline>, StateError> {
        let mut found = None;
        self.store.read(&mut |transaction| {
            found = transaction.baseline(workspace)?;
            Ok(())
        })?;
        Ok(found)
    }
}

/// Records everything that a call may write, and that it is in flight.
pub(crate) fn record(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    planned: &PlannedFootprint,
    process: Option<&ProcessId>,
    now: Millis,
) -> Result<(), StateError> {
    if planned.footprint.is_nothing() {
        state.writes = CallWrites::None;
        return Ok(());
    }
    let known = transaction.baseline(&planned.workspace)?;
    if known.is_some_and(|known| known.covers(&planned.footprint)) {
        state.writes = CallWrites::Covered(planned.workspace.clone());
        return Ok(());
    }
    let by = author(state, planned, now);
    transaction.put_ledger(&by, &planned.footprint.entries(&by))?;
    take_off(transaction, state, planned, process, now)?;
    begin_unseen(transaction, planned, now)?;
    unsettle(transaction, &planned.workspace, &planned.footprint, now)?;
    state.writes = CallWrites::Recorded(planned.footprint.digest());
    Ok(())
}

/// Records what a call may write that the agent's own prompt asks about. It
/// may run before anything more is heard of it.
pub(crate) fn hand_over(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    planned: Box<PlannedFootprint>,
    process: Option<&ProcessId>,
    now: Millis,
) -> Result<(), StateError> {
    if planned.footprint.is_nothing() {
        state.writes = CallWrites::None;
        return Ok(());
    }
    let by = author(state, &planned, now);
    let paths = Footprint {
        unbounded: None,
        ..planned.footprint.clone()
    };
    transaction.put_ledger(&by, &paths.entries(&by))?;
    take_off(transaction, state, &planned, process, now)?;
    begin_unseen(transaction, &planned, now)?;
    stir(transaction, &planned.workspace, now, None)?;
    state.writes = CallWrites::Delegated(planned);
    Ok(())
}

/// A later event of a call that is already decided: adds what it may write
/// only where that is not what it was.
pub(crate) fn join(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    request: &Request<'_>,
    now: Millis,
) -> Result<(), StateError> {
    let planned = planned(request);
    match std::mem::take(&mut state.writes) {
        CallWrites::None => record_if_allowed(transaction, state, &planned, request, now),
        CallWrites::Recorded(known) if known == planned.footprint.digest() => {
            state.writes = CallWrites::Recorded(known);
            Ok(())
        }
        CallWrites::Recorded(_) | CallWrites::Covered(_) => {
            record(transaction, state, &planned, request.process, now)
        }
        CallWrites::Delegated(known) if known == planned => {
            state.writes = CallWrites::Delegated(known);
            Ok(())
        }
        CallWrites::Delegated(mut known) => {
            known.footprint.absorb(planned.footprint);
            known.footprint = known.footprint.bounded();
            hand_over(transaction, state, known, request.process, now)
        }
        CallWrites::Asked(_) => {
            state.writes = CallWrites::Asked(planned);
            Ok(())
        }
    }
}

fn record_if_allowed(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    planned: &PlannedFootprint,
    request: &Request<'_>,
    now: Millis,
) -> Result<(), StateError> {
    match state.decision {
        Decision::Allow { .. } => record(transaction, state, planned, request.process, now),
        Decision::Ask { .. } | Decision::Denied { .. } | Decision::Block { .. } => Ok(()),
    }
}

/// The call may run, or did: what waited to be recorded is recorded.
pub(crate) fn may_run(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    process: Option<&ProcessId>,
    now: Millis,
) -> Result<(), StateError> {
    match std::mem::take(&mut state.writes) {
        CallWrites::Asked(planned) | CallWrites::Delegated(planned) => {
            record(transaction, state, &planned, process, now)
        }
        writes @ (CallWrites::None | CallWrites::Recorded(_) | CallWrites::Covered(_)) => {
            state.writes = writes;
            Ok(())
        }
    }
}

/// The call ended, or will not run. What it may have written stays on record.
pub(crate) fn end(
    transaction: &mut dyn Transaction,
    state: &mut CallState,
    ran: bool,
    now: Millis,
) -> Result<(), StateError> {
    if state.writes.is_in_flight() {
        if ran {
            transaction.confirm_ledger(&state.id)?;
        }
        land(transaction, &state.id, now)?;
    }
    state.writes = CallWrites::None;
    Ok(())
}

/// The turn of a session or sub-agent is over, and with it every call of it
/// whose result never came. What such a call may have left behind is why no
/// change of HEAD is believed after one that could do so.
pub(crate) fn end_all(
    transaction: &mut dyn Transaction,
    key: &SessionKey,
    now: Millis,
) -> Result<(), StateError> {
    for call in transaction.in_flight_of(key)? {
        land(transaction, &call.call, now)?;
    }
    Ok(())
}

/// A tool ran that nobody decided: it may have written anything.
pub(crate) fn unguarded(
    transaction: &mut dyn Transaction,
    workspace: &Utf8Path,
    key: &SessionKey,
    now: Millis,
) -> Result<(), StateError> {
    let footprint = Footprint::anything("a tool ran that was never decided");
    let by = Author {
        workspace,
        key,
        call: "unguarded",
        now,
    };
    transaction.put_ledger(&by, &footprint.entries(&by))?;
    unsettle(transaction, workspace, &footprint, now)
}

fn author<'a>(state: &'a CallState, planned: &'a PlannedFootprint, now: Millis) -> Author<'a> {
    Author {
        workspace: &planned.workspace,
        key: &state.key,
        call: &state.id,
        now,
    }
}

fn take_off(
    transaction: &mut dyn Transaction,
    state: &CallState,
    planned: &PlannedFootprint,
    process: Option<&ProcessId>,
    now: Millis,
) -> Result<(), StateError> {
    transaction.put_in_flight(&InFlight {
        call: state.id.clone(),
        key: state.key.clone(),
        workspace: planned.workspace.clone(),
        process: process.cloned(),
        since: now,
        unbounded: planned.footprint.unbounded.is_some(),
        moves_head: planned.footprint.moves_head,
    })
}

/// A workspace whose HEAD may be moved before it was looked at has no baseline:
/// what is found later is not what was there first.
fn begin_unseen(
    transaction: &mut dyn Transaction,
    planned: &PlannedFootprint,
    now: Millis,
) -> Result<(), StateError> {
    if planned.has_baseline
        && planned.footprint.moves_head
        && transaction.baseline(&planned.workspace)?.is_none()
    {
        let unseen = WorkspaceBaseline::unseen(&planned.workspace, now);
        transaction.put_baseline(&unseen)?;
    }
    Ok(())
}

fn land(transaction: &mut dyn Transaction, call: &str, now: Millis) -> Result<(), StateError> {
    match transaction.end_in_flight(call)? {
        Some(ended) => stir(transaction, &ended.workspace, now, None),
        None => Ok(()),
    }
}

/// No result ever came. If the agent's own prompt asked about it, nobody knows
/// whether it ran: then it did.
fn expire(
    transaction: &mut dyn Transaction,
    call: &InFlight,
    now: Millis,
) -> Result<(), StateError> {
    transaction.end_in_flight(&call.call)?;
    let footprint = Footprint {
        unbounded: call
            .unbounded
            .then(|| "no result came of a call that may write anything".to_owned()),
        moves_head: call.moves_head,
        ..Footprint::default()
    };
    let by = Author {
        workspace: &call.workspace,
        key: &call.key,
        call: &call.call,
        now,
    };
    if let Some(mark) = footprint.mark(&by) {
        transaction.put_ledger(&by, &[mark])?;
    }
    unsettle(transaction, &call.workspace, &footprint, now)
}

/// Whether a call of the workspace `of` may move the HEAD of another.
pub(crate) fn concerns(of: &Utf8Path, workspace: &Utf8Path, kin: &[WorkspaceBaseline]) -> bool {
    overlap(of, workspace) || kin.iter().any(|other| other.workspace == of)
}

/// The next call of these workspaces is recorded, whatever is on record: a
/// workspace does not know of it that is new or was set anew.
pub(crate) fn uncover(
    transaction: &mut dyn Transaction,
    kin: &[WorkspaceBaseline],
) -> Result<(), StateError> {
    for other in kin.iter().filter(|other| other.marked) {
        transaction.put_baseline(&WorkspaceBaseline {
            marked: false,
            ..other.clone()
        })?;
    }
    Ok(())
}

/// A call that is on record began. One that may move HEAD, or may write
/// anything, ends the belief in quiet changes.
fn unsettle(
    transaction: &mut dyn Transaction,
    workspace: &Utf8Path,
    footprint: &Footprint,
    now: Millis,
) -> Result<(), StateError> {
    let why = match &footprint.unbounded {
        Some(why) => {
            if let Some(mut own) = transaction.baseline(workspace)?
                && !own.marked
            {
                own.marked = true;
                transaction.put_baseline(&own)?;
            }
            Some(why.as_str())
        }
        None => footprint
            .moves_head
            .then_some("a call was allowed that may move HEAD"),
    };
    stir(transaction, workspace, now, why)
}

/// Puts on record, for every workspace whose HEAD it may concern, that a call
/// began or ended.
fn stir(
    transaction: &mut dyn Transaction,
    workspace: &Utf8Path,
    now: Millis,
    why: Option<&str>,
) -> Result<(), StateError> {
    let own = transaction.baseline(workspace)?;
    let repository = own.as_ref().and_then(|own| own.repository.clone());
    let kin = transaction.kin(workspace, repository.as_deref())?;
    for mut baseline in own.into_iter().chain(kin) {
        let before = baseline.clone();
        baseline.stirred(now);
        if let Some(why) = why {
            baseline.unsettled(now, why);
        }
        if baseline != before {
            transaction.put_baseline(&baseline)?;
        }
    }
    Ok(())
}

/// The row that says what the baseline is now, and why.
pub(crate) fn baseline_row(baseline: &WorkspaceBaseline, now: Millis) -> Record {
    let commit = baseline
        .commit
        .as_deref()
        .unwrap_or("the empty tree: nothing is trusted to execute");
    Record {
        workspace: Some(baseline.workspace.clone()),
        detail: Some(format!("baseline {commit} ({})", baseline.by.as_str())),
        ..record::bare(RecordKind::Trust, None, now)
    }
}
