//! What the client is told, in order, by one task: whoever has something to
//! tell never waits for a client that does not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tower_lsp::Client;
use tower_lsp::lsp_types::MessageType;
use tower_lsp::lsp_types::notification::Notification;

use crate::draw::markdown::without_links;
use crate::protocol::{
    Approval, ApprovalResolvedParams, DecisionParams, ServerStatusParams, Status, from_server,
};

/// Messages that wait for a client that does not read. What is more is only
/// what a person need not know: it is left out.
const MOST_WAITING: usize = 1_024;

/// Messages that are put up in front of a person within [`A_WHILE`], at most:
/// who is shown more reads none of them.
const MOST_IN_A_WHILE: usize = 20;
const A_WHILE: Duration = Duration::from_secs(60);

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
            let mut shown = Shown::default();
            loop {
                let letter = match shown.until() {
                    Some(until) => tokio::time::timeout_at(until.into(), letters.recv()).await,
                    None => Ok(letters.recv().await),
                };
                let letter = match letter {
                    Ok(Some(letter)) => letter,
                    Ok(None) => return,
                    Err(_) => {
                        if let Some(more) = shown.rest(Instant::now()) {
                            client.show_message(MessageType::WARNING, more).await;
                        }
                        continue;
                    }
                };
                sent.fetch_sub(1, Ordering::Relaxed);
                if matches!(letter, Letter::Message(..)) {
                    let now = Instant::now();
                    if let Some(more) = shown.rest(now) {
                        client.show_message(MessageType::WARNING, more).await;
                    }
                    if !shown.admits(now) {
                        continue;
                    }
                }
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
        let text = harmless(&text);
        if self.waiting.load(Ordering::Relaxed) < MOST_WAITING {
            self.put(Letter::Message(kind, text));
        }
    }

    fn put(&self, letter: Letter) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.sender.send(letter);
    }
}

/// The text on one line: names in it may be an agent's, and editors make links
/// of them.
fn harmless(text: &str) -> String {
    without_links(&text.replace(['\r', '\n'], " "))
}

/// How many messages were shown of late.
#[derive(Debug, Default)]
struct Shown {
    since: Option<Instant>,
    count: usize,
    left_out: usize,
}

impl Shown {
    /// Whether one more is shown; else it is counted.
    fn admits(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now >= since + A_WHILE) {
            self.since = Some(now);
            self.count = 0;
        }
        let admits = self.count < MOST_IN_A_WHILE;
        if admits {
            self.count += 1;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        admits
    }

    /// When to say how many were left out, if any were.
    fn until(&self) -> Option<Instant> {
        self.since
            .filter(|_| self.left_out > 0)
            .map(|since| since + A_WHILE)
    }

    /// What is said of those that were left out, once, when it is time. It is
    /// itself among the messages of the time that begins.
    fn rest(&mut self, now: Instant) -> Option<String> {
        if self.until().is_none_or(|until| now < until) {
            return None;
        }
        let more = std::mem::take(&mut self.left_out);
        self.since = Some(now);
        self.count = 1;
        Some(format!(
            "Countersign: … and {more} more messages; they came too fast to be read"
        ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_in_which_nothing_becomes_a_link() {
        assert_eq!(
            harmless("see [here](command:a)\n<https://z>\u{202e}\u{1b}[2J"),
            "see [here]\\(command:a) \\<https:\\//z>\\<U+202E>\\x1b[2J"
        );
    }

    #[test]
    fn of_a_flood_of_messages_a_person_sees_the_first_and_how_many_there_were() {
        let begin = Instant::now();
        let mut shown = Shown::default();
        assert_eq!(shown.until(), None);
        let admitted = (0..1_000).filter(|_| shown.admits(begin)).count();
        assert_eq!(admitted, MOST_IN_A_WHILE);
        assert_eq!(shown.until(), Some(begin + A_WHILE));
        assert_eq!(shown.rest(begin + A_WHILE / 2), None);
        let after = begin + A_WHILE;
        let told = shown.rest(after).unwrap();
        assert!(told.contains("and 980 more"), "{told}");
        assert_eq!(shown.rest(after + A_WHILE), None, "told twice");
        let admitted = (0..1_000).filter(|_| shown.admits(after)).count();
        assert_eq!(admitted, MOST_IN_A_WHILE - 1);
    }
}
