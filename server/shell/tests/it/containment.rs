//! What a part of a command changes counts for the others.

use crate::workspace::{assert_contained, assert_not_contained};

#[test]
fn what_the_command_makes_it_may_change_again() {
    for text in [
        "echo x > new && rm new",
        "mkdir new && echo x > new/a && cat new/a && rm -r new",
        "rm -rf out && mkdir out && cp a.txt out/x",
        "rm -r src && cp -r other src && cat src/main.rs",
        "mv a.txt new && cat new && echo x > new",
        "mv src new && cat new/main.rs",
        "cp a.txt new && sed -i s/a/b/ new",
    ] {
        assert_contained(text);
    }
}

#[test]
fn whatever_sets_a_variable_that_programs_read_changes_what_names_mean() {
    for text in [
        "read PATH <<< .; ls",
        "read -r a PATH < a.txt; ls",
        "read \"$NAME\" < a.txt; ls",
        "printf -v PATH src; ls",
        "printf -vPATH src; ls",
        "for PATH in src; do ls; done",
        "select PATH in src; do ls; done",
        "mapfile -t PATH < a.txt; ls",
        "getopts a LD_PRELOAD -a; ls",
        ": ${LD_PRELOAD:=./x.so}; ls",
        ": ${PATH=src}; ls",
        "(( PATH = 1 )); ls",
        "echo $((PATH=1)); ls",
        "let PATH=1; ls",
        "set -a; read LD_PRELOAD < a.txt; ls",
        "{ read PATH; ls; } < a.txt",
        "if read PATH < a.txt; then ls; fi",
    ] {
        assert_not_contained(text);
    }
    for text in [
        "read -r line < a.txt; echo \"$line\"",
        "for f in a b; do cat \"$f\"; done",
        "i=0; echo $((i = i + 1))",
        ": ${name:=x}; ls",
        "printf -v text %s x; echo \"$text\"",
    ] {
        assert_contained(text);
    }
}

#[test]
fn no_link_is_brought_where_it_is_written_through() {
    for text in [
        "mv away new && echo x > new/f",
        "mv away new; cat new/f",
        "echo x > new/f & mv away new",
        "cp -a away new && echo x > new/f",
        "cp -P away new && cat new",
        "cp -rd away out && cat out/away/f",
        "mv away out && cat out/away",
        "mv away new && mv new other && cat other/f",
        "mv [a]way new && cat new",
        "cp -r . out && cat out/away/f",
    ] {
        assert_not_contained(text);
    }
}

#[test]
fn a_link_that_is_replaced_by_a_folder_hides_no_path() {
    for text in [
        "rm .cargo && mkdir .cargo && echo x > .cargo/config.toml",
        "mv .cargo b2; mkdir -p .cargo && echo x > .cargo/config.toml",
    ] {
        assert_not_contained(text);
    }
    assert_contained("echo x > .cargo/f && cat .cargo/f");
}

#[test]
fn what_is_moved_is_not_lost_under_its_new_name() {
    for text in [
        "mv untracked.txt new && rm new",
        "mv untracked.txt new && echo x > new",
        "mv untracked.txt out && rm -r out",
        "mv notes out && rm out/notes/untracked.md",
        "mv untracked.txt out && truncate -s 0 out/untracked.txt",
        "mv untracked.txt new && mv new new2 && rm new2",
    ] {
        assert_not_contained(text);
    }
    assert_contained("mv untracked.txt new && cat new");
}

#[test]
fn a_destination_that_may_be_gone_is_a_file_or_a_folder() {
    assert_not_contained("rm -r .cargo; cp a.txt .cargo");
    assert_not_contained("rm -r out && cp a.txt out && mv out Makefile");
}

#[test]
fn no_match_becomes_an_option() {
    for command in [
        "sort",
        "grep",
        "find",
        "tar tf",
        "cut -f1",
        "rm",
        "sed p",
        "head",
        "tr",
        "[ -n x ] ; test",
    ] {
        assert_not_contained(&format!("cd odd && {command} *"));
    }
    for text in [
        "cd odd && sort ./*",
        "cd odd && sort -- *",
        "cd odd && sort *.rs",
        "grep x odd/*",
        "cd odd && basename -a -- *",
        "cd odd && echo *",
    ] {
        assert_contained(text);
    }
}

#[test]
fn long_commands_are_judged_in_time() {
    // Each is judged within a moment even without optimisation; what is
    // quadratic takes minutes.
    let many = |part: &str, count: usize| part.repeat(count);
    for text in [
        format!("touch {}", many("some/folder/f ", 3_900)),
        format!(
            "rm {}",
            (0..3_900).map(|n| format!("d/{n} ")).collect::<String>()
        ),
        many(&format!("touch {}; ", many("x ", 18)), 199),
        (0..199)
            .map(|n| format!("mv a{n} b{n}; cat b{n}; "))
            .take(99)
            .collect(),
        (0..199).map(|n| format!("git add f{n}; ")).collect(),
        (0..99)
            .map(|n| format!("touch d{n}/HEAD; git status; "))
            .collect(),
    ] {
        crate::workspace::judged(&text);
    }
}
