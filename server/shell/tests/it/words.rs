//! Words after quote removal and the expansions that are certain.

use crate::support::{check, check_with_problem, commands};

#[track_caller]
fn becomes(text: &str, words: &str) {
    assert_eq!(commands(&format!("echo {text}"))[0], format!("echo{words}"));
}

#[test]
fn quotes_and_escapes() {
    becomes(r#"a"b"'c'\d"#, "|abcd");
    becomes(r#""" '' x"#, "|||x");
    becomes(r#""\$x \a \"""#, r#"|$x \a ""#);
    becomes(r"$'\x72\x6d' $'\162\155' $'a\tb\'c'", "|rm|rm|a\tb'c");
    becomes(r"$'a\0b'c", "|ac");
    becomes(r"$'\xff'", "|…");
    becomes("$\"a b\"", "|a b");
    becomes("$ a$ \"$\"", "|$|a$|$");
}

#[test]
fn braces() {
    becomes("{a,b}c", "|ac|bc");
    becomes("x{a,b{1,2}}y", "|xay|xb1y|xb2y");
    becomes("{1..3} {c..a} {5..1..2}", "|1|2|3|c|b|a|5|3|1");
    becomes(
        "{a} {} a{b {'a,b'} stash@{0}",
        "|{a}|{}|a{b|{a,b}|stash@{0}",
    );
    // Not certain how they pair.
    becomes("{a{b,c}} {a,b\\} a{}{b,c}", "|…|…|a…");
    becomes("{/x,}", "|/x");
    becomes("\"{a,b}\"", "|{a,b}");
    becomes("{1..999999}", "|…");
    becomes("{01..03}", "|…");
    becomes("a=;b={x,y}", "|a=");
    check("{rm,-rf,x}", &["rm|-rf|x"]);
    check("x={a,b}", &[""]);
    // More than 256 words are not listed.
    becomes("x{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "|x…");
}

#[test]
fn tildes() {
    becomes("~ ~/x ~root/y", "|~|~/x|~root/y");
    becomes("~+/x ~-", "|…|…");
    // A quoted tilde must not look like one that the shell expands.
    becomes("'~/x' \\~ \"~\"/y", r"|glob:\~/x|glob:\~|glob:\~/y");
    becomes("a~ x=~/y", "|a~|x=~/y");
    becomes("~$x", "|…");
}

#[test]
fn globs() {
    becomes("*.c a?b [ab] [ a[", "|glob:*.c|glob:a?b|glob:[ab]|[|a[");
    becomes(r#"'*' "?" \[a]"#, "|*|?|[a]");
    becomes(r#"*"*"\?"#, r"|glob:*\*\?");
    becomes("@(a|b) a!(b)", "|glob:@(a|b)|glob:a!(b)");
    becomes("~/*.c", "|glob:~/*.c");
    check("[[ a == @(a|b) ]]", &["[[|a|==|@(a|b)|]]"]);
    check_with_problem("a @(b)", &["a|glob:@(b)"], "extended pattern");
}

#[test]
fn nothing_comes_from_the_environment() {
    becomes("$HOME/x ${USER} a$PWD $1 $@ $?", "|…|…|a…|…|…|…");
    becomes("${x:-y} ${x%y} ${#x} $((1))", "|…|…|…|…");
}

#[test]
fn values_set_before() {
    check("a=r;b=m;$a$b -rf x", &["", "", "rm|-rf|x"]);
    check(
        "P1=~/.ssh; P2=id_rsa; cat $P1/$P2 \"$P1/x\"",
        &["", "", "cat|~/.ssh/id_rsa|~/.ssh/x"],
    );
    check("rm${IFS}-rf${IFS}x", &["rm|-rf|x"]);
    check("x='a  b'; c $x \"$x\" d$x", &["", "c|a|b|a  b|da|b"]);
    check("x='*.c'; a $x \"$x\"", &["", "a|glob:*.c|*.c"]);
    check("x=; a $x b \"$x\"", &["", "a|b|"]);
    check("x=a; x+=b; c $x", &["", "", "c|ab"]);
    check("x=a y=$x; c $y", &["", "c|a"]);
    check("x=1 a $x; b $x", &["a|…", "b|…"]);
    check("export x=a; b $x", &["export|x=a", "b|a"]);
    check("IFS=,; x=a,b; c $x", &["", "", "c|…"]);
    check("x={a,b}; c $x", &["", "c|{a,b}"]);
    check("x='~'; a $x/b", &["", "a|glob:\\~/b"]);
}

#[test]
fn values_that_may_differ_are_not_known() {
    for text in [
        "if a; then x=1; fi; b $x",
        "a && x=1; b $x",
        "a || x=1; b $x",
        "while a; do x=1; done; b $x",
        "x=1 & b $x",
        "a | x=1; b $x",
        "case y in z) x=1;; esac; b $x",
        "(x=1); b $x",
        "read x; b $x",
        "x=$(a); b $x",
        "printf -v x 1; b $x",
        "x=1; while b $x; do x=2; done",
        "x=1; unset x; b $x",
        "declare -i x=1; b $x",
        "x=(1 2); b ${x[0]}",
        "trap 'x=2' USR1; x=1; b $x",
        "x=1; . f; b $x",
    ] {
        let found = commands(text);
        let last = found.iter().find(|command| command.starts_with("b|"));
        assert_eq!(last.unwrap(), "b|…", "{text}: {found:?}");
    }
    check("x=1; (a); b $x", &["", "a", "b|1"]);
    check("x=1; a && b; c $x", &["", "a", "b", "c|1"]);
    check("x=1; (x=2; a $x); b $x", &["", "", "a|2", "b|1"]);
}

#[test]
fn printed_literals() {
    check("$(echo rm) x", &["rm|x", "echo|rm"]);
    check("$(printf 'r%s' m) x", &["rm|x", "printf|r%s|m"]);
    check(
        "`printf '\\\\x72\\\\x6d'` x",
        &["rm|x", "printf|\\x72\\x6d"],
    );
    check(
        "a $(echo b c) \"$(echo b c)\"",
        &["a|b|c|b c", "echo|b|c", "echo|b|c"],
    );
    check("a $(echo -n b)", &["a|b", "echo|-n|b"]);
    check(
        "a -m \"$(cat <<'E'\nb c\n\nd\nE\n)\"",
        &["a|-m|b c\n\nd", "cat"],
    );
    for unknown in [
        "a $(echo -e b)",
        "a $(echo $x)",
        "a $(echo 'b\\nc')",
        "a $(echo b; c)",
        "a $(echo b > c)",
        "a $(c b)",
        "a $(printf %d 1)",
    ] {
        assert_eq!(commands(unknown)[0], "a|…", "{unknown}");
    }
}

#[test]
fn names_that_are_not_known_are_problems() {
    check_with_problem("$x y", &["…|y"], "name of a command");
    check_with_problem("a$x y", &["a…|y"], "name of a command");
    check_with_problem("/bin/r? y", &["glob:/bin/r?|y"], "name of a command");
    check_with_problem(
        "for c in rm ls; do $c x; done",
        &["…|x"],
        "name of a command",
    );
}

#[test]
fn what_evaluates_values_is_a_problem() {
    for text in [
        "a ${x@P}",
        "a ${!x}",
        "x='a[$(b)]'; echo $((x))",
        "x='a[$(b)]'; ((x))",
        "x='a[$(b)]'; [[ x -eq 1 ]]",
        "y='a[$(b)]'; x=y; echo $((x))",
        "read x; echo $((x))",
        "[[ -v 'a[$(b)]' ]]",
        "[[ -v $x ]]",
        "test -v 'a[$(b)]'",
        "[ -v \"$x\" ]",
        "printf -v 'a[$(b)]' x",
        "let 'x=a[$(b)]'",
        "unset 'a[$(b)]'",
        "declare -i x='a[$(b)]'",
        "bash -c 'echo $(($1))' x 'a[$(b)]'",
        "export $x",
    ] {
        assert!(!crate::support::problems(text).is_empty(), "{text}");
    }
    check("echo ${!x*} ${!x[@]}", &["echo|…|…"]);
    check(
        "i=0; while a; do i=$((i+1)); done; b $i",
        &["", "a", "", "b|…"],
    );
    check("[[ $# -eq 1 ]]", &["[[|…|-eq|1|]]"]);
}
