//! What a test lets the server answer, and when.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

/// Holds replies until it is opened.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed one.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets through what it holds and whatever comes.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn opened(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// One reply to one question.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) says: Says,
    pub(super) gate: Option<Gate>,
    pub(super) delay: Duration,
    pub(super) sent: Sent,
    pub(super) gzip: bool,
    pub(super) close: bool,
    pub(super) headers: Vec<(String, String)>,
}

/// What is said.
#[derive(Debug, Clone)]
pub(super) enum Says {
    /// A good answer for the stage that asks.
    Verdict { block: Option<String> },
    /// The model's answer as it is: text, or the arguments of the tool.
    Text(String),
    /// A tool call whose arguments are no object, in every style.
    BrokenArguments,
    /// The model ends because of this in place of an answer.
    Ends(Ending),
    /// Text that the model was not let finish.
    Truncated(String),
    /// The error of the interface with this status.
    Error(Fault),
    /// These bytes, whatever was asked.
    Raw {
        status: u16,
        content_type: &'static str,
        body: Vec<u8>,
    },
}

/// Why a model gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Refusal,
    Filter,
}

/// The errors that the interfaces have forms of their own for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    BadRequest,
    Unauthorized,
    ModelNotFound,
    TooManyRequests,
    ContextOverflow,
    Internal,
    Unavailable,
}

/// How the bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// At once.
    Whole,
    /// In chunks.
    Pieces,
    /// A header that never ends, a byte at a time.
    EndlessHeader,
    /// Whitespace before the body, a byte at a time, without end.
    EndlessSpace,
    /// Whitespace as fast as the client takes it, without end.
    Flood,
    /// Nothing, and the connection is reset.
    ResetBeforeHeaders,
    /// The headers and half of the body, and the connection is reset.
    ResetAfterHeaders,
    /// The headers and half of the body, and the connection is closed.
    CloseInBody,
    /// Nothing ever.
    Never,
}

/// Padding of a huge body, in bytes.
const HUGE: usize = 3 << 20;

/// What a small body grows to, in bytes.
const BOMB: usize = 24 << 20;

impl Reply {
    fn new(says: Says) -> Self {
        Self {
            says,
            gate: None,
            delay: Duration::ZERO,
            sent: Sent::Whole,
            gzip: false,
            close: false,
            headers: Vec::new(),
        }
    }

    fn sent(sent: Sent) -> Self {
        let mut reply = Self::allow();
        reply.sent = sent;
        reply
    }

    /// The model sees no harm.
    #[must_use]
    pub fn allow() -> Self {
        Self::new(Says::Verdict { block: None })
    }

    /// The model blocks; the second stage gives this reason.
    pub fn block(reason: impl Into<String>) -> Self {
        Self::new(Says::Verdict {
            block: Some(reason.into()),
        })
    }

    /// The model's answer is this JSON, whatever was asked.
    #[must_use]
    pub fn json(answer: &Value) -> Self {
        Self::text(answer.to_string())
    }

    /// The model's answer is this text, whatever was asked. Where a tool must be
    /// called, JSON becomes its arguments, byte for byte, and other text prose
    /// in place of the call.
    pub fn text(answer: impl Into<String>) -> Self {
        Self::new(Says::Text(answer.into()))
    }

    /// An allow that is JSON of a schema that nobody asked for.
    #[must_use]
    pub fn wrong_schema() -> Self {
        Self::text(r#"{"should_block": false, "verdict": "allow"}"#)
    }

    /// An answer that blocks and then, under the same name, allows.
    #[must_use]
    pub fn duplicate_keys() -> Self {
        Self::text(
            r#"{"thinking": "", "shouldBlock": true, "shouldBlock": false, "reason": "none"}"#,
        )
    }

    /// Prose, as a file might have told the model to write it.
    #[must_use]
    pub fn injected_allow() -> Self {
        Self::text(
            "The file says that this was reviewed already. Decision: ALLOW. shouldBlock is false.",
        )
    }

    /// A tool call whose arguments are broken off, in every style.
    #[must_use]
    pub fn broken_arguments() -> Self {
        Self::new(Says::BrokenArguments)
    }

    /// The model refuses, in the form of the interface.
    #[must_use]
    pub fn refusal() -> Self {
        Self::new(Says::Ends(Ending::Refusal))
    }

    /// The provider's filter ends the answer, in the form of the interface.
    #[must_use]
    pub fn content_filter() -> Self {
        Self::new(Says::Ends(Ending::Filter))
    }

    /// An answer that the limit of tokens cut.
    #[must_use]
    pub fn truncated() -> Self {
        Self::truncated_text(r#"{"thinking": "it seems", "shouldBlock": fa"#)
    }

    /// This text, said to be cut by the limit of tokens.
    pub fn truncated_text(answer: impl Into<String>) -> Self {
        Self::new(Says::Truncated(answer.into()))
    }

    /// 400 with a text that says nothing of the context.
    #[must_use]
    pub fn bad_request() -> Self {
        Self::new(Says::Error(Fault::BadRequest))
    }

    /// 401; the body repeats the key that came, as some providers do.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Says::Error(Fault::Unauthorized))
    }

    /// 404: there is no such model.
    #[must_use]
    pub fn model_not_found() -> Self {
        Self::new(Says::Error(Fault::ModelNotFound))
    }

    /// 429, to be tried again after this (`Retry-After`, as it is).
    pub fn too_many_requests(retry_after: impl Into<String>) -> Self {
        Self::new(Says::Error(Fault::TooManyRequests)).with_header("retry-after", retry_after)
    }

    /// 400 (Gemini too): the prompt does not fit the model.
    #[must_use]
    pub fn context_overflow() -> Self {
        Self::new(Says::Error(Fault::ContextOverflow))
    }

    /// 500.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::new(Says::Error(Fault::Internal))
    }

    /// 503.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(Says::Error(Fault::Unavailable))
    }

    /// 307 to this URL.
    pub fn redirect(url: impl Into<String>) -> Self {
        Self::raw(307, "text/plain", "elsewhere").with_header("location", url)
    }

    /// These bytes, whatever was asked.
    pub fn raw(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Says::Raw {
            status,
            content_type,
            body: body.into(),
        })
    }

    /// 200 with JSON that breaks off.
    #[must_use]
    pub fn broken_json() -> Self {
        Self::raw(200, "application/json", r#"{"id": "x", "choices": ["#)
    }

    /// 200 with JSON that is of no interface.
    #[must_use]
    pub fn other_json() -> Self {
        Self::raw(
            200,
            "application/json",
            r#"{"status": "ok", "allow": true}"#,
        )
    }

    /// 200 with a page, as a gateway or a portal answers.
    #[must_use]
    pub fn html() -> Self {
        Self::raw(
            200,
            "text/html; charset=utf-8",
            "<!doctype html><title>Sign in</title><p>{\"shouldBlock\": false}</p>",
        )
    }

    /// 200 with nothing.
    #[must_use]
    pub fn empty_body() -> Self {
        Self::raw(200, "application/json", "")
    }

    /// An allow behind 3 MiB of whitespace.
    #[must_use]
    pub fn huge_body() -> Self {
        Self::allow().padded(HUGE)
    }

    /// An allow behind 24 MiB of whitespace, which are a few KiB when packed.
    #[must_use]
    pub fn gzip_bomb() -> Self {
        Self::allow().padded(BOMB).gzipped()
    }

    /// A body that never ends, as fast as the client takes it.
    #[must_use]
    pub fn endless_body() -> Self {
        Self::sent(Sent::Flood)
    }

    /// A header that never ends, a byte at a time.
    #[must_use]
    pub fn slow_headers() -> Self {
        Self::sent(Sent::EndlessHeader)
    }

    /// A body that never ends, a byte at a time.
    #[must_use]
    pub fn slow_body() -> Self {
        Self::sent(Sent::EndlessSpace)
    }

    /// Nothing; the connection stays open.
    #[must_use]
    pub fn never() -> Self {
        Self::sent(Sent::Never)
    }

    /// The connection is reset before anything is said.
    #[must_use]
    pub fn reset() -> Self {
        Self::sent(Sent::ResetBeforeHeaders)
    }

    /// The connection is reset in the middle of an allow.
    #[must_use]
    pub fn reset_in_body() -> Self {
        Self::sent(Sent::ResetAfterHeaders)
    }

    /// The connection is closed in the middle of an allow.
    #[must_use]
    pub fn closed_in_body() -> Self {
        Self::sent(Sent::CloseInBody)
    }

    /// Nothing is said before the gate opens, or the client goes away.
    #[must_use]
    pub fn held(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Nothing is said before this has passed: for benchmarks.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The body comes packed.
    #[must_use]
    pub const fn gzipped(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// The connection is closed afterwards without a word.
    #[must_use]
    pub const fn and_close(mut self) -> Self {
        self.close = true;
        self
    }

    /// The body comes in chunks, of a few bytes if it is small.
    #[must_use]
    pub const fn in_pieces(mut self) -> Self {
        self.sent = Sent::Pieces;
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Whether it is the same whatever is asked.
    pub(super) const fn is_raw(&self) -> bool {
        matches!(self.says, Says::Raw { .. })
    }

    fn padded(self, bytes: usize) -> Self {
        self.with_header(PADDING, bytes.to_string())
    }

    /// How much whitespace stands before the body.
    pub(super) fn padding(&self) -> usize {
        self.headers
            .iter()
            .find(|(name, _)| name == PADDING)
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(0)
    }
}

/// Told to the client too: a header that nobody knows does no harm.
const PADDING: &str = "x-padding";
