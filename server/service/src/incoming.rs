//! An event of an agent on its way through the server, and what came of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use countersign_agents::HookEvent;
use countersign_core::call::{Call, Digest, SessionKey};
use countersign_core::decision::Decision;
use countersign_core::facts::Facts;
use countersign_core::ledger::Look;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{CallEvent, Nested, ProcessId};
use countersign_core::trace::TraceContext;
use countersign_engine::request::{Asking, Background, Outcome, ServerId};

use countersign_guard::Guard;

/// Ends when nobody waits for the answer any more.
pub type Gone = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An event of an agent.
#[derive(Debug)]
pub struct Incoming {
    /// The event, decoded.
    pub event: HookEvent,
    /// The agent's process, where it is known.
    pub process: Option<ProcessId>,
    /// Until when an answer is of use.
    pub deadline: Instant,
    /// A mode that the session's is at least as strict as.
    pub tighten: Option<ApprovalMode>,
    /// Where it came in.
    pub origin: Origin,
    /// When it came in.
    pub started: Instant,
    /// The trace that the agent says it belongs to. Nothing is decided by it.
    pub trace: Option<TraceContext>,
}

/// Where an event came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From a hook over the local socket: the session must be this server's.
    Hook,
    /// From the editor that this server belongs to.
    Editor,
    /// From a proxy that stands before the agent.
    Proxy(Proxy),
}

/// A proxy between an agent and its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its process.
    pub process: ProcessId,
    /// Whether it is this process. Another one has its own surface, and asks
    /// here only for that of an editor.
    pub is_own: bool,
}

/// What came of an event.
#[derive(Debug)]
pub enum Handled {
    /// It needed no decision.
    Noted,
    /// The agent's own dialog stands.
    NoOpinion,
    /// Decided; the second is what finally became of the call.
    Decided(Box<Outcome>, Decision),
    /// It could not be decided, and so is blocked.
    Failed(Decision),
    /// The session belongs to another server that runs.
    Elsewhere(ServerId),
    /// Nothing ties the event to this server.
    NotOwner(String),
}

/// A call that is ready to be decided.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// HEAD, where the call may write something.
    pub(crate) head: Option<Look>,
    pub(crate) call: Arc<Call>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) guard: Arc<Guard>,
    /// The workspace that the session began in.
    pub(crate) began_in: Option<Utf8PathBuf>,
    pub(crate) mode: ApprovalMode,
    pub(crate) event: CallEvent,
    pub(crate) asking: Asking,
    /// How a person is asked after user hooks, where no surface asks beside them.
    pub(crate) without_hooks: Option<Asking>,
    pub(crate) process: Option<ProcessId>,
    pub(crate) tighten: Option<ApprovalMode>,
    pub(crate) deadline: Instant,
    pub(crate) started: Instant,
    /// When it was last decided as far as that is possible without a model.
    pub(crate) decided: Instant,
    /// Where the agent keeps the conversation, if the event says so.
    pub(crate) transcript_path: Option<Utf8PathBuf>,
    /// Whether the event comes from the agent that opened the session.
    pub(crate) is_trusted: bool,
    /// Set where another agent started that one: then nothing in the session
    /// was typed by a person.
    pub(crate) nested: Option<Nested>,
    /// What a question to a classifier is bound to, as an approval is: what was
    /// there when it was asked.
    pub(crate) shown: Option<Digest>,
    /// What observers are told besides.
    pub(crate) background: Background,
}

impl Prepared {
    /// The agent that answers for the call: the session, or the one above it.
    pub(crate) fn answers_for(&self) -> SessionKey {
        let outer = self.nested.as_ref().and_then(|nested| nested.outer.clone());
        outer.unwrap_or_else(|| self.call.key.root())
    }

    /// How long the agent waits for a decision.
    pub(crate) fn given(&self) -> Duration {
        self.deadline.saturating_duration_since(self.started)
    }
}
