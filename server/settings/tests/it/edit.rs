use std::os::unix::fs::{PermissionsExt as _, symlink};

use countersign_core::rules::RuleList;
use countersign_settings::{EditError, RuleFile, acknowledge_auto, add_rule, set_user_values};
use serde_json::json;

use crate::sandbox::{Sandbox, rules, write};

#[test]
fn the_acknowledgement_keeps_comments_and_is_read_back() {
    let sandbox = Sandbox::new();
    sandbox
        .user("// mine\n{\n  \"permissions\": {\n    \"deny\": [\"Bash(a)\"] // never\n  },\n}\n");
    acknowledge_auto(&sandbox.places).unwrap();
    let text = std::fs::read_to_string(sandbox.places.user_file()).unwrap();
    assert!(
        text.contains("// mine") && text.contains("// never"),
        "{text}"
    );
    let effective = sandbox.load();
    assert!(effective.auto_acknowledged);
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(a)"]);
    acknowledge_auto(&sandbox.places).unwrap();
    assert_eq!(
        std::fs::read_to_string(sandbox.places.user_file()).unwrap(),
        text
    );
}

#[test]
fn a_first_settings_file_is_private_and_complete() {
    let sandbox = Sandbox::new();
    acknowledge_auto(&sandbox.places).unwrap();
    assert!(sandbox.load().auto_acknowledged);
    let mode = std::fs::metadata(sandbox.places.user_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn rules_go_where_they_belong_once() {
    let sandbox = Sandbox::new();
    sandbox.user("{\n  \"permissions\": {\n    // mine\n    \"allow\": [\"Bash(ls)\"]\n  }\n}\n");
    for _ in 0..2 {
        add_rule(
            &sandbox.places,
            RuleFile::User,
            RuleList::Allow,
            "Bash(cargo test *)",
        )
        .unwrap();
        add_rule(
            &sandbox.places,
            RuleFile::Workspace(&sandbox.workspace),
            RuleList::Deny,
            "Bash(echo \"x\\y\")",
        )
        .unwrap();
    }
    let effective = sandbox.load();
    assert_eq!(
        rules(&effective, RuleList::Allow),
        ["Bash(ls)", "Bash(cargo test *)"]
    );
    assert_eq!(rules(&effective, RuleList::Deny), ["Bash(echo \"x\\y\")"]);
    let text = std::fs::read_to_string(sandbox.places.user_file()).unwrap();
    assert!(text.contains("// mine"));
}

#[test]
fn a_broken_file_is_left_alone() {
    let sandbox = Sandbox::new();
    for broken in [
        "{",
        r#"{"permissions": 3}"#,
        r#"{"permissions": {"allow": {}}}"#,
        r#"{"permissions": {}, "permissions": {}}"#,
    ] {
        sandbox.user(broken);
        let result = add_rule(&sandbox.places, RuleFile::User, RuleList::Allow, "Bash(ls)");
        assert!(matches!(result, Err(EditError::Broken { .. })), "{broken}");
        assert_eq!(
            std::fs::read_to_string(sandbox.places.user_file()).unwrap(),
            broken
        );
    }
}

#[test]
fn links_of_the_user_stay_and_links_of_a_workspace_are_refused() {
    let sandbox = Sandbox::new();
    let dotfiles = sandbox.root.join("dotfiles/countersign.json");
    write(&dotfiles, "{}");
    std::fs::create_dir_all(&sandbox.places.config_dir).unwrap();
    symlink(&dotfiles, sandbox.places.user_file()).unwrap();
    acknowledge_auto(&sandbox.places).unwrap();
    assert!(sandbox.places.user_file().is_symlink());
    assert!(
        std::fs::read_to_string(&dotfiles)
            .unwrap()
            .contains("autoModeAcknowledged")
    );

    let victim = sandbox.root.join("victim.json");
    write(&victim, "{}");
    std::fs::create_dir(sandbox.workspace.join(".countersign")).unwrap();
    symlink(&victim, sandbox.workspace_file()).unwrap();
    let file = RuleFile::Workspace(&sandbox.workspace);
    assert!(add_rule(&sandbox.places, file, RuleList::Deny, "Bash(a)").is_err());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "{}");
}

const CLASSIFIER: &str = "permissions.autoMode.classifier";

fn set(sandbox: &Sandbox, values: &[(&str, serde_json::Value)]) -> Result<(), EditError> {
    let keys: Vec<String> = values
        .iter()
        .map(|(name, _)| format!("{CLASSIFIER}.{name}"))
        .collect();
    let values: Vec<_> = keys
        .iter()
        .zip(values)
        .map(|(key, (_, value))| (key.as_str(), value.clone()))
        .collect();
    set_user_values(&sandbox.places, &values)
}

#[test]
fn a_classifier_is_written_into_a_new_private_file() {
    let sandbox = Sandbox::new();
    let values = [
        ("provider", json!("anthropic")),
        ("model", json!("some \"model\"")),
        ("apiKeyEnv", json!("MY_KEY")),
        ("maxConcurrent", json!(4)),
    ];
    set(&sandbox, &values).unwrap();
    let classifier = sandbox.load().classifier.unwrap();
    assert_eq!(classifier.model, "some \"model\"");
    assert_eq!(classifier.base_url, "https://api.anthropic.com");
    assert_eq!(classifier.api_key_env.as_deref(), Some("MY_KEY"));
    assert_eq!(classifier.max_concurrent, 4);
    let path = sandbox.places.user_file();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read_to_string(&path).unwrap();
    set(&sandbox, &values).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn values_are_replaced_and_taken_out_and_comments_stay() {
    let sandbox = Sandbox::new();
    sandbox.user(
        r#"// mine
{
  "permissions": {
    "deny": ["Bash(a)"], // never
    "autoMode": {
      "classifier": {
        // at home
        "baseUrl": "http://localhost:11434/v1", // Ollama
        "model": "old",
      },
    },
  },
}
"#,
    );
    set(
        &sandbox,
        &[
            ("model", json!("new")),
            ("baseUrl", json!(null)),
            ("proxy", json!(null)),
            ("timeouts.stage1Ms", json!(5_000)),
        ],
    )
    .unwrap();
    let text = std::fs::read_to_string(sandbox.places.user_file()).unwrap();
    for comment in ["// mine", "// never", "// at home"] {
        assert!(text.contains(comment), "{comment} is not in\n{text}");
    }
    assert!(!text.contains("proxy") && !text.contains("old"), "{text}");
    let effective = sandbox.load();
    assert_eq!(effective.problems, []);
    let classifier = effective.classifier.unwrap();
    assert_eq!(classifier.model, "new");
    assert_eq!(classifier.base_url, "https://api.openai.com/v1");
    assert_eq!(classifier.stage1_ms, 5_000);
    assert_eq!(rules(&sandbox.load(), RuleList::Deny), ["Bash(a)"]);
}

#[test]
fn what_would_not_be_read_is_not_written() {
    let sandbox = Sandbox::new();
    sandbox.user("{}");
    for (name, value) in [
        ("model", json!("")),
        ("model", json!(["a"])),
        ("provider", json!("somebody")),
        ("baseUrl", json!("https://user:secret@models.example")),
        ("apiKeyEnv", json!("sk-proj-secret")),
        ("apiKey", json!("secret")),
        ("maxConcurrent", json!(0)),
        ("maxConcurrent", json!({})),
    ] {
        let error = set(&sandbox, &[("fastModel", json!("fine")), (name, value)]).unwrap_err();
        assert!(matches!(error, EditError::Refused { .. }), "{name}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        let text = std::fs::read_to_string(sandbox.places.user_file()).unwrap();
        assert_eq!(text, "{}", "{name}");
    }
    assert!(matches!(
        set_user_values(&sandbox.places, &[("permissions.allow", json!(["Bash"]))]),
        Err(EditError::Refused { .. })
    ));
    sandbox.user(r#"{"permissions": {"autoMode": 3}}"#);
    assert!(matches!(
        set(&sandbox, &[("model", json!("a"))]),
        Err(EditError::Broken { .. })
    ));
}
