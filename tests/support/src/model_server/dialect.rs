//! What a request asks for: the interface, the structured-output style and the
//! stage.

use countersign_core::model::{Stage, StructuredOutput};
use serde_json::Value;

use super::request::Received;

/// The interface that a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Chat completions as OpenAI defines them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
}

/// The style that a body asks for, and in what an answer in it must be wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The style.
    pub output: StructuredOutput,
    /// The tool that must be called: the one that is chosen, else the first.
    pub tool: Option<String>,
}

impl Api {
    /// The interface of a request. A list of models is OpenAI's unless the
    /// headers are another's.
    pub(super) fn of(request: &Received) -> Self {
        let path = request.path.as_str();
        if path.ends_with(":generateContent") || request.header("x-goog-api-key").is_some() {
            Self::Gemini
        } else if path.ends_with("/messages") || request.header("anthropic-version").is_some() {
            Self::Anthropic
        } else {
            Self::OpenAi
        }
    }
}

/// Whether a request asks which models there are, or after one of them.
pub(super) fn asks_for_models(request: &Received) -> bool {
    let mut parts = request.path.rsplit('/');
    let last = parts.next();
    request.method == "GET" && (last == Some("models") || parts.any(|part| part == "models"))
}

/// Whether a request is a question to a model.
pub(super) fn is_question(request: &Received) -> bool {
    request.method == "POST"
        && [":generateContent", "/messages", "/chat/completions"]
            .iter()
            .any(|end| request.path.ends_with(end))
}

/// The style that a question asks for.
pub(super) fn style(api: Api, body: &Value) -> Style {
    let at = |pointer: &str| body.pointer(pointer).filter(|value| !value.is_null());
    let tool = match api {
        Api::OpenAi => at("/tool_choice/function/name").or_else(|| at("/tools/0/function/name")),
        Api::Anthropic => at("/tool_choice/name").or_else(|| at("/tools/0/name")),
        Api::Gemini => at("/toolConfig/functionCallingConfig/allowedFunctionNames/0")
            .or_else(|| at("/tools/0/functionDeclarations/0/name")),
    };
    let schema = match api {
        Api::OpenAi => at("/response_format/json_schema"),
        Api::Anthropic => {
            at("/output_config/format/schema").or_else(|| at("/output_format/schema"))
        }
        Api::Gemini => at("/generationConfig/responseJsonSchema")
            .or_else(|| at("/generationConfig/responseSchema")),
    };
    let object = match api {
        Api::OpenAi => at("/response_format/type"),
        Api::Anthropic => None,
        Api::Gemini => at("/generationConfig/responseMimeType"),
    };
    let output = match (&tool, schema, object) {
        (Some(_), _, _) => StructuredOutput::ToolCall,
        (None, Some(_), _) => StructuredOutput::JsonSchema,
        (None, None, Some(_)) => StructuredOutput::JsonObject,
        (None, None, None) => StructuredOutput::Plain,
    };
    let tool = tool.and_then(Value::as_str).map(str::to_owned);
    Style { output, tool }
}

/// The stage that a question is of: only the first has so few tokens.
pub(super) fn stage(body: &Value) -> Stage {
    let most = [
        "/max_tokens",
        "/max_completion_tokens",
        "/generationConfig/maxOutputTokens",
    ]
    .iter()
    .find_map(|pointer| body.pointer(pointer)?.as_u64());
    match most {
        Some(most) if most <= u64::from(Stage::Fast.max_output_tokens()) => Stage::Fast,
        _ => Stage::Thinking,
    }
}
