//! What handlers, actor and publisher share: the service, and what is known
//! of the client.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use countersign_core::call::SessionKey;
use countersign_service::Service;

use crate::client::ClientCapabilities;

/// What all parts of the language server share.
pub(crate) struct Shared {
    pub(crate) service: Arc<Service>,
    client: OnceLock<Arc<ClientCapabilities>>,
    /// Sessions whose documents are not what they were when last drawn.
    changed: Mutex<HashSet<SessionKey>>,
}

impl Shared {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            client: OnceLock::new(),
            changed: Mutex::default(),
        }
    }

    /// The documents of these sessions changed. The service bounds how many
    /// sessions there are.
    pub(crate) fn changed(&self, sessions: HashSet<SessionKey>) {
        self.lock().extend(sessions);
    }

    /// The sessions whose documents changed since this was asked last.
    pub(crate) fn take_changed(&self) -> HashSet<SessionKey> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<SessionKey>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
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
