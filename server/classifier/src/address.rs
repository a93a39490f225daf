//! From the settings to the URLs that are asked.

use std::net::IpAddr;

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ClassifierSettings, Provider};
use url::{Host, Url};

use crate::failure::Failure;

/// Where an endpoint takes questions, and where it tells of its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// For questions.
    pub(crate) questions: Url,
    /// For the list of models, or for what is known of this one.
    pub(crate) models: Url,
}

impl Addresses {
    /// The URLs of the settings' endpoint.
    pub(crate) fn of(settings: &ClassifierSettings) -> Result<Self, Failure> {
        let base = base(settings)?;
        let join = |segments: &[&str]| joined(&base, segments);
        let model = settings.model.as_str();
        let (questions, models) = match settings.provider {
            Provider::OpenaiCompatible => (join(&["chat", "completions"]), join(&["models"])),
            Provider::Anthropic => {
                let version = missing_version(&base, &["v1"]);
                (
                    join(&[version, "messages"]),
                    join(&[version, "models", model]),
                )
            }
            Provider::Gemini => {
                let version = missing_version(&base, &["v1beta", "v1"]);
                let model = model.strip_prefix("models/").unwrap_or(model);
                let method = format!("{model}:generateContent");
                (
                    join(&[version, "models", &method]),
                    join(&[version, "models", model]),
                )
            }
        };
        match (questions, models) {
            (Some(questions), Some(models)) => Ok(Self { questions, models }),
            _ => Err(unusable("cannot be continued by a path")),
        }
    }
}

/// The version that the interface's paths begin with, or nothing if the base
/// URL ends in one: people write it both ways.
fn missing_version(base: &Url, versions: &[&'static str]) -> &'static str {
    let last = base
        .path_segments()
        .and_then(|mut segments| segments.rfind(|segment| !segment.is_empty()));
    if last.is_some_and(|last| versions.contains(&last)) {
        return "";
    }
    versions.first().copied().unwrap_or_default()
}

/// The base with these segments added, each encoded; empty ones are left out.
/// None if a segment would lead elsewhere.
fn joined(base: &Url, segments: &[&str]) -> Option<Url> {
    let mut url = base.clone();
    {
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty();
        for segment in segments {
            // `push` would drop these two silently.
            if matches!(*segment, "." | "..") {
                return None;
            }
            if !segment.is_empty() {
                path.push(segment);
            }
        }
    }
    Some(url)
}

fn unusable(why: &str) -> Failure {
    Failure::new(
        UnavailableReason::Transport,
        format!("permissions.autoMode.classifier.baseUrl {why}"),
    )
    .remedy("name an http or https URL without user, query and fragment")
}

fn base(settings: &ClassifierSettings) -> Result<Url, Failure> {
    let url = Url::parse(&settings.base_url).map_err(|_| unusable("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable("is of another scheme"));
    }
    if url.host().is_none()
        || !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(unusable("has parts that it must not have"));
    }
    Ok(url)
}

/// Whether the URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Refuses to send a key in the clear over a network.
pub(crate) fn may_carry_a_key(url: &Url) -> Result<(), Failure> {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    Err(Failure::new(
        UnavailableReason::Transport,
        "the key is not sent over http to another machine, where everybody on the way could read it",
    )
    .remedy(
        "use https in permissions.autoMode.classifier.baseUrl, or leave out apiKeyEnv if the \
         endpoint wants no key",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    fn addresses(provider: Provider, base: &str, model: &str) -> (String, String) {
        let mut settings = settings();
        settings.provider = provider;
        settings.base_url = base.to_owned();
        settings.model = model.to_owned();
        let found = Addresses::of(&settings).unwrap();
        (found.questions.to_string(), found.models.to_string())
    }

    #[test]
    fn the_paths_of_each_interface_follow_the_base_url() {
        use Provider::{Anthropic, Gemini, OpenaiCompatible};
        for (provider, base, model, questions, models) in [
            (
                OpenaiCompatible,
                "https://a.example/compatible-mode/v1",
                "m",
                "https://a.example/compatible-mode/v1/chat/completions",
                "https://a.example/compatible-mode/v1/models",
            ),
            (
                OpenaiCompatible,
                "http://[::1]:80/",
                "m",
                "http://[::1]/chat/completions",
                "http://[::1]/models",
            ),
            (
                Anthropic,
                "https://a.example",
                "claude/x?",
                "https://a.example/v1/messages",
                "https://a.example/v1/models/claude%2Fx%3F",
            ),
            (
                Anthropic,
                "https://a.example/apps/v1",
                "m",
                "https://a.example/apps/v1/messages",
                "https://a.example/apps/v1/models/m",
            ),
            (
                Gemini,
                "https://a.example",
                "models/gemini-x",
                "https://a.example/v1beta/models/gemini-x:generateContent",
                "https://a.example/v1beta/models/gemini-x",
            ),
            (
                Gemini,
                "https://a.example/v1",
                "a/../b#c",
                "https://a.example/v1/models/a%2F..%2Fb%23c:generateContent",
                "https://a.example/v1/models/a%2F..%2Fb%23c",
            ),
        ] {
            assert_eq!(
                addresses(provider, base, model),
                (questions.to_owned(), models.to_owned())
            );
        }
    }

    #[test]
    fn a_base_url_with_other_parts_is_refused_without_repeating_it() {
        for base in [
            "ftp://a.example",
            "https://user:secret@a.example",
            "https://a.example/?key=secret",
            "https://a.example/#secret",
            "secret",
            "data:secret",
        ] {
            let mut settings = settings();
            settings.base_url = base.to_owned();
            let failure = Addresses::of(&settings).unwrap_err();
            assert!(!failure.text(None).contains("secret"));
        }
        let mut settings = settings();
        settings.provider = Provider::Anthropic;
        settings.model = "..".to_owned();
        assert!(Addresses::of(&settings).is_err());
    }

    #[test]
    fn a_key_leaves_the_machine_over_https_only() {
        for (url, may) in [
            ("https://a.example", true),
            ("http://localhost:1", true),
            ("http://127.8.8.8", true),
            ("http://[::1]", true),
            ("http://a.example", false),
            ("http://localhost.a.example", false),
            ("http://192.168.1.2", false),
            ("http://0.0.0.0", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(may_carry_a_key(&url).is_ok(), may, "{url}");
        }
    }
}
