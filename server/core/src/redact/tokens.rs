//! Tokens and keys that are known by their own shape, wherever they stand.

/// A kind of token: a prefix and what follows it.
struct Shape {
    kind: &'static str,
    prefix: &'static [u8],
    /// What the rest consists of.
    body: fn(u8) -> bool,
    /// How long the rest is at least, in bytes.
    least: usize,
}

const fn shape(
    kind: &'static str,
    prefix: &'static [u8],
    body: fn(u8) -> bool,
    least: usize,
) -> Shape {
    Shape {
        kind,
        prefix,
        body,
        least,
    }
}

const fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// Base64 as it is in URLs, also the bodies with underscores or dashes.
pub(super) const fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

const fn dotted(byte: u8) -> bool {
    url_safe(byte) || byte == b'.'
}

const fn slashed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'/'
}

/// The issuers' documented prefixes. Lengths are below the real ones, so that
/// a token that was cut is one too.
const SHAPES: &[Shape] = &[
    shape("GitHub token", b"ghp_", alphanumeric, 16),
    shape("GitHub token", b"gho_", alphanumeric, 16),
    shape("GitHub token", b"ghu_", alphanumeric, 16),
    shape("GitHub token", b"ghs_", alphanumeric, 16),
    shape("GitHub token", b"ghr_", alphanumeric, 16),
    shape("GitHub token", b"github_pat_", url_safe, 16),
    shape("GitLab token", b"glpat-", url_safe, 16),
    shape("GitLab token", b"gldt-", url_safe, 16),
    shape("GitLab token", b"glrt-", url_safe, 16),
    shape("GitLab token", b"glptt-", url_safe, 16),
    shape("GitLab token", b"glcbt-", url_safe, 16),
    shape("GitLab token", b"glsoat-", url_safe, 16),
    shape("Slack token", b"xoxa-", url_safe, 10),
    shape("Slack token", b"xoxb-", url_safe, 10),
    shape("Slack token", b"xoxe-", url_safe, 10),
    shape("Slack token", b"xoxe.", dotted, 10),
    shape("Slack token", b"xoxo-", url_safe, 10),
    shape("Slack token", b"xoxp-", url_safe, 10),
    shape("Slack token", b"xoxr-", url_safe, 10),
    shape("Slack token", b"xoxs-", url_safe, 10),
    shape("Slack token", b"xapp-", url_safe, 10),
    shape("Slack webhook", b"hooks.slack.com/services/", slashed, 16),
    shape("API key", b"sk-", url_safe, 20),
    shape("API key", b"sk_live_", alphanumeric, 16),
    shape("API key", b"sk_test_", alphanumeric, 16),
    shape("API key", b"rk_live_", alphanumeric, 16),
    shape("API key", b"whsec_", alphanumeric, 16),
    shape("API key", b"gsk_", alphanumeric, 20),
    shape("API key", b"xai-", url_safe, 20),
    shape("API key", b"nvapi-", url_safe, 20),
    shape("API key", b"SG.", dotted, 30),
    shape("Google key", b"AIza", url_safe, 30),
    shape("Google key", b"GOCSPX-", url_safe, 16),
    shape("Google key", b"ya29.", dotted, 16),
    shape("AWS key", b"AKIA", upper, 16),
    shape("AWS key", b"ASIA", upper, 16),
    shape("token", b"npm_", alphanumeric, 20),
    shape("token", b"pypi-", url_safe, 20),
    shape("token", b"hf_", alphanumeric, 20),
    shape("token", b"cio", alphanumeric, 32),
    shape("token", b"dop_v1_", alphanumeric, 20),
    shape("token", b"shpat_", alphanumeric, 20),
    shape("token", b"dckr_pat_", url_safe, 16),
    shape("token", b"hvs.", url_safe, 20),
    shape("private key", b"AGE-SECRET-KEY-1", upper, 20),
];

/// What stands for a secret that was masked, and the kinds there are. A text
/// of this form is never masked again.
pub(super) const OPEN: &str = "[masked: ";
pub(super) const KINDS: &[&str] = &[
    "API key",
    "AWS key",
    "GitHub token",
    "GitLab token",
    "Google key",
    "JWT",
    "Slack token",
    "Slack webhook",
    "URL credentials",
    "credentials",
    "key",
    "password",
    "private key",
    "secret",
    "token",
];

/// The length of the mask that the text begins with.
pub(super) fn marker(rest: &[u8]) -> Option<usize> {
    let kind = rest.strip_prefix(OPEN.as_bytes())?;
    KINDS.iter().find_map(|known| {
        let after = kind.strip_prefix(known.as_bytes())?;
        (after.first() == Some(&b']')).then_some(OPEN.len() + known.len() + 1)
    })
}

/// The length and the kind of the token that the text begins with.
pub(super) fn token(rest: &[u8]) -> Option<(usize, &'static str)> {
    SHAPES.iter().find_map(|shape| {
        let body = run(rest.strip_prefix(shape.prefix)?, shape.body);
        (body >= shape.least).then_some((shape.prefix.len() + body, shape.kind))
    })
}

/// The length of the JSON web token that the text begins with: three parts
/// with dots between them, the first a JSON object.
pub(super) fn web_token(rest: &[u8]) -> Option<usize> {
    const LEAST: usize = 10;
    let header = run(rest.strip_prefix(b"eyJ")?, url_safe) + 3;
    let payload = run(rest.get(header..)?.strip_prefix(b".")?, url_safe);
    let so_far = header + 1 + payload;
    let more = rest.get(so_far..)?;
    (header >= LEAST && payload >= LEAST && more.first() == Some(&b'.'))
        .then(|| so_far + run(more, dotted))
}

/// The length of the private key in PEM form that the text begins with; to
/// where it cannot be a key any more if its end is missing. What follows such
/// a place is a command's business and stays visible.
pub(super) fn private_key(rest: &[u8]) -> Option<usize> {
    const LONGEST_LABEL: usize = 64;
    const DASHES: &[u8] = b"-----";
    let label = rest.strip_prefix(b"-----BEGIN ")?;
    let label_length = label
        .get(..label.len().min(LONGEST_LABEL))?
        .windows(DASHES.len())
        .position(|window| window == DASHES)?;
    let label = label.get(..label_length)?;
    let is_label = label
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ');
    let is_private = label
        .windows(b"PRIVATE KEY".len())
        .any(|window| window == b"PRIVATE KEY");
    if !is_label || !is_private {
        return None;
    }
    let header = b"-----BEGIN ".len() + label_length + DASHES.len();
    let body = rest.get(header..)?;
    // Escaped line ends, and headers of encrypted keys.
    let is_body = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || byte.is_ascii_whitespace()
            || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b':' | b',' | b'-')
    };
    // Only to the next dashes, so that many beginnings without an end do not
    // each look at all that follows.
    let body_length = body
        .iter()
        .enumerate()
        .position(|(index, byte)| {
            !is_body(*byte)
                || body
                    .get(index..)
                    .is_some_and(|rest| rest.starts_with(DASHES))
        })
        .unwrap_or(body.len());
    let trailer = body.get(body_length..)?.strip_prefix(b"-----END ");
    let Some(trailer) = trailer else {
        return Some(header + unclosed_body(body));
    };
    if !is_key_material(body.get(..body_length)?) {
        return None;
    }
    let trailer_length = trailer
        .get(..trailer.len().min(LONGEST_LABEL))?
        .windows(DASHES.len())
        .position(|window| window == DASHES)
        .map_or(0, |label| label + DASHES.len());
    Some(header + body_length + b"-----END ".len() + trailer_length)
}

/// Whether what stands between the marks can be a key: anything else must not
/// be hidden by writing marks around it. Lines of base64, of which only the
/// last is short, and the headers of encrypted keys.
fn is_key_material(body: &[u8]) -> bool {
    const SHORTEST_LINE: usize = 16;
    const HEADERS: [&[u8]; 4] = [b"Proc-Type:", b"DEK-Info:", b"Comment:", b"Version:"];
    let mut chunks = Vec::new();
    for line in lines(body) {
        if !HEADERS.iter().any(|header| line.starts_with(header)) {
            chunks.extend(
                line.split(u8::is_ascii_whitespace)
                    .filter(|chunk| !chunk.is_empty()),
            );
        }
    }
    let is_base64 = |chunk: &&[u8]| {
        chunk
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    let Some((last, others)) = chunks.split_last() else {
        return true;
    };
    let long = |chunk: &&[u8]| chunk.len() >= SHORTEST_LINE;
    chunks.iter().all(is_base64) && others.iter().all(long) && (!others.is_empty() || long(last))
}

/// The lines of a text, whose ends may be escaped.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r' | b'\\'))
        .enumerate()
        .map(|(index, line)| match (index, line.split_first()) {
            // The letter of `\n` or `\r`.
            (1.., Some((b'n' | b'r', rest))) => rest,
            _ => line,
        })
        .map(<[u8]>::trim_ascii)
}

/// The length of the body of a private key without an end. A name at its end
/// (`token=`) is not a part of it, because a secret may follow.
fn unclosed_body(body: &[u8]) -> usize {
    const LONGEST_NAME: usize = 24;
    let length = run(body, |byte| {
        byte.is_ascii_alphanumeric()
            || byte.is_ascii_whitespace()
            || matches!(byte, b'+' | b'/' | b'=' | b'\\')
    });
    let key = body.get(..length).unwrap_or_default();
    let name_end = key
        .iter()
        .rposition(|byte| *byte != b'=' && !byte.is_ascii_whitespace())
        .map_or(0, |last| last + 1);
    let assigned = key.get(name_end..).is_some_and(|rest| rest.contains(&b'='));
    let goes_on = name_end == length && matches!(body.get(length), Some(b'_' | b'-' | b'.' | b':'));
    let name = key
        .get(..name_end)
        .unwrap_or_default()
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || *byte == b'\\')
        .unwrap_or(0);
    if goes_on || (assigned && name_end - name <= LONGEST_NAME) {
        name
    } else {
        length
    }
}

/// How many of the first bytes are of the class.
pub(super) fn run(bytes: &[u8], class: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|byte| !class(*byte))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_a_key_hide_no_command() {
        let key = |body: &str| {
            let text =
                format!("-----BEGIN RSA PRIVATE KEY-----{body}-----END RSA PRIVATE KEY-----");
            private_key(text.as_bytes()) == Some(text.len())
        };
        let line = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn";
        assert!(key(&format!("\n{line}\n{line}\nabc=\n")));
        assert!(key(&format!("\\n{line}\\nabc=\\n")));
        assert!(key(&format!(" {line} abc= ")));
        assert!(key(&format!(
            "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{line}\n"
        )));
        for body in [
            "\nrm -rf home\n",
            "\nreboot\n",
            &format!("\n{line}\nrm -rf home\n"),
            &format!("\nreboot\n{line}\n"),
        ] {
            assert!(!key(body), "{body}");
        }
    }

    #[test]
    fn every_kind_is_recognised_as_a_mask() {
        for kind in SHAPES
            .iter()
            .map(|shape| shape.kind)
            .chain(KINDS.iter().copied())
        {
            let mask = format!("{OPEN}{kind}]");
            assert_eq!(marker(mask.as_bytes()), Some(mask.len()), "{kind}");
        }
        assert_eq!(marker(b"[masked: whatever]"), None);
    }
}
