//! The key of an endpoint: read when it is needed, printed nowhere.

use std::fmt;

use countersign_core::decision::UnavailableReason;
use countersign_core::model::ClassifierSettings;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::Failure;
use crate::models::Environment;

/// Longest key, in bytes; the longest tokens in use are a few thousand.
const KEY_BYTES: usize = 8 * 1024;

/// Shortest text that is worth hiding, in bytes: shorter ones stand in every
/// second word.
const HIDDEN_BYTES: usize = 4;

/// A key. Its `Debug` does not show it, and it is wiped when it is dropped.
#[derive(Clone)]
pub(crate) struct Key(SecretString);

impl Key {
    /// A key of visible ASCII characters; nothing else can stand in a header.
    pub(crate) fn new(text: String) -> Option<Self> {
        let key = Self(SecretString::from(text));
        let text = key.0.expose_secret();
        let sound = !text.is_empty()
            && text.len() <= KEY_BYTES
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then_some(key)
    }

    /// The value of a header, marked so that no log of a library shows it.
    pub(crate) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let whole = SecretString::from(format!("{prefix}{}", self.0.expose_secret()));
        let mut value = HeaderValue::from_str(whole.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The text without the key, and without a beginning of it where the text
    /// was cut.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let key = self.0.expose_secret();
        if key.len() < HIDDEN_BYTES {
            return text.to_owned();
        }
        let mut text = text.replace(key, "[key]");
        let end = text.trim_end_matches('…');
        let cut = (HIDDEN_BYTES..key.len())
            .rev()
            .filter_map(|length| key.get(..length))
            .find(|begin| end.ends_with(begin));
        if let Some(begin) = cut {
            text.truncate(end.len().saturating_sub(begin.len()));
            text.push_str("[key]");
        }
        text
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The key that the settings name, if they name one.
pub(crate) fn read(
    settings: &ClassifierSettings,
    environment: &Environment,
) -> Result<Option<Key>, Failure> {
    let Some(name) = &settings.api_key_env else {
        return Ok(None);
    };
    // A request without its key would be refused as unauthorised; the kind is
    // the same, and the words are better.
    let failure = |state: &str| {
        Failure::new(
            UnavailableReason::HttpStatus,
            format!(
                "the environment variable {name}, named in \
                 permissions.autoMode.classifier.apiKeyEnv, {state}"
            ),
        )
        .remedy("set it where your editor and your agent are started")
    };
    let value = (environment.key)(name).ok_or_else(|| failure("is not set"))?;
    let text = value
        .into_string()
        .map_err(|_| failure("holds characters that no key has"))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(failure("is empty"));
    }
    Key::new(text.to_owned())
        .map(Some)
        .ok_or_else(|| failure("holds characters that no key has, or too many"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::testing::settings;

    fn environment(key: fn(&str) -> Option<OsString>) -> Environment {
        Environment {
            key,
            proxies: false,
        }
    }

    #[test]
    fn a_missing_variable_is_named_with_the_setting_that_names_it() {
        let mut settings = settings();
        settings.api_key_env = Some("MY_KEY".to_owned());
        let failure = read(&settings, &environment(|_| None)).unwrap_err();
        assert_eq!(
            failure.text(None),
            "the environment variable MY_KEY, named in permissions.autoMode.classifier.apiKeyEnv, \
             is not set; set it where your editor and your agent are started"
        );
        for unusable in [|_: &str| Some(" \n".into()), |_: &str| Some("a\nb".into())] {
            assert!(read(&settings, &environment(unusable)).is_err());
        }
    }

    #[test]
    fn a_key_is_shown_by_nothing() {
        let mut settings = settings();
        settings.api_key_env = Some("MY_KEY".to_owned());
        let key = read(
            &settings,
            &environment(|_| Some(" zq-fourteen-horses\n".into())),
        )
        .unwrap()
        .unwrap();
        assert_eq!(format!("{key:?}"), "Key");
        let header = key.header("Bearer ").unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer zq-fourteen-horses");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }

    #[test]
    fn a_text_holds_neither_the_key_nor_its_beginning_at_a_cut() {
        let key = Key::new("zq-fourteen-horses".to_owned()).unwrap();
        for (text, scrubbed) in [
            (
                "a zq-fourteen-horses b zq-fourteen-horses",
                "a [key] b [key]",
            ),
            ("a zq-fourte…", "a [key]"),
            ("a zq-f", "a [key]"),
            ("a zq-", "a zq-"),
            ("a zq-fourte b", "a zq-fourte b"),
            ("", ""),
        ] {
            assert_eq!(key.scrub(text), scrubbed);
        }
        let short = Key::new("abc".to_owned()).unwrap();
        assert_eq!(short.scrub("abcd"), "abcd");
    }

    #[test]
    fn an_endpoint_without_a_key_reads_no_variable() {
        let mut settings = settings();
        settings.api_key_env = None;
        let none = environment(|_| panic!("read a variable"));
        assert!(read(&settings, &none).unwrap().is_none());
    }
}
