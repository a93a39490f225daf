//! What a command may lose: only what HEAD has, or what tools make again.

use std::sync::Arc;

use camino::Utf8PathBuf;
use countersign_core::call::Call;
use countersign_core::facts::Analysis;
use countersign_core::paths::FileKind;
use countersign_core::search_path;
use countersign_core::state::StateStore;
use countersign_engine::ledger::footprint;
use countersign_store::MemoryStore;

use crate::ledger_desk::{Desk, session, shell, write};
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
fn a_program_of_the_workspace_under_the_name_of_another_is_not_that_one() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = Project::with(&[("a.txt", "a\n")]);
    project.allows(&["ls", "cat a.txt | wc -l"]);
    for own in ["wc", "bin/wc", "node_modules/.bin/wc"] {
        let path = project.root.join(own);
        project.write(own, "x\n");
        project.allows(&["cat a.txt | wc -l"]);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        project.allows(&["ls", "/usr/bin/wc -l a.txt"]);
        project.refuses(&["cat a.txt | wc -l", "timeout 5 wc -l a.txt"]);
        std::fs::remove_file(&path).unwrap();
    }
    project.refuses(&["cp /usr/bin/true src/wc; wc a.txt", "wc a.txt > wc"]);
    // A folder of that name is nobody's program.
    std::fs::create_dir(project.root.join("wc")).unwrap();
    project.allows(&["cat a.txt | wc -l"]);
}

#[test]
fn a_program_in_a_folder_of_the_path_where_an_agent_can_write_is_nobody_elses() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let project = Project::with(&[("a.txt", "a\n")]);
    project.write("odd/place/wc", "x\n");
    let own = project.root.join("odd/place/wc");
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
    let link = project.root.parent().unwrap().join("a link to it");
    symlink(project.root.join("odd/place"), &link).unwrap();
    let because = |path: &str| {
        let mut call = project.shell("cat a.txt | wc -l");
        call.search_path = search_path::folders(path, &call.cwd);
        let facts = project.facts(&call);
        let because = &facts.operations[0].found.because;
        because.first().map(|unproven| unproven.reason.clone())
    };
    assert_eq!(because(""), None);
    assert_eq!(because("/usr/bin:odd"), None);
    let absolute = format!("/usr/bin:{}/odd/place", project.root);
    for path in [absolute.as_str(), "odd/place:/usr/bin", link.as_str()] {
        let reason = because(path).unwrap_or_else(|| panic!("{path} is nothing"));
        let told = format!("`wc` may be {own}, where an agent can write");
        assert_eq!(reason, told, "{path}");
    }
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

/// The agent's own tool writes a file.
fn creates(project: &Project, desk: &Desk, path: &str, content: &str) {
    desk.does(&write(&session("s"), path, content, FileKind::Missing));
    std::fs::write(project.root.join(path), content).unwrap();
}

fn desk(project: &Project) -> Desk {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    Desk::new(store).in_workspace(project.root.as_str())
}

#[track_caller]
fn in_session(project: &Project, desk: &Desk, text: &str) -> bool {
    let facts = desk
        .engine
        .facts(&project.shell(text), &project.host, &project.policy);
    matches!(facts.operations[0].analysis, Analysis::Contained { .. })
}

#[test]
fn what_this_sessions_agent_created_may_go_as_long_as_it_is_that() {
    let project = Project::with(&[("a.txt", "a\n")]);
    let desk = desk(&project);
    let path = project.root.join("new.py");
    creates(&project, &desk, path.as_str(), "print(1)\n");
    for text in ["rm new.py", "echo x > new.py", "echo x >> new.py"] {
        assert!(in_session(&project, &desk, text), "{text}");
        assert!(!project.contains(text), "{text} without a session");
    }
    let of_another = Call {
        key: session("other"),
        ..project.shell("rm new.py")
    };
    let facts = desk
        .engine
        .facts(&of_another, &project.host, &project.policy);
    assert_eq!(facts.operations[0].analysis, Analysis::NotProven);
    // A person edits it.
    std::fs::write(&path, "print(2)\n").unwrap();
    assert!(!in_session(&project, &desk, "rm new.py"));
    // Back, but under two names.
    std::fs::write(&path, "print(1)\n").unwrap();
    std::fs::hard_link(&path, project.root.join("b.py")).unwrap();
    assert!(!in_session(&project, &desk, "rm new.py"));
}

#[test]
fn a_file_that_was_there_before_is_no_creation() {
    let project = Project::with(&[("a.txt", "a\n")]);
    let desk = desk(&project);
    let path = project.root.join("notes.txt");
    project.write("notes.txt", "by a person\n");
    desk.does(&write(&session("s"), path.as_str(), "x\n", FileKind::File));
    std::fs::write(&path, "x\n").unwrap();
    assert!(!in_session(&project, &desk, "rm notes.txt"));
}

#[test]
fn a_temporary_folder_goes_only_if_all_of_it_is_the_sessions() {
    let project = Project::with(&[("a.txt", "a\n")]);
    let desk = desk(&project);
    let temp = tempfile::tempdir_in("/tmp").unwrap();
    let folder = Utf8PathBuf::from_path_buf(temp.path().canonicalize().unwrap()).unwrap();
    let own = folder.join("own");
    let made = shell(&session("s"), "mkdir own", {
        let call = project.shell(&format!("mkdir {own}"));
        Some(footprint(&call, &project.facts(&call)))
    });
    desk.does(&made);
    std::fs::create_dir(&own).unwrap();
    creates(&project, &desk, own.join("a.py").as_str(), "1\n");
    let all = format!("rm -rf {own}");
    assert!(in_session(&project, &desk, &all));
    assert!(in_session(&project, &desk, &format!("rm {own}/a.py")));
    assert!(!in_session(&project, &desk, &format!("rm -rf {folder}")));
    std::fs::write(own.join("b.txt"), "of somebody").unwrap();
    assert!(!in_session(&project, &desk, &all));
    std::fs::remove_file(own.join("b.txt")).unwrap();
    std::fs::create_dir(own.join("of-somebody")).unwrap();
    assert!(!in_session(&project, &desk, &all));
}

#[test]
fn what_was_moved_or_written_by_a_command_is_no_creation() {
    let project = Project::with(&[("a.txt", "a\n")]);
    let desk = desk(&project);
    project.write("notes.txt", "by a person\n");
    for text in ["mv notes.txt moved.txt", "echo x > made.txt"] {
        let call = project.shell(text);
        let writes = footprint(&call, &project.facts(&call));
        desk.does(&shell(&session("s"), text, Some(writes)));
    }
    std::fs::rename(
        project.root.join("notes.txt"),
        project.root.join("moved.txt"),
    )
    .unwrap();
    project.write("made.txt", "x\n");
    assert!(!in_session(&project, &desk, "rm moved.txt"));
    assert!(!in_session(&project, &desk, "rm made.txt"));
}
