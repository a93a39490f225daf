//! Error responses: what they mean for the question, and what of them helps a
//! person.

use std::time::Duration;

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ClassifierSettings, Provider};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::ids;
use crate::dialect::Hint;
use crate::failure::{Again, Failure};

/// An error response, read.
pub(super) struct Refusal {
    /// What it means.
    pub(super) failure: Failure,
    /// What can be learned of it, if it is about the request's form.
    pub(super) hint: Option<OwnedHint>,
    /// The request's id, if the body gives it.
    pub(super) request_id: Option<String>,
}

/// A [`Hint`] that outlives the body.
pub(super) struct OwnedHint {
    parameter: Option<String>,
    said: String,
}

impl OwnedHint {
    pub(super) fn borrowed(&self) -> Hint<'_> {
        Hint::Refused {
            parameter: self.parameter.as_deref(),
            said: &self.said,
        }
    }
}

/// What an error's body says, as far as it is known.
#[derive(Default)]
struct Body {
    text: Option<String>,
    code: Option<String>,
    kind: Option<String>,
    parameter: Option<String>,
    request_id: Option<String>,
}

impl Body {
    fn read(body: &[u8]) -> Self {
        // Gemini's compatible endpoint wraps the object in a list.
        let value = match serde_json::from_slice(body) {
            Ok(Value::Array(list)) => list.into_iter().next().unwrap_or_default(),
            Ok(value) => value,
            Err(_) => return Self::default(),
        };
        let text = |value: &Value, name: &str| match value.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let inner = value.get("error").filter(|inner| inner.is_object());
        let inner = inner.unwrap_or(&value);
        Self {
            text: ["message", "error", "detail", "msg"]
                .iter()
                .find_map(|name| text(inner, name)),
            code: text(inner, "code"),
            kind: text(inner, "type").or_else(|| text(inner, "status")),
            parameter: text(inner, "param"),
            request_id: text(&value, "request_id").and_then(|id| ids::sound(&id)),
        }
    }

    /// Whether one of these stands in what the error says.
    fn mentions(&self, marks: &[&str]) -> bool {
        [&self.text, &self.code, &self.kind, &self.parameter]
            .into_iter()
            .flatten()
            .any(|said| {
                let said = said.to_ascii_lowercase();
                marks.iter().any(|mark| said.contains(mark))
            })
    }
}

const OVERFLOW: [&str; 13] = [
    "context_length_exceeded",
    "exceed_context_size",
    "context length",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
    "input token count",
    "exceeds the maximum number of tokens",
    "range of input length",
    "too many tokens",
    "max_model_len",
    "string_above_max_length",
];

const FILTERED: [&str; 5] = [
    "content_filter",
    "content filter",
    "content_policy",
    "responsibleaipolicy",
    "data_inspection_failed",
];

const STYLE: [&str; 8] = [
    "response_format",
    "json_schema",
    "output_config",
    "output_format",
    "responsejsonschema",
    "response_json_schema",
    "tool_choice",
    "json mode",
];

/// Reads an error response.
pub(super) fn read(
    settings: &ClassifierSettings,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Refusal {
    let body = Body::read(body);
    // Some servers of open models say 500 to a template's complaint.
    let of_the_request = matches!(status.as_u16(), 400 | 413 | 422 | 500);
    let failure = if status == StatusCode::PAYLOAD_TOO_LARGE
        || (of_the_request && body.mentions(&OVERFLOW))
    {
        super::overflow(body.text.as_deref())
    } else if status.is_client_error() && body.mentions(&FILTERED) {
        super::refusal("the endpoint's content filter refused the question", None)
    } else {
        of_status(settings, status, headers, &body)
    };
    let learnable = failure.reason == UnavailableReason::HttpStatus
        && matches!(status.as_u16(), 400 | 422 | 500);
    Refusal {
        hint: learnable.then(|| OwnedHint {
            parameter: body.parameter,
            said: body.text.unwrap_or_default(),
        }),
        failure,
        request_id: body.request_id,
    }
}

fn of_status(
    settings: &ClassifierSettings,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Body,
) -> Failure {
    let failure = Failure::new(
        UnavailableReason::HttpStatus,
        format!("the endpoint answered {}", status.as_u16()),
    )
    .said(body.text.as_deref());
    let wrong_key = settings.provider == Provider::Gemini && body.mentions(&["api key not valid"]);
    match status.as_u16() {
        300..=399 => Failure::new(
            UnavailableReason::HttpStatus,
            format!(
                "the endpoint answered {}: it points elsewhere, where nothing is sent",
                status.as_u16()
            ),
        )
        .remedy("name the final address in permissions.autoMode.classifier.baseUrl"),
        400 if wrong_key => failure.remedy(key_remedy(settings)),
        400 | 422 | 500 if body.mentions(&STYLE) => failure.remedy(
            "choose another permissions.autoMode.classifier.structuredOutput; countersign doctor \
             finds one",
        ),
        400 | 422 | 500 if of_the_role(body) => {
            failure.remedy("set permissions.autoMode.classifier.instructionRole to \"user\"")
        }
        401 | 403 => failure.remedy(key_remedy(settings)),
        404 => failure.remedy(
            "check permissions.autoMode.classifier.model and baseUrl; countersign doctor lists \
             models",
        ),
        429 if body.mentions(&["insufficient_quota", "billing"]) => {
            failure.remedy("check the account's quota at the provider")
        }
        429 => failure
            .again(Again::Later(retry_after(headers)))
            .remedy("lower permissions.autoMode.classifier.maxConcurrent, or raise the quota"),
        408 | 425 | 500..=599 => failure
            .again(Again::Later(retry_after(headers)))
            .remedy("try again later, or choose another endpoint"),
        _ => failure.remedy("check permissions.autoMode.classifier with countersign doctor"),
    }
}

/// Whether the error is about a system message after the first.
fn of_the_role(body: &Body) -> bool {
    body.mentions(&["system"])
        && body.mentions(&[
            "role",
            "beginning",
            "first",
            "alternat",
            "order",
            "only one",
        ])
}

fn key_remedy(settings: &ClassifierSettings) -> String {
    match &settings.api_key_env {
        Some(name) => format!(
            "check the key in {name} and what it is allowed to do at permissions.autoMode.classifier.baseUrl"
        ),
        None => {
            "name the variable with the key in permissions.autoMode.classifier.apiKeyEnv".to_owned()
        }
    }
}

/// The seconds of `Retry-After`; a date is left alone, because no stage waits
/// long enough for one. More than a duration holds is longer than any stage.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}
