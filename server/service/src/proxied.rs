//! What a proxy between an agent and its client reports: it speaks for a
//! process that it started, and for none above itself.

use std::sync::Arc;

use countersign_agents::{DecodeError, EventKind, HookEvent, acp};
use countersign_core::agent::Agent;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{ProcessId, RecordKind};
use countersign_ipc::peer::process_of;
use countersign_ipc::spoken_for;
use countersign_ipc::wire::Request;
use countersign_store::Filter;

use crate::incoming::{Origin, Proxy};
use crate::service::Service;

/// Rows that are looked at for what is on record of one call.
const ROWS: usize = 64;

/// An event from the socket, and who it is from.
pub(crate) struct Understood {
    pub(crate) event: HookEvent,
    pub(crate) process: Option<ProcessId>,
    pub(crate) tighten: Option<ApprovalMode>,
    pub(crate) origin: Origin,
}

/// Understands a report of a proxy at the other end of the socket; `caller` is
/// whoever a hook there would speak for.
pub(crate) fn understand(
    agent: Agent,
    request: &Request,
    payload: &[u8],
    peer: u32,
    caller: Option<ProcessId>,
) -> Result<Understood, DecodeError> {
    let decoded = acp::decode(agent, payload)?;
    let claimed = request.speaks_for.and_then(|pid| spoken_for(peer, pid));
    let proxy = process_of(peer).map(|process| Proxy {
        process,
        is_own: false,
    });
    let (process, origin) = match (claimed, proxy) {
        (Some(process), Some(proxy)) => (Some(process), Origin::Proxy(proxy)),
        // It speaks for nobody but itself, then.
        (None, Some(proxy)) => (caller, Origin::Proxy(proxy)),
        (_, None) => (None, Origin::Hook),
    };
    Ok(Understood {
        event: decoded.event,
        process,
        tighten: ApprovalMode::strictest(request.tighten, decoded.tighten),
        origin,
    })
}

impl Service {
    /// Puts on record that a call was not understood, and so was blocked. It is
    /// blocked all the same where that fails.
    pub async fn record_refusal(self: &Arc<Self>, from: String, why: String) {
        let recorded = self
            .blocking(move |service| service.engine.refused(&from, &why))
            .await;
        if let Ok(Err(error)) = recorded {
            tracing::error!("a call that is blocked is not recorded: {error}");
        }
    }

    /// Whether what a proxy saw of a call is on record already, because the
    /// agent has hooks of ours besides: they hear of a result first. Then
    /// nothing is to be noted, and nothing is unguarded.
    pub(crate) fn is_reported(&self, event: &HookEvent) -> bool {
        let EventKind::Result { call, failed } = &event.kind else {
            return false;
        };
        let Some(id) = &call.id else {
            return false;
        };
        let filter = Filter {
            session: Some(event.key.session.clone()),
            agent: Some(event.key.agent),
            call: Some(id.clone()),
            limit: ROWS,
            ..Filter::default()
        };
        let rows = self.journal().rows(&filter).unwrap_or_default();
        rows.iter().any(|row| {
            let record = &row.record;
            let is_this = record.agent_call.as_ref() == Some(id);
            match record.kind {
                RecordKind::Result => is_this,
                // What was blocked fails; that is no news.
                RecordKind::Decision => {
                    is_this && *failed && record.decision.as_deref() == Some("block")
                }
                _ => false,
            }
        })
    }
}
