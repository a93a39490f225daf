//! The same words in other clothes are the same words.

use proptest::prelude::*;

use crate::support::{view, words};

/// Ways to write a letter of a word.
fn dressed(word: &str, ways: &[u8]) -> String {
    let mut text = String::new();
    for (letter, way) in word.chars().zip(ways.iter().cycle()) {
        match way % 7 {
            1 => text.push_str(&format!("'{letter}'")),
            2 => text.push_str(&format!("\"{letter}\"")),
            3 => text.push_str(&format!("\\{letter}")),
            4 => text.push_str(&format!("$'\\x{:02x}'", u32::from(letter))),
            5 => text.push_str(&format!("$'\\{:03o}'", u32::from(letter))),
            6 => text.push_str(&format!("{letter}\"\"")),
            _ => text.push(letter),
        }
    }
    text
}

fn simple() -> impl Strategy<Value = Vec<String>> {
    // No name in it is a keyword, a built-in or a launcher.
    prop::collection::vec("[a-z]{4}7?[a-z]{0,3}q", 1..5)
}

/// Whether a command of exactly these words is listed.
fn lists(text: &str, expected: &[String]) -> bool {
    let wanted = expected.join("|");
    view(text)
        .commands
        .iter()
        .any(|command| words(command) == wanted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn quoting_changes_nothing(
        plain in simple(),
        ways in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let text: Vec<String> = plain.iter().map(|word| dressed(word, &ways)).collect();
        let text = text.join(" ");
        prop_assert!(lists(&text, &plain), "{text}");
        prop_assert!(view(&text).problems.is_empty(), "{text}");
    }

    #[test]
    fn what_stands_around_hides_nothing(
        plain in simple(),
        ways in prop::collection::vec(any::<u8>(), 1..8),
        around in prop::collection::vec(0..16_usize, 1..4),
    ) {
        let mut text = plain
            .iter()
            .map(|word| dressed(word, &ways))
            .collect::<Vec<_>>()
            .join(" ");
        for way in around {
            text = match way {
                0 => format!("bash -c '{}'", text.replace('\'', "'\\''")),
                1 => format!("env A=1 {text}"),
                2 => format!("timeout 5 {text}"),
                3 => format!("\n# a comment's ) ( quote\n{text}"),
                4 => format!("true && {text}"),
                5 => format!("echo \"$( {text} )\""),
                6 => format!("{{ {text}; }} > f"),
                7 => format!("( {text} )"),
                8 => format!("if x; then {text}; fi"),
                9 => format!("for i in a b; do {text}; done"),
                10 => format!("case x in (a|b) {text};; esac"),
                11 => format!("cat <<'E'\nx ' ( `\nE\n{text}"),
                12 => format!("bash <<'E'\n{text}\nE"),
                13 => format!("cat <( {text} )"),
                14 => format!("nohup bash -c {} &", quoted(&text)),
                _ => format!("x=1; {text} | cat"),
            };
        }
        prop_assert!(
            lists(&text, &plain) || !view(&text).problems.is_empty(),
            "{text}"
        );
    }

    #[test]
    fn one_layer_is_always_understood(plain in simple(), way in 0..10_usize) {
        let text = plain.join(" ");
        let text = match way {
            0 => format!("bash -c '{text}'"),
            1 => format!("env A=1 {text}"),
            2 => format!("timeout 5 {text}"),
            3 => format!("\n# ' ( \"\n{text}"),
            4 => format!("true && {text}"),
            5 => format!("echo \"$( {text} )\""),
            6 => format!("{{ {text}; }} > f"),
            7 => format!("( {text} )"),
            8 => format!("case x in (a|b) {text};; esac"),
            _ => format!("eval {}", quoted(&text)),
        };
        prop_assert!(lists(&text, &plain), "{text}");
        prop_assert!(view(&text).problems.is_empty(), "{text}");
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
