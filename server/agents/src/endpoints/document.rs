//! A settings file as one kind of value, whatever it is written in.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::model::Provider;
use serde_json::Value;

use super::EndpointOffer;
use super::plain;

/// Longest file that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// A settings file.
pub(super) struct Document<'a> {
    agent: Agent,
    path: &'a Utf8Path,
    root: Value,
}

impl<'a> Document<'a> {
    /// JSON, with comments or without. The depth is bounded by the parser.
    pub(super) fn json(agent: Agent, path: &'a Utf8Path, text: &str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.len() > MAX_BYTES {
            return None;
        }
        let options = jsonc_parser::ParseOptions::default();
        let root: Value = jsonc_parser::parse_to_serde_value(text, &options).ok()?;
        root.is_object().then_some(Self { agent, path, root })
    }

    /// TOML. The depth is bounded by the parser.
    pub(super) fn toml(agent: Agent, path: &'a Utf8Path, text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let table: toml::Table = toml::from_str(text).ok()?;
        let root = serde_json::to_value(table).ok()?;
        Some(Self { agent, path, root })
    }

    /// The value below some keys.
    pub(super) fn value(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter()
            .try_fold(&self.root, |value, key| value.get(*key))
            .filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        self.value(keys)?.as_str().filter(|text| !text.is_empty())
    }

    /// The members of an object, at most as many as are offered.
    pub(super) fn members(&self, keys: &[&str]) -> impl Iterator<Item = (&str, &Value)> {
        self.value(keys)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .take(super::MAX_OFFERS)
            .map(|(name, value)| (name.as_str(), value))
    }

    /// An offer without anything but its place.
    pub(super) fn offer(&self, key: &str, provider: Provider) -> EndpointOffer {
        // A key of the file is somebody else's text, too.
        let key: String = key
            .chars()
            .filter(|next| !next.is_control())
            .take(100)
            .collect();
        EndpointOffer {
            agent: self.agent,
            source: format!("{}: {key}", self.path),
            provider,
            base_url: None,
            model: None,
            api_key_env: None,
            note: None,
        }
    }
}

impl EndpointOffer {
    /// Takes the address over. False if it stands there and cannot be used.
    pub(super) fn take_base_url(&mut self, text: Option<&str>) -> bool {
        let Some(text) = text else {
            return true;
        };
        self.base_url = plain::base_url(text);
        self.base_url.is_some()
    }

    /// Adds to what a person must know.
    pub(super) fn add_note(&mut self, note: &str) {
        match &mut self.note {
            Some(known) => {
                known.push(' ');
                known.push_str(note);
            }
            None => self.note = Some(note.to_owned()),
        }
    }

    /// Says that the key stands in the file, and that a variable is needed.
    pub(super) fn key_is_in_the_file(&mut self) {
        if let Some(name) = self.api_key_env.clone() {
            self.add_note(&format!(
                "The key itself stands in the agent's settings; it must be in the variable {name} of your own environment."
            ));
        } else {
            self.add_note(
                "The key itself stands in the agent's settings; put it into a variable and name that one in `apiKeyEnv`.",
            );
        }
    }
}

/// The variable in which a provider's key is by custom.
pub(super) const fn usual_variable(provider: Provider) -> &'static str {
    match provider {
        Provider::OpenaiCompatible => "OPENAI_API_KEY",
        Provider::Anthropic => "ANTHROPIC_API_KEY",
        Provider::Gemini => "GEMINI_API_KEY",
    }
}
