//! The three interfaces as pure functions: from a prompt to the bytes of a
//! request, and from the bytes of a response to an answer or a failure.

mod anthropic;
mod gemini;
mod ids;
mod openai;
mod refusals;

use std::fmt;

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ClassifierSettings, Provider, Stage};
use countersign_core::prompt::Prompt;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::answer::Answer;
use crate::dialect::Dialect;
use crate::failure::{Again, Failure};
use crate::key::Key;

/// The tool of each stage in the style `tool-call`. Both are offered in both
/// stages, because tools stand before the messages in a provider's cache; which
/// one must be called is said apart.
const fn tool_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Fast => "give_verdict",
        Stage::Thinking => "give_reasoned_verdict",
    }
}

const fn tool_description(stage: Stage) -> &'static str {
    match stage {
        Stage::Fast => "Gives the verdict on the call to judge.",
        Stage::Thinking => "Gives the verdict on the call to judge, with its reasons.",
    }
}

/// Whether a tool of this name was offered. Which of the two was called does
/// not matter: the arguments must be the stage's own to the letter.
fn is_our_tool(name: &str) -> bool {
    Stage::ALL.iter().any(|stage| tool_name(*stage) == name)
}

/// What is kept of a response, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Meta {
    /// The model that answered.
    pub(crate) model: Option<String>,
    /// The provider's id of the request.
    pub(crate) request_id: Option<String>,
    /// The provider's id of the message.
    pub(crate) message_id: Option<String>,
    /// Tokens that were read, with those from the cache.
    pub(crate) input_tokens: Option<u64>,
    /// Those of them that came from the cache.
    pub(crate) cached_tokens: Option<u64>,
    /// Tokens that were written.
    pub(crate) output_tokens: Option<u64>,
}

/// A response, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// What is kept of it.
    pub(crate) meta: Meta,
    /// The answer, or why there is none.
    pub(crate) answer: Result<Answer, Failure>,
    /// How the endpoint wants to be asked instead.
    pub(crate) dialect: Option<Dialect>,
}

/// The bytes of a request's body.
pub(crate) fn encode(
    settings: &ClassifierSettings,
    dialect: &Dialect,
    stage: Stage,
    prompt: &Prompt,
) -> Vec<u8> {
    match settings.provider {
        Provider::OpenaiCompatible => json(&openai::body(settings, dialect, stage, prompt)),
        Provider::Anthropic => json(&anthropic::body(settings, dialect, stage, prompt)),
        Provider::Gemini => json(&gemini::body(settings, dialect, stage, prompt)),
    }
}

/// Structs with text as keys serialise without fail.
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// The headers of a request, with the key.
pub(crate) fn headers(settings: &ClassifierSettings, key: Option<&Key>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let (name, prefix) = match settings.provider {
        Provider::OpenaiCompatible => (HeaderName::from_static("authorization"), "Bearer "),
        Provider::Anthropic => {
            headers.insert(
                HeaderName::from_static("anthropic-version"),
                HeaderValue::from_static("2023-06-01"),
            );
            (HeaderName::from_static("x-api-key"), "")
        }
        // Never in the URL, where logs and proxies would keep it.
        Provider::Gemini => (HeaderName::from_static("x-goog-api-key"), ""),
    };
    if let Some(value) = key.and_then(|key| key.header(prefix)) {
        headers.insert(name, value);
    }
    headers
}

/// Reads a response.
pub(crate) fn decode(
    settings: &ClassifierSettings,
    dialect: &Dialect,
    stage: Stage,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Reply {
    let mut meta = Meta {
        request_id: ids::from_headers(headers),
        ..Meta::default()
    };
    if !status.is_success() {
        let refusal = refusals::read(settings, status, headers, body);
        meta.request_id = meta.request_id.or(refusal.request_id);
        let dialect = refusal
            .hint
            .as_ref()
            .and_then(|hint| dialect.learn(settings, hint.borrowed()));
        return Reply {
            meta,
            answer: Err(refusal.failure),
            dialect,
        };
    }
    let spoken = match settings.provider {
        Provider::OpenaiCompatible => openai::read(settings, stage, body, &mut meta),
        Provider::Anthropic => anthropic::read(settings, stage, body, &mut meta),
        Provider::Gemini => gemini::read(settings, stage, body, &mut meta),
    };
    let Spoken { answer, thought } = spoken.unwrap_or_else(|error| Spoken {
        answer: Err(error.failure(body)),
        thought: false,
    });
    let dialect = match &answer {
        Err(_) if thought => dialect.learn(settings, crate::dialect::Hint::ThoughtTooLong),
        _ => None,
    };
    Reply {
        meta,
        answer,
        dialect,
    }
}

/// What a response of the right form says.
struct Spoken {
    answer: Result<Answer, Failure>,
    /// Whether it ended at the limit after thinking.
    thought: bool,
}

impl From<Result<Answer, Failure>> for Spoken {
    fn from(answer: Result<Answer, Failure>) -> Self {
        Self {
            answer,
            thought: false,
        }
    }
}

impl Spoken {
    /// An answer that ended at the limit of tokens.
    fn cut_off(stage: Stage, thought: bool) -> Self {
        let most = stage.max_output_tokens();
        let what = if thought {
            format!("the answer ended at its limit of {most} tokens, most of them thoughts")
        } else {
            format!("the answer ended at its limit of {most} tokens")
        };
        Self {
            answer: Err(Failure::new(UnavailableReason::Parse, what)
                .again(Again::Now)
                .remedy(
                    "choose a model that answers without thinking, or switch its thinking off",
                )),
            thought,
        }
    }
}

/// The model would not answer.
fn refusal(what: &str, said: Option<&str>) -> Failure {
    Failure::new(UnavailableReason::Refusal, what)
        .said(said)
        .remedy("choose another model, or one without a content filter")
}

/// An answer that did not end as a whole one does: it may lack what would have
/// blocked.
fn unknown_end(why: &str) -> Failure {
    Failure::new(
        UnavailableReason::Parse,
        "the answer ended in a way that is not known",
    )
    .said(Some(why))
    .again(Again::Now)
    .remedy("choose another model or endpoint if it happens often")
}

/// The conversation does not fit.
fn overflow(said: Option<&str>) -> Failure {
    Failure::new(
        UnavailableReason::ContextOverflow,
        "the conversation does not fit the model's context",
    )
    .said(said)
    .remedy("choose a model with a longer context")
}

/// An answer of another form than the style's.
fn other_form(what: &str) -> Failure {
    Failure::new(UnavailableReason::Schema, what)
        .again(Again::Now)
        .remedy(
            "choose another permissions.autoMode.classifier.structuredOutput; countersign doctor \
             finds one",
        )
}

/// A body that is not a response of the interface.
struct NotTheInterface(serde_json::Error);

impl From<serde_json::Error> for NotTheInterface {
    fn from(error: serde_json::Error) -> Self {
        Self(error)
    }
}

impl fmt::Debug for NotTheInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotTheInterface")
    }
}

impl NotTheInterface {
    fn failure(&self, body: &[u8]) -> Failure {
        let trimmed = body.trim_ascii();
        let (reason, what) = if trimmed.is_empty() {
            (UnavailableReason::Parse, "the endpoint's response is empty")
        } else if trimmed.starts_with(b"<") {
            (
                UnavailableReason::Parse,
                "the endpoint's response is a web page",
            )
        } else if self.0.is_data() {
            (
                UnavailableReason::Schema,
                "the endpoint's response is JSON of another interface",
            )
        } else {
            (
                UnavailableReason::Parse,
                "the endpoint's response is not JSON",
            )
        };
        Failure::new(reason, what).again(Again::Now).remedy(
            "check permissions.autoMode.classifier.baseUrl and provider: countersign doctor tries \
             them",
        )
    }
}

#[cfg(test)]
mod tests;
