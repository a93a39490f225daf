//! What the client is told, in order, by one task: whoever has something to
//! tell never waits for a client that does not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::redact;
use tokio::sync::mpsc;
use tower_lsp::Client;
use tower_lsp::lsp_types::MessageType;
use tower_lsp::lsp_types::notification::Notification;

use crate::protocol::{
    Approval, ApprovalResolvedParams, DecisionParams, ServerStatusParams, Status, from_server,
};

/// Messages that wait for a client that does not read. What is more is only
/// what a person need not know: it is left out.
const MOST_WAITING: usize = 1_024;

enum Letter {
    Asked(Box<Approval>),
    Resolved(ApprovalResolvedParams),
    Decision(Box<DecisionParams>),
    Message(MessageType, String),
}

/// Takes what the client is to be told.
#[derive(Clone)]
pub(crate) struct Outbox {
    sender: mpsc::UnboundedSender<Letter>,
    waiting: Arc<AtomicUsize>,
}

impl Outbox {
    /// An outbox for this client.
    pub(crate) fn to(client: Client) -> Self {
        let (sender, mut letters) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let sent = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Some(letter) = letters.recv().await {
                sent.fetch_sub(1, Ordering::Relaxed);
                deliver(&client, letter).await;
            }
        });
        Self { sender, waiting }
    }

    /// A person is asked.
    pub(crate) fn asked(&self, approval: Approval) {
        self.put(Letter::Asked(Box::new(approval)));
    }

    /// An approval is over.
    pub(crate) fn resolved(&self, params: ApprovalResolvedParams) {
        self.put(Letter::Resolved(params));
    }

    /// A call of an agent inside the editor was decided.
    pub(crate) fn decision(&self, params: DecisionParams) {
        self.put(Letter::Decision(Box::new(params)));
    }

    /// A person should read this.
    pub(crate) fn message(&self, kind: MessageType, text: String) {
        // Names in it may be an agent's.
        let text = redact::visible_lines(&text);
        if self.waiting.load(Ordering::Relaxed) < MOST_WAITING {
            self.put(Letter::Message(kind, text));
        }
    }

    fn put(&self, letter: Letter) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.sender.send(letter);
    }
}

async fn deliver(client: &Client, letter: Letter) {
    match letter {
        Letter::Asked(approval) => {
            client
                .send_notification::<ApprovalRequested>(*approval)
                .await
        }
        Letter::Resolved(params) => client.send_notification::<ApprovalResolved>(params).await,
        Letter::Decision(params) => client.send_notification::<Decision>(*params).await,
        Letter::Message(kind, text) => client.show_message(kind, text).await,
    }
}

macro_rules! notifications {
    ($($(#[$doc:meta])* $name:ident($params:ty) = $method:expr;)*) => { $(
        $(#[$doc])*
        pub(crate) enum $name {}
        impl Notification for $name {
            type Params = $params;
            const METHOD: &'static str = $method;
        }
    )* };
}

notifications! {
    /// `countersign/approvalRequested`
    ApprovalRequested(Approval) = from_server::APPROVAL_REQUESTED;
    /// `countersign/approvalResolved`
    ApprovalResolved(ApprovalResolvedParams) = from_server::APPROVAL_RESOLVED;
    /// `countersign/decision`
    Decision(DecisionParams) = from_server::DECISION;
    /// `countersign/status`
    StatusChanged(Status) = from_server::STATUS;
    /// `experimental/serverStatus`
    ServerStatus(ServerStatusParams) = from_server::SERVER_STATUS;
}
