//! What user hooks are told of what: the same by a server and by a hook of an
//! agent that decides alone.

use countersign_agents::{EventKind, HookEvent as AgentHookEvent};
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::Decision;
use countersign_core::facts::Facts;
use countersign_core::redact;
use countersign_engine::request::Outcome;
use countersign_guard::Guard;
use countersign_settings::HookEvent;
use countersign_user_hooks::{About, CallInput, Payload};

use crate::effects::effects;
use crate::parts::parts;
use crate::suggest::suggestions;

/// The kind of a notification that somebody waits for a person.
pub(crate) const WAITING: &str = "permission_prompt";

/// An event that is about no call.
pub(crate) struct News<'n> {
    pub(crate) event: HookEvent,
    pub(crate) key: Option<&'n SessionKey>,
    pub(crate) cwd: Option<&'n camino::Utf8Path>,
    /// What a matcher is compared with.
    pub(crate) kind: &'n str,
    pub(crate) more: &'n [(&'n str, &'n str)],
}

/// What hooks are told of a call that the classifier denied; none where it did
/// not.
#[must_use]
pub fn denied_payload(call: &Call, guard: &Guard, outcome: &Outcome) -> Option<Payload> {
    let Decision::Denied { reason, detail } = &outcome.decision else {
        return None;
    };
    let input = CallInput {
        id: &outcome.call,
        call,
        tool: &outcome.tool,
        reason: reason.as_str(),
        detail,
        effects: None,
        suggestions: None,
        counters: outcome.after,
        model: outcome.model.as_ref(),
    };
    let about = about(call, guard, outcome, HookEvent::PermissionDenied);
    Some(Payload::of_call(&about, &input))
}

/// What hooks are told of a call about which a person must be asked; none where
/// nobody must. For a hook of an agent that decides alone.
#[must_use]
pub fn request_payload(
    call: &Call,
    facts: &Facts,
    guard: &Guard,
    outcome: &Outcome,
) -> Option<Payload> {
    let Decision::Ask { reason, detail } = &outcome.decision else {
        return None;
    };
    let parts = parts(call, facts, &guard.policy, outcome.mode);
    let effects = effects(call, facts);
    let suggestions = suggestions(call, facts, guard, outcome.mode, *reason, &parts);
    let input = CallInput {
        id: &outcome.call,
        call,
        tool: &outcome.tool,
        reason: reason.as_str(),
        detail,
        effects: Some(&effects),
        suggestions: Some(&suggestions),
        counters: outcome.after,
        model: outcome.model.as_ref(),
    };
    let about = about(call, guard, outcome, HookEvent::PermissionRequest);
    Some(Payload::of_call(&about, &input))
}

/// What hooks are told where a person is asked, here or by the agent itself.
#[must_use]
pub fn waiting_payload(guard: &Guard, outcome: &Outcome) -> Payload {
    let message = format!(
        "{} needs your permission to use {}",
        outcome.key.agent,
        redact::visible(&outcome.tool.to_string())
    );
    news_payload(
        guard,
        &News {
            event: HookEvent::Notification,
            key: Some(&outcome.key),
            cwd: None,
            kind: WAITING,
            more: &[("message", &message), ("call", &outcome.call)],
        },
    )
}

/// What hooks are told of a session that began or ended, with the kind that
/// matchers are compared with; none for other events.
#[must_use]
pub fn session_payload(
    event: &AgentHookEvent,
    guard: &Guard,
) -> Option<(HookEvent, String, Payload)> {
    let (on, name, word) = match &event.kind {
        EventKind::SessionStart { source } => (HookEvent::SessionStart, "source", source),
        EventKind::SessionEnd { reason } => (HookEvent::SessionEnd, "reason", reason),
        EventKind::Call { .. }
        | EventKind::AgentDenied { .. }
        | EventKind::Result { .. }
        | EventKind::UserMessage { .. }
        | EventKind::TurnEnd
        | EventKind::Other => return None,
    };
    let payload = news_payload(
        guard,
        &News {
            event: on,
            key: Some(&event.key),
            cwd: Some(&event.cwd),
            kind: word,
            more: &[(name, word)],
        },
    );
    Some((on, word.clone(), payload))
}

pub(crate) fn news_payload(guard: &Guard, news: &News<'_>) -> Payload {
    let about = About {
        event: news.event,
        key: news.key,
        cwd: news.cwd,
        workspace: guard.workspace.as_deref(),
        mode: None,
    };
    let mut more = news.more.to_vec();
    if news.event == HookEvent::Notification {
        more.push(("notification_type", news.kind));
    }
    Payload::of_event(&about, &more)
}

pub(crate) fn about<'a>(
    call: &'a Call,
    guard: &'a Guard,
    outcome: &'a Outcome,
    event: HookEvent,
) -> About<'a> {
    About {
        event,
        key: Some(&outcome.key),
        cwd: Some(&call.cwd),
        workspace: guard.workspace.as_deref(),
        mode: Some(outcome.mode),
    }
}
