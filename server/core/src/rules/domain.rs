//! Domain rules against URLs, by the WHATWG's reading of a URL: the same that
//! decides where a request really goes.

use url::{Host, Url};

use crate::redact;
use crate::rules::error::RuleError;
use crate::rules::{Certainty, RuleList};

/// Longest query that an allow rule covers, in characters: enough for
/// questions, too short to carry a file away.
const QUERY_CHARACTERS: usize = 128;

/// Longest run of letters and digits in a query that is no token.
const TOKEN_CHARACTERS: usize = 32;

/// The specifier of a rule for the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DomainPattern {
    /// `domain:*`: every host.
    Any,
    /// A host, and what lies below it.
    Host {
        /// Lower case, punycode, without a dot at its end.
        host: String,
        /// User and password as in a URL; empty for none.
        user: String,
        /// The port, if the rule names one.
        port: Option<u16>,
        below: Below,
        /// `*.host`: not the host itself (for allow).
        only_below: bool,
    },
}

/// What a rule for a host says of the names below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// They belong to the host's owner.
    Same,
    /// The host is a registry suffix, or no domain with one: they belong to
    /// anybody.
    Others,
    /// The host is an address: there are none.
    None,
}

impl DomainPattern {
    pub(super) fn parse(specifier: &str, tool: &str, list: RuleList) -> Result<Self, RuleError> {
        let text = match specifier.split_once(':') {
            Some(("domain", text)) => text.trim(),
            // A bare host, as Qwen writes it.
            _ if specifier.contains('.') && !specifier.contains(['/', ' ']) => specifier,
            _ => {
                return Err(RuleError::Specifier {
                    tool: tool.to_owned(),
                    specifier: specifier.to_owned(),
                });
            }
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        let (only_below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if name.contains('*') {
            return Err(RuleError::DomainWildcard(text.to_owned()));
        }
        let error = || RuleError::Domain(text.to_owned());
        if name.is_empty() || name.contains(['/', '\\', '?', '#', ' ']) {
            return Err(error());
        }
        let url = Url::parse(&format!("http://{name}/")).map_err(|_| error())?;
        // `Url` drops the default port; a rule that names it means it.
        let after_user = name.rsplit_once('@').map_or(name, |(_, host)| host);
        let port = match after_user.rsplit_once(':') {
            Some((before, port)) if before.ends_with(']') || !before.contains(':') => {
                Some(port.parse().map_err(|_| error())?)
            }
            _ => url.port(),
        };
        let (host, below) = match url.host().ok_or_else(error)? {
            Host::Ipv4(_) | Host::Ipv6(_) => (host_of(&url).ok_or_else(error)?, Below::None),
            Host::Domain(_) => {
                let host = host_of(&url).ok_or_else(error)?;
                let below = match psl::suffix_str(&host) {
                    Some(suffix) if suffix == host => Below::Others,
                    Some(_) => Below::Same,
                    None => Below::Others,
                };
                (host, below)
            }
        };
        if only_below && below != Below::Same && !list.restricts() {
            return Err(RuleError::RegistrySuffix(host));
        }
        Ok(Self::Host {
            host,
            user: user_of(&url),
            port,
            below,
            only_below,
        })
    }

    /// How certainly a request is one that a deny or ask rule speaks of.
    pub(super) fn restricts(&self, url: &str) -> Option<Certainty> {
        let Self::Host {
            host, port, below, ..
        } = self
        else {
            return Some(Certainty::Certain);
        };
        let Some((url, name)) = Url::parse(url)
            .ok()
            .and_then(|url| host_of(&url).map(|name| (url, name)))
        else {
            return Some(Certainty::Possible);
        };
        if port.is_some() && *port != url.port_or_known_default() {
            return None;
        }
        match relation(&name, host) {
            Relation::Same => Some(Certainty::Certain),
            Relation::Below => match below {
                Below::Same => Some(Certainty::Certain),
                Below::Others => Some(Certainty::Possible),
                Below::None => None,
            },
            Relation::Other => None,
        }
    }

    /// Whether an allow rule covers a request.
    pub(super) fn allows(&self, text: &str) -> bool {
        let Ok(url) = Url::parse(text) else {
            return false;
        };
        if !matches!(url.scheme(), "http" | "https") || carries_data(&url) {
            return false;
        }
        let Some(name) = host_of(&url) else {
            return false;
        };
        match self {
            Self::Any => {
                user_of(&url).is_empty()
                    && url.port().is_none()
                    && matches!(url.host(), Some(Host::Domain(_)))
            }
            Self::Host {
                host,
                user,
                port,
                below,
                only_below,
            } => {
                let port_fits = match port {
                    Some(port) => url.port_or_known_default() == Some(*port),
                    None => url.port().is_none(),
                };
                let host_fits = match relation(&name, host) {
                    Relation::Same => !only_below,
                    Relation::Below => *below == Below::Same,
                    Relation::Other => false,
                };
                port_fits && host_fits && *user == user_of(&url)
            }
        }
    }
}

/// How one host stands to another.
enum Relation {
    Same,
    Below,
    Other,
}

fn relation(name: &str, host: &str) -> Relation {
    match name.strip_suffix(host) {
        Some("") => Relation::Same,
        Some(rest) if rest.ends_with('.') => Relation::Below,
        _ => Relation::Other,
    }
}

/// The host in the one form in which hosts are compared.
fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.').to_lowercase();
    (!host.is_empty()).then_some(host)
}

fn user_of(url: &Url) -> String {
    match (url.username(), url.password()) {
        (user, None) => user.to_owned(),
        (user, Some(password)) => format!("{user}:{password}"),
    }
}

/// Whether a URL could carry a secret or a piece of a file to its host.
fn carries_data(url: &Url) -> bool {
    let query = url.query().unwrap_or_default();
    query.chars().count() > QUERY_CHARACTERS
        || looks_like_a_token(query)
        || redact::mask(url.as_str()) != url.as_str()
}

/// A long run of letters and digits, with both among them.
fn looks_like_a_token(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '_' | '-' | '%'))
        .any(|run| {
            run.chars().count() >= TOKEN_CHARACTERS
                && run.chars().any(|c| c.is_ascii_digit())
                && run.chars().any(|c| c.is_ascii_alphabetic())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, url: &str) -> bool {
        DomainPattern::parse(rule, "WebFetch", RuleList::Allow)
            .unwrap()
            .allows(url)
    }

    fn denies(rule: &str, url: &str) -> Option<Certainty> {
        DomainPattern::parse(rule, "WebFetch", RuleList::Deny)
            .unwrap()
            .restricts(url)
    }

    #[test]
    fn a_host_and_its_sub_domains() {
        for url in [
            "https://example.com/",
            "http://example.com:80/a?b=c",
            "https://docs.example.com/x",
            "https://EXAMPLE.com./",
        ] {
            assert!(allows("domain:example.com", url), "{url}");
        }
        for url in [
            "https://evilexample.com/",
            "https://example.com.evil.net/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://example.com@evil.net/",
            "https://example.com:8443/",
            "https://evil.net/?u=https://example.com",
            r"https://evil.net\@example.com/",
            "not a url",
        ] {
            assert!(!allows("domain:example.com", url), "{url}");
        }
    }

    #[test]
    fn a_registry_suffix_is_only_itself() {
        assert!(allows("domain:github.io", "https://github.io/"));
        assert!(!allows("domain:github.io", "https://evil.github.io/"));
        assert!(allows("domain:me.github.io", "https://me.github.io/"));
        assert!(!allows("domain:com", "https://example.com/"));
        assert!(!allows("domain:co.uk", "https://example.co.uk/"));
        assert_eq!(
            denies("domain:github.io", "https://x.github.io/"),
            Some(Certainty::Possible)
        );
        assert!(DomainPattern::parse("domain:*.github.io", "WebFetch", RuleList::Allow).is_err());
    }

    #[test]
    fn addresses_ports_and_users_need_literal_rules() {
        assert!(allows("domain:127.0.0.1:8080", "http://127.0.0.1:8080/"));
        assert!(!allows("domain:127.0.0.1", "http://127.0.0.1:8080/"));
        assert!(allows("domain:[::1]:3000", "http://[::1]:3000/x"));
        assert!(!allows("domain:*", "http://127.0.0.1/"));
        assert!(!allows("domain:*", "http://2130706433/"));
        assert!(allows("domain:localhost:3000", "http://localhost:3000/"));
        assert!(allows("domain:me@example.com", "https://me@example.com/"));
        assert!(!allows("domain:me@example.com", "https://example.com/"));
    }

    #[test]
    fn what_could_carry_data_away_is_not_covered() {
        let long = format!("https://example.com/?q={}", "a ".repeat(100));
        assert!(!allows("domain:example.com", &long));
        assert!(!allows(
            "domain:example.com",
            "https://example.com/?k=c2VjcmV0LXZhbHVlLTEyMzQ1Njc4OTAtYWJj"
        ));
        assert!(allows(
            "domain:example.com",
            "https://example.com/?q=rust+iterator+zip"
        ));
    }

    #[test]
    fn deny_sees_through_spellings() {
        for url in [
            "https://EXAMPLE.COM./x",
            "ftp://example.com/",
            "https://u:p@example.com:99/",
            "https://a.b.example.com/",
            "https://ex%61mple.com/",
        ] {
            assert_eq!(
                denies("domain:example.com", url),
                Some(Certainty::Certain),
                "{url}"
            );
        }
        assert_eq!(
            denies("domain:bücher.example", "https://xn--bcher-kva.example/"),
            Some(Certainty::Certain)
        );
        assert_eq!(
            denies("domain:127.0.0.1", "http://2130706433/"),
            Some(Certainty::Certain)
        );
        assert_eq!(
            denies("domain:example.com", "https://evilexample.com/"),
            None
        );
        assert_eq!(
            denies("domain:example.com", "???"),
            Some(Certainty::Possible)
        );
    }

    #[test]
    fn what_is_no_host_is_an_error() {
        for rule in [
            "domain:",
            "domain:https://x.com",
            "domain:a b",
            "domain:ex*ple.com",
            "x y",
            "domain:x.com:port",
        ] {
            assert!(
                DomainPattern::parse(rule, "WebFetch", RuleList::Deny).is_err(),
                "{rule}"
            );
        }
    }
}
