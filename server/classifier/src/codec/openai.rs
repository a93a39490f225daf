//! Chat completions as OpenAI defines them and many servers speak them.

use countersign_core::model::{ClassifierSettings, InstructionRole, Stage, StructuredOutput};
use countersign_core::prompt::{self, Prompt, Schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Meta, NotTheInterface, Spoken, ids, is_our_tool, other_form, refusal, tool_description,
    tool_name, unknown_end,
};
use crate::answer;
use crate::dialect::{Dialect, Thinking};

/// A request. The order of the fields is that of the bytes: what differs
/// between the stages comes last.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_template_kwargs: Option<EnableThinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_thinking: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tool; 2]>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
}

#[derive(Serialize)]
struct EnableThinking {
    enable_thinking: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: MessageText<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum MessageText<'a> {
    Whole(&'a str),
    Joined(String),
}

#[derive(Serialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    name: &'static str,
    description: &'static str,
    parameters: Schema,
    strict: bool,
}

#[derive(Serialize)]
struct ToolChoice {
    #[serde(rename = "type")]
    kind: &'static str,
    function: ToolName,
}

#[derive(Serialize)]
struct ToolName {
    name: &'static str,
}

#[derive(Serialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<JsonSchema>,
}

#[derive(Serialize)]
struct JsonSchema {
    name: &'static str,
    strict: bool,
    schema: Schema,
}

/// The body of a question.
pub(super) fn body<'a>(
    settings: &'a ClassifierSettings,
    dialect: &Dialect,
    stage: Stage,
    prompt: &'a Prompt,
) -> Body<'a> {
    let style = settings.structured_output;
    let most = stage.max_output_tokens();
    let (effort, template) = match dialect.thinking {
        Thinking::Effort { effort, template } => (effort, template),
        _ => (None, false),
    };
    Body {
        model: &settings.model,
        temperature: dialect.temperature.then_some(0),
        reasoning_effort: effort,
        chat_template_kwargs: template.then_some(EnableThinking {
            enable_thinking: false,
        }),
        enable_thinking: (dialect.thinking == Thinking::Flag).then_some(false),
        tools: (style == StructuredOutput::ToolCall).then(|| Stage::ALL.map(tool)),
        messages: messages(settings.instruction_role, stage, prompt),
        max_tokens: (!dialect.completion_tokens).then_some(most),
        max_completion_tokens: dialect.completion_tokens.then_some(most),
        response_format: match style {
            StructuredOutput::JsonSchema => Some(ResponseFormat {
                kind: "json_schema",
                json_schema: Some(JsonSchema {
                    name: tool_name(stage),
                    strict: true,
                    schema: prompt::schema(stage),
                }),
            }),
            StructuredOutput::JsonObject => Some(ResponseFormat {
                kind: "json_object",
                json_schema: None,
            }),
            StructuredOutput::ToolCall | StructuredOutput::Plain => None,
        },
        tool_choice: (style == StructuredOutput::ToolCall).then(|| ToolChoice {
            kind: "function",
            function: ToolName {
                name: tool_name(stage),
            },
        }),
    }
}

fn tool(stage: Stage) -> Tool {
    Tool {
        kind: "function",
        function: Function {
            name: tool_name(stage),
            description: tool_description(stage),
            parameters: prompt::schema(stage),
            strict: true,
        },
    }
}

fn messages(role: InstructionRole, stage: Stage, prompt: &Prompt) -> Vec<Message<'_>> {
    let instruction = prompt::instruction(stage);
    let system = Message {
        role: "system",
        content: MessageText::Whole(&prompt.system),
    };
    match role {
        InstructionRole::System => vec![
            system,
            Message {
                role: "user",
                content: MessageText::Whole(&prompt.content),
            },
            Message {
                role: "system",
                content: MessageText::Whole(instruction),
            },
        ],
        // One text: not every server takes a list of parts.
        InstructionRole::User => vec![
            system,
            Message {
                role: "user",
                content: MessageText::Joined(format!("{}\n\n{instruction}", prompt.content)),
            },
        ],
    }
}

#[derive(Deserialize)]
struct Response<'a> {
    id: Option<String>,
    request_id: Option<String>,
    model: Option<String>,
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    finish_reason: Option<String>,
    #[serde(borrow)]
    message: Spoke<'a>,
}

#[derive(Deserialize)]
struct Spoke<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    function: Called<'a>,
}

#[derive(Deserialize)]
struct Called<'a> {
    name: String,
    #[serde(borrow)]
    arguments: &'a RawValue,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// `DeepSeek`'s name for the cached ones.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// Reads a response of status 200.
pub(super) fn read(
    settings: &ClassifierSettings,
    stage: Stage,
    body: &[u8],
    meta: &mut Meta,
) -> Result<Spoken, NotTheInterface> {
    let response: Response<'_> = serde_json::from_slice(body)?;
    meta.model = response.model.as_deref().and_then(ids::sound);
    meta.message_id = response.id.as_deref().and_then(ids::sound);
    if meta.request_id.is_none() {
        meta.request_id = response.request_id.as_deref().and_then(ids::sound);
    }
    let mut reasoned = false;
    if let Some(usage) = &response.usage {
        meta.input_tokens = usage.prompt_tokens;
        meta.output_tokens = usage.completion_tokens;
        meta.cached_tokens = usage
            .prompt_tokens_details
            .as_ref()
            .and_then(|details| details.cached_tokens)
            .or(usage.prompt_cache_hit_tokens);
        reasoned = usage
            .completion_tokens_details
            .as_ref()
            .and_then(|details| details.reasoning_tokens)
            .is_some_and(|tokens| tokens > 0);
    }
    let [choice] = response.choices.as_slice() else {
        return Ok(Err(other_form("the response has not exactly one choice")).into());
    };
    let spoke = &choice.message;
    let (text, refused) = text_of(spoke.content)?;
    if let Some(said) = spoke.refusal.as_deref().or(refused.as_deref())
        && !said.is_empty()
    {
        return Ok(Err(refusal("the model refused to answer", Some(said))).into());
    }
    match choice.finish_reason.as_deref() {
        None | Some("stop" | "end_turn" | "stop_sequence" | "tool_calls" | "tool_use") => {}
        Some("length" | "max_tokens" | "model_length") => {
            let thoughts = [&spoke.reasoning_content, &spoke.reasoning];
            let thought = reasoned
                || text.trim_start().starts_with("<think>")
                || thoughts
                    .iter()
                    .any(|thoughts| thoughts.as_ref().is_some_and(|text| !text.is_empty()));
            return Ok(Spoken::cut_off(stage, thought));
        }
        Some("content_filter" | "refusal" | "safety" | "sensitive") => {
            return Ok(Err(refusal(
                "the endpoint's content filter cut the answer",
                None,
            ))
            .into());
        }
        Some(why) => return Ok(Err(unknown_end(why)).into()),
    }
    let calls = spoke.tool_calls.as_deref().unwrap_or_default();
    if settings.structured_output != StructuredOutput::ToolCall {
        if !calls.is_empty() {
            return Ok(Err(other_form(
                "the model called a tool that it was not offered",
            ))
            .into());
        }
        return Ok(answer::from_text(stage, settings.structured_output, &text).into());
    }
    let [call] = calls else {
        return Ok(Err(other_form("the model did not call the tool exactly once")).into());
    };
    if !is_our_tool(&call.function.name) {
        return Ok(Err(other_form("the model called another tool")).into());
    }
    // The interface says a text; some servers give the object itself.
    let arguments = call.function.arguments.get();
    Ok(match serde_json::from_str::<String>(arguments) {
        Ok(text) => answer::from_json(stage, &text),
        Err(_) => answer::from_json(stage, arguments),
    }
    .into())
}

/// The text of a message, and a refusal among its parts.
fn text_of(content: Option<&RawValue>) -> Result<(String, Option<String>), NotTheInterface> {
    let Some(content) = content else {
        return Ok((String::new(), None));
    };
    if content.get().starts_with('"') {
        return Ok((serde_json::from_str(content.get())?, None));
    }
    let parts: Option<Vec<Part>> = serde_json::from_str(content.get())?;
    let mut text = String::new();
    let mut refused = None;
    for part in parts.into_iter().flatten() {
        match part.kind.as_str() {
            "text" => text.push_str(part.text.as_deref().unwrap_or_default()),
            "refusal" => refused = part.refusal.or(part.text),
            // Thoughts and what is not known are not the answer.
            _ => {}
        }
    }
    Ok((text, refused))
}
