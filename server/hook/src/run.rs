//! One hook event from its JSON to its answer, or to who decides it alone.

use std::io::Read as _;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use countersign_agents::{
    EventKind, HookEvent, HookOutput, MAX_PAYLOAD_BYTES, Surroundings, decode, event_of_broken,
};
use countersign_core::agent::Agent;
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::message;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::ProcessId;
use countersign_core::trace::TraceContext;
use countersign_ipc::discovery::{Found, find};
use countersign_settings::Places;

use super::arguments::Arguments;
use super::servers::{self, Asked, Question};
use super::{blocked, log_file};

/// Where an agent says which trace its calls belong to.
const TRACEPARENT: &str = "TRACEPARENT";

/// How long a server is waited for that is only to take note: it may hang, and
/// the agent waits with it.
const NOTE_WITHIN: Duration = Duration::from_secs(10);

/// What becomes of what no server decides.
pub trait Otherwise {
    /// The user's places, or those below the folder of `--home`. Called before
    /// anything is read of the event.
    ///
    /// # Errors
    /// Why they are not known: the event is blocked.
    fn places(&self, home: Option<&Utf8Path>) -> Result<Places, String>;

    /// Puts on record that a call is blocked which nobody can read.
    ///
    /// # Errors
    /// Why that cannot be done; it is blocked all the same.
    fn unreadable(&self, unread: &Unread<'_>) -> Result<(), String>;

    /// Decides an event, or takes note of it.
    ///
    /// # Errors
    /// Why the event cannot be decided: it is blocked.
    fn undecided(&self, undecided: Undecided<'_>) -> Result<HookOutput, String>;
}

/// An event that cannot be read.
#[derive(Debug)]
pub struct Unread<'a> {
    /// Whose it is, and which: for the record.
    pub from: String,
    /// Why.
    pub problem: &'a str,
    /// What was read of it.
    pub payload: &'a [u8],
    /// Where the record is.
    pub places: &'a Places,
}

/// An event that no server decides.
#[derive(Debug)]
pub struct Undecided<'a> {
    /// The event.
    pub event: &'a HookEvent,
    /// What the agent said, byte for byte.
    pub payload: &'a [u8],
    /// The process that the hook speaks for, where it is known.
    pub process: Option<&'a ProcessId>,
    /// A mode that can only tighten.
    pub tighten: Option<ApprovalMode>,
    /// When the hook began.
    pub started: Instant,
    /// When it gives its prepared block.
    pub deadline: Instant,
    /// Where settings and state are.
    pub places: Places,
}

/// Decides one event until `deadline`. Total: every failure is a block.
///
/// `environment` is asked for the agent's trace, by which nothing is decided,
/// and for PATH and SHELL, which only make answers stricter.
pub(crate) fn run(
    arguments: &Arguments,
    deadline: Instant,
    environment: impl Fn(&str) -> Option<String>,
    otherwise: &impl Otherwise,
) -> HookOutput {
    let started = Instant::now();
    if let Some(problem) = &arguments.problem {
        return blocked(arguments, &format!("Countersign: {problem}"));
    }
    let agent: Agent = match arguments.agent.parse() {
        Ok(agent) => agent,
        Err(error) => return blocked(arguments, &format!("Countersign: {error}")),
    };
    let places = match otherwise.places(arguments.home.as_deref()) {
        Ok(places) => places,
        Err(problem) => return refused(arguments, BlockReason::Internal, problem),
    };
    let found = find(&places.runtime_dir);
    let mut payload = Vec::new();
    let event = read(&mut payload).and_then(|()| {
        decode(agent, &arguments.event, &payload).map_err(|error| error.to_string())
    });
    let mut event = match event {
        Ok(event) => event,
        Err(problem) => {
            if event_of_broken(agent, &arguments.event).stage.decides() {
                log_file::install(&places.state_dir);
                let unread = Unread {
                    from: format!("{agent} {}", arguments.event),
                    problem: &problem,
                    payload: &payload,
                    places: &places,
                };
                if let Err(error) = otherwise.unreadable(&unread) {
                    let from = unread.from;
                    tracing::error!("{from}: blocked: {problem}; not recorded: {error}");
                }
            }
            return refused(arguments, BlockReason::InvalidCall, problem);
        }
    };
    #[cfg(debug_assertions)]
    if let Some(how) = &arguments.provoke {
        super::provoked::end(how);
    }
    let surroundings = super::surroundings(&environment);
    event.set_surroundings(&surroundings);
    let trace = environment(TRACEPARENT).and_then(|text| text.parse().ok());
    log_file::install(&places.state_dir);
    let process = countersign_ipc::caller();
    let undecided = Undecided {
        event: &event,
        payload: &payload,
        process: process.as_ref(),
        tighten: arguments.approval_mode,
        started,
        deadline,
        places,
    };
    let asking = Asking {
        found,
        trace,
        surroundings: &surroundings,
    };
    ask(arguments, undecided, asking, otherwise)
        .unwrap_or_else(|problem| refused(arguments, BlockReason::Internal, problem))
}

/// Whom to ask, and what else to tell.
struct Asking<'a> {
    found: Found,
    trace: Option<TraceContext>,
    surroundings: &'a Surroundings,
}

/// Has the event decided by a server, or by whoever decides otherwise.
fn ask(
    arguments: &Arguments,
    undecided: Undecided<'_>,
    asking: Asking<'_>,
    otherwise: &impl Otherwise,
) -> Result<HookOutput, String> {
    let (event, deadline) = (undecided.event, undecided.deadline);
    let waits_until = match event.kind {
        EventKind::Call { .. } => deadline,
        _ => deadline.min(undecided.started + NOTE_WITHIN),
    };
    let question = Question {
        runtime_dir: &undecided.places.runtime_dir,
        agent: &arguments.agent,
        event: &arguments.event,
        cwd: &event.cwd,
        payload: undecided.payload,
        caller: undecided.process,
        tighten: undecided.tighten,
        trace: asking.trace,
        speaks_for: None,
        surroundings: asking.surroundings,
        given_up: None,
        deadline: waits_until,
    };
    // The small program asked them, and became this one.
    let asked = if arguments.servers_were_asked {
        let tighten = servers::announced_mode(&question, &asking.found);
        Asked::Nobody { tighten }
    } else {
        servers::ask(&question, asking.found)
    };
    match asked {
        Asked::Answered(output) => Ok(output),
        Asked::Lost(problem) => {
            // The server may have decided and counted: nobody decides again.
            // Of an event that needs no decision, the block is silence.
            tracing::error!("{} {}: {problem}", arguments.agent, arguments.event);
            Ok(blocked(arguments, &format!("Countersign: {problem}")))
        }
        Asked::Nobody { tighten } => otherwise.undecided(Undecided {
            tighten,
            ..undecided
        }),
    }
}

/// The block of a call that nobody decided about.
fn refused(arguments: &Arguments, reason: BlockReason, detail: String) -> HookOutput {
    blocked(
        arguments,
        &message::for_agent(&Decision::Block { reason, detail }),
    )
}

/// What the agent says, as much as is looked at: one byte more than `decode`
/// takes, so that it sees that there is more.
fn read(payload: &mut Vec<u8>) -> Result<(), String> {
    std::io::stdin()
        .lock()
        .take(MAX_PAYLOAD_BYTES as u64 + 1)
        .read_to_end(payload)
        .map(|_| ())
        .map_err(|error| {
            // What came before the error is not what the agent said, and must not
            // be read as if it were by the program that it is handed to.
            payload.clear();
            format!("standard input cannot be read: {error}")
        })
}
