//! What requests and commands both do for a person.

use std::sync::Arc;

use countersign_core::call::SessionKey;
use countersign_service::{PersonError, Service};
use countersign_store::Filter;

use crate::draw;
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
