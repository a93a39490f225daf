//! What is kept between calls, and the port through which it is kept.
//!
//! The store is the truth: a transition is one transaction that reads,
//! reduces, writes and appends, whichever process makes it.

mod ledger;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::call::{Digest, SessionKey};
use crate::decision::Decision;
use crate::denials::Counters;
use crate::ledger::Footprint;
use crate::mode::ApprovalMode;
pub use crate::model::ModelRecord;
use crate::tool::Tool;

pub use ledger::{
    LedgerPart, LedgerState, MOST_ENTRIES, MOST_IN_FLIGHT, MOST_KIN, MOST_LEDGER_ROWS,
};

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// A process that cannot be mistaken for a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The process id.
    pub pid: u32,
    /// When it started: the kernel's clock ticks since boot.
    pub start: u64,
    /// The boot it belongs to.
    pub boot: String,
}

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// The session, or the sub-agent in it.
    pub key: SessionKey,
    /// Its counters. A sub-agent's totals are those of its root session; here
    /// they stay 0.
    pub counters: Counters,
    /// The agent's process that opened the session, where it is known.
    pub process: Option<ProcessId>,
    /// The canonical folder that the session works in: that of its first call.
    pub workspace: Option<Utf8PathBuf>,
    /// When the session was first seen.
    pub started: Millis,
    /// When it was last seen.
    pub seen: Millis,
    /// Whether the agent said that it ended. Ends nothing but the set-aside
    /// rules it held.
    pub ended: bool,
    /// Whether it holds over-broad rules aside, being in auto mode.
    #[serde(default)]
    pub holds_rules: bool,
    /// The mode that a person last chose for it. Only ever makes it stricter:
    /// whoever can write the state must not be able to loosen a mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ApprovalMode>,
    /// The key of the server that the session is pinned to. Opaque here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The process of that server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_process: Option<ProcessId>,
    /// Set where another agent started the one of this session. Never taken
    /// back: what is said in such a session was said by an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nested: Option<Nested>,
}

/// A session that another agent started, and not a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nested {
    /// The root session of the agent above it, where one is known: its totals
    /// hold, and are added to, as with a sub-agent.
    pub outer: Option<SessionKey>,
}

/// The most sessions that [`Transaction::recent_sessions`] returns.
pub const MOST_RECENT_SESSIONS: usize = 256;

/// What is kept of a call, to join its events and to resolve a delegated ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallState {
    /// The guard's own id of the call; also the id of its journal row's story.
    pub id: String,
    /// Who makes it.
    pub key: SessionKey,
    /// The agent's id of the call, once an event named it.
    pub agent_call: Option<String>,
    /// The digest that joins events without an id.
    pub digest: Digest,
    /// What an approval is bound to: the call, the files it names, the places
    /// it writes. Only while somebody is asked.
    #[serde(default)]
    pub approval: Option<Digest>,
    /// The canonical tool (of the first operation).
    pub tool: Tool,
    /// What was decided.
    pub decision: Decision,
    /// What a person was asked, once that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Decision>,
    /// The events seen of it.
    pub events: Vec<CallEvent>,
    /// Where it stands.
    pub status: CallStatus,
    /// The agent to whose own prompt the ask was handed: only that it goes on
    /// is a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegated_to: Option<ProcessId>,
    /// When it was decided.
    pub decided: Millis,
    /// What the ledger knows of it.
    #[serde(default, skip_serializing_if = "CallWrites::is_none")]
    pub writes: CallWrites,
}

/// What the ledger knows of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallWrites {
    /// Nothing: it changes nothing, or its result came.
    #[default]
    None,
    /// Nothing yet: a person is being asked whether it may write this.
    Asked(Box<PlannedFootprint>),
    /// The agent's own prompt asks: the call may run at any moment, so its
    /// paths are recorded and it is in flight. That it may have written
    /// anything is recorded when it ran.
    Delegated(Box<PlannedFootprint>),
    /// Everything, under this digest of it; it is in flight.
    Recorded(Digest),
    /// Everything that it may do in this workspace was on record before, so
    /// nothing was added; not its flight either.
    Covered(Utf8PathBuf),
}

impl CallWrites {
    /// Whether nothing is known, and nothing need be.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether the call is on record as in flight.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        match self {
            Self::Delegated(_) | Self::Recorded(_) => true,
            Self::None | Self::Asked(_) | Self::Covered(_) => false,
        }
    }
}

/// What a call would write, kept until it is known whether it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFootprint {
    /// The workspace of the call; where it has none, the folder that its
    /// entries count for.
    pub workspace: Utf8PathBuf,
    /// Whether that is a workspace, and so has a baseline.
    pub has_baseline: bool,
    /// What it would write.
    pub footprint: Footprint,
}

/// A kind of event of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEvent {
    /// Before the tool runs (`PreToolUse`, `BeforeTool`).
    PreTool,
    /// Before the agent would prompt (`PermissionRequest`).
    PermissionRequest,
    /// Before the tool runs, where another event of the same call may follow
    /// (Cursor's `preToolUse`).
    Announced,
    /// Before the tool runs, through a hook that was installed for another
    /// agent; the agent's own may stand beside it.
    Borrowed,
    /// The agent denied it by itself (`PermissionDenied`).
    AgentDenied,
    /// The tool ran (`PostToolUse`, `AfterTool`).
    Result,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Decided, and nothing is open.
    Decided,
    /// A person is being asked through a surface of ours.
    Pending,
    /// The ask was handed to the agent's own prompt.
    Delegated,
    /// The ask was answered, or the tool ran.
    Finished,
}

/// One row of the journal. Everything in it is masked and bounded before it
/// gets here (see `redact`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub time: Millis,
    /// What kind of row.
    pub kind: RecordKind,
    /// The session; none for rows about the guard itself.
    pub key: Option<SessionKey>,
    /// The guard's id of the call, for everything that belongs to one.
    pub call: Option<String>,
    /// The agent's id of the call.
    pub agent_call: Option<String>,
    /// The canonical tool.
    pub tool: Option<String>,
    /// The workspace.
    pub workspace: Option<Utf8PathBuf>,
    /// The mode in force.
    pub mode: Option<ApprovalMode>,
    /// `allow`, `block` or `ask`.
    pub decision: Option<String>,
    /// The layer of an allow, else the reason.
    pub reason: Option<String>,
    /// Plain words: the rule with its place, the model's view, what happened.
    pub detail: Option<String>,
    /// What was asked for: the command, the path, the URL.
    pub subject: Option<String>,
    /// Effects in plain words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<String>,
    /// The counters before.
    pub before: Option<Counters>,
    /// The counters after.
    pub after: Option<Counters>,
    /// Who answered: `agent`, `demo_terminal`, `hook`, an editor's name.
    pub source: Option<String>,
    /// The classifier's stage, model and ids, once there is a classifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRecord>,
    /// How long deciding took, in microseconds.
    pub micros: Option<u64>,
}

impl Record {
    /// A row with nothing but its kind and time.
    #[must_use]
    pub const fn of(kind: RecordKind, time: Millis) -> Self {
        Self {
            time,
            kind,
            key: None,
            call: None,
            agent_call: None,
            tool: None,
            workspace: None,
            mode: None,
            decision: None,
            reason: None,
            detail: None,
            subject: None,
            effects: Vec::new(),
            before: None,
            after: None,
            source: None,
            model: None,
            micros: None,
        }
    }
}

/// The kinds of journal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A call and its decision.
    Decision,
    /// An ask was answered, or can no longer be.
    Answer,
    /// A tool ran.
    Result,
    /// A tool ran without a decision of ours: unguarded.
    Unguarded,
    /// A person's message reached the agent (only that, not the text).
    UserMessage,
    /// A session began.
    SessionStart,
    /// A session ended.
    SessionEnd,
    /// Counters were reset by a person.
    Reset,
    /// Over-broad rules were set aside or brought back.
    Rules,
    /// Trust or consent changed.
    Trust,
    /// Something that had no authority: late, duplicate, foreign, forged.
    Ignored,
    /// Something is wrong with settings, state or the guard itself.
    Problem,
    /// Older rows were removed; carries the chain on.
    Anchor,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Decision,
        Self::Answer,
        Self::Result,
        Self::Unguarded,
        Self::UserMessage,
        Self::SessionStart,
        Self::SessionEnd,
        Self::Reset,
        Self::Rules,
        Self::Trust,
        Self::Ignored,
        Self::Problem,
        Self::Anchor,
    ];

    /// The name in the journal and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Answer => "answer",
            Self::Result => "result",
            Self::Unguarded => "unguarded",
            Self::UserMessage => "user_message",
            Self::SessionStart => "session_start",
            Self::SessionEnd => "session_end",
            Self::Reset => "reset",
            Self::Rules => "rules",
            Self::Trust => "trust",
            Self::Ignored => "ignored",
            Self::Problem => "problem",
            Self::Anchor => "anchor",
        }
    }
}

/// Why the state cannot be used. The text names the file and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It exists and cannot be read, or is not ours: nothing may be decided.
    #[error("{0}")]
    Unreadable(String),
    /// It can be read and not written (full or read-only disk): nothing more
    /// may be allowed than the default mode allows.
    #[error("{0}")]
    Unwritable(String),
}

/// The state inside one transaction.
pub trait Transaction: LedgerState {
    /// The session's state, if it was seen before.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn session(&mut self, key: &SessionKey) -> Result<Option<SessionState>, StateError>;

    /// The root sessions that the process was seen in, the last one first; at
    /// most 16.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn sessions_of(
        &mut self,
        agent: Agent,
        process: &ProcessId,
    ) -> Result<Vec<SessionState>, StateError>;

    /// The root sessions of every agent, the last seen first; at most `limit`
    /// and never more than [`MOST_RECENT_SESSIONS`]. Looks at every session:
    /// not for the way of a call.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn recent_sessions(&mut self, limit: usize) -> Result<Vec<SessionState>, StateError>;

    /// Keeps the session's state.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn put_session(&mut self, state: &SessionState) -> Result<(), StateError>;

    /// The calls of a session (not of its sub-agents) that are not finished,
    /// newest first; at most 64.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn open_calls(&mut self, key: &SessionKey) -> Result<Vec<CallState>, StateError>;

    /// The newest of [`Self::open_calls`] that is as wanted.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn find_open_call(
        &mut self,
        key: &SessionKey,
        wanted: &dyn Fn(&CallState) -> bool,
    ) -> Result<Option<CallState>, StateError> {
        Ok(self.open_calls(key)?.into_iter().find(wanted))
    }

    /// Keeps the call's state, replacing the one of the same id.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn put_call(&mut self, state: &CallState) -> Result<(), StateError>;

    /// The rules that are set aside, each with the sessions that hold it.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn set_aside(&mut self) -> Result<Vec<SetAside>, StateError>;

    /// Keeps which sessions hold a rule aside; none removes it.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn put_set_aside(&mut self, entry: &SetAside) -> Result<(), StateError>;

    /// Appends a row to the journal.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn append(&mut self, record: &Record) -> Result<(), StateError>;
}

/// An over-broad rule that is set aside while sessions are in auto mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// The rule's text with its place, as it is shown to people.
    pub rule: String,
    /// The root sessions in auto mode that hold it.
    pub holders: Vec<SessionKey>,
}

/// Where the state is kept.
pub trait StateStore: Send + Sync {
    /// Runs `work` in one immediate transaction and commits it if `work`
    /// returns `Ok`. `work` may be run again from the start, if another
    /// process was in the way; it must have no effect but on the transaction.
    ///
    /// # Errors
    /// What `work` returned, or why the transaction failed. Nothing is kept.
    fn transition(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<(), StateError>;

    /// Runs `work` on one consistent view of the state. Works where the state
    /// can be read and not written; everything in it that would write fails
    /// with [`StateError::Unwritable`].
    ///
    /// # Errors
    /// What `work` returned, or why the state cannot be read.
    fn read(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<(), StateError>;

    /// The session's state, if it was seen before.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn snapshot(&self, key: &SessionKey) -> Result<Option<SessionState>, StateError> {
        let mut found = None;
        self.read(&mut |transaction| {
            found = transaction.session(key)?;
            Ok(())
        })?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_kinds_are_their_serde_names() {
        for kind in RecordKind::ALL {
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, serde_json::Value::String(kind.as_str().to_owned()));
        }
    }
}
