//! The folder in which each command runs.

use crate::support::folders;

/// Asserts the folder of the last command.
#[track_caller]
fn last(text: &str, folder: &str) {
    let all = folders(text);
    assert_eq!(all.last().unwrap(), &format!("ls: {folder}"), "{text}");
}

#[test]
fn literal_changes_in_straight_lines() {
    last("ls", "call");
    last("cd a && ls", "a");
    last("cd a; cd ../b; ls", "a > ../b");
    last("cd -P -- a\nls", "a");
    last("pushd a; ls", "a");
    last("cd; ls", "~");
    last("cd ~/x; ls", "~/x");
    last("x=a; cd $x; ls", "a");
    last("cd a && cd b && ls", "a > b");
    last("command cd a; ls", "a");
    last("builtin cd a; ls", "a");
    last("eval 'cd a'; ls", "a");
    last("{ cd a; }; ls", "a");
}

#[test]
fn scoped_changes() {
    last("(cd a); ls", "call");
    last("x=$(cd a); ls", "call");
    last("bash -c 'cd a'; ls", "call");
    last("(cd a; ls)", "a");
    last("cd a; bash -c 'cd b; ls'", "a > b");
    last("env -C a ls", "a");
    last("sudo -D a ls", "a");
    last("timeout 5 bash -c 'cd a; ls'", "a");
}

#[test]
fn uncertain_changes() {
    for text in [
        "cd $x; ls",
        "cd -; ls",
        "popd; ls",
        "pushd +1; ls",
        "a || cd b; ls",
        "a && cd b; ls",
        "cd a || ls",
        "if a; then cd b; fi; ls",
        "while a; do cd b; done; ls",
        "while ls; do cd b; done; ls",
        "cd a & ls",
        "cd a | b; ls",
        "f() { cd a; }; ls",
        "trap 'cd a' USR1; ls",
        "CDPATH=/x; cd a; ls",
        "CDPATH=/x cd a; ls",
        "HOME=/x; cd; ls",
        "$x; ls",
        "eval \"$x\"; ls",
        ". ./f; ls",
        "cd a b; ls",
        "find . -execdir ls \\;",
        "ssh host ls",
    ] {
        last(text, "unknown");
    }
    // The first run of the loop's body is not the only one.
    assert_eq!(
        folders("while a; do ls; cd b; done"),
        ["a: unknown", "ls: unknown", "cd|b: unknown"]
    );
}
