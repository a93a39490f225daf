//! Drawing: diagnostics and status, whole each time and not more often than a
//! person can see, so that a client that is slow misses steps and nothing
//! piles up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tower_lsp::Client;
use tower_lsp::lsp_types::request::{CodeLensRefresh, Request};
use tower_lsp::lsp_types::{Diagnostic, Url};

use crate::convert;
use crate::draw;
use crate::draw::diagnostics::Files;
use crate::outbox::{ServerStatus, StatusChanged};
use crate::protocol::{Health, ServerStatusParams, Status, TextDocumentContentParams, from_server};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::transport::Requests;

/// The least time between two drawings.
const COALESCED: Duration = Duration::from_millis(100);

/// How often settings files are looked at where nothing tells that they changed,
/// and blocks grow old.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the client was shown last.
#[derive(Default)]
struct Drawn {
    diagnostics: BTreeMap<Url, Vec<Diagnostic>>,
    status: Option<Status>,
}

/// Draws whenever something changed, until nobody can say so any more.
pub(crate) async fn publish(
    shared: Arc<Shared>,
    client: Client,
    requests: Requests,
    mut redraw: watch::Receiver<u64>,
) {
    let mut drawn = Drawn::default();
    // What is sent before the client is ready is lost, and would count as shown.
    if redraw.changed().await.is_err() {
        return;
    }
    redraw.mark_changed();
    loop {
        let look = tokio::time::sleep(LOOK_EVERY);
        tokio::select! {
            changed = redraw.changed() => if changed.is_err() { return },
            () = look => {}
        }
        let drawing = Arc::clone(&shared);
        let Ok((status, diagnostics)) = tokio::task::spawn_blocking(move || {
            let snapshot = Snapshot::take(&drawing.service);
            let diagnostics =
                draw::diagnostics::all(&snapshot, &drawing.client(), &mut Files::real());
            (convert::status(&drawing.service), diagnostics)
        })
        .await
        else {
            continue;
        };
        drawn.show(&shared, &client, status, diagnostics).await;
        refresh(&shared, &requests);
        tokio::time::sleep(COALESCED).await;
    }
}

/// Has the client fetch anew what it fetched before.
fn refresh(shared: &Shared, requests: &Requests) {
    let changed = shared.take_changed();
    let client = shared.client();
    if changed.is_empty() {
        return;
    }
    if client.shows_our_documents() {
        for key in &changed {
            // Nobody waits for its answer: it has none.
            drop(requests.send::<ContentRefresh>(TextDocumentContentParams {
                uri: draw::uri::session_text(key),
            }));
        }
    }
    if client.refreshes_lenses {
        drop(requests.send::<CodeLensRefresh>(()));
    }
}

/// `workspace/textDocumentContent/refresh` (LSP 3.18)
enum ContentRefresh {}

impl Request for ContentRefresh {
    type Params = TextDocumentContentParams;
    type Result = Option<Value>;
    const METHOD: &'static str = from_server::TEXT_DOCUMENT_CONTENT_REFRESH;
}

impl Drawn {
    async fn show(
        &mut self,
        shared: &Shared,
        client: &Client,
        status: Status,
        diagnostics: BTreeMap<Url, Vec<Diagnostic>>,
    ) {
        let gone: Vec<Url> = self
            .diagnostics
            .keys()
            .filter(|uri| !diagnostics.contains_key(uri))
            .cloned()
            .collect();
        for uri in gone {
            self.diagnostics.remove(&uri);
            client.publish_diagnostics(uri, Vec::new(), None).await;
        }
        for (uri, list) in diagnostics {
            if self.diagnostics.get(&uri) != Some(&list) {
                self.diagnostics.insert(uri.clone(), list.clone());
                client.publish_diagnostics(uri, list, None).await;
            }
        }
        if self.status.as_ref() == Some(&status) {
            return;
        }
        let capabilities = shared.client();
        if capabilities.draws_approvals() {
            client
                .send_notification::<StatusChanged>(status.clone())
                .await;
        }
        if capabilities.server_status {
            client
                .send_notification::<ServerStatus>(server_status(&status))
                .await;
        }
        self.status = Some(status);
    }
}

fn server_status(status: &Status) -> ServerStatusParams {
    let health = match status.health {
        // Some clients draw attention only to what is not well.
        Health::Ok if status.pending > 0 => "warning",
        Health::Ok => "ok",
        Health::Warning => "warning",
        Health::Error => "error",
    };
    ServerStatusParams {
        health: health.to_owned(),
        quiescent: status.pending == 0,
        message: Some(convert::one_line(status)),
    }
}
