//! What comes into the engine and what comes out.

use std::fmt;
use std::time::{Duration, Instant};

use countersign_core::call::{Call, Digest, SessionKey};
use countersign_core::decision::{AskReason, Decision};
use countersign_core::denials::Counters;
use countersign_core::facts::Facts;
use countersign_core::ledger::Look;
use countersign_core::mode::ApprovalMode;
use countersign_core::policy::Policy;
use countersign_core::state::{CallEvent, CallState, ModelRecord, ProcessId};
use countersign_core::tool::Tool;
use countersign_core::trace::TraceContext;

/// A call that wants a decision.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The call.
    pub call: &'a Call,
    /// What the outside world says about it ([`crate::prepare`]).
    pub facts: &'a Facts,
    /// What holds for it.
    pub policy: &'a Policy,
    /// The mode of the session: the policy's, or what a person chose for it.
    pub mode: ApprovalMode,
    /// Which event of the call this is.
    pub event: CallEvent,
    /// The agent's process, where it is known.
    pub process: Option<&'a ProcessId>,
    /// How a person can be asked at this event.
    pub asking: Asking,
    /// Whether a person granted exactly this call once.
    pub granted: bool,
    /// Whether there is a classifier to ask.
    pub classifier: bool,
    /// The server that decides: a new session belongs to it.
    pub server: Option<&'a ServerId>,
    /// What this process remembers of its own verdicts. None where nobody else
    /// can have written the state.
    pub memory: Option<&'a dyn Memory>,
    /// HEAD of the first workspace, read before this
    /// ([`crate::Engine::head_before`]); none where nobody looked.
    pub head: Option<&'a Look>,
    /// How long it took to get here, in microseconds: the journal's latency
    /// covers the whole decision.
    pub spent_micros: u64,
    /// What is only told on, and decides nothing.
    pub background: Background,
}

/// What observers are told of a call besides: nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Background {
    /// When the call came in.
    pub started: Option<Instant>,
    /// The trace that the agent says the call belongs to.
    pub trace: Option<TraceContext>,
    /// When its facts were found out and its command was analysed.
    pub analysis: Option<Layer>,
    /// When the order of decisions came to asking a classifier.
    pub rules: Option<Layer>,
    /// When a classifier was asked, waiting for a place included.
    pub classifier: Option<Layer>,
}

/// When one part of deciding was at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// From when the call came in to when the part began.
    pub after: Duration,
    /// How long it took.
    pub took: Duration,
}

impl Layer {
    /// The layer that worked from `began` until `ended`, in a request that was
    /// made before `entered`.
    pub(crate) fn between(
        request: &Request<'_>,
        entered: Instant,
        began: Instant,
        ended: Instant,
    ) -> Self {
        Self {
            after: request.spent() + began.saturating_duration_since(entered),
            took: ended.saturating_duration_since(began),
        }
    }

    /// The layer that worked from `began` until now, of a call that came in
    /// when it `started`.
    #[must_use]
    pub fn since(started: Instant, began: Instant) -> Self {
        Self {
            after: began.saturating_duration_since(started),
            took: began.elapsed(),
        }
    }
}

/// When the parts of deciding were at work, where they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layers {
    /// Finding out the facts, and static analysis.
    pub analysis: Option<Layer>,
    /// What static analysis came to, of a shell command.
    pub verdict: Option<&'static str>,
    /// The order of decisions: rules, static blocks, fast paths, caps.
    pub rules: Option<Layer>,
    /// The classifier.
    pub classifier: Option<Layer>,
}

impl Request<'_> {
    pub(crate) const fn spent(&self) -> Duration {
        Duration::from_micros(self.spent_micros)
    }

    pub(crate) fn layers(&self, rules: Option<Layer>) -> Layers {
        let mut commands = self.facts.operations.iter();
        let command = commands.find(|operation| operation.command.is_some());
        Layers {
            analysis: self.background.analysis,
            verdict: command.map(|operation| operation.analysis.as_str()),
            rules: rules.or(self.background.rules),
            classifier: self.background.classifier,
        }
    }
}

/// What a process knows of the calls that it decided.
///
/// The state can be written by whoever runs as the user; a verdict in it that
/// the memory does not believe is none.
pub trait Memory: fmt::Debug + Sync {
    /// Whether what the state says of a call can stand without deciding anew.
    fn believes(&self, call: &CallState) -> bool;
}

/// The memory of a process that lives for one event, and has none: it believes
/// what deciding anew would find again, and that the agent's own prompt asks,
/// but no verdict on a single call.
#[derive(Debug, Clone, Copy)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn believes(&self, call: &CallState) -> bool {
        match &call.decision {
            Decision::Allow { via, .. } => !crate::join::is_of_this_call(*via),
            Decision::Ask { .. } | Decision::Denied { .. } | Decision::Block { .. } => true,
        }
    }
}

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerId {
    /// The key of this run of it.
    pub key: String,
    /// Its process.
    pub process: ProcessId,
}

/// How a person can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// A surface of ours asks; the caller resolves the approval.
    Surface,
    /// The agent's own prompt asks.
    Delegate,
    /// There is nobody: an ask is denied, with that reason.
    Nobody,
}

/// What the engine says to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The agent's own dialog stands.
    NoOpinion,
    /// Decided and applied.
    Done(Box<Outcome>),
    /// The caller asks its classifier and comes back with
    /// [`crate::Engine::conclude`].
    Classify,
}

/// A decision that was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The guard's id of the call.
    pub call: String,
    /// The session.
    pub key: SessionKey,
    /// The canonical tool of the first operation.
    pub tool: Tool,
    /// The mode in force.
    pub mode: ApprovalMode,
    /// What happens with the call.
    pub decision: Decision,
    /// Why a person was or would have been asked; kept when the ask ended as a
    /// block because there was nobody to ask.
    pub asked: Option<AskReason>,
    /// The counters before.
    pub before: Counters,
    /// The counters after.
    pub after: Counters,
    /// Whether this event belongs to a call that was decided at an earlier
    /// event; nothing was counted again.
    pub joined: bool,
    /// Over-broad rules that were set aside because the session is in auto
    /// mode from now on.
    pub set_aside: Vec<String>,
    /// The digest of the call.
    pub digest: Digest,
    /// What an approval of it, or a verdict on it, is bound to.
    pub approval: Option<Digest>,
    /// Who judged it, if a model did.
    pub model: Option<ModelRecord>,
    /// Whether the decision could be recorded. If not, the guard acted as in
    /// default mode.
    pub recorded: bool,
    /// What was asked for: commands and paths in the agent's own words, neither
    /// masked nor bounded. Empty for a joined event.
    pub subject: String,
    /// When the call came in, where that is known.
    pub started: Option<Instant>,
    /// When the parts of deciding were at work.
    pub layers: Layers,
    /// The trace that the agent says the call belongs to.
    pub trace: Option<TraceContext>,
}
