use super::*;
use crate::testing::settings;

fn at(base: &str, model: &str) -> ClassifierSettings {
    let mut settings = settings();
    settings.base_url = base.to_owned();
    settings.model = model.to_owned();
    settings
}

fn said(said: &str) -> Hint<'_> {
    Hint::Refused {
        parameter: None,
        said,
    }
}

#[test]
fn the_limit_is_renamed_once_where_its_name_is_refused() {
    let settings = at("https://gateway.example/v1", "m");
    let first = Dialect::guess(&settings);
    assert!(!first.completion_tokens);
    let refusal = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                   'max_completion_tokens' instead.";
    let second = first.learn(&settings, said(refusal)).unwrap();
    assert!(second.completion_tokens);
    assert_eq!(second.learn(&settings, said(refusal)), None);
    let back = second
        .learn(&settings, said("unknown field max_completion_tokens"))
        .unwrap();
    assert!(!back.completion_tokens);
}

#[test]
fn the_named_parameter_counts_before_the_text() {
    let settings = at("https://gateway.example/v1", "m");
    let learned = Dialect::guess(&settings).learn(
        &settings,
        Hint::Refused {
            parameter: Some("temperature"),
            said: "max_tokens is fine, but not this",
        },
    );
    let learned = learned.unwrap();
    assert!(!learned.temperature && !learned.completion_tokens);
    assert_eq!(learned.learn(&settings, said("temperature again")), None);
    assert_eq!(learned.learn(&settings, said("no such model")), None);
}

#[test]
fn an_endpoint_that_refuses_by_turns_is_given_up() {
    let settings = at("https://gateway.example/v1", "m");
    let mut dialect = Dialect::guess(&settings);
    let mut lessons = 0;
    for turn in 0..100 {
        let words = if turn % 2 == 0 {
            "max_tokens"
        } else {
            "max_completion_tokens"
        };
        if let Some(learned) = dialect.learn(&settings, said(words)) {
            dialect = learned;
            lessons += 1;
        }
    }
    assert_eq!(lessons, LESSONS);
}

#[test]
fn models_that_think_unasked_are_told_not_to() {
    let effort = |effort, template| Thinking::Effort {
        effort: Some(effort),
        template,
    };
    for (base, model, thinking) in [
        (
            "http://127.0.0.1:11434/v1",
            "qwen3:8b",
            effort("none", true),
        ),
        (
            "http://127.0.0.1:8000/v1",
            "Qwen/Qwen3-8B",
            effort("none", true),
        ),
        (
            "http://127.0.0.1:8000/v1",
            "qwen3-coder:30b",
            Thinking::Unsaid,
        ),
        ("http://127.0.0.1:8000/v1", "llama3.3", Thinking::Unsaid),
        (
            "http://127.0.0.1:8000/v1",
            "openai/gpt-oss-20b",
            effort("low", false),
        ),
        (
            "https://dashscope.aliyuncs.com/x",
            "qwen3-32b",
            Thinking::Flag,
        ),
        (
            "https://dashscope.aliyuncs.com/x",
            "qwen-plus",
            Thinking::Unsaid,
        ),
        (
            "https://api.openai.com/v1",
            "gpt-5-mini",
            effort("minimal", false),
        ),
        (
            "https://api.openai.com/v1",
            "gpt-5.2",
            effort("none", false),
        ),
        (
            "https://api.openai.com/v1",
            "gpt-4.1-mini",
            Thinking::Unsaid,
        ),
        ("https://notopenai.com/v1", "gpt-5.2", Thinking::Unsaid),
    ] {
        let guess = Dialect::guess(&at(base, model));
        assert_eq!(guess.thinking, thinking, "{model}");
    }
    let mut gemini = settings();
    gemini.provider = Provider::Gemini;
    for (model, thinking) in [
        ("gemini-2.0-flash", Thinking::Unsaid),
        ("gemini-2.5-flash", Thinking::Budget(0)),
        ("gemini-2.5-pro", Thinking::Budget(128)),
        ("models/gemini-3-flash", Thinking::Level("minimal")),
        ("gemini-3.1-pro", Thinking::Level("low")),
    ] {
        gemini.model = model.to_owned();
        assert_eq!(Dialect::guess(&gemini).thinking, thinking, "{model}");
    }
}

#[test]
fn temperature_goes_to_the_models_that_take_it() {
    let mut settings = settings();
    settings.provider = Provider::Anthropic;
    for (model, takes) in [
        ("claude-haiku-4-5", true),
        ("claude-haiku-4-5-20251001", true),
        ("claude-opus-4-20250514", true),
        ("claude-sonnet-4-6", true),
        ("claude-3-5-haiku-latest", true),
        ("qwen-plus", true),
        ("claude-opus-4-7", false),
        ("claude-sonnet-5", false),
        ("claude-mythos-preview", false),
    ] {
        settings.model = model.to_owned();
        assert_eq!(Dialect::guess(&settings).temperature, takes, "{model}");
    }
}

#[test]
fn a_claude_that_always_thinks_is_told_to_think_little() {
    let mut settings = settings();
    settings.provider = Provider::Anthropic;
    settings.model = "claude-new-6".to_owned();
    let disabled = Dialect::guess(&settings)
        .learn(&settings, Hint::ThoughtTooLong)
        .unwrap();
    assert_eq!(disabled.thinking, Thinking::Disabled);
    let low = disabled
        .learn(&settings, said("thinking.type: disabled is not supported"))
        .unwrap();
    assert_eq!(low.thinking, Thinking::Level("low"));
    assert_eq!(low.learn(&settings, Hint::ThoughtTooLong), None);
}

#[test]
fn a_model_that_thinks_too_long_is_told_not_to_as_the_endpoint_allows() {
    let local = at("http://127.0.0.1:1/v1", "m");
    let quiet = Dialect::guess(&local)
        .learn(&local, Hint::ThoughtTooLong)
        .unwrap();
    let effort = |effort, template| Thinking::Effort { effort, template };
    assert_eq!(quiet.thinking, effort(Some("none"), true));
    assert_eq!(quiet.learn(&local, Hint::ThoughtTooLong), None);
    let dropped = quiet
        .learn(&local, said("reasoning_effort: Input should be 'low'"))
        .unwrap();
    assert_eq!(dropped.thinking, effort(None, true));
    let nothing = dropped
        .learn(&local, said("Unrecognized argument: chat_template_kwargs"))
        .unwrap();
    assert_eq!(nothing.thinking, Thinking::Unsaid);

    let qwen = at("https://dashscope.aliyuncs.com/x", "qwen-plus");
    let refusal = "parameter.enable_thinking must be set to false for non-streaming calls";
    let flag = Dialect::guess(&qwen).learn(&qwen, said(refusal)).unwrap();
    assert_eq!(flag.thinking, Thinking::Flag);
    assert_eq!(flag.learn(&qwen, said(refusal)), None);
}
