//! Gemini's `generateContent`.

use countersign_core::model::{ClassifierSettings, InstructionRole, Stage, StructuredOutput};
use countersign_core::prompt::{self, Prompt, Schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Meta, NotTheInterface, Spoken, ids, is_our_tool, other_form, refusal, tool_description,
    tool_name,
};
use crate::answer;
use crate::dialect::{Dialect, Thinking};

/// The user's message where everything else is said as the system: the
/// interface wants one.
const GO_AHEAD: &str = "Judge the call.";

/// A request. The order of the fields is that of the bytes: what differs
/// between the stages comes last.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tools; 1]>,
    system_instruction: Content<'a>,
    contents: [Content<'a>; 1],
    generation_config: GenerationConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools {
    function_declarations: [Function; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Function {
    name: &'static str,
    description: &'static str,
    parameters_json_schema: Schema,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig {
    function_calling_config: FunctionCallingConfig,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionCallingConfig {
    mode: &'static str,
    allowed_function_names: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<Schema>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
}

/// The body of a question.
pub(super) fn body<'a>(
    settings: &'a ClassifierSettings,
    dialect: &Dialect,
    stage: Stage,
    prompt: &'a Prompt,
) -> Body<'a> {
    let style = settings.structured_output;
    let tools = style == StructuredOutput::ToolCall;
    let instruction = prompt::instruction(stage);
    let parts = |texts: &[&'a str]| texts.iter().map(|text| Part { text }).collect();
    let (system, user) = match settings.instruction_role {
        InstructionRole::System => (
            parts(&[&prompt.system, &prompt.content, instruction]),
            parts(&[GO_AHEAD]),
        ),
        InstructionRole::User => (
            parts(&[&prompt.system]),
            parts(&[&prompt.content, instruction]),
        ),
    };
    Body {
        tools: tools.then(|| {
            [Tools {
                function_declarations: Stage::ALL.map(|stage| Function {
                    name: tool_name(stage),
                    description: tool_description(stage),
                    parameters_json_schema: prompt::schema(stage),
                }),
            }]
        }),
        system_instruction: Content {
            role: None,
            parts: system,
        },
        contents: [Content {
            role: Some("user"),
            parts: user,
        }],
        generation_config: GenerationConfig {
            temperature: dialect.temperature.then_some(0),
            thinking_config: match dialect.thinking {
                Thinking::Budget(tokens) => Some(ThinkingConfig {
                    thinking_budget: Some(tokens),
                    thinking_level: None,
                }),
                Thinking::Level(level) => Some(ThinkingConfig {
                    thinking_budget: None,
                    thinking_level: Some(level),
                }),
                _ => None,
            },
            max_output_tokens: stage.max_output_tokens(),
            response_mime_type: match style {
                StructuredOutput::JsonSchema | StructuredOutput::JsonObject => {
                    Some("application/json")
                }
                StructuredOutput::ToolCall | StructuredOutput::Plain => None,
            },
            response_json_schema: (style == StructuredOutput::JsonSchema)
                .then(|| prompt::schema(stage)),
        },
        tool_config: tools.then(|| ToolConfig {
            function_calling_config: FunctionCallingConfig {
                mode: "ANY",
                allowed_function_names: [tool_name(stage)],
            },
        }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    response_id: Option<String>,
    model_version: Option<String>,
    #[serde(borrow)]
    candidates: Option<Vec<Candidate<'a>>>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    finish_reason: Option<String>,
    #[serde(borrow)]
    content: Option<Answered<'a>>,
}

#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow)]
    parts: Option<Vec<Answer<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    text: Option<String>,
    thought: Option<bool>,
    #[serde(borrow)]
    function_call: Option<FunctionCall<'a>>,
}

#[derive(Deserialize)]
struct FunctionCall<'a> {
    name: String,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

/// Reads a response of status 200.
pub(super) fn read(
    settings: &ClassifierSettings,
    stage: Stage,
    body: &[u8],
    meta: &mut Meta,
) -> Result<Spoken, NotTheInterface> {
    let response: Response<'_> = serde_json::from_slice(body)?;
    meta.model = response.model_version.as_deref().and_then(ids::sound);
    meta.message_id = response.response_id.as_deref().and_then(ids::sound);
    let mut thoughts = 0;
    if let Some(usage) = &response.usage_metadata {
        thoughts = usage.thoughts_token_count.unwrap_or(0);
        meta.input_tokens = usage.prompt_token_count;
        meta.cached_tokens = usage.cached_content_token_count;
        // Thoughts are written, too, and counted apart.
        meta.output_tokens = match (usage.candidates_token_count, thoughts) {
            (None, 0) => None,
            (written, thoughts) => Some(written.unwrap_or(0).saturating_add(thoughts)),
        };
    }
    let blocked = response
        .prompt_feedback
        .as_ref()
        .and_then(|feedback| feedback.block_reason.as_deref());
    if let Some(why) = blocked {
        return Ok(Err(refusal("the endpoint refused the question", Some(why))).into());
    }
    let candidates = response.candidates.as_deref().unwrap_or_default();
    let [candidate] = candidates else {
        return Ok(Err(other_form("the response has not exactly one candidate")).into());
    };
    match candidate.finish_reason.as_deref() {
        None | Some("STOP" | "FINISH_REASON_UNSPECIFIED") => {}
        Some("MAX_TOKENS") => return Ok(Spoken::cut_off(stage, thoughts > 0)),
        Some("MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL") => {
            return Ok(Err(other_form("the model did not manage to call the tool")).into());
        }
        // Every other is a filter of some kind.
        Some(why) => {
            return Ok(Err(refusal("the endpoint cut the answer", Some(why))).into());
        }
    }
    let parts = candidate
        .content
        .as_ref()
        .and_then(|content| content.parts.as_deref())
        .unwrap_or_default();
    let mut text = String::new();
    let mut calls = Vec::new();
    for part in parts {
        if part.thought == Some(true) {
            continue;
        }
        text.push_str(part.text.as_deref().unwrap_or_default());
        calls.extend(&part.function_call);
    }
    if settings.structured_output != StructuredOutput::ToolCall {
        if !calls.is_empty() {
            return Ok(Err(other_form(
                "the model called a tool that it was not offered",
            ))
            .into());
        }
        return Ok(answer::from_text(stage, settings.structured_output, &text).into());
    }
    let [call] = calls.as_slice() else {
        return Ok(Err(other_form("the model did not call the tool exactly once")).into());
    };
    if !is_our_tool(&call.name) {
        return Ok(Err(other_form("the model called another tool")).into());
    }
    Ok(answer::from_json(stage, call.args.map_or("", RawValue::get)).into())
}
