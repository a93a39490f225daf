//! Anthropic's messages.

use countersign_core::model::{ClassifierSettings, InstructionRole, Stage, StructuredOutput};
use countersign_core::prompt::{self, Prompt, Schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Meta, NotTheInterface, Spoken, ids, is_our_tool, other_form, overflow, refusal,
    tool_description, tool_name, unknown_end,
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
    thinking: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tool; 2]>,
    system: [Text<'a>; 1],
    messages: Vec<Message<'a>>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
}

#[derive(Serialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    /// The cache keeps everything up to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<Kind>,
}

impl<'a> Text<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            kind: "text",
            text,
            cache_control: None,
        }
    }

    const fn cached(text: &'a str) -> Self {
        Self {
            kind: "text",
            text,
            cache_control: Some(Kind { kind: "ephemeral" }),
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Vec<Text<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    description: &'static str,
    input_schema: Schema,
}

#[derive(Serialize)]
struct ToolChoice {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    disable_parallel_tool_use: bool,
}

#[derive(Serialize)]
struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format>,
}

#[derive(Serialize)]
struct Format {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: Schema,
}

/// The body of a question. The interface has no style for some JSON object;
/// that one is asked plainly.
pub(super) fn body<'a>(
    settings: &'a ClassifierSettings,
    dialect: &Dialect,
    stage: Stage,
    prompt: &'a Prompt,
) -> Body<'a> {
    let style = settings.structured_output;
    let tools = style == StructuredOutput::ToolCall;
    Body {
        model: &settings.model,
        temperature: dialect.temperature.then_some(0),
        thinking: (dialect.thinking == Thinking::Disabled).then_some(Kind { kind: "disabled" }),
        tools: tools.then(|| {
            Stage::ALL.map(|stage| Tool {
                name: tool_name(stage),
                description: tool_description(stage),
                input_schema: prompt::schema(stage),
            })
        }),
        system: [Text::cached(&prompt.system)],
        messages: messages(settings.instruction_role, stage, prompt),
        max_tokens: stage.max_output_tokens(),
        output_config: output_config(style, dialect, stage),
        tool_choice: tools.then(|| ToolChoice {
            kind: "tool",
            name: tool_name(stage),
            disable_parallel_tool_use: true,
        }),
    }
}

fn output_config(style: StructuredOutput, dialect: &Dialect, stage: Stage) -> Option<OutputConfig> {
    let effort = match dialect.thinking {
        Thinking::Level(level) => Some(level),
        _ => None,
    };
    let format = (style == StructuredOutput::JsonSchema).then(|| Format {
        kind: "json_schema",
        schema: prompt::schema(stage),
    });
    (effort.is_some() || format.is_some()).then_some(OutputConfig { effort, format })
}

fn messages(role: InstructionRole, stage: Stage, prompt: &Prompt) -> Vec<Message<'_>> {
    let content = Text::cached(&prompt.content);
    let instruction = Text::new(prompt::instruction(stage));
    match role {
        InstructionRole::System => vec![
            Message {
                role: "user",
                content: vec![content],
            },
            Message {
                role: "system",
                content: vec![instruction],
            },
        ],
        InstructionRole::User => vec![Message {
            role: "user",
            content: vec![content, instruction],
        }],
    }
}

#[derive(Deserialize)]
struct Response<'a> {
    id: Option<String>,
    model: Option<String>,
    #[serde(borrow)]
    content: Vec<Block<'a>>,
    stop_reason: Option<String>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
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
    if let Some(usage) = &response.usage {
        // The interface counts what was and what will be cached apart.
        meta.input_tokens = usage.input_tokens.map(|tokens| {
            tokens
                .saturating_add(usage.cache_read_input_tokens.unwrap_or(0))
                .saturating_add(usage.cache_creation_input_tokens.unwrap_or(0))
        });
        meta.cached_tokens = usage.cache_read_input_tokens;
        meta.output_tokens = usage.output_tokens;
    }
    match response.stop_reason.as_deref() {
        None | Some("end_turn" | "stop_sequence" | "tool_use") => {}
        Some("refusal") => {
            return Ok(Err(refusal("the model refused to answer", None)).into());
        }
        Some("max_tokens") => {
            let thought = response
                .content
                .iter()
                .any(|block| block.kind.ends_with("thinking"));
            return Ok(Spoken::cut_off(stage, thought));
        }
        Some("model_context_window_exceeded") => return Ok(Err(overflow(None)).into()),
        Some(why) => return Ok(Err(unknown_end(why)).into()),
    }
    let mut text = String::new();
    let mut calls = Vec::new();
    for block in &response.content {
        match block.kind.as_str() {
            "text" => text.push_str(block.text.as_deref().unwrap_or_default()),
            "tool_use" => calls.push(block),
            // Thoughts and what is not known are not the answer.
            _ => {}
        }
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
    if !call.name.as_deref().is_some_and(is_our_tool) {
        return Ok(Err(other_form("the model called another tool")).into());
    }
    Ok(answer::from_json(stage, call.input.map_or("", RawValue::get)).into())
}
