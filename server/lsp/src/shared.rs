//! What handlers, actor and publisher share: the service, and what is known
//! of the client.

use std::sync::{Arc, OnceLock};

use countersign_service::Service;

use crate::client::ClientCapabilities;

/// What all parts of the language server share.
pub(crate) struct Shared {
    pub(crate) service: Arc<Service>,
    client: OnceLock<Arc<ClientCapabilities>>,
}

impl Shared {
    pub(crate) const fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            client: OnceLock::new(),
        }
    }

    /// The client said what it can do; only the first word counts.
    pub(crate) fn begin(&self, client: ClientCapabilities) {
        let _ = self.client.set(Arc::new(client));
    }

    /// What the client can do; nothing before it said so.
    pub(crate) fn client(&self) -> Arc<ClientCapabilities> {
        self.client.get().cloned().unwrap_or_default()
    }
}
