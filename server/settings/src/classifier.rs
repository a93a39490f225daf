//! The classifier's settings as a whole: whole and usable, or none at all.

use std::net::IpAddr;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::model::{ClassifierSettings, InstructionRole, Provider, StructuredOutput};
use url::{Host, Url};

use crate::assemble::{choice, count};
use crate::descriptor::{Fixed, Given};
use crate::extract::NO_CLASSIFIER;
use crate::merge::{Chosen, Merged};
use crate::problem::{Problems, SettingsProblem};
use crate::table::key;

/// What says how the endpoint is reached.
const ENDPOINT: [&str; 9] = [
    key::MODEL,
    key::FAST_MODEL,
    key::PROVIDER,
    key::BASE_URL,
    key::STRUCTURED_OUTPUT,
    key::INSTRUCTION_ROLE,
    key::API_KEY_ENV,
    key::PROXY,
    key::CA_FILE,
];

/// What says how much it may be asked, and how long.
const MEASURES: [&str; 3] = [key::MAX_CONCURRENT, key::STAGE1, key::STAGE2];

/// The model that judges calls, if one is named and everything about it can be
/// used. Whatever cannot be used was reported where it stands.
pub(crate) fn classifier(
    merged: &Merged,
    home: &Utf8Path,
    problems: &mut Vec<SettingsProblem>,
) -> Option<ClassifierSettings> {
    if ENDPOINT
        .iter()
        .any(|key| merged.scalar(key) == Fixed::Unusable)
    {
        return None;
    }
    let Some(model) = text(merged, key::FAST_MODEL).or_else(|| text(merged, key::MODEL)) else {
        report_missing_model(merged, problems);
        return None;
    };
    let provider = word(merged, key::PROVIDER, Provider::ALL, Provider::as_str)?;
    let base_url = text(merged, key::BASE_URL)
        .unwrap_or_else(|| default_base_url(provider))
        .to_owned();
    let api_key_env = text(merged, key::API_KEY_ENV).map(str::to_owned);
    let proxy = text(merged, key::PROXY).map(str::to_owned);
    if api_key_env.is_some() && travels_in_the_clear(&base_url, proxy.as_deref()) {
        report(
            merged.chosen(key::BASE_URL),
            &format!(
                "{}: the key of `apiKeyEnv` would be sent over the network without encryption; use https, or leave out `apiKeyEnv` if the endpoint wants no key; {NO_CLASSIFIER}",
                key::BASE_URL
            ),
            problems,
        );
        return None;
    }
    Some(ClassifierSettings {
        provider,
        base_url,
        model: model.to_owned(),
        structured_output: word(
            merged,
            key::STRUCTURED_OUTPUT,
            StructuredOutput::ALL,
            StructuredOutput::as_str,
        )?,
        instruction_role: word(
            merged,
            key::INSTRUCTION_ROLE,
            InstructionRole::ALL,
            InstructionRole::as_str,
        )?,
        api_key_env,
        proxy,
        ca_file: text(merged, key::CA_FILE).map(|file| expanded(file, home)),
        stage1_ms: count(merged, key::STAGE1),
        stage2_ms: count(merged, key::STAGE2),
        max_concurrent: u32::try_from(count(merged, key::MAX_CONCURRENT)).unwrap_or(1),
    })
}

/// Where the interface begins if nobody says it.
const fn default_base_url(provider: Provider) -> &'static str {
    match provider {
        Provider::OpenaiCompatible => "https://api.openai.com/v1",
        Provider::Anthropic => "https://api.anthropic.com",
        Provider::Gemini => "https://generativelanguage.googleapis.com",
    }
}

fn text<'m>(merged: &'m Merged, key: &str) -> Option<&'m str> {
    match &merged.chosen(key)?.value {
        Given::Text(text) => Some(text),
        Given::Fixed(_) => None,
    }
}

fn word<T: Copy, const N: usize>(
    merged: &Merged,
    key: &'static str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Option<T> {
    let chosen = choice(merged, key)?;
    all.into_iter().find(|one| name(*one) == chosen)
}

fn expanded(file: &str, home: &Utf8Path) -> Utf8PathBuf {
    file.strip_prefix("~/")
        .map_or_else(|| Utf8PathBuf::from(file), |below| home.join(below))
}

/// Whether what is sent there can be read on the way. Without encryption only
/// what never leaves the machine is safe, also not on its way to a proxy.
fn travels_in_the_clear(base_url: &str, proxy: Option<&str>) -> bool {
    let Ok(url) = Url::parse(base_url) else {
        return true;
    };
    url.scheme() != "https"
        && !(is_here(&url)
            && proxy.is_none_or(|proxy| Url::parse(proxy).is_ok_and(|proxy| is_here(&proxy))))
}

/// Whether a URL can only mean this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        // What is no web scheme keeps its host as it was written.
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost")
                || name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn report_missing_model(merged: &Merged, problems: &mut Vec<SettingsProblem>) {
    let stated = ENDPOINT.iter().chain(&MEASURES).find_map(|key| {
        let chosen = merged.chosen(key)?;
        chosen.source.is_some().then_some((key, chosen))
    });
    if let Some((key, chosen)) = stated {
        report(
            Some(chosen),
            &format!(
                "{key}: without {} or {} there is no classifier; name the model",
                key::MODEL,
                key::FAST_MODEL
            ),
            problems,
        );
    }
}

fn report(chosen: Option<&Chosen>, message: &str, problems: &mut Vec<SettingsProblem>) {
    let file = chosen
        .and_then(|chosen| chosen.source.as_ref())
        .and_then(|source| source.file.as_deref());
    Problems::new(file, problems).error(chosen.and_then(Chosen::position), message);
}
