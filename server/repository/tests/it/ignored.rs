//! What is ignored, as git says, by the rules of the commit.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::Sandbox;

/// What git ignores of these paths by its files on disk; a path with a slash at
/// the end is a folder.
fn ignored_by_git(sandbox: &Sandbox, paths: &[String]) -> Vec<String> {
    let mut child = sandbox
        .command(&sandbox.root)
        .args(["check-ignore", "--stdin", "-z"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = paths.join("\0") + "\0";
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

const RULES: &str = "\
# comment
*.log
!keep.log
/rooted
build/
a/b
**/deep
x/**
x2/**/y
foo*bar
[ab]z
[!ab]q
\\#hash
\\!bang
{brace}
tr ailing  \n\
dir/*
!dir/yes
*.tmp/
q?z
sub/**/end/
";

#[test]
fn the_same_paths_are_ignored_as_git_says() {
    let sandbox = Sandbox::with(&[
        (".gitignore", RULES),
        ("sub/.gitignore", "!*.log\n/only\ninner/\n"),
        ("sub/kept/.gitignore", "*\n!.gitignore\n"),
        ("tracked.log", "x"),
        ("build/tracked", "x"),
    ]);
    let names = [
        "a.log",
        "keep.log",
        "rooted",
        "build",
        "a",
        "b",
        "deep",
        "x",
        "x2",
        "y",
        "fooXbar",
        "az",
        "cq",
        "aq",
        "#hash",
        "!bang",
        "brace",
        "{brace}",
        "tr ailing",
        "dir",
        "yes",
        "no",
        "d.tmp",
        "qxz",
        "sub",
        "end",
        "only",
        "inner",
        "kept",
        "tracked.log",
    ];
    let mut paths: Vec<String> = Vec::new();
    for one in names {
        paths.push(one.to_owned());
        for two in names {
            paths.push(format!("{one}/{two}"));
            for three in ["a.log", "keep.log", "y", "end", "z"] {
                paths.push(format!("{one}/{two}/{three}"));
            }
        }
    }
    let tree = sandbox.tree();
    let ours: Vec<String> = paths
        .iter()
        .filter(|path| tree.is_ignored(path.as_str().into(), false).unwrap())
        .cloned()
        .collect();
    assert!(ours.len() > 500);
    assert_eq!(ours, ignored_by_git(&sandbox, &paths));
    assert!(tree.is_ignored("other/build".into(), true).unwrap());
    // A folder in which something is tracked is not ignored as a whole.
    assert!(!tree.is_ignored("build".into(), true).unwrap());
    assert!(!tree.is_ignored("".into(), true).unwrap());
    assert!(!tree.is_ignored("/a.log".into(), false).unwrap());
    assert!(!tree.is_ignored("sub/../a.log".into(), false).unwrap());
}

#[test]
fn rules_on_disk_do_not_count() {
    let sandbox = Sandbox::with(&[(".gitignore", "*.o\n")]);
    sandbox.write(".gitignore", "*\n");
    sandbox.write("src/.gitignore", "*\n");
    sandbox.write(".git/info/exclude", "*\n");
    sandbox.git(&["config", "core.excludesFile", "exclude"]);
    sandbox.write("exclude", "*\n");
    let tree = sandbox.tree();
    assert!(tree.is_ignored("src/a.o".into(), false).unwrap());
    assert!(!tree.is_ignored("src/notes.txt".into(), false).unwrap());
    assert!(!tree.is_ignored("notes.txt".into(), false).unwrap());
    let empty = sandbox.repository().empty_tree();
    assert!(!empty.is_ignored("src/a.o".into(), false).unwrap());
}

#[test]
fn rules_that_are_not_understood_ignore_nothing() {
    for rules in [
        "*.o\n[[:space:]]x\n",
        "*.o\n[{}]\n",
        "*.o\n[\\]]\n",
        "*.o\n[]a]\n",
        "*.o\n[a\n",
        "*.o\nx\\\n",
        "*.o\nx\t\n",
        "*.o\nx\\ \n",
    ] {
        let sandbox = Sandbox::with(&[(".gitignore", rules)]);
        assert!(
            !sandbox.tree().is_ignored("a.o".into(), false).unwrap(),
            "{rules}"
        );
    }
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", b"*.o\n\xff\n");
    sandbox.commit();
    assert!(!sandbox.tree().is_ignored("a.o".into(), false).unwrap());
    // A link of that name is not followed, by git neither.
    let sandbox = Sandbox::with(&[("rules", "*.o\n")]);
    std::os::unix::fs::symlink("rules", sandbox.root.join(".gitignore")).unwrap();
    sandbox.commit();
    assert!(!sandbox.tree().is_ignored("a.o".into(), false).unwrap());
}
