//! Which endpoints, models and variables the agents' own settings name, so
//! that `doctor` can offer them for the classifier. Never a key's value: a
//! text that may be one is not carried any further than the file it is in.

mod claude;
mod codex;
mod document;
mod gemini;
mod opencode;
mod plain;
mod qwen;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::model::Provider;

use document::Document;

/// Most offers of an agent.
const MAX_OFFERS: usize = 32;

/// What the classifier could be configured with, as an agent's settings have
/// it. What is absent they do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointOffer {
    /// Whose settings.
    pub agent: Agent,
    /// The file, and the key in it, for people.
    pub source: String,
    /// The interface that the endpoint speaks.
    pub provider: Provider,
    /// Where the interface begins, as the classifier's settings take it;
    /// absent for the provider's own.
    pub base_url: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// The name of the variable that must hold the key; absent if the endpoint
    /// seems to want none.
    pub api_key_env: Option<String>,
    /// What a person must know or do before this works.
    pub note: Option<String>,
}

/// What an agent's settings say.
#[derive(Debug, Default)]
struct Found {
    offers: Vec<EndpointOffer>,
    notes: Vec<String>,
}

impl Found {
    fn offer(&mut self, offer: EndpointOffer) {
        let says_something = offer.base_url.is_some() || offer.model.is_some();
        let is_new = !self.offers.iter().any(|known| {
            (known.provider, &known.base_url, &known.model)
                == (offer.provider, &offer.base_url, &offer.model)
        });
        if says_something && is_new && self.offers.len() < MAX_OFFERS {
            self.offers.push(offer);
        }
    }
}

/// The files of the user's home in which an agent's settings are, the weakest
/// first. They need not be there.
#[must_use]
pub fn settings_files(agent: Agent, home: &Utf8Path) -> Vec<Utf8PathBuf> {
    let names: &[&str] = match agent {
        Agent::ClaudeCode => &[".claude/settings.json"],
        Agent::Qwen => &[".qwen/settings.json"],
        Agent::Codex => &[".codex/config.toml"],
        Agent::Gemini => &[".gemini/settings.json"],
        Agent::Opencode => &[
            ".config/opencode/config.json",
            ".config/opencode/opencode.json",
            ".config/opencode/opencode.jsonc",
        ],
        Agent::Cursor | Agent::Vscode | Agent::Generic => &[],
    };
    names.iter().map(|name| home.join(name)).collect()
}

/// What the classifier could be configured with, the most fitting first: what
/// an agent uses for small tasks before what it works with. `files` are the
/// files of [`settings_files`] that are there, with their text; what cannot be
/// read says nothing.
#[must_use]
pub fn offers(agent: Agent, files: &[(Utf8PathBuf, String)]) -> Vec<EndpointOffer> {
    found(agent, files).offers
}

/// Why an agent's settings offer nothing, or not all that the agent uses: a
/// subscription's login cannot be used by anybody else, for example. For
/// people; at most one sentence each.
#[must_use]
pub fn notes(agent: Agent, files: &[(Utf8PathBuf, String)]) -> Vec<String> {
    found(agent, files).notes
}

fn found(agent: Agent, files: &[(Utf8PathBuf, String)]) -> Found {
    let mut found = Found::default();
    for (path, text) in files {
        let parsed = if agent == Agent::Codex {
            Document::toml(agent, path, text)
        } else {
            Document::json(agent, path, text)
        };
        let Some(document) = parsed else {
            found.notes.push(format!(
                "{path} cannot be read, so nothing of it is offered."
            ));
            continue;
        };
        match agent {
            Agent::ClaudeCode => claude::read(&document, &mut found),
            Agent::Qwen => qwen::read(&document, &mut found),
            Agent::Codex => codex::read(&document, &mut found),
            Agent::Gemini => gemini::read(&document, &mut found),
            Agent::Opencode => opencode::read(&document, &mut found),
            Agent::Cursor | Agent::Vscode | Agent::Generic => {}
        }
    }
    found
}
