//! What the agents' settings offer for the classifier, and that no key ever
//! gets out of them.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::endpoints::{EndpointOffer, notes, offers, settings_files};
use countersign_core::agent::Agent;
use countersign_core::model::Provider;
use proptest::prelude::*;
use serde_json::json;

const HOME: &str = "/home/mila";

fn files(agent: Agent, text: &str) -> Vec<(Utf8PathBuf, String)> {
    settings_files(agent, Utf8Path::new(HOME))
        .into_iter()
        .take(1)
        .map(|path| (path, text.to_owned()))
        .collect()
}

/// An offer in one line: interface, address, model, variable.
fn line(offer: &EndpointOffer) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {}",
        offer.provider.as_str(),
        or_none(&offer.base_url),
        or_none(&offer.model),
        or_none(&offer.api_key_env)
    )
}

fn lines(agent: Agent, text: &str) -> Vec<String> {
    offers(agent, &files(agent, text))
        .iter()
        .map(line)
        .collect()
}

#[test]
fn qwen_codes_providers_are_offered_with_the_model_for_small_tasks_first() {
    let text = r#"{
        // a comment
        "model": {"name": "qwen3-coder-plus"},
        "fastModel": "openai:qwen3-coder-flash",
        "security": {"auth": {"selectedType": "openai"}},
        "env": {"DASHSCOPE_API_KEY": "sk-SECRET"},
        "providerProtocol": {"corp": "anthropic"},
        "modelProviders": {
            "openai": [
                {"id": "other", "baseUrl": "http://localhost:8000/v1", "envKey": "LOCAL_KEY"},
                {"id": "qwen3-coder-plus", "baseUrl": "https://dashscope.example/v1/", "envKey": "DASHSCOPE_API_KEY"},
                {"id": "qwen3-coder-flash", "baseUrl": "https://dashscope.example/v1", "envKey": "DASHSCOPE_API_KEY"},
                {"id": "mistaken", "envKey": "sk-SECRET"},
                {"id": "hidden", "baseUrl": "https://u:SECRET@x.example/v1"},
            ],
            "corp": [{"id": "claude-haiku-5-5"}],
            "vertex-ai": [{"id": "gemini-x"}]
        },
    }"#;
    assert_eq!(
        lines(Agent::Qwen, text),
        [
            "openai-compatible https://dashscope.example/v1 qwen3-coder-flash DASHSCOPE_API_KEY",
            "openai-compatible https://dashscope.example/v1 qwen3-coder-plus DASHSCOPE_API_KEY",
            "anthropic - claude-haiku-5-5 ANTHROPIC_API_KEY",
            "openai-compatible http://localhost:8000/v1 other LOCAL_KEY",
            "openai-compatible - mistaken -",
        ]
    );
    let offers = offers(Agent::Qwen, &files(Agent::Qwen, text));
    assert_eq!(
        offers[0].source,
        "/home/mila/.qwen/settings.json: modelProviders.openai[2]"
    );
    let note = offers[0].note.as_deref().unwrap();
    assert!(note.contains("DASHSCOPE_API_KEY"), "{note}");
    assert_eq!(notes(Agent::Qwen, &files(Agent::Qwen, text)).len(), 2);
}

#[test]
fn qwen_codes_login_by_key_is_offered_and_its_account_is_not() {
    let text = json!({"model": {"name": "m"}, "security": {"auth": {
        "selectedType": "openai", "baseUrl": "https://a.example/v1", "apiKey": "SECRET"}}})
    .to_string();
    assert_eq!(
        lines(Agent::Qwen, &text),
        ["openai-compatible https://a.example/v1 m OPENAI_API_KEY"]
    );
    let text = text.replace("\"openai\"", "\"qwen-oauth\"");
    assert!(lines(Agent::Qwen, &text).is_empty());
    assert_eq!(notes(Agent::Qwen, &files(Agent::Qwen, &text)).len(), 1);
}

#[test]
fn claude_codes_endpoint_is_offered_and_its_subscription_is_not() {
    let text = json!({"model": "opus[1m]", "env": {
        "ANTHROPIC_BASE_URL": "https://gateway.example/anthropic",
        "ANTHROPIC_AUTH_TOKEN": "SECRET",
        "ANTHROPIC_MODEL": "claude-opus-5-5",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-5-5"}})
    .to_string();
    assert_eq!(
        lines(Agent::ClaudeCode, &text),
        [
            "anthropic https://gateway.example/anthropic claude-haiku-5-5 ANTHROPIC_API_KEY",
            "anthropic https://gateway.example/anthropic claude-opus-5-5 ANTHROPIC_API_KEY",
        ]
    );
    let alone = json!({"env": {"ANTHROPIC_BASE_URL": "http://localhost:1/"}}).to_string();
    assert_eq!(
        lines(Agent::ClaudeCode, &alone),
        ["anthropic http://localhost:1 - ANTHROPIC_API_KEY"]
    );
    for login in [
        json!({"model": "claude-opus-5-5"}),
        json!({"env": {"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BASE_URL": "http://a"}}),
        json!({"env": {"ANTHROPIC_BASE_URL": "http://a/?k=SECRET"}}),
    ] {
        let login = login.to_string();
        assert!(lines(Agent::ClaudeCode, &login).is_empty(), "{login}");
        let notes = notes(Agent::ClaudeCode, &files(Agent::ClaudeCode, &login));
        assert_eq!(notes.len(), 1, "{login}");
    }
}

#[test]
fn codexs_providers_are_offered_and_its_subscription_is_not() {
    let text = r#"
        model = "m-1"
        model_provider = "corp"
        [model_providers.azure]
        base_url = "https://azure.example/openai"
        query_params = { api-version = "2026" }
        [model_providers.box]
        base_url = "http://localhost:11434/v1"
        wire_api = "chat"
        [model_providers.corp]
        base_url = "https://corp.example/v1"
        env_key = "CORP_API_KEY"
        wire_api = "responses"
        experimental_bearer_token = "SECRET"
    "#;
    assert_eq!(
        lines(Agent::Codex, text),
        [
            "openai-compatible https://corp.example/v1 m-1 CORP_API_KEY",
            "openai-compatible http://localhost:11434/v1 - -",
        ]
    );
    let offers = offers(Agent::Codex, &files(Agent::Codex, text));
    assert!(
        offers[0]
            .note
            .as_deref()
            .unwrap()
            .contains("chat completions")
    );
    assert_eq!(
        lines(Agent::Codex, "model = \"m-1\""),
        ["openai-compatible - m-1 OPENAI_API_KEY"]
    );
    for login in ["", "model = \"m\"\nforced_login_method = \"chatgpt\""] {
        assert!(lines(Agent::Codex, login).is_empty());
        assert_eq!(notes(Agent::Codex, &files(Agent::Codex, login)).len(), 1);
    }
}

#[test]
fn gemini_clis_model_is_offered_and_its_account_is_not() {
    let text = json!({"model": {"name": "gemini-3-flash"},
        "security": {"auth": {"selectedType": "gemini-api-key"}}})
    .to_string();
    assert_eq!(
        lines(Agent::Gemini, &text),
        ["gemini - gemini-3-flash GEMINI_API_KEY"]
    );
    for none in [
        text.replace("gemini-api-key", "oauth-personal"),
        text.replace("gemini-api-key", "vertex-ai"),
        text.replace("gemini-3-flash", "auto"),
    ] {
        assert!(lines(Agent::Gemini, &none).is_empty(), "{none}");
        assert_eq!(notes(Agent::Gemini, &files(Agent::Gemini, &none)).len(), 1);
    }
}

#[test]
fn opencodes_providers_are_offered_with_the_small_model_first() {
    let text = r#"{
        "model": "anthropic/claude-opus-5-5",
        "small_model": "box/qwen3:8b",
        "provider": {
            "box": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": "http://localhost:11434/v1"},
                "models": {"qwen3:8b": {}}
            },
            "corp": {
                "npm": "@ai-sdk/anthropic",
                "options": {"baseURL": "https://corp.example/v1", "apiKey": "{env:CORP_API_KEY}"},
                "models": {"m": {}}
            },
            "open": {"options": {"baseURL": "https://open.example/v1", "apiKey": "SECRET"}},
            "cloud": {"npm": "@ai-sdk/amazon-bedrock", "options": {"baseURL": "https://b.example"}}
        },
    }"#;
    assert_eq!(
        lines(Agent::Opencode, text),
        [
            "openai-compatible http://localhost:11434/v1 qwen3:8b -",
            "anthropic - claude-opus-5-5 ANTHROPIC_API_KEY",
            "anthropic https://corp.example m CORP_API_KEY",
            "openai-compatible https://open.example/v1 - -",
        ]
    );
    assert_eq!(
        notes(Agent::Opencode, &files(Agent::Opencode, text)).len(),
        1
    );
}

#[test]
fn settings_that_cannot_be_read_offer_nothing_and_say_so() {
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let deep_toml = format!("a = {}", "[".repeat(100_000));
    for agent in Agent::ALL {
        for text in [
            "{",
            "[]",
            "= 1",
            deep.as_str(),
            long.as_str(),
            deep_toml.as_str(),
        ] {
            let files = files(agent, text);
            assert!(offers(agent, &files).is_empty());
            assert_eq!(notes(agent, &files).len(), files.len(), "{agent}");
        }
        assert!(offers(agent, &[]).is_empty());
        assert!(notes(agent, &[]).is_empty());
    }
}

/// Keys as people have them.
fn any_key() -> impl Strategy<Value = String> {
    "(sk-|sk-ant-|AIza|Bearer |)[A-Za-z0-9]{30,50}".prop_filter("random", |key| {
        let digits = key.chars().filter(char::is_ascii_digit).count();
        digits > 2 && key.chars().any(|next| next.is_ascii_lowercase())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Wherever a person put a key, it does not come out.
    #[test]
    fn a_key_never_gets_out(key in any_key(), agent in prop::sample::select(Agent::ALL.to_vec())) {
        let json = json!({
            "model": key, "small_model": format!("x/{key}"), "fastModel": key,
            "selectedAuthType": key, "apiKeyHelper": key,
            "env": {"ANTHROPIC_API_KEY": key, "ANTHROPIC_AUTH_TOKEN": key, "OPENAI_API_KEY": key,
                "ANTHROPIC_MODEL": key, "ANTHROPIC_BASE_URL": format!("https://a.example/{key}")},
            "security": {"auth": {"apiKey": key, "selectedType": "openai",
                "baseUrl": format!("https://{key}@a.example")}},
            "modelProviders": {"openai": [{"id": "m", "envKey": key, "apiKey": key,
                "baseUrl": "https://a.example"}, {"id": key},
                {"id": "n", "baseUrl": format!("https://a.example/?k={key}")}]},
            "provider": {"x": {"options": {"baseURL": "https://a.example", "apiKey": key},
                "models": {key.clone(): {}}}},
        }).to_string();
        let toml = format!(
            "model = \"m\"\nmodel_provider = \"x\"\n[model_providers.x]\nname = \"{key}\"\n\
             base_url = \"https://a.example\"\nenv_key = \"{key}\"\n\
             experimental_bearer_token = \"{key}\"\nhttp_headers = {{ A = \"{key}\" }}\n"
        );
        let text = if agent == Agent::Codex { toml } else { json };
        let files = files(agent, &text);
        let shown = format!("{:?} {:?}", offers(agent, &files), notes(agent, &files));
        prop_assert!(!shown.contains(key.as_str()), "{}", shown);
    }

    #[test]
    fn any_text_is_read_without_a_panic(
        text in "[\\{\\}\\[\\]\":,=a-z\n ./]{0,200}",
        agent in prop::sample::select(Agent::ALL.to_vec()),
    ) {
        let files = files(agent, &text);
        prop_assert!(offers(agent, &files).len() <= 32);
        let _ = notes(agent, &files);
    }
}

#[test]
fn every_interface_has_its_own_variable() {
    for provider in Provider::ALL {
        let kind = match provider {
            Provider::OpenaiCompatible => "openai",
            Provider::Anthropic => "anthropic",
            Provider::Gemini => "gemini",
        };
        let text = json!({"modelProviders": {kind: [{"id": "m"}]}}).to_string();
        let offers = offers(Agent::Qwen, &files(Agent::Qwen, &text));
        let variable = offers[0].api_key_env.as_deref().unwrap();
        assert_eq!(offers[0].provider, provider);
        assert_eq!(variable, format!("{}_API_KEY", kind.to_uppercase()));
    }
}
