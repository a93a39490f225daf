//! What the model says to a request, in the form of its interface.

use serde_json::{Value, json};

use super::connection::{Answer, events, json as plain};
use super::conversation::{self, Api};
use super::{CLOSING, Request, Script, ToolCall};

/// The model's name where a request names none.
const MODEL: &str = "mock";

/// What to say.
enum Turn {
    Call(ToolCall, usize),
    Text(String),
}

/// The answer to any request.
pub(super) fn answer(request: &Request, script: &Script) -> Answer {
    let Some(api) = Api::of(request) else {
        return plain(&beside(request));
    };
    let turn = turn(request, script);
    let streams = match api {
        Api::Gemini => request.target.contains(":streamGenerateContent"),
        Api::Chat | Api::Responses | Api::Messages => request.body["stream"] == true,
    };
    let model = request.body["model"].as_str().unwrap_or(MODEL);
    match api {
        Api::Chat => chat(&turn, model, streams),
        Api::Responses => responses(&turn, model, streams),
        Api::Messages => messages(&turn, model, streams),
        Api::Gemini => gemini(&turn, streams),
    }
}

/// What stands beside questions: lists of models, counts of tokens.
fn beside(request: &Request) -> Value {
    if request.target.contains("count_tokens") || request.target.contains(":countTokens") {
        return json!({ "input_tokens": 10, "totalTokens": 10 });
    }
    if request.target.contains("/models") {
        return json!({
            "object": "list",
            "data": [{ "id": MODEL, "object": "model" }],
            "models": [],
        });
    }
    json!({})
}

fn turn(request: &Request, script: &Script) -> Turn {
    let text = request.body.to_string();
    let aside = script
        .asides
        .iter()
        .find(|(contained, _)| text.contains(contained));
    if let Some((_, answer)) = aside {
        return Turn::Text(answer.clone());
    }
    let done = conversation::results(request).len();
    match script.calls.get(done) {
        Some(call) if conversation::offers(request, &call.name) => Turn::Call(call.clone(), done),
        _ => Turn::Text(CLOSING.to_owned()),
    }
}

fn chat(turn: &Turn, model: &str, streams: bool) -> Answer {
    let (content, calls, finish) = match turn {
        Turn::Text(text) => (text.as_str(), None, "stop"),
        Turn::Call(call, number) => {
            let call = json!([{
                "index": 0,
                "id": format!("call_{number}"),
                "type": "function",
                "function": { "name": call.name, "arguments": call.input.to_string() },
            }]);
            ("", Some(call), "tool_calls")
        }
    };
    let mut message = json!({ "role": "assistant", "content": content });
    if let Some(calls) = calls {
        message["tool_calls"] = calls;
    }
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 });
    let base = |object: &str, choices: Value| {
        json!({
            "id": "chatcmpl-1",
            "object": object,
            "created": 1,
            "model": model,
            "choices": choices,
        })
    };
    if !streams {
        let choices = json!([{ "index": 0, "message": message, "finish_reason": finish }]);
        let mut whole = base("chat.completion", choices);
        whole["usage"] = usage;
        return plain(&whole);
    }
    let chunk = |choices| base("chat.completion.chunk", choices);
    let mut last = chunk(json!([]));
    last["usage"] = usage;
    let said = [
        chunk(json!([{ "index": 0, "delta": message, "finish_reason": null }])),
        chunk(json!([{ "index": 0, "delta": {}, "finish_reason": finish }])),
        last,
    ];
    events(&said, Api::Chat)
}

fn responses(turn: &Turn, model: &str, streams: bool) -> Answer {
    let item = match turn {
        Turn::Text(text) => json!({
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{ "type": "output_text", "text": text, "annotations": [] }],
        }),
        Turn::Call(call, number) => json!({
            "type": "function_call",
            "id": format!("fc_{number}"),
            "call_id": format!("call_{number}"),
            "status": "completed",
            "name": call.name,
            "arguments": call.input.to_string(),
        }),
    };
    let response = |status: &str, output: Value, usage: Value| {
        json!({
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": model,
            "status": status,
            "output": output,
            "parallel_tool_calls": true,
            "tools": [],
            "error": null,
            "usage": usage,
        })
    };
    let usage = json!({
        "input_tokens": 10,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": 5,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": 15,
    });
    let whole = response("completed", json!([item]), usage);
    if !streams {
        return plain(&whole);
    }
    let begun = response("in_progress", json!([]), Value::Null);
    let mut said = vec![
        json!({ "type": "response.created", "response": begun }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": item }),
    ];
    if let Turn::Text(text) = turn {
        said.push(json!({
            "type": "response.output_text.delta",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
        }));
    }
    said.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": item }));
    said.push(json!({ "type": "response.completed", "response": whole }));
    for (number, event) in said.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events(&said, Api::Responses)
}

fn messages(turn: &Turn, model: &str, streams: bool) -> Answer {
    let (block, stop) = match turn {
        Turn::Text(text) => (json!({ "type": "text", "text": text }), "end_turn"),
        Turn::Call(call, number) => (
            json!({
                "type": "tool_use",
                "id": format!("toolu_{number}"),
                "name": call.name,
                "input": call.input,
            }),
            "tool_use",
        ),
    };
    let message = |content: Value, stop: Value| {
        json!({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": null,
            "usage": {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
            },
        })
    };
    if !streams {
        return plain(&message(json!([block]), json!(stop)));
    }
    let mut begun = block.clone();
    let delta = match turn {
        Turn::Text(text) => {
            begun["text"] = json!("");
            json!({ "type": "text_delta", "text": text })
        }
        Turn::Call(call, _) => {
            begun["input"] = json!({});
            json!({ "type": "input_json_delta", "partial_json": call.input.to_string() })
        }
    };
    let said = [
        json!({ "type": "message_start", "message": message(json!([]), Value::Null) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": begun }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta",
            "delta": { "stop_reason": stop, "stop_sequence": null },
            "usage": { "output_tokens": 5 },
        }),
        json!({ "type": "message_stop" }),
    ];
    events(&said, Api::Messages)
}

fn gemini(turn: &Turn, streams: bool) -> Answer {
    let part = match turn {
        Turn::Text(text) => json!({ "text": text }),
        Turn::Call(call, _) => json!({ "functionCall": { "name": call.name, "args": call.input } }),
    };
    let whole = json!({
        "candidates": [{
            "content": { "role": "model", "parts": [part] },
            "finishReason": "STOP",
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": 10,
            "candidatesTokenCount": 5,
            "totalTokenCount": 15,
        },
        "modelVersion": MODEL,
        "responseId": "r1",
    });
    if streams {
        events(&[whole], Api::Gemini)
    } else {
        plain(&whole)
    }
}
