//! Who decides what the proxy saw: the server of an editor, where one with a
//! person before it can be reached, else the guard in this process.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use countersign_agents::acp::{self, Report};
use countersign_agents::{Answer, HookOutput, Surroundings};
use countersign_core::agent::Agent;
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::message;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::ProcessId;
use countersign_guard::answer_of;
use countersign_service::{Handled, Incoming, Origin, Proxy, Service};
use tokio::sync::oneshot;

/// How long a decision may take: nobody waits longer for a person.
pub(crate) const DECIDE_WITHIN: Duration = Duration::from_secs(10 * 60);

/// How long taking note of something may take.
const NOTE_WITHIN: Duration = Duration::from_secs(10);

/// What is asked of the servers of the user's editors.
#[derive(Debug)]
pub struct Question {
    /// The agent.
    pub agent: Agent,
    /// The folder that the session works in.
    pub cwd: Utf8PathBuf,
    /// The report, as it travels.
    pub payload: Vec<u8>,
    /// The agent's process, which this one started.
    pub speaks_for: Option<ProcessId>,
    /// What is known of its environment.
    pub surroundings: Surroundings,
    /// A mode that can only tighten.
    pub tighten: Option<ApprovalMode>,
    /// Until when an answer is of use.
    pub deadline: Instant,
}

/// What came of asking them.
#[derive(Debug)]
pub enum Asked {
    /// One answered.
    Answered(HookOutput),
    /// One may have decided, and its answer is lost: what to tell.
    Lost(String),
    /// None decided.
    Nobody {
        /// A mode that can only tighten.
        tighten: Option<ApprovalMode>,
    },
}

/// The servers of the user's editors.
pub trait Servers: Send + Sync {
    /// Asks them. When the future is dropped, nobody waits for the answer any
    /// more, and whoever was asked hears of that.
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Asked> + Send>>;
}

/// Finds the agent's process; none where it cannot be told.
pub type FindAgent = Box<dyn Fn() -> Option<ProcessId> + Send + Sync>;

/// The way to a decision.
pub(crate) struct Route {
    pub(crate) agent: Agent,
    pub(crate) service: Arc<Service>,
    pub(crate) servers: Arc<dyn Servers>,
    /// What is known of the agent's environment.
    pub(crate) surroundings: Surroundings,
    pub(crate) tighten: Option<ApprovalMode>,
    pub(crate) find_agent: FindAgent,
    pub(crate) found: Mutex<Option<ProcessId>>,
}

impl Route {
    /// Decides a call, or takes note of what is none. Total: a failure is a
    /// block. When `gone` is told, or dropped, nobody waits any more.
    pub(crate) async fn report(
        self: &Arc<Self>,
        report: Report,
        gone: oneshot::Receiver<()>,
    ) -> Answer {
        let started = Instant::now();
        let is_call = matches!(report.what, acp::What::Call { .. });
        let deadline = started + if is_call { DECIDE_WITHIN } else { NOTE_WITHIN };
        let payload = report.to_payload();
        let (agent, cwd) = (self.agent, report.cwd.clone());
        let mut decoded = match acp::decode(agent, &payload) {
            Ok(decoded) => decoded,
            Err(error) => {
                let why = error.to_string();
                if is_call {
                    let from = format!("{agent} {}", acp::EVENT);
                    self.service.record_refusal(from, why.clone()).await;
                }
                return blocked(BlockReason::InvalidCall, why);
            }
        };
        decoded.event.set_surroundings(&self.surroundings);
        let process = self.process().await;
        let asking = self.servers.ask(Question {
            agent,
            cwd,
            payload,
            speaks_for: process.clone(),
            surroundings: self.surroundings.clone(),
            tighten: self.tighten,
            deadline,
        });
        let mut gone = gone;
        let asked = tokio::select! {
            asked = asking => asked,
            _ = &mut gone => return blocked(BlockReason::Person, "nobody waits any more".to_owned()),
        };
        let tighten = match asked {
            Asked::Answered(output) => return acp::answer(&output),
            Asked::Lost(problem) => {
                return Answer::Block {
                    message: format!("Countersign: {problem}"),
                };
            }
            Asked::Nobody { tighten } => tighten,
        };
        let incoming = Incoming {
            event: decoded.event,
            process,
            deadline,
            tighten: ApprovalMode::strictest(decoded.tighten, tighten),
            origin: Origin::Proxy(Proxy {
                process: self.service.server().process.clone(),
                is_own: true,
            }),
            started,
            trace: None,
        };
        let gone = Box::pin(async move {
            // Told or dropped: either way nobody waits.
            let _ = gone.await;
        });
        match self.service.handle(incoming, gone).await {
            Handled::Noted | Handled::NoOpinion => Answer::NoOpinion,
            Handled::Decided(_, decision) | Handled::Failed(decision) => answer_of(&decision),
            Handled::Elsewhere(_) | Handled::NotOwner(_) => blocked(
                BlockReason::Internal,
                "the proxy may not decide in this session".to_owned(),
            ),
        }
    }

    /// The agent's process, looked for until it is found, and again when it is
    /// gone.
    async fn process(self: &Arc<Self>) -> Option<ProcessId> {
        let route = Arc::clone(self);
        let found = tokio::task::spawn_blocking(move || {
            let remembered = || route.found.lock().unwrap_or_else(PoisonError::into_inner);
            let known = remembered().clone();
            if known.as_ref().is_some_and(countersign_ipc::alive) {
                return known;
            }
            // Of the end of one that is gone, it is told in its name.
            let found = (route.find_agent)().or(known);
            remembered().clone_from(&found);
            found
        });
        found.await.ok().flatten()
    }
}

fn blocked(reason: BlockReason, detail: String) -> Answer {
    Answer::Block {
        message: message::for_agent(&Decision::Block { reason, detail }),
    }
}
