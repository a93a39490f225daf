//! Agent-supplied text as people may see it: nothing in it can move the
//! cursor, reorder the line or hide.

use std::fmt::Write as _;

/// The text on one line: control, invisible and bidirectional characters are
/// written out (`\x1b`, `\n`, `<U+202E>`).
///
/// For people only: it cannot be turned back, because a backslash that was
/// there before stays as it is.
#[must_use]
pub fn visible(text: &str) -> String {
    shown(text, false)
}

/// As [`visible`], but line feeds and tabs stay.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    shown(text, true)
}

fn shown(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        // Writing to a string does not fail.
        let _ = match character {
            '\n' | '\t' if lines => shown.write_char(character),
            '\n' => shown.write_str("\\n"),
            '\t' => shown.write_str("\\t"),
            '\r' => shown.write_str("\\r"),
            '\0'..='\u{1f}' | '\u{7f}' => write!(shown, "\\x{:02x}", u32::from(character)),
            _ if is_deceptive(character) => write!(shown, "<U+{:04X}>", u32::from(character)),
            _ => shown.write_char(character),
        };
    }
    shown
}

/// Whether the character shows nothing, something that looks like a space, or
/// changes how others are shown. From Unicode's `Default_Ignorable_Code_Point`,
/// `Bidi_Control`, `White_Space`, and the controls of C1.
#[must_use]
pub const fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{1680}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3000}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_stays() {
        let text = "rm -rf \"$HOME/ü\" && echo 'a\\nb' # 日本語 🙂";
        assert_eq!(visible(text), text);
        assert_eq!(visible_lines("a\n\tb"), "a\n\tb");
    }

    #[test]
    fn what_moves_or_hides_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Jb"), "a\\x1b[2Jb");
        assert_eq!(visible("a\r\nb\tc\0\u{7f}"), "a\\r\\nb\\tc\\x00\\x7f");
        assert_eq!(
            visible("\u{202e}gpj\u{200b}.\u{feff}"),
            "<U+202E>gpj<U+200B>.<U+FEFF>"
        );
        assert_eq!(
            visible("a\u{9b}b\u{a0}c\u{e0041}"),
            "a<U+009B>b<U+00A0>c<U+E0041>"
        );
        assert_eq!(visible_lines("a\rb\n"), "a\\rb\n");
    }

    proptest! {
        #[test]
        fn nothing_of_the_kind_is_left(text in any::<String>()) {
            let one_line = visible(&text);
            prop_assert!(!one_line.chars().any(|c| c.is_control() || is_deceptive(c)));
            prop_assert!(!one_line.chars().any(|c| c.is_whitespace() && c != ' '));
            let lines = visible_lines(&text);
            prop_assert!(!lines.chars().any(|c| (c.is_control() && !"\n\t".contains(c)) || is_deceptive(c)));
        }

        #[test]
        fn every_hostile_character_is_seen(
            before in "[a-z]{0,4}",
            hostile in prop::sample::select(vec!['\u{202e}', '\u{2066}', '\u{200b}', '\u{1b}', '\u{85}', '\u{e0001}', '\u{2029}']),
        ) {
            let shown = visible(&format!("{before}{hostile}"));
            prop_assert!(shown.len() > before.len() && shown.is_ascii());
        }
    }
}
