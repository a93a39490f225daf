//! Secrets that are known by the name before them: `password=…`, `"token": …`,
//! `--api-key …`, `Authorization: …`.

use super::programs::secret_of_option;
use super::tokens::{marker, private_key, run};

/// A part of the text that is a secret, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: &'static str,
}

/// Names are shorter; of a longer word only the end is looked at, so that a
/// hostile word costs no more than it is long.
const LONGEST_NAME: usize = 128;

/// The shortest value that is masked after a name that only might be a
/// secret's, and the shortest credential after a bare scheme.
const LEAST_RANDOM: usize = 32;
const LEAST_CREDENTIAL: usize = 16;

/// Whether the byte can be a part of a name.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The secret that follows the word at `start..end`, if its name says so.
pub(super) fn secret_after(bytes: &[u8], start: usize, end: usize) -> Option<Secret> {
    let word = bytes.get(start.max(end.saturating_sub(LONGEST_NAME))..end)?;
    if let Some(secret) = bare_scheme(bytes, word, end) {
        return Some(secret);
    }
    if let Some(secret) = secret_of_option(bytes, start, end) {
        return Some(secret);
    }
    let is_option = bytes.get(start) == Some(&b'-');
    let value = value_position(bytes, end, is_option)?;
    match Name::of(word) {
        Name::Authorization => header_credentials(bytes, value),
        Name::Secret(kind) => {
            let (start, end) = whole_value(bytes, value)?;
            let end = with_private_keys(bytes, start, end);
            Some(Secret { start, end, kind })
        }
        Name::Perhaps => {
            let start = value + quote_length(bytes, value);
            let length = run(bytes.get(start..)?, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
            });
            (length >= LEAST_RANDOM).then_some(Secret {
                start,
                end: start + length,
                kind: "key",
            })
        }
        Name::Ordinary => None,
    }
}

/// What a value is that is given to this name, if the name says that it is a
/// secret.
pub(super) fn kind_of_name(name: &str) -> Option<&'static str> {
    let word = name.as_bytes();
    let word = word.get(word.len().saturating_sub(LONGEST_NAME)..)?;
    match Name::of(word) {
        Name::Authorization => Some("credentials"),
        Name::Secret(kind) => Some(kind),
        Name::Perhaps | Name::Ordinary => None,
    }
}

/// `Bearer …` and `Basic …` without a header's name.
fn bare_scheme(bytes: &[u8], word: &[u8], end: usize) -> Option<Secret> {
    let bearer = word.eq_ignore_ascii_case(b"bearer");
    if !bearer && !word.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let start = end + spaces(bytes, end);
    let rest = bytes.get(start..)?;
    let length = run(rest, |byte| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
    });
    let credential = rest.get(..length)?;
    // "Basic" is also a word of prose.
    let random = bearer
        || credential
            .iter()
            .any(|byte| byte.is_ascii_digit() || *byte == b'=');
    (start > end && length >= LEAST_CREDENTIAL && random).then_some(Secret {
        start,
        end: start + length,
        kind: "credentials",
    })
}

/// Where the value begins that is given to the name that ends at `end`.
fn value_position(bytes: &[u8], end: usize, is_option: bool) -> Option<usize> {
    // The closing quote of the name; escaped in JSON in JSON.
    let mut at = end + quote_length(bytes, end);
    let quoted = at > end;
    // env['TOKEN'] = …
    if quoted && bytes.get(at) == Some(&b']') {
        at += 1;
    }
    let before = spaces(bytes, at);
    at += before;
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b':', Some(b':')) => return None,
        // A URL's scheme.
        (b':', Some(b'/')) if bytes.get(at + 2) == Some(&b'/') => return None,
        (b':', Some(b'=')) | (b'=', Some(b'=' | b'>')) => {
            at += 2;
            at += spaces(bytes, at);
        }
        (b':', _) => {
            at += 1;
            at += spaces(bytes, at);
        }
        (b'=', _) => {
            at += 1;
            // `TOKEN= command` is an empty variable and a command.
            if before > 0 || quoted {
                at += spaces(bytes, at);
            }
        }
        (b'-', _) => return None,
        _ if is_option && !quoted && before > 0 => {}
        _ => return None,
    }
    Some(at)
}

pub(super) fn spaces(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .map_or(0, |rest| run(rest, |byte| matches!(byte, b' ' | b'\t')))
}

/// The length of the quote at `at`, which may be escaped.
pub(super) fn quote_length(bytes: &[u8], at: usize) -> usize {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\\'), Some(b'"' | b'\'')) => 2,
        (Some(b'"' | b'\''), _) => 1,
        _ => 0,
    }
}

/// What an `Authorization` header says after its scheme.
fn header_credentials(bytes: &[u8], value: usize) -> Option<Secret> {
    const SCHEMES: [&[u8]; 9] = [
        b"bearer",
        b"basic",
        b"token",
        b"digest",
        b"apikey",
        b"negotiate",
        b"ntlm",
        b"key",
        b"bot",
    ];
    let mut start = value + quote_length(bytes, value);
    let scheme = run(bytes.get(start..)?, |byte| byte.is_ascii_alphabetic());
    let after = start + scheme + spaces(bytes, start + scheme);
    let is_scheme = bytes
        .get(start..start + scheme)
        .is_some_and(|word| SCHEMES.iter().any(|known| word.eq_ignore_ascii_case(known)));
    if is_scheme && after > start + scheme {
        start = after;
    }
    let end = plain_end(bytes, start);
    is_secret(bytes, start, end).then_some(Secret {
        start,
        end,
        kind: "credentials",
    })
}

/// The whole value at `at` as a shell, JSON or a settings file would read it:
/// inside its quotes, or up to where a shell would end the word.
pub(super) fn whole_value(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    if quote_length(bytes, at) == 2 {
        let (start, end) = (at + 2, escaped_quoted_end(bytes, at + 2));
        return is_secret(bytes, start, end).then_some((start, end));
    }
    let mut end = at;
    let mut pieces = 0_usize;
    let mut inside = None;
    loop {
        match bytes.get(end) {
            Some(quote @ (b'"' | b'\'')) => {
                let content = end + 1;
                let close = quoted_end(bytes, content, *quote);
                let closed = bytes.get(close) == Some(quote);
                // Behind plain text a quote may be the end of what is around.
                if pieces > 0 && (!closed || ends_word(bytes.get(content))) {
                    break;
                }
                pieces += 1;
                inside = Some((content, close));
                if !closed {
                    end = close;
                    break;
                }
                end = close + 1;
                // Another quote may open a further piece of the same word.
                let next = bytes.get(end);
                if pieces == 1 && ends_word(next) && !matches!(next, Some(b'"' | b'\'')) {
                    break;
                }
            }
            _ => {
                let next = plain_end(bytes, end);
                if next == end {
                    break;
                }
                pieces += 1;
                inside = None;
                end = next;
            }
        }
    }
    let (start, end) = match inside {
        Some(inside) if pieces == 1 => inside,
        _ => (at, end),
    };
    is_secret(bytes, start, end).then_some((start, end))
}

/// The end of the value with the whole of every private key that begins in
/// it: a key goes over several lines.
fn with_private_keys(bytes: &[u8], start: usize, mut end: usize) -> usize {
    let before = |distance: usize| bytes.get(start.checked_sub(distance)?).copied();
    let mut looked = start;
    while let Some(found) = bytes
        .get(looked..end)
        .and_then(|value| value.windows(5).position(|window| window == b"-----"))
    {
        let at = looked + found;
        let Some(length) = bytes.get(at..).and_then(private_key) else {
            looked = at + 1;
            continue;
        };
        looked = at + length;
        end = match (before(2), before(1)) {
            (Some(b'\\'), Some(b'"' | b'\'')) => escaped_quoted_end(bytes, looked),
            (_, Some(quote @ (b'"' | b'\''))) => quoted_end(bytes, looked, quote),
            _ => plain_end(bytes, looked),
        };
    }
    end
}

/// Whether a shell's word, or a value in a list, ends before the byte.
const fn ends_word(byte: Option<&u8>) -> bool {
    match byte {
        None => true,
        Some(byte) => {
            ends_plain(*byte) || matches!(*byte, b',' | b'}' | b']' | b':' | b'.' | b'\\')
        }
    }
}

/// Whether an unquoted value ends before the byte: what follows may be
/// another command, and a mask must not hide one.
const fn ends_plain(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b';' | b'|' | b'&' | b'<' | b'>' | b'(' | b')' | b'`' | b'"' | b'\''
        )
}

/// Where the unquoted value at `at` ends.
pub(super) fn plain_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    loop {
        match bytes.get(end) {
            Some(b'[') => end += marker(bytes.get(end..).unwrap_or_default()).unwrap_or(1),
            Some(b'\\') if matches!(bytes.get(end + 1), Some(b'"' | b'\'')) => return end,
            Some(b'$') if bytes.get(end + 1) == Some(&b'(') => return end,
            Some(byte) if !ends_plain(*byte) => end += 1,
            _ => return end,
        }
    }
}

/// Where the value in escaped quotes at `at` ends: at any quote or escape,
/// the line's end, or a substitution.
fn escaped_quoted_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    loop {
        match (bytes.get(end), bytes.get(end + 1)) {
            (None | Some(b'\\' | b'"' | b'\n' | b'`'), _) | (Some(b'$'), Some(b'(')) => return end,
            _ => end += 1,
        }
    }
}

/// Where the value in quotes at `at` ends: at the quote, the line's end, or a
/// substitution, which is a command and stays visible.
pub(super) fn quoted_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at;
    loop {
        match (bytes.get(end), bytes.get(end + 1)) {
            (None | Some(b'\n'), _) => return end,
            (Some(byte), _) if *byte == quote => return end,
            (Some(b'`'), _) | (Some(b'$'), Some(b'(')) if quote == b'"' => return end,
            (Some(b'\\'), Some(next)) if quote == b'"' && *next != b'\n' => end += 2,
            _ => end += 1,
        }
    }
}

/// Whether a value is worth masking: not empty, not masked yet, no reference
/// to a variable or substitution, no plain word of settings files.
pub(super) fn is_secret(bytes: &[u8], start: usize, end: usize) -> bool {
    let Some(value) = bytes.get(start..end) else {
        return false;
    };
    let literal = start.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\'');
    let reference = match value {
        [] => true,
        [b'$', next, ..] => !literal && !next.is_ascii_digit(),
        _ => false,
    };
    let word = [&b"true"[..], b"false", b"null", b"none", b"undefined"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    !reference && !word && marker(value) != Some(value.len())
}

/// What a name says about the value behind it.
enum Name {
    Authorization,
    Secret(&'static str),
    Perhaps,
    Ordinary,
}

impl Name {
    fn of(word: &[u8]) -> Self {
        // The shell's own variables of the working folder.
        if matches!(word, b"PWD" | b"OLDPWD") {
            return Self::Ordinary;
        }
        let parts = parts(word);
        let last = parts.last().map(String::as_str).unwrap_or_default();
        if last == "authorization" {
            return Self::Authorization;
        }
        if DESCRIBES.contains(&last) {
            return Self::Ordinary;
        }
        for (index, part) in parts.iter().enumerate() {
            let next = parts.get(index + 1).map(String::as_str).unwrap_or_default();
            if part.ends_with("token") {
                return Self::Secret("token");
            }
            if PASSWORDS.iter().any(|end| part.ends_with(end))
                || matches!(part.as_str(), "pass" | "pwd")
            {
                return Self::Secret("password");
            }
            if KEYS.iter().any(|end| part.ends_with(end))
                || (next == "key" && BEFORE_KEY.contains(&part.as_str()))
            {
                return Self::Secret("key");
            }
            if SECRETS.iter().any(|end| part.ends_with(end)) {
                return Self::Secret("secret");
            }
        }
        if parts.iter().any(|part| PERHAPS.contains(&part.as_str())) {
            Self::Perhaps
        } else {
            Self::Ordinary
        }
    }
}

const PASSWORDS: &[&str] = &["password", "passwords", "passwd", "passphrase", "passcode"];
const SECRETS: &[&str] = &["secret", "secrets", "credential", "credentials"];
const KEYS: &[&str] = &[
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "accountkey",
];
const BEFORE_KEY: &[&str] = &[
    "api",
    "access",
    "private",
    "secret",
    "auth",
    "signing",
    "encryption",
    "master",
    "account",
    "shared",
    "session",
    "service",
    "storage",
    "deploy",
];
const PERHAPS: &[&str] = &[
    "key",
    "keys",
    "auth",
    "sig",
    "signature",
    "cookie",
    "salt",
    "seed",
    "hmac",
];
/// Last parts of names that tell something about a secret and not the secret.
const DESCRIBES: &[&str] = &[
    "file", "path", "dir", "url", "uri", "endpoint", "name", "type", "count", "limit", "length",
    "size", "id", "expiry", "expires", "ttl", "policy", "version", "stdin", "prompt",
];

/// The parts of a name in lower case: `MY_API-Key.fooBar` has five.
fn parts(word: &[u8]) -> Vec<String> {
    let mut parts = vec![String::new()];
    for (index, byte) in word.iter().enumerate() {
        if matches!(byte, b'_' | b'-' | b'.') {
            parts.push(String::new());
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| word.get(before));
        let after = word.get(index + 1);
        let starts = byte.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || (before.is_ascii_uppercase() && after.is_some_and(u8::is_ascii_lowercase))
            });
        if starts {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
