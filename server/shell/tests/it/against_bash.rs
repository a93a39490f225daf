//! The same words as bash makes of them.
//!
//! bash is only given words made of letters, digits, quotes, blanks, braces and
//! escapes, as arguments of its own `printf`, or a text to read with `-n`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use countersign_core::command::{Known, WordValue};
use proptest::prelude::*;

use crate::support::view;

/// Runs bash on a script from standard input, without any start-up file.
fn bash(options: &[&str], script: &str) -> (bool, Vec<u8>) {
    let mut child = Command::new("bash")
        .args(["--norc", "--noprofile"])
        .args(options)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash is installed");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), output.stdout)
}

/// What can be part of a word without naming a command, file or variable.
const PARTS: &[&str] = &[
    "a", "b", "Z", "0", "7", "é", "'", "\"", "\\", " ", "  ", "$'", "$\"", "{", "}", ",", "..",
    "\\n", "\\x4", "\\101", "-", "=", ":", "''", "\"\"", "\\\\", "'b'", "\"c d\"", "{a,b}",
    "{1..3}", "\\'", "\t", "%", "@", "+", "$ ", "{c..a}", "{,x}", "\\\n",
];

/// Words that a loop goes over.
const VALUES: &[&str] = &[
    "a", "b.c", "d/e.c", "'f g'", "\"h\"", "''", "-n", "7", "{x,y}.c", "$((1+2))", "é",
];

/// Words with the loop's variable in them.
const WITH_VALUE: &[&str] = &[
    "\"$v\"",
    "$v",
    "\"$v.x\"",
    "$v.x",
    "a/\"$v\"",
    "'$v'",
    "\"${v%.c}\"",
    "\"${v##*/}\"",
    "${v%%.*}",
    "\"${v#*e}y\"",
    "\"$v$v\"",
    "\"$#\"",
    "$?",
    "$((7))",
    "\"$((3-5))\"",
    "\"${#v}\"",
    "b{$v,1}",
    "\"\"",
    "\"${w:-z}\"",
    "\"$w\"",
    "\"$@\"",
];

/// Texts that bash reads with `-n` only.
const GRAMMAR: &[&str] = &[
    "a",
    "a ",
    "b ",
    "; ",
    "\n",
    "&& ",
    "|| ",
    "| ",
    "& ",
    "( ",
    ") ",
    "{ ",
    "} ",
    "; }",
    "if ",
    "then ",
    "else ",
    "fi ",
    "while ",
    "do ",
    "done ",
    "for x in ",
    "case x in ",
    "x) ",
    ";; ",
    "esac ",
    "! ",
    "[[ ",
    " ]] ",
    "-f ",
    "== ",
    "((",
    "))",
    "$(",
    "${x}",
    "${x:-",
    "}",
    "'a'",
    "\"b\"",
    "`",
    "\"",
    "'",
    "> f ",
    "< f ",
    "2>&1 ",
    "<<< ",
    "<<E\n",
    "\nE\n",
    "f() ",
    "function f ",
    "x=1 ",
    "x=(",
    "time ",
    "#",
    "\\",
    "$((1",
    "&> ",
    "|& ",
    "<(",
    "in ",
    "until ",
    "elif ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn words_are_what_bash_makes_of_them(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..12),
    ) {
        let text = parts.concat();
        let found = view(&format!("printf '%s\\0' x {text}"));
        // An escaped backslash before a newline ends the command.
        prop_assume!(!text.contains('\n') || found.commands.len() < 2);
        let words = found.commands.first().map(|command| command.words.as_slice());
        let is_sure = found.problems.is_empty()
            && words.is_some_and(|words| words.iter().all(|word| word.literal().is_some()));
        let is_unsure = words.is_some_and(|words| {
            words.iter().any(|word| !matches!(word.value, WordValue::Literal(_)))
        });
        prop_assert!(is_sure || is_unsure || !found.problems.is_empty(), "{text:?}");
        if is_sure {
            let known: Vec<&str> =
                words.unwrap_or_default().iter().skip(3).filter_map(|word| word.literal()).collect();
            let (accepted, output) = bash(&[], &format!("PATH=\nprintf '%s\\0' x {text}\n"));
            prop_assert!(accepted, "{text:?}");
            let mut expected = b"x\0".to_vec();
            for word in &known {
                expected.extend_from_slice(word.as_bytes());
                expected.push(0);
            }
            prop_assert_eq!(
                String::from_utf8_lossy(&output),
                String::from_utf8_lossy(&expected),
                "{:?}",
                text
            );
        }
    }

    #[test]
    fn values_of_loops_are_what_bash_makes_of_them(
        values in prop::collection::vec(prop::sample::select(VALUES), 1..4),
        parts in prop::collection::vec(prop::sample::select(WITH_VALUE), 1..4),
    ) {
        let text = parts.join(" ");
        let list = values.join(" ");
        let found = view(&format!("for v in {list}; do printf '<%s>' {text} .; done"));
        let command = found.commands.last().unwrap();
        let (accepted, output) =
            bash(&[], &format!("PATH=\nfor v in {list}; do printf '<%s>' {text} .; done\n"));
        prop_assert!(accepted, "{list:?} {text:?}");
        let output = String::from_utf8_lossy(&output).into_owned();
        // What is one word each is known for each turn.
        let turns: Vec<&str> = output.split("<.>").filter(|turn| !turn.is_empty()).collect();
        let words: Vec<&WordValue> =
            command.words.iter().skip(2).map(|word| &word.value).collect();
        let (_, words) = words.split_last().unwrap();
        for (turn, printed) in turns.iter().enumerate() {
            let printed: Vec<&str> = printed
                .split_terminator('>')
                .map(|word| word.strip_prefix('<').unwrap())
                .collect();
            let is_counted = words.iter().all(|value| match value {
                WordValue::Literal(_) => true,
                WordValue::Glob(_) => false,
                WordValue::Dynamic { known, .. } => *known != Known::Nothing,
            });
            if !is_counted {
                continue;
            }
            prop_assert_eq!(printed.len(), words.len(), "{:?} {:?}", list, text);
            for (printed, value) in printed.iter().zip(words) {
                match value {
                    WordValue::Literal(text) => prop_assert_eq!(printed, text),
                    WordValue::Glob(_) => {}
                    WordValue::Dynamic { prefix, known } => {
                        prop_assert!(printed.starts_with(prefix.as_str()));
                        match known {
                            Known::OneOf(choice) => {
                                let turn = if choice.by.is_some() { turn } else { 0 };
                                let is_it = |value: &WordValue| {
                                    matches!(value, WordValue::Literal(text) if text == printed)
                                };
                                prop_assert!(
                                    choice.values.iter().any(is_it)
                                        && (choice.by.is_none()
                                            || choice.values.get(turn).is_some_and(is_it)),
                                    "{list:?} {text:?} {printed:?} {choice:?}"
                                );
                            }
                            Known::Natural => {
                                prop_assert!(printed.bytes().all(|byte| byte.is_ascii_digit()));
                            }
                            Known::Integer => prop_assert!(printed.parse::<i64>().is_ok()),
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_bash_rejects_has_a_problem(
        parts in prop::collection::vec(prop::sample::select(GRAMMAR), 1..10),
    ) {
        let text = parts.concat();
        let found = view(&text);
        if found.problems.is_empty() {
            let (accepted, _) = bash(&["-n"], &text);
            prop_assert!(accepted, "{text:?}");
        }
    }
}
