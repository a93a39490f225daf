//! Gemini CLI: `model.name` and `security.auth` of `~/.gemini/settings.json`.

use countersign_core::model::Provider;

use super::document::{Document, usual_variable};
use super::{Found, plain};

/// Names that only Gemini CLI knows.
const ALIASES: &[&str] = &["auto", "pro", "flash", "flash-lite"];

pub(super) fn read(settings: &Document<'_>, found: &mut Found) {
    let selected = settings
        .text(&["security", "auth", "selectedType"])
        .or_else(|| settings.text(&["selectedAuthType"]));
    match selected {
        None | Some("gemini-api-key") => {}
        Some("oauth-personal" | "cloud-shell" | "compute-default-credentials") => {
            found.notes.push(
                "Gemini CLI is logged in with an account; that login cannot be used by the classifier, which needs a key in GEMINI_API_KEY."
                    .to_owned(),
            );
            return;
        }
        Some(_) => {
            found.notes.push(
                "Gemini CLI uses a kind of login (security.auth.selectedType) that the classifier cannot."
                    .to_owned(),
            );
            return;
        }
    }
    let model = settings
        .text(&["model", "name"])
        .or_else(|| settings.text(&["model"]))
        .and_then(plain::model)
        .filter(|name| !ALIASES.contains(&name.as_str()) && !name.starts_with("auto-"));
    let Some(model) = model else {
        found.notes.push(
            "Gemini CLI's settings name no model; with a key in GEMINI_API_KEY any model of the Gemini API can be configured."
                .to_owned(),
        );
        return;
    };
    let mut offer = settings.offer("model.name", Provider::Gemini);
    offer.model = Some(model);
    offer.api_key_env = Some(usual_variable(Provider::Gemini).to_owned());
    found.offer(offer);
}
