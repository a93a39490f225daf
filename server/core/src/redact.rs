//! Masking of what looks like a secret, bounds on what is kept, and the one
//! way in which text that an agent supplied is shown to people.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

mod assignment;
mod mask;
mod programs;
mod shown;
mod tokens;
mod visible;

pub use mask::mask;
pub(crate) use shown::{Shown, code, code_value, content};
pub use visible::{is_deceptive, visible, visible_lines};

/// How much of an edit's text is kept, in characters.
const EDIT_CHARACTERS: usize = 80;

/// How much of an edit's text is looked at for secrets, in bytes: enough that
/// no secret is cut where the kept characters are taken from.
const EDIT_LOOKED_AT: usize = 4096;

/// The text, or its beginning with a mark that says how much is missing; at
/// most `max_bytes` bytes with the mark, and never a part of a character.
#[must_use]
pub fn bounded(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    // The longest mark there can be: the number only shrinks with what is kept.
    let room = cut_mark(text.len()).len();
    let kept = prefix(text, max_bytes.saturating_sub(room));
    let mark = cut_mark(text.len() - kept.len());
    Cow::Owned(prefix(&format!("{kept}{mark}"), max_bytes).to_owned())
}

fn cut_mark(missing: usize) -> String {
    format!("… [cut: {missing} more bytes]")
}

/// The longest beginning of at most `max_bytes` bytes that ends between two
/// characters.
fn prefix(text: &str, max_bytes: usize) -> &str {
    let end = (0..=max_bytes.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// What the journal keeps of the text of an edit: its SHA-256, its length in
/// bytes and its first 80 characters, masked.
#[must_use]
pub fn edit_body(text: &str) -> String {
    let mut kept = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string does not fail.
        let _ = write!(kept, "{byte:02x}");
    }
    let _ = write!(kept, " {} bytes: ", text.len());
    let masked = mask(prefix(text, EDIT_LOOKED_AT));
    kept.extend(masked.chars().take(EDIT_CHARACTERS));
    if text.len() > EDIT_LOOKED_AT || masked.chars().nth(EDIT_CHARACTERS).is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(bounded("git status", 10), "git status");
        assert_eq!(bounded("", 0), "");
    }

    #[test]
    fn a_cut_says_how_much_is_missing() {
        let text = "ä".repeat(100);
        assert_eq!(
            bounded(&text, 50),
            format!("{}… [cut: 176 more bytes]", "ä".repeat(12))
        );
    }

    #[test]
    fn an_edit_is_kept_as_its_digest_and_its_beginning() {
        assert_eq!(
            edit_body("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 bytes: abc"
        );
        let long = edit_body(&"x".repeat(5000));
        assert!(
            long.ends_with(&format!("5000 bytes: {}…", "x".repeat(80))),
            "{long}"
        );
    }

    #[test]
    fn an_edit_shows_no_secret() {
        let secret = "hunter2hunter2";
        let body = edit_body(&format!("DB_PASSWORD={secret}\n"));
        assert!(!body.contains(secret), "{body}");
        // Cut in the middle, a token is still a token.
        let body = edit_body(&format!("{}ghp_{}", "x ".repeat(38), "Ab1".repeat(12)));
        assert!(!body.contains("Ab1"), "{body}");
    }

    proptest! {
        #[test]
        fn bounds_hold_and_are_idempotent(text in "\\PC{0,200}", max in 0_usize..300) {
            let once = bounded(&text, max).into_owned();
            prop_assert!(once.len() <= max);
            prop_assert_eq!(bounded(&once, max), once.as_str());
        }
    }
}
