//! The one pass that masks. Written by hand and not with regular expressions,
//! because a hook is a process per call, and compiling them would cost it more
//! than everything else.

use std::borrow::Cow;

use super::assignment::{Secret, is_word, secret_after};
use super::tokens::{OPEN, marker, private_key, run, token, url_safe, web_token};

/// The text with everything that looks like a key, a token or a password
/// replaced by its kind, such as `[masked: GitHub token]`.
///
/// Takes time linear in the text's length. Masking twice is masking once.
/// What is masked of a shell command is never more than one word of it, or the
/// literal text in its quotes: a mask hides no command.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let spans = spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for span in spans {
        masked.push_str(text.get(copied..span.start).unwrap_or_default());
        span.write_mark(&mut masked);
        copied = span.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(masked)
}

/// A part of a text that looks like a secret, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: &'static str,
}

impl Span {
    /// Adds what stands in the secret's place.
    pub(super) fn write_mark(&self, text: &mut String) {
        text.push_str(OPEN);
        text.push_str(self.kind);
        text.push(']');
    }
}

/// What [`mask`] masks, in order and apart.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        spans: Vec::new(),
        after_mask: true,
        word_end: 0,
        pending: None,
    };
    scanner.run();
    scanner.spans
}

struct Scanner<'a> {
    bytes: &'a [u8],
    /// What is looked at. Everything that is masked begins and ends at ASCII,
    /// or at the text's end, and so between two characters.
    at: usize,
    spans: Vec<Span>,
    /// Whether `at` is at the beginning or right behind a mask. What is
    /// decided there may not depend on what was masked, or masking again
    /// would decide differently.
    after_mask: bool,
    /// Where the word ends that `at` is in.
    word_end: usize,
    /// A secret that comes, because the name before it says so. The name is
    /// looked through for tokens first.
    pending: Option<Secret>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            if let Some(secret) = self.pending.take_if(|secret| secret.start <= self.at)
                && secret.start == self.at
            {
                self.hide(secret.end, secret.kind);
                continue;
            }
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if byte == b'['
                && let Some(length) = marker(rest)
            {
                self.at += length;
                self.after_mask = true;
                continue;
            }
            if is_word(byte) && (self.after_mask || self.at >= self.word_end) {
                if self.at >= self.word_end {
                    self.word_end = self.at + run(rest, is_word);
                }
                if self.pending.is_none() {
                    self.pending = secret_after(self.bytes, self.at, self.word_end);
                }
            }
            if let Some((length, kind)) = self.shaped(byte, rest) {
                self.hide(self.at + length, kind);
                continue;
            }
            if byte == b':'
                && let Some((start, end)) = self.url_credentials(rest)
            {
                self.at = start;
                self.hide(end, "URL credentials");
                continue;
            }
            self.at += 1;
            self.after_mask = false;
        }
    }

    /// Masks from `at` to `end`.
    fn hide(&mut self, end: usize, kind: &'static str) {
        self.spans.push(Span {
            start: self.at,
            end,
            kind,
        });
        self.at = end;
        self.after_mask = true;
    }

    /// The length and kind of the secret that begins here by its own shape.
    fn shaped(&self, byte: u8, rest: &[u8]) -> Option<(usize, &'static str)> {
        if byte == b'-' {
            return private_key(rest).map(|length| (length, "private key"));
        }
        if !byte.is_ascii_alphabetic() || !self.begins_token() {
            return None;
        }
        token(rest).or_else(|| {
            // Only one beginning in a run of its characters, so that a run of
            // many beginnings is not looked at many times.
            let begins =
                self.after_mask || !self.before(1).is_some_and(url_safe) || self.is_escaped();
            begins
                .then(|| web_token(rest))
                .flatten()
                .map(|length| (length, "JWT"))
        })
    }

    fn before(&self, distance: usize) -> Option<u8> {
        let index = self.at.checked_sub(distance)?;
        self.bytes.get(index).copied()
    }

    /// Whether a token can begin here: not in the middle of a word.
    fn begins_token(&self) -> bool {
        self.after_mask
            || !self
                .before(1)
                .is_some_and(|byte| byte.is_ascii_alphanumeric())
            || self.is_escaped()
    }

    /// Whether what is before is `\n` as two characters or `%3D`, which end a
    /// word though they end in a letter.
    fn is_escaped(&self) -> bool {
        let backslash =
            self.before(2) == Some(b'\\') && matches!(self.before(1), Some(b'n' | b'r' | b't'));
        let percent = self.before(3) == Some(b'%')
            && [1, 2].iter().all(|distance| {
                self.before(*distance)
                    .is_some_and(|byte| byte.is_ascii_hexdigit())
            });
        backslash || percent
    }

    /// User and password of the URL whose `://` is here. A short plain user
    /// name alone (`ssh://git@…`) is none.
    fn url_credentials(&self, rest: &[u8]) -> Option<(usize, usize)> {
        const LONGEST_NAME: usize = 16;
        let authority = rest.strip_prefix(b"://")?;
        let length = run(authority, |byte| {
            !byte.is_ascii_whitespace()
                && !matches!(
                    byte,
                    b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\'
                )
        });
        let authority = authority.get(..length)?;
        let at_sign = authority.iter().rposition(|byte| *byte == b'@')?;
        let user = authority.get(..at_sign)?;
        let plain = user.len() <= LONGEST_NAME
            && user
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.'));
        // References to variables are none, and commands stay visible.
        let reference = user.first() == Some(&b'$')
            || user.windows(2).any(|pair| pair == b":$")
            || user
                .iter()
                .any(|byte| matches!(byte, b'(' | b';' | b'|' | b'&'));
        let start = self.at + 3;
        (!plain && !reference).then_some((start, start + at_sign))
    }
}

#[cfg(test)]
mod tests;
