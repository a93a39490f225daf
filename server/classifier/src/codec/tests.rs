use countersign_core::decision::UnavailableReason as Reason;
use countersign_core::model::{InstructionRole, StructuredOutput};
use countersign_core::prompt;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{prompt as a_prompt, settings};

mod responses;

fn settings_of(provider: Provider, style: StructuredOutput) -> ClassifierSettings {
    let mut settings = settings();
    settings.provider = provider;
    settings.structured_output = style;
    settings
}

fn body_of(settings: &ClassifierSettings, stage: Stage, prompt: &Prompt) -> String {
    let dialect = Dialect::guess(settings);
    String::from_utf8(encode(settings, &dialect, stage, prompt)).unwrap()
}

/// A request as a person reads it: one field on a line, in the order of the
/// bytes, the instruction named and not repeated.
fn shown(settings: &ClassifierSettings, stage: Stage) -> String {
    let instruction = serde_json::to_string(prompt::instruction(stage)).unwrap();
    let instruction = instruction.trim_matches('"');
    let body = body_of(settings, stage, &a_prompt());
    assert!(body.contains(instruction), "{body}");
    let body = body
        .replace(instruction, &format!("[INSTRUCTION OF {stage}]"))
        .replace(",\"", ",\n\"")
        .replace("{\"", "{\n\"");
    let addresses = crate::address::Addresses::of(settings).unwrap();
    let key = Key::new("the-key".to_owned());
    let mut shown = format!("POST {}\n", addresses.questions);
    for (name, value) in &headers(settings, key.as_ref()) {
        shown.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    format!("{shown}\n{body}\n")
}

#[test]
fn the_whole_request_of_each_provider_style_and_stage_is_known() {
    insta::with_settings!({
        snapshot_path => "../../tests/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for provider in Provider::ALL {
            for style in StructuredOutput::ALL {
                let settings = settings_of(provider, style);
                let both = Stage::ALL.map(|stage| shown(&settings, stage)).join("\n");
                insta::assert_snapshot!(
                    format!("request-{}-{}", provider.as_str(), style.as_str()),
                    both
                );
            }
            let mut settings = settings_of(provider, StructuredOutput::Plain);
            settings.instruction_role = InstructionRole::User;
            insta::assert_snapshot!(
                format!("request-{}-user-role", provider.as_str()),
                shown(&settings, Stage::Fast)
            );
        }
    });
}

#[test]
fn a_dialect_changes_only_what_it_is_about() {
    let mut settings = settings();
    settings.base_url = "https://api.openai.com/v1".to_owned();
    settings.model = "gpt-5-mini".to_owned();
    let body: Value = serde_json::from_str(&body_of(&settings, Stage::Fast, &a_prompt())).unwrap();
    assert_eq!(body.get("max_completion_tokens"), Some(&json!(256)));
    assert_eq!(body.get("reasoning_effort"), Some(&json!("minimal")));
    for absent in [
        "max_tokens",
        "temperature",
        "enable_thinking",
        "chat_template_kwargs",
    ] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
    settings.base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1".to_owned();
    settings.model = "qwen3-8b".to_owned();
    let body: Value = serde_json::from_str(&body_of(&settings, Stage::Fast, &a_prompt())).unwrap();
    assert_eq!(body.get("enable_thinking"), Some(&json!(false)));
    assert_eq!(body.get("max_tokens"), Some(&json!(256)));
    settings.provider = Provider::Gemini;
    settings.model = "gemini-2.5-flash".to_owned();
    let body: Value = serde_json::from_str(&body_of(&settings, Stage::Fast, &a_prompt())).unwrap();
    let budget = body.pointer("/generationConfig/thinkingConfig/thinkingBudget");
    assert_eq!(budget, Some(&json!(0)));
}

#[test]
fn the_key_is_in_a_header_that_no_log_shows_and_nowhere_else() {
    let key = Key::new("zq-fourteen-horses".to_owned()).unwrap();
    for provider in Provider::ALL {
        let settings = settings_of(provider, StructuredOutput::Plain);
        let with = headers(&settings, Some(&key));
        assert!(!format!("{with:?}").contains("fourteen"), "{with:?}");
        assert!(with.values().any(HeaderValue::is_sensitive));
        assert!(
            headers(&settings, None)
                .values()
                .all(|value| !value.is_sensitive())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_stages_begin_with_the_same_bytes_up_to_the_instruction(
        system in ".{0,80}",
        content in ".{0,80}",
    ) {
        let prompt = Prompt {
            system: format!("[[{system}]]"),
            content: format!("(({content}))"),
        };
        let escaped = |text: &str| {
            let json = serde_json::to_string(text).unwrap();
            json[1..json.len() - 1].to_owned()
        };
        for provider in Provider::ALL {
            for style in StructuredOutput::ALL {
                for role in InstructionRole::ALL {
                    let mut settings = settings_of(provider, style);
                    settings.instruction_role = role;
                    let [fast, thinking] =
                        Stage::ALL.map(|stage| body_of(&settings, stage, &prompt));
                    let common = fast
                        .bytes()
                        .zip(thinking.bytes())
                        .take_while(|(one, other)| one == other)
                        .count();
                    let common = &fast.as_bytes()[..common];
                    let common = String::from_utf8_lossy(common);
                    prop_assert!(common.contains(&escaped(&prompt.system)));
                    prop_assert!(common.contains(&escaped(&prompt.content)));
                    // Whatever the prompt holds, it stays inside its strings.
                    let read: Value = serde_json::from_str(&fast).unwrap();
                    prop_assert!(read.is_object());
                }
            }
        }
    }
}
