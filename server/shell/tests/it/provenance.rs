//! What is known of words whose text is not.

use countersign_core::effect::{EffectKind, Target, Touch};

use crate::support::{check, known, view};

/// Asserts what is known of the words of the last command.
#[track_caller]
fn last(text: &str, expected: &str) {
    let view = view(text);
    assert_eq!(known(view.commands.last().unwrap()), expected, "{text}");
}

/// Asserts what is known of the words of the command with this name.
#[track_caller]
fn of(text: &str, name: &str, expected: &str) {
    let view = view(text);
    let command = view
        .commands
        .iter()
        .rev()
        .find(|command| command.name() == Some(name));
    assert_eq!(known(command.unwrap()), expected, "{text}");
}

/// Whether something of what the text does is not known.
fn is_unproven(text: &str) -> bool {
    !countersign_shell::effects(&view(text)).unproven.is_empty()
}

/// The paths that a text touches.
fn touched(text: &str) -> Vec<(Touch, String)> {
    countersign_shell::effects(&view(text))
        .effects
        .into_iter()
        .filter_map(|effect| match effect.kind {
            EffectKind::Path { touch, target } => match target {
                Target::Path { text, .. } => Some((touch, text)),
                Target::Glob { pattern, .. } => Some((touch, format!("glob:{pattern}"))),
                Target::Links { text, .. } => Some((touch, format!("links:{text}"))),
                Target::Pieces { text, .. } => Some((touch, format!("pieces:{text}"))),
                Target::SplitMatches { pattern, .. } => Some((touch, format!("split:{pattern}"))),
                Target::Into { text, .. } => Some((touch, format!("into:{text}"))),
                Target::StandIns { .. } => None,
                Target::Unknown => Some((touch, "?".to_owned())),
            },
            _ => None,
        })
        .collect()
}

#[track_caller]
fn touches(text: &str, expected: &[(Touch, &str)]) {
    let expected: Vec<(Touch, String)> = expected
        .iter()
        .map(|(touch, path)| (*touch, (*path).to_owned()))
        .collect();
    assert_eq!(touched(text), expected, "{text}");
}

#[test]
fn a_quoted_value_is_one_word_and_a_list_is_not() {
    last("a \"$x\" $x \"a$x\" a$x", "a|one|any|one|any");
    last(
        "a \"$*\" \"$@\" \"${b[@]}\" \"${b[*]}\" \"${b[$i]}\"",
        "a|one|any|any|one|any",
    );
    last(
        "a \"${x:-y}\" \"${x:-$@}\" \"${x:-\"$@\"}\" \"${@:2}\" ${x:-y}",
        "a|one|any|any|any|any",
    );
    last("a \"${!x@}\"", "a|any");
    last("a \"$(b)\"; a \"$x\"/*.c \"$x\"*", "a|any|any");
    of("a \"$(b)\" $(b)", "a", "a|one|any");
    last("[[ $x == a ]]", "[[|one|==|a|]]");
}

#[test]
fn numbers_are_known_as_numbers() {
    last(
        "a $? $# $$ \"$!\" $!",
        "a|natural|natural|natural|natural|any",
    );
    last(
        "a $((x)) \"$((1+1))\" ${#x} $RANDOM",
        "a|integer|integer|natural|natural",
    );
    of(
        "n=$(wc -l < f); a \"$n\" $n \"x$n\"",
        "a",
        "a|natural|any|one",
    );
    of(
        "a \"$(ls | wc -l)\" \"$(nproc)\" \"$(date +%s)\"",
        "a",
        "a|natural|natural|natural",
    );
    last("i=0; while b; do i=$((i+1)); done; a $i", "a|integer");
    of("for ((i=0; i<3; i++)); do a $i; done", "a", "a|integer");
    of("for i in {1..100}; do a $i; done", "a", "a|natural");
    // What may be something else.
    of("wc() { x; }; a \"$(wc -l)\"", "a", "a|one");
    of(
        "a \"$(wc -l f)\" \"$(wc -l 2>&1)\" \"$(wc -l || b)\"",
        "a",
        "a|one|one|one",
    );
    last("IFS=1; a $? \"$?\"", "a|any|natural");
    last("RANDOM=$x; a \"$RANDOM\"", "a|one");
    last(
        "x=1; while b; do x=-rf; c && break; x=2; done; a $x",
        "a|any",
    );
    last("x=1; if b; then x=; fi; a \"$x\" $x", "a|{1,}|any");
}

#[test]
fn a_loop_gives_one_of_its_words() {
    check(
        "for f in a b; do c \"$f\" $f.x \"d/$f\"; done",
        &["c|{a,b}|{a.x,b.x}|{d/a,d/b}"],
    );
    check("for f in a; do c \"$f\"; done", &["c|a"]);
    check(
        "for i in $(seq 1 3); do c f$i; done",
        &["seq|1|3", "c|{f1,f2,f3}"],
    );
    check("for i in {1..3}; do c $i; done", &["c|{1,2,3}"]);
    check(
        "for f in a.c b.c; do c \"${f%.c}.o\" \"${f##*.}\"; done",
        &["c|{a.o,b.o}|c"],
    );
    check(
        "for f in a b; do g=\"$f.x\"; c \"$g\"; done",
        &["", "c|{a.x,b.x}"],
    );
    check(
        "if a; then x=b; else x=c; fi; d \"$x\"",
        &["a", "", "", "d|{b,c}"],
    );
    check("for f in 'a b' 'c d'; do x $f; done", &["x|{a,c}|{b,d}"]);
    last("for f in 'a b' c; do x $f; done", "x|any");
    last("for f in *.c; do x \"$f\" $f; done", "x|{glob:*.c}|splits");
    last("for f in *.c; do cd d; x \"$f\"; done", "x|one");
    last("for f in *.c; do env -C d x \"$f\"; done", "x|any");
    last("select f in a b; do x \"$f\"; done", "x|one");
    last("for f in a b; do :; done; x \"$f\"", "x|one");
    last("for f in a b; do read f; x \"$f\"; done", "x|one");
    last("for f in a $y; do x \"$f\"; done", "x|one");
    last(
        "for f in '~/a' ~/b; do x \"$f\"; done",
        "x|{glob:\\~/a,~/b}",
    );
    // More than 64 are not listed.
    last(
        "for f in x{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}; do x \"$f\"; done",
        "x|one",
    );
}

#[test]
fn each_value_is_judged_with_the_others_of_its_turn() {
    use Touch::{List, MoveFrom, Read, Write};
    touches(
        "for f in a b; do mv \"$f\" \"$f.x\"; done",
        &[
            (MoveFrom, "a"),
            (Write, "into:a.x"),
            (MoveFrom, "b"),
            (Write, "into:b.x"),
        ],
    );
    touches(
        "for f in a b; do cat \"$f\" > \"$f.x\"; done",
        &[(Write, "a.x"), (Read, "a"), (Write, "b.x"), (Read, "b")],
    );
    touches(
        "for f in *.c; do cat $f; done",
        &[(List, "split:*.c"), (Read, "glob:*.c")],
    );
    assert!(is_unproven("for f in a -i; do sed s/a/b/ \"$f\" --x; done"));
    assert!(is_unproven("for f in a b; do rm \"$f$x\"; done"));
    // A value that is an option is one.
    touches("for f in a -n; do cat \"$f\"; done", &[(Read, "a")]);
    assert!(is_unproven("for f in a --unknown; do cat \"$f\"; done"));
}

#[test]
fn what_find_gives_lies_below_where_it_looks() {
    last("find a b -exec x {} \\;", "x|below(a,b links)");
    last("find . -type f -exec x {} +", "x|below(. several)");
    last("find -type d -exec x {} y/{} \\;", "x|below(.)|one");
    last("find . -type f -print0 | xargs -0 x", "x|below(. several)");
    last("find . -print0 | xargs -0 -n1 x", "x|below(. links)");
    last("find . | xargs x", "x|below(. several links split)");
    last(
        "find . -name '*.c' | sort | head -5 | xargs -I{} x {} a{}",
        "x|below(. links split)|any",
    );
    of(
        "for f in $(find a); do x $f \"$f\"; done",
        "x",
        "x|below(a links split)|below(a links split)",
    );
    last(
        "find . -print0 | while IFS= read -r -d '' f; do ls \"$f\" $f; done",
        "ls|below(. links)|any",
    );
    of(
        "while read -r f; do ls \"$f\"; done < <(find a)",
        "ls",
        "ls|below(a links split)",
    );
    last("grep -rlZ p a | xargs -0 x", "x|below(a several links)");
    last(
        "git ls-files -z | xargs -0 x",
        "x|below(. several links split)",
    );
}

#[test]
fn what_may_be_other_words_is_not_below() {
    for text in [
        "find $y -exec x {} +",
        "find . -files0-from y -exec x {} +",
        "find -L . -exec x {} +",
        "find . -follow -exec x {} +",
        "find -- -a -exec x {} +",
        "find -D tree / -exec x {} +",
        "find -E / -exec x {} +",
        "find . -printf y | xargs x",
        "find . -exec y {} + | xargs x",
        "find . 2>&1 | xargs x",
        "find . | xargs -0 x",
        "find . -print0 | xargs x",
        "find . | xargs -a y x",
        "find . | head -c 9 | xargs x",
        "find . | sed s/a/b/ | xargs x",
        "find . | grep -o y | xargs x",
        "find . | { head -c 9; xargs x; }",
        "find . -name y -o -printf z -print | xargs x",
        "grep -l p | xargs x",
        "grep -r p a | xargs x",
        "git ls-files ../y | xargs x",
        "git ls-files :/ | xargs x",
        "find() { y; }; find . | xargs x",
    ] {
        let view = view(text);
        let last = known(view.commands.last().unwrap());
        assert!(!last.contains("below"), "{text}: {last}");
    }
}

#[test]
fn the_rest_of_a_path_is_not_below() {
    for text in [
        "find . | { head -c 3; read -r f; ls \"$f\"; }",
        "find . | { read -d x; read -r f; ls \"$f\"; }",
        "find . | { read -N 3 y; read -r f; ls \"$f\"; }",
        "find . | { x=$(head -c 3); read -r f; ls \"$f\"; }",
        "find . -print0 | { read -r y; read -r -d '' f; ls \"$f\"; }",
        "find . | while read -r f; do ls \"$f\"; cat; done",
        "find . | while read -r f; do cat \"$f\" -; done",
        "find . | while read -r f; do ls \"$f\"; timeout 1 head -c 3; done",
        "find . | while read -r f; do ls \"$f\"; read y < /dev/stdin; head -c 1 /dev/stdin; done",
        "find . | while IFS=/ read -r f; do ls \"$f\"; done",
        "find . | while read f; do ls \"$f\"; done",
        "while read -r f; do ls \"$f\"; dd bs=1; done < <(find .)",
        "find . | { exec < y; read -r f; ls \"$f\"; }",
        "find . | { command exec < y; read -r f; ls \"$f\"; }",
        "{ head -c 3; read -r f; } < <(find .); ls \"$f\"",
        "{ exec < y; read -r f; } < <(find .); ls \"$f\"",
        "find . | while read -r f; do rm -i \"$f\"; done",
        "find . | while read -r f; do grep -f- \"$f\"; done",
        "cd /dev; find . | while read -r f; do ls \"$f\"; done",
        "find . | sh -c 'head -c 3; read -r f; ls \"$f\"'",
        "find . | { x=$(cat | head -c 3); read -r f; ls \"$f\"; }",
    ] {
        let view = view(text);
        let below = view
            .commands
            .iter()
            .any(|command| known(command).contains("below"));
        assert!(!below, "{text}");
    }
}

#[test]
fn paths_that_are_found_are_judged_as_the_whole_tree() {
    use Touch::{DeleteTree, List, ListTree, ReadTree};
    touches(
        "find a -type f -exec cat {} +",
        &[(ListTree, "a"), (ReadTree, "a")],
    );
    touches(
        "find a -exec cat {} +",
        &[(ListTree, "a"), (ReadTree, "a"), (ReadTree, "links:a")],
    );
    touches(
        "find a -type f | xargs rm",
        &[(ListTree, "a"), (List, "pieces:a"), (DeleteTree, "a")],
    );
    assert!(is_unproven("find a -type f -exec sed -i s/a/b/ {} +"));
    assert!(is_unproven("find a -type f -exec cp {} b \\;"));
    assert!(is_unproven("cd b; find a -type f | (cd c; xargs cat)"));
    // The first that is found would be the pattern, the others files.
    assert!(is_unproven("find a -type f -exec grep {} +"));
    assert!(is_unproven("grep *"));
}

#[test]
fn options_take_one_word_and_no_more() {
    for text in [
        "grep -e \"$x\" a",
        "head --lines=\"$n\" a",
        "cat -- a",
        "diff <(cat a) <(cat b)",
    ] {
        assert!(!is_unproven(text), "{text}");
    }
    for text in [
        "grep -e $x a",
        "head --lines=$n a",
        "cat \"$x\"",
        "cat \"a$x\"",
        "head $((x)) a",
        "cat \"--$x\"",
        "grep -- $x a",
    ] {
        assert!(is_unproven(text), "{text}");
    }
}
