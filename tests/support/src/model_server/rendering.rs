//! A reply as the bytes of the interface that was asked.

use std::io::Write as _;

use countersign_core::model::{Stage, StructuredOutput};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::dialect::{self, Api};
use super::reply::{Ending, Fault, Reply, Says};
use super::request::Received;

/// The model that a server has.
pub const MODEL: &str = "scripted-model";

/// Tokens that every answer says were read, with those from the cache.
pub const INPUT_TOKENS: u64 = 1_200;

/// Tokens that every answer says came from the cache.
pub const CACHED_TOKENS: u64 = 1_000;

/// Tokens that every answer says were written.
pub const OUTPUT_TOKENS: u64 = 17;

/// Stands in a body where the model's answer goes, byte for byte.
const ANSWER: &str = "\"@the-answer@\"";

/// An answer's status, headers and body.
pub(super) struct Rendered {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What the interface says with a reply.
pub(super) fn render(reply: &Reply, request: &Received) -> Rendered {
    let api = Api::of(request);
    let (status, content_type, body) = match &reply.says {
        Says::Raw {
            status,
            content_type,
            body,
        } => (*status, *content_type, body.clone()),
        Says::Error(fault) => {
            let (status, body) = error(api, *fault, request);
            (status, "application/json", body.to_string().into_bytes())
        }
        Says::Verdict { .. }
        | Says::Text(_)
        | Says::BrokenArguments
        | Says::Ends(_)
        | Says::Truncated(_) => {
            let body = message(api, &reply.says, request);
            (200, "application/json", body.into_bytes())
        }
    };
    let padding = reply.padding();
    let mut body = if padding == 0 {
        body
    } else {
        let mut padded = vec![b' '; padding];
        padded.extend_from_slice(&body);
        padded
    };
    let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
    let request_id = match api {
        Api::OpenAi | Api::Gemini => "x-request-id",
        Api::Anthropic => "request-id",
    };
    headers.push((request_id.to_owned(), format!("req-{}", request.number)));
    headers.extend(reply.headers.iter().cloned());
    if reply.gzip {
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        body = packed(&body);
    }
    Rendered {
        status,
        headers,
        body,
    }
}

/// What a look at the models gets: the list, or the model of that name.
pub(super) fn models(request: &Received) -> Rendered {
    let api = Api::of(request);
    let asked = request.path.rsplit('/').next().unwrap_or_default();
    let model = match api {
        Api::OpenAi => json!({ "id": MODEL, "object": "model", "owned_by": "tests" }),
        Api::Anthropic => json!({ "type": "model", "id": MODEL, "display_name": "Scripted" }),
        Api::Gemini => json!({
            "name": format!("models/{MODEL}"),
            "displayName": "Scripted",
            "supportedGenerationMethods": ["generateContent"],
        }),
    };
    let list = match api {
        Api::OpenAi => json!({ "object": "list", "data": [model] }),
        Api::Anthropic => json!({
            "data": [model], "first_id": MODEL, "last_id": MODEL, "has_more": false,
        }),
        Api::Gemini => json!({ "models": [model] }),
    };
    let (status, body) = match asked {
        "models" => (200, list),
        MODEL => (200, model),
        _ => error(api, Fault::ModelNotFound, request),
    };
    Rendered {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(body)
        .and_then(|()| encoder.finish())
        .expect("memory takes every byte")
}

/// A message of the model.
fn message(api: Api, says: &Says, request: &Received) -> String {
    let style = dialect::style(api, &request.body);
    let verdict;
    let (text, cut) = match says {
        Says::Verdict { block } => {
            verdict = good(dialect::stage(&request.body), block.as_deref());
            (verdict.as_str(), false)
        }
        Says::Text(text) => (text.as_str(), false),
        Says::Truncated(text) => (text.as_str(), true),
        Says::BrokenArguments => (r#"{"shouldBlock": fal"#, false),
        Says::Ends(ending) => return envelope(api, request, &ended(api, *ending)).to_string(),
        Says::Error(_) | Says::Raw { .. } => unreachable!("these are no messages"),
    };
    let broken = matches!(says, Says::BrokenArguments);
    let calls = style.output == StructuredOutput::ToolCall || broken;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let tool = style.tool.as_deref().unwrap_or("answer");
    let (said, raw) = if calls && (is_json || broken || cut) {
        // OpenAI's arguments are a text; the others' are a value, which cannot
        // be broken off: there it is a text in its place.
        let raw = match api {
            Api::OpenAi => Value::from(text).to_string(),
            Api::Anthropic | Api::Gemini if is_json => text.to_owned(),
            Api::Anthropic | Api::Gemini => Value::from(text).to_string(),
        };
        (call(api, tool, cut), raw)
    } else {
        (prose(api, cut), Value::from(text).to_string())
    };
    envelope(api, request, &said)
        .to_string()
        .replacen(ANSWER, &raw, 1)
}

/// A good answer of a stage.
fn good(stage: Stage, block: Option<&str>) -> String {
    match stage {
        Stage::Fast => json!({ "shouldBlock": block.is_some() }),
        Stage::Thinking => json!({
            "thinking": "What the call does, and whether the user asked for it.",
            "shouldBlock": block.is_some(),
            "reason": block.unwrap_or("nothing speaks against it"),
        }),
    }
    .to_string()
}

fn marker() -> Value {
    Value::from(ANSWER.trim_matches('"'))
}

/// What stands in the envelope when the model calls a tool.
fn call(api: Api, tool: &str, cut: bool) -> Value {
    match api {
        Api::OpenAi => json!({
            "finish_reason": if cut { "length" } else { "tool_calls" },
            "message": {
                "role": "assistant",
                "content": null,
                "refusal": null,
                "tool_calls": [{
                    "id": "call-1",
                    "type": "function",
                    "function": { "name": tool, "arguments": marker() },
                }],
            },
        }),
        Api::Anthropic => json!({
            "stop_reason": if cut { "max_tokens" } else { "tool_use" },
            "content": [{ "type": "tool_use", "id": "toolu-1", "name": tool, "input": marker() }],
        }),
        Api::Gemini => json!({
            "finishReason": if cut { "MAX_TOKENS" } else { "STOP" },
            "content": {
                "role": "model",
                "parts": [{ "functionCall": { "name": tool, "args": marker() } }],
            },
        }),
    }
}

/// What stands in the envelope when the model writes.
fn prose(api: Api, cut: bool) -> Value {
    match api {
        Api::OpenAi => json!({
            "finish_reason": if cut { "length" } else { "stop" },
            "message": { "role": "assistant", "content": marker(), "refusal": null },
        }),
        Api::Anthropic => json!({
            "stop_reason": if cut { "max_tokens" } else { "end_turn" },
            "content": [{ "type": "text", "text": marker() }],
        }),
        Api::Gemini => json!({
            "finishReason": if cut { "MAX_TOKENS" } else { "STOP" },
            "content": { "role": "model", "parts": [{ "text": marker() }] },
        }),
    }
}

/// What stands in the envelope when there is no answer.
fn ended(api: Api, ending: Ending) -> Value {
    match (api, ending) {
        (Api::OpenAi, Ending::Refusal) => json!({
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": null,
                "refusal": "I cannot help with this.",
            },
        }),
        (Api::OpenAi, Ending::Filter) => json!({
            "finish_reason": "content_filter",
            "message": { "role": "assistant", "content": "", "refusal": null },
        }),
        (Api::Anthropic, Ending::Refusal) => json!({ "stop_reason": "refusal", "content": [] }),
        (Api::Anthropic, Ending::Filter) => json!({
            "stop_reason": "refusal",
            "content": [{ "type": "text", "text": "I cannot" }],
        }),
        // The prompt was blocked: no candidate at all.
        (Api::Gemini, Ending::Refusal) => json!({ "blocked": "PROHIBITED_CONTENT" }),
        (Api::Gemini, Ending::Filter) => json!({ "finishReason": "SAFETY" }),
    }
}

/// A whole answer around what was said.
fn envelope(api: Api, request: &Received, said: &Value) -> Value {
    let number = request.number;
    let total = INPUT_TOKENS + OUTPUT_TOKENS;
    match api {
        Api::OpenAi => json!({
            "id": format!("chatcmpl-{number}"),
            "object": "chat.completion",
            "created": 1_767_225_600,
            "model": MODEL,
            "choices": [with(said, "index", json!(0))],
            "usage": {
                "prompt_tokens": INPUT_TOKENS,
                "completion_tokens": OUTPUT_TOKENS,
                "total_tokens": total,
                "prompt_tokens_details": { "cached_tokens": CACHED_TOKENS },
            },
        }),
        Api::Anthropic => json!({
            "id": format!("msg-{number}"),
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": said.get("content"),
            "stop_reason": said.get("stop_reason"),
            "stop_sequence": null,
            "usage": {
                "input_tokens": INPUT_TOKENS - CACHED_TOKENS,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": CACHED_TOKENS,
                "output_tokens": OUTPUT_TOKENS,
            },
        }),
        Api::Gemini => {
            let answer = json!({
                "responseId": format!("response-{number}"),
                "modelVersion": MODEL,
                "usageMetadata": {
                    "promptTokenCount": INPUT_TOKENS,
                    "cachedContentTokenCount": CACHED_TOKENS,
                    "candidatesTokenCount": OUTPUT_TOKENS,
                    "totalTokenCount": total,
                },
            });
            match said.get("blocked") {
                Some(why) => with(&answer, "promptFeedback", json!({ "blockReason": why })),
                None => {
                    let candidate = with(said, "index", json!(0));
                    with(&answer, "candidates", json!([candidate]))
                }
            }
        }
    }
}

/// An object with one more member.
fn with(object: &Value, name: &str, member: Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), member);
    }
    object
}

/// An error in the form of the interface.
fn error(api: Api, fault: Fault, request: &Received) -> (u16, Value) {
    let key = ["authorization", "x-api-key", "x-goog-api-key"]
        .iter()
        .find_map(|name| request.header(name))
        .unwrap_or("none");
    let overflow = match api {
        Api::OpenAi => {
            "This model's maximum context length is 8192 tokens. However, your messages resulted \
             in 9000 tokens."
        }
        Api::Anthropic => "prompt is too long: 210000 tokens > 200000 maximum",
        Api::Gemini => {
            "The input token count (1100000) exceeds the maximum number of tokens allowed \
             (1048576)."
        }
    };
    // The status, the types in OpenAI's, Anthropic's and Gemini's words, the text.
    let (status, openai, anthropic, gemini, text) = match fault {
        Fault::BadRequest => (
            400,
            "invalid_request_error",
            "invalid_request_error",
            "INVALID_ARGUMENT",
            "a field of this name is not known".to_owned(),
        ),
        Fault::Unauthorized => (
            401,
            "invalid_request_error",
            "authentication_error",
            "UNAUTHENTICATED",
            format!("Incorrect API key provided: {key}"),
        ),
        Fault::ModelNotFound => (
            404,
            "invalid_request_error",
            "not_found_error",
            "NOT_FOUND",
            "the model does not exist".to_owned(),
        ),
        Fault::TooManyRequests => (
            429,
            "rate_limit_error",
            "rate_limit_error",
            "RESOURCE_EXHAUSTED",
            "too many requests".to_owned(),
        ),
        Fault::ContextOverflow => (
            400,
            "invalid_request_error",
            "invalid_request_error",
            "INVALID_ARGUMENT",
            overflow.to_owned(),
        ),
        Fault::Internal => (
            500,
            "server_error",
            "api_error",
            "INTERNAL",
            "the server had an error".to_owned(),
        ),
        Fault::Unavailable => (
            503,
            "server_error",
            "overloaded_error",
            "UNAVAILABLE",
            "the server is overloaded".to_owned(),
        ),
    };
    let code = match fault {
        Fault::ContextOverflow => json!("context_length_exceeded"),
        Fault::ModelNotFound => json!("model_not_found"),
        Fault::Unauthorized => json!("invalid_api_key"),
        Fault::BadRequest | Fault::TooManyRequests | Fault::Internal | Fault::Unavailable => {
            Value::Null
        }
    };
    let body = match api {
        Api::OpenAi => json!({
            "error": { "message": text, "type": openai, "param": null, "code": code },
        }),
        Api::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic, "message": text },
            "request_id": format!("req-{}", request.number),
        }),
        Api::Gemini => json!({
            "error": { "code": status, "message": text, "status": gemini },
        }),
    };
    (status, body)
}
