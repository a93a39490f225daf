//! Every construct lists its commands, in order, with redirects and origins.

use countersign_core::call::ShellDialect;

use crate::support::{
    check, check_refused, check_with_problem, origins, problems, redirects, view, view_in,
};

#[test]
fn lists_and_pipelines() {
    check("ls", &["ls"]);
    check("ls -la /x", &["ls|-la|/x"]);
    check("a; b\nc & d && e || f", &["a", "b", "c", "d", "e", "f"]);
    check("a | b |& c", &["a", "b", "c"]);
    check("! a | b", &["a", "b"]);
    check("time a", &["a"]);
    check("time -p a | b", &["a", "b"]);
    check("", &[]);
    check("# only a comment", &[]);
    check("a # b; c", &["a"]);
    check("a x#; b", &["a|x#", "b"]);
    check("a \\\n  b", &["a|b"]);
    check("a &&\n\n b", &["a", "b"]);
}

#[test]
fn compound_commands() {
    check("{ a; b; }", &["a", "b"]);
    check("(a; (b); ( (c) ))", &["a", "b", "c"]);
    check("((a); (b))", &["a", "b"]);
    check(
        "if a; then b; elif c; then d; else e; fi",
        &["a", "b", "c", "d", "e"],
    );
    check(
        "while a; do b; done; until c; do d; done",
        &["a", "b", "c", "d"],
    );
    check("for f in x y; do a \"$f\"; done", &["a|{x,y}"]);
    check("for f; do a; done", &["a"]);
    check("select f in x y; do a \"$f\"; done", &["a|…"]);
    check(
        "echo select x; select f; do a; done",
        &["echo|select|x", "a"],
    );
    check("for ((i=0; i<3; i++)); do a $i; done", &["a|…"]);
    check("for((i=0;i<3;i++)) do a; done", &["a"]);
    check(
        "case $x in a|b) c;; (d) e;& *) f;; esac; g",
        &["c", "e", "f", "g"],
    );
    check("case x in esac", &[]);
    check("[[ -f x && $y == z* ]] && a", &["[[|-f|x|…|==|z*|]]", "a"]);
    check("[[ $x =~ ^(a|b c)$ ]]", &["[[|…|=~|^(a|b c)$|]]"]);
    check("(( 1 + 2 )) && a", &["((|))", "a"]);
    check("if (a) then b; fi", &["a", "b"]);
    check("{ a; } && { b; }", &["a", "b"]);
    check("coproc a b", &["coproc", "a|b"]);
}

#[test]
fn what_looks_like_arithmetic_and_is_not() {
    check("((a) )", &["a"]);
    check("( (a) )", &["a"]);
    check("( ( a b ) )", &["a|b"]);
    check("echo $((a) )", &["echo|…", "a"]);
    check("echo $( (a) )", &["echo|…", "a"]);
    check("echo $((echo a); (b))", &["echo|…", "echo|a", "b"]);
}

#[test]
fn functions_and_what_shadows_names() {
    check_with_problem("f() { a; }; f", &["a", "f"], "defines a function");
    check_with_problem("function f { a; }", &["a"], "defines a function");
    check_with_problem("ls () (a)", &["a"], "defines a function");
    check_with_problem("alias ls=a", &["alias|ls=a"], "what names mean");
    check_with_problem("hash -p /x ls", &["hash|-p|/x|ls"], "what names mean");
    check_with_problem("shopt -s extglob", &["shopt|-s|extglob"], "reads commands");
    check_with_problem("set -k", &["set|-k"], "reads commands");
    check("set -euo pipefail; a", &["set|-euo|pipefail", "a"]);
    assert_eq!(
        origins("f() { a $(b); }"),
        ["a|…: function", "b: substituted"]
    );
}

#[test]
fn substitutions_everywhere() {
    check("a $(b `c`)", &["a|…", "b|…", "c"]);
    check("a \"$(b)\"", &["a|…", "b"]);
    check("x=$(a) b", &["b", "a"]);
    check("a <(b) >(c)", &["a|…|…", "b", "c"]);
    check("a > $(b)", &["a", "b"]);
    check("a <<< $(b)", &["a", "b"]);
    check("a <<E\n$(b) `c` \\$(d)\nE\ne", &["a", "b", "c", "e"]);
    check("a <<'E'\n$(b)\nE", &["a"]);
    check("a <<-E\n\t$(b)\n\tE\nc", &["a", "b", "c"]);
    check("a <<A <<B\n$(b)\nA\n$(c)\nB\nd", &["a", "b", "c", "d"]);
    check("a ${x:-$(b)} ${y:+`c`}", &["a|…|…", "b", "c"]);
    check("a $((1 + $(b)))", &["a|…", "b"]);
    check("a $[1 + $(b)]", &["a|…", "b"]);
    check("x[$(a)]=1", &["", "a"]);
    check("x=([1]=$(a) $(b))", &["", "a", "b"]);
    check("case $(a) in $(b)) c;; esac", &["a", "b", "c"]);
    check("for x in $(a); do b; done", &["a", "b"]);
    check("[[ $(a) == $(b) ]]", &["[[|…|==|…|]]", "a", "b"]);
    check("a $(case x in y) b;; esac)", &["a|…", "b"]);
    check("a \"${x:-\"$(b)\"}\"", &["a|…", "b"]);
    check("a `b \\`c\\``", &["a|…", "b|…", "c"]);
    check("a $(b <<E\nx\nE\n)", &["a|…", "b"]);
    check("a \"$(b # )\n)\"", &["a|…", "b"]);
    assert_eq!(
        origins("a $(b; timeout 5 c)"),
        [
            "a|…: direct",
            "b: substituted",
            "timeout|5|c: substituted",
            "c: wrapped 2"
        ]
    );
}

#[test]
fn redirects_and_standard_input() {
    assert_eq!(
        redirects("a <b >c 2>>d 3<>e >|f &>g &>>h >&i 2>&1 <&3 >&-"),
        [
            "a: read b, write c, append d, read-write e, write f, write g, append h, write i, \
             descriptor, descriptor, descriptor (redirected)"
        ]
    );
    assert_eq!(redirects("> f"), [": write f"]);
    assert_eq!(redirects("a 3<b"), ["a: read b"]);
    assert_eq!(redirects("a <<<b"), ["a: here (redirected)"]);
    assert_eq!(redirects("a <<E\nx\nE"), ["a: here (redirected)"]);
    assert_eq!(redirects("a >$x"), ["a: write …"]);
    assert_eq!(redirects("a >*.c"), ["a: write glob:*.c"]);
    assert_eq!(redirects("a > ~/f"), ["a: write ~/f"]);
    assert_eq!(redirects("a | b | c"), ["a: ", "b:  (pipe)", "c:  (pipe)"]);
    assert_eq!(
        redirects("a | { b; c | d; }"),
        ["a: ", "b:  (pipe)", "c:  (pipe)", "d:  (pipe)"]
    );
    assert_eq!(
        redirects("{ a; b >c; } >d"),
        [": write d", "a: write d", "b: write c, write d"]
    );
    assert_eq!(
        redirects("while a; do b; done <f"),
        [
            ": read f",
            "a: read f (redirected)",
            "b: read f (redirected)"
        ]
    );
    assert_eq!(redirects("(a) >d"), [": write d", "a: write d"]);
    check_with_problem("a >b{1,2}", &["a"], "no file or to several");
    check_with_problem("a {x}>b", &["a"], "descriptor in a variable");
}

#[test]
fn assignments() {
    let view = view("A=1 B=$x env C=2 c; export D=3 E; F=~/g; unset H");
    let all: Vec<String> = view
        .commands
        .iter()
        .flat_map(|command| &command.assignments)
        .map(|assignment| {
            format!(
                "{}={} {}",
                assignment.name,
                assignment
                    .value
                    .as_ref()
                    .map_or("-".to_owned(), crate::support::value),
                if assignment.for_this_command {
                    "once"
                } else {
                    "from now on"
                }
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            "A=1 once",
            "B=… once",
            "C=2 once",
            "A=1 once",
            "B=… once",
            "D=3 from now on",
            "E=- from now on",
            "F=~/g from now on",
            "H=- from now on",
        ]
    );
}

#[test]
fn spans_are_bytes_of_the_outermost_text() {
    let text = "é x; bash -c 'ä b' > ü";
    let view = view(text);
    let spans: Vec<&str> = view
        .commands
        .iter()
        .map(|command| &text[command.span.clone()])
        .collect();
    assert_eq!(spans, ["é x", "bash -c 'ä b' > ü", "'ä b'"]);
    let words: Vec<&str> = view.commands[1]
        .words
        .iter()
        .map(|word| &text[word.span.clone()])
        .collect();
    assert_eq!(words, ["bash", "-c", "'ä b'"]);
}

#[test]
fn what_is_not_bash_is_refused() {
    for (text, why) in [
        ("a (", "unclosed"),
        ("a )", "unmatched"),
        ("a 'b", "unclosed quote"),
        ("a \"b", "unclosed quote"),
        ("a $'b", "unclosed quote"),
        ("a `b", "unclosed backquote"),
        ("a ${b", "unclosed"),
        ("a $(b", "unclosed"),
        ("a $((1", "unclosed"),
        ("[[ a", "unclosed"),
        ("{ a", "not valid"),
        ("a <<E\nb", "unclosed here-document"),
        ("if a", "not valid"),
        ("a &&", "not valid"),
        ("a ;; b", "not valid"),
        ("( )", "not valid"),
        ("for x y; do a; done", "not valid"),
        ("a >", "without a target"),
        ("a\\", "backslash at the end"),
        ("a ${\\\nb}", "unknown kind"),
        ("a\0b", "control character"),
        ("a\rb", "control character"),
        ("a \x1b[2K", "control character"),
        ("99999999999999999999>x", "large descriptor"),
    ] {
        check_refused(text, why);
    }
}

#[test]
fn characters_that_deceive_are_reported_in_code_and_in_quotes() {
    for character in [
        '\u{200B}',
        '\u{2028}',
        '\u{202E}',
        '\u{AD}',
        '\u{A0}',
        '\u{E0041}',
        '\u{FEFF}',
    ] {
        for text in [
            format!("ls{character}; a"),
            format!("ls '{character}'"),
            format!("ls # {character}"),
            format!("ls <<'E'\n{character}\nE"),
        ] {
            assert!(
                problems(&text)
                    .iter()
                    .any(|reason| reason.contains("invisible")),
                "{text:?}"
            );
        }
    }
    check(
        "git commit -m '❤️ 👩‍💻 é 漢字'",
        &["git|commit|-m|❤️ 👩‍💻 é 漢字"],
    );
}

#[test]
fn line_continuations_join_words_but_no_operators() {
    check("r\\\nm x", &["rm|x"]);
    check("a \"b\\\nc\"", &["a|bc"]);
    for text in [
        "a $\\\n(b)",
        "a \"$\\\n(b)\"",
        "a &\\\n& b",
        "a >\\\n> b",
        "i\\\nf a; then b; fi",
        "a \"$x\\\ny\"",
    ] {
        check_refused(text, "line continuation");
    }
}

#[test]
fn other_shells_read_some_constructs_differently() {
    for text in [
        "a <(b)",
        "a &> b",
        "a <<<b",
        "[[ a ]]",
        "((a))",
        "a $'b'",
        "{a,b}",
        "x=(a)",
        "a |& b",
        "a ${x/y/z}",
        "function f { a; }",
        "a $[1]",
        "a @(b|c)",
    ] {
        assert!(
            !view_in(text, ShellDialect::Posix).problems.is_empty(),
            "{text}"
        );
    }
    for text in [
        "echo =(rm x)",
        "ls *(e:'rm x':)",
        "echo x >! f",
        "=rm x",
        "x='a b'; rm $x",
        "a &! b",
    ] {
        assert!(
            !view_in(text, ShellDialect::Zsh).problems.is_empty(),
            "{text}"
        );
    }
    for text in [
        "ls -la",
        "a | b && c > d",
        "for f in *.c; do a \"$f\"; done",
    ] {
        for dialect in [ShellDialect::Posix, ShellDialect::Zsh] {
            assert_eq!(view_in(text, dialect).problems, [], "{text}");
        }
    }
    let powershell = view_in("ls", ShellDialect::PowerShell);
    assert_eq!(powershell.commands, []);
    assert_eq!(powershell.problems[0].reason, "PowerShell is not analysed");
    // `sh -c` is another shell than the one around it.
    assert!(!problems("sh -c 'a <(b)'").is_empty());
    check("bash -c 'a <(b)'", &["bash|-c|a <(b)", "a|…", "b"]);
}
