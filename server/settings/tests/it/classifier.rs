//! The classifier's endpoint: from the user and the machine, whole or not at all.

use camino::Utf8PathBuf;
use countersign_core::model::{ClassifierSettings, InstructionRole, Provider, StructuredOutput};
use countersign_settings::{EditorLayers, Effective};
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, problems};

/// Settings in which only the classifier is named.
fn settings(classifier: &Value) -> Value {
    json!({"permissions": {"autoMode": {"classifier": classifier}}})
}

fn of_user(classifier: &Value) -> Effective {
    let sandbox = Sandbox::new();
    sandbox.user(&settings(classifier).to_string());
    sandbox.load()
}

fn everything() -> Value {
    json!({
        "provider": "gemini",
        "baseUrl": "https://models.example/v1/",
        "model": "large",
        "fastModel": "small",
        "structuredOutput": "tool-call",
        "instructionRole": "user",
        "apiKeyEnv": "MY_KEY",
        "proxy": "socks5://127.0.0.1:1080",
        "caFile": "~/ca.pem",
        "maxConcurrent": 3,
        "timeouts": {"stage1Ms": 2_000, "stage2Ms": 3_000},
    })
}

#[test]
fn every_value_of_the_user_arrives() {
    let sandbox = Sandbox::new();
    sandbox.user(&settings(&everything()).to_string());
    let effective = sandbox.load();
    assert_eq!(effective.problems, []);
    assert_eq!(
        effective.classifier,
        Some(ClassifierSettings {
            provider: Provider::Gemini,
            base_url: "https://models.example/v1".to_owned(),
            model: "small".to_owned(),
            structured_output: StructuredOutput::ToolCall,
            instruction_role: InstructionRole::User,
            api_key_env: Some("MY_KEY".to_owned()),
            proxy: Some("socks5://127.0.0.1:1080".to_owned()),
            ca_file: Some(sandbox.places.home.join("ca.pem")),
            stage1_ms: 2_000,
            stage2_ms: 3_000,
            max_concurrent: 3,
        })
    );
}

#[test]
fn a_model_is_enough_and_each_provider_has_its_endpoint() {
    for (provider, base_url) in [
        ("openai-compatible", "https://api.openai.com/v1"),
        ("anthropic", "https://api.anthropic.com"),
        ("gemini", "https://generativelanguage.googleapis.com"),
    ] {
        let effective = of_user(&json!({"provider": provider, "model": "a"}));
        let classifier = effective.classifier.unwrap();
        assert_eq!(classifier.base_url, base_url);
        assert_eq!(classifier.provider.as_str(), provider);
    }
    let effective = of_user(&json!({"fastModel": "a", "caFile": "/etc/ca.pem"}));
    assert_eq!(
        effective.classifier,
        Some(ClassifierSettings {
            provider: Provider::OpenaiCompatible,
            base_url: "https://api.openai.com/v1".to_owned(),
            model: "a".to_owned(),
            structured_output: StructuredOutput::JsonSchema,
            instruction_role: InstructionRole::System,
            api_key_env: None,
            proxy: None,
            ca_file: Some(Utf8PathBuf::from("/etc/ca.pem")),
            stage1_ms: 10_000,
            stage2_ms: 30_000,
            max_concurrent: 16,
        })
    );
}

#[test]
fn machine_user_and_editor_make_one_classifier_and_the_strongest_counts() {
    let sandbox = Sandbox::new();
    sandbox.system(&settings(&json!({"model": "machine's"})).to_string());
    sandbox.user(
        &settings(&json!({"model": "user's", "baseUrl": "https://models.example"})).to_string(),
    );
    let editor = EditorLayers {
        user: Some(settings(
            &json!({"baseUrl": "https://other.example", "apiKeyEnv": "MY_KEY"}),
        )),
        ..EditorLayers::default()
    };
    let classifier = sandbox.load_with(&editor).classifier.unwrap();
    assert_eq!(classifier.model, "machine's");
    assert_eq!(classifier.base_url, "https://models.example");
    assert_eq!(classifier.api_key_env.as_deref(), Some("MY_KEY"));
}

/// A value for every setting that no workspace may name, other than the user's.
fn of_workspace() -> Vec<(&'static str, Value)> {
    vec![
        ("classifier.provider", json!("anthropic")),
        ("classifier.baseUrl", json!("https://evil.example")),
        ("classifier.model", json!("evil")),
        ("classifier.fastModel", json!("evil")),
        ("classifier.structuredOutput", json!("plain")),
        ("classifier.instructionRole", json!("system")),
        ("classifier.apiKeyEnv", json!("OTHER_SECRET")),
        ("classifier.proxy", json!("http://evil.example:3128")),
        ("classifier.caFile", json!("/evil.pem")),
        ("classifier.maxConcurrent", json!(1)),
        ("classifier.timeouts.stage1Ms", json!(1_000)),
        ("classifier.timeouts.stage2Ms", json!(1_000)),
        ("mcp.forwardArguments", json!(["evil"])),
    ]
}

#[test]
fn no_workspace_moves_the_endpoint_or_opens_what_is_sent() {
    let mut user = settings(&everything());
    user["permissions"]["autoMode"]["mcp"] = json!({"forwardArguments": ["github"]});
    for user in [user.to_string(), "{}".to_owned()] {
        let sandbox = Sandbox::new();
        sandbox.user(&user);
        sandbox.trust();
        let before = sandbox.load();
        for (name, value) in of_workspace() {
            for value in [value, json!("a key: secret"), json!([1])] {
                let key = format!("permissions.autoMode.{name}");
                let text = key
                    .rsplit('.')
                    .fold(value, |inner, name| json!({ name: inner }));
                sandbox.workspace(&text.to_string());
                let shown = sandbox.load();
                // A person who accepts everything that the workspace wants.
                sandbox
                    .store()
                    .consent(&sandbox.workspace, &shown.loosening, shown.consent_digest())
                    .unwrap();
                let file = sandbox.load();
                std::fs::remove_file(sandbox.workspace_file()).unwrap();
                let editor = sandbox.load_with(&EditorLayers {
                    workspace: Some(text.clone()),
                    ..EditorLayers::default()
                });
                for effective in [file, editor] {
                    assert!(effective.trusted);
                    assert_eq!(effective.classifier, before.classifier, "{text}");
                    assert_eq!(effective.mcp_forwarding, before.mcp_forwarding, "{text}");
                    let problems = problems(&effective).join("\n");
                    let refused = format!(
                        "{key}: not read from a workspace; put it into the user's settings"
                    );
                    assert!(problems.contains(&refused), "{text}: {problems}");
                    assert!(!problems.contains("secret"), "{problems}");
                }
            }
        }
    }
}

#[test]
fn a_broken_value_means_no_classifier_and_is_not_repeated() {
    for (name, value, expected) in [
        (
            "provider",
            json!("somebody"),
            "expected one of openai-compatible, anthropic, gemini",
        ),
        (
            "structuredOutput",
            json!("xml"),
            "expected one of json-schema",
        ),
        (
            "instructionRole",
            json!("assistant"),
            "expected one of system, user",
        ),
        (
            "baseUrl",
            json!("models.example?key=secret"),
            "expected a URL that begins with http:// or https://",
        ),
        (
            "baseUrl",
            json!("https://a:secret@models.example"),
            "a user name or a password must not stand in the URL",
        ),
        (
            "baseUrl",
            json!("https://models.example?key=secret"),
            "the URL must end before",
        ),
        ("model", json!(""), "it is empty"),
        ("model", json!("a\nb"), "control character"),
        ("fastModel", json!(7), "expected a string, found a number"),
        (
            "fastModel",
            json!("x".repeat(201)),
            "longer than 200 characters",
        ),
        (
            "apiKeyEnv",
            json!("sk-proj-secret"),
            "name the environment variable, not the key",
        ),
        (
            "proxy",
            json!("socks4://a:secret@proxy"),
            "expected a URL that begins with http:// or",
        ),
        ("caFile", json!("secret.pem"), "expected an absolute path"),
    ] {
        let sandbox = Sandbox::new();
        let mut classifier = json!({"model": "fine"});
        classifier[name] = value.clone();
        let text = settings(&classifier).to_string();
        sandbox.user(&text);
        // Nothing weaker may stand in for it.
        let effective = sandbox.load_with(&EditorLayers {
            user: Some(settings(&everything())),
            ..EditorLayers::default()
        });
        assert_eq!(effective.classifier, None, "{text}");
        assert_eq!(effective.degraded, None, "rules and modes are as before");
        let problems = problems(&effective).join("\n");
        let column = text.find(&value.to_string()).unwrap() + 1;
        let place = format!(
            "{}:1:{column}: permissions.autoMode.classifier.{name}: ",
            sandbox.places.user_file()
        );
        for expected in [
            place.as_str(),
            expected,
            "there is no classifier until it is mended",
        ] {
            assert!(problems.contains(expected), "{expected}: {problems}");
        }
        assert!(!problems.contains("secret"), "{problems}");
    }
}

#[test]
fn a_broken_count_is_the_default_and_no_reason_to_do_without() {
    let effective =
        of_user(&json!({"model": "a", "maxConcurrent": 0, "timeouts": {"stage1Ms": 1}}));
    assert_eq!(effective.problems.len(), 2, "{:?}", effective.problems);
    let classifier = effective.classifier.unwrap();
    assert_eq!(
        (classifier.max_concurrent, classifier.stage1_ms),
        (16, 10_000)
    );
}

#[test]
fn an_endpoint_that_stands_twice_is_none() {
    let sandbox = Sandbox::new();
    let twice = |urls: [&str; 2]| {
        sandbox.user(&format!(
            r#"{{"permissions": {{"autoMode": {{"classifier": {{
                "model": "a", "baseUrl": "{}", "baseUrl": "{}"}}}}}}}}"#,
            urls[0], urls[1]
        ));
        sandbox.load().classifier
    };
    assert_eq!(twice(["https://a.example", "https://b.example"]), None);
    let same = twice(["https://a.example", "https://a.example/"]).unwrap();
    assert_eq!(same.base_url, "https://a.example");
}

#[test]
fn a_key_never_travels_in_the_clear() {
    let with_key =
        |url: &str| of_user(&json!({"model": "a", "baseUrl": url, "apiKeyEnv": "MY_KEY"}));
    for url in [
        "https://models.example",
        "http://localhost:11434/v1",
        "http://127.0.0.1:8000",
        "http://127.9.9.9",
        "http://[::1]:8000",
    ] {
        let effective = with_key(url);
        assert!(
            effective.classifier.is_some(),
            "{url}: {:?}",
            effective.problems
        );
    }
    for url in [
        "http://models.example",
        "http://192.168.0.7:8000",
        "http://0.0.0.0:8000",
        "http://localhost.models.example",
        "http://127.0.0.1.models.example",
        "http://[::2]",
    ] {
        let effective = with_key(url);
        assert_eq!(effective.classifier, None, "{url}");
        let problem = &effective.problems[0];
        assert!(problem.line.is_some() && problem.column.is_some());
        assert!(
            problem
                .message
                .contains("would be sent over the network without encryption; use https"),
            "{problem}"
        );
        let without_key = of_user(&json!({"model": "a", "baseUrl": url}));
        assert!(without_key.classifier.is_some(), "{url}");
    }
}

#[test]
fn a_key_for_this_machine_does_not_travel_to_a_proxy_in_the_clear() {
    let through = |url: &str, proxy: &str| {
        of_user(&json!({"model": "a", "baseUrl": url, "apiKeyEnv": "MY_KEY", "proxy": proxy}))
            .classifier
            .is_some()
    };
    for proxy in ["http://proxy.example:3128", "socks5://192.168.0.7:1080"] {
        assert!(!through("http://localhost:8000", proxy), "{proxy}");
        assert!(through("https://models.example", proxy), "{proxy}");
    }
    for proxy in ["http://localhost:3128", "socks5://127.0.0.1:1080"] {
        assert!(through("http://localhost:8000", proxy), "{proxy}");
    }
}

#[test]
fn an_endpoint_without_a_model_is_told() {
    for (name, value) in everything().as_object().unwrap() {
        if name.to_lowercase().contains("model") {
            continue;
        }
        let mut classifier = json!({});
        classifier[name] = value.clone();
        let effective = of_user(&classifier);
        assert_eq!(effective.classifier, None);
        let problems = problems(&effective).join("\n");
        assert!(
            problems.contains("there is no classifier; name the model"),
            "{name}: {problems}"
        );
        assert_eq!(effective.problems.len(), 1, "{problems}");
        assert!(effective.problems[0].line.is_some());
    }
    assert_eq!(of_user(&json!({"onUnavailable": "ask"})).problems, []);
}

#[test]
fn a_key_in_the_file_is_answered_with_where_it_belongs() {
    let effective = of_user(&json!({"model": "a", "apiKey": "sk-secret"}));
    assert!(effective.classifier.is_some());
    let problems = problems(&effective).join("\n");
    assert!(
        problems.contains("put it into an environment variable and name that with `apiKeyEnv`"),
        "{problems}"
    );
    assert!(!problems.contains("sk-secret"));
}

#[test]
fn arguments_are_forwarded_for_what_is_named_exactly() {
    let sandbox = Sandbox::new();
    sandbox.user(
        &json!({"permissions": {"autoMode": {"mcp": {"forwardArguments":
            ["github", "mcp__jira", "mcp__jira__create", "mcp__all__*", "*", "mcp__*__x", "a b", "", 3]}}}})
        .to_string(),
    );
    let effective = sandbox.load();
    assert_eq!(
        effective.mcp_forwarding,
        ["github", "mcp__jira", "mcp__jira__create", "mcp__all__*"]
    );
    assert_eq!(effective.problems.len(), 5, "{:?}", effective.problems);
}
