//! What a command may lose: only what HEAD has, or what tools make again.

use crate::project::Project;

#[test]
fn a_file_as_head_has_it_may_be_written_changed_and_deleted() {
    let project = Project::with(&[("a.txt", "a\n"), ("src/b.txt", "b\n")]);
    project.allows(&[
        "echo x > a.txt",
        "echo x >> src/b.txt",
        "rm a.txt",
        "rm -r src",
        "cp a.txt src/b.txt",
        "echo x > new.txt",
    ]);
}

#[test]
fn what_head_does_not_have_may_not_be_lost() {
    let project = Project::with(&[
        ("a.txt", "a\n"),
        ("src/b.txt", "b\n"),
        (".gitignore", "*.log\n"),
    ]);
    project.write("a.txt", "edited\n");
    project.write("untracked.txt", "x\n");
    project.write("src/notes.txt", "x\n");
    project.write("x.log", "x\n");
    project.refuses(&[
        "echo x > a.txt",
        "rm a.txt",
        "rm untracked.txt",
        "echo x >> untracked.txt",
        "cp src/b.txt untracked.txt",
        "rm src/notes.txt",
        "rm -r src",
        // Ignored, and nothing makes it again.
        "rm x.log",
    ]);
    project.allows(&["rm src/b.txt"]);
    // Once HEAD has the edit, it can be had back.
    project.git(&["commit", "--quiet", "--all", "--message=y"]);
    project.allows(&["rm a.txt"]);
}

#[test]
fn ignored_build_output_may_go_but_nothing_precious_in_it() {
    let project = Project::with(&[(".gitignore", "coverage/\n"), ("a", "")]);
    project.write("coverage/debug/app.json", "x");
    project.write("coverage/debug/deps/a.o", "x");
    project.write("htmlcov/app.js", "x");
    project.allows(&["rm -rf coverage", "rm coverage/debug/app.json"]);
    // Not ignored: the name alone proves nothing.
    project.refuses(&["rm -rf htmlcov", "rm htmlcov/app.js"]);
    // As HEAD says it, not as the disk does.
    project.write(".gitignore", "coverage/\nhtmlcov/\n");
    project.refuses(&["rm -rf htmlcov"]);
    project.write("coverage/debug/.env", "KEY=1");
    project.refuses(&["rm -rf coverage"]);
    std::fs::remove_file(project.root.join("coverage/debug/.env")).unwrap();
    project.allows(&["rm -rf coverage"]);
    project.write("coverage/nested/.git/HEAD", "x");
    project.refuses(&["rm -rf coverage", "rm -rf coverage/nested"]);
}

#[test]
fn a_folder_with_too_many_names_is_not_looked_through() {
    let project = Project::with(&[(".gitignore", "coverage/\n")]);
    std::fs::create_dir(project.root.join("coverage")).unwrap();
    for number in 0..2_001 {
        std::fs::write(project.root.join(format!("coverage/{number}.o")), "").unwrap();
    }
    project.refuses(&["rm -rf coverage"]);
    std::fs::remove_file(project.root.join("coverage/0.o")).unwrap();
    project.allows(&["rm -rf coverage"]);
}

#[test]
fn an_index_that_hides_a_change_does_not_help() {
    let project = Project::with(&[("a.txt", "a\n")]);
    project.git(&["update-index", "--assume-unchanged", "a.txt"]);
    project.write("a.txt", "b\n");
    project.refuses(&["rm a.txt"]);
}

#[test]
fn other_names_of_a_file_and_links_are_not_lost_either() {
    let project = Project::with(&[("a.txt", "a\n")]);
    std::fs::hard_link(project.root.join("a.txt"), project.root.join("b.txt")).unwrap();
    std::os::unix::fs::symlink("a.txt", project.root.join("c.txt")).unwrap();
    project.refuses(&[
        "rm a.txt",
        "echo x > a.txt",
        "rm b.txt",
        "rm c.txt",
        "rm -rf .",
    ]);
}

#[test]
fn only_the_repository_of_the_workspace_counts() {
    let project = Project::with(&[("a.txt", "a\n")]);
    // A repository inside.
    project.git(&["init", "--quiet", "inner"]);
    project.write("inner/b.txt", "b\n");
    project.git(&["-C", "inner", "add", "b.txt"]);
    project.git(&["-C", "inner", "commit", "--quiet", "--message=x"]);
    project.refuses(&["rm inner/b.txt", "rm -r inner"]);
    // A folder whose repository lies elsewhere.
    let linked = Project::bare();
    let elsewhere = project.root.join(".git");
    linked.write(".git", &format!("gitdir: {elsewhere}\n"));
    linked.write("a.txt", "a\n");
    linked.refuses(&["rm a.txt"]);
}

#[test]
fn without_a_commit_or_a_repository_nothing_can_be_had_back() {
    let project = Project::bare();
    project.write("a.txt", "a\n");
    project.refuses(&["rm a.txt", "echo x > a.txt"]);
    project.allows(&["echo x > new.txt", "mkdir new"]);
    project.git(&["init", "--quiet"]);
    project.refuses(&["rm a.txt", "echo x > a.txt"]);
}

#[test]
fn a_damaged_repository_is_none() {
    let project = Project::with(&[("a.txt", "a\n")]);
    project.write(".git/HEAD", "nonsense\n");
    project.refuses(&["rm a.txt"]);
}

#[test]
fn a_folder_that_does_not_exist_is_empty() {
    let project = Project::bare();
    std::fs::remove_dir(&project.root).unwrap();
    project.allows(&["echo x > a.txt", "mkdir -p b && cp a.txt b/c.txt"]);
}

#[test]
fn of_temporary_files_only_the_missing_may_be_written() {
    let project = Project::with(&[("a.txt", "a\n")]);
    let elsewhere = tempfile::tempdir_in("/tmp").unwrap();
    let path = elsewhere.path().to_str().unwrap();
    project.allows(&[&format!("echo x > {path}/new.txt")]);
    std::fs::write(elsewhere.path().join("old.txt"), "x").unwrap();
    project.refuses(&[
        &format!("echo x > {path}/old.txt"),
        &format!("rm -rf {path}"),
    ]);
}
