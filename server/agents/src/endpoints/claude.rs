//! Claude Code: variables in `env` of `~/.claude/settings.json`, and `model`.

use countersign_core::model::Provider;
use serde_json::Value;

use super::Found;
use super::document::{Document, usual_variable};
use super::plain;

/// Where a model is named, the one for small tasks first.
const MODELS: [&[&str]; 4] = [
    &["env", "ANTHROPIC_DEFAULT_HAIKU_MODEL"],
    &["env", "ANTHROPIC_SMALL_FAST_MODEL"],
    &["env", "ANTHROPIC_MODEL"],
    &["model"],
];

/// Names that only Claude Code knows.
const ALIASES: &[&str] = &[
    "default", "best", "opus", "sonnet", "haiku", "opusplan", "fable",
];

pub(super) fn read(settings: &Document<'_>, found: &mut Found) {
    for (name, cloud) in [
        ("CLAUDE_CODE_USE_BEDROCK", "Amazon Bedrock"),
        ("CLAUDE_CODE_USE_VERTEX", "Google Vertex AI"),
        ("CLAUDE_CODE_USE_FOUNDRY", "Microsoft Foundry"),
    ] {
        if settings.value(&["env", name]).is_some_and(is_yes) {
            found.notes.push(format!(
                "Claude Code reaches its models through {cloud}, which the classifier cannot."
            ));
            return;
        }
    }
    let address = settings.text(&["env", "ANTHROPIC_BASE_URL"]);
    let key = settings.text(&["env", "ANTHROPIC_API_KEY"]).is_some();
    let token = settings.text(&["env", "ANTHROPIC_AUTH_TOKEN"]).is_some();
    let helper = settings.text(&["apiKeyHelper"]).is_some();
    let mut models = MODELS
        .iter()
        .filter_map(|keys| Some((*keys, settings.text(keys).and_then(model)?)))
        .collect::<Vec<_>>();
    if models.is_empty() && (address.is_some() || key || token || helper) {
        models.push((&["env", "ANTHROPIC_BASE_URL"], String::new()));
    }
    // Without a key or an address of its own, Claude Code is logged in.
    let is_login = address.is_none() && !key && !token && !helper;
    if is_login {
        found.notes.push(
            "Claude Code's settings hold no key and no endpoint; the login of a subscription cannot be used by the classifier, which needs a key in ANTHROPIC_API_KEY."
                .to_owned(),
        );
        return;
    }
    for (keys, model) in models {
        let mut offer = settings.offer(&keys.join("."), Provider::Anthropic);
        if !offer.take_base_url(address) {
            found.notes.push(
                "The address in Claude Code's settings (env.ANTHROPIC_BASE_URL) cannot be taken over."
                    .to_owned(),
            );
            return;
        }
        offer.model = Some(model).filter(|model| !model.is_empty());
        offer.api_key_env = Some(usual_variable(Provider::Anthropic).to_owned());
        if key || token {
            offer.key_is_in_the_file();
        }
        if token && !key {
            offer.add_note(
                "Claude Code sends it as a bearer token; the endpoint must take it in x-api-key, too.",
            );
        }
        if helper {
            offer.add_note(
                "Claude Code gets its key from a program (apiKeyHelper); the classifier needs it in the variable.",
            );
        }
        if offer.model.is_none() {
            offer.add_note("The settings name no model that the endpoint would know.");
        }
        found.offer(offer);
    }
}

fn is_yes(value: &Value) -> bool {
    match value {
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "false" | "no" | "off"),
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_u64() != Some(0),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn model(name: &str) -> Option<String> {
    // `[1m]` and the like ask Claude Code for a longer context.
    let name = name.split('[').next().unwrap_or_default();
    plain::model(name).filter(|name| !ALIASES.contains(&name.as_str()))
}
