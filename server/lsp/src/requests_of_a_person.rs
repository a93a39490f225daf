//! What requests and commands both do for a person.

use std::sync::Arc;

use countersign_core::call::SessionKey;
use countersign_service::{PersonError, Service};
use countersign_store::Filter;

use crate::draw;
use crate::draw::diagnostics::Files;
use crate::prompt;
use crate::protocol::CallResult;
use crate::snapshot::Snapshot;

/// Rows of the journal that explain one call.
const ROWS: usize = 100;

/// Resets the counters of one session, or of all that are known.
pub(crate) async fn reset_counters(
    service: &Arc<Service>,
    session: Option<SessionKey>,
) -> Result<(), PersonError> {
    let sessions = match session {
        Some(key) => vec![key],
        None => service
            .sessions()
            .into_iter()
            .map(|view| view.key)
            .collect(),
    };
    for key in sessions {
        service.reset_counters(key).await?;
    }
    Ok(())
}

/// Why a call was decided as it was, as Markdown.
pub(crate) fn explain(service: &Service, id: &str) -> Option<String> {
    let filter = Filter {
        call: Some(id.to_owned()),
        limit: ROWS,
        ..Filter::default()
    };
    let rows = service.journal().rows(&filter).unwrap_or_default();
    draw::explain::markdown(&Snapshot::take(service), id, &rows)
}

/// A call that waits or that a model denied, whole, as who answers must see it.
pub(crate) fn call(service: &Service, id: &str) -> Option<CallResult> {
    let (call, facts, grantable) = match service.pending_of(id) {
        Some(pending) => (Arc::clone(&pending.call), Arc::clone(&pending.facts), false),
        None => {
            let (call, facts) = prompt::denied_call(service, id)?;
            (call, facts, true)
        }
    };
    Some(CallResult {
        text: draw::prompt_text::whole(&call),
        grantable,
        changes: draw::change::of_files(&call, &facts, &mut Files::real()),
    })
}
