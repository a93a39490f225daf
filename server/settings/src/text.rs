//! What texts in the settings must look like. No message repeats a text: people
//! put keys and passwords where they do not belong, and messages are logged.

use url::Url;

/// The form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRule {
    /// Where an interface begins: a URL with `http` or `https`.
    BaseUrl,
    /// A proxy's URL.
    Proxy,
    /// A model's name.
    Model,
    /// An environment variable's name.
    VariableName,
    /// A file: an absolute path, or one that begins with `~/`.
    CertificateFile,
}

impl TextRule {
    /// The largest number of characters.
    #[must_use]
    pub const fn longest(self) -> usize {
        match self {
            Self::BaseUrl | Self::Proxy => 2_048,
            Self::Model => 200,
            Self::VariableName => 128,
            Self::CertificateFile => 4_096,
        }
    }

    /// What it is, for the documentation.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::BaseUrl | Self::Proxy => "URL",
            Self::Model => "name of a model",
            Self::VariableName => "name of an environment variable",
            Self::CertificateFile => "path",
        }
    }

    /// The regular expression of the JSON schema; none where it would say no
    /// more than the length.
    pub(crate) const fn pattern(self) -> Option<&'static str> {
        match self {
            Self::BaseUrl => Some("^https?://[^?#]+$"),
            Self::Proxy => Some("^(https?|socks5h?)://[^/?#@]+/?$"),
            Self::Model => None,
            Self::VariableName => Some("^[A-Za-z_][A-Za-z0-9_]*$"),
            Self::CertificateFile => Some("^(/|~/)"),
        }
    }

    /// The text in its one spelling, or what is wrong with it and what to do.
    pub(crate) fn read(self, text: &str) -> Result<String, String> {
        if text.trim().is_empty() {
            return Err("it is empty; name one, or leave the setting out".to_owned());
        }
        // Parsers of URLs drop some of these silently.
        if text.chars().any(char::is_control) || text.trim() != text {
            return Err(
                "it has a control character, or a space at an end; take that out".to_owned(),
            );
        }
        if text.chars().count() > self.longest() {
            return Err(format!("it is longer than {} characters", self.longest()));
        }
        match self {
            Self::BaseUrl => base_url(text),
            Self::Proxy => proxy(text),
            Self::Model => Ok(text.to_owned()),
            Self::VariableName => variable_name(text),
            Self::CertificateFile => certificate_file(text),
        }
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let url = url(text, &["http", "https"])?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn proxy(text: &str) -> Result<String, String> {
    let url = url(text, &["http", "https", "socks5", "socks5h"])?;
    if !matches!(url.path(), "" | "/") {
        return Err("a proxy has no path; name scheme, host and port only".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let expected = || {
        format!(
            "expected a URL that begins with {}://",
            schemes.join(":// or ")
        )
    };
    let url = Url::parse(text).map_err(|_| expected())?;
    // `http:host` is read as `http://host`, and so is not what it looks like.
    let is_absolute = text
        .split_once(':')
        .is_some_and(|(_, rest)| rest.starts_with("//"));
    if !schemes.contains(&url.scheme()) || !is_absolute || url.host_str().is_none_or(str::is_empty)
    {
        return Err(expected());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a user name or a password must not stand in the URL; take it out of this file"
                .to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the URL must end before `?` and `#`; leave out the rest".to_owned());
    }
    Ok(url)
}

const NOT_A_NAME: &str = "expected the name of an environment variable: letters, digits and `_`; \
                          name the environment variable, not the key";

fn variable_name(text: &str) -> Result<String, String> {
    let is_name = !text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_name && !looks_like_a_key(text) {
        Ok(text.to_owned())
    } else {
        Err(NOT_A_NAME.to_owned())
    }
}

/// What well-known keys begin with that could be a name.
const KEY_PREFIXES: &[&str] = &[
    "AIza",
    "AKIA",
    "ASIA",
    "ghp_",
    "github_pat_",
    "glpat",
    "gsk_",
    "hf_",
    "nvapi",
    "pplx",
    "r8_",
    "sk_",
    "xai",
    "xox",
];

/// People's names of variables are words; keys are a long run of letters and
/// digits.
fn looks_like_a_key(name: &str) -> bool {
    let is_run = |part: &str| {
        part.len() >= 16
            && part.chars().any(|character| character.is_ascii_digit())
            && part
                .chars()
                .any(|character| character.is_ascii_alphabetic())
    };
    KEY_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || name.split('_').any(is_run)
}

fn certificate_file(text: &str) -> Result<String, String> {
    if text.starts_with('/') || text.starts_with("~/") {
        Ok(text.to_owned())
    } else {
        Err("expected an absolute path, or one that begins with ~/".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(rule: TextRule, text: &str) -> String {
        rule.read(text)
            .unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    fn refused(rule: TextRule, texts: &[&str]) {
        for text in texts {
            let problem = rule.read(text).expect_err(text);
            let is_scheme = text.ends_with("://");
            assert!(
                is_scheme || text.len() < 3 || !problem.contains(text),
                "the message repeats {text}"
            );
        }
    }

    #[test]
    fn a_base_url_has_one_spelling_and_no_secrets() {
        let rule = TextRule::BaseUrl;
        for (text, read) in [
            ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
            ("https://api.openai.com/v1", "https://api.openai.com/v1"),
            ("http://localhost:11434/v1", "http://localhost:11434/v1"),
            ("HTTPS://Models.Example//", "https://models.example"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            assert_eq!(good(rule, text), read);
        }
        refused(
            rule,
            &[
                "",
                "  ",
                "api.openai.com/v1",
                "http:localhost",
                "https://",
                "ftp://models.example",
                "file:///etc/passwd",
                "https://user@models.example",
                "https://user:secret@models.example",
                "https://models.example/v1?key=secret",
                "https://models.example/v1#part",
                "https://models.\nexample",
                " https://models.example",
            ],
        );
        refused(
            rule,
            &[&format!("https://models.example/{}", "a".repeat(2_048))],
        );
    }

    #[test]
    fn a_proxy_is_scheme_host_and_port() {
        let rule = TextRule::Proxy;
        assert_eq!(good(rule, "http://proxy:3128/"), "http://proxy:3128");
        assert_eq!(good(rule, "https://proxy.example"), "https://proxy.example");
        assert_eq!(
            good(rule, "socks5://127.0.0.1:1080"),
            "socks5://127.0.0.1:1080"
        );
        assert_eq!(good(rule, "socks5h://proxy:1080"), "socks5h://proxy:1080");
        refused(
            rule,
            &[
                "proxy:3128",
                "socks4://proxy:1080",
                "http://user:secret@proxy:3128",
                "http://proxy:3128/path",
                "socks5://",
            ],
        );
    }

    #[test]
    fn a_variable_is_named_and_a_key_is_refused() {
        let rule = TextRule::VariableName;
        for name in [
            "OPENAI_API_KEY",
            "_key",
            "k",
            "DASHSCOPE_API_KEY_2",
            "openaiKey",
        ] {
            assert_eq!(good(rule, name), name);
        }
        refused(
            rule,
            &[
                "sk-proj-Zm9vYmFyYmF6",
                "AIzaSyFakeFakeFakeFakeFakeFakeFakeFake0",
                "gsk_fakefakefakefake",
                "hf_fakefakefake",
                "0123456789abcdef0123456789abcdef",
                "deadbeefdeadbeefdeadbeef01234567",
                "MY_deadbeefdeadbeefdeadbeef01234567",
                "2KEY",
                "MY KEY",
                "MY-KEY",
                "$OPENAI_API_KEY",
                "SCHLÜSSEL",
            ],
        );
        let problem = rule.read("sk-proj-Zm9vYmFyYmF6").unwrap_err();
        assert!(problem.contains("name the environment variable, not the key"));
    }

    #[test]
    fn models_and_files_are_bounded_and_plain() {
        assert_eq!(good(TextRule::Model, "qwen3:8b"), "qwen3:8b");
        assert_eq!(good(TextRule::Model, &"é".repeat(200)), "é".repeat(200));
        refused(
            TextRule::Model,
            &["", " ", "a\nb", "a\u{0}b", &"x".repeat(201)],
        );
        assert_eq!(good(TextRule::CertificateFile, "~/ca.pem"), "~/ca.pem");
        assert_eq!(
            good(TextRule::CertificateFile, "/etc/ca.pem"),
            "/etc/ca.pem"
        );
        refused(
            TextRule::CertificateFile,
            &[
                "ca.pem",
                "./ca.pem",
                "~other/ca.pem",
                "/etc/\u{0}ca.pem",
                "$HOME/ca.pem",
            ],
        );
    }
}
