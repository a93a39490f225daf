//! Which texts of a foreign file are taken: only what is clearly a URL, a
//! model's name or a variable's name, and cannot be a key.

use url::Url;

/// Longest text that is taken, in bytes.
const LONGEST: usize = 300;

/// A base URL without credentials, query and fragment, and without a slash at
/// the end. None also if it refers to something that is known only later.
pub(super) fn base_url(text: &str) -> Option<String> {
    let text = text.trim();
    let url = Url::parse(text).ok()?;
    let is_plain = text.len() <= LONGEST
        && matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.contains(['$', '{', '}'])
        && !url
            .path_segments()
            .is_some_and(|mut segments| segments.any(may_be_key));
    is_plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// A model's name.
pub(super) fn model(text: &str) -> Option<String> {
    let text = text.trim();
    let is_plain = !text.is_empty()
        && text.len() <= 128
        && text
            .chars()
            .all(|next| next.is_ascii_alphanumeric() || "-_./:@+".contains(next))
        && !may_be_key(text);
    is_plain.then(|| text.to_owned())
}

/// The name of a variable, as people write them for keys: capitals, and more
/// than one word or an end that says what it is.
pub(super) fn variable(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && text
            .chars()
            .all(|next| next.is_ascii_uppercase() || next.is_ascii_digit() || next == '_');
    let is_spoken = text.contains('_') || text.ends_with("KEY") || text.ends_with("TOKEN");
    (is_name && is_spoken).then(|| text.to_owned())
}

/// Whether a word looks like a secret: a known beginning, or long without any
/// sign that separates words.
fn may_be_key(word: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "sk-", "sk_", "AIza", "ghp_", "gsk_", "xai-", "hf_", "Bearer",
    ];
    let is_long_and_random = word.split(['-', '_', '.', '/', ':']).any(|part| {
        part.len() >= 24
            && part.chars().any(|next| next.is_ascii_digit())
            && part.chars().any(|next| next.is_ascii_alphabetic())
    });
    is_long_and_random
        || BEGINNINGS
            .iter()
            .any(|beginning| word.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_urls_are_base_urls() {
        assert_eq!(
            base_url("https://api.example.com/v1/").as_deref(),
            Some("https://api.example.com/v1")
        );
        assert_eq!(
            base_url("http://localhost:11434/v1").as_deref(),
            Some("http://localhost:11434/v1")
        );
        for text in [
            "",
            "api.example.com",
            "ftp://a/b",
            "https://user@example.com",
            "https://a:b@example.com",
            "https://example.com/v1?key=abc",
            "https://example.com/#x",
            "https://example.com/sk-abc/v1",
            "https://example.com/0123456789abcdef0123456789abcdef/v1",
            "${BASE}/v1",
            "https://{env:HOST}/v1",
            "file:///etc/passwd",
        ] {
            assert_eq!(base_url(text), None, "{text}");
        }
    }

    #[test]
    fn what_may_be_a_key_is_no_name() {
        assert_eq!(
            variable("OPENAI_API_KEY").as_deref(),
            Some("OPENAI_API_KEY")
        );
        assert_eq!(variable("MYKEY").as_deref(), Some("MYKEY"));
        for text in [
            "",
            "sk-abc",
            "abc_def",
            "AKIAIOSFODNN7EXAMPLE",
            "$OPENAI_API_KEY",
            "A B",
            "1_A",
        ] {
            assert_eq!(variable(text), None, "{text}");
        }
        for name in [
            "qwen3-coder:30b",
            "openai/gpt-5.4",
            "claude-haiku-5-5",
            "a@b+c",
        ] {
            assert_eq!(model(name).as_deref(), Some(name));
        }
        for name in [
            "",
            "sk-abc",
            "AIzaSyD",
            "a b",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(model(name), None, "{name}");
        }
    }
}
