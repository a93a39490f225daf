//! Events of an agent that need no decision: results, denials by the agent
//! itself, messages, session starts and ends. They have authority only from
//! the process tree of the agent that opened the session; all others are
//! written down and change nothing.

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::denials::DenialLimits;
use countersign_core::state::{
    CallStatus, Millis, ProcessId, Record, RecordKind, StateError, Transaction,
};
use countersign_core::tool::ToolFamily;

use crate::Engine;
use crate::apply;
use crate::join;
use crate::ledger;
use crate::observer::Resolution;
use crate::record;
use crate::session::Sessions;

/// An event of an agent that is no call.
#[derive(Debug, Clone, Copy)]
pub enum AgentEvent<'a> {
    /// A tool ran; perhaps it failed.
    Result {
        /// The call, as the agent reports it.
        call: &'a Call,
        /// Whether the tool failed.
        failed: bool,
    },
    /// The agent denied a call by itself.
    AgentDenied {
        /// The call, as the agent reports it.
        call: &'a Call,
    },
    /// A person's message reached the agent.
    UserMessage,
    /// The agent's turn ended.
    TurnEnd,
    /// The session began or goes on.
    SessionStart,
    /// The session ended.
    SessionEnd,
}

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Noted {
    /// Asks that the event resolved.
    pub resolved: Vec<Resolution>,
    /// A tool ran that nobody decided: the hook is not asked for every call.
    pub unguarded: bool,
    /// A call ended that was on record as in flight: HEAD is to be looked at.
    pub landed: bool,
    /// The event had no authority.
    pub ignored: bool,
    /// It belongs to a session that another agent started: what is said there,
    /// no person said.
    pub nested: bool,
}

impl Engine {
    /// Takes note of an event.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn note(
        &self,
        key: &SessionKey,
        event: AgentEvent<'_>,
        process: Option<&ProcessId>,
        limits: DenialLimits,
    ) -> Result<Noted, StateError> {
        let now = self.clock.now();
        let mut noted = Noted::default();
        self.store.transition(&mut |transaction| {
            noted = self.note_in(transaction, key, event, process, limits, now)?;
            Ok(())
        })?;
        for resolution in &noted.resolved {
            self.tell_resolved(resolution);
        }
        self.tell_noted(&noted);
        if noted.unguarded {
            tracing::error!(
                "unguarded: {key} ran a tool that was never decided; check with `countersign doctor`"
            );
        }
        Ok(noted)
    }

    /// Puts on record that an agent's message about a call was not understood,
    /// and so the call was blocked. Nobody knows its session.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn refused(&self, from: &str, why: &str) -> Result<(), StateError> {
        let now = self.clock.now();
        self.store.transition(&mut |transaction| {
            let decision = Decision::Block {
                reason: BlockReason::InvalidCall,
                detail: format!("{from}: {why}"),
            };
            transaction.append(&Record {
                decision: Some(decision.verb().to_owned()),
                reason: Some(decision.reason().to_owned()),
                detail: Some(decision.detail().to_owned()),
                ..record::bare(RecordKind::Decision, None, now)
            })
        })
    }

    fn note_in(
        &self,
        transaction: &mut dyn Transaction,
        key: &SessionKey,
        event: AgentEvent<'_>,
        process: Option<&ProcessId>,
        limits: DenialLimits,
        now: Millis,
    ) -> Result<Noted, StateError> {
        let mut sessions = Sessions::open(transaction, &*self.processes, key, process, None, now)?;
        let mut noted = Noted {
            nested: sessions.root().nested.is_some(),
            ..Noted::default()
        };
        if !self.trusts(&sessions, process) {
            noted.ignored = true;
            transaction.append(&Record {
                reason: Some(name(event).to_owned()),
                detail: Some(
                    "not from the process tree of the agent that opened the session".to_owned(),
                ),
                ..record::bare(RecordKind::Ignored, Some(key), now)
            })?;
            return Ok(noted);
        }
        match event {
            AgentEvent::Result { call, failed } => {
                result(
                    transaction,
                    &mut sessions,
                    &mut noted,
                    call,
                    failed,
                    limits,
                    now,
                )?;
            }
            AgentEvent::AgentDenied { call } => {
                let open = transaction.open_calls(key)?;
                let found = join::result_of(open, call, call.digest());
                if let Some(mut state) = found {
                    if state.status != CallStatus::Delegated {
                        // Allowed here, refused there: it will not run.
                        if state.writes.is_in_flight() {
                            ledger::end(transaction, &mut state, false, now)?;
                            transaction.put_call(&state)?;
                        }
                        sessions.save(transaction)?;
                        return Ok(noted);
                    }
                    let answer = Answer::Cancel {
                        message: Some("the agent's own permission system said no".to_owned()),
                    };
                    noted.resolved.push(crate::resolve::settle(
                        transaction,
                        &mut sessions,
                        &mut state,
                        &answer,
                        AnswerSource::Agent,
                        limits,
                        now,
                    )?);
                }
            }
            AgentEvent::UserMessage | AgentEvent::TurnEnd => {
                abort_delegated(transaction, &mut sessions, &mut noted, key, limits, now)?;
                if matches!(event, AgentEvent::UserMessage) {
                    transaction.append(&record::bare(RecordKind::UserMessage, Some(key), now))?;
                } else {
                    ledger::end_all(transaction, key, now)?;
                }
            }
            AgentEvent::SessionStart => {
                sessions.root_mut().ended = false;
                transaction.append(&record::bare(RecordKind::SessionStart, Some(key), now))?;
            }
            AgentEvent::SessionEnd => {
                abort_delegated(transaction, &mut sessions, &mut noted, key, limits, now)?;
                ledger::end_all(transaction, key, now)?;
                sessions.root_mut().ended = true;
                apply::hold_rules(transaction, &mut sessions, &[], now)?;
                transaction.append(&record::bare(RecordKind::SessionEnd, Some(key), now))?;
            }
        }
        sessions.save(transaction)?;
        Ok(noted)
    }
}

/// A tool ran: that resolves a delegated ask of exactly this call. A result
/// without a decision, or against one, is an alarm.
fn result(
    transaction: &mut dyn Transaction,
    sessions: &mut Sessions,
    noted: &mut Noted,
    call: &Call,
    failed: bool,
    limits: DenialLimits,
    now: Millis,
) -> Result<(), StateError> {
    if call
        .operations
        .iter()
        .all(|operation| operation.tool.family() == ToolFamily::Interaction)
    {
        return Ok(());
    }
    let open = transaction.open_calls(&call.key)?;
    let Some(mut state) = join::result_of(open, call, call.digest()) else {
        noted.unguarded = true;
        if may_write(call) {
            let workspace = sessions.root().workspace.clone();
            let workspace = workspace.as_ref().unwrap_or(&call.cwd);
            ledger::unguarded(transaction, workspace, &call.key, now)?;
        }
        return transaction.append(&Record {
            agent_call: call.id.clone(),
            tool: Some(apply::tool(call).to_string()),
            subject: Some(record::subject(call)),
            detail: Some("a tool ran without a decision that let it".to_owned()),
            ..record::bare(RecordKind::Unguarded, Some(&call.key), now)
        });
    };
    noted.landed = state.writes.is_in_flight();
    if state.status == CallStatus::Delegated && state.digest == call.digest() {
        // A failure may be the agent's word for a refused or interrupted
        // prompt: only a tool that ran is a yes.
        let answer = if failed {
            // It may have run all the same, and written something.
            let process = sessions.root().process.clone();
            ledger::may_run(transaction, &mut state, process.as_ref(), now)?;
            Answer::Aborted
        } else {
            Answer::ProceedOnce
        };
        noted.resolved.push(crate::resolve::settle(
            transaction,
            sessions,
            &mut state,
            &answer,
            AnswerSource::Agent,
            limits,
            now,
        )?);
    } else {
        state.status = CallStatus::Finished;
        ledger::end(transaction, &mut state, !failed, now)?;
        transaction.put_call(&state)?;
    }
    transaction.append(&Record {
        call: Some(state.id.clone()),
        agent_call: call.id.clone(),
        tool: Some(state.tool.to_string()),
        detail: failed.then(|| "the tool failed".to_owned()),
        ..record::bare(RecordKind::Result, Some(&call.key), now)
    })
}

/// Whether a tool that ran without a decision may have written anything.
fn may_write(call: &Call) -> bool {
    call.operations.iter().any(|operation| {
        matches!(
            operation.tool.family(),
            ToolFamily::Shell | ToolFamily::Edit | ToolFamily::Mcp | ToolFamily::Other
        )
    })
}

/// The person moved on, or the agent did: what its prompt still asked is no.
fn abort_delegated(
    transaction: &mut dyn Transaction,
    sessions: &mut Sessions,
    noted: &mut Noted,
    key: &SessionKey,
    limits: DenialLimits,
    now: Millis,
) -> Result<(), StateError> {
    for mut state in transaction.open_calls(key)? {
        if state.status == CallStatus::Delegated {
            noted.resolved.push(crate::resolve::settle(
                transaction,
                sessions,
                &mut state,
                &Answer::Aborted,
                AnswerSource::Agent,
                limits,
                now,
            )?);
        }
    }
    Ok(())
}

const fn name(event: AgentEvent<'_>) -> &'static str {
    match event {
        AgentEvent::Result { .. } => "result",
        AgentEvent::AgentDenied { .. } => "agent_denied",
        AgentEvent::UserMessage => "user_message",
        AgentEvent::TurnEnd => "turn_end",
        AgentEvent::SessionStart => "session_start",
        AgentEvent::SessionEnd => "session_end",
    }
}
