//! The corpus of effects, and what keeps a command from being contained
//! however it is dressed.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use crate::knowledge::{contained_examples, not_contained_examples};
use crate::workspace::{is_contained, judged, judged_with_links};
use countersign_core::call::ShellDialect;

fn corpus(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/corpora")
        .join(name);
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_corpus_of_effects_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for row in corpus("effects.jsonl") {
        let text = row["command"].as_str().unwrap();
        let dialect = match row["shell"].as_str() {
            Some("zsh") => ShellDialect::Zsh,
            _ => ShellDialect::Bash,
        };
        // What it needs is not there yet.
        let expected = row["expect"] == "contained" && row.get("needs").is_none();
        let because = judged_with_links(text, dialect).because;
        if because.is_empty() != expected {
            let why = because.first().map_or("", |first| first.reason.as_str());
            wrong.push(format!("{text:?}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Commands that are not contained: the examples, and the corpora.
fn not_contained() -> Vec<String> {
    let of_corpus = |name: &str, key: &str, value: &str| -> Vec<String> {
        corpus(name)
            .iter()
            .filter(|row| row[key] == value && row.get("shell").is_none())
            .filter_map(|row| row["command"].as_str().map(str::to_owned))
            .collect()
    };
    let mut all = not_contained_examples();
    all.extend(of_corpus("effects.jsonl", "expect", "not contained"));
    let bypasses = of_corpus("bypasses.jsonl", "must", "block_or_ask");
    all.extend(bypasses);
    // Some are not so only where there are links, or rules.
    all.retain(|text| !is_contained(text));
    all
}

/// Another writing of a command that does all that it does.
fn around(text: &str, way: usize) -> String {
    let quoted = format!("'{}'", text.replace('\'', "'\\''"));
    match way {
        0 => format!("true && {text}"),
        1 => format!("{text}\ntrue | cat"),
        2 => format!("bash -c {quoted}"),
        3 => format!("env bash -c {quoted}"),
        4 => format!("timeout 5 bash -c {quoted}"),
        5 => format!("echo \"$(\n{text}\n)\""),
        6 => format!("\n{text}"),
        7 => format!("# a comment\n{text}"),
        8 => format!("{{\n{text}\n}} | cat"),
        9 => format!("if true; then\n{text}\nfi"),
        10 => format!("cat <(\n{text}\n)"),
        _ => format!("(\n{text}\n)"),
    }
}

const WAYS: usize = 12;

#[test]
fn what_is_not_contained_is_not_so_in_other_clothes() {
    let mut wrong = Vec::new();
    for (index, text) in not_contained().into_iter().enumerate() {
        // Each in some of them, and all of them for each kind of command.
        for way in (0..WAYS).filter(|way| (way + index) % 4 == 0) {
            let other = around(&text, way);
            if is_contained(&other) {
                wrong.push(other);
            }
        }
        // One that is a single command may stand behind a wrapper.
        if !text.contains(['\n', ';', '|', '&', '(', '{', '=', '<', '>', '!', '#']) {
            for wrapper in ["env", "timeout 5", "nice", "command", "nohup"] {
                let other = format!("{wrapper} {text}");
                // A built-in of the shell is no program, and does nothing then.
                if is_contained(&other) && !is_only_built_in(&text) {
                    wrong.push(other);
                }
            }
            let piped = format!("{text} | cat");
            if is_contained(&piped) {
                wrong.push(piped);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_only_built_in(text: &str) -> bool {
    [
        "alias", "bind", "complete", "enable", "exec", "export", "fc", "hash", "history", "source",
        ".",
    ]
    .contains(&text.split(' ').next().unwrap_or_default())
}

#[test]
fn what_is_contained_is_not_so_with_a_write_elsewhere() {
    let mut wrong = Vec::new();
    for text in contained_examples() {
        for more in [
            "> /work/project/Makefile",
            "> ~/x",
            ">> /work/project/.git/config",
            "2> /etc/x",
            "&> /work/x",
            ">| /work/project/untracked.txt",
        ] {
            let other = format!("{text} {more}");
            if is_contained(&other) {
                wrong.push(other);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A letter of the text quoted in some way, where it is not quoted yet.
fn with_a_letter_quoted(text: &str, at: usize, way: usize) -> Option<String> {
    let is_plain = !text.contains(['\'', '"', '\\', '$', '`', '#', '{', '\n', '<']);
    let letter = text.chars().nth(at).filter(|_| is_plain)?;
    let begin: String = text.chars().take(at).collect();
    let end: String = text.chars().skip(at + 1).collect();
    letter.is_ascii_alphabetic().then(|| match way {
        0 => format!("{begin}'{letter}'{end}"),
        1 => format!("{begin}\"{letter}\"{end}"),
        2 => format!("{begin}\\{letter}{end}"),
        3 => format!("{begin}$'\\x{:02x}'{end}", u32::from(letter)),
        _ => format!("{begin}{letter}''{end}"),
    })
}

#[test]
fn quoting_a_letter_contains_nothing() {
    let mut wrong = Vec::new();
    for (index, text) in not_contained().into_iter().enumerate() {
        for at in [0, 1, 2 + index % 5, 7 + index % 11] {
            let Some(other) = with_a_letter_quoted(&text, at, (at + index) % 5) else {
                continue;
            };
            // A keyword or a variable's name in quotes is a program's name,
            // and a tilde's user one of a folder.
            let changes_meaning = text.contains(['=', '~', '(']);
            if !changes_meaning && is_contained(&other) {
                wrong.push(other);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A script of bash's grammar.
fn script() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,4}",
        Just("*".to_owned()),
        Just("-rf".to_owned()),
        Just("~/x".to_owned()),
        Just("$X".to_owned()),
        Just("\"$f\"".to_owned()),
        Just("'a b'".to_owned()),
        Just("{a,b}".to_owned()),
        Just("$((1+x))".to_owned()),
        Just("a[1]".to_owned()),
        Just("--x=*".to_owned()),
        Just("> out/x".to_owned()),
        Just("<<< x".to_owned()),
        Just("2>&1".to_owned()),
    ];
    let name = prop::sample::select(vec![
        "ls", "cat", "rm", "mv", "cp", "git", "find", "xargs", "sed", "awk", "tar", "jq", "test",
        "[", "cd", "echo", "bash", "env", "sort", "gcc", "read", "export", "X=1", "x=y ls", "eval",
    ]);
    let command = (name, prop::collection::vec(word, 0..6))
        .prop_map(|(name, words)| format!("{name} {}", words.join(" ")));
    command.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} | {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}; {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || {b} &")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("if {a}; then {b}; else {a}; fi")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("while {a}; do {b}; done")),
            inner
                .clone()
                .prop_map(|a| format!("for f in a b *.rs; do {a}; done")),
            inner.clone().prop_map(|a| format!("( {a} )")),
            inner.clone().prop_map(|a| format!("{{ {a}; }} > out/x")),
            inner.clone().prop_map(|a| format!("echo $({a})")),
            inner.clone().prop_map(|a| format!("f() {{ {a}; }}; f")),
            inner
                .clone()
                .prop_map(|a| format!("case $x in a|b) {a};; *) ;; esac")),
            inner.clone().prop_map(|a| format!("cat <<E\n$({a})\nE")),
            inner.prop_map(|a| format!("find . -exec {a} {{}} +")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_script_is_judged(text in script()) {
        let alone = is_contained(&text);
        // Whatever stands before a harmful part, it stays harmful.
        let more = format!("{text}\nrm -rf ~");
        prop_assert!(!is_contained(&more), "{more}");
        let before = format!("rm -rf ~\n{text}");
        prop_assert!(!is_contained(&before), "{before}");
        // What is not contained is not contained twice.
        if !alone {
            let twice = format!("{text}\n{text}");
            prop_assert!(!is_contained(&twice), "{twice}");
        }
    }

    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        judged(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words_of_known_commands_are_judged(
        name in prop::sample::select(vec![
            "git", "sed", "awk", "jq", "tar", "find", "zip", "gcc", "ar", "dd", "test", "rustc",
            "javac", "xargs", "sort", "convert", "gzip", "7z", "env", "docker",
        ]),
        words in prop::collection::vec("[-+@=/:,.;{}()!a-zA-Z0-9$*\\\\ ]{0,12}", 0..8),
    ) {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        judged(&format!("{name} {}", quoted.join(" ")));
        judged(&format!("{name} {}", words.join(" ")));
    }
}
