//! Codex: `model`, `model_provider` and `[model_providers.*]` of
//! `~/.codex/config.toml`.

use countersign_core::model::Provider;
use serde_json::Value;

use super::document::{Document, usual_variable};
use super::{Found, plain};

const OTHER_INTERFACE: &str = "Codex speaks the Responses API there; the classifier needs chat completions, which not every endpoint has.";

pub(super) fn read(settings: &Document<'_>, found: &mut Found) {
    let selected = settings.text(&["model_provider"]).unwrap_or("openai");
    let model = settings.text(&["model"]).and_then(plain::model);
    let mut providers: Vec<(&str, &Value)> = settings.members(&["model_providers"]).collect();
    providers.sort_by_key(|(id, _)| *id != selected);
    let is_defined = providers.iter().any(|(id, _)| *id == selected);
    if !is_defined {
        built_in(settings, selected, model.clone(), found);
    }
    for (id, provider) in providers {
        let text = |field| provider.get(field).and_then(Value::as_str);
        let Some(address) = text("base_url") else {
            continue;
        };
        let mut offer =
            settings.offer(&format!("model_providers.{id}"), Provider::OpenaiCompatible);
        let has_query = provider
            .get("query_params")
            .is_some_and(|parameters| !parameters.is_null());
        if has_query || !offer.take_base_url(Some(address)) {
            found.notes.push(
                "Codex has a provider whose address (base_url, query_params) cannot be taken over."
                    .to_owned(),
            );
            continue;
        }
        if id == selected {
            offer.model.clone_from(&model);
        } else {
            offer.add_note("The settings name no model for this provider.");
        }
        if let Some(name) = text("env_key") {
            offer.api_key_env = plain::variable(name);
            if offer.api_key_env.is_none() {
                offer.add_note(
                    "What stands as the variable's name is none that can be taken over; name one in `apiKeyEnv`.",
                );
            }
        }
        if text("experimental_bearer_token").is_some() || provider.get("http_headers").is_some() {
            offer.key_is_in_the_file();
        }
        if provider
            .get("requires_openai_auth")
            .and_then(Value::as_bool)
            == Some(true)
            && offer.api_key_env.is_none()
        {
            offer.add_note("Codex uses its own login there; the classifier needs a key.");
        }
        if text("wire_api") != Some("chat") {
            offer.add_note(OTHER_INTERFACE);
        }
        found.offer(offer);
    }
}

/// A provider that Codex brings along.
fn built_in(settings: &Document<'_>, id: &str, model: Option<String>, found: &mut Found) {
    let mut offer = settings.offer("model", Provider::OpenaiCompatible);
    match id {
        "openai" => {
            let is_login = settings.text(&["forced_login_method"]) == Some("chatgpt")
                || settings.text(&["preferred_auth_method"]) == Some("chatgpt");
            if is_login || model.is_none() {
                found.notes.push(
                    "Codex is used with OpenAI's own models; the login of a ChatGPT subscription cannot be used by the classifier, which needs a key in OPENAI_API_KEY."
                        .to_owned(),
                );
                return;
            }
            if !offer.take_base_url(settings.text(&["openai_base_url"])) {
                found.notes.push(
                    "The address in Codex's settings (openai_base_url) cannot be taken over."
                        .to_owned(),
                );
                return;
            }
            offer.api_key_env = Some(usual_variable(Provider::OpenaiCompatible).to_owned());
            offer.add_note(
                "A ChatGPT subscription's login is not enough: the variable must hold a key of the API.",
            );
        }
        "ollama" => offer.base_url = Some("http://localhost:11434/v1".to_owned()),
        "lmstudio" => offer.base_url = Some("http://localhost:1234/v1".to_owned()),
        _ => {
            found.notes.push(
                "Codex uses a provider that its settings do not describe; nothing of it can be offered."
                    .to_owned(),
            );
            return;
        }
    }
    offer.model = model;
    found.offer(offer);
}
