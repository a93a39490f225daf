//! Secrets that are known by the program whose option they follow:
//! `curl -u user:…`, `mysql -p…`, `sshpass -p …`.

use super::assignment::{
    Secret, is_secret, is_word, plain_end, quote_length, quoted_end, spaces, whole_value,
};

/// How far before an option its program is looked for, in bytes.
const LOOK_BEHIND: usize = 512;

const WITH_USER: &[&[u8]] = &[b"curl", b"wget", b"http", b"https"];
const WITH_PASSWORD: &[&[u8]] = &[b"mysql", b"mysqldump", b"mysqladmin", b"mariadb"];

/// The secret that follows the option at `start..end`.
pub(super) fn secret_of_option(bytes: &[u8], start: usize, end: usize) -> Option<Secret> {
    let option = bytes.get(start..end)?;
    if option.first() != Some(&b'-') {
        return None;
    }
    if matches!(option, b"-u" | b"-U" | b"--user" | b"--proxy-user")
        && runs(bytes, start, WITH_USER)
    {
        return password_of_user(bytes, end);
    }
    let attached = option.starts_with(b"-p");
    if attached && runs(bytes, start, WITH_PASSWORD) {
        return password(bytes, start + 2);
    }
    if attached && runs(bytes, start, &[b"sshpass"]) {
        let at = if option.len() == 2 {
            end + spaces(bytes, end)
        } else {
            start + 2
        };
        return password(bytes, at);
    }
    None
}

fn password(bytes: &[u8], at: usize) -> Option<Secret> {
    let (start, end) = whole_value(bytes, at)?;
    Some(Secret {
        start,
        end,
        kind: "password",
    })
}

/// What stands behind the colon of `user:password`.
fn password_of_user(bytes: &[u8], option_end: usize) -> Option<Secret> {
    let mut at = option_end + spaces(bytes, option_end);
    if bytes.get(at) == Some(&b'=') {
        at += 1;
    }
    if at == option_end {
        return None;
    }
    let quote = quote_length(bytes, at);
    let value = at + quote;
    let end = match bytes.get(at) {
        Some(mark @ (b'"' | b'\'')) => quoted_end(bytes, value, *mark),
        _ => plain_end(bytes, value),
    };
    let colon = bytes
        .get(value..end)?
        .iter()
        .position(|byte| *byte == b':')?;
    let start = value + colon + 1;
    is_secret(bytes, start, end).then_some(Secret {
        start,
        end,
        kind: "password",
    })
}

/// Whether one of these programs stands before the option in its command.
fn runs(bytes: &[u8], start: usize, programs: &[&[u8]]) -> bool {
    let before = bytes
        .get(start.saturating_sub(LOOK_BEHIND)..start)
        .unwrap_or_default();
    let command = before
        .rsplit(|byte| matches!(byte, b';' | b'|' | b'&' | b'\n'))
        .next()
        .unwrap_or_default();
    command
        .split(|byte| !is_word(*byte))
        .any(|word| programs.contains(&word))
}
