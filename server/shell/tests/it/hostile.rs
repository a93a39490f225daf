//! Inputs made to hang or overflow the analysis. Each runs on a small stack;
//! a hang is a test that does not end.

use countersign_core::call::ShellDialect;
use proptest::prelude::*;

use crate::support::{commands, problems, view, view_in};

/// Pieces that open, close or confuse something.
const PIECES: &[&str] = &[
    "(",
    ")",
    "((",
    "))",
    "$((",
    "$(",
    "${",
    "}",
    "{",
    "{ ",
    "[[ ",
    " ]]",
    "[",
    "]",
    "case ",
    "case x in ",
    "x) ",
    ";; ",
    "esac ",
    "if ",
    "then ",
    "fi ",
    "for ",
    "for x in y; ",
    "do ",
    "done ",
    "while ",
    "`",
    "\\`",
    "\\",
    "\\\n",
    "\n",
    "'",
    "\"",
    "$'",
    "$\"",
    "<<A ",
    "<<-B\n",
    "A\n",
    "<<<",
    "<(",
    ">(",
    ">",
    "&>",
    ">&",
    "2>",
    "|",
    "|&",
    "&",
    "&&",
    ";",
    "!",
    "!!",
    "@(",
    "+(",
    "!(",
    "*(",
    "#",
    " #",
    "~",
    "$x",
    "${x",
    "${!x",
    "${x[",
    "a[",
    "a=(",
    "a=",
    "a+=",
    "x",
    " x",
    "{a,",
    "{1..9}",
    "$[",
    "=~ ",
    "function f ",
    "f() ",
    "coproc ",
    "select ",
    "time ",
    "bash -c '",
    "eval ",
    "env ",
    "xargs ",
    "find . -exec ",
    "é",
    "\u{200B}",
    "\0",
    "\t",
];

/// Runs on a stack smaller than any thread of the guard has.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn repeated_openings_end() {
    on_a_small_stack(|| {
        for piece in PIECES {
            for count in [2, 17, 64, 1_000, 20_000] {
                let text = piece.repeat(count);
                view(&text);
                view(&format!("{text}x"));
                view(&format!("echo {text}"));
                view(&format!("x {text} y {text}"));
            }
        }
    });
}

#[test]
fn pairs_of_openings_end() {
    on_a_small_stack(|| {
        for one in PIECES {
            for two in PIECES {
                view(&format!("{one}{two}").repeat(40));
            }
        }
    });
}

/// Everything that nests, opened and closed.
const NESTED: &[(&str, &str)] = &[
    ("(", ")"),
    ("( ", "; x )"),
    ("{ ", "; }"),
    ("$(", ")"),
    ("\"$(", ")\""),
    ("echo `", "`"),
    ("echo ${x:-", "}"),
    ("echo \"${x:-", "}\""),
    ("echo ${x[", "]}"),
    ("echo $((1 + ", "))"),
    ("if a; then ", "; fi"),
    ("if ", "; then b; fi"),
    ("while a; do ", "; done"),
    ("until ", "; do b; done"),
    ("for x in y; do ", "; done"),
    ("for ((;;)); do ", "; done"),
    ("case x in y) ", "; esac"),
    ("case x in y) ", ";; esac"),
    ("f() { ", "; }"),
    ("coproc { ", "; }"),
    ("coproc ", ""),
    ("[[ ! ", " ]]"),
    ("time ", ""),
    ("cat <(", ")"),
    ("cat <<< $(", ")"),
    ("[[ ", " ]]"),
    ("[[ ( ", " ) ]]"),
    ("ls @(", ")"),
    ("x=(", ")"),
    ("a && ", ""),
    ("! ", ""),
    ("env ", ""),
    ("eval ", ""),
    ("timeout 5 ", ""),
    ("find . -exec ", " \\;"),
];

#[test]
fn nesting_is_bounded_in_stack_and_time() {
    on_a_small_stack(|| {
        for (open, close) in NESTED {
            for depth in [1, 5, 12, 16, 17, 40, 200] {
                let text = format!("{}x{}", open.repeat(depth), close.repeat(depth));
                view(&text);
            }
        }
        // Mixed: every pair of them in turn, 16 deep.
        for (one, end_one) in NESTED {
            for (two, end_two) in NESTED {
                let opening = format!("{one}{two}").repeat(8);
                let closing = format!("{end_two}{end_one}").repeat(8);
                view(&format!("{opening}x{closing}"));
            }
        }
    });
}

#[test]
fn limits_have_their_reasons() {
    let deep = |depth: usize| format!("{}x{}", "( ".repeat(depth), " )".repeat(depth));
    assert_eq!(problems(&deep(16)), [""; 0]);
    assert_eq!(problems(&deep(17)), ["nesting deeper than 16"]);
    assert_eq!(commands(&deep(17)), [""; 0]);
    let tests = |depth: usize| format!("[[ {}x ]]", "! ".repeat(depth));
    assert_eq!(problems(&tests(16)), [""; 0]);
    assert_eq!(problems(&tests(17)), ["nesting deeper than 16"]);
    // All kinds count together.
    let mixed = "if a; then { ( while b; do echo $(echo ${x:-y}); done ) }; fi";
    assert_eq!(problems(mixed), [""; 0]);
    let twice = mixed.replace('y', &format!("$({mixed})"));
    assert_eq!(problems(&twice), [""; 0]);
    let thrice = twice.replace('y', &format!("$({mixed})"));
    assert_eq!(problems(&thrice), ["nesting deeper than 16"]);
    assert_eq!(problems(&"x;".repeat(200)), [""; 0]);
    assert_eq!(
        problems(&"x;".repeat(201)),
        ["more than 200 simple commands"]
    );
    assert_eq!(problems(&"x ".repeat(4_000)), [""; 0]);
    assert_eq!(problems(&"x ".repeat(4_001)), ["more than 4000 words"]);
    assert_eq!(problems(&"x".repeat(64 * 1024)), [""; 0]);
    assert_eq!(
        problems(&"x".repeat(64 * 1024 + 1)),
        ["more than 64 KiB of text"]
    );
    // Words of a here-document do not count.
    let here = format!("cat <<E\n{}\nE", "x ".repeat(5_000));
    assert_eq!(problems(&here), [""; 0]);
    // Limits hold over all texts of a command together.
    let inner = "x;".repeat(120);
    assert_eq!(
        problems(&format!("bash -c '{inner}'; bash -c '{inner}'")),
        ["more than 200 simple commands"]
    );
}

#[test]
fn values_do_not_grow_without_bound() {
    on_a_small_stack(growing);
}

fn growing() {
    let doubling = format!("a=xxxxxxxx; {} echo $a", "a=$a$a; ".repeat(60));
    let found = view(&doubling);
    let longest = found
        .commands
        .iter()
        .flat_map(|command| &command.words)
        .filter_map(|word| word.literal().map(str::len))
        .max();
    assert!(longest.unwrap() < 100_000);
    let blanks = format!("a='{}'; echo {}", "x ".repeat(2_000), "$a".repeat(10_000));
    view(&blanks);
    view(&format!("echo {}", "{a,b}".repeat(2_000)));
    view(&format!(
        "echo {}x{}",
        "{a,".repeat(2_000),
        "}".repeat(2_000)
    ));
    view(&format!("echo {}", "a[ ".repeat(3_000)));
    view(&format!("sudo --odd {}", "x ".repeat(3_000)));
    view(&format!("{}x", "sudo --odd ".repeat(1_000)));
    view(&format!("{}x", "bash -c ".repeat(1_000)));
    view(&"while a; do ".repeat(15));
    view(&format!("[[ x {} ]]", "&& x ".repeat(3_900)));
    view(&format!("[[ {} x ]]", "! ".repeat(3_900)));
    view(&format!("x {}", "&& x ".repeat(3_900)));
}

/// Words that together make texts of all kinds, most of them not bash.
fn grammar() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_pieces_end(text in grammar()) {
        for dialect in [ShellDialect::Bash, ShellDialect::Posix, ShellDialect::Zsh] {
            view_in(&text, dialect);
        }
    }

    #[test]
    fn any_characters_end(text in "[ -~\n\t]{0,60}") {
        let view = view(&text);
        for span in view.problems.iter().filter_map(|problem| problem.span.clone()) {
            prop_assert!(text.get(span).is_some());
        }
        for command in &view.commands {
            prop_assert!(text.get(command.span.clone()).is_some());
        }
    }

    #[test]
    fn any_text_ends(text in any::<String>()) {
        view(&text);
    }
}

#[test]
fn the_largest_inputs_end() {
    for text in [
        "(".repeat(64),
        "$(".repeat(20_000),
        "a;".repeat(30_000),
        "a|".repeat(30_000),
        "\"$x\"".repeat(16_000),
        format!("echo {}", "'a' ".repeat(3_900)),
    ] {
        on_a_small_stack(move || {
            view(&text);
        });
    }
}
