//! What stands in a request of an agent: its interface, the tools that it
//! offers, and the results of those that ran.

use serde_json::Value;

use super::Request;

/// The interface of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
    /// Gemini's `generateContent`.
    Gemini,
}

impl Api {
    /// The interface of a question to the model; nothing for other requests.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let path = request.target.split('?').next().unwrap_or_default();
        if request.method != "POST" {
            None
        } else if path.ends_with("/chat/completions") {
            Some(Self::Chat)
        } else if path.ends_with("/responses") {
            Some(Self::Responses)
        } else if path.ends_with("/messages") {
            Some(Self::Messages)
        } else if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") {
            Some(Self::Gemini)
        } else {
            None
        }
    }
}

/// What a tool gave back, as the model saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// All text of it.
    pub text: String,
}

/// The results of tools in a request, in order.
pub(super) fn results(request: &Request) -> Vec<ToolResult> {
    let Some(api) = Api::of(request) else {
        return Vec::new();
    };
    let body = &request.body;
    let contents: Vec<&Value> = match api {
        Api::Chat => items(&body["messages"])
            .filter(|message| message["role"] == "tool")
            .map(|message| &message["content"])
            .collect(),
        Api::Responses => items(&body["input"])
            .filter(|item| {
                let kind = item["type"].as_str();
                kind.is_some_and(|kind| kind.ends_with("_call_output"))
            })
            .map(|item| &item["output"])
            .collect(),
        Api::Messages => items(&body["messages"])
            .flat_map(|message| items(&message["content"]))
            .filter(|block| block["type"] == "tool_result")
            .map(|block| &block["content"])
            .collect(),
        Api::Gemini => items(&body["contents"])
            .flat_map(|content| items(&content["parts"]))
            .filter_map(|part| part.get("functionResponse"))
            .map(|response| &response["response"])
            .collect(),
    };
    contents
        .into_iter()
        .map(|content| ToolResult {
            text: text_of(content),
        })
        .collect()
}

/// Whether a request offers a tool of this name.
pub(super) fn offers(request: &Request, tool: &str) -> bool {
    fn named(value: &Value, tool: &str) -> bool {
        match value {
            Value::Array(values) => values.iter().any(|value| named(value, tool)),
            Value::Object(fields) => {
                fields.get("name").is_some_and(|name| name == tool)
                    || ["function", "functionDeclarations", "tools"]
                        .iter()
                        .any(|field| fields.get(*field).is_some_and(|value| named(value, tool)))
            }
            _ => false,
        }
    }
    named(&request.body["tools"], tool)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Every text in a value, one below the other.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => joined(values.iter()),
        Value::Object(fields) => joined(fields.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

fn joined<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let texts: Vec<String> = values
        .map(text_of)
        .filter(|text| !text.is_empty())
        .collect();
    texts.join("\n")
}
