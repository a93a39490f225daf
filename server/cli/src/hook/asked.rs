//! Deciding alone with user hooks: whom they are told of what, and what becomes
//! of an ask that is put to them before anybody else.

use countersign_agents::HookEvent as AgentHookEvent;
use countersign_alone::{Beyond, Deciding, First};
use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::Call;
use countersign_core::decision::Decision;
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Outcome, Reply, Request};
use countersign_engine::resolve::{Bound, ResolveError};
use countersign_guard::Guard;
use countersign_service::{denied_payload, request_payload, session_payload, waiting_payload};
use countersign_settings::HookEvent;
use countersign_user_hooks::{Said, names_of};

use super::user_hooks::{self, News};

/// Tells hooks that a session began or ended.
pub(super) fn tell_session(guard: &Guard, event: &AgentHookEvent) {
    // Nothing is made where nothing is configured.
    if guard.effective.hooks.is_empty() {
        return;
    }
    let Some((on, kind, payload)) = session_payload(event, guard) else {
        return;
    };
    let news = News {
        event: on,
        names: &[kind],
        key: &event.key,
        call: None,
        cwd: &event.cwd,
    };
    user_hooks::tell(guard, &news, || Some(payload));
}

/// The hooks that are asked first, if a person must be asked.
pub(super) fn asked_first<B: Beyond>(
    deciding: &Deciding<'_, B>,
    request: &Request<'_>,
    guard: &Guard,
) -> First {
    let mut first = First::nobody(request);
    let on = HookEvent::PermissionRequest;
    if guard.effective.hooks_on(on).next().is_none() {
        return first;
    }
    let hooks = user_hooks::of_request(guard, &names_of(request.call));
    if hooks.is_empty() {
        return first;
    }
    // They were asked at the call's earlier event.
    match deciding.engine.is_with_agent(request.call, request.event) {
        Ok(true) => {}
        Ok(false) => first.hooks = hooks,
        Err(error) => tracing::error!("user hooks are not asked: {error}"),
    }
    first
}

/// Tells hooks what was decided, and asks them where a person must be
/// asked. None if what would run has changed while they were asked: then
/// the call is decided anew.
///
/// # Errors
/// When the state cannot be used: nothing may be decided.
pub(super) fn with_hooks<B: Beyond>(
    deciding: &Deciding<'_, B>,
    request: &Request<'_>,
    guard: &Guard,
    first: First,
    outcome: &Outcome,
) -> Result<Option<Decision>, String> {
    if first.hooks.is_empty() {
        tell_hooks(request.call, guard, outcome);
        return Ok(Some(outcome.decision.clone()));
    }
    if !outcome.recorded && outcome.asked.is_some() {
        // Nothing is open that could be answered.
        let plain = Request {
            asking: first.otherwise,
            ..*request
        };
        let reply = deciding.engine.decide(&plain);
        return match reply.map_err(|error| error.to_string())? {
            Reply::Done(outcome) => Ok(Some(outcome.decision)),
            Reply::NoOpinion | Reply::Classify => Ok(Some(outcome.decision.clone())),
        };
    }
    if !matches!(outcome.decision, Decision::Ask { .. }) {
        tell_hooks(request.call, guard, outcome);
        return Ok(Some(outcome.decision.clone()));
    }
    ask_hooks(deciding, request, guard, first, outcome)
}

fn ask_hooks<B: Beyond>(
    deciding: &Deciding<'_, B>,
    request: &Request<'_>,
    guard: &Guard,
    first: First,
    outcome: &Outcome,
) -> Result<Option<Decision>, String> {
    let call = request.call;
    let facts = deciding.engine.facts(call, &guard.host, &guard.policy);
    let shown = prepare::approval_digest(call, &facts);
    let said = match request_payload(call, &facts, guard, outcome) {
        Some(payload) => user_hooks::ask(
            guard,
            deciding.engine,
            first.hooks,
            payload,
            (&outcome.key, &outcome.call),
            deciding.alone.deadline,
        ),
        None => Said::Nothing,
    };
    let answer = match said {
        Said::Allow => Answer::ProceedOnce,
        Said::Deny { message } => Answer::Cancel {
            message: Some(match message {
                Some(message) => format!("a user hook said no: {message}"),
                None => "a user hook said no".to_owned(),
            }),
        },
        Said::Nothing if first.otherwise == Asking::Delegate => {
            deciding
                .engine
                .hand_to_agent(&outcome.key, &outcome.call, deciding.alone.process)
                .map_err(|error| error.to_string())?;
            tell_hooks(call, guard, outcome);
            return Ok(Some(outcome.decision.clone()));
        }
        Said::Nothing => Answer::NoSurface,
    };
    let source = match &answer {
        Answer::NoSurface => AnswerSource::None,
        _ => AnswerSource::Hook,
    };
    // What would run now, and not what it was when the hooks were asked.
    let facts = deciding.engine.facts(call, &guard.host, &guard.policy);
    let bound = Bound {
        shown,
        now: prepare::approval_digest(call, &facts),
    };
    let limits = guard.policy.limits;
    let (key, id) = (&outcome.key, &outcome.call);
    match deciding
        .engine
        .resolve(key, id, bound, &answer, source, limits)
    {
        Ok(resolution) => Ok(Some(resolution.decision)),
        Err(ResolveError::Changed(_)) => Ok(None),
        Err(error @ (ResolveError::NotOpen(_) | ResolveError::State(_))) => Err(error.to_string()),
    }
}

/// Tells hooks what was decided, where they are to know.
pub(super) fn tell_hooks(call: &Call, guard: &Guard, outcome: &Outcome) {
    // Nothing is made where nothing is configured.
    if outcome.joined || guard.effective.hooks.is_empty() {
        return;
    }
    let news = |event, names| News {
        event,
        names,
        key: &outcome.key,
        call: Some(&outcome.call),
        cwd: &call.cwd,
    };
    match &outcome.decision {
        Decision::Denied { .. } => {
            let names = names_of(call);
            user_hooks::tell(guard, &news(HookEvent::PermissionDenied, &names), || {
                denied_payload(call, guard, outcome)
            });
        }
        // The agent's own prompt asks.
        Decision::Ask { .. } => {
            let names = ["permission_prompt".to_owned()];
            user_hooks::tell(guard, &news(HookEvent::Notification, &names), || {
                Some(waiting_payload(guard, outcome))
            });
        }
        Decision::Allow { .. } | Decision::Block { .. } => {}
    }
}
