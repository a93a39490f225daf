//! Scripts of the workspace are judged by what they do themselves.

use crate::workspace::{judged, judged_with_trust};

fn assert_contained(text: &str) {
    let found = judged_with_trust(text);
    assert!(found.because.is_empty(), "{text}: {:?}", found.because);
    assert!(
        !judged(text).because.is_empty(),
        "{text}: contained without trust"
    );
}

fn assert_not_contained(text: &str, why: &str) {
    let because = judged_with_trust(text).because;
    assert!(
        because.iter().any(|reason| reason.reason.contains(why)),
        "{text}: {because:?}"
    );
}

#[test]
fn a_trusted_script_that_does_only_contained_things_is_contained() {
    for text in [
        "./src/check.sh",
        "bash src/check.sh",
        "sh -e src/check.sh",
        "cd src && bash ../src/check.sh",
        "./src/clean.sh && ls out",
        "bash -eu src/outer.sh",
        "./src/reads.sh src/main.rs",
        "timeout 5 ./src/check.sh",
        "./src/check.sh | tail -3",
    ] {
        assert_contained(text);
    }
}

#[test]
fn a_script_is_not_contained_for_what_it_does() {
    assert_not_contained("./src/sends.sh", "talks to other machines");
    assert_not_contained("./src/takes.sh out", "in `./src/takes.sh`");
    assert_not_contained("./src/python.sh", "no script of a known shell");
    assert_not_contained("./src/options.sh", "no script of a known shell");
    assert_not_contained("./src/itself.sh", "too many scripts");
    assert_not_contained("./src/unknown.sh", "is not trusted");
}

#[test]
fn what_a_script_is_given_must_be_plain() {
    for text in [
        "./src/reads.sh $X",
        "echo x | ./src/check.sh",
        "./src/check.sh < a.txt",
        "bash -c 'src/check.sh' -- $X",
        "bash --rcfile x src/check.sh",
        "bash -i src/check.sh",
        "BASH_ENV=x ./src/check.sh",
        "bash -O extglob src/check.sh",
    ] {
        let contained = judged_with_trust(text).because.is_empty();
        assert!(!contained || text.contains("-c "), "{text}");
    }
}

#[test]
fn a_script_that_the_command_changes_is_not_what_was_read() {
    for text in [
        "echo ls > src/check.sh && ./src/check.sh",
        "./src/check.sh & cp a.txt src/check.sh",
        "rm -rf src; mv other src; ./src/check.sh",
        "cp b.txt src/clean.sh && bash src/outer.sh",
        "ln -sf a.txt src/check.sh; bash src/check.sh",
    ] {
        assert!(!judged_with_trust(text).because.is_empty(), "{text}");
    }
}

#[test]
fn sourcing_a_trusted_script_is_not_running_it() {
    assert_not_contained("./src/sets.sh; source src/sets.sh; rm -rf a.txt", "runs ");
    assert_not_contained(". src/check.sh", "runs ");
}

#[test]
fn what_scripts_do_is_told_as_part_of_the_command() {
    let found = judged_with_trust("ls && ./src/clean.sh");
    let paths: Vec<&str> = found
        .changed
        .iter()
        .map(|changed| changed.path.as_str())
        .collect();
    assert_eq!(paths, ["/work/project/out/x", "/work/project/out/done"]);
    assert!(found.of_scripts.iter().all(|effect| effect.span == (6..20)));
    assert!(!found.read_only);
    assert!(judged_with_trust("./src/check.sh").read_only);
}
