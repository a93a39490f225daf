//! Taking over the endpoint that an agent uses, so that the classifier runs
//! where the main model runs. A person says yes to each; no key is copied.

use std::io::{BufRead, Read as _, Write};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::endpoints::{EndpointOffer, notes, offers, settings_files};
use countersign_core::agent::Agent;
use countersign_core::model::Provider;
use countersign_core::redact;
use countersign_settings::{Places, set_user_values};
use serde::Serialize;
use serde_json::Value;

use crate::commands::model::KEY;
use crate::output::{ASK, DIM, styled};

/// Largest file of an agent's settings that is read, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What the agents' own settings name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(in crate::commands) struct Found {
    pub(in crate::commands) offers: Vec<Offered>,
    /// Why there are no more.
    pub(in crate::commands) notes: Vec<String>,
}

/// An endpoint that an agent's own settings name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct Offered {
    pub(in crate::commands) agent: Agent,
    /// The file, and the key in it.
    pub(in crate::commands) source: String,
    pub(in crate::commands) provider: Provider,
    /// None where it is the provider's own.
    pub(in crate::commands) base_url: Option<String>,
    /// None where the settings name none: a person has to.
    pub(in crate::commands) model: Option<String>,
    /// The name of the key's variable.
    pub(in crate::commands) api_key_env: Option<String>,
    /// What a person must know or do before it works.
    pub(in crate::commands) note: Option<String>,
}

impl From<EndpointOffer> for Offered {
    fn from(offer: EndpointOffer) -> Self {
        Self {
            agent: offer.agent,
            source: offer.source,
            provider: offer.provider,
            base_url: offer.base_url,
            model: offer.model,
            api_key_env: offer.api_key_env,
            note: offer.note,
        }
    }
}

impl Offered {
    /// What it is, in one line for people.
    pub(in crate::commands) fn in_words(&self) -> String {
        let model = self.model.as_deref().unwrap_or("a model that you name");
        let place = self
            .base_url
            .as_deref()
            .unwrap_or("the provider's own address");
        let key = self.api_key_env.as_deref().map_or_else(
            || "without a key".to_owned(),
            |name| format!("key in {name}"),
        );
        let note = self
            .note
            .as_deref()
            .map_or_else(String::new, |note| format!("; {note}"));
        format!(
            "{model} at {place} ({}, {key}), from {} of {}{note}",
            self.provider.as_str(),
            self.source,
            self.agent,
        )
    }

    /// What is set; what the offer does not name is taken out, so that nothing
    /// of another endpoint is left. None without a model: it would be no
    /// classifier.
    fn values(&self) -> Option<Vec<(String, Value)>> {
        let model = self.model.as_deref()?;
        let optional = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
        let values = [
            ("provider", self.provider.as_str().into()),
            ("model", model.into()),
            ("fastModel", Value::Null),
            ("baseUrl", optional(&self.base_url)),
            ("apiKeyEnv", optional(&self.api_key_env)),
        ];
        Some(
            values
                .map(|(name, value)| (format!("{KEY}.{name}"), value))
                .to_vec(),
        )
    }
}

impl Offered {
    /// Makes it the classifier of the user's settings; nothing without a model.
    ///
    /// # Errors
    /// When the settings cannot be written.
    pub(in crate::commands) fn take(&self, places: &Places) -> Result<()> {
        let values = self.values().unwrap_or_default();
        let values: Vec<(&str, Value)> = values
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone()))
            .collect();
        set_user_values(places, &values)
            .with_context(|| format!("{} is not changed", places.user_file()))
    }
}

/// What the settings of every agent below this home offer.
pub(in crate::commands) fn of(home: &Utf8Path) -> Found {
    let mut found = Found::default();
    for agent in Agent::ALL {
        let of_one = of_agent(agent, home);
        found.offers.extend(of_one.offers);
        found.notes.extend(of_one.notes);
    }
    found
}

/// What the settings of one agent below this home offer.
pub(in crate::commands) fn of_agent(agent: Agent, home: &Utf8Path) -> Found {
    let files: Vec<(Utf8PathBuf, String)> = settings_files(agent, home)
        .into_iter()
        .filter_map(|file| {
            let text = read(&file)?;
            Some((file, text))
        })
        .collect();
    Found {
        offers: offers(agent, &files)
            .into_iter()
            .map(Offered::from)
            .collect(),
        notes: notes(agent, &files),
    }
}

/// The text of an ordinary file.
fn read(file: &Utf8Path) -> Option<String> {
    // Nothing that a read could wait on.
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let opened = std::fs::File::open(file).ok()?;
    opened.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Asks for each offer whether it is wanted, until one is; writes that one into
/// the user's settings. Only `y` or `yes` is a yes.
///
/// # Errors
/// When an answer cannot be read, or the settings cannot be written.
pub(in crate::commands) fn take_over(
    places: &Places,
    offers: &[Offered],
    out: &mut impl Write,
    mut answers: impl BufRead,
) -> Result<bool> {
    for offer in offers {
        if offer.model.is_none() {
            continue;
        }
        write!(
            out,
            "\n{}\n{} ",
            redact::visible(&offer.in_words()),
            styled(ASK, "Take this over? [y/N]")
        )?;
        out.flush()?;
        let mut line = String::new();
        let read = answers
            .read_line(&mut line)
            .context("the answer cannot be read")?;
        if read == 0 {
            writeln!(out)?;
            return Ok(false);
        }
        if !matches!(line.trim(), "y" | "Y" | "yes") {
            continue;
        }
        offer.take(places)?;
        let line = format!("{KEY} is set in {}", places.user_file());
        writeln!(out, "{}", styled(DIM, &line))?;
        return Ok(true);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<Offered> {
        vec![
            Offered {
                agent: Agent::Codex,
                source: "/home/dev/.codex/config.toml".to_owned(),
                provider: Provider::OpenaiCompatible,
                base_url: Some("http://127.0.0.1:1/v1".to_owned()),
                model: None,
                api_key_env: None,
                note: None,
            },
            Offered {
                agent: Agent::Qwen,
                source: "/home/dev/.qwen/settings.json".to_owned(),
                provider: Provider::OpenaiCompatible,
                base_url: Some("https://models.example.org/v1".to_owned()),
                model: Some("qwen-plus".to_owned()),
                api_key_env: Some("EXAMPLE_KEY".to_owned()),
                note: Some("set the \u{1b}[2Jvariable".to_owned()),
            },
            Offered {
                agent: Agent::ClaudeCode,
                source: "/home/dev/.claude/settings.json".to_owned(),
                provider: Provider::Anthropic,
                base_url: None,
                model: Some("claude-haiku".to_owned()),
                api_key_env: Some("OTHER_KEY".to_owned()),
                note: None,
            },
        ]
    }

    fn answered(before: &str, typed: &str) -> (bool, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let places = Places::below(&home).unwrap();
        if !before.is_empty() {
            std::fs::create_dir_all(&places.config_dir).unwrap();
            std::fs::write(places.user_file(), before).unwrap();
        }
        let mut out = Vec::new();
        let took = take_over(&places, &offered(), &mut out, typed.as_bytes()).unwrap();
        let file = std::fs::read_to_string(places.user_file()).unwrap_or_default();
        (took, String::from_utf8(out).unwrap(), file)
    }

    #[test]
    fn only_a_yes_takes_an_endpoint_over() {
        for typed in ["", "\n", "n\nn\n", "yes please\n\n", "yy\n", "no\n"] {
            let (took, said, file) = answered("", typed);
            assert!(!took, "{typed:?}");
            assert!(said.contains("[y/N]"), "{said}");
            assert!(said.contains("key in EXAMPLE_KEY"), "{said}");
            assert!(
                !said.contains("[2Jvariable\u{1b}") && !said.contains("\u{1b}[2J"),
                "{said}"
            );
            assert!(
                !said.contains("a model that you name"),
                "without a model it is no classifier"
            );
            assert_eq!(file, "", "{typed:?}");
        }
    }

    #[test]
    fn the_offer_that_was_taken_is_what_the_settings_say_then() {
        let (took, _, file) = answered("", "n\ny\n");
        assert!(took);
        let settings: Value = serde_json::from_str(&file).unwrap();
        assert_eq!(
            settings
                .pointer("/permissions/autoMode/classifier")
                .unwrap(),
            &serde_json::json!({
                "provider": "anthropic",
                "model": "claude-haiku",
                "apiKeyEnv": "OTHER_KEY",
            })
        );
    }

    #[test]
    fn what_else_stands_in_the_file_stays() {
        let before = "{\n  // mine\n  \"permissions\": { \"deny\": [\"Bash(uproot *)\"] }\n}\n";
        let (took, _, file) = answered(before, "y\n");
        assert!(took);
        assert!(
            file.contains("// mine") && file.contains("uproot"),
            "{file}"
        );
        assert!(file.contains("https://models.example.org/v1"), "{file}");
    }

    #[test]
    fn agents_settings_are_read_from_the_home_folder_and_no_key_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        assert_eq!(of(&home), Found::default());
        std::fs::create_dir(home.join(".claude")).unwrap();
        std::fs::create_dir_all(home.join(".qwen/settings.json")).unwrap();
        let settings = serde_json::json!({ "env": {
            "ANTHROPIC_BASE_URL": "https://models.example.org",
            "ANTHROPIC_MODEL": "big-model",
            "ANTHROPIC_API_KEY": "sk-ant-api03-not-a-real-key-but-long-enough-0123456789",
        }});
        std::fs::write(home.join(".claude/settings.json"), settings.to_string()).unwrap();
        let found = of(&home);
        assert!(!found.offers.is_empty(), "{found:?}");
        for offer in &found.offers {
            assert_eq!(offer.agent, Agent::ClaudeCode);
            assert_eq!(
                offer.base_url.as_deref(),
                Some("https://models.example.org")
            );
        }
        assert!(
            !serde_json::to_string(&found)
                .unwrap()
                .contains("not-a-real-key")
        );
    }
}
