//! An agent's event as the engine takes it, and a decision as the agent hears
//! it.

use countersign_agents::{Answer, EventKind, EventRef};
use countersign_core::decision::Decision;
use countersign_core::message;
use countersign_engine::events::AgentEvent;
use countersign_engine::request::Asking;

/// The words for the agent.
#[must_use]
pub fn answer_of(decision: &Decision) -> Answer {
    let text = message::for_agent(decision);
    match decision {
        Decision::Allow { .. } => Answer::Allow { note: text },
        Decision::Ask { .. } => Answer::Ask { message: text },
        Decision::Denied { .. } | Decision::Block { .. } => Answer::Block { message: text },
    }
}

/// What the engine takes note of; nothing of a call, which is decided.
#[must_use]
pub const fn agent_event(kind: &EventKind) -> Option<AgentEvent<'_>> {
    match kind {
        EventKind::Result { call, failed } => Some(AgentEvent::Result {
            call,
            failed: *failed,
        }),
        EventKind::AgentDenied { call, .. } => Some(AgentEvent::AgentDenied { call }),
        EventKind::UserMessage { .. } => Some(AgentEvent::UserMessage),
        EventKind::TurnEnd => Some(AgentEvent::TurnEnd),
        EventKind::SessionStart { .. } => Some(AgentEvent::SessionStart),
        EventKind::SessionEnd { .. } => Some(AgentEvent::SessionEnd),
        EventKind::Call { .. } | EventKind::Other => None,
    }
}

/// How a person can be asked at an event where no surface of ours is.
#[must_use]
pub fn asking_without_surface(event: EventRef) -> Asking {
    match event.capabilities() {
        Some(stage) if stage.can_ask => Asking::Delegate,
        Some(_) | None => Asking::Nobody,
    }
}
