//! One connection with an editor, from its first byte to its last.

use std::sync::Arc;

use countersign_service::Service;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tower_lsp::LspService;

use crate::actor::{Actor, Event};
use crate::documents;
use crate::outbox::Outbox;
use crate::protocol::{from_client, requests};
use crate::publish::publish;
use crate::server::Backend;
use crate::shared::Shared;
use crate::transport::{Requests, ServeEnd, serve};

/// Speaks with an editor about this service until either ends. Call it once
/// for a service, inside a tokio runtime.
pub async fn run(
    service: Arc<Service>,
    input: impl AsyncRead + Unpin + Send,
    output: impl AsyncWrite + Unpin + Send,
) -> ServeEnd {
    let shared = Arc::new(Shared::new(Arc::clone(&service)));
    let (events, inbox) = mpsc::unbounded_channel();
    let parent_gone = Arc::new(Notify::new());
    let mut made = None;
    let (lsp, socket) = LspService::build(|client| {
        made = Some(client);
        Backend {
            shared: Arc::clone(&shared),
            events: events.clone(),
        }
    })
    .custom_method(from_client::TOOL_CALL, Backend::tool_call)
    .custom_method(from_client::TOOL_RESULT, Backend::tool_result)
    .custom_method(from_client::CANCEL_TOOL_CALL, Backend::cancel_tool_call)
    .custom_method(from_client::USER_MESSAGE, Backend::user_message)
    .custom_method(from_client::SESSION_START, Backend::session_start)
    .custom_method(from_client::SESSION_END, Backend::session_end)
    .custom_method(requests::SET_MODE, Backend::set_mode)
    .custom_method(requests::RESOLVE_APPROVAL, Backend::resolve_approval)
    .custom_method(requests::GRANT, Backend::grant)
    .custom_method(requests::RESET_COUNTERS, Backend::reset_counters)
    .custom_method(requests::TRUST, Backend::trust)
    .custom_method(requests::SET_BASELINE, Backend::set_baseline)
    .custom_method(requests::CONSENT, Backend::consent)
    .custom_method(requests::PENDING_APPROVALS, Backend::pending_approvals)
    .custom_method(requests::STATUS, Backend::status)
    .custom_method(requests::SESSIONS, Backend::sessions)
    .custom_method(requests::EXPLAIN, Backend::explain)
    .custom_method(requests::CALL, Backend::call)
    .custom_method(requests::JOURNAL, Backend::journal)
    .custom_method(
        requests::TEXT_DOCUMENT_CONTENT,
        Backend::text_document_content,
    )
    .finish();
    let Some(client) = made else {
        return ServeEnd::Failed("the language server was not built".to_owned());
    };
    let requests = Requests::new(client.clone(), Handle::current());
    let (redraw, redraws) = watch::channel(0);
    let actor = Actor::new(
        Arc::clone(&shared),
        events.clone(),
        requests.clone(),
        Outbox::to(client.clone()),
        redraw,
        Arc::clone(&parent_gone),
    );
    let tasks = [
        tokio::spawn(actor.run(inbox)),
        tokio::spawn(publish(
            Arc::clone(&shared),
            client,
            requests.clone(),
            redraws,
        )),
        tokio::spawn(hear_changes(Arc::clone(&service), events)),
    ];
    let end = tokio::select! {
        end = serve(lsp, socket, &requests, input, output) => end,
        () = parent_gone.notified() => ServeEnd::InputEnded,
    };
    for task in tasks {
        task.abort();
    }
    service.disconnect().await;
    documents::remove_all(&service.places().runtime_dir);
    end
}

/// Posts what changed in the service, for as long as somebody listens.
async fn hear_changes(service: Arc<Service>, events: mpsc::UnboundedSender<Event>) {
    loop {
        let sessions = service.changed().wait().await;
        if events.send(Event::Changed(sessions)).is_err() {
            return;
        }
        // A person sees no more than this, and drawing costs.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
