//! Qwen Code: `modelProviders`, `model`, `fastModel`, `security.auth` and `env`
//! of `~/.qwen/settings.json`.

use countersign_core::model::Provider;
use serde_json::Value;

use super::document::{Document, usual_variable};
use super::{EndpointOffer, Found, plain};

pub(super) fn read(settings: &Document<'_>, found: &mut Found) {
    let selected = settings
        .text(&["security", "auth", "selectedType"])
        .or_else(|| settings.text(&["selectedAuthType"]));
    let in_use = settings
        .text(&["model", "name"])
        .or_else(|| settings.text(&["model"]))
        .and_then(plain::model);
    // It may stand after the kind of its provider.
    let fast = settings
        .text(&["fastModel"])
        .map(|name| {
            name.split_once(':')
                .filter(|(kind, _)| provider(kind).is_some())
                .map_or(name, |(_, name)| name)
        })
        .and_then(plain::model);

    let mut offers = provided(settings, found);
    // A model that is named and stands with no provider is the login's own.
    let named_alone = [&fast, &in_use]
        .into_iter()
        .flatten()
        .filter(|name| {
            !offers
                .iter()
                .any(|offer| offer.model.as_ref() == Some(*name))
        })
        .cloned()
        .collect::<Vec<_>>();
    match selected {
        Some("qwen-oauth") => found.notes.push(
            "Qwen Code is logged in with an account; that login cannot be used by the classifier."
                .to_owned(),
        ),
        Some(kind) if provider(kind).is_none() => found.notes.push(
            "Qwen Code uses a kind of login (security.auth.selectedType) that the classifier cannot."
                .to_owned(),
        ),
        _ => {
            for name in named_alone {
                offers.extend(alone(settings, selected, name, found));
            }
        }
    }
    offers.sort_by_key(|offer| {
        if offer.model.is_some() && offer.model == fast {
            0
        } else if offer.model.is_some() && offer.model == in_use {
            1
        } else {
            2
        }
    });
    for offer in offers {
        found.offer(offer);
    }
}

/// The models of `modelProviders`.
fn provided(settings: &Document<'_>, found: &mut Found) -> Vec<EndpointOffer> {
    let mut offers = Vec::new();
    for (id, models) in settings.members(&["modelProviders"]) {
        let kind = settings
            .text(&["providerProtocol", id])
            .or_else(|| models.get("protocol").and_then(Value::as_str))
            .unwrap_or(id);
        let Some(provider) = provider(kind) else {
            found.notes.push(
                "Qwen Code has a provider in modelProviders that the classifier cannot use."
                    .to_owned(),
            );
            continue;
        };
        let models = models.get("models").unwrap_or(models).as_array();
        for (index, model) in models
            .into_iter()
            .flatten()
            .take(super::MAX_OFFERS)
            .enumerate()
        {
            let text = |field| model.get(field).and_then(Value::as_str);
            let Some(name) = text("id").and_then(plain::model) else {
                continue;
            };
            let mut offer = settings.offer(&format!("modelProviders.{id}[{index}]"), provider);
            if !offer.take_base_url(text("baseUrl")) {
                found.notes.push(format!(
                    "The address of the model {name} in Qwen Code's settings cannot be taken over."
                ));
                continue;
            }
            offer.model = Some(name);
            key(settings, &mut offer, text("envKey"));
            offers.push(offer);
        }
    }
    offers
}

/// A model that stands with no provider: the one of the login by key.
fn alone(
    settings: &Document<'_>,
    selected: Option<&str>,
    name: String,
    found: &mut Found,
) -> Option<EndpointOffer> {
    let provider = provider(selected.unwrap_or("openai"))?;
    let mut offer = settings.offer("model", provider);
    let address = settings
        .text(&["security", "auth", "baseUrl"])
        .or_else(|| match provider {
            Provider::OpenaiCompatible => settings.text(&["env", "OPENAI_BASE_URL"]),
            Provider::Anthropic => settings.text(&["env", "ANTHROPIC_BASE_URL"]),
            Provider::Gemini => None,
        });
    if !offer.take_base_url(address) {
        found.notes.push(
            "The address in Qwen Code's settings (security.auth.baseUrl) cannot be taken over."
                .to_owned(),
        );
        return None;
    }
    offer.model = Some(name);
    key(settings, &mut offer, None);
    if settings.text(&["security", "auth", "apiKey"]).is_some() {
        offer.key_is_in_the_file();
    } else if offer.base_url.is_none() {
        offer
            .add_note("The settings name no endpoint; Qwen Code may take it from its environment.");
    }
    Some(offer)
}

/// The variable of the key.
fn key(settings: &Document<'_>, offer: &mut EndpointOffer, named: Option<&str>) {
    match named {
        Some(named) => {
            offer.api_key_env = plain::variable(named);
            if offer.api_key_env.is_none() {
                offer.add_note(
                    "What stands as the variable's name is none that can be taken over; name one in `apiKeyEnv`.",
                );
            }
        }
        None => offer.api_key_env = Some(usual_variable(offer.provider).to_owned()),
    }
    let is_in_file = offer
        .api_key_env
        .as_deref()
        .is_some_and(|name| settings.value(&["env", name]).is_some());
    if is_in_file {
        offer.key_is_in_the_file();
    }
}

fn provider(kind: &str) -> Option<Provider> {
    match kind {
        "openai" => Some(Provider::OpenaiCompatible),
        "anthropic" => Some(Provider::Anthropic),
        "gemini" => Some(Provider::Gemini),
        _ => None,
    }
}
