//! The URLs that a prompt makes Gemini's `web_fetch` fetch. They stand nowhere
//! else, so every place that could be fetched counts; what looks like a URL
//! and is none is kept as it is, so that no rule can vouch for it.

use url::Url;

use crate::error::DecodeError;
use crate::fields::Fields;

/// What sentences put behind a URL.
const PUNCTUATION: &[char] = &[
    ')', ']', '}', '>', '"', '\'', '`', '.', ',', ';', ':', '!', '?', '*', '_',
];

/// The URLs of a call of `web_fetch`; empty means that the host is not known.
pub(crate) fn fetched(input: Fields<'_>) -> Result<Vec<String>, DecodeError> {
    let direct = input.optional_text("url")?;
    let prompt = input.optional_text("prompt")?;
    if direct.is_none() && prompt.is_none() {
        return Err(input.missing("prompt"));
    }
    let mut urls = Vec::new();
    if let Some(direct) = direct {
        add(&mut urls, direct);
    }
    let is_space = |c: char| c.is_whitespace() || c == '\u{feff}';
    for token in prompt.unwrap_or_default().split(is_space) {
        if looks_like_url(token) {
            add(&mut urls, token);
        }
        add_embedded(&mut urls, token);
    }
    Ok(urls)
}

/// The agent wants `://`; parsers also take one slash, or backslashes.
fn looks_like_url(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    lower.contains("://") || lower.starts_with("http:") || lower.starts_with("https:")
}

/// A token, as the URL that it is, else as it stands.
fn add(urls: &mut Vec<String>, token: &str) {
    match web(token) {
        Some(url) => add_url(urls, &url),
        None => push(urls, token.to_owned()),
    }
}

fn add_url(urls: &mut Vec<String>, url: &Url) {
    push(urls, url.to_string());
    // Pages of files are fetched from where their content lies.
    if url.host_str() == Some("github.com") && url.path().contains("/blob/") {
        push(
            urls,
            format!("https://raw.githubusercontent.com{}", url.path()),
        );
    }
}

/// URLs in the middle of a token, or written without a scheme: the agent takes
/// neither, the service behind it may.
fn add_embedded(urls: &mut Vec<String>, token: &str) {
    let lower = token.to_ascii_lowercase();
    for scheme in ["http://", "https://"] {
        for (position, _) in lower.match_indices(scheme) {
            let rest = token.get(position..).unwrap_or_default();
            if let Some(url) = web(rest.trim_end_matches(PUNCTUATION)) {
                let known = web(rest).is_some_and(|whole| whole.host_str() == url.host_str());
                if position > 0 || !known {
                    add_url(urls, &url);
                }
            }
        }
    }
    if lower.starts_with("www.")
        && let Some(url) = web(&format!("http://{}", token.trim_end_matches(PUNCTUATION)))
    {
        add_url(urls, &url);
    }
}

fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn push(urls: &mut Vec<String>, url: String) {
    if urls.last() != Some(&url) {
        urls.push(url);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(prompt: &str) -> Vec<String> {
        let input = json!({ "prompt": prompt });
        fetched(Fields::tool_input(input.as_object().unwrap())).unwrap()
    }

    #[test]
    fn urls_are_found_in_the_prompt() {
        assert_eq!(
            of("sum up https://docs.rs/url and HTTP://Example.com/a?b#c please"),
            ["https://docs.rs/url", "http://example.com/a?b#c"]
        );
        assert_eq!(
            of("a\nhttps://a.example/\thttps://b.example/"),
            ["https://a.example/", "https://b.example/"]
        );
    }

    #[test]
    fn no_url_is_an_unknown_host() {
        assert!(of("what is on the front page of the news?").is_empty());
    }

    #[test]
    fn what_no_rule_may_vouch_for_is_kept() {
        for token in [
            "ftp://a.example/x",
            "http://",
            "file:///etc/passwd",
            "(x://y)",
        ] {
            assert_eq!(of(token), [token]);
        }
    }

    #[test]
    fn hosts_cannot_hide() {
        for (prompt, host) in [
            ("(https://evil.example/x)", "https://evil.example/x"),
            ("https://ok.example@evil.example/", "evil.example"),
            ("see:https://evil.example.", "https://evil.example/"),
            ("https://evil.example,", "https://evil.example/"),
            (
                "https://a.example/?u=https://evil.example/",
                "\u{1}https://evil.example/",
            ),
            ("www.evil.example/x", "http://www.evil.example/x"),
            ("hTTps:\\\\evil.example/x", "\u{1}https://evil.example/x"),
            (
                "https://github.com/o/r/blob/main/x",
                "https://raw.githubusercontent.com/o/r/blob/main/x",
            ),
        ] {
            let found = of(prompt).join("\u{1}");
            let found = format!("\u{1}{found}");
            assert!(found.contains(host), "{prompt}: {found:?}");
        }
    }
}
