//! What a command may write, as it is put on record.

use camino::Utf8PathBuf;
use countersign_core::ledger::{Footprint, Written};
use countersign_engine::ledger::footprint;

use crate::project::Project;

fn project() -> Project {
    Project::with(&[("a.txt", "a\n"), ("src/b.txt", "b\n")])
}

fn writes(project: &Project, text: &str) -> Footprint {
    let call = project.shell(text);
    footprint(&call, &project.facts(&call))
}

/// The paths, relative to the workspace where they lie in it.
fn listed(project: &Project, footprint: &Footprint) -> Vec<(String, Written)> {
    footprint
        .writes
        .iter()
        .map(|write| {
            let path: Utf8PathBuf = write.path.clone();
            let path = path.strip_prefix(&project.root).unwrap_or(&path);
            (path.to_string(), write.what)
        })
        .collect()
}

#[track_caller]
fn assert_writes(text: &str, expected: &[(&str, Written)]) {
    let project = project();
    let found = writes(&project, text);
    let expected: Vec<_> = expected
        .iter()
        .map(|(path, what)| ((*path).to_owned(), *what))
        .collect();
    assert_eq!(listed(&project, &found), expected, "{text}");
    assert_eq!(found.unbounded, None, "{text}");
}

#[test]
fn reads_write_nothing() {
    let project = project();
    for text in [
        "cat a.txt | wc -l",
        "ls -la src; git status",
        "grep -r x . > /dev/null",
    ] {
        assert!(writes(&project, text).is_nothing(), "{text}");
    }
}

#[test]
fn a_contained_command_writes_what_its_effects_say() {
    assert_writes("echo x > new.txt", &[("new.txt", Written::Created)]);
    assert_writes("echo x >> a.txt", &[("a.txt", Written::Changed)]);
    assert_writes("cp a.txt src", &[("src/a.txt", Written::Created)]);
    assert_writes("mkdir -p out2", &[("out2", Written::MadeFolder)]);
    assert_writes("rm a.txt", &[("a.txt", Written::Deleted)]);
    assert_writes("rm src/*.txt", &[("src/b.txt", Written::Deleted)]);
}

#[test]
fn what_a_folder_loses_is_not_known_name_by_name() {
    assert_writes("rm -r src", &[("src", Written::Unbounded)]);
}

#[test]
fn what_was_moved_is_no_creation() {
    let moved = [("a.txt", Written::Moved), ("b.txt", Written::Moved)];
    assert_writes("mv a.txt b.txt", &moved);
}

#[test]
fn what_is_written_and_changed_is_no_creation() {
    assert_writes(
        "echo x > new.txt && chmod 644 new.txt",
        &[("new.txt", Written::Changed)],
    );
}

#[test]
fn local_history_moves_head_and_nothing_else() {
    let project = project();
    let found = writes(&project, "git add a.txt && git commit -m x");
    assert!(found.moves_head && found.unbounded.is_none() && found.writes.is_empty());
}

#[test]
fn a_command_that_is_not_contained_may_write_anything() {
    let project = project();
    for text in [
        "python3 x.py",
        "make",
        "curl -o a.txt http://x",
        "cat $(",
        "rm \"$X\"",
    ] {
        let found = writes(&project, text);
        assert!(found.unbounded.is_some() && found.moves_head, "{text}");
    }
    // What is known of it is on record, too.
    let found = writes(&project, "python3 x.py > out.log");
    assert_eq!(
        listed(&project, &found),
        [("out.log".to_owned(), Written::Created)]
    );
}
