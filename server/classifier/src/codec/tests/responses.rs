//! Responses of every kind, and what each is for the question.

use super::*;

const ALLOW: &str = r#"{"shouldBlock":false}"#;

fn read(settings: &ClassifierSettings, status: u16, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", HeaderValue::from_static("req-7"));
    decode(
        settings,
        &Dialect::guess(settings),
        Stage::Fast,
        StatusCode::from_u16(status).unwrap(),
        &headers,
        body.as_bytes(),
    )
}

fn reason(settings: &ClassifierSettings, status: u16, body: &str) -> Reason {
    read(settings, status, body).answer.unwrap_err().reason
}

fn openai(message: &Value, finish: &str) -> String {
    json!({
        "id": "chatcmpl-1", "model": "m-2026", "object": "chat.completion",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": {
            "prompt_tokens": 100, "completion_tokens": 9,
            "prompt_tokens_details": { "cached_tokens": 64 },
        },
    })
    .to_string()
}

fn anthropic(content: &Value, stop: &str) -> String {
    json!({
        "id": "msg_1", "type": "message", "model": "m-2026", "content": content,
        "stop_reason": stop,
        "usage": {
            "input_tokens": 30, "cache_read_input_tokens": 64, "cache_creation_input_tokens": 6,
            "output_tokens": 9,
        },
    })
    .to_string()
}

fn gemini(parts: &Value, finish: &str) -> String {
    json!({
        "responseId": "r-1", "modelVersion": "m-2026",
        "candidates": [{ "content": { "role": "model", "parts": parts }, "finishReason": finish }],
        "usageMetadata": {
            "promptTokenCount": 100, "cachedContentTokenCount": 64, "candidatesTokenCount": 5,
            "thoughtsTokenCount": 4,
        },
    })
    .to_string()
}

/// An allow in a text, of each provider.
fn in_text(provider: Provider, text: &str) -> String {
    match provider {
        Provider::OpenaiCompatible => openai(&json!({ "content": text }), "stop"),
        Provider::Anthropic => anthropic(&json!([{ "type": "text", "text": text }]), "end_turn"),
        Provider::Gemini => gemini(&json!([{ "text": text }]), "STOP"),
    }
}

/// The same in the arguments of a tool, byte for byte.
fn in_tool(provider: Provider, name: &str, arguments: &str) -> String {
    let body = match provider {
        Provider::OpenaiCompatible => openai(
            &json!({
                "content": null,
                "tool_calls": [{
                    "id": "c", "type": "function",
                    "function": { "name": name, "arguments": arguments },
                }],
            }),
            "tool_calls",
        ),
        Provider::Anthropic => anthropic(
            &json!([{ "type": "tool_use", "id": "t", "name": name, "input": "@" }]),
            "tool_use",
        ),
        Provider::Gemini => gemini(
            &json!([{ "functionCall": { "name": name, "args": "@" } }]),
            "STOP",
        ),
    };
    body.replace("\"@\"", arguments)
}

#[test]
fn a_good_answer_brings_its_ids_and_tokens() {
    for provider in Provider::ALL {
        for style in StructuredOutput::ALL {
            let settings = settings_of(provider, style);
            let body = match style {
                StructuredOutput::ToolCall => in_tool(provider, "give_verdict", ALLOW),
                _ => in_text(provider, ALLOW),
            };
            let reply = read(&settings, 200, &body);
            assert_eq!(reply.answer, Ok(Answer::Allow), "{body}");
            let message = match provider {
                Provider::OpenaiCompatible => "chatcmpl-1",
                Provider::Anthropic => "msg_1",
                Provider::Gemini => "r-1",
            };
            assert_eq!(
                reply.meta,
                Meta {
                    model: Some("m-2026".to_owned()),
                    request_id: Some("req-7".to_owned()),
                    message_id: Some(message.to_owned()),
                    input_tokens: Some(100),
                    cached_tokens: Some(64),
                    output_tokens: Some(9),
                }
            );
        }
    }
}

#[test]
fn an_answer_in_another_form_than_the_one_asked_for_is_none() {
    for provider in Provider::ALL {
        let tool = settings_of(provider, StructuredOutput::ToolCall);
        let text = settings_of(provider, StructuredOutput::Plain);
        for (settings, body) in [
            (&tool, in_text(provider, ALLOW)),
            (&tool, in_tool(provider, "run_shell", ALLOW)),
            (
                &tool,
                in_tool(
                    provider,
                    "give_verdict",
                    r#"{"shouldBlock":true,"shouldBlock":false}"#,
                ),
            ),
            (
                &tool,
                in_tool(
                    provider,
                    "give_verdict",
                    r#"{"shouldBlock":false,"sure":1}"#,
                ),
            ),
            (&tool, in_tool(provider, "give_verdict", "[false]")),
            (&text, in_tool(provider, "give_verdict", ALLOW)),
            (&text, in_text(provider, "[false]")),
            (&text, "{}".to_owned()),
            (&text, "[]".to_owned()),
            (&text, "null".to_owned()),
            (&text, r#"{"error":{"message":"no"}}"#.to_owned()),
        ] {
            assert_eq!(
                reason(settings, 200, &body),
                Reason::Schema,
                "{provider:?} {body}"
            );
        }
        for body in ["", " ", "<html>no</html>", "{\"choices\":", "ok"] {
            let failure = read(&text, 200, body).answer.unwrap_err();
            assert_eq!(failure.reason, Reason::Parse, "{provider:?} {body}");
            assert_eq!(failure.again, Again::Now);
        }
        let prose = in_text(provider, "Certainly! {\"shouldBlock\":false}");
        assert_eq!(reason(&text, 200, &prose), Reason::Parse);
    }
}

#[test]
fn only_an_answer_that_ended_as_a_whole_one_counts() {
    let said = |provider, end: &str| match provider {
        Provider::OpenaiCompatible => openai(&json!({ "content": ALLOW }), end),
        Provider::Anthropic => anthropic(&json!([{ "type": "text", "text": ALLOW }]), end),
        Provider::Gemini => gemini(&json!([{ "text": ALLOW }]), end),
    };
    for (provider, whole, refused) in [
        (
            Provider::OpenaiCompatible,
            &["stop", "end_turn", "stop_sequence", "tool_calls"][..],
            &["content_filter", "refusal", "safety", "sensitive"][..],
        ),
        (
            Provider::Anthropic,
            &["end_turn", "stop_sequence", "tool_use"],
            &["refusal"],
        ),
        (
            Provider::Gemini,
            &["STOP"],
            &["SAFETY", "RECITATION", "OTHER"],
        ),
    ] {
        let settings = settings_of(provider, StructuredOutput::Plain);
        for end in whole {
            let reply = read(&settings, 200, &said(provider, end));
            assert_eq!(reply.answer, Ok(Answer::Allow), "{provider:?} {end}");
        }
        for end in refused {
            let reason = reason(&settings, 200, &said(provider, end));
            assert_eq!(reason, Reason::Refusal, "{provider:?} {end}");
        }
        if provider == Provider::Gemini {
            continue;
        }
        for end in ["", "pause_turn", "STOP", "network_error", "error", "abort"] {
            let failure = read(&settings, 200, &said(provider, end))
                .answer
                .unwrap_err();
            assert_eq!(failure.reason, Reason::Parse, "{provider:?} {end}");
        }
    }
    let absent = json!({ "choices": [{ "message": { "content": ALLOW } }] }).to_string();
    let settings = settings_of(Provider::OpenaiCompatible, StructuredOutput::Plain);
    assert_eq!(read(&settings, 200, &absent).answer, Ok(Answer::Allow));
}

#[test]
fn several_answers_are_none() {
    let plain = settings_of(Provider::OpenaiCompatible, StructuredOutput::Plain);
    let choice = json!({ "message": { "content": ALLOW }, "finish_reason": "stop" });
    let two = json!({ "choices": [choice, choice] }).to_string();
    assert_eq!(reason(&plain, 200, &two), Reason::Schema);
    let none = json!({ "choices": [] }).to_string();
    assert_eq!(reason(&plain, 200, &none), Reason::Schema);
    let twice = format!(r#"{{"choices":[{choice}],"choices":[{choice}]}}"#);
    assert_eq!(reason(&plain, 200, &twice), Reason::Schema);
    let tools = settings_of(Provider::Anthropic, StructuredOutput::ToolCall);
    let call =
        json!({ "type": "tool_use", "name": "give_verdict", "input": { "shouldBlock": false } });
    assert_eq!(
        reason(&tools, 200, &anthropic(&json!([call, call]), "tool_use")),
        Reason::Schema
    );
}

#[test]
fn thoughts_beside_an_answer_do_not_count() {
    let settings = settings_of(Provider::OpenaiCompatible, StructuredOutput::Plain);
    let body = openai(
        &json!({ "content": ALLOW, "reasoning_content": "{\"shouldBlock\":true}" }),
        "stop",
    );
    assert_eq!(read(&settings, 200, &body).answer, Ok(Answer::Allow));
    let parts = json!([{ "type": "thinking", "text": "x" }, { "type": "text", "text": ALLOW }]);
    let body = openai(&json!({ "content": parts }), "stop");
    assert_eq!(read(&settings, 200, &body).answer, Ok(Answer::Allow));
    let settings = settings_of(Provider::Anthropic, StructuredOutput::Plain);
    let body = anthropic(
        &json!([{ "type": "thinking", "thinking": "x" }, { "type": "text", "text": ALLOW }]),
        "end_turn",
    );
    assert_eq!(read(&settings, 200, &body).answer, Ok(Answer::Allow));
    let settings = settings_of(Provider::Gemini, StructuredOutput::Plain);
    let body = gemini(
        &json!([{ "text": "x", "thought": true }, { "text": ALLOW }]),
        "STOP",
    );
    assert_eq!(read(&settings, 200, &body).answer, Ok(Answer::Allow));
    // Without the mark it is part of the answer, and then it is none.
    let body = gemini(&json!([{ "text": "x" }, { "text": ALLOW }]), "STOP");
    assert_eq!(reason(&settings, 200, &body), Reason::Parse);
}

#[test]
fn an_answer_at_its_limit_is_none_even_if_it_reads_well() {
    use Provider::{Anthropic, Gemini, OpenaiCompatible};
    let said = json!({ "content": ALLOW });
    let thought = json!({ "content": "", "reasoning_content": "hm" });
    let parts = json!([{ "type": "text", "text": ALLOW }]);
    let thoughts = json!([{ "type": "thinking", "thinking": "hm" }]);
    for (provider, body, learns) in [
        (OpenaiCompatible, openai(&said, "length"), false),
        (OpenaiCompatible, openai(&thought, "length"), true),
        (Anthropic, anthropic(&parts, "max_tokens"), false),
        (Anthropic, anthropic(&thoughts, "max_tokens"), true),
        (
            Gemini,
            gemini(&json!([{ "text": ALLOW }]), "MAX_TOKENS"),
            true,
        ),
    ] {
        let reply = read(&settings_of(provider, StructuredOutput::Plain), 200, &body);
        let failure = reply.answer.unwrap_err();
        assert_eq!(failure.reason, Reason::Parse);
        assert!(failure.what.contains("limit of 256 tokens"), "{failure:?}");
        assert_eq!(reply.dialect.is_some(), learns, "{body}");
    }
}

#[test]
fn a_refusal_is_told_from_an_answer_that_cannot_be_read() {
    use Provider::{Anthropic, Gemini, OpenaiCompatible};
    let blocked = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } }).to_string();
    let filtered = json!({ "error": { "message": "x", "code": "content_filter" } }).to_string();
    let inspected = json!({ "error": { "message": "x", "code": "data_inspection_failed" } });
    for (provider, status, body) in [
        (
            OpenaiCompatible,
            200,
            openai(&json!({ "content": null, "refusal": "no" }), "stop"),
        ),
        (
            OpenaiCompatible,
            200,
            openai(&json!({ "content": ALLOW, "refusal": "no" }), "stop"),
        ),
        (
            OpenaiCompatible,
            200,
            openai(&json!({ "content": ALLOW }), "content_filter"),
        ),
        (OpenaiCompatible, 400, filtered),
        (OpenaiCompatible, 400, inspected.to_string()),
        (Anthropic, 200, anthropic(&json!([]), "refusal")),
        (Gemini, 200, blocked),
        (Gemini, 200, gemini(&json!([{ "text": ALLOW }]), "SAFETY")),
        (
            Gemini,
            200,
            gemini(&json!([{ "text": ALLOW }]), "SOMETHING_NEW"),
        ),
    ] {
        let settings = settings_of(provider, StructuredOutput::Plain);
        let failure = read(&settings, status, &body).answer.unwrap_err();
        assert_eq!(failure.reason, Reason::Refusal, "{body}");
        assert_eq!(failure.again, Again::Never);
    }
}

#[test]
fn an_error_says_what_to_change_and_whether_to_try_again() {
    use Provider::{Anthropic, Gemini, OpenaiCompatible};
    let error = |text: &str| json!({ "error": { "message": text } }).to_string();
    for (provider, status, body, kind, again, remedy) in [
        (
            OpenaiCompatible,
            400,
            error("This model's maximum context length is 8192 tokens"),
            Reason::ContextOverflow,
            false,
            "longer context",
        ),
        (
            Anthropic,
            400,
            error("prompt is too long: 210000 tokens > 200000 maximum"),
            Reason::ContextOverflow,
            false,
            "longer context",
        ),
        (
            Gemini,
            400,
            error("The input token count (9) exceeds the maximum number of tokens allowed (8)"),
            Reason::ContextOverflow,
            false,
            "longer context",
        ),
        (
            Anthropic,
            413,
            String::new(),
            Reason::ContextOverflow,
            false,
            "longer context",
        ),
        (
            OpenaiCompatible,
            400,
            json!({ "message": "Range of input length should be [1, 30720]" }).to_string(),
            Reason::ContextOverflow,
            false,
            "longer context",
        ),
        (
            OpenaiCompatible,
            401,
            error("bad key"),
            Reason::HttpStatus,
            false,
            "apiKeyEnv",
        ),
        (
            Gemini,
            400,
            error("API key not valid."),
            Reason::HttpStatus,
            false,
            "apiKeyEnv",
        ),
        (
            OpenaiCompatible,
            404,
            error("no such model"),
            Reason::HttpStatus,
            false,
            "model",
        ),
        (
            OpenaiCompatible,
            404,
            json!({ "error": "plain" }).to_string(),
            Reason::HttpStatus,
            false,
            "model",
        ),
        (
            OpenaiCompatible,
            400,
            error("System message must be at the beginning."),
            Reason::HttpStatus,
            false,
            "instructionRole to \"user\"",
        ),
        (
            Anthropic,
            400,
            error("role 'system' is not supported on this model"),
            Reason::HttpStatus,
            false,
            "instructionRole to \"user\"",
        ),
        (
            OpenaiCompatible,
            400,
            error("'response_format.type' must be 'json_object'"),
            Reason::HttpStatus,
            false,
            "structuredOutput",
        ),
        (
            OpenaiCompatible,
            301,
            String::new(),
            Reason::HttpStatus,
            false,
            "final address",
        ),
        (
            OpenaiCompatible,
            429,
            error("insufficient_quota"),
            Reason::HttpStatus,
            false,
            "quota",
        ),
        (
            OpenaiCompatible,
            429,
            error("slow down"),
            Reason::HttpStatus,
            true,
            "maxConcurrent",
        ),
        (
            OpenaiCompatible,
            500,
            "<html>".to_owned(),
            Reason::HttpStatus,
            true,
            "later",
        ),
        (
            Anthropic,
            529,
            error("Overloaded"),
            Reason::HttpStatus,
            true,
            "later",
        ),
        (
            Gemini,
            418,
            String::new(),
            Reason::HttpStatus,
            false,
            "doctor",
        ),
    ] {
        let settings = settings_of(provider, StructuredOutput::Plain);
        let failure = read(&settings, status, &body).answer.unwrap_err();
        assert_eq!(failure.reason, kind, "{status} {body}");
        assert_eq!(failure.again != Again::Never, again, "{status} {body}");
        assert!(
            failure.remedy.contains(remedy),
            "{status} {body}: {}",
            failure.remedy
        );
        assert!(failure.text(None).chars().count() <= 300);
    }
}

#[test]
fn an_error_about_the_form_teaches_and_others_do_not() {
    let settings = settings_of(Provider::OpenaiCompatible, StructuredOutput::Plain);
    let body = json!({ "error": { "message": "no", "param": "max_tokens" } }).to_string();
    let learned = read(&settings, 400, &body).dialect.unwrap();
    assert!(learned.completion_tokens);
    assert_eq!(read(&settings, 401, &body).dialect, None);
    assert_eq!(read(&settings, 429, &body).dialect, None);
    let overflow = json!({ "error": {
        "message": "maximum context length is 10 tokens, reduce max_tokens",
    } });
    assert_eq!(read(&settings, 400, &overflow.to_string()).dialect, None);
}

#[test]
fn what_an_endpoint_sends_as_an_id_is_bounded_and_visible() {
    let settings = settings_of(Provider::OpenaiCompatible, StructuredOutput::Plain);
    let mut body: Value =
        serde_json::from_str(&in_text(Provider::OpenaiCompatible, ALLOW)).unwrap();
    body["id"] = json!("x\u{1b}[2J".repeat(10_000));
    body["model"] = json!(" ");
    let meta = read(&settings, 200, &body.to_string()).meta;
    let id = meta.message_id.unwrap();
    assert!(id.starts_with("x\\x1b[2J") && id.chars().count() <= 200);
    assert_eq!(meta.model, None);
}

#[test]
fn retry_after_is_read_in_seconds() {
    let settings = settings_of(Provider::OpenaiCompatible, StructuredOutput::Plain);
    let seconds = |seconds| Some(std::time::Duration::from_secs_f64(seconds));
    for (value, wait) in [
        ("3", seconds(3.0)),
        (" 0.5 ", seconds(0.5)),
        // Longer than any stage.
        ("99999999999999999999", Some(std::time::Duration::MAX)),
        ("1e400", Some(std::time::Duration::MAX)),
        ("-1", None),
        ("NaN", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_str(value).unwrap());
        let reply = decode(
            &settings,
            &Dialect::guess(&settings),
            Stage::Fast,
            StatusCode::TOO_MANY_REQUESTS,
            &headers,
            b"",
        );
        assert_eq!(
            reply.answer.unwrap_err().again,
            Again::Later(wait),
            "{value}"
        );
    }
}
