//! opencode: `small_model`, `model` and `provider` of
//! `~/.config/opencode/opencode.json`.

use countersign_core::model::Provider;
use serde_json::Value;

use super::document::{Document, usual_variable};
use super::{EndpointOffer, Found, plain};

pub(super) fn read(settings: &Document<'_>, found: &mut Found) {
    for key in ["small_model", "model"] {
        let Some((id, model)) = settings.text(&[key]).and_then(|name| name.split_once('/')) else {
            continue;
        };
        if let Some(mut offer) = offer(settings, key, id, found) {
            offer.model = plain::model(model);
            found.offer(offer);
        }
    }
    for (id, provider) in settings.members(&["provider"]) {
        // Without an address it is one of opencode's own, and says nothing new.
        if provider.pointer("/options/baseURL").is_none() {
            continue;
        }
        if let Some(mut offer) = offer(settings, &format!("provider.{id}"), id, found) {
            let models = provider.get("models").and_then(Value::as_object);
            offer.model = models
                .and_then(|models| models.keys().next())
                .and_then(|name| plain::model(name));
            found.offer(offer);
        }
    }
}

fn offer(settings: &Document<'_>, key: &str, id: &str, found: &mut Found) -> Option<EndpointOffer> {
    let option = |name| settings.text(&["provider", id, "options", name]);
    let is_described = settings.value(&["provider", id]).is_some();
    let Some(provider) = provider(id, settings.text(&["provider", id, "npm"]), is_described) else {
        found.notes.push(
            "opencode uses a provider whose interface or address is not in its settings; nothing of it can be offered."
                .to_owned(),
        );
        return None;
    };
    let mut offer = settings.offer(key, provider);
    // The SDKs count the version as part of the address, the classifier does
    // for chat completions only.
    let address = option("baseURL").map(|address| match provider {
        Provider::OpenaiCompatible => address,
        Provider::Anthropic | Provider::Gemini => {
            let address = address.trim_end_matches('/');
            address
                .strip_suffix("/v1beta")
                .or_else(|| address.strip_suffix("/v1"))
                .unwrap_or(address)
        }
    });
    if !offer.take_base_url(address) {
        found.notes.push(
            "opencode has a provider whose address (options.baseURL) cannot be taken over."
                .to_owned(),
        );
        return None;
    }
    let is_local = offer
        .base_url
        .as_deref()
        .is_some_and(|address| address.starts_with("http://"));
    match option("apiKey") {
        Some(reference) => {
            let named = reference
                .trim()
                .strip_prefix("{env:")
                .and_then(|rest| rest.strip_suffix('}'));
            offer.api_key_env = named.and_then(plain::variable);
            if offer.api_key_env.is_none() {
                offer.key_is_in_the_file();
            }
        }
        None if is_local => {}
        None => {
            if matches!(id, "openai" | "anthropic" | "google") {
                offer.api_key_env = Some(usual_variable(provider).to_owned());
            }
            offer.add_note(
                "opencode may be logged in there (opencode auth); the classifier needs a key in a variable.",
            );
        }
    }
    Some(offer)
}

/// The interface, by the package that speaks it, else by opencode's own name
/// of the provider.
fn provider(id: &str, package: Option<&str>, is_described: bool) -> Option<Provider> {
    match (package, id) {
        (Some("@ai-sdk/openai-compatible" | "@ai-sdk/openai"), _) | (None, "openai") => {
            Some(Provider::OpenaiCompatible)
        }
        (Some("@ai-sdk/anthropic"), _) | (None, "anthropic") => Some(Provider::Anthropic),
        (Some("@ai-sdk/google"), _) | (None, "google") => Some(Provider::Gemini),
        // Another one with an address of its own is of the first kind.
        (None, _) if is_described => Some(Provider::OpenaiCompatible),
        _ => None,
    }
}
