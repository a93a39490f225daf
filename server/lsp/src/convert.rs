//! The service's views as messages of the protocol.

use std::sync::Arc;

use countersign_core::call::SessionKey;
use countersign_core::decision::{AskReason, CapKind};
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::message;
use countersign_core::redact::visible;
use countersign_core::state::ModelRecord;
use countersign_service::{
    ClassifierHealth, ClassifierState, Component, PendingApproval, Service, SessionView,
};
use countersign_settings::{Effective, WorkspaceEntry};

use crate::draw;
use crate::protocol::{self, Health};

pub(crate) fn session_name(key: &SessionKey) -> protocol::SessionName {
    protocol::SessionName {
        agent: key.agent.to_string(),
        session: key.session.clone(),
        subagent: key.subagent.clone(),
    }
}

/// The session of this name. An agent that is not known has none.
pub(crate) fn session_key(name: &protocol::SessionName) -> Result<SessionKey, String> {
    let agent = name.agent.parse().map_err(|error| format!("{error}"))?;
    countersign_agents::editor_session(agent, &name.session, name.subagent.as_deref())
        .map_err(|error| error.to_string())
}

pub(crate) const fn counters(counters: Counters) -> protocol::Counters {
    protocol::Counters {
        consecutive_block: counters.consecutive_block,
        consecutive_unavailable: counters.consecutive_unavailable,
        total_block: counters.total_block,
        total_unavailable: counters.total_unavailable,
    }
}

const fn limits(limits: DenialLimits) -> protocol::Limits {
    protocol::Limits {
        consecutive_block: limits.consecutive_block,
        consecutive_unavailable: limits.consecutive_unavailable,
        total: limits.total,
    }
}

pub(crate) fn cap_kind(reason: AskReason) -> Option<String> {
    let name = match reason.cap_kind()? {
        CapKind::Consecutive => "consecutive",
        CapKind::Total => "total",
    };
    Some(name.to_owned())
}

/// What a model said. What an endpoint calls itself is foreign text.
pub(crate) fn model(model: &ModelRecord) -> protocol::Model {
    let shown = |text: &Option<String>| text.as_deref().map(visible);
    protocol::Model {
        stage: model.stage.clone(),
        model: shown(&model.model),
        request_id: shown(&model.request_id),
        message_id: shown(&model.message_id),
        provider: shown(&model.provider),
        stages: model
            .stages
            .iter()
            .map(|stage| protocol::ModelStage {
                stage: stage.stage.to_string(),
                verdict: stage.verdict.as_str().to_owned(),
                millis: stage.millis,
                attempts: stage.attempts,
                request_id: shown(&stage.request_id),
                message_id: shown(&stage.message_id),
                input_tokens: stage.input_tokens,
                cached_tokens: stage.cached_tokens,
                output_tokens: stage.output_tokens,
            })
            .collect(),
        problem: shown(&model.problem),
    }
}

fn classifier(health: ClassifierHealth) -> protocol::Classifier {
    protocol::Classifier {
        state: match health.state {
            ClassifierState::None => protocol::ClassifierState::None,
            ClassifierState::Ready => protocol::ClassifierState::Ready,
            ClassifierState::Unavailable => protocol::ClassifierState::Unavailable,
        },
        provider: health.provider.map(|one| one.as_str().to_owned()),
        model: health.model.as_deref().map(visible),
        last_millis: health.last_millis,
        problem: health.problem.as_deref().map(visible),
    }
}

/// An approval with its nonce: only for a client that draws approvals itself.
pub(crate) fn approval(pending: &PendingApproval, focus: bool) -> protocol::Approval {
    protocol::Approval {
        id: pending.id.clone(),
        nonce: pending.nonce.reveal().to_owned(),
        digest: pending.digest.to_string(),
        name: session_name(&pending.key),
        tool: pending.tool.to_string(),
        cwd: pending.call.cwd.to_string(),
        workspace: pending.workspace.as_ref().map(ToString::to_string),
        mode: pending.mode.to_string(),
        reason: pending.reason.to_string(),
        why: message::why(pending.reason).to_owned(),
        detail: visible(&pending.detail),
        text: draw::session_document::text_of(pending),
        parts: pending
            .parts
            .iter()
            .map(|part| protocol::Part {
                text: visible(&part.text),
                fine: part.fine,
                why: visible(&part.why),
            })
            .collect(),
        effects: pending.effects.clone(),
        marks: draw::marks::marks(pending),
        suggestions: pending.suggestions.clone(),
        cap_kind: cap_kind(pending.reason),
        counters: counters(pending.counters),
        limits: limits(pending.limits),
        asked_before: pending.asked_before,
        asked_at: pending.asked_at,
        deadline: pending.deadline,
        model: pending.model.as_ref().map(model),
        focus,
    }
}

pub(crate) fn session(view: &SessionView, pending: &[Arc<PendingApproval>]) -> protocol::Session {
    protocol::Session {
        name: session_name(&view.key),
        uri: draw::uri::session_text(&view.key),
        mode: view.mode.to_string(),
        counters: counters(view.counters),
        limits: limits(view.limits),
        armed: view.counters.armed(view.limits).map(|cap| cap.to_string()),
        pending: pending
            .iter()
            .filter(|approval| approval.key.root() == view.key)
            .count(),
        workspace: view.workspace.as_ref().map(ToString::to_string),
        started: view.started,
        seen: view.seen,
        ended: view.ended,
        paused: view.paused,
        set_aside: view.set_aside.clone(),
        elsewhere: view.elsewhere,
    }
}

pub(crate) fn entries(entries: &[WorkspaceEntry]) -> Vec<protocol::Entry> {
    entries
        .iter()
        .map(|entry| protocol::Entry {
            key: entry.key.clone(),
            text: visible(&entry.text),
            place: match (&entry.file, entry.line) {
                (Some(file), Some(line)) => Some(format!("{file}:{line}")),
                (Some(file), None) => Some(file.to_string()),
                (None, _) => None,
            },
        })
        .collect()
}

fn workspace(service: &Service, folder: &str, settings: &Effective) -> protocol::Workspace {
    let waits = !settings.pending_consent.is_empty();
    let removed = !settings.kept_tightening.is_empty();
    protocol::Workspace {
        folder: folder.to_owned(),
        trusted: settings.trusted,
        mode: service.next_mode_of(folder.into()).to_string(),
        pending: entries(&settings.pending_consent),
        withdrawn: entries(&settings.withdrawn),
        consent_digest: waits.then(|| settings.consent_digest().to_string()),
        removed: entries(&settings.kept_tightening),
        removal_digest: removed.then(|| settings.removal_digest().to_string()),
        problems: settings.problems.len(),
        baseline: service
            .baseline(folder.into())
            .map(|(known, head)| protocol::Baseline {
                commit: known.commit,
                head,
                since: known.since,
                by: known.by.as_str().to_owned(),
            }),
    }
}

/// The whole status. Reads settings files where they changed.
pub(crate) fn status(service: &Service) -> protocol::Status {
    let pending = service.pending();
    let sessions: Vec<_> = service
        .sessions()
        .iter()
        .map(|view| session(view, &pending))
        .collect();
    let workspaces: Vec<_> = service
        .workspaces()
        .iter()
        .map(|folder| workspace(service, folder.as_str(), &service.settings(folder)))
        .collect();
    let last = service
        .sessions()
        .iter()
        .filter_map(|view| service.story(&view.key).last().cloned())
        .max_by_key(|call| call.time);
    let degraded = service.degraded();
    let health = match (service.refusal(), degraded.is_empty()) {
        (Some(_), _) => Health::Error,
        (None, false) => Health::Warning,
        (None, true) => Health::Ok,
    };
    protocol::Status {
        health,
        degraded,
        degraded_parts: service
            .degraded_parts()
            .into_iter()
            .map(degraded_part)
            .collect(),
        mode: workspaces
            .first()
            .map_or_else(|| "default".to_owned(), |first| first.mode.clone()),
        auto_acknowledged: service.auto_acknowledged(),
        pending: pending.len(),
        workspaces,
        sessions,
        last_decision: last.map(|call| protocol::LastDecision {
            id: call.id.clone(),
            name: session_name(&call.key),
            tool: call.tool.clone(),
            decision: call.decision.verb().to_owned(),
            reason: call.decision.reason().to_owned(),
            time: call.time,
        }),
        classifier: classifier(service.classifier_health()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn degraded_part(part: countersign_service::DegradedPart) -> protocol::DegradedPart {
    protocol::DegradedPart {
        part: match part.part {
            Component::Guard => protocol::Component::Guard,
            Component::Journal => protocol::Component::Journal,
            Component::Settings => protocol::Component::Settings,
            Component::Socket => protocol::Component::Socket,
            Component::Classifier => protocol::Component::Classifier,
            Component::Hooks => protocol::Component::Hooks,
            Component::Export => protocol::Component::Export,
        },
        since: part.since,
        why: part.why,
    }
}

/// One line of the status, for clients that show no more.
pub(crate) fn one_line(status: &protocol::Status) -> String {
    let mut parts = vec![format!("Countersign: {}", status.mode)];
    match status.pending {
        0 => {}
        1 => parts.push("1 approval waits".to_owned()),
        more => parts.push(format!("{more} approvals wait")),
    }
    if let Some(session) = status.sessions.first() {
        let counters = session.counters;
        let denied = counters.total_block + counters.total_unavailable;
        if denied > 0 {
            parts.push(format!("{denied} of {} denials", session.limits.total));
        }
        if let Some(armed) = &session.armed {
            parts.push(format!("the next call asks ({armed})"));
        }
    }
    if let Some(problem) = &status.classifier.problem {
        parts.push(format!("the classifier does not answer: {problem}"));
    }
    parts.extend(status.degraded.iter().cloned());
    parts.join(" · ")
}
