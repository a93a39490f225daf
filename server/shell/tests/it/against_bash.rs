//! The same words as bash makes of them.
//!
//! bash is only given words made of letters, digits, quotes, blanks, braces and
//! escapes, as arguments of its own `printf`, or a text to read with `-n`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use countersign_core::command::WordValue;
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
